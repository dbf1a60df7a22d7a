"""An initialisation whose values run against a variant's results learns it with new heads."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import games
from models import load_checkpoint, save_checkpoint
from selfplay.known import KnownVariants
from selfplay.meta.adapt import start_adaptation
from selfplay.meta.algorithms import algorithm
from selfplay.meta.algorithms.base import HEADS
from selfplay.meta.algorithms.config import AlgorithmName, MetaLearningConfig
from selfplay.meta.initialisation import Initialisation, look_at, with_new_heads
from selfplay.run import START
from selfplay.sight import Sight
from tests.selfplay.meta.examples import tiny_net

NET = tiny_net().float()
TICTACTOE, MISERE = games.load("tictactoe"), games.load("tictactoe-misere")


def doubting(monkeypatch: pytest.MonkeyPatch, name: AlgorithmName = "joint") -> Initialisation:
    """An initialisation that knows Tic-tac-toe and misjudges whatever it sees."""
    misjudged = Sight(share=1.0, understood=False)
    monkeypatch.setattr("selfplay.meta.initialisation.look", lambda *_, **__: misjudged)
    learning = MetaLearningConfig(algorithm=name)
    return Initialisation(
        NET, "init", KnownVariants([TICTACTOE]), algorithm(name, NET, learning).adaptation(), learning
    )


def test_new_heads_leave_the_tower_as_it_is() -> None:
    before = NET.state_dict()
    after = with_new_heads(before, NET, seed=1)
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed == {name for name in before if re.match(HEADS, name)}
    again = with_new_heads(before, NET, seed=1)
    assert all(torch.equal(value, again[name]) for name, value in after.items())


def test_only_a_new_variant_is_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    initial = doubting(monkeypatch)
    assert initial.doubts(MISERE)
    assert not initial.doubts(TICTACTOE)
    assert not replace(initial, trusted=True).doubts(MISERE)


def test_heads_that_do_not_learn_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not doubting(monkeypatch, "cavia").doubts(MISERE)
    assert doubting(monkeypatch, "anil").doubts(MISERE)


def test_an_adaptation_says_that_it_starts_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    doubting(monkeypatch)
    save_checkpoint(tmp_path / "init.safetensors", NET, metadata={})
    settings = (
        "positions=40",
        "selfplay.games=8",
        "selfplay.simulations=2",
        "device=cpu",
        "stop.enabled=false",
    )
    said: list[str] = []
    start_adaptation(
        MISERE, tmp_path / "init.safetensors", tmp_path / "run",
        config=None, settings=(*settings, "selfplay.rehearsal=0"), tell=said.append,
    )  # fmt: skip
    assert said == ["init.safetensors misjudges tictactoe-misere, so policy and value start anew."]
    start = load_checkpoint(tmp_path / "run" / START)[0].state_dict()
    assert not torch.equal(start["policy.plane.weight"], NET.state_dict()["policy.plane.weight"])
    assert torch.equal(start["stem.weight"], NET.state_dict()["stem.weight"])


def test_a_look_is_at_finished_games() -> None:
    samples = look_at(TICTACTOE, NET, seed=0)
    assert set(samples.outcome.tolist()) <= {-1.0, 0.0, 1.0}
    assert len(samples.outcome) > 50
