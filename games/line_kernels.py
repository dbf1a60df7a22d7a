"""Walks along lines: runs of one colour, and opposing runs that a stone encloses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from games.compilation import inlined, kernel
from games.geometry import N_AXES, N_DIRECTIONS, OFF
from games.rules import EXACT, FIRST, LINE, SECOND, Rules

_COUNT_BITS = 7
_COUNT_MASK = (1 << _COUNT_BITS) - 1
"""Room for a count of fewer stones than a line of a board has cells; four of them fit into 32 bits."""


@inlined
def enclosed_along(
    rules: Rules, cells: NDArray[np.int8], row: int, variant: int, cell: int, d: int, own: int
) -> int:
    """Number of opposing stones that a stone of `own` on `cell` encloses in direction d."""
    other = FIRST + SECOND - own
    count = 0
    here = rules.neighbors[variant, cell, d]
    while here != OFF and here != cell and cells[row, here] == other:
        count += 1
        here = rules.neighbors[variant, here, d]
    if here == OFF or here == cell or cells[row, here] != own:
        return 0
    return count


@kernel
def encloses_any(rules: Rules, cells: NDArray[np.int8], row: int, variant: int, cell: int, own: int) -> bool:
    """Whether a stone of `own` on `cell` encloses opposing stones in any direction."""
    for d in range(N_DIRECTIONS):
        if enclosed_along(rules, cells, row, variant, cell, d, own) > 0:
            return True
    return False


@inlined
def count_enclosed(
    rules: Rules, cells: NDArray[np.int8], row: int, variant: int, cell: int, own: int
) -> tuple[int, int]:
    """Enclosed stones in every direction, in two words; see `count_of`.

    All directions are counted before the first stone changes, since they may cross on a wrapped board.
    """
    counts_low, counts_high = 0, 0
    for d in range(N_AXES):
        low = enclosed_along(rules, cells, row, variant, cell, d, own)
        high = enclosed_along(rules, cells, row, variant, cell, d + N_AXES, own)
        counts_low |= low << (_COUNT_BITS * d)
        counts_high |= high << (_COUNT_BITS * d)
    return counts_low, counts_high


@inlined
def count_of(counts_low: int, counts_high: int, d: int) -> int:
    """The count of direction d from the two words that hold all of them."""
    word = counts_low if d < N_AXES else counts_high
    return (word >> (_COUNT_BITS * (d % N_AXES))) & _COUNT_MASK


@inlined
def _run(rules: Rules, cells: NDArray[np.int8], row: int, variant: int, cell: int, d: int, own: int) -> int:
    """Number of `own` stones next to a cell in direction d; on a wrapped board not past the cell itself."""
    count = 0
    here = rules.neighbors[variant, cell, d]
    while here != OFF and here != cell and cells[row, here] == own:
        count += 1
        here = rules.neighbors[variant, here, d]
    return count


@inlined
def makes_line(rules: Rules, cells: NDArray[np.int8], row: int, variant: int, cell: int, own: int) -> bool:
    """Whether the stone on a cell is part of a line that counts for its colour."""
    needed = rules.flags[variant, LINE + own - FIRST]
    exact = rules.flags[variant, EXACT]
    for axis in range(N_AXES):
        ahead = _run(rules, cells, row, variant, cell, axis, own)
        length = 1 + ahead
        if length < needed or exact:
            last_ahead = cell
            for _ in range(ahead):
                last_ahead = rules.neighbors[variant, last_ahead, axis]
            closes = ahead > 0 and rules.neighbors[variant, last_ahead, axis] == cell
            if not closes:
                length += _run(rules, cells, row, variant, cell, axis + N_AXES, own)
        if length == needed or (length > needed and not exact):
            return True
    return False
