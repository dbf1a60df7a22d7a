"""Where cells lie on a screen: square ones in a grid, hexagonal rows shifted by half a cell each."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from games import Variant
from games.notation import column_letter


class Scale(NamedTuple):
    """Columns and lines of the screen that a cell takes."""

    width: int
    height: int


SCALES = (Scale(6, 3), Scale(4, 2), Scale(2, 1))
"""From large to small; terminals' characters are about twice as high as wide."""

MARGIN = 4
"""Columns left of the board: row numbers, and the frame of a side that is a goal."""


class Label(NamedTuple):
    """A coordinate and where it stands."""

    x: int
    y: int
    text: str


class BoardLayout:
    """Cells on a screen.

    Attributes:
        size: columns and lines that board and coordinates take.
        cells: the cells of the canvas that are on the board.
        labels: coordinates.
    """

    def __init__(self, variant: Variant, scale: Scale) -> None:
        self.scale = scale
        self._variant = variant
        self._rows, self._columns = variant.board.rows, variant.board.columns
        self._half = scale.width // 2 if variant.is_hexagonal else 0
        outside = variant.cut_cells
        self.cells = [cell for cell in range(self._rows * self._columns) if cell not in outside]
        self._has_letters_above = self._rows > 9 and not variant.is_hexagonal
        self._frame = 1 if any(own_sides(variant)) else 0
        self._top = self._frame + self._has_letters_above
        self._left = 0
        self._left = MARGIN - min(self.corner(cell)[0] for cell in self.cells)
        self._at = {self.corner(cell): cell for cell in self.cells}
        self.labels = [*self._numbers(), *self._letters()]
        right = max(self.corner(cell)[0] for cell in self.cells) + scale.width + 1
        width = max(right, *(label.x + 1 for label in self.labels))
        self.size = (width, max(label.y for label in self.labels) + 1)

    def corner(self, cell: int) -> tuple[int, int]:
        """Column and line of a cell's upper left corner."""
        row, column = divmod(cell, self._columns)
        return self._corner(row, column)

    def cell_at(self, x: int, y: int) -> int | None:
        """The cell at a column and a line, if there is one."""
        row = (y - self._top) // self.scale.height
        if not 0 <= row < self._rows:
            return None
        column = (x - self._left - self._half * row) // self.scale.width
        return self._at.get(self._corner(row, column))

    def neighbor(self, cell: int, down: int, right: int) -> int:
        """The cell that a cursor key leads to, as it looks on the screen; at the edge the same one."""
        x, y = self.corner(cell)
        row = divmod(cell, self._columns)[0] + down
        if right:
            return self._at.get((x + right * self.scale.width, y), cell)
        candidates = [other for other in self.cells if divmod(other, self._columns)[0] == row]
        return min(candidates, key=lambda other: abs(self.corner(other)[0] - x), default=cell)

    def _corner(self, row: int, column: int) -> tuple[int, int]:
        return (
            self._left + column * self.scale.width + row * self._half,
            self._top + row * self.scale.height,
        )

    def _numbers(self) -> list[Label]:
        """Rows' numbers, left of their first cells."""
        labels = []
        for row in range(self._rows):
            x, y = self.corner(min(cell for cell in self.cells if cell // self._columns == row))
            text = f"{self._rows - row:>2}"
            labels.append(Label(x - 2 - len(text), y + (self.scale.height - 1) // 2, text))
        return labels

    def _letters(self) -> list[Label]:
        """Columns' letters, below their last cells, and above the first ones of a tall board."""
        labels = []
        for column in range(self._columns):
            rows = [cell // self._columns for cell in self.cells if cell % self._columns == column]
            middle = (self.scale.width - 1) // 2
            x, y = self._corner(max(rows) + 1, column)
            labels.append(Label(x + middle, y + self._frame, column_letter(column)))
            if self._has_letters_above:
                labels.append(Label(self._corner(0, column)[0] + middle, 0, column_letter(column)))
        return labels


def own_sides(variant: Variant) -> tuple[list[str], list[str]]:
    """The straight sides that are a goal of the first and of the second colour alone; they get a frame."""
    goals = [
        {*variant.connects[colour], *filter(None, [variant.reaches[colour]])} & _STRAIGHT for colour in (0, 1)
    ]
    return sorted(goals[0] - goals[1]), sorted(goals[1] - goals[0])


_STRAIGHT = {"top", "bottom", "left", "right"}


def fitting(variant: Variant, width: int, height: int) -> BoardLayout:
    """The largest layout that fits into so many columns and lines, or the smallest there is."""
    layouts = [_layout(variant, scale) for scale in SCALES]
    fits = [layout for layout in layouts if np.all(np.array(layout.size) <= (width, height))]
    return fits[0] if fits else layouts[-1]


@lru_cache(maxsize=32)
def _layout(variant: Variant, scale: Scale) -> BoardLayout:
    return BoardLayout(variant, scale)
