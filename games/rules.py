"""`Rules`: compiled variants as one struct of arrays, and the names of everything in it.

`games.compiler` fills it. It has a row for each variant, so that one compiled kernel plays a batch in which
every row is another variant.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from games.encoding import EXTRA_ACTIONS, RULE_FEATURES
from games.geometry import N_DIRECTIONS, OFF

EMPTY, FIRST, SECOND, HOLE = 0, 1, 2, 3
"""What a cell holds: nothing, a stone of the first or of the second colour, or no board (any more)."""

MAX_FAR = 16
"""Cells at distance two at most, those of a square cell that touches eight."""

PLACE, DROP, STEP, SLIDE, CLONE = range(5)
"""Flag KIND: what a move does; from STEP on, moves begin with the choice of an own stone."""

NEVER, WHEN_STUCK, ALWAYS = range(3)
"""Flag PASSING."""

ANYWHERE, BESIDE_OWN, BESIDE_ENEMY, BESIDE_ANY = range(4)
"""Flag BESIDE: bit 0 is own stones, bit 1 opposing ones."""

NO_CHAIN, STRAIGHT_CHAIN, ANY_CHAIN = range(3)
"""Flag CHAIN."""

NO_KO, KO_RULE, SUPERKO = range(3)
"""Flag REPEAT."""

NO_COUNT, COUNT_STONES, COUNT_AREA = range(3)
"""Flag COUNT."""

STUCK_DRAWS, STUCK_LOSES, STUCK_WINS, STOP_FIRST, STOP_SECOND = range(5)
"""Flag STUCK."""

(
    N_CELLS,
    N_SCAN,
    IS_PLAIN,
    KIND,
    IS_DROP,
    MUST_FLIP,
    FLIPS,
    STONES,
    FIRST_STONES,
    SWAP_RULE,
    PASSING,
    LINE,
    LINE_OF_SECOND,
    EXACT,
    MISERE,
    COUNT,
    KOMI_HALVES,
    PLY_CAP,
    MAX_LEGAL,
    FULL_ENDS,
    NEVER_STUCK,
    TAKES_ANY,
    WRAPS,
    BESIDE,
    KEEPS_LIBERTY,
    CAPTURES_NOTHING,
    DOMINO,
    TO_EMPTY,
    TO_EMPTY_OF_SECOND,
    TO_ENEMY,
    TO_ENEMY_OF_SECOND,
    OVER_ENEMY,
    OVER_ENEMY_OF_SECOND,
    CHAIN,
    MUST_JUMP,
    SHOOT,
    REPEAT,
    TAKE_ENCLOSED,
    INFECTS,
    SURROUNDS,
    HAS_GROUPS,
    REBUILDS_GROUPS,
    CONNECT,
    CONNECT_OF_SECOND,
    FORK,
    BRIDGE,
    RING,
    REACH,
    REACH_OF_SECOND,
    CAPTURE,
    CAPTURE_OF_SECOND,
    ELIMINATE,
    STUCK,
    ENDS_BY_GROUPS,
    ENDS_BY_PASSING,
    N_FLAGS,
) = range(56)
"""Columns of `Rules.flags`. X_OF_SECOND is X for the second colour: read `X + colour`.

IS_PLAIN: stones are only placed, dropped or flipped, and lines and stones are all that count
TO_EMPTY, TO_ENEMY, OVER_ENEMY: bit d is direction d
CONNECT, REACH: bits of `Rules.borders`
HAS_GROUPS: the state keeps track of groups; REBUILDS_GROUPS: anew after each move
FULL_ENDS: the game stops when no cell is empty; NEVER_STUCK: until then there is a move
TAKES_ANY: the legal moves are the empty cells (which gravity holds), and passing is no choice beside them
ENDS_BY_GROUPS: before the board is full only a group of placed stones ends the game
ENDS_BY_PASSING: only passing does
WRAPS: the same cell may be reached in several directions
"""

SIDE_BITS, INNER_BITS, CORNER_BITS = 0, 6, 12
"""Where `Rules.borders` keeps a cell's sides, its sides unless it is a corner, and its corner."""


class Rules(NamedTuple):
    """Compiled variants, R rows; C is the largest number of cells, A the canvas's actions.

    flags: int32 `[R, N_FLAGS]`
    neighbors: int16 `[R, C, 8]`: a cell or OFF
    touching: int16 `[R, C, 8]`: the cells that a cell touches, for groups; then OFF
    far: int16 `[R, C, 16]`: the cells at distance two, for clones; then OFF. `[R, C, 1]` if no variant clones
    borders: int32 `[R, C]`: sides and corners on which a cell lies, see SIDE_BITS
    scan: int16 `[R, C]`: the playable cells in the order in which moves are listed; in drop games lane by
        lane, each from the cell on which the first stone comes to rest
    skip: int16 `[R, C]`: for drop games the index in `scan` at which the next lane begins
    support: int16 `[R, C]`: for drop games the cell a stone would rest on, or OFF
    start: int8 `[R, C]`: EMPTY, FIRST, SECOND or HOLE
    canvas: uint16 `[R, C + 2]`: a variant's own action -> action of the canvas
    features: float32 `[R, F]`: the rule features that don't change during a game
    entry: int64 `[1]`: the address of the kernels for variants that aren't plain, in this process
    """

    flags: NDArray[np.int32]
    neighbors: NDArray[np.int16]
    touching: NDArray[np.int16]
    far: NDArray[np.int16]
    borders: NDArray[np.int32]
    scan: NDArray[np.int16]
    skip: NDArray[np.int16]
    support: NDArray[np.int16]
    start: NDArray[np.int8]
    canvas: NDArray[np.uint16]
    features: NDArray[np.float32]
    entry: NDArray[np.int64]


def placeholder_rules() -> Rules:
    """Rules of no game, with arrays of the right types."""
    return empty_rules(1, 1, clones=False)


def empty_rules(n: int, cells: int, *, clones: bool) -> Rules:
    """Empty tables for n variants."""
    return Rules(
        flags=np.zeros((n, N_FLAGS), np.int32),
        neighbors=np.full((n, cells, N_DIRECTIONS), OFF, np.int16),
        touching=np.full((n, cells, N_DIRECTIONS), OFF, np.int16),
        far=np.full((n, cells, MAX_FAR if clones else 1), OFF, np.int16),
        borders=np.zeros((n, cells), np.int32),
        scan=np.full((n, cells), OFF, np.int16),
        skip=np.full((n, cells), OFF, np.int16),
        support=np.full((n, cells), OFF, np.int16),
        start=np.full((n, cells), HOLE, np.int8),
        canvas=np.zeros((n, cells + EXTRA_ACTIONS), np.uint16),
        features=np.zeros((n, len(RULE_FEATURES)), np.float32),
        entry=np.zeros(1, np.int64),
    )
