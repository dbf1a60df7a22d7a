"""Evaluating several leaves of one search at once finds what one by one would have found."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import games
from games import Observation, Position
from mcts import Memory, SearchConfig, search
from tests.mcts.evaluators import Answer, noisy_evaluator

pytestmark = pytest.mark.kernels

VARIANTS = ["connect4", "othello-6x6", "go-5", "breakthrough-5x5", "havannah-4"]


class Counting:
    """An evaluator that counts calls and positions."""

    def __init__(self) -> None:
        self.calls = self.asked = 0

    def __call__(self, observation: Observation) -> Answer:
        self.calls += 1
        self.asked += len(observation.legal)
        return noisy_evaluator(observation)


def a_position(name: str, *, seed: int) -> Position:
    """A few random moves from the start."""
    random, position = np.random.default_rng(seed), games.start(games.load(name))
    for _ in range(random.integers(2, 8)):
        position = position.play(random.choice(position.legal_actions))
    return position


@pytest.mark.parametrize(
    "config",
    [
        SearchConfig(simulations=120, gumbel_scale=0.0, solve=True),
        SearchConfig(simulations=120, gumbel_scale=0.0),
        SearchConfig(simulations=60, solve=True, max_considered=5),
        SearchConfig(simulations=40, gumbel_scale=0.0, solve=True, rollouts=2),
        SearchConfig(method="puct", simulations=40, solve=True),
    ],
    ids=["gumbel", "unproven", "noisy", "playouts", "puct"],
)
@pytest.mark.parametrize("name", VARIANTS)
def test_the_search_goes_the_same_way(name: str, config: SearchConfig) -> None:
    position = a_position(name, seed=1)
    plain = search([position], noisy_evaluator, config, seed=5)
    ahead = search([position], noisy_evaluator, config, seed=5, memory=Memory(64))
    for one, other in zip(plain, ahead, strict=True):
        np.testing.assert_array_equal(one, other)


def test_fewer_calls_and_hardly_an_evaluation_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    config = SearchConfig(simulations=200, gumbel_scale=0.0, solve=True)
    positions = [a_position(name, seed=2) for name in VARIANTS]
    ahead, singly = Counting(), Counting()
    for position in positions:
        search([position], ahead, config, memory=Memory(64))
    monkeypatch.setattr(sys.modules["mcts.search"], "FORESEEN", 0)
    for position in positions:
        search([position], singly, config, memory=Memory(64))
    assert singly.calls == singly.asked
    assert ahead.calls < 0.4 * singly.calls
    assert ahead.asked < 1.05 * singly.asked
