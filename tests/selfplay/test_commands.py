"""`train`, `export`, `demo` and `bench` as a user calls them: what they write, what they refuse."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import games
from models import NetworkConfig, PolicyValueNet
from selfplay import Player, player_bench
from selfplay.ceilings import forward_operations
from selfplay.cli import app
from selfplay.scaling import bench_scaling, tree_bytes

TINY = [
    f"--set={setting}"
    for setting in (
        "network.blocks=1",
        "network.channels=8",
        "selfplay.games=16",
        "selfplay.threads=1",
        "selfplay.advances=20",
        "selfplay.simulations=8",
        "learner.batch_size=32",
        "learner.first_positions=100",
    )
]


def run(*arguments: object) -> Result:
    """A command in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run on tic-tac-toe with a user's own variant beside it."""
    folder = tmp_path_factory.mktemp("runs")
    own = folder / "own.toml"
    own.write_text("board = { rows = 3, columns = 4 }\nend = { line = 3 }\n")
    result = run("train", "tictactoe", own, "--run", folder / "run", "--positions", 600, *TINY)
    assert result.exit_code == 0, result.output
    return folder / "run"


def refusal(*arguments: object) -> str:
    """The one line on stderr with which a command refuses."""
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1, result.stderr
    return result.stderr


def test_a_run_folder_tells_its_story(finished_run: Path) -> None:
    config = tomllib.loads((finished_run / "config.toml").read_text())
    rows = [json.loads(line) for line in (finished_run / "metrics.jsonl").read_text().splitlines()]
    assert config["network"]["channels"] == 8
    assert [path.name for path in sorted((finished_run / "variants").iterdir())] == [
        "000-tictactoe.toml",
        "001-own.toml",
    ]
    assert [row["iteration"] for row in rows] == list(range(1, len(rows) + 1))
    assert rows[-1]["positions"] >= 600 > rows[-2]["positions"]
    assert list((finished_run / "tensorboard").iterdir())
    assert not list(finished_run.rglob("*.tmp"))


def test_a_finished_run_leaves_an_agent_for_both_variants(finished_run: Path) -> None:
    player = Player.load(finished_run / "agent.onnx", simulations=4)
    for variant in (games.load("tictactoe"), games.load(finished_run.parent / "own.toml")):
        assert player.trained_for(variant)
        assert player.choose(games.start(variant)) in games.start(variant).legal_actions
    assert not player.trained_for(games.load("connect4"))


def test_export_writes_the_agent_where_it_is_told(finished_run: Path, tmp_path: Path) -> None:
    result = run("export", finished_run, "--output", tmp_path / "a.onnx")
    assert result.exit_code == 0, result.output
    assert f"selfplay play tictactoe --agent {tmp_path / 'a.onnx'}" in result.stdout
    assert (tmp_path / "a.onnx").stat().st_size > 10_000


def test_a_finished_run_goes_on_with_a_larger_budget(finished_run: Path, tmp_path: Path) -> None:
    before = len((finished_run / "metrics.jsonl").read_text().splitlines())
    summary = tmp_path / "summary.json"
    result = run("train", "--resume", "--run", finished_run, "--positions", 1200, "--json", summary)
    assert result.exit_code == 0, result.output
    assert json.loads(summary.read_text())["positions"] >= 1200
    assert len((finished_run / "metrics.jsonl").read_text().splitlines()) > before


def test_a_run_is_not_overwritten(finished_run: Path) -> None:
    assert "already holds a run" in refusal("train", "tictactoe", "--run", finished_run, "--positions", 10)


def test_what_shapes_a_run_cannot_change(finished_run: Path) -> None:
    line = refusal("train", "--resume", "--run", finished_run, "--set", "network.channels=16")
    assert "network can't change" in line


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("learner.batch_sise=3", "learner.batch_sise"),
        ("learner.batch_size=few", "got 'few'"),
        ("learner", "expected key=value"),
        ("seed.x=1", "seed"),
    ],
)
def test_settings_that_make_no_sense(setting: str, reason: str, tmp_path: Path) -> None:
    line = refusal("train", "tictactoe", "--run", tmp_path / "run", "--set", setting)
    assert reason in line
    assert not (tmp_path / "run").exists()


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    assert "holds other files" in refusal("train", "tictactoe", "--run", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_config_that_is_no_toml(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("seed 3")
    line = refusal("train", "tictactoe", "--run", tmp_path / "run", "--config", tmp_path / "config.toml")
    assert "can't read the configuration" in line


def test_exporting_what_is_no_run(tmp_path: Path) -> None:
    assert "expected a run folder" in refusal("export", tmp_path, "--output", tmp_path / "a.onnx")


def test_bench_writes_what_it_measured(tmp_path: Path) -> None:
    result = run("bench", "search", "--json", tmp_path / "bench.json")
    assert result.exit_code == 0, result.output
    bench = json.loads((tmp_path / "bench.json").read_text())
    assert bench["machine"]["cores"] >= 1
    assert set(bench) == {"machine", "shape", "search"}
    assert bench["search"]["connect4"]["simulations_per_second"] > 10_000


def test_bench_puts_rates_beside_their_ceilings(tmp_path: Path) -> None:
    tiny = ("--blocks", "1", "--channels", "8", "--batch", "16")
    result = run("bench", "network", "learner", *tiny, "--json", tmp_path / "bench.json")
    assert result.exit_code == 0, result.output
    bench = json.loads((tmp_path / "bench.json").read_text())
    network, learner = bench["network"], bench["learner"]
    expected = network["16"] * network["operations_per_position"] / network["matrix_operations_per_second"]
    assert network["16_share_of_matrix_rate"] == pytest.approx(expected)
    assert 0 < expected < 1
    assert 0 < learner["share_of_bare_passes"] < 1.5
    assert learner["bare_samples_per_second"] > 0


def test_the_operations_of_a_forward_pass_are_those_on_paper() -> None:
    config = NetworkConfig(blocks=1, channels=8, policy_hidden=4, value_hidden=5, rule_hidden=6)
    cells, wide = 42, 2 * 8
    tower = cells * 9 * 8 * (config.planes + 8 + 8)
    film = config.features * 6 + 6 * 2 * 8
    policy = cells * (8 * 4 + 4) + wide * 4 + wide * 2
    value = wide * 5 + 5 * 3
    seen = games.start(games.load("connect4")).observation()
    counted = forward_operations(PolicyValueNet(config), seen)
    assert counted == 2 * (tower + film + policy + value)


def test_the_memory_of_a_game_is_nodes_and_edges() -> None:
    """On 2x2, a simulation more takes one node (4 cells and what is noted of it) and four edges more."""
    variant = games.Variant.from_toml("board = { rows = 2, columns = 2 }\nend = { line = 2 }", name="two")
    one, two = (tree_bytes(variant, simulations=n) for n in (1, 2))
    node, edge = 4 + 15 * 2 + 4 + 5 * 4 + 2 * 1, 2 * 2 + 4 * 4 + 2 * 4 + 1
    assert two - one == node + 4 * edge


def test_what_search_takes_is_measured_for_every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is linear in simulations and legal moves by construction: checked to the byte above."""
    monkeypatch.setattr("selfplay.scaling.GAMES", (2, 4))
    monkeypatch.setattr("selfplay.scaling.SIDES", (5, 6))
    monkeypatch.setattr("selfplay.scaling.SIMULATIONS", (8, 32))
    monkeypatch.setattr("selfplay.scaling.USUAL_GAMES", 2)
    monkeypatch.setattr("selfplay.scaling.MOST_BYTES", 4 * tree_bytes_of_five(6) - 1)
    lines: list[str] = []
    rows = bench_scaling(lines.append)
    sizes = [(row["side"], row["games"], row["simulations"]) for row in rows]
    assert sizes == [(5, 2, 32), (5, 4, 32), (6, 2, 32), (5, 2, 8), (6, 2, 8)]
    assert sum("left out" in line for line in lines) == 1
    for row in rows:
        expected = row["nanoseconds_per_simulation"] * row["games"] * row["simulations"]
        assert row["seconds"] == pytest.approx(expected / 1e9)


def tree_bytes_of_five(side: int) -> int:
    text = f"board = {{ rows = {side}, columns = {side} }}\nend = {{ line = 5 }}"
    return tree_bytes(games.Variant.from_toml(text, name="five"), simulations=32)


def test_the_players_bench_counts_what_the_runtime_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"POSITIONS": 4, "SIMULATIONS": 48, "STARTS": 1}.items():
        monkeypatch.setattr(player_bench, name, value)
    lines: list[str] = []
    row = player_bench.bench_player(lines.append)
    assert (row["positions"], row["simulations"]) == (4, 48)
    assert 1 <= row["positions_per_call"] <= 16
    assert 0 < row["share_of_bare"] < 2
    assert row["first_move_seconds"] > row["move_seconds_alone"] > 0
    assert "48 simulations" in lines[-1]


def test_bench_of_a_layer_that_is_none() -> None:
    assert "expected layers out of start" in refusal("bench", "rulez")
