"""Games with moving stones against OpenSpiel: legal whole moves, player, end and result after every move.

In Breakthrough and Clobber one action of OpenSpiel is a whole move, origin and target in one, and two of
ours. In Amazons it asks for the same three cells one by one.
"""

from __future__ import annotations

import random
import re

import pyspiel
import pytest

import games
from games.position import Position
from games.variant import Variant
from tests.games.parity import play_all, seeds, texts, walking_variant, whole_moves
from tests.games.test_openspiel import assert_same_ends, compare

pytestmark = pytest.mark.kernels

TextMove = tuple[str, ...]


def upside_down(cell: str, rows: int) -> str:
    """A cell's name on the board turned upside down; a name elsewhere is a name here."""
    return f"{cell[0]}{rows + 1 - int(cell[1:])}"


def moves_of(theirs: pyspiel.State, *, turned: int) -> dict[TextMove, int]:
    """OpenSpiel's actions by origin and target.

    Args:
        turned: the number of rows where OpenSpiel's first player is at the top; 0 where at the bottom.
    """
    moves = {}
    for action in theirs.legal_actions():
        cells = re.findall(r"[a-z]\d+", theirs.action_to_string(action))
        moves[tuple(upside_down(cell, turned) if turned else cell for cell in cells)] = action
    return moves


def compare_moving(variant: Variant, game: str, seed: int, *, turned: int = 0) -> None:
    """A random game in which OpenSpiel's actions are written origin first, then target."""
    chance = random.Random(seed)
    position, theirs = games.start(variant), pyspiel.load_game(game).new_initial_state()
    while not theirs.is_terminal():
        moves = moves_of(theirs, turned=turned)
        assert whole_moves(position) == set(moves), f"{position}\n{theirs}"
        move, action = chance.choice(sorted(moves.items()))
        position = play_all(position, move)
        theirs.apply_action(action)
        assert_same_ends(position, theirs)


@pytest.mark.parametrize(("rows", "columns"), [(3, 2), (4, 4), (5, 6), (6, 5), (7, 3), (8, 8), (9, 4)])
@pytest.mark.parametrize("misere", [False, True])
def test_breakthrough(rows: int, columns: int, misere: bool) -> None:
    """From 6 rows on OpenSpiel fills two rows with stones, else one; its first player is at the top."""
    variant = walking_variant(
        board={
            "rows": rows,
            "columns": columns,
            "setup": {"pattern": "rows", "depth": 2 if rows >= 6 else 1},
        },
        move={
            "kind": "step",
            "to_empty": ["forward", "forward-diagonal"],
            "to_enemy": ["forward-diagonal"],
        },
        end={"reach": {"first": "top", "second": "bottom"}, "eliminate": True, "misere": misere},
    )
    game = f"breakthrough(rows={rows},columns={columns})"
    for seed in seeds(0.15 if rows == 8 else 0.5):
        compare_moving(variant, f"misere(game={game})" if misere else game, seed, turned=rows)


@pytest.mark.parametrize(("rows", "columns"), [(2, 3), (2, 7), (4, 4), (5, 6), (7, 3), (8, 8)])
@pytest.mark.parametrize("misere", [False, True])
def test_clobber(rows: int, columns: int, misere: bool) -> None:
    variant = walking_variant(
        board={"rows": rows, "columns": columns, "setup": {"pattern": "checkerboard"}},
        move={"kind": "step", "to_enemy": ["orthogonal"]},
        end={"stuck": "loses", "misere": misere},
    )
    game = f"clobber(rows={rows},columns={columns})"
    for seed in seeds(0.15 if rows == 8 else 0.5):
        compare_moving(variant, f"misere(game={game})" if misere else game, seed)


AMAZONS = {
    6: (["a2", "f2", "b1", "e1"], ["a5", "f5", "b6", "e6"]),
    8: (["a3", "h3", "c1", "f1"], ["a6", "h6", "c8", "f8"]),
    10: (["a4", "j4", "d1", "g1"], ["a7", "j7", "d10", "g10"]),
}


@pytest.mark.parametrize("size", [6, 8, 10])
@pytest.mark.parametrize("misere", [False, True])
def test_amazons(size: int, misere: bool) -> None:
    """Choice by choice: the amazon, where it goes, what it shoots."""
    first, second = AMAZONS[size]
    variant = walking_variant(
        board={"rows": size, "columns": size, "setup": {"first": first, "second": second}},
        move={"kind": "slide", "to_empty": ["all"], "shoot": True},
        end={"stuck": "loses", "misere": misere},
    )
    game = f"amazons(board_size={size})"
    for seed in seeds(0.5):
        compare(variant, f"misere(game={game})" if misere else game, seed)


def draughts(size: int) -> Variant:
    """Checkers with men alone: three rows of them on the dark cells."""
    light = [f"{'abcdefghij'[c]}{r + 1}" for r in range(size) for c in range(size) if (r + c) % 2]
    return walking_variant(
        board={
            "rows": size,
            "columns": size,
            "setup": {"pattern": "rows", "depth": 3, "empty": light},
        },
        move={
            "kind": "step",
            "to_empty": ["forward-diagonal"],
            "over_enemy": ["forward-diagonal"],
            "chain": "any",
            "must_jump": True,
        },
        end={"stuck": "loses"},
    )


def steps_of(position: Position, jumping: str) -> set[TextMove]:
    """Single steps and jumps, origin and target; `jumping` is the man that has jumped and goes on, if any."""
    if jumping:
        return {(jumping, target) for target in texts(position)}
    return {(origin, target) for origin in texts(position) for target in texts(position.play_text(origin))}


@pytest.mark.parametrize("size", [8, 10])
def test_checkers_until_a_king(size: int) -> None:
    """Men must jump and jump on, as here; the first king ends the comparison, our language has none.

    OpenSpiel writes every jump with its origin; we choose the origin once.
    """
    for seed in seeds(0.5):
        chance = random.Random(seed)
        position = games.start(draughts(size))
        theirs = pyspiel.load_game(f"checkers(rows={size},columns={size})").new_initial_state()
        jumping, crowned = "", False
        while not theirs.is_terminal() and not crowned:
            assert_same_ends(position, theirs)
            moves = moves_of(theirs, turned=0)
            assert steps_of(position, jumping) == set(moves), f"{position}\n{theirs}"
            (origin, target), action = chance.choice(sorted(moves.items()))
            mover = theirs.current_player()
            position = play_all(position, (target,) if jumping else (origin, target))
            theirs.apply_action(action)
            jumping = target if theirs.current_player() == mover else ""
            crowned = target[1:] == str(1 if mover else size)
        if not crowned:
            assert_same_ends(position, theirs)
