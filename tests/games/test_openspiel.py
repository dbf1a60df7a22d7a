"""DeepMind's OpenSpiel plays the same games: legal actions, player and result agree after every move.

Here stones are only placed; `test_openspiel_moving` has stones that move, `test_openspiel_go` go.
OpenSpiel numbers cells row by row from the top, as we do; its first player connects top and bottom in Hex.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pyspiel
import pytest

import games
from games.position import Position
from games.variant import Variant
from tests.games.parity import board_variant, legal, seeds

pytestmark = pytest.mark.kernels

Cells = Callable[[int], int]
"""Our action for an action of OpenSpiel."""

TOP_TO_BOTTOM = {"first": ["top", "bottom"], "second": ["left", "right"]}


def assert_same_ends(position: Position, theirs: pyspiel.State) -> None:
    assert position.is_over == theirs.is_terminal(), f"{position}\n{theirs}"
    assert list(position.returns) == theirs.returns(), f"{position}\n{theirs}"
    if not position.is_over:
        assert position.to_play == theirs.current_player(), f"{position}\n{theirs}"


def compare(variant: Variant, game: str, seed: int, ours: Cells = int) -> None:
    """A random game; `ours` says which of our actions one of OpenSpiel's is."""
    chance = random.Random(seed)
    position, theirs = games.start(variant), pyspiel.load_game(game).new_initial_state()
    while not theirs.is_terminal():
        actions = theirs.legal_actions()
        assert legal(position) == sorted(map(ours, actions)), f"{position}\n{theirs}"
        action = chance.choice(actions)
        position = position.play(ours(action))
        theirs.apply_action(action)
        assert_same_ends(position, theirs)


def compare_dropping(variant: Variant, game: str, seed: int) -> None:
    """A random game in which OpenSpiel's actions are columns."""
    chance = random.Random(seed)
    position, theirs = games.start(variant), pyspiel.load_game(game).new_initial_state()
    while not theirs.is_terminal():
        columns = {action % variant.board.columns: action for action in legal(position)}
        assert sorted(columns) == theirs.legal_actions(), f"{position}\n{theirs}"
        column = chance.choice(theirs.legal_actions())
        position = position.play(columns[column])
        theirs.apply_action(column)
        assert_same_ends(position, theirs)


def compare_swapping(
    variant: Variant, game: str, seed: int, *, swap: Cells, before: Cells, after: Cells
) -> None:
    """A random game that begins with a stone and a swap.

    Args:
        swap: OpenSpiel's action that takes over its first stone.
        before: our action for OpenSpiel's first one; after: for those after the swap.
    """
    chance = random.Random(seed)
    position, theirs = games.start(variant), pyspiel.load_game(game).new_initial_state()
    stone = chance.choice(theirs.legal_actions())
    theirs.apply_action(stone)
    position = position.play(before(stone))
    assert len(legal(position)) == len(theirs.legal_actions())
    theirs.apply_action(swap(stone))
    position = position.play_text("swap")
    while not theirs.is_terminal():
        assert_same_ends(position, theirs)
        assert legal(position) == sorted(map(after, theirs.legal_actions())), f"{position}\n{theirs}"
        action = chance.choice(theirs.legal_actions())
        position = position.play(after(action))
        theirs.apply_action(action)
    assert_same_ends(position, theirs)


# --- lines --------------------------------------------------------------------------------------------------


def test_tic_tac_toe() -> None:
    for seed in seeds():
        compare(games.load("tictactoe"), "tic_tac_toe", seed)


def test_misere_tic_tac_toe() -> None:
    for seed in seeds():
        compare(games.load("tictactoe-misere"), "misere(game=tic_tac_toe())", seed)


@pytest.mark.parametrize(("rows", "columns", "line"), [(6, 7, 4), (4, 4, 3), (5, 9, 4), (7, 8, 5), (4, 5, 2)])
def test_connect_four(rows: int, columns: int, line: int) -> None:
    size = {"rows": rows, "columns": columns}
    variant = board_variant(board=size, move={"kind": "drop"}, end={"line": line})
    for seed in seeds():
        compare_dropping(variant, f"connect_four(rows={rows},columns={columns},x_in_row={line})", seed)


def test_misere_connect_four() -> None:
    for seed in seeds():
        compare_dropping(games.load("connect4-misere"), "misere(game=connect_four())", seed)


@pytest.mark.parametrize(("rows", "columns", "line"), [(3, 3, 3), (3, 4, 3), (5, 4, 4), (6, 7, 4), (9, 9, 5)])
def test_mnk(rows: int, columns: int, line: int) -> None:
    variant = board_variant(board={"rows": rows, "columns": columns}, end={"line": line})
    for seed in seeds():
        compare(variant, f"mnk(m={columns},n={rows},k={line})", seed)


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("misere", [False, True])
@pytest.mark.parametrize(("size", "line"), [(4, 3), (6, 4), (9, 5)])
def test_gomoku(size: int, line: int, wrap: bool, misere: bool) -> None:
    """OpenSpiel's `wrap` is our torus, its `anti` our misère; overlines count."""
    variant = board_variant(
        board={"rows": size, "columns": size, "wrap": "both" if wrap else "none"},
        end={"line": line, "misere": misere},
    )
    for seed in seeds():
        compare(variant, f"gomoku(size={size},connect={line},wrap={wrap},anti={misere})", seed)


# --- connections --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (3, 3), (4, 4), (5, 7), (7, 5), (8, 8), (11, 11)])
@pytest.mark.parametrize("misere", [False, True])
def test_hex(rows: int, columns: int, misere: bool) -> None:
    """Both have a cell's neighbours above and above right, below and below left."""
    variant = board_variant(
        board={"rows": rows, "columns": columns, "cells": "hex"},
        end={"connect": TOP_TO_BOTTOM, "misere": misere},
    )
    game = f"hex(num_cols={columns},num_rows={rows})"
    for seed in seeds():
        compare(variant, f"misere(game={game})" if misere else game, seed)


@pytest.mark.parametrize("size", [3, 5, 11])
def test_hex_with_swap(size: int) -> None:
    """Our seats change colours; OpenSpiel mirrors the stone along the diagonal: the same game, mirrored."""
    variant = board_variant(
        board={"rows": size, "columns": size, "cells": "hex"},
        turn={"swap": True},
        end={"connect": TOP_TO_BOTTOM},
    )
    for seed in seeds():
        compare_swapping(
            variant,
            f"hex(board_size={size},swap=True)",
            seed,
            swap=lambda _: size * size,
            before=int,
            after=lambda cell: cell % size * size + cell // size,
        )


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13])
@pytest.mark.parametrize("misere", [False, True])
def test_y(size: int, misere: bool) -> None:
    variant = board_variant(
        board={"rows": size, "columns": size, "cells": "hex", "shape": "triangle"},
        end={"connect": ["top", "left", "diagonal"], "misere": misere},
    )
    game = f"y(board_size={size})"
    for seed in seeds():
        compare(variant, f"misere(game={game})" if misere else game, seed)


def havannah(side: int, **turn: object) -> Variant:
    wide = 2 * side - 1
    return board_variant(
        board={"rows": wide, "columns": wide, "cells": "hex", "shape": "hexagon"},
        turn=turn,
        end={"fork": 3, "bridge": 2, "ring": True},
    )


def mirrored(side: int) -> Cells:
    """OpenSpiel's Havannah leans the other way: its rows run from right to left."""
    wide = 2 * side - 1
    return lambda cell: cell // wide * wide + wide - 1 - cell % wide


@pytest.mark.parametrize("side", [3, 4, 5, 6, 8])
def test_havannah(side: int) -> None:
    for seed in seeds(0.5 if side > 5 else 1):
        compare(havannah(side), f"havannah(board_size={side})", seed, mirrored(side))


@pytest.mark.parametrize("side", [3, 4])
def test_havannah_with_swap(side: int) -> None:
    """OpenSpiel swaps by playing on the first stone, which changes its colour."""
    for seed in seeds():
        compare_swapping(
            havannah(side, swap=True),
            f"havannah(board_size={side},swap=True)",
            seed,
            swap=int,
            before=mirrored(side),
            after=mirrored(side),
        )


# --- flips --------------------------------------------------------------------------------------------------


def test_othello() -> None:
    """OpenSpiel ends as soon as both players are stuck; here both have to pass first, as in pgx."""
    for seed in seeds():
        chance = random.Random(seed)
        position = games.start(games.load("othello"))
        theirs = pyspiel.load_game("othello").new_initial_state()
        while not theirs.is_terminal():
            assert legal(position) == theirs.legal_actions(), f"{position}\n{theirs}"
            assert position.to_play == theirs.current_player()
            action = chance.choice(theirs.legal_actions())
            position = position.play(action)
            theirs.apply_action(action)
        while not position.is_over:
            position = position.play_text("pass")
        assert list(position.returns) == theirs.returns(), f"{position}\n{theirs}"


def test_pgx_plays_othello_by_the_same_numbers(golden: Path) -> None:
    """The moves to pgx's roots are legal here, 64 is PASS, and its policies stay on legal moves."""
    for case in json.loads((golden / "mctx_othello.json").read_text())["cases"]:
        position = games.start(games.load("othello"))
        for move in case["moves"]:
            position = position.play(move)
        visited = [action for action, visits in enumerate(case["visits"]) if visits]
        assert set(visited) <= set(legal(position))
        assert {action for action, weight in enumerate(case["policy"]) if weight > 0} <= set(legal(position))
