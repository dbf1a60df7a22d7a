"""`selfplay meta-tune` from its options to its files, with a tiny network on Tic-tac-toe."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from typer.testing import CliRunner

import games
from games.solver import Solver
from models import NetworkConfig, PolicyValueNet, save_checkpoint
from selfplay.config import TrainConfig
from selfplay.meta.initialisation import Initialisation
from selfplay.meta.tune import TuneConfig, trial_config
from selfplay.meta.tune_command import digest, judge, meta_tune
from selfplay.meta.validation import Examined
from selfplay.suite import SolvedPosition

NET = NetworkConfig(blocks=1, channels=8, policy_hidden=4, value_hidden=8, rule_hidden=8)
TICTACTOE = games.load("tictactoe")
TINY = (
    "device=cpu",
    "selfplay.games=8",
    "selfplay.advances=8",
    "selfplay.simulations=4",
    "selfplay.rehearsal=0.0",
    "learner.batch_size=32",
    "learner.first_positions=16",
)


@pytest.fixture(scope="module")
def exam() -> Examined:
    """Some middle positions of Tic-tac-toe."""
    solver, suite = Solver(TICTACTOE), []
    for line, moves in enumerate(("a1 b2 b1", "b2 a1 c3", "b2 a2 a1", "a1 b2 c3"), 1):
        position = games.start(TICTACTOE)
        for move in moves.split():
            position = position.play_text(move)
        values = {int(a): float(v) for a, v in solver.action_values(position).items()}
        suite.append(SolvedPosition(position, values, "all", line, True))
    return Examined(TICTACTOE, suite)


@pytest.fixture
def init(tmp_path: Path, exam: Examined, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fresh weights; validation is by Tic-tac-toe alone."""
    monkeypatch.setattr("selfplay.meta.validation.validation_exams", lambda: [exam])
    torch.manual_seed(5)
    known = [{"name": v.name, "digest": v.digest, "toml": v.to_toml()} for v in [games.load("hex-3")]]
    save_checkpoint(tmp_path / "init.safetensors", PolicyValueNet(NET), metadata={"variants": known})
    return tmp_path / "init.safetensors"


def tuned(init: Path, *options: str) -> Any:
    app = typer.Typer()
    app.command()(meta_tune)
    output = init.with_name("found.toml")
    fixed = [part for text in TINY for part in ("--set", text)]
    budget = ["--positions", "40", "--seeds", "1", "--trials", "2"]
    return CliRunner().invoke(app, ["--from", str(init), "--output", str(output), *budget, *fixed, *options])


def test_it_writes_settings_and_all_trials(init: Path) -> None:
    result = tuned(init)
    assert result.exit_code == 0, result.output
    found = TrainConfig.model_validate(tomllib.loads(init.with_name("found.toml").read_text()))
    report = json.loads(init.with_name("found.json").read_text())
    assert report["source"] == "init.safetensors"
    assert len(report["trials"]) == 2
    assert 0.0 <= report["score"] <= 1.0
    assert found.learner.learning_rate == pytest.approx(report["best"]["learner.learning_rate"], rel=0.01)


def test_a_setting_that_was_fixed_belongs_to_what_was_found(init: Path) -> None:
    tuned(init)
    found = tomllib.loads(init.with_name("found.toml").read_text())
    assert found["selfplay"]["games"] == 8
    assert "device" not in found


def test_more_trials_go_on_where_the_last_ended(init: Path) -> None:
    tuned(init)
    first = json.loads(init.with_name("found.json").read_text())["trials"]
    tuned(init, "--trials", "3")
    assert json.loads(init.with_name("found.json").read_text())["trials"][:2] == first


def test_the_area_of_an_adaptation_is_the_same_each_time(init: Path, exam: Examined) -> None:
    config = TuneConfig(positions=40, seeds=1, fixed=TINY)
    settings = trial_config({}, config, seed=3)
    judged = judge(Initialisation.load(init), [exam], config)
    assert judged(settings, 0) == judged(settings, 0)


def test_rehearsal_plays_what_the_initialisation_knows(
    init: Path, exam: Examined, monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[list[str]] = []
    plain = Initialisation.training

    def noted(self: Initialisation, config: TrainConfig, variants: Any) -> Any:
        played.append([variant.name for variant in variants])
        return plain(self, config, variants)

    monkeypatch.setattr(Initialisation, "training", noted)
    config = TuneConfig(positions=8, seeds=1, fixed=TINY)
    judged = judge(Initialisation.load(init), [exam], config)
    for share in (0.0, 0.3):
        judged(trial_config({"selfplay.rehearsal": share}, config, seed=0), 0)
    assert played == [["tictactoe"], ["tictactoe", "hex-3"]]


def test_equal_weights_are_the_same_search(init: Path) -> None:
    first = digest(Initialisation.load(init))
    save_checkpoint(init, Initialisation.load(init).net, metadata={"note": "another"})
    assert digest(Initialisation.load(init)) == first
    torch.manual_seed(6)
    save_checkpoint(init, PolicyValueNet(NET), metadata={})
    assert digest(Initialisation.load(init)) != first


def test_an_output_in_no_folder_is_refused_before_anything_is_searched(init: Path) -> None:
    result = tuned(init, "--output", str(init.parent / "nowhere" / "found.toml"))
    assert result.exit_code == 2
    assert "expected a file in a folder that exists" in " ".join(result.output.replace("│", " ").split())
