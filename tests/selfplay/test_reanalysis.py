"""Games searched again, against the search itself."""

from __future__ import annotations

import numpy as np
import pytest

from games.compiler import canvas_size, compile_rules
from mcts import search
from mcts.search import policy_value_to_play
from selfplay.actor import Actor, Episode
from selfplay.reanalysis import BATCH, reanalysed
from tests.selfplay.hashed import (
    MIXED,
    hashed_evaluator,
    played_episodes,
    quiet_search,
    replayed,
    same_episode,
    small_config,
)

pytestmark = pytest.mark.kernels

VARIANTS = MIXED[:3]


@pytest.fixture(scope="module")
def episodes() -> list[Episode]:
    config = small_config(full_share=0.5, simulations=4, fast_simulations=2)
    found = played_episodes(Actor(VARIANTS, config, games=16, seed=6), advances=500)
    found = [episode for episode in found if episode.recorded.sum() > 2][:40]
    assert {episode.variant for episode in found} == {0, 1, 2}
    return found


def again(episodes: list[Episode], *, seed: int = 0) -> list[Episode]:
    rules, canvas = compile_rules(VARIANTS), canvas_size(VARIANTS)
    return reanalysed(rules, canvas, episodes, hashed_evaluator, quiet_search(12), seed=seed)


def test_policies_and_values_are_those_of_a_search_of_each_position(episodes: list[Episode]) -> None:
    """Of different variants side by side, and in more than one batch."""
    assert sum(int(e.recorded.sum()) for e in episodes) > BATCH
    for old, new in zip(episodes, again(episodes), strict=True):
        recorded = np.flatnonzero(old.recorded)
        positions = replayed(VARIANTS[old.variant], old)
        result = search([positions[ply] for ply in recorded], hashed_evaluator, quiet_search(12))
        np.testing.assert_array_equal(new.policy[recorded], result.policy.astype(np.float16))
        np.testing.assert_array_equal(new.value[recorded], policy_value_to_play(result))
        others = np.flatnonzero(~old.recorded)
        np.testing.assert_array_equal(new.policy[others], old.policy[others])
        np.testing.assert_array_equal(new.value[others], old.value[others])
        kept = old._replace(policy=new.policy, value=new.value)
        assert same_episode(new, kept)


def test_the_recorded_games_themselves_stay_as_they_are(episodes: list[Episode]) -> None:
    copies = [e._replace(policy=e.policy.copy(), value=e.value.copy()) for e in episodes]
    new = again(episodes)
    assert all(same_episode(a, b) for a, b in zip(episodes, copies, strict=True))
    assert not any(same_episode(a, b) for a, b in zip(episodes, new, strict=True))


def test_exact_ends_stay_exact(episodes: list[Episode]) -> None:
    half = [episode._replace(exact=len(episode.actions) // 2) for episode in episodes]
    for old, new in zip(half, again(half), strict=True):
        np.testing.assert_array_equal(new.policy[old.exact :], old.policy[old.exact :])
        np.testing.assert_array_equal(new.value[old.exact :], old.value[old.exact :])


def test_no_games_no_searches() -> None:
    assert again([]) == []
