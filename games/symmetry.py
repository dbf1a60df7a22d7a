"""Symmetries of a variant: permutations of its actions under which its rules stay the same.

They are found in the neighbour table, not listed by hand: each way to turn or reflect the directions (eight
for square cells, twelve for hexagonal ones), with each image of one cell, fixes where every other cell goes.
What survives is a symmetry of the board; holes, stones of the set-up, gravity, the ways stones move, and the
sides that are goals then have to stay as they are. On wrapped boards translations come out as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from games.compiler import start_cells
from games.encoding import EXTRA_ACTIONS
from games.geometry import DIRECTION, HEX_DIRECTIONS, N_DIRECTIONS, OFF
from games.rules import Rules
from games.variant import Variant

_Int = NDArray[np.int64]

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
    """int64 `[G, 8]`: turns and reflections that keep gravity and ways to move; identity first."""
    circle = np.array(HEX_DIRECTIONS if variant.is_hexagonal else range(N_DIRECTIONS))
    step = 1 if variant.is_hexagonal else 2  # a square turns by quarters, not by eighths
    places, turns = np.arange(len(circle)), np.arange(0, len(circle), step)[:, None]
    images = np.concatenate([places + turns, turns - places]) % len(circle)
    maps = np.tile(np.arange(N_DIRECTIONS), (len(images), 1))
    maps[:, circle] = circle[images]
    for kept in _kept_directions(variant):
        maps = maps[[set(row[list(kept)].tolist()) == set(kept) for row in maps]]
    return maps


def _kept_directions(variant: Variant) -> list[tuple[int, ...]]:
    """Sets of directions that a symmetry has to map to themselves."""
    move = variant.move
    ways = [move.to_empty, move.to_enemy, move.over_enemy]
    kept = [variant.directions(names, colour) for names in ways for colour in (0, 1)]
    if move.kind == "drop":
        kept.append((DIRECTION[move.gravity],))
    if move.domino:  # named by the upper or left cell, so neither may come to lie on the other side
        kept += [(DIRECTION["down"],), (DIRECTION["right"],)]
    return [directions for directions in kept if directions]


def _automorphisms(variant: Variant) -> _Int:
    """int64 `[K, C]`: where cells go under each symmetry of the board without its holes; identity first."""
    table = variant.neighbors(with_holes=False).astype(np.int64)
    n_cells = len(table)
    off = n_cells  # one more row, so that a walk off the board stays there
    steps = np.vstack([np.where(table == OFF, off, table), np.full(N_DIRECTIONS, off)])
    maps = _direction_maps(variant)
    on_board = np.setdiff1d(np.arange(n_cells), sorted(variant.cut_cells))
    images = np.repeat(maps, len(on_board), axis=0)
    moved = _propagate(steps, images, np.tile(on_board, len(maps)))
    bijective = (np.sort(moved[:, :n_cells], axis=1) == np.arange(n_cells)).all(axis=1)
    moved, images = moved[bijective], images[bijective]
    kept: _Int = moved[_commutes(steps, images, moved), :n_cells]
    return kept


def _propagate(steps: _Int, images: _Int, anchor_images: _Int) -> _Int:
    """int64 `[K, C + 1]`: where cells go if the anchor goes to `anchor_images` and directions to `images`.

    The anchor is the first image; cells outside the board's shape stay where they are.
    """
    off = len(steps) - 1
    anchor = int(anchor_images[0])
    moved = np.tile(np.arange(off + 1), (len(images), 1))
    moved[:, anchor] = anchor_images
    seen, queue = {anchor, off}, [anchor]
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
    """bool `[K]`: whether holes, stones of the set-up and the sides that are goals stay what they are."""
    start = start_cells(variant)
    kept: NDArray[np.bool_] = (start[cells] == start).all(axis=1)
    goals = [[variant.sides[side] for side in sides] for sides in variant.connects]
    goals += [[variant.sides[side]] if side else [] for side in variant.reaches]
    for goal in goals:
        kept &= np.array([_maps_to_itself(perm, goal) for perm in cells], np.bool_)
    return kept


def _maps_to_itself(perm: _Int, goal: list[frozenset[int]]) -> bool:
    """Whether a permutation of cells leads the sides of a goal to the sides of the goal."""
    return {frozenset(perm[sorted(side)].tolist()) for side in goal} == set(goal)
