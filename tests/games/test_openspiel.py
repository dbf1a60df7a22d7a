"""DeepMind's OpenSpiel plays the same games: legal actions, player and result agree after every move."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pyspiel
import pytest

import games
from games.position import Position
from games.variant import Variant

pytestmark = pytest.mark.kernels

GAMES = 100


def board_variant(**sections: object) -> Variant:
    return Variant.from_dict({"name": "compared", **sections}, where="compared")


def legal(position: Position) -> list[int]:
    return position.legal_actions.tolist()


def columns_of(position: Position) -> list[int]:
    """Legal actions as OpenSpiel numbers them in Connect Four: columns from the left."""
    return sorted(action % position.variant.board.columns for action in legal(position))


def drop(position: Position, column: int) -> Position:
    return position.play_text("abcdefghijklmnopqrs"[column])


def assert_same_ends(position: Position, theirs: pyspiel.State) -> None:
    assert position.is_over == theirs.is_terminal(), f"{position}\n{theirs}"
    assert list(position.returns) == theirs.returns(), f"{position}\n{theirs}"
    if not position.is_over:
        assert position.to_play == theirs.current_player()


def compare_placing(variant: Variant, game: str, seed: int) -> None:
    """A random game in which both engines number the cells row by row."""
    chance = random.Random(seed)
    position, theirs = games.start(variant), pyspiel.load_game(game).new_initial_state()
    while not theirs.is_terminal():
        assert legal(position) == theirs.legal_actions(), f"{position}\n{theirs}"
        action = chance.choice(theirs.legal_actions())
        position = position.play(action)
        theirs.apply_action(action)
        assert_same_ends(position, theirs)
    assert position.is_over


def compare_dropping(variant: Variant, game: str, seed: int) -> None:
    """A random game in which OpenSpiel's actions are columns."""
    chance = random.Random(seed)
    position, theirs = games.start(variant), pyspiel.load_game(game).new_initial_state()
    while not theirs.is_terminal():
        assert columns_of(position) == theirs.legal_actions(), f"{position}\n{theirs}"
        column = chance.choice(theirs.legal_actions())
        position = drop(position, column)
        theirs.apply_action(column)
        assert_same_ends(position, theirs)
    assert position.is_over


def test_tic_tac_toe() -> None:
    for seed in range(GAMES):
        compare_placing(games.load("tictactoe"), "tic_tac_toe", seed)


@pytest.mark.parametrize(("rows", "columns", "line"), [(6, 7, 4), (4, 4, 3), (5, 9, 4), (7, 8, 5), (4, 5, 2)])
def test_connect_four(rows: int, columns: int, line: int) -> None:
    variant = board_variant(
        board={"rows": rows, "columns": columns}, move={"kind": "drop"}, end={"line": line}
    )
    for seed in range(GAMES):
        compare_dropping(variant, f"connect_four(rows={rows},columns={columns},x_in_row={line})", seed)


@pytest.mark.parametrize(("rows", "columns", "line"), [(3, 3, 3), (3, 4, 3), (5, 4, 4), (6, 7, 4), (9, 9, 5)])
def test_mnk(rows: int, columns: int, line: int) -> None:
    variant = board_variant(board={"rows": rows, "columns": columns}, end={"line": line})
    for seed in range(GAMES):
        compare_placing(variant, f"mnk(m={columns},n={rows},k={line})", seed)


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("misere", [False, True])
@pytest.mark.parametrize(("size", "line"), [(4, 3), (6, 4), (9, 5)])
def test_gomoku(size: int, line: int, wrap: bool, misere: bool) -> None:
    """OpenSpiel's `wrap` is our torus, its `anti` our misère; overlines count."""
    variant = board_variant(
        board={"rows": size, "columns": size, "wrap": "both" if wrap else "none"},
        end={"line": line, "misere": misere},
    )
    for seed in range(GAMES):
        compare_placing(variant, f"gomoku(size={size},connect={line},wrap={wrap},anti={misere})", seed)


def test_othello() -> None:
    """OpenSpiel ends as soon as both players are stuck; here both have to pass first, as in pgx."""
    for seed in range(GAMES):
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
