"""The rule compiler: variants become tables that one engine reads.

`compile_rules` takes any number of variants and returns one `Rules`, a struct of arrays with a row for each,
so that one compiled kernel plays a batch in which every row is another variant.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from games.encoding import EXTRA_ACTIONS, MAX_SIZE, RULE_FEATURES
from games.geometry import DIRECTION, N_DIRECTIONS, OFF, OPPOSITE
from games.variant import Variant

EMPTY, FIRST, SECOND, HOLE = 0, 1, 2, 3
"""What a cell holds: nothing, a stone of the first or of the second colour, or no board."""

(
    N_CELLS,
    N_SCAN,
    IS_DROP,
    MUST_FLIP,
    FLIPS,
    STONES,
    FIRST_STONES,
    SWAP_RULE,
    PASS_WHEN_STUCK,
    LINE,
    EXACT,
    MISERE,
    MAJORITY,
    PLY_CAP,
    MAX_LEGAL,
    N_FLAGS,
) = range(16)
"""Columns of `Rules.flags`."""


class Rules(NamedTuple):
    """Compiled variants, R rows; C is the largest number of cells, A the canvas's actions.

    flags: int32 `[R, N_FLAGS]`
    neighbors: int16 `[R, C, 8]`: a cell or OFF
    scan: int16 `[R, C]`: the playable cells in the order in which moves are listed; in drop games lane by
        lane, each from the cell on which the first stone comes to rest
    skip: int16 `[R, C]`: for drop games the index in `scan` at which the next lane begins
    support: int16 `[R, C]`: for drop games the cell a stone would rest on, or OFF
    start: int8 `[R, C]`: EMPTY, FIRST, SECOND or HOLE
    canvas: uint16 `[R, C + 2]`: a variant's own action -> action of the canvas
    features: float32 `[R, F]`: the rule features that don't change during a game
    """

    flags: NDArray[np.int32]
    neighbors: NDArray[np.int16]
    scan: NDArray[np.int16]
    skip: NDArray[np.int16]
    support: NDArray[np.int16]
    start: NDArray[np.int8]
    canvas: NDArray[np.uint16]
    features: NDArray[np.float32]


def canvas_size(variants: Sequence[Variant]) -> tuple[int, int]:
    """Rows and columns of the smallest canvas that holds every board."""
    return max(v.board.rows for v in variants), max(v.board.columns for v in variants)


def compile_rules(variants: Sequence[Variant]) -> Rules:
    """Compile variants, in order, onto the canvas of the largest board."""
    height, width = canvas_size(variants)
    cells = max(v.board.rows * v.board.columns for v in variants)
    n = len(variants)
    rules = Rules(
        flags=np.zeros((n, N_FLAGS), np.int32),
        neighbors=np.full((n, cells, N_DIRECTIONS), OFF, np.int16),
        scan=np.full((n, cells), OFF, np.int16),
        skip=np.full((n, cells), OFF, np.int16),
        support=np.full((n, cells), OFF, np.int16),
        start=np.full((n, cells), HOLE, np.int8),
        canvas=np.zeros((n, cells + EXTRA_ACTIONS), np.uint16),
        features=np.zeros((n, len(RULE_FEATURES)), np.float32),
    )
    for row, variant in enumerate(variants):
        _fill_row(rules, row, variant, height, width)
    return rules


@lru_cache(maxsize=256)
def rules_of(variant: Variant) -> Rules:
    """The compiled rules of one variant (R = 1), on its own canvas."""
    return compile_rules((variant,))


def _fill_row(rules: Rules, row: int, variant: Variant, height: int, width: int) -> None:
    neighbors = variant.neighbors()
    n_cells = len(neighbors)
    start = start_cells(variant)
    lanes = _lanes(variant, neighbors)
    scan = np.concatenate(lanes)
    rules.neighbors[row, :n_cells] = neighbors
    rules.start[row, :n_cells] = start
    rules.scan[row, : len(scan)] = scan
    lengths = [len(lane) for lane in lanes]
    rules.skip[row, : len(scan)] = np.repeat(np.cumsum(lengths), lengths)
    if variant.move.kind == "drop":
        rules.support[row, :n_cells] = neighbors[:, DIRECTION[variant.move.gravity]]
    rules.canvas[row, : n_cells + EXTRA_ACTIONS] = canvas_actions(variant, height, width)
    rules.flags[row] = _flags(variant, start, len(scan))
    rules.features[row] = _features(variant)


def start_cells(variant: Variant) -> NDArray[np.int8]:
    """int8 `[C]`: the board before the first move."""
    cells = np.full(variant.board.rows * variant.board.columns, EMPTY, np.int8)
    first, second = variant.setup_cells
    cells[sorted(variant.hole_cells)] = HOLE
    cells[list(first)] = FIRST
    cells[list(second)] = SECOND
    return cells


def canvas_actions(variant: Variant, height: int, width: int) -> NDArray[np.int32]:
    """int32 `[own A]`: where each of the variant's own actions lies on a height x width canvas."""
    row, column = np.divmod(np.arange(variant.board.rows * variant.board.columns), variant.board.columns)
    extra = height * width + np.arange(EXTRA_ACTIONS)
    return np.concatenate([row * width + column, extra]).astype(np.int32)


def _lanes(variant: Variant, neighbors: NDArray[np.int16]) -> list[NDArray[np.int16]]:
    """Playable cells by lane: in drop games from where stones come to rest, else every cell is a lane."""
    cells = np.setdiff1d(np.arange(len(neighbors)), sorted(variant.hole_cells)).astype(np.int16)
    if variant.move.kind == "place":
        return list(cells[:, None])
    down = DIRECTION[variant.move.gravity]
    bases = cells[neighbors[cells, down] == OFF]
    if variant.move.gravity in ("down", "up"):
        bases = bases[np.argsort(bases % variant.board.columns, kind="stable")]
    return [_walk(neighbors, base, OPPOSITE[down]) for base in bases]


def _walk(neighbors: NDArray[np.int16], cell: int, direction: int) -> NDArray[np.int16]:
    """The cells from one on in a direction until the board ends."""
    cells = []
    while cell != OFF:
        cells.append(cell)
        cell = neighbors[cell, direction]
    return np.array(cells, np.int16)


def _flags(variant: Variant, start: NDArray[np.int8], n_scan: int) -> NDArray[np.int32]:
    flags = np.zeros(N_FLAGS, np.int32)
    flags[N_CELLS], flags[N_SCAN] = len(start), n_scan
    flags[IS_DROP] = variant.move.kind == "drop"
    flags[MUST_FLIP], flags[FLIPS] = variant.move.must_flip, variant.effect.flip
    flags[STONES], flags[FIRST_STONES] = variant.turn.stones, variant.first_turn_stones
    flags[SWAP_RULE], flags[PASS_WHEN_STUCK] = variant.turn.swap, variant.turn.pass_when_stuck
    flags[LINE], flags[EXACT] = variant.end.line or 0, variant.end.exact
    flags[MISERE], flags[MAJORITY] = variant.end.misere, variant.end.majority
    flags[PLY_CAP] = variant.ply_cap
    flags[MAX_LEGAL] = _max_legal(variant, start)
    return flags


def _max_legal(variant: Variant, start: NDArray[np.int8]) -> int:
    """An upper bound of legal actions in any position."""
    if variant.move.kind == "drop":
        places = len(_lanes(variant, variant.neighbors()))
    else:
        places = int(np.count_nonzero(start == EMPTY))
    return places + variant.turn.swap + variant.turn.pass_when_stuck


def _features(variant: Variant) -> NDArray[np.float32]:
    board, move, turn, effect, end = variant.board, variant.move, variant.turn, variant.effect, variant.end
    gravity = move.gravity if move.kind == "drop" else None
    values: dict[str, float] = {
        "rows": board.rows / MAX_SIZE,
        "columns": board.columns / MAX_SIZE,
        "wrap_rows": board.wrap in ("rows", "both"),
        "wrap_columns": board.wrap in ("columns", "both"),
        **{f"gravity_{side}": gravity == side for side in DIRECTION},
        "line_length": (end.line or 0) / 6,
        "exact": end.exact,
        "misere": end.misere,
        "stones_per_turn": turn.stones / 4,
        "first_turn_stones": variant.first_turn_stones / 4,
        "swap_rule": turn.swap,
        "flips": effect.flip,
        "must_flip": move.must_flip,
        "majority": end.majority,
    }
    return np.array([values.get(name, 0.0) for name in RULE_FEATURES], np.float32)
