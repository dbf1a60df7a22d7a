"""Groups of touching stones: kept up to date stone by stone, never searched for.

A group is named by its head; its stones form a ring, so that the smaller of two groups is renamed when they
meet and a captured one can be walked. Liberties are counted once for each stone that touches them, as a
number, a sum and a sum of squares of cells in one word: enough to see whether they are all the same cell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from games.compilation import inlined, kernel
from games.geometry import HEX_DIRECTIONS, OFF
from games.rules import (
    BRIDGE,
    CONNECT,
    CORNER_BITS,
    EMPTY,
    FIRST,
    FORK,
    HOLE,
    INNER_BITS,
    N_SCAN,
    RING,
    SECOND,
    Rules,
)
from games.state import BORDER_BITS, EMPTIES, SIZE_ONE, State

_COUNT_SHIFT, _SUM_SHIFT = 50, 29
_SUM_MASK = (1 << (_COUNT_SHIFT - _SUM_SHIFT)) - 1
_SQUARES_MASK = (1 << _SUM_SHIFT) - 1
_SIX = (1 << 6) - 1


@inlined
def liberty(cell: int) -> np.int64:
    """What one empty cell adds to the liberties of a group that touches it."""
    at = np.int64(cell)
    return (np.int64(1) << _COUNT_SHIFT) + (at << _SUM_SHIFT) + at * at


@inlined
def is_only_liberty(liberties: int, cell: int) -> bool:
    """Whether a group that touches an empty cell has no other liberty: their mean and mean square tell."""
    count = liberties >> _COUNT_SHIFT
    total = (liberties >> _SUM_SHIFT) & _SUM_MASK
    squares = liberties & _SQUARES_MASK
    return total == count * cell and squares == count * cell * cell


@inlined
def clear_groups(state: State, row: int) -> None:
    """Forget all groups."""
    for cell in range(state.heads.shape[1]):
        state.heads[row, cell] = OFF
        state.rings[row, cell] = OFF
        state.members[row, cell] = 0
    for cell in range(state.liberties.shape[1]):
        state.liberties[row, cell] = 0


@inlined
def _join(state: State, row: int, one: int, other: int) -> int:
    """Make two groups one, by renaming the smaller; its head."""
    members = state.members
    if members[row, one] // SIZE_ONE < members[row, other] // SIZE_ONE:
        one, other = other, one
    here = other
    while True:
        state.heads[row, here] = one
        here = state.rings[row, here]
        if here == other:
            break
    following = state.rings[row, one]
    state.rings[row, one] = state.rings[row, other]
    state.rings[row, other] = following
    borders = (members[row, one] | members[row, other]) & BORDER_BITS
    sizes = (members[row, one] & ~BORDER_BITS) + (members[row, other] & ~BORDER_BITS)
    members[row, one] = borders | sizes
    if state.liberties.shape[1] > 0:
        state.liberties[row, one] += state.liberties[row, other]
    return one


@inlined
def add_stone(rules: Rules, state: State, row: int, variant: int, cell: int, was_empty: bool) -> None:
    """Take a stone into the groups; `was_empty`: the groups so far count its cell among their liberties."""
    own = state.cells[row, cell]
    counts = state.liberties.shape[1] > 0
    state.heads[row, cell] = cell
    state.rings[row, cell] = cell
    state.members[row, cell] = SIZE_ONE | rules.borders[variant, cell]
    if counts:
        free = np.int64(0)
        for k in range(rules.neighbors.shape[2]):
            near = rules.touching[variant, cell, k]
            if near == OFF:
                break
            content = state.cells[row, near]
            if content == EMPTY:
                free += liberty(near)
            elif was_empty and content != HOLE:
                state.liberties[row, state.heads[row, near]] -= liberty(cell)
        state.liberties[row, cell] = free
    head = cell
    for k in range(rules.neighbors.shape[2]):
        near = rules.touching[variant, cell, k]
        if near == OFF:
            break
        if state.cells[row, near] == own:
            other = state.heads[row, near]
            if other != OFF and other != head:
                head = _join(state, row, head, other)


@inlined
def remove_group(rules: Rules, state: State, row: int, variant: int, head: int) -> int:
    """Take a group off the board; its number of stones."""
    here, removed = head, 0
    while True:
        following = state.rings[row, here]
        state.cells[row, here] = EMPTY
        state.heads[row, here] = OFF
        state.rings[row, here] = OFF
        removed += 1
        for k in range(rules.neighbors.shape[2]):
            near = rules.touching[variant, here, k]
            if near == OFF:
                break
            owner = state.heads[row, near]
            if owner != OFF and owner != head:
                state.liberties[row, owner] += liberty(here)
        here = following
        if here == head:
            break
    state.members[row, head] = 0
    state.info[row, EMPTIES] += removed
    return removed


@kernel
def rebuild_groups(rules: Rules, state: State, row: int, variant: int, own: int) -> bool:
    """Find all groups anew; whether a ring of `own` stones is among them."""
    clear_groups(state, row)
    ring = False
    for i in range(rules.flags[variant, N_SCAN]):
        cell = rules.scan[variant, i]
        content = state.cells[row, cell]
        if content == FIRST or content == SECOND:
            if rules.flags[variant, RING] and content == own:
                ring |= closes_ring(rules, state, row, variant, cell)
            add_stone(rules, state, row, variant, cell, False)
    return ring


@kernel
def closes_ring(rules: Rules, state: State, row: int, variant: int, cell: int) -> bool:
    """Whether the stone on a hexagonal cell, not yet in a group, closes a ring of its colour.

    It does if two of its neighbours with a gap between them are of the same group (the way round encloses the
    gap, or all the rest), or if it completes the six around a neighbour of its colour; any larger ring filled
    with stones of its colour was closed before.
    """
    own = state.cells[row, cell]
    heads = state.heads
    before = _grouped(rules, state, row, variant, cell, 5, own)
    for i in range(6):
        here = _grouped(rules, state, row, variant, cell, i, own)
        if here != OFF and before == OFF:  # a run of neighbours begins; does its group come back later?
            in_run = True
            for j in range(i + 1, i + 6):
                other = _grouped(rules, state, row, variant, cell, j % 6, own)
                if other == OFF:
                    in_run = False
                elif not in_run and heads[row, other] == heads[row, here]:
                    return True
        before = here
    for i in range(6):
        here = _grouped(rules, state, row, variant, cell, i, own)
        if here != OFF and _is_surrounded(rules, state, row, variant, here, cell, own):
            return True
    return False


@inlined
def _grouped(rules: Rules, state: State, row: int, variant: int, cell: int, i: int, own: int) -> int:
    """The i-th neighbour of a hexagonal cell, clockwise, if it is an `own` stone in a group; else OFF."""
    near = rules.neighbors[variant, cell, HEX_DIRECTIONS[i]]
    if near != OFF and state.cells[row, near] == own and state.heads[row, near] != OFF:
        return near
    return OFF


@inlined
def _is_surrounded(
    rules: Rules, state: State, row: int, variant: int, cell: int, newest: int, own: int
) -> bool:
    """Whether all six cells around a hexagonal cell are `own` stones in groups, or the newest stone."""
    for i in range(6):
        near = rules.neighbors[variant, cell, HEX_DIRECTIONS[i]]
        if near != newest and _grouped(rules, state, row, variant, cell, i, own) == OFF:
            return False
    return True


@inlined
def _ones(bits: int) -> int:
    """How many bits are set."""
    count = 0
    while bits:
        bits &= bits - 1
        count += 1
    return count


@inlined
def borders_reach_goal(rules: Rules, variant: int, colour: int, borders: int) -> bool:
    """Whether a group on these borders connects what its colour has to connect."""
    flags = rules.flags
    needed = flags[variant, CONNECT + colour]
    if needed != 0 and borders & needed == needed:
        return True
    fork, bridge = flags[variant, FORK], flags[variant, BRIDGE]
    if fork != 0 and _ones((borders >> INNER_BITS) & _SIX) >= fork:
        return True
    return bridge != 0 and _ones((borders >> CORNER_BITS) & _SIX) >= bridge


@inlined
def borders_with(rules: Rules, state: State, row: int, variant: int, cell: int, own: int) -> int:
    """The borders of the group that an `own` stone on a cell would belong to."""
    borders = rules.borders[variant, cell]
    for k in range(rules.neighbors.shape[2]):
        near = rules.touching[variant, cell, k]
        if near == OFF:
            break
        if state.cells[row, near] == own:
            borders |= state.members[row, state.heads[row, near]]
    return borders & BORDER_BITS


@kernel
def area_lead(rules: Rules, state: State, row: int, variant: int) -> int:
    """Cells of the first colour less those of the second: stones and the empty regions that only one touches.

    It needs no memory of its own, but marks the empty cells while it works and takes the marks back.
    """
    lead = 0
    for i in range(rules.flags[variant, N_SCAN]):
        cell = rules.scan[variant, i]
        content = state.cells[row, cell]
        lead += content == FIRST
        lead -= content == SECOND
        if content == EMPTY:
            size, colours = _flood(rules, state.cells, row, variant, i)
            if colours == FIRST:
                lead += size
            elif colours == SECOND:
                lead -= size
    for i in range(rules.flags[variant, N_SCAN]):
        cell = rules.scan[variant, i]
        if state.cells[row, cell] >= _DONE:
            state.cells[row, cell] = EMPTY
    return lead


_DONE, _EDGE = 16, 17
"""Marks of empty cells: looked at, and reached but not looked at yet."""


@inlined
def _flood(rules: Rules, cells: NDArray[np.int8], row: int, variant: int, first: int) -> tuple[int, int]:
    """Mark the empty region around the first-th scanned cell; its size and, the colours it touches (bits)."""
    size, colours = 0, 0
    cells[row, rules.scan[variant, first]] = _EDGE
    waiting, i = 1, first
    while waiting > 0:
        cell = rules.scan[variant, i]
        if cells[row, cell] == _EDGE:
            cells[row, cell] = _DONE
            waiting -= 1
            size += 1
            for k in range(rules.neighbors.shape[2]):
                near = rules.touching[variant, cell, k]
                if near == OFF:
                    break
                content = cells[row, near]
                if content == EMPTY:
                    cells[row, near] = _EDGE
                    waiting += 1
                elif content == FIRST or content == SECOND:
                    colours |= content
        i += 1
        if i == rules.flags[variant, N_SCAN]:
            i = first
    return size, colours
