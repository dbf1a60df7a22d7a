"""Names of cells: columns are letters from the left, rows numbers from the bottom; `a1` is the lower left."""

from __future__ import annotations

import re

PASS_TEXT = "pass"
SWAP_TEXT = "swap"
_CELL = re.compile(r"([a-z])([0-9]{1,2})")


def column_letter(column: int) -> str:
    """Letter of a column, 0 is `a`."""
    return chr(ord("a") + column)


def cell_name(cell: int, *, rows: int, columns: int) -> str:
    """Name of a cell; cells count row by row from the top left."""
    row, column = divmod(cell, columns)
    return f"{column_letter(column)}{rows - row}"


def parse_cell(text: str, *, rows: int, columns: int) -> int:
    """Cell of a name such as `d1`.

    Raises:
        ValueError: the text is no cell of a board of this size; one line.
    """
    match = _CELL.fullmatch(text.strip().lower())
    last = cell_name(columns - 1, rows=rows, columns=columns)
    if match is None:
        raise ValueError(f"expected a cell from a1 to {last}, got {text!r}")
    column, row = ord(match[1]) - ord("a"), rows - int(match[2])
    if not (0 <= column < columns and 0 <= row < rows):
        raise ValueError(f"expected a cell from a1 to {last}, got {text!r}, which is off the board")
    return row * columns + column


def parse_block(text: str, *, rows: int, columns: int) -> list[int]:
    """Cells of a name such as `d1`, or of a block such as `a1:h2` between two opposite corners, row by row.

    Raises:
        ValueError: a name is no cell of a board of this size; one line.
    """
    corners = [parse_cell(name, rows=rows, columns=columns) for name in text.split(":", maxsplit=1)]
    (top, left), (bottom, right) = divmod(corners[0], columns), divmod(corners[-1], columns)
    (top, bottom), (left, right) = sorted((top, bottom)), sorted((left, right))
    return [row * columns + column for row in range(top, bottom + 1) for column in range(left, right + 1)]
