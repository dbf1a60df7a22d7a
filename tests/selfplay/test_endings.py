"""Where games are exact anyway, self-play searches little."""

from __future__ import annotations

import numpy as np
import pytest

import games
from selfplay.actor import Actor, Episode
from selfplay.config import TrainConfig
from selfplay.endings import Endings
from selfplay.kernels import NEVER, SIMULATIONS
from selfplay.loop import Training
from tests.selfplay.hashed import hashed_evaluator, played_episodes, small_config

TICTACTOE, CONNECT3 = games.load("tictactoe"), games.load("connect3-4x4")


def ended(exact: int, plies: int, variant: int = 0) -> Episode:
    """A game of so many plies that is exact from one of them on."""
    return Episode(
        variant=variant,
        actions=np.zeros(plies, np.int16),
        policy=np.zeros((plies, 11), np.float16),
        value=np.zeros(plies, np.float32),
        seat=np.zeros(plies, np.int8),
        recorded=np.ones(plies, np.bool_),
        surprise=np.zeros(plies, np.float32),
        result=0,
        exact=exact,
    )


def learned(*episodes: Episode) -> list[int]:
    endings = Endings(2)
    endings.learn(episodes)
    return endings.state()


def test_the_first_ply_from_which_nine_of_ten_games_are_exact() -> None:
    late, early = [ended(7, 9)] * 4, [ended(3, 9)] * 36
    assert learned(*late, *early) == [3, NEVER]
    assert learned(*late, *late, *early) == [7, NEVER]


def test_games_that_are_over_say_nothing_about_later_plies() -> None:
    short, long = [ended(2, 4)] * 200, [ended(6, 9)] * 20
    assert learned(*short, *long) == [2, NEVER]
    assert learned(*short[:100], *long) == [6, NEVER]


def test_no_ply_where_games_arent_exact_or_hardly_any_gets_so_far() -> None:
    assert learned(*[ended(9, 9)] * 40) == [NEVER, NEVER]
    assert learned(*[ended(4, 4)] * 31, *[ended(5, 9)] * 9) == [NEVER, NEVER]


def test_few_games_leave_what_was_known() -> None:
    endings = Endings(2)
    endings.learn([ended(3, 9)] * 30 + [ended(5, 9, variant=1)] * 30)
    endings.learn([ended(8, 9)] * 10 + [ended(6, 9, variant=1)] * 30)
    assert endings.state() == [3, 6]
    again = Endings(2)
    again.restore(endings.state())
    assert again.state() == [3, 6]


@pytest.mark.kernels
def test_from_there_on_a_search_is_short_and_no_target() -> None:
    variants = (TICTACTOE, CONNECT3)
    actor = Actor(variants, small_config(ending_simulations=2, opening_share=0), games=16, seed=3)
    actor.search_little_from(np.array([4, NEVER], np.int32))
    for episode in played_episodes(actor, advances=300):
        if episode.variant == 0:
            assert episode.recorded[:4].all()
            assert not episode.recorded[4:].any()
        else:
            assert episode.recorded.sum() >= len(episode.recorded) - 2  # the last moves may be forced


@pytest.mark.kernels
def test_what_it_saves() -> None:
    spent = []
    for first in (NEVER, 0):
        actor = Actor([CONNECT3], small_config(ending_simulations=1), games=16, seed=3)
        actor.search_little_from(np.array([first], np.int32))
        for _ in range(100):
            actor.advance(*hashed_evaluator(actor.observe()))
        spent.append(actor.counts[SIMULATIONS] / actor.counts[0])
    assert spent[1] <= 1
    assert spent[0] > 6


@pytest.mark.parametrize(("setting", "hurries"), [({}, True), ({"ending_simulations": 0}, False)])
def test_a_run_learns_it_from_its_games(setting: dict[str, int], hurries: bool) -> None:
    config = TrainConfig.model_validate(
        {
            "positions": 3000,
            "device": "cpu",
            "network": {"blocks": 1, "channels": 8},
            "selfplay": {"games": 32, "threads": 1, "advances": 128, "simulations": 8, **setting},
            "learner": {"first_positions": 100_000},
        }
    )
    training = Training(config, [TICTACTOE])
    training.iterate()
    assert (training.endings.first[0] < 9) == hurries
    assert (training.actors[0].plan.exact_from[0] < 9) == hurries
