"""Games put right by the solver, against minimax written down plainly."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import games
from games import Position, Variant
from selfplay.actor import Actor, Episode
from selfplay.rescoring import Rescorer
from selfplay.run import pack_episodes, unpack_episodes
from tests.games.drawings import variant
from tests.selfplay.hashed import played_episodes, replayed, small_config

pytestmark = pytest.mark.kernels

TICTACTOE = games.load("tictactoe")
MISERE = variant("""
    name = "misere-3x3-swap"
    board = { rows = 3, columns = 3 }
    turn = { swap = true }
    end = { line = 3, misere = true }
""")
RULES = (TICTACTOE, games.load("hexapawn"), MISERE)
ENOUGH = 10**6


@cache
def minimax(position: Position) -> int:
    """The value to play."""
    if position.is_over:
        return position.returns[position.to_play]
    return max(action_values(position).values())


def action_values(position: Position) -> dict[int, int]:
    found = {}
    for action in position.legal_actions.tolist():
        after = position.play(action)
        found[action] = minimax(after) * (1 if after.to_play == position.to_play else -1)
    return found


@pytest.fixture(scope="module")
def episodes() -> list[Episode]:
    """Their ends are hurried, so that plies aren't recorded which only the solver can teach."""
    actor = Actor(RULES, small_config(), games=16, seed=3)
    actor.search_little_from(np.full(len(RULES), 5, np.int32))
    return played_episodes(actor, advances=400)


def of(episode: Episode) -> tuple[Variant, list[Position]]:
    rules = RULES[episode.variant]
    return rules, replayed(rules, episode)[:-1]


def test_with_nodes_enough_everything_is_exact(episodes: list[Episode]) -> None:
    rescorer, mistakes = Rescorer(RULES, ENOUGH), 0
    assert {e.variant for e in episodes} == {0, 1, 2}
    for episode in episodes[:60]:
        exact = rescorer.rescored(episode)
        assert exact.exact == 0
        for ply, position in enumerate(of(episode)[1]):
            assert exact.outcome(ply) == exact.value[ply] == minimax(position)
            mistakes += exact.outcome(ply) != episode.outcome(ply)
            assert exact.recorded[ply] == episode.recorded[ply]
            if exact.recorded[ply]:
                best = {a for a, value in action_values(position).items() if value == minimax(position)}
                assert set(np.flatnonzero(exact.policy[ply]).tolist()) <= best
                assert exact.policy[ply].sum() == pytest.approx(1, abs=2e-3)
            else:
                assert not exact.policy[ply].any()
    assert mistakes > 0


def test_with_few_nodes_the_end_is_exact_and_the_rest_learns_from_it(episodes: list[Episode]) -> None:
    rescorer, partly = Rescorer(RULES, 3), 0
    for episode in episodes[:60]:
        found = rescorer.rescored(episode)
        positions = of(episode)[1]
        for ply, position in enumerate(positions):
            if ply >= found.exact:
                assert found.value[ply] == minimax(position)
            else:
                known = (
                    minimax(positions[found.exact]) * (1 if positions[found.exact].to_play == 0 else -1)
                    if found.exact < len(positions)
                    else episode.result
                )
                assert found.outcome(ply) == known * (1 if position.to_play == 0 else -1)
                assert found.value[ply] == episode.value[ply]
                assert found.recorded[ply] == episode.recorded[ply]
                np.testing.assert_array_equal(found.policy[ply], episode.policy[ply])
        partly += 0 < found.exact < len(positions)
        np.testing.assert_array_equal(found.actions, episode.actions)
        assert found.result == episode.result
    assert partly > 10


def test_what_a_policy_keeps_is_in_proportion(episodes: list[Episode]) -> None:
    for episode in episodes[:20]:
        found = Rescorer(RULES, ENOUGH).rescored(episode)
        for ply in np.flatnonzero(episode.recorded).tolist():
            kept = np.flatnonzero(found.policy[ply])
            before = episode.policy[ply, kept].astype(float)
            if before.any():
                np.testing.assert_allclose(
                    found.policy[ply, kept].astype(float), before / before.sum(), atol=2e-3
                )
            else:
                assert len(set(found.policy[ply, kept].tolist())) == 1


def test_all_that_is_exact_is_a_target_if_asked_for(episodes: list[Episode]) -> None:
    """Whether the game had searched there or not; what isn't exact is one as before."""
    rescorer, more = Rescorer(RULES, 3, every_exact=True), 0
    for episode in episodes[:60]:
        found = rescorer.rescored(episode)
        for ply, position in enumerate(of(episode)[1]):
            if ply < found.exact:
                assert found.recorded[ply] == episode.recorded[ply]
                continue
            assert found.recorded[ply] == (len(position.legal_actions) > 1)
            if found.recorded[ply] and not episode.recorded[ply]:
                best = [a for a, value in action_values(position).items() if value == minimax(position)]
                assert np.flatnonzero(found.policy[ply]).tolist() == sorted(best)
                np.testing.assert_allclose(found.policy[ply, best].astype(float), 1 / len(best), atol=1e-3)
                more += 1
    assert more > 10


def test_only_what_is_exact_is_a_target_if_asked_for(episodes: list[Episode]) -> None:
    """All of it, whether the game had searched there or not, with the best moves alike."""
    rescorer, more = Rescorer(RULES, 3, exact_only=True), 0
    for episode in episodes[:60]:
        found = rescorer.rescored(episode)
        for ply, position in enumerate(of(episode)[1]):
            assert found.recorded[ply] == (ply >= found.exact)
            if found.recorded[ply]:
                best = [a for a, value in action_values(position).items() if value == minimax(position)]
                assert np.flatnonzero(found.policy[ply]).tolist() == sorted(best)
                np.testing.assert_allclose(found.policy[ply, best].astype(float), 1 / len(best), atol=1e-3)
                even = len(position.legal_actions) / len(best)
                assert found.surprise[ply] == pytest.approx(np.log(even), abs=1e-5)
                more += not episode.recorded[ply]
    assert more > 10


def test_a_game_comes_out_the_same_whatever_was_put_right_before(episodes: list[Episode]) -> None:
    """Or a resumed run would differ from one that was never interrupted."""
    used = Rescorer(RULES, 3)
    for episode in episodes[:30]:
        one, other = used.rescored(episode), Rescorer(RULES, 3).rescored(episode)
        assert one.exact == other.exact
        np.testing.assert_array_equal(one.value, other.value)
        np.testing.assert_array_equal(one.policy, other.policy)


def test_without_nodes_nothing_changes(episodes: list[Episode]) -> None:
    assert Rescorer(RULES, 0).rescored(episodes[0]) is episodes[0]


def test_what_is_exact_is_kept_on_disk(episodes: list[Episode]) -> None:
    found = [Rescorer(RULES, 3).rescored(episode) for episode in episodes[:10]]
    assert [e.exact for e in unpack_episodes(pack_episodes(found))] == [e.exact for e in found]
