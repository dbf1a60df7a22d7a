"""What playouts count beside a network, in games whose results are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

import games
from games import Observation, Position
from games.compiler import compile_rules
from games.encoding import PLANES
from mcts import SearchConfig
from mcts.config import ROLLOUT_PLIES
from mcts.rollout_kernels import Rollouts, new_rollouts
from selfplay.actor import Actor, Episode
from selfplay.sight import look, understands
from selfplay.trust import RolloutTrust, judge
from tests.mcts.trees import grow, roots
from tests.selfplay.hashed import MIXED, hashed_evaluator, played_episodes, replayed, small_config

pytestmark = pytest.mark.kernels

Values = Callable[[Observation], NDArray[np.float32]]


@pytest.fixture(scope="module")
def episodes() -> list[Episode]:
    """Games of several variants."""
    return played_episodes(Actor(MIXED, small_config(), games=16, seed=2), advances=400)


def rollouts() -> Rollouts:
    return new_rollouts(compile_rules(MIXED), most=16, plies=ROLLOUT_PLIES, share=0.5)


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


def fitted(episodes: list[Episode], values: Values) -> float:
    trust = RolloutTrust(0.5)
    random = np.random.default_rng(0)
    for _ in range(10):
        trust.learn(judge(MIXED, rollouts(), episodes, knowing(values), random))
    return trust.share


def test_before_any_game_the_share_is_the_first_one() -> None:
    assert RolloutTrust(0.3).share == pytest.approx(0.3)


def test_a_network_that_knows_the_results_needs_no_playouts(episodes: list[Episode]) -> None:
    known = results(episodes)

    def perfect(observation: Observation) -> NDArray[np.float32]:
        return np.array([known[seen(observation, row)] for row in range(len(observation.rules))], np.float32)

    assert fitted(episodes, perfect) == 0.0
    assert fitted(episodes, lambda observation: -perfect(observation)) > 0.5


def test_what_is_judged_is_what_a_search_sees(episodes: list[Episode]) -> None:
    """Playouts as `search` takes them, position by position; values by the evaluator; results as replayed."""
    own = [e for e in episodes if e.variant == 1][:6]
    expected = []
    for episode in own:
        for ply, position in enumerate(replayed(MIXED[1], episode)[:-1]):
            if episode.recorded[ply]:
                value = float(hashed_evaluator(position.observation())[1][0])
                outcome = episode.result if position.to_play == 0 else -episode.result
                expected.append((value, playouts(position), outcome))
    assert len(expected) <= 256
    found = judge(MIXED, rollouts(), own, hashed_evaluator, np.random.default_rng(1))
    np.testing.assert_allclose(sorted(zip(*found, strict=True)), sorted(expected), atol=1e-6)


def playouts(position: Position) -> float:
    """The mean of a position's playouts, which a search with one simulation starts from."""
    config = SearchConfig(simulations=1, rollouts=16, rollout_share=1.0)
    tree = grow([position], hashed_evaluator, config)
    return float(tree.raw_value[roots(tree)[0]])


def test_the_share_is_that_of_least_squares(episodes: list[Episode]) -> None:
    """Of an evaluator that knows something."""
    judged = judge(MIXED, rollouts(), episodes, hashed_evaluator, np.random.default_rng(1))
    judged = judged._replace(values=0.4 * judged.values + 0.1 * judged.outcomes)
    values, played, outcomes = judged
    expected = np.linalg.lstsq((played - values)[:, None], outcomes - values, rcond=None)[0][0]
    assert 0.0 < expected < 1.0
    trust = RolloutTrust(0.5)
    for _ in range(200):
        trust.learn(judged)
    assert trust.share == pytest.approx(expected, abs=1e-3)


def test_what_was_learned_is_restored(episodes: list[Episode]) -> None:
    judged = judge(MIXED, rollouts(), episodes, hashed_evaluator, np.random.default_rng(1))
    one, other = RolloutTrust(0.5), RolloutTrust(0.9)
    one.learn(judged)
    other.restore(one.state())
    assert one.share == other.share
    for trust in (one, other):
        trust.learn(judged)
    assert one.share == other.share


def test_without_a_recorded_position_nothing_changes() -> None:
    trust = RolloutTrust(0.4)
    trust.learn(judge(MIXED, rollouts(), [], hashed_evaluator, np.random.default_rng(0)))
    assert trust.share == pytest.approx(0.4)


def test_values_that_run_against_the_results_are_not_understood(episodes: list[Episode]) -> None:
    judged = judge(MIXED, rollouts(), episodes, hashed_evaluator, np.random.default_rng(1))
    for sign in (1.0, -1.0):
        assert understands(judged._replace(values=sign * judged.outcomes)) is (sign > 0)
    assert understands(judged._replace(outcomes=np.ones_like(judged.outcomes)))
    assert understands(judged._replace(values=np.zeros_like(judged.values)))


def test_a_look_tells_an_evaluator_from_its_opposite() -> None:
    """Of Tic-tac-toe, by an evaluator that has looked at every game."""

    def knows(sign: float) -> Callable[[Observation], tuple[NDArray[np.float32], NDArray[np.float32]]]:
        def values(observation: Observation) -> NDArray[np.float32]:
            own, other = (observation.planes[:, PLANES.index(name)] for name in ("own", "opponent"))
            lines = [line_count(own[row]) - line_count(other[row]) for row in range(len(own))]
            return sign * np.tanh(np.array(lines, np.float32))

        return knowing(values)

    tictactoe = games.load("tictactoe")
    right, wrong = (look(tictactoe, knows(sign), seed=1) for sign in (1.0, -1.0))
    assert (right.understood, wrong.understood) == (True, False)
    assert all(0.0 <= sight.share <= 1.0 for sight in (right, wrong))
    assert right == look(tictactoe, knows(1.0), seed=1)


def line_count(stones: NDArray[np.float32]) -> float:
    """How far lines are filled, longer ones counting more: who has more of it wins more often."""
    lines = [*stones, *stones.T, np.diag(stones), np.diag(stones[:, ::-1])]
    return float(sum(line.sum() ** 2 for line in lines)) / 8
