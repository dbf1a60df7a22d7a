"""Random playouts mixed into an evaluator's values, against the exact value of playing at random."""

from __future__ import annotations

import numpy as np
import pytest

from games import Position
from mcts import Memory, SearchConfig, search
from mcts.rollout_kernels import Rollouts, new_rollouts, rollout_rows
from tests.mcts.evaluators import noisy_evaluator
from tests.mcts.positions import after, random_position
from tests.mcts.trees import grow, roots

pytestmark = pytest.mark.kernels

POSITIONS = ("b2 a1", "a1 b2 c3 a3", "a1 c3 a2 b2", "b2 a1 c2")
"""Of tic-tac-toe, as moves."""


def random_value(position: Position) -> float:
    """What playing evenly at random from here on is worth to the seat to move: every line, weighed."""

    def for_first(at: Position) -> float:
        if at.is_over:
            return float(at.returns[0])
        return float(np.mean([for_first(at.play(action)) for action in at.legal_actions.tolist()]))

    return for_first(position) if position.to_play == 0 else -for_first(position)


def root_value(position: Position, config: SearchConfig) -> float:
    """What a search takes its root to be worth before it searches."""
    tree = grow([position], noisy_evaluator, config)
    return float(tree.raw_value[roots(tree)[0]])


def mixing(rollouts: int, share: float, plies: int = 10**6) -> SearchConfig:
    return SearchConfig(simulations=4, rollouts=rollouts, rollout_share=share, rollout_plies=plies)


@pytest.mark.parametrize("moves", POSITIONS)
def test_playouts_are_worth_what_playing_at_random_is(moves: str) -> None:
    position = after("tictactoe", moves)
    found = root_value(position, mixing(1000, 1.0))
    assert found == pytest.approx(random_value(position), abs=4 / np.sqrt(1000))


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_value_is_mixed_by_share(share: float) -> None:
    for name in ("connect4", "hexapawn", "go-5"):
        position = random_position(name, 3, 1)
        alone = float(noisy_evaluator(position.observation())[1][0])
        played = root_value(position, mixing(8, 1.0))
        expected = (1 - share) * alone + share * played
        assert root_value(position, mixing(8, share)) == pytest.approx(expected, abs=1e-6)
        assert root_value(position, mixing(0, share)) == pytest.approx(alone, abs=1e-6)


def test_no_playout_begins_after_so_many_moves_but_one_is_played() -> None:
    position = after("connect4", "d1 d2")
    assert root_value(position, mixing(50, 1.0, plies=1)) in (-1.0, 0.0, 1.0)
    few, many = (root_value(position, mixing(50, 1.0, plies)) for plies in (60, 10**6))
    assert few != many


@pytest.mark.parametrize("name", ["connect4", "othello-6x6", "go-5", "breakthrough-5x5"])
def test_playouts_are_the_positions_own(name: str) -> None:
    """Whoever is searched beside it, and whether its evaluation was remembered, doesn't matter."""
    config = SearchConfig(simulations=20, gumbel_scale=0.0, solve=True, rollouts=4)
    positions = [random_position("tictactoe", 2, 0), *(random_position(name, n, n) for n in (1, 2, 4))]
    together, memory = search(positions, noisy_evaluator, config), Memory(4)
    for row, position in enumerate(positions[1:], 1):
        for _ in range(2):
            alone = search([position], noisy_evaluator, config, memory=memory)
            for one, other in zip(alone, together, strict=True):
                np.testing.assert_array_equal(one[0], other[row])
    assert memory.hits > 0


def test_another_salt_draws_other_playouts() -> None:
    position = after("connect4", "d1 d2")
    values = []
    for salt in (0, 0, 1, 2):
        rollouts = new_rollouts(position.rules, most=16, plies=10**6, share=1.0)
        rollouts.salt[0] = salt
        values.append(played(position, rollouts))
    assert values[0] == values[1]
    assert len(set(values)) == 3


def played(position: Position, rollouts: Rollouts) -> float:
    """A position's own playouts."""
    value = np.empty(1)
    rollout_rows(position.rules, position.state, rollouts, value)
    return float(value[0])
