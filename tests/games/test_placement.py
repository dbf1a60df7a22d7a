"""Positions that were set up: as those that play reaches, and refused where no game can go on."""

from __future__ import annotations

import numpy as np
import pytest

import games
from games import Position, PositionError, Variant
from games.rules import FIRST, HOLE, KO_RULE, REPEAT, SECOND, STONES, SUPERKO
from games.state import COLOUR, KO, PASSES, STATUS, STONES_LEFT
from tests.games.drawings import played, variant

pytestmark = pytest.mark.kernels

HISTORY_MATTERS = (KO_RULE, SUPERKO)


def stones(position: Position) -> list[int]:
    return [int(content) for content in position.state.cells[0]]


def again(position: Position) -> Position:
    return games.set_up(position.variant, stones(position), to_play=position.colour_to_move)


def is_ordinary(position: Position) -> bool:
    """Whether a position is all that its stones say: a turn begins, and nothing else is remembered."""
    info, flags = position.state.info[0], position.rules.flags[0]
    begins = not position.is_half_made and info[STONES_LEFT] == flags[STONES]
    moves = position.legal_actions.tolist() != [games.pass_action(position.variant)]
    may_swap = position.legal_mask[games.swap_action(position.variant)]
    return bool(
        begins and moves and not may_swap and info[KO] < 0 and not info[PASSES] and not any(position.captured)
    )


def reached_by_play(rules: Variant, plies: int, rng: np.random.Generator) -> Position | None:
    """An ordinary position after random moves, with as many plies as are asked for or fewer."""
    position, last = games.start(rules), None
    while not position.is_over and position.ply <= plies:
        if position.ply and is_ordinary(position):
            last = position
        position = position.play(int(rng.choice(position.legal_actions)))
    return last


@pytest.mark.parametrize("name", games.names())
def test_a_position_goes_on_as_one_that_was_reached_by_play(name: str) -> None:
    rules, rng = games.load(name), np.random.default_rng(7)
    for plies in (4, 15):
        one = reached_by_play(rules, plies, rng)
        if one is None or one.rules.flags[0, REPEAT] in HISTORY_MATTERS:
            continue
        other = again(one)
        far = rules.ply_cap - max(one.ply, other.ply)
        for _ in range(far - 1):
            assert stones(one) == stones(other)
            assert one.state.info[0, COLOUR] == other.state.info[0, COLOUR]
            assert one.legal_actions.tolist() == other.legal_actions.tolist()
            assert one.is_over == other.is_over
            if one.is_over:
                assert one.state.info[0, STATUS] == other.state.info[0, STATUS]
                break
            action = int(rng.choice(one.legal_actions))
            one, other = one.play(action), other.play(action)


@pytest.mark.parametrize("name", games.names())
def test_the_start_can_be_set_up(name: str) -> None:
    first = games.start(games.load(name))
    same = again(first)
    swap = games.swap_action(first.variant)
    assert same.legal_actions.tolist() == first.legal_actions.tolist()
    assert not same.legal_mask[swap]
    for one, other in zip(first.state[2:6], same.state[2:6], strict=True):
        np.testing.assert_array_equal(one, other)


def test_superko_counts_the_board_that_was_set_up() -> None:
    """A stone is taken in a corner ko; taking back would repeat the board that was set up."""
    rules = variant("""
        board = { rows = 3, columns = 4 }
        effect = { surround = true }
        turn = { passing = "always", repeat = "superko" }
        end = { count = "area" }
    """)
    drawn = """
        .xo.
        xo.o
        .xo.
    """
    contents = {".": 0, "x": FIRST, "o": SECOND}
    cells = [contents[mark] for line in drawn.split() for mark in line]
    position = games.set_up(rules, cells, to_play=0)
    taken = position.play_text("c2")
    assert stones(taken)[5] == 0
    assert "b2" not in {taken.action_text(action) for action in taken.legal_actions}


def test_the_way_back_leads_to_the_stones() -> None:
    rules = games.load("tictactoe")
    position = games.set_up(rules, {0: FIRST, 4: SECOND}, to_play=0).play_text("c1").play_text("a1")
    first = games.beginning(position)
    assert stones(first) == [1, 0, 0, 0, 2, 0, 0, 0, 0]
    for action in position.actions:
        first = first.play(action)
    assert first == position
    assert games.beginning(played(rules, "a1 b2")) == games.start(rules)


def test_cells_that_were_shot_are_gone() -> None:
    rules = games.load("amazons-5x5")
    cells = stones(games.start(rules))
    shot = [cell for cell, content in enumerate(cells) if not content][:5]
    position = games.set_up(rules, [HOLE if cell in shot else c for cell, c in enumerate(cells)], to_play=1)
    assert not set(shot) & set(position.play(position.legal_actions[0]).legal_actions.tolist())


FLOATING = {0: FIRST}
LINE = dict.fromkeys((0, 1, 2), FIRST)
FULL_DRAW = [1, 2, 1, 1, 2, 2, 2, 1, 1]


@pytest.mark.parametrize(
    ("name", "cells", "line"),
    [
        ("tictactoe", [0] * 8, "expected 9 cells, got 8"),
        ("tictactoe", {9: FIRST}, "expected cells from 0 to 8, got 9"),
        ("tictactoe", {0: 7}, "tictactoe: a3: expected 0 to 3 .* got 7"),
        ("tictactoe", {0: HOLE}, "a3: expected a cell of the board, got a hole"),
        ("tictactoe", LINE, "the stone on a3 has reached a goal"),
        ("tictactoe", FULL_DRAW, "with these stones it is over"),
        ("connect4", FLOATING, "a6: expected a stone that gravity holds"),
        ("connect4-holes", {25: FIRST}, "expected stones on the board"),
        ("othello", {0: FIRST}, "expected the stone of the start"),
        ("hex-3", dict.fromkeys((1, 4, 7), FIRST), "has reached a goal"),
        ("havannah-4", dict.fromkeys((17, 18, 23, 25, 30, 31), FIRST), "has reached a goal"),
        ("breakthrough-5x5", {2: FIRST, 10: SECOND}, "the stone on c5 has reached a goal"),
        ("breakthrough-5x5", {12: FIRST}, "got none of the second"),
        (
            "breakthrough-5x5",
            dict.fromkeys(range(5, 20), FIRST),
            "at most 10 stones of the first colour, got 15",
        ),
        ("go-5", dict.fromkeys(range(25), FIRST), "touches none"),
        ("clobber-4x5", {0: FIRST, 19: SECOND}, "it is over"),
    ],
)
def test_no_game_goes_on_from_there(name: str, cells: dict[int, int] | list[int], line: str) -> None:
    with pytest.raises(PositionError, match=line) as refusal:
        games.set_up(games.load(name), cells, to_play=0)
    assert "\n" not in str(refusal.value)
    assert name in str(refusal.value)


def test_seats_are_two() -> None:
    with pytest.raises(PositionError, match="expected seat 0 or 1 to play, got 2"):
        games.set_up(games.load("tictactoe"), {}, to_play=2)
