"""Fingerprints: whether two variants are the same game, seen from another side.

`Variant.digest` names the rules as they are written; `fingerprint` is equal as well for variants that a turn,
a reflection or (on wrapped boards) a shift of the board carries into each other, with everything that has a
direction or a place: holes, set-up, gravity, ways, the sides to connect or to reach.

It is a canonical form: the board is walked through breadth first from a cell, neighbours in a fixed order of
directions, which numbers the cells. The smallest description over all turns and reflections of the directions
and all cells to begin with depends on nothing but the game. Colours never change places: first moves first.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from games.compiler import start_cells
from games.geometry import DIRECTION, HEX_DIRECTIONS, N_AXES, N_DIRECTIONS, OFF, cut_cells, neighbor_table
from games.variant import Variant

_Order = tuple[int, ...]

_PLACED = {
    "board": {"rows", "columns", "shape", "wrap", "holes", "setup", "adjacent"},
    "move": {"gravity", "to_empty", "to_enemy", "over_enemy", "domino"},
    "end": {"connect", "reach", "line", "capture", "ply_cap"},
    "turn": {"first_stones"},
}
"""Keys that have a place or a direction, or several spellings; what they say is described by itself."""


@lru_cache(maxsize=4096)
def fingerprint(variant: Variant) -> str:
    """16 hex digits, equal for variants that are the same game up to a symmetry of the board.

    Equal rules that are written differently share it, too: a key that can't matter (such as `adjacent` where
    nothing asks what touches) isn't looked at. Different games don't share it.
    """
    described = json.dumps([_unplaced(variant), min(_descriptions(variant))], sort_keys=True)
    return hashlib.sha256(described.encode()).hexdigest()[:16]


def _unplaced(variant: Variant) -> dict[str, Any]:
    """The rules without those that have a place or a direction."""
    rules: dict[str, Any] = {
        section: getattr(variant, section).model_dump(exclude=_PLACED.get(section), exclude_defaults=True)
        for section in ("board", "move", "turn", "effect", "end")
    }
    rules["more"] = [variant.lines, variant.captures, variant.first_turn_stones, variant.ply_cap]
    rules["touching"] = len(variant.touching) if _asks_what_touches(variant) else 0
    return rules


def _asks_what_touches(variant: Variant) -> bool:
    move, effect, end = variant.move, variant.effect, variant.end
    groups = any(variant.connects) or end.fork or end.bridge or end.ring or end.count == "area"
    moves = move.kind == "clone" or move.beside != "anywhere" or move.keeps_liberty or move.captures_nothing
    return bool(groups or moves or effect.infect or effect.surround)


def _descriptions(variant: Variant) -> Iterator[list[Any]]:
    """The board and all that has a place on it, for each way to look at it that could be smallest."""
    table = _table(variant)
    labels = _labels(variant)
    anchors = _rarest(table, labels)
    orders = _hex_orders() if variant.is_hexagonal else _square_orders()
    for order in orders:
        for anchor in anchors:
            number = _numbers(table, anchor, order)
            walked = sorted(number, key=number.__getitem__)
            near = [[number.get(table[cell][d], OFF) for d in order] for cell in walked]
            yield [near, [labels[c] for c in walked], _directed(variant, order), _sided(variant, number)]


def _table(variant: Variant) -> list[list[int]]:
    """Neighbours of every cell; holes are cells here, since clones jump over them; what is cut off isn't."""
    board = variant.board
    table: list[list[int]] = neighbor_table(
        board.rows,
        board.columns,
        wraps_rows=board.wrap in ("rows", "both"),
        wraps_columns=board.wrap in ("columns", "both"),
        holes=cut_cells(board.shape, board.rows, board.columns),
        hexagonal=variant.is_hexagonal,
    ).tolist()
    return table


def _labels(variant: Variant) -> list[int]:
    """What each cell holds at the start, and which goals' sides it lies on."""
    labels: list[int] = start_cells(variant).tolist()
    sides = variant.sides
    for colour in (0, 1):
        goals = [*variant.connects[colour], *filter(None, [variant.reaches[colour]])]
        for cell in {cell for name in goals for cell in sides[name]}:
            labels[cell] += 4 << colour
    return labels


def _rarest(table: Sequence[Sequence[int]], labels: Sequence[int]) -> list[int]:
    """The cells of the rarest kind, by neighbours and label, which no turn of the board changes."""
    kinds = {
        cell: (len(near) - near.count(OFF), labels[cell], sorted(labels[n] for n in near if n != OFF))
        for cell, near in enumerate(table)
        if len(table) == 1 or near.count(OFF) < len(near)
    }
    texts = {cell: repr(kind) for cell, kind in kinds.items()}
    rarest = min((count, kind) for kind, count in Counter(texts.values()).items())[1]
    cells = [cell for cell, kind in texts.items() if kind == rarest]
    wrapped_everywhere = len(cells) == len(table) and not any(OFF in near for near in table)
    return cells[:1] if wrapped_everywhere else cells


def _numbers(table: Sequence[Sequence[int]], anchor: int, order: _Order) -> dict[int, int]:
    """The place of each cell in a walk from the anchor."""
    number, queue = {anchor: 0}, [anchor]
    for cell in queue:
        for direction in order:
            near = table[cell][direction]
            if near != OFF and near not in number:
                number[near] = len(number)
                queue.append(near)
    return number


def _directed(variant: Variant, order: _Order) -> list[Any]:
    """What has a direction, as places in an order of the directions."""
    move = variant.move
    steps: list[Any] = [
        sorted(order.index(d) for d in variant.directions(ways, colour))
        for ways in (move.to_empty, move.to_enemy, move.over_enemy)
        for colour in (0, 1)
    ]
    if move.kind == "drop":
        steps.append(order.index(DIRECTION[move.gravity]))
    if move.domino:  # a pair of cells has an axis, but no direction
        steps += [order.index(d) % N_AXES for d in (DIRECTION["down"], DIRECTION["right"])]
    return steps


def _sided(variant: Variant, number: dict[int, int]) -> list[Any]:
    """The sides that goals are about, as numbers of their cells."""
    numbered = {name: sorted(number[c] for c in cells) for name, cells in variant.sides.items()}
    goals: list[Any] = [sorted(numbered[name] for name in set(goal)) for goal in variant.connects]
    goals += [numbered[side] if side else [] for side in variant.reaches]
    if variant.end.fork or variant.end.bridge:
        goals.append(sorted(numbered.values()))
    return goals


def _square_orders() -> list[_Order]:
    """The eight turns and reflections of the directions between square cells."""
    steps = range(N_DIRECTIONS)
    turns = range(0, N_DIRECTIONS, 2)
    return [tuple((turn + sign * d) % N_DIRECTIONS for d in steps) for sign in (1, -1) for turn in turns]


def _hex_orders() -> list[_Order]:
    """The twelve turns and reflections of the directions between hexagonal cells; two are unused."""
    ring, n = HEX_DIRECTIONS, len(HEX_DIRECTIONS)
    unused = tuple(d for d in range(N_DIRECTIONS) if d not in ring)
    return [
        tuple(ring[(turn + sign * i) % n] for i in range(n)) + unused for sign in (1, -1) for turn in range(n)
    ]
