"""Geometry as tables: which cell lies next to which, and which cells make up the sides of a board.

Everything that moves on a board walks `neighbor_table`; nothing below the rule compiler knows rows and
columns. Hexagonal cells are stored in rows and columns too: each row lies half a cell further right than the
one above, so that a cell touches those left and right, above and above right, below and below left.
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

HEX_DIRECTIONS = (0, 1, 2, 4, 5, 6)
"""The six directions between hexagonal cells, clockwise; the other two lead nowhere."""

_SQUARE_WAYS = {
    "forward": (0,),
    "forward-diagonal": (7, 1),
    "sideways": (6, 2),
    "backward": (4,),
    "backward-diagonal": (5, 3),
    "orthogonal": (0, 2, 4, 6),
    "diagonal": (1, 3, 5, 7),
    "all": tuple(range(N_DIRECTIONS)),
}
_HEX_WAYS = {"forward": (0, 1), "sideways": (6, 2), "backward": (4, 5), "all": HEX_DIRECTIONS}


def neighbor_table(
    rows: int,
    columns: int,
    *,
    wraps_rows: bool,
    wraps_columns: bool,
    holes: Collection[int] = (),
    hexagonal: bool = False,
) -> NDArray[np.int16]:
    """Neighbours of every cell of a board.

    Args:
        wraps_rows: the top and the bottom row touch; wraps_columns: the left and the right column do.
        holes: cells that are not part of the board.
        hexagonal: cells have six neighbours, in `HEX_DIRECTIONS`.

    Returns:
        int16 `[C, 8]`: the cell next to a cell in a direction, or `OFF`. Holes have and are no neighbours.
    """
    row, column = np.divmod(np.arange(rows * columns), columns)
    table = np.full((rows * columns, N_DIRECTIONS), OFF, dtype=np.int16)
    for direction, (down, right) in enumerate(STEPS):
        if hexagonal and direction not in HEX_DIRECTIONS:
            continue
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


def touching_directions(*, hexagonal: bool, adjacent: int) -> tuple[int, ...]:
    """The directions in which cells touch, for groups and connection."""
    if hexagonal:
        return HEX_DIRECTIONS
    return tuple(range(0, N_DIRECTIONS, N_DIRECTIONS // adjacent))


def way_directions(way: str, *, hexagonal: bool, colour: int) -> tuple[int, ...]:
    """The directions of a way such as 'forward', which is up for colour 0 and down for colour 1.

    Raises:
        KeyError: hexagonal cells have no such way.
    """
    directions = (_HEX_WAYS if hexagonal else _SQUARE_WAYS)[way]
    return tuple(OPPOSITE[d] if colour else d for d in directions)


def distance_two(table: NDArray[np.int16], directions: Collection[int]) -> list[NDArray[np.int16]]:
    """For each cell those exactly two touching steps away, ascending; `table` is of a board without holes."""
    one = [set(row[row != OFF].tolist()) for row in table[:, sorted(directions)]]
    far = [set().union(*(one[near] for near in nears)) - nears - {cell} for cell, nears in enumerate(one)]
    return [np.array(sorted(cells), np.int16) for cells in far]


def cut_cells(shape: str, rows: int, columns: int) -> frozenset[int]:
    """Cells of the rows x columns canvas outside a 'triangle' or 'hexagon'; none for a 'full' board."""
    row, column = np.divmod(np.arange(rows * columns), columns)
    total = row + column
    if shape == "triangle":
        return frozenset(np.flatnonzero(total >= rows).tolist())
    if shape == "hexagon":
        side = (rows + 1) // 2
        outside = (total < side - 1) | (total > 3 * (side - 1))
        return frozenset(np.flatnonzero(outside).tolist())
    return frozenset()


def side_cells(
    shape: str, rows: int, columns: int, *, wraps_rows: bool = False, wraps_columns: bool = False
) -> dict[str, frozenset[int]]:
    """The sides of a board and their cells, corners included, clockwise; edges that touch are none."""
    row, column = np.divmod(np.arange(rows * columns), columns)
    total = row + column
    sides = {"top": row == 0, "right": column == columns - 1, "bottom": row == rows - 1, "left": column == 0}
    if shape == "triangle":
        sides = {"top": row == 0, "diagonal": total == rows - 1, "left": column == 0}
    if shape == "hexagon":
        side = (rows + 1) // 2
        sides["upper-left"], sides["lower-right"] = total == side - 1, total == 3 * (side - 1)
        sides = {s: sides[s] for s in ("top", "right", "lower-right", "bottom", "left", "upper-left")}
    outside = cut_cells(shape, rows, columns)
    gone = {"top", "bottom"} if wraps_rows else set()
    gone |= {"left", "right"} if wraps_columns else set()
    return {
        name: frozenset(np.flatnonzero(cells).tolist()) - outside
        for name, cells in sides.items()
        if name not in gone
    }


MAX_CORNERS = 6
"""Corners that groups can tell apart; only a board of one row or column has more, where each cell is one."""


def corner_cells(sides: dict[str, frozenset[int]]) -> tuple[int, ...]:
    """Cells that lie on two sides, ascending."""
    cells = [cell for side in sides.values() for cell in side]
    return tuple(sorted({cell for cell in cells if cells.count(cell) > 1}))
