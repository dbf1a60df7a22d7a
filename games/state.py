"""`State`: positions as a struct of arrays, one row each; the kernels' only memory."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from games.rules import (
    CAPTURES_NOTHING,
    HAS_GROUPS,
    KEEPS_LIBERTY,
    PLY_CAP,
    REPEAT,
    SUPERKO,
    SURROUNDS,
    Rules,
)

(
    VARIANT,
    COLOUR,
    SWAPPED,
    STONES_LEFT,
    PLY,
    EMPTIES,
    LAST,
    PASSES,
    STATUS,
    PHASE,
    ORIGIN,
    WAY,
    KO,
    TAKEN,
    TAKEN_BY_SECOND,
    N_INFO,
) = range(16)
"""Columns of `State.info`.

COLOUR: the colour to move (0 first, 1 second); LAST: the last cell or OFF; PHASE: how far the move is
ORIGIN: the cell of the stone whose move has begun, or OFF; WAY: the direction of its last jump, or OFF
KO: the cell that the ko rule forbids, or OFF; TAKEN + colour: stones that a colour has captured
"""

ONGOING, FIRST_WINS, SECOND_WINS, DRAW = range(4)
"""STATUS, by colour."""

BEGIN, MOVING, JUMPING, SHOOTING = range(4)
"""PHASE: a move begins; ORIGIN moves; ORIGIN may jump on; ORIGIN shoots."""

BORDER_BITS = (1 << 18) - 1
"""The part of `State.members` that tells the borders; the group's size stands above it."""

SIZE_ONE = 1 << 18
"""One stone in `State.members`."""


class State(NamedTuple):
    """B positions. Groups and history have no columns where no variant needs them.

    cells: int8 `[B, C]`: EMPTY, FIRST, SECOND or HOLE
    info: int16 `[B, N_INFO]`: see the column names
    heads: int16 `[B, C]`: a stone's group, named by one of its stones
    rings: int16 `[B, C]`: the next stone of the same group, round and round
    members: int32 `[B, C]`: at a group's head its borders (BORDER_BITS) and its size (in SIZE_ONE)
    liberties: int64 `[B, C]`: at a group's head its liberties, see `games.group_kernels.liberty`
    history: uint64 `[B, T + 1]`: hashes of the boards so far, by ply
    """

    cells: NDArray[np.int8]
    info: NDArray[np.int16]
    heads: NDArray[np.int16]
    rings: NDArray[np.int16]
    members: NDArray[np.int32]
    liberties: NDArray[np.int64]
    history: NDArray[np.uint64]


def copied(state: State) -> State:
    """The same positions in arrays of their own."""
    return State._make(column.copy() for column in state)


def new_state(rules: Rules, batch: int) -> State:
    """Room for `batch` positions of any of the compiled variants; `games.kernels.reset` fills it."""
    cells = rules.start.shape[1]
    grouped = cells if rules.flags[:, HAS_GROUPS].any() else 0
    freed = cells if rules.flags[:, [SURROUNDS, KEEPS_LIBERTY, CAPTURES_NOTHING]].any() else 0
    superko = rules.flags[rules.flags[:, REPEAT] == SUPERKO]
    return State(
        cells=np.zeros((batch, cells), np.int8),
        info=np.zeros((batch, N_INFO), np.int16),
        heads=np.zeros((batch, grouped), np.int16),
        rings=np.zeros((batch, grouped), np.int16),
        members=np.zeros((batch, grouped), np.int32),
        liberties=np.zeros((batch, freed), np.int64),
        history=np.zeros((batch, superko[:, PLY_CAP].max() + 1 if len(superko) else 0), np.uint64),
    )
