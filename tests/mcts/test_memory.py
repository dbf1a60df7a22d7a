"""A memory of evaluations saves calls and changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

import games
from games import Observation, Position
from mcts import Memory, SearchConfig, search
from tests.mcts.evaluators import Answer, noisy_evaluator

pytestmark = pytest.mark.kernels

CONFIG = SearchConfig(simulations=24, gumbel_scale=0.0, solve=True)


class Counting:
    """An evaluator that counts the positions it is asked about."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, observation: Observation) -> Answer:
        self.asked += len(observation.legal)
        return noisy_evaluator(observation)


def game(name: str, moves: int, seed: int) -> list[Position]:
    """The positions of a random game."""
    random = np.random.default_rng(seed)
    positions = [games.start(games.load(name))]
    for _ in range(moves):
        positions.append(positions[-1].play(int(random.choice(positions[-1].legal_actions))))
    return positions


@pytest.mark.parametrize("name", ["connect4", "othello-6x6", "go-5", "breakthrough-5x5"])
def test_with_a_memory_the_same_is_found(name: str) -> None:
    memory = Memory(4)
    for position in game(name, 6, seed=1):
        plain = search([position], noisy_evaluator, CONFIG)
        remembered = search([position], noisy_evaluator, CONFIG, memory=memory)
        for one, other in zip(plain, remembered, strict=True):
            np.testing.assert_array_equal(one, other)
    assert memory.hits > 0


def test_a_repeated_search_asks_nothing() -> None:
    evaluator, memory = Counting(), Memory(256)  # with room to spare: no two positions share a place
    positions = game("connect4", 3, seed=2)
    search(positions, evaluator, CONFIG, memory=memory)
    asked = evaluator.asked
    assert asked > len(positions)
    search(positions, evaluator, CONFIG, memory=memory)
    assert evaluator.asked == asked


def test_another_variant_empties_it() -> None:
    """The keys count on the batch's rows of rules."""
    evaluator, memory = Counting(), Memory(4)
    search(game("connect4", 1, seed=3), evaluator, CONFIG, memory=memory)
    asked = evaluator.asked
    search(game("tictactoe", 1, seed=3), evaluator, CONFIG, memory=memory)
    search(game("connect4", 1, seed=3), evaluator, CONFIG, memory=memory)
    assert evaluator.asked > 2 * asked


def test_without_room_nothing_is_remembered() -> None:
    evaluator, memory = Counting(), Memory(0)
    for _ in range(2):
        search(game("tictactoe", 2, seed=4), evaluator, CONFIG, memory=memory)
    assert memory.hits == 0
