"""The batched kernels walk the same trees as slow searches that were written from the papers."""

from __future__ import annotations

import numpy as np
import pytest

from games import Position
from mcts import SearchConfig, search
from mcts.config import halving_schedule
from tests.mcts.evaluators import for_reference, noisy_evaluator
from tests.mcts.positions import after, random_position
from tests.mcts.reference import Reference

pytestmark = pytest.mark.kernels

VARIANTS = {
    "tictactoe": 4,
    "tictactoe-misere": 5,
    "connect3-4x4": 8,
    "connect4": 12,
    "connect4-cylinder": 20,
    "connect4-misere": 25,
    "connect4-sideways": 9,
    "connect4-holes": 20,
    "connect6-9x9": 6,
    "gomoku-swap": 1,
    "othello-6x6": 20,
}
"""Variants and how far into the game the searched positions lie; late ones have results inside the tree."""

CONFIGS = (
    SearchConfig(simulations=1, gumbel_scale=0),
    SearchConfig(simulations=24, max_considered=1, gumbel_scale=0),
    SearchConfig(simulations=40, max_considered=8, gumbel_scale=0),
    SearchConfig(simulations=33, max_considered=3, gumbel_scale=0, value_scale=0.5, visit_offset=20),
    SearchConfig(simulations=40, method="puct"),
    SearchConfig(simulations=25, method="puct", exploration=3.0, exploration_base=50.0),
)


def assert_same_search(position: Position, config: SearchConfig) -> None:
    """Visits are equal, policy and value to float32's precision."""
    reference = Reference(for_reference(noisy_evaluator), config)
    reference.run(position)
    result = search([position], noisy_evaluator, config)
    assert result.visits[0].tolist() == reference.visits(), position
    np.testing.assert_allclose(result.policy[0], reference.policy(), atol=2e-4)
    assert result.value_to_play[0] == pytest.approx(reference.value_to_play(), abs=1e-5)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.method}-{c.simulations}")
@pytest.mark.parametrize("name", VARIANTS)
def test_search_is_the_papers(name: str, config: SearchConfig) -> None:
    for seed in range(2):
        assert_same_search(random_position(name, VARIANTS[name], seed), config)


@pytest.mark.parametrize("method", ["gumbel", "puct"])
def test_a_seat_that_moves_twice_keeps_its_values_sign(method: str) -> None:
    for moves in ("e5", "e5 d4", "e5 d4 d5"):  # the seat to move has two stones, one, and two
        assert_same_search(
            after("connect6-9x9", moves), SearchConfig(method=method, simulations=60, gumbel_scale=0)
        )


@pytest.mark.parametrize("method", ["gumbel", "puct"])
def test_a_swap_changes_seats_not_colours(method: str) -> None:
    for moves in ("h8", "h8 swap"):
        assert_same_search(
            after("gomoku-swap", moves), SearchConfig(method=method, simulations=60, gumbel_scale=0)
        )


@pytest.mark.parametrize(
    ("considered", "simulations", "drawn"),
    [
        (1, 4, "0123"),
        (2, 8, "0011 2233"),  # one phase only, so all rounds are between the two
        (4, 8, "0000 11 22"),  # two phases of 4 simulations: 4 actions once, then 2 actions twice
        (4, 16, "0000 1111 22 33 44 55"),
        (8, 24, "00000000 1111 2222 33 44 55 66"),
        (16, 32, "0000000000000000 11111111 2222 3333"),
        (3, 6, "000 11 2"),  # 3 actions once; then the last two, cut off at the budget
        (4, 2, "00"),
    ],
)
def test_halving_schedule_is_the_papers(considered: int, simulations: int, drawn: str) -> None:
    """Each digit is the number of visits that a simulation's action has before it."""
    assert halving_schedule(considered, simulations) == [int(digit) for digit in drawn.replace(" ", "")]
