"""`meta-train` and `adapt` as a user calls them: from many variants to an agent of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.torch import save_file
from typer.testing import CliRunner, Result

import games
from games.solver import Solver
from models import load_checkpoint
from models.checkpoint import HEADER_KEY
from selfplay import Player
from selfplay.cli import app
from selfplay.meta.folder import MetaFolder
from selfplay.meta.validation import Examined
from selfplay.suite import SolvedPosition

PLAY = ("selfplay.games=8", "selfplay.advances=24", "selfplay.simulations=4")
META = (
    *PLAY, "network.blocks=1", "network.channels=8", "selfplay.threads=1", "tasks.together=2",
    "tasks.first_positions=40", "tasks.support=16", "tasks.query=16", "validation.positions=0", "device=cpu",
)  # fmt: skip
ADAPT = (
    *PLAY, "learner.batch_size=32", "learner.first_positions=40", "learner.samples_per_position=2",
    "stop.enabled=false", "device=cpu",
)  # fmt: skip


def run(*arguments: object, settings: tuple[str, ...] = ()) -> Result:
    """A command in this process."""
    words = [*map(str, arguments), *(f"--set={setting}" for setting in settings)]
    return CliRunner().invoke(app, words)


def refusal(*arguments: object) -> str:
    """The one line on stderr with which a command refuses."""
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert len(result.stderr.splitlines()) == 1, result.stderr
    return result.stderr


def one_exam() -> list[Examined]:
    """One position, so that a validation is quick."""
    tictactoe = games.load("tictactoe")
    position = games.start(tictactoe).play_text("a1").play_text("b1")
    values = {int(a): float(v) for a, v in Solver(tictactoe).action_values(position).items()}
    return [Examined(tictactoe, [SolvedPosition(position, values, "all", 1, True)])]


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short meta-training, its summary and a user's own variant; judged by one position."""
    folder = tmp_path_factory.mktemp("meta")
    (folder / "own.toml").write_text("board = { rows = 3, columns = 4 }\nend = { line = 3 }\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("selfplay.meta.start.validation_exams", one_exam)
        result = run(
            "meta-train", "--run", folder / "run", "--variant", "tictactoe", "--variant", "tictactoe-misere",
            "--algorithm", "joint", "--positions", 400, "--json", folder / "learned.json", settings=META,
        )  # fmt: skip
        assert result.exit_code == 0, result.output
        more = run("meta-train", "--run", folder / "run", "--resume", "--positions", 700)
        assert more.exit_code == 0, more.output
    return folder


def test_a_meta_training_says_what_it_learned_and_goes_on(learned: Path) -> None:
    summary = json.loads((learned / "learned.json").read_text())
    assert summary["variants"] == 2
    assert summary["positions"] >= 400
    assert 0 <= summary["validation"]["score"] <= 1
    metrics = [json.loads(line) for line in (learned / "run" / "metrics.jsonl").read_text().splitlines()]
    assert metrics[-1]["positions"] >= 700


def test_a_larger_network_goes_on_from_a_smaller_one_and_its_games(
    learned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("selfplay.meta.start.validation_exams", one_exam)
    source, larger = learned / "run", learned / "larger"
    settings = tuple(setting for setting in META if not setting.startswith("network."))
    result = run(
        "meta-train", "--run", larger, "--variant", "hex-3", "--variant", "tictactoe-misere",
        "--from", source, "--games", source, "--positions", 60,
        settings=(*settings, "network.channels=12", "network.blocks=2"),
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    net, _ = load_checkpoint(larger / "best.safetensors")
    assert (net.config.channels, net.config.blocks, net.config.policy_hidden) == (12, 2, 32)
    folder = MetaFolder.open(larger)
    given = folder.all_episodes(0)
    folder.close()
    assert {episode.variant for episode in given} == {1}  # the one that both know, by its new number
    assert sum(int(episode.recorded.sum()) for episode in given) > 100
    more = run("meta-train", "--run", larger, "--resume", "--positions", 120)
    assert more.exit_code == 0, more.output


def test_a_network_that_would_shrink_and_games_of_other_variants_are_refused(learned: Path) -> None:
    source, other = learned / "run", learned / "other"
    words = ("meta-train", "--run", other, "--variant", "hex-3", "--positions", 60)
    line = refusal(*words, "--from", source, "--set", "network.channels=4")
    assert "network.channels: expected at least 8, got 4" in line
    assert "expected recorded games of the variants to learn, got none" in refusal(*words, "--games", source)
    assert "expected a run folder" in refusal(*words, "--games", learned)
    assert not other.exists()


def test_a_variant_of_ones_own_is_adapted_to_and_played(learned: Path) -> None:
    run_folder, written = learned / "own", learned / "adapted.json"
    result = run(
        "adapt", learned / "own.toml", "--from", learned / "run", "--run", run_folder, "--positions", 200,
        "--json", written, settings=ADAPT,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert json.loads(written.read_text())["positions"] >= 200
    position = games.start(games.load(str(learned / "own.toml")))
    agent = Player.load(run_folder / "agent.onnx", simulations=8)
    assert agent.choose(position) in position.legal_actions


def test_an_earlier_adaptation_goes_on_in_place_or_anew(learned: Path) -> None:
    first, second = learned / "first", learned / "second"
    start = ("adapt", learned / "own.toml", "--positions", 120)
    assert run(*start, "--from", learned / "run", "--run", first, settings=ADAPT).exit_code == 0
    again = run("adapt", "--run", first, "--resume", "--positions", 240)
    assert again.exit_code == 0, again.output
    anew = run(*start, "--from", first, "--run", second, settings=ADAPT)
    assert anew.exit_code == 0, anew.output


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("adapt", "tictactoe", "--from", "nothing.safetensors"), "nothing.safetensors"),
        (("adapt",), "expected a VARIANT to learn, or --resume"),
        (("meta-train", "--algorithm", "magic"), "algorithm"),
        (("meta-train", "--resume", "--run", "nowhere"), "nowhere"),
        (("adapt", "board-of-mine"), "board-of-mine"),
    ],
)
def test_what_cannot_be_done_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.exit_code == 2, result.output
    assert line in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())


def test_weights_of_another_encoding_are_one_line(learned: Path, tmp_path: Path) -> None:
    old, run_folder = tmp_path / "old.safetensors", tmp_path / "run"
    with safe_open(learned / "run" / "best.safetensors", framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        header = json.loads(file.metadata()[HEADER_KEY])
    save_file(tensors, old, {HEADER_KEY: json.dumps(header | {"encoding_version": "999"})})
    assert "encoding" in refusal("adapt", "tictactoe", "--from", old, "--run", run_folder)
    assert not run_folder.exists()
