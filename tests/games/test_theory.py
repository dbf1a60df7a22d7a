"""Small games solved outright over `Position`: values that mathematicians published."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

import games
from games.position import Position
from games.symmetry import symmetries
from games.variant import Variant
from tests.games.drawings import variant

pytestmark = pytest.mark.kernels

VALUE = {"first": 1, "draw": 0, "second": -1}


def solve(position: Position) -> int:
    """Value for seat 0, by alpha-beta-free minimax with a memory of boards and their mirror images."""
    images = symmetries(position.variant)[:, :-2].argsort(axis=1)
    known: dict[bytes, int] = {}

    def value(here: Position) -> int:
        if here.is_over:
            return here.returns[0]
        key = min(here.state.cells[0, image].tobytes() for image in images)
        if key not in known:
            best = 1 if here.to_play == 0 else -1
            found = -best
            for action in here.legal_actions:
                answer = value(here.play(action))
                found = max(found, answer) if here.to_play == 0 else min(found, answer)
                if found == best:
                    break
            known[key] = found
        return known[key]

    return value(position)


def mnk(row: dict[str, object], board: str = "", end: str = "") -> Variant:
    return variant(
        f"""
        board = {{ rows = {row["rows"]}, columns = {row["columns"]}{board} }}
        end = {{ line = {row["line"]}{end} }}
        """
    )


@cache
def theory() -> list[dict[str, object]]:
    path = Path(__file__).parents[1] / "golden" / "theory.json"
    return list(json.loads(path.read_text())["rows"])


def rows_of(game: str, most_cells: int = 12) -> list[dict[str, object]]:
    """Published rows of a game that are small enough to solve here."""
    rows = [row for row in theory() if row["game"] == game]
    assert rows, game
    return [row for row in rows if int(str(row["rows"])) * int(str(row["columns"])) <= most_cells]


@pytest.mark.parametrize("row", rows_of("m,n,k free placement"), ids=str)
def test_lines_on_small_boards(row: dict[str, object]) -> None:
    assert solve(games.start(mnk(row))) == VALUE[str(row["value"])]


def test_three_in_line_on_four_by_four_is_won() -> None:
    """In the same table; its tree is large, but from b2 the first player wins within five stones."""
    rules = variant("board = { rows = 4, columns = 4 }\nend = { line = 3, ply_cap = 5 }")
    assert solve(games.start(rules).play_text("b2")) == 1


def test_misere_tictactoe_is_drawn_from_the_centre_only() -> None:
    (row,) = rows_of("m,n,k free placement, misere")
    start = games.start(mnk(row, end=", misere = true"))
    values = {start.action_text(action): solve(start.play(action)) for action in start.legal_actions}
    assert [cell for cell, value in values.items() if value >= 0] == row["only_nonlosing_opening"]
    assert max(values.values()) == VALUE[str(row["value"])]


def test_the_torus_is_won_by_the_first_player() -> None:
    (row,) = rows_of("m,n,k free placement, torus")
    assert solve(games.start(mnk(row, board=", wrap = 'both'"))) == VALUE[str(row["value"])]


def test_connect_four_on_four_by_four_is_a_draw() -> None:
    (row,) = [row for row in theory() if row["game"] == "connect four"]
    rules = variant("board = { rows = 4, columns = 4 }\nmove = { kind = 'drop' }\nend = { line = 4 }")
    assert solve(games.start(rules)) == VALUE[row["by_rows_columns"]["4x4"]]  # type: ignore[index]


def test_tictactoe_has_5478_positions() -> None:
    (row,) = [row for row in theory() if row["game"] == "tictactoe"]
    seen: set[bytes] = set()
    layer = [games.start(games.load("tictactoe"))]
    while layer:
        boards = {position.state.cells.tobytes(): position for position in layer}
        seen |= set(boards)
        layer = [position.play(action) for position in boards.values() for action in position.legal_actions]
    assert len(seen) == row["states_reachable"]
