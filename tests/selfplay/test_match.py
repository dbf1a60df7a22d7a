"""Matches between scripted players, counted by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

import games
from games import Position, Variant
from selfplay.match import Forfeit, Game, MatchResult, play_match
from selfplay.openings import draw_openings
from tests.selfplay.hashed import tictactoe_value

TICTACTOE = games.load("tictactoe")
START = games.start(TICTACTOE)


class Scripted:
    """A contestant whose answer to one position is a function."""

    name = "scripted"

    def __init__(self) -> None:
        self.asked: list[Position] = []
        self.calls: list[int] = []

    def choose_many(self, positions: Sequence[Position], /) -> list[int | Forfeit]:
        self.asked += positions
        self.calls.append(len(positions))
        return [self.answer(position) for position in positions]

    def answer(self, position: Position) -> int | Forfeit:
        """Lowest legal action: in tic-tac-toe whoever begins wins (a3 b3 c3 a2 b2 c2 a1)."""
        return int(position.legal_actions[0])

    def close(self) -> None:
        """Nothing to let go of."""


class Perfect(Scripted):
    """Plays what a solver of tic-tac-toe says."""

    def answer(self, position: Position) -> int:
        return max(position.legal_actions.tolist(), key=lambda a: -tictactoe_value(position.play(a)))


class Quitter(Scripted):
    """Gives up as soon as it is asked."""

    def answer(self, position: Position) -> Forfeit:  # noqa: ARG002
        return Forfeit("went home")


class Cheat(Scripted):
    """Takes the cell that the opponent has just taken."""

    def answer(self, position: Position) -> int:
        return position.actions[-1]


def result_of(*results: int) -> MatchResult:
    return MatchResult(tuple(Game(i // 2, 0, i % 2, START, result) for i, result in enumerate(results)))


# --- results ------------------------------------------------------------------------------------------------


def test_games_are_counted_for_the_first_player() -> None:
    result = result_of(1, 1, 0, -1, 1, 0)
    assert (result.wins, result.draws, result.losses) == (3, 2, 1)
    assert result.pair_points.tolist() == [1.0, 0.25, 0.75]
    assert result.points == pytest.approx(4 / 6)


def test_the_interval_adds_a_won_and_a_lost_opening() -> None:
    """By hand for the openings 1, 1/2: the trials 1, 1/2, 0, 1 have mean 0.625 and deviation 0.4787."""
    low, high = result_of(1, 1, 1, -1).interval
    half = 1.959964 * 0.4787136 / 2
    assert low == pytest.approx(0.625 - half, abs=1e-5)
    assert high == 1.0 == pytest.approx(min(1.0, 0.625 + half))


def test_a_clean_sweep_leaves_some_doubt() -> None:
    low, high = result_of(*[1] * 20).interval
    assert 0.6 < low < 0.9
    assert high == 1.0


# --- matches ------------------------------------------------------------------------------------------------


def test_seats_are_exchanged_within_an_opening() -> None:
    """The lowest cell against itself: the beginner always wins, so each wins one of two equal games."""
    result = play_match(Scripted(), Scripted(), [START] * 5)
    assert [game.result for game in result.games] == [1, -1] * 5
    assert [game.seat for game in result.games] == [0, 1] * 5
    assert [game.opening for game in result.games] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert result.distinct == 1


def test_the_result_is_the_first_players() -> None:
    """Nobody beats perfect play; the lowest cell loses against it, at least when it moves second."""
    better = play_match(Perfect(), Scripted(), [START])
    worse = play_match(Scripted(), Perfect(), [START])
    assert better.losses == worse.wins == 0
    assert better.wins == worse.losses > 0
    assert better.points == 1 - worse.points


@pytest.mark.parametrize("name", ["tictactoe", "connect6-9x9", "othello-6x6", "breakthrough-5x5"])
def test_each_player_is_asked_for_its_own_seat_only(name: str) -> None:
    """The two games of an opening begin alike; a player that is seat 0 in one is seat 1 in the other."""
    openings = draw_openings(games.load(name), 4, plies=2).positions
    first, second = Scripted(), Scripted()
    play_match(first, second, openings)
    for player in (first, second):
        seats: dict[tuple[int, ...], set[int]] = {opening.actions: set() for opening in openings}
        for position in player.asked:
            seats[next(start for start in seats if position.actions[: len(start)] == start)].add(
                position.to_play
            )
        assert all(both == {0, 1} for both in seats.values())


def test_players_are_asked_for_all_games_at_once() -> None:
    """Nine plies at most: no more than nine calls for forty games."""
    player = Scripted()
    play_match(player, Scripted(), [START] * 20)
    assert len(player.calls) <= 9
    assert player.calls[0] == 20


def test_plies_of_the_openings_count_as_nobodys() -> None:
    after_one = START.play_text("a3")
    result = play_match(Scripted(), Scripted(), [after_one])
    assert result.plies == sum(game.position.ply for game in result.games) - 2


def test_progress_ends_at_one() -> None:
    told: list[float] = []
    play_match(Scripted(), Scripted(), [START] * 4, progress=told.append)
    assert told[-1] == 1.0
    assert all(0 <= share <= 1 for share in told)


# --- players that can't go on -------------------------------------------------------------------------------


def test_who_gives_up_loses_and_the_match_goes_on() -> None:
    result = play_match(Quitter(), Scripted(), [START] * 3)
    assert result.losses == 6
    assert result.forfeits == ({"went home": 6}, {})


def test_an_illegal_move_loses() -> None:
    result = play_match(Scripted(), Cheat(), [START.play_text("b2")])
    assert result.wins == 2
    assert result.forfeits == ({}, {"illegal move a3": 1, "illegal move b2": 1})


# --- openings -----------------------------------------------------------------------------------------------


def test_openings_differ_even_by_symmetry() -> None:
    """Tic-tac-toe has twelve positions after two plies, three first moves' replies up to symmetry."""
    openings = draw_openings(TICTACTOE, 12, plies=2)
    assert openings.distinct == 12
    pictures = set()
    for position in openings.positions:
        board = position.state.cells[0].reshape(3, 3)
        images = [np.rot90(b, k).tobytes() for b in (board, board.T) for k in range(4)]
        pictures.add(min(images))
    assert len(pictures) == 12


def test_openings_come_round_again_where_there_are_too_few() -> None:
    openings = draw_openings(TICTACTOE, 30, plies=2)
    assert openings.distinct == 12
    assert len(openings.positions) == 30
    assert openings.positions[:12] == openings.positions[12:24]


def test_even_openings_are_preferred() -> None:
    """Gomoku's stones on the first plies hardly matter, but in tic-tac-toe half of all replies lose."""
    openings = draw_openings(TICTACTOE, 4, plies=2)
    values = [tictactoe_value(position) for position in openings.positions]
    assert values == [0, 0, 0, 0]


def test_by_default_openings_grow_until_there_are_enough() -> None:
    openings = draw_openings(games.load("connect4"), 60)
    assert openings.distinct == 60
    assert 3 <= openings.plies <= 5  # 7^3 sequences halve by symmetry: 240 candidates need a third ply


def test_equal_seeds_draw_equal_openings() -> None:
    one, again, other = (draw_openings(games.load("connect4"), 10, seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one.positions != other.positions


@pytest.mark.parametrize("name", ["breakthrough-5x5", "amazons-6x6", "connect6-9x9"])
def test_openings_are_moves_made_to_the_end(name: str) -> None:
    for position in draw_openings(games.load(name), 6, plies=2).positions:
        assert not position.is_over
        assert not position.is_half_made


@pytest.mark.parametrize("variant", [TICTACTOE, games.load("connect3-4x4")], ids=lambda v: v.name)
def test_openings_longer_than_any_game_are_refused(variant: Variant) -> None:
    """Instead of being looked for for ever."""
    plies = variant.ply_cap
    with pytest.raises(games.UserError, match=f"expected openings shorter than a game, got {plies} plies"):
        draw_openings(variant, 1, plies=plies)
