"""Matches between scripted players, counted by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

import games
from games import Position, Variant
from selfplay.match import MatchResult, play_match, random_opening
from tests.selfplay.hashed import tictactoe_value

TICTACTOE = games.load("tictactoe")


class Lowest:
    """Plays the first legal action: in tic-tac-toe whoever begins wins (a3 b3 c3 a2 b2 c2 a1)."""

    def __init__(self) -> None:
        self.asked: list[Position] = []

    def choose_many(self, positions: Sequence[Position], /) -> list[int]:
        self.asked += positions
        return [int(position.legal_actions[0]) for position in positions]


class Perfect:
    """Plays what a solver of tic-tac-toe says."""

    def choose_many(self, positions: Sequence[Position], /) -> list[int]:
        return [max(p.legal_actions.tolist(), key=lambda a: -tictactoe_value(p.play(a))) for p in positions]


# --- results ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wins", "draws", "losses", "points", "error"),
    [
        (1, 0, 1, 0.5, math.sqrt(0.25 / 2)),
        (4, 0, 0, 1.0, 0.0),
        (0, 8, 0, 0.5, 0.0),
        (3, 2, 5, 0.4, math.sqrt((3 * 0.36 + 2 * 0.01 + 5 * 0.16) / 10 / 10)),
    ],
)
def test_points_and_standard_error(wins: int, draws: int, losses: int, points: float, error: float) -> None:
    """The error by its definition: mean squared deviation of a game's points, over the number of games."""
    result = MatchResult(wins, draws, losses, distinct=1)
    assert result.games == wins + draws + losses
    assert result.points == pytest.approx(points)
    assert result.standard_error == pytest.approx(error)


# --- matches ------------------------------------------------------------------------------------------------


def test_seats_are_exchanged_within_a_pair() -> None:
    """Lowest against itself: the beginner always wins, so each wins one of a pair's two equal games."""
    result = play_match(TICTACTOE, Lowest(), Lowest(), games=10, opening_plies=0, seed=0)
    assert result == MatchResult(wins=5, draws=0, losses=5, distinct=1)


def test_odd_numbers_are_rounded_up_to_pairs() -> None:
    assert play_match(TICTACTOE, Lowest(), Lowest(), games=5, opening_plies=0, seed=0).games == 6


def test_the_result_is_the_first_players() -> None:
    """Nobody beats perfect play; the lowest cell loses against it, at least when it moves second."""
    better = play_match(TICTACTOE, Perfect(), Lowest(), games=2, opening_plies=0, seed=0)
    worse = play_match(TICTACTOE, Lowest(), Perfect(), games=2, opening_plies=0, seed=0)
    assert better.losses == worse.wins == 0
    assert better.wins == worse.losses > 0
    assert better.points == 1 - worse.points


@pytest.mark.parametrize("name", ["tictactoe", "connect6-9x9", "othello-6x6"])
def test_each_player_is_asked_for_its_own_seat_only(name: str) -> None:
    """A pair's games begin with one opening; a player that is seat 0 in one is seat 1 in the other."""
    first, second = Lowest(), Lowest()
    play_match(games.load(name), first, second, games=8, opening_plies=3, seed=1)
    for player in (first, second):
        openings: dict[tuple[int, ...], set[int]] = {}
        for position in player.asked:
            openings.setdefault(position.actions[:3], set()).add(position.to_play)
        assert len(openings) == 4
        assert all(seats == {0, 1} for seats in openings.values())
        assert all(position.ply >= 3 for position in player.asked)
    assert {p.actions[:3] for p in first.asked} == {p.actions[:3] for p in second.asked}


def test_players_are_asked_for_all_games_at_once() -> None:
    """Nine plies at most: no more than five calls a player and one for the others."""
    calls = []

    class Counting(Lowest):
        def choose_many(self, positions: Sequence[Position], /) -> list[int]:
            calls.append(len(positions))
            return super().choose_many(positions)

    play_match(TICTACTOE, Counting(), Lowest(), games=40, opening_plies=0, seed=0)
    assert len(calls) <= 9
    assert calls[0] == 20


def test_different_openings_make_different_games() -> None:
    """From 9 cells on 1 ply: at most 9 different games, as the players don't vary."""
    result = play_match(TICTACTOE, Lowest(), Lowest(), games=200, opening_plies=1, seed=3)
    assert result.distinct == 9
    assert play_match(TICTACTOE, Lowest(), Lowest(), games=2, opening_plies=1, seed=3).distinct == 1


def test_equal_seeds_give_equal_matches() -> None:
    one, again = (
        play_match(TICTACTOE, Lowest(), Perfect(), games=8, opening_plies=2, seed=4) for _ in range(2)
    )
    assert one == again


# --- openings -----------------------------------------------------------------------------------------------


def test_openings_are_legal_unfinished_and_as_long_as_asked() -> None:
    rng = np.random.default_rng(5)
    for plies in range(9):
        opening = random_opening(TICTACTOE, plies, rng)
        assert opening.ply == plies
        assert not opening.is_over
        position = games.start(TICTACTOE)
        for action in opening.actions:
            position = position.play(action)
        assert position == opening


@pytest.mark.parametrize("variant", [TICTACTOE, games.load("connect3-4x4")], ids=lambda v: v.name)
def test_openings_longer_than_any_game_are_refused(variant: Variant) -> None:
    """Instead of being looked for for ever."""
    plies = variant.ply_cap
    with pytest.raises(games.UserError, match=f"^{variant.name}: expected .* got {plies}$"):
        random_opening(variant, plies, np.random.default_rng(6))
