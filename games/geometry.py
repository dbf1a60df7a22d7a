"""Geometry as a table: which cell lies next to which, in which direction.

Everything that moves on a board walks `neighbor_table`; nothing below the rule compiler knows rows and
columns.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

OFF = -1
"""The neighbour of a cell at an edge or beside a hole."""

STEPS = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
"""(row, column) step of each direction, clockwise from up; direction d and d + 4 are opposite."""

N_DIRECTIONS = len(STEPS)
N_AXES = N_DIRECTIONS // 2
OPPOSITE = tuple((d + N_AXES) % N_DIRECTIONS for d in range(N_DIRECTIONS))
DIRECTION = {"up": 0, "right": 2, "down": 4, "left": 6}


def neighbor_table(
    rows: int, columns: int, *, wraps_rows: bool, wraps_columns: bool, holes: Collection[int] = ()
) -> NDArray[np.int16]:
    """Neighbours of every cell of a square board.

    Args:
        wraps_rows: the top and the bottom row touch; wraps_columns: the left and the right column do.
        holes: cells that are not part of the board.

    Returns:
        int16 `[C, 8]`: the cell next to a cell in a direction, or `OFF`. Holes have and are no neighbours.
    """
    row, column = np.divmod(np.arange(rows * columns), columns)
    table = np.empty((rows * columns, N_DIRECTIONS), dtype=np.int16)
    for direction, (down, right) in enumerate(STEPS):
        to_row, to_column = row + down, column + right
        if wraps_rows:
            to_row %= rows
        if wraps_columns:
            to_column %= columns
        inside = (to_row >= 0) & (to_row < rows) & (to_column >= 0) & (to_column < columns)
        table[:, direction] = np.where(inside, to_row * columns + to_column, OFF)
    gone = sorted(holes)
    table[np.isin(table, gone)] = OFF
    table[gone] = OFF
    return table
