"""Values that others published (`golden/theory.json`) as claims that the solver can check."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import games
from games.position import Position
from games.variant import Variant

VALUE = {"first": 1, "draw": 0, "second": -1}
"""A published value, for seat 0."""

MARK = {1: "first", 0: "draw", -1: "second"}


class Claim(NamedTuple):
    """A published value of one position.

    published: 'first', 'draw' or 'second'
    weak: a single or informal source
    """

    name: str
    position: Position
    published: str
    weak: bool = False


def rows() -> list[dict[str, Any]]:
    """The golden file's rows."""
    path = Path(__file__).parents[1] / "golden" / "theory.json"
    return list(json.loads(path.read_text())["rows"])


def row_of(game: str) -> dict[str, Any]:
    """The only row of a game."""
    (row,) = [row for row in rows() if row["game"] == game]
    return row


def claims() -> list[Claim]:
    """Every published value of a position, in the golden file's order."""
    return [*_lines(), *_connect_four(), *_hex(), *_others(), *_clobber()]


def made(name: str, **sections: Any) -> Variant:
    """A variant from its sections."""
    return Variant.from_dict({"name": name, **sections}, where=name)


def lines(row: dict[str, Any], *, wrap: str = "none", misere: bool = False) -> Variant:
    """m,n,k of a row."""
    size = {"rows": row["rows"], "columns": row["columns"]}
    name = f"{row['game']} {row['rows']}x{row['columns']}, {row['line']}"
    return made(name, board={**size, "wrap": wrap}, end={"line": row["line"], "misere": misere})


def connect_four(rows: int, columns: int, *, misere: bool = False) -> Variant:
    """Connect Four on a board of any size."""
    return made(
        f"connect four {rows}x{columns}{' misere' if misere else ''}",
        board={"rows": rows, "columns": columns},
        move={"kind": "drop"},
        end={"line": 4, "misere": misere},
    )


def hex_board(size: int) -> Variant:
    """Hex without swap."""
    goals = {"first": ["top", "bottom"], "second": ["left", "right"]}
    return made(
        f"hex {size}x{size}",
        board={"rows": size, "columns": size, "cells": "hex"},
        end={"connect": goals},
    )


def clobber(length: int) -> Variant:
    """Clobber on one row of alternating stones."""
    return made(
        f"clobber 1x{length}",
        board={"rows": 1, "columns": length, "setup": {"pattern": "checkerboard"}},
        move={"kind": "step", "to_enemy": ["orthogonal"]},
        end={"stuck": "loses"},
    )


def _claim(variant: Variant, row: dict[str, Any]) -> Claim:
    return Claim(variant.name, games.start(variant), row["value"], row.get("weak", False))


def _lines() -> Iterator[Claim]:
    for row in rows():
        if row["game"] == "m,n,k free placement":
            yield _claim(lines(row), row)
    misere = row_of("m,n,k free placement, misere")
    yield _claim(lines(misere, misere=True), misere)
    torus = row_of("m,n,k free placement, torus")
    yield _claim(lines(torus, wrap="both"), torus)


def _connect_four() -> Iterator[Claim]:
    for size, value in row_of("connect four")["by_rows_columns"].items():
        rules = connect_four(*(int(number) for number in size.split("x")))
        yield Claim(rules.name, games.start(rules), value)
    row = row_of("connect four, misere")
    yield _claim(connect_four(row["rows"], row["columns"], misere=True), row)


def _hex() -> Iterator[Claim]:
    for size in (3, 4, 5):
        rules = hex_board(size)
        yield Claim(rules.name, games.start(rules), row_of("hex, no swap, any size")["value"])
    for row in rows():
        if row["game"] == "hex, no swap":
            yield from _openings(row)


def _openings(row: dict[str, Any]) -> Iterator[Claim]:
    """Every first move of a size, one of two that are images of each other by half a turn."""
    size = row["size"]
    losing = set(row.get("losing_openings", row.get("losing_openings_first_half")))
    start = games.start(hex_board(size))
    for number in range((size * size + 1) // 2):
        from_the_top = {f"{chr(97 + at % size)}{at // size + 1}" for at in (number, size * size - 1 - number)}
        value = "second" if losing & from_the_top else "first"
        text = start.action_text(number)
        yield Claim(f"{start.variant.name}, {text}", start.play(number), value)


def _others() -> Iterator[Claim]:
    othello = games.load("othello-6x6")
    yield _claim(othello, row_of("othello 6x6 (diagonal start)"))
    for row in rows():
        if row["game"] == "nogo":
            yield _claim(nogo(row["rows"], row["columns"]), row)
    row = row_of("breakthrough, two rows each")
    yield _claim(breakthrough(row["rows"], row["columns"]), row)
    row = row_of("domineering")
    yield _claim(domineering(row["rows"], row["columns"]), row)
    row = row_of("go 5x5 area")
    yield Claim("go 5x5, komi 24", games.start(go(5, 5, row["first_player_score"] - 1)), "first")


def _clobber() -> Iterator[Claim]:
    row = row_of("clobber, one row of alternating stones, even length")
    for length in range(2, 19, 2):
        rules = clobber(length)
        yield Claim(rules.name, games.start(rules), "second" if length == 6 else row["value"])


def nogo(rows: int, columns: int) -> Variant:
    """NoGo: no captures, no suicide; who can't move loses."""
    return made(
        f"nogo {rows}x{columns}",
        board={"rows": rows, "columns": columns},
        move={"keeps_liberty": True, "captures_nothing": True},
        end={"stuck": "loses"},
    )


def breakthrough(rows: int, columns: int) -> Variant:
    """Breakthrough with two rows of stones each."""
    return made(
        f"breakthrough {rows}x{columns}",
        board={"rows": rows, "columns": columns, "setup": {"pattern": "rows"}},
        move={
            "kind": "step",
            "to_empty": ["forward", "forward-diagonal"],
            "to_enemy": ["forward-diagonal"],
        },
        end={"reach": {"first": "top", "second": "bottom"}, "eliminate": True, "stuck": "loses"},
    )


def domineering(rows: int, columns: int) -> Variant:
    """Domineering: the first colour places vertical dominoes."""
    return made(
        f"domineering {rows}x{columns}",
        board={"rows": rows, "columns": columns},
        move={"domino": True},
        end={"stuck": "loses"},
    )


def go(rows: int, columns: int, komi: float) -> Variant:
    """Go, area counting, positional superko."""
    return made(
        f"go {rows}x{columns}",
        board={"rows": rows, "columns": columns},
        move={"keeps_liberty": True},
        turn={"passing": "always", "repeat": "superko"},
        effect={"surround": True},
        end={"count": "area", "komi": komi},
    )
