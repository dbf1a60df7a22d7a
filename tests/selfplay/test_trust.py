"""What playouts count beside a network, in games whose results are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

import games
from games import Observation, Position
from games.compiler import compile_rules
from mcts import SearchConfig
from mcts.rollout_kernels import Rollouts, new_rollouts
from selfplay.actor import Actor, Episode
from selfplay.trust import RolloutTrust
from tests.selfplay.hashed import MIXED, hashed_evaluator, played_episodes, replayed, small_config

pytestmark = pytest.mark.kernels

Values = Callable[[Observation], NDArray[np.float32]]


@pytest.fixture(scope="module")
def episodes() -> list[Episode]:
    """Games of several variants."""
    return played_episodes(Actor(MIXED, small_config(), games=16, seed=2), advances=400)


def rollouts_at(share: float) -> Rollouts:
    return new_rollouts(compile_rules(MIXED), most=16, plies=400, share=share)


def knowing(values: Values) -> Callable[[Observation], tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """An evaluator with such values."""
    return lambda observation: (np.zeros(observation.legal.shape, np.float32), values(observation))


def results(episodes: list[Episode]) -> dict[bytes, float]:
    """What each recorded position came to, for its seat to move, by what is seen of it."""
    found = {}
    for episode in episodes:
        for position in replayed(MIXED[episode.variant], episode)[:-1]:
            found[seen(position.observation(), 0)] = float(
                episode.result if position.to_play == 0 else -episode.result
            )
    return found


def seen(observation: Observation, row: int) -> bytes:
    """The stones and the rules, cut down to the board: the canvas is larger in a batch."""
    board = observation.planes[row, :, observation.planes[row].any(axis=(0, 2))]
    return np.argwhere(board).astype(np.int16).tobytes() + observation.rules[row].tobytes()


def fitted(episodes: list[Episode], values: Values, *, first: float = 0.5, times: int = 10) -> float:
    trust = RolloutTrust(MIXED, rollouts_at(first))
    random = np.random.default_rng(0)
    for _ in range(times):
        trust.fit(episodes, knowing(values), random)
    return trust.share


def test_before_any_game_the_share_is_the_first_one() -> None:
    assert RolloutTrust(MIXED, rollouts_at(0.3)).share == pytest.approx(0.3)


def test_a_network_that_knows_the_results_needs_no_playouts(episodes: list[Episode]) -> None:
    known = results(episodes)

    def perfect(observation: Observation) -> NDArray[np.float32]:
        return np.array([known[seen(observation, row)] for row in range(len(observation.rules))], np.float32)

    assert fitted(episodes, perfect) < 0.05
    assert fitted(episodes, lambda observation: -perfect(observation)) > 0.5


def test_the_share_is_that_of_least_squares(episodes: list[Episode]) -> None:
    """Playouts as `search` takes them, one position at a time; the regression by numpy."""
    own = [e for e in episodes if e.variant == 1][:6]
    config = SearchConfig(simulations=1, rollouts=16, rollout_share=1.0)
    rows = []
    for episode in own:
        for ply, position in enumerate(replayed(MIXED[1], episode)[:-1]):
            if episode.recorded[ply]:
                rows.append((position, episode.result if position.to_play == 0 else -episode.result))
    values = hashed_evaluator(games.observe([p for p, _ in rows]))[1].astype(float)
    played = np.array([leaf_value(position, config) for position, _ in rows])
    outcomes = np.array([outcome for _, outcome in rows], float)
    expected = np.linalg.lstsq((played - values)[:, None], outcomes - values, rcond=None)[0][0]
    trust = RolloutTrust([MIXED[1]], new_rollouts(compile_rules([MIXED[1]]), most=16, plies=400, share=0.5))
    alone = [e._replace(variant=0) for e in own]
    assert sum(int(e.recorded.sum()) for e in alone) <= 256
    for _ in range(200):
        trust.fit(alone, hashed_evaluator, np.random.default_rng(1))
    assert trust.share == pytest.approx(min(1.0, max(0.0, expected)), abs=1e-3)


def leaf_value(position: Position, config: SearchConfig) -> float:
    """The mean of a position's playouts, which a search with one simulation starts from."""
    from tests.mcts.trees import grow, roots

    tree = grow([position], hashed_evaluator, config)
    return float(tree.raw_value[roots(tree)[0]])


def test_what_was_fitted_is_restored(episodes: list[Episode]) -> None:
    one, other = (RolloutTrust(MIXED, rollouts_at(first)) for first in (0.5, 0.9))
    one.fit(episodes, hashed_evaluator, np.random.default_rng(0))
    other.restore(one.state())
    assert one.share == other.share
    for trust in (one, other):
        trust.fit(episodes, hashed_evaluator, np.random.default_rng(1))
    assert one.share == other.share


def test_without_a_recorded_position_nothing_changes() -> None:
    trust = RolloutTrust(MIXED, rollouts_at(0.4))
    trust.fit([], hashed_evaluator, np.random.default_rng(0))
    assert trust.share == pytest.approx(0.4)
