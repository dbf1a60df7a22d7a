"""With `solve=True` what is proven is true, is not searched again, and settles what is played."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import games
from games import Observation, Position
from mcts import RolloutEvaluator, SearchConfig, search, uniform_evaluator
from mcts.kernels import UNPROVEN, Tree
from tests.mcts.evaluators import Answer, noisy_evaluator
from tests.mcts.positions import after, random_position
from tests.mcts.trees import edges, grow, node_position

pytestmark = pytest.mark.kernels

METHODS = ("gumbel", "puct")

SWAP = games.Variant.model_validate(
    {"name": "swap", "board": {"rows": 3, "columns": 3}, "turn": {"swap": True}, "end": {"line": 3}}
)
TWO_STONES = games.Variant.model_validate(
    {
        "name": "two-stones",
        "board": {"rows": 3, "columns": 3},
        "turn": {"stones": 2, "first_stones": 1},
        "end": {"line": 3},
    }
)


@cache
def exact(position: Position) -> int:
    """Plain negamax: the result for seat 0. A seat may move twice in a row."""
    if position.is_over:
        return position.returns[0]
    results = [exact(position.play(action)) for action in position.legal_actions]
    return max(results) if position.to_play == 0 else min(results)


def exact_to_play(position: Position) -> int:
    return exact(position) if position.to_play == 0 else -exact(position)


def played(variant: games.Variant, moves: str) -> Position:
    position = games.start(variant)
    for move in moves.split():
        position = position.play_text(move)
    return position


ENDGAMES = [
    *(random_position("tictactoe", 2, seed) for seed in range(6)),
    *(random_position("tictactoe-misere", 2, seed) for seed in range(6)),
    *(random_position("tictactoe-torus", 2, seed) for seed in range(4)),
    *(random_position("connect3-4x4", 7, seed) for seed in range(6)),
    *(played(SWAP, moves) for moves in ("a1", "b2", "a1 swap c3", "a1 b2", "b1 swap a1")),
    *(played(TWO_STONES, moves) for moves in ("b2", "a1 b2", "a1 b2 c3", "b1 a3 c3 a1")),
]
"""Positions that negamax solves in no time, of games in which turns, goals and seats differ."""


@pytest.mark.parametrize("simulations", [3, 40, 400])
@pytest.mark.parametrize("method", METHODS)
def test_every_proven_value_is_exact(method: str, simulations: int) -> None:
    config = SearchConfig(method=method, simulations=simulations, solve=True)
    proven = 0
    for position in ENDGAMES:
        tree = grow([position], noisy_evaluator, config, seed=1)
        for node in range(tree.n_nodes[0]):
            at = node_position(tree, position, node)
            if tree.node_proven[node] != UNPROVEN:
                proven += 1
                assert tree.node_proven[node] == exact_to_play(at), at
            for edge in edges(tree, node) if not at.is_over else ():
                if tree.proven[edge] != UNPROVEN:
                    following = exact(at.play(tree.action[edge]))
                    assert tree.proven[edge] == (following if at.to_play == 0 else -following), at
    assert proven > simulations


@pytest.mark.parametrize("method", METHODS)
def test_many_simulations_prove_a_small_game(method: str) -> None:
    """The search ends with the proof, plays a move that keeps the result, and its policy has no other."""
    config = SearchConfig(method=method, simulations=10000, solve=True)
    solved = 0
    for position in ENDGAMES:
        result = search([position], noisy_evaluator, config)
        value = exact_to_play(position)
        keeping = {a for a in position.legal_actions if exact(position.play(a)) == exact(position)}
        if result.visits.sum() < config.simulations:
            solved += 1
            assert result.action[0] in keeping, position
            assert result.value_to_play[0] == value
            assert set(np.flatnonzero(result.policy[0])) <= keeping
            assert result.policy.sum() == pytest.approx(1.0)
    assert solved > 0.8 * len(ENDGAMES)


@pytest.mark.parametrize("method", METHODS)
def test_a_win_at_once_needs_no_simulation(method: str) -> None:
    position = after("connect4", "d a d a d b")
    result = search([position], noisy_evaluator, SearchConfig(method=method, solve=True))
    assert position.action_text(result.action[0]) == "d4"
    assert result.visits.sum() == 0
    assert result.value_to_play[0] == 1.0
    assert result.policy[0, result.action[0]] == 1.0
    assert result.action_values[0, result.action[0]] == 1.0


@pytest.mark.parametrize("method", METHODS)
def test_the_network_is_not_asked_about_positions_that_are_won_at_once(method: str) -> None:
    """O threatens d4: behind the root, every position that goes to the network has a stone there."""
    position = after("connect4", "a d a d b d")
    asked: list[bool] = []

    def watch(observation: Observation) -> Answer:
        asked.append(bool(observation.planes[0, 1:3, 2, 3].any()))
        return noisy_evaluator(observation)

    search([position], watch, SearchConfig(method=method, simulations=100, solve=True))
    assert asked[0] is False
    assert len(asked) > 50
    assert all(asked[1:])


@pytest.mark.parametrize("method", METHODS)
def test_a_forced_block_is_found_behind_the_candidates(method: str) -> None:
    """All candidates lose at once; the only defence has the lowest prior and isn't a candidate."""
    position = after("connect4", "a d a d b d")
    block = position.parse_action("d")

    def against_the_block(observation: Observation) -> Answer:
        logits, values = uniform_evaluator(observation)
        logits[:, block] = -5.0
        return logits, values

    config = SearchConfig(method=method, simulations=16, max_considered=2, gumbel_scale=0.0, solve=True)
    result = search([position], against_the_block, config)
    assert result.action[0] == block
    assert result.policy[0, block] == pytest.approx(1.0)
    assert (
        result.visits[0, position.legal_actions] <= np.where(position.legal_actions == block, 16, 1)
    ).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_lost_action_is_not_visited_again(method: str) -> None:
    for seed in range(20):
        position = random_position("connect4", 14, seed)
        config = SearchConfig(method=method, simulations=300, solve=True)
        tree = grow([position], noisy_evaluator, config, seed=seed)
        for node in range(tree.n_nodes[0]):
            if tree.node_proven[node] != UNPROVEN:
                continue
            for edge in edges(tree, node)[: tree.opened[node]]:
                if tree.proven[edge] == -1:
                    assert tree.visits[edge] == visits_when_lost(tree.child[edge], tree)


def visits_when_lost(child: int, tree: Tree) -> int:
    """A lost action's visits are those that its child took part in, none of them after the proof."""
    return int(1 + sum(tree.visits[edge] for edge in edges(tree, child)[: tree.opened[child]]))


@pytest.mark.parametrize("method", METHODS)
def test_a_lost_position_still_gets_a_move(method: str) -> None:
    position = after("connect4", "c c d d e")  # x threatens b1 and f1
    result = search([position], noisy_evaluator, SearchConfig(method=method, simulations=5000, solve=True))
    assert result.value_to_play[0] == -1.0
    assert result.action[0] in position.legal_actions
    assert result.policy.sum() == pytest.approx(1.0)
    assert result.visits[0, result.action[0]] == result.visits.max()


@pytest.mark.parametrize("method", METHODS)
def test_a_misere_player_keeps_off_the_line(method: str) -> None:
    position = after("tictactoe-misere", "a1 b2 c1 c3")
    config = SearchConfig(method=method, simulations=1, solve=True, gumbel_scale=10.0)
    for seed in range(20):
        result = search([position], uniform_evaluator, config, seed=seed)
        assert position.action_text(result.action[0]) != "b1"
        assert result.policy[0, position.parse_action("b1")] == 0.0


def test_rollouts_prove_as_well() -> None:
    position = after("tictactoe", "b2 a1 a3 c1 b1")
    result = search([position], RolloutEvaluator(), SearchConfig(simulations=500, solve=True))
    assert result.value_to_play[0] == exact_to_play(position)
    assert result.visits.sum() < 500
