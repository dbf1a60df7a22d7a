"""Symmetries of a variant: permutations of its actions under which its rules stay the same.

They are found in the neighbour table, not listed by hand: each of the eight ways to turn or reflect the
directions, with each image of one cell, fixes where every other cell goes. What survives is a symmetry of the
board; holes, stones of the set-up and gravity then have to stay as they are. On wrapped boards translations
come out as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from games.encoding import EXTRA_ACTIONS
from games.geometry import DIRECTION, N_DIRECTIONS, OFF
from games.rules import Rules, start_cells
from games.variant import Variant

_Int = NDArray[np.int64]

ANCHOR = 0
"""The cell whose image is tried everywhere."""

MAX_SYMMETRIES = 16
"""How many symmetries of one variant a `SymmetryTable` holds; only wrapped boards have more."""


class SymmetryTable(NamedTuple):
    """Symmetries of compiled variants, for kernels; K is the largest count, C the largest number of cells.

    count: int32 `[R]`: symmetries of each variant, at least 1
    perm: int16 `[R, K, C + 2]`: where each of a variant's own actions goes; the identity comes first, and
        also fills rows and columns that a variant doesn't have
    """

    count: NDArray[np.int32]  # type: ignore[assignment]  # hides tuple.count, which nobody needs here
    perm: NDArray[np.int16]


@lru_cache(maxsize=256)
def symmetries(variant: Variant) -> NDArray[np.int32]:
    """Every symmetry of a variant that turns, reflects or (on wrapped boards) shifts the board.

    Returns:
        int32 `[K, A]`, read-only: `perm[k, a]` is where action a goes; PASS and SWAP stay. The identity comes
        first, then turns and reflections of the flat board, then what wrapping adds.
    """
    cells = _automorphisms(variant)
    cells = cells[_keeps_cells(variant, cells)]
    cells = cells[np.argsort(_adds_wrapping(variant, cells), kind="stable")]
    _, first_seen = np.unique(cells, axis=0, return_index=True)
    cells = cells[np.sort(first_seen)]
    n_cells = cells.shape[1]
    extra = np.broadcast_to(n_cells + np.arange(EXTRA_ACTIONS), (len(cells), EXTRA_ACTIONS))
    perm = np.concatenate([cells, extra], axis=1).astype(np.int32)
    perm.flags.writeable = False
    return perm


def canvas_symmetries(
    rules: Rules, variants: Sequence[Variant], *, limit: int = MAX_SYMMETRIES
) -> SymmetryTable:
    """The symmetries of compiled variants as flat arrays.

    Args:
        rules: what `compile_rules(variants)` returned.
        variants: the same variants in the same order.
        limit: symmetries to keep of one variant. Turns and reflections of the flat board come first; of the
            rest, evenly spaced ones are kept, the same in every run.
    """
    if len(variants) != len(rules.flags):
        raise ValueError(f"expected the {len(rules.flags)} variants of the rules, got {len(variants)}")
    chosen = [_limited(symmetries(variant), limit) for variant in variants]
    n_actions = rules.start.shape[1] + EXTRA_ACTIONS
    count = np.array([len(perm) for perm in chosen], np.int32)
    perm = np.tile(np.arange(n_actions, dtype=np.int16), (len(chosen), int(count.max()), 1))
    for row, own in enumerate(chosen):
        perm[row, : own.shape[0], : own.shape[1]] = own
    return SymmetryTable(count, perm)


def _limited(perm: NDArray[np.int32], limit: int) -> NDArray[np.int32]:
    """The first `N_DIRECTIONS` symmetries and evenly spaced others, `limit` at most."""
    if len(perm) <= limit:
        return perm
    kept = min(limit, N_DIRECTIONS)
    spaced = np.linspace(kept, len(perm) - 1, limit - kept).round().astype(np.int64)
    limited: NDArray[np.int32] = perm[np.concatenate([np.arange(kept), spaced])]
    return limited


def _adds_wrapping(variant: Variant, cells: _Int) -> NDArray[np.bool_]:
    """bool `[K]`: whether a symmetry of the board would be none if its edges didn't touch."""
    flat = variant.model_copy(update={"board": variant.board.model_copy(update={"wrap": "none"})})
    known = {tuple(perm) for perm in _automorphisms(flat).tolist()}
    return np.array([tuple(perm) not in known for perm in cells.tolist()], np.bool_)


def _direction_maps(variant: Variant) -> _Int:
    """int64 `[G, 8]`: the turns and reflections of directions that keep gravity; the identity first."""
    steps = np.arange(N_DIRECTIONS)
    turns = np.arange(0, N_DIRECTIONS, 2)[:, None]
    maps = np.concatenate([steps + turns, turns - steps]) % N_DIRECTIONS
    if variant.move.kind == "drop":
        down = DIRECTION[variant.move.gravity]
        maps = maps[maps[:, down] == down]
    return maps


def _automorphisms(variant: Variant) -> _Int:
    """int64 `[K, C]`: where cells go under each symmetry of the board without its holes; identity first."""
    table = variant.neighbors(with_holes=False).astype(np.int64)
    n_cells = len(table)
    off = n_cells  # one more row, so that a walk off the board stays there
    steps = np.vstack([np.where(table == OFF, off, table), np.full(N_DIRECTIONS, off)])
    maps = _direction_maps(variant)
    images = np.repeat(maps, n_cells, axis=0)
    moved = _propagate(steps, images, np.tile(np.arange(n_cells), len(maps)))
    bijective = (np.sort(moved[:, :n_cells], axis=1) == np.arange(n_cells)).all(axis=1)
    moved, images = moved[bijective], images[bijective]
    kept: _Int = moved[_commutes(steps, images, moved), :n_cells]
    return kept


def _propagate(steps: _Int, images: _Int, anchor_images: _Int) -> _Int:
    """int64 `[K, C + 1]`: where cells go if the anchor goes to `anchor_images` and directions to `images`."""
    off = len(steps) - 1
    moved = np.full((len(images), off + 1), off)
    moved[:, ANCHOR] = anchor_images
    seen, queue = {ANCHOR, off}, [ANCHOR]
    for cell in queue:
        for direction, neighbor in enumerate(steps[cell].tolist()):
            if neighbor not in seen:
                seen.add(neighbor)
                queue.append(neighbor)
                moved[:, neighbor] = steps[moved[:, cell], images[:, direction]]
    return moved


def _commutes(steps: _Int, images: _Int, moved: _Int) -> NDArray[np.bool_]:
    """bool `[K]`: whether stepping and then moving is the same as moving and then stepping, everywhere."""
    same = np.ones(len(moved), np.bool_)
    for direction in range(N_DIRECTIONS):
        step_then_move = moved[:, steps[:, direction]]
        move_then_step = steps[moved, images[:, direction, None]]
        same &= (step_then_move == move_then_step).all(axis=1)
    return same


def _keeps_cells(variant: Variant, cells: _Int) -> NDArray[np.bool_]:
    """bool `[K]`: whether holes go to holes and stones of the set-up to stones of the same colour."""
    start = start_cells(variant)
    kept: NDArray[np.bool_] = (start[cells] == start).all(axis=1)
    return kept
