"""How far an initialisation generalises, measured on a variant that is solved first."""

from __future__ import annotations

from pathlib import Path

import games
from benchmarks.meta_generalisation import Job, measured
from games import Variant
from models import NetworkConfig, PolicyValueNet, save_checkpoint

FEW = Variant.from_toml("board = { rows = 2, columns = 2 }\nend = { line = 2 }", name="few")


def test_positions_are_solved_once_and_measured_the_same_again(tmp_path: Path) -> None:
    init, suite = tmp_path / "init.safetensors", tmp_path / "suite.jsonl"
    net = NetworkConfig(blocks=1, channels=8, policy_hidden=4, value_hidden=8, rule_hidden=8)
    save_checkpoint(init, PolicyValueNet(net), metadata={})
    job = Job(init, "train, first", games.load("tictactoe"), suite, (0, 16))
    found = measured(job)
    assert found is not None
    assert found["positions"] >= 60
    assert found["strength"]["16"] > found["strength"]["0"]
    solved = suite.read_bytes()
    assert measured(job) == found
    assert suite.read_bytes() == solved


def test_a_variant_with_hardly_any_positions_is_left_out(tmp_path: Path) -> None:
    job = Job(tmp_path / "none.safetensors", "train, more", FEW, tmp_path / "few.jsonl", (0,))
    assert measured(job) is None
