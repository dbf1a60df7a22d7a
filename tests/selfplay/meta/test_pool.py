"""Games and positions of many variants, each by itself."""

from __future__ import annotations

import numpy as np
import pytest

import games
from games import Variant
from mcts import uniform_evaluator
from selfplay.actor import Episode
from selfplay.meta.config import TasksConfig, VisitConfig
from selfplay.meta.pool import TaskPool, by_canvas

PLAY = VisitConfig(games=8, threads=1, advances=40, simulations=4, cache_megabytes=1)
CONFIG = TasksConfig(support=16, query=16, window=400, first_positions=20)


def pool_of(*names: str) -> TaskPool:
    return TaskPool([games.load(name) for name in names], PLAY, CONFIG, seed=1)


def episode(variant: Variant, index: int, moves: str, result: int) -> Episode:
    """A game from moves as text, every position recorded with all weight on the move played."""
    position, actions, seats = games.start(variant), [], []
    for move in moves.split():
        seats.append(position.to_play)
        after = position.play_text(move)
        actions.append(after.actions[-1])
        position = after
    policy = np.zeros((len(actions), variant.n_actions), np.float16)
    policy[np.arange(len(actions)), actions] = 1
    return Episode(
        variant=index,
        actions=np.array(actions, np.int16),
        policy=policy,
        value=np.zeros(len(actions), np.float32),
        seat=np.array(seats, np.int8),
        recorded=np.ones(len(actions), np.bool_),
        surprise=np.zeros(len(actions), np.float32),
        result=result,
        exact=len(actions),
    )


def test_a_variant_is_learned_from_once_both_halves_have_games() -> None:
    pool = pool_of("tictactoe")
    tictactoe = pool.variants[0]
    assert not pool.can_learn(0)
    for _ in range(5):
        pool.add(episode(tictactoe, 0, "a1 b1 a2 b2 a3", 1))
    assert pool.recorded(0) == 25
    assert pool.can_learn(0)


def test_support_and_query_come_from_different_games() -> None:
    """Even games begin in the corner, odd ones in the centre; no drawing ever mixes them."""
    pool = pool_of("tictactoe")
    for _ in range(4):
        pool.add(episode(pool.variants[0], 0, "b2 a1 b1 a2 b3", 1))
        pool.add(episode(pool.variants[0], 0, "a1 b1 a2 b2 a3", 1))
    rng = np.random.default_rng(0)
    first_moves = set()
    for _ in range(20):
        task = pool.task(0, rng)
        halves = []
        for samples in (task.support, task.query):
            empty = samples.planes[:, 1:3].sum((1, 2, 3)) == 0
            centre = 4
            halves.append({bool(action == centre) for action in samples.played[empty].tolist()})
        assert halves[0].isdisjoint(halves[1])
        first_moves |= halves[0] | halves[1]
    assert first_moves == {True, False}


def test_a_teacher_that_knows_records_solved_positions_only() -> None:
    """Hex on 3x3 is solved from the end back in some games, in most not as far as its first moves."""
    play = PLAY.model_copy(update={"solver_nodes": 20, "teacher": "solver", "advances": 80})
    pool = TaskPool([games.load("hex-3")], play, CONFIG, seed=1)
    played = pool.play(0, uniform_evaluator)
    assert len(played) > 4
    assert all(np.array_equal(g.recorded, np.arange(len(g.actions)) >= g.exact) for g in played)
    assert any(0 < g.exact < len(g.actions) for g in played)


def test_each_variant_keeps_its_own_games() -> None:
    pool = pool_of("tictactoe", "connect3-4x4")
    played = [game for _ in range(4) for game in pool.play(1, uniform_evaluator)]
    assert played
    assert {game.variant for game in played} == {1}
    for game in played:
        pool.add(game)
    assert pool.recorded(0) == 0
    assert pool.recorded(1) == sum(int(game.recorded.sum()) for game in played)


def test_playing_one_variant_leaves_the_other_where_it_was() -> None:
    def games_of_one(others: int) -> list[list[int]]:
        pool = pool_of("tictactoe", "hex-3")
        for _ in range(others):
            pool.play(1, uniform_evaluator)
        return [game.actions.tolist() for _ in range(3) for game in pool.play(0, uniform_evaluator)]

    assert games_of_one(0) == games_of_one(2)


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (["tictactoe", "connect4", "hex-3", "othello-4x4"], [[0, 2], [3], [1]]),
        (["hex-4"], [[0]]),
    ],
)
def test_variants_are_grouped_by_the_longer_side(names: list[str], groups: list[list[int]]) -> None:
    assert by_canvas([games.load(name) for name in names]) == groups
