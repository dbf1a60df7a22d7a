"""The rule compiler: variants become the tables and flags that one engine reads.

`compile_rules` takes any number of variants and returns one `Rules`, a struct of arrays with a row for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from games.encoding import EXTRA_ACTIONS, MAX_SIZE, RULE_FEATURES, WAYS
from games.entry_kernels import entry_address
from games.geometry import (
    DIRECTION,
    MAX_CORNERS,
    N_DIRECTIONS,
    OFF,
    OPPOSITE,
    corner_cells,
    distance_two,
    way_directions,
)
from games.rules import (
    ALWAYS,
    BESIDE,
    BRIDGE,
    CAPTURE,
    CAPTURE_OF_SECOND,
    CAPTURES_NOTHING,
    CHAIN,
    CONNECT,
    CONNECT_OF_SECOND,
    CORNER_BITS,
    COUNT,
    COUNT_AREA,
    DOMINO,
    DROP,
    ELIMINATE,
    EMPTY,
    ENDS_BY_GROUPS,
    ENDS_BY_PASSING,
    EXACT,
    FIRST,
    FIRST_STONES,
    FLIPS,
    FORK,
    FULL_ENDS,
    HAS_GROUPS,
    HOLE,
    INFECTS,
    INNER_BITS,
    IS_DROP,
    IS_PLAIN,
    KEEPS_LIBERTY,
    KIND,
    KOMI_HALVES,
    LINE,
    LINE_OF_SECOND,
    MAX_FAR,
    MAX_LEGAL,
    MISERE,
    MUST_FLIP,
    MUST_JUMP,
    N_CELLS,
    N_FLAGS,
    N_SCAN,
    NEVER,
    NEVER_STUCK,
    OVER_ENEMY,
    PASSING,
    PLACE,
    PLY_CAP,
    REACH,
    REACH_OF_SECOND,
    REBUILDS_GROUPS,
    REPEAT,
    RING,
    SECOND,
    SHOOT,
    SIDE_BITS,
    STONES,
    STUCK,
    SURROUNDS,
    SWAP_RULE,
    TAKE_ENCLOSED,
    TAKES_ANY,
    TO_EMPTY,
    TO_ENEMY,
    WRAPS,
    Rules,
    empty_rules,
)
from games.variant import Variant, Way


def canvas_size(variants: Sequence[Variant]) -> tuple[int, int]:
    """Rows and columns of the smallest canvas that holds every board."""
    return max(v.board.rows for v in variants), max(v.board.columns for v in variants)


def compile_rules(variants: Sequence[Variant]) -> Rules:
    """Compile variants, in order, onto the canvas of the largest board."""
    height, width = canvas_size(variants)
    cells = max(v.board.rows * v.board.columns for v in variants)
    clones = any(v.move.kind == "clone" for v in variants)
    rules = empty_rules(len(variants), cells, clones=clones)
    rules.entry[0] = entry_address()
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
    rules.touching[row, :n_cells] = _packed(neighbors[:, list(variant.touching)], N_DIRECTIONS)
    rules.borders[row, :n_cells] = _borders(variant)
    if variant.move.kind == "clone":
        rules.far[row, :n_cells] = _far(variant)
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
    if variant.move.kind != "drop":
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


def _packed(table: NDArray[np.int16], width: int) -> NDArray[np.int16]:
    """int16 `[C, width]`: the cells of each row of a table first, OFF behind them."""
    packed = np.full((len(table), width), OFF, np.int16)
    for row, cells in enumerate(table):
        # on narrow wrapped boards a cell may come twice, or touch itself
        near = dict.fromkeys(cells[(cells != OFF) & (cells != row)].tolist())
        packed[row, : len(near)] = list(near)
    return packed


def _far(variant: Variant) -> NDArray[np.int16]:
    """int16 `[C, MAX_FAR]`: the cells at distance two, which holes neither block nor are."""
    holes = sorted(variant.hole_cells)
    packed = np.full((variant.board.rows * variant.board.columns, MAX_FAR), OFF, np.int16)
    for cell, cells in enumerate(distance_two(variant.neighbors(with_holes=False), variant.touching)):
        near = np.setdiff1d(cells, holes)
        if cell not in holes:
            packed[cell, : len(near)] = near
    return packed


def _borders(variant: Variant) -> NDArray[np.int32]:
    """int32 `[C]`: bits of the sides and corners on which each cell lies."""
    borders = np.zeros(variant.board.rows * variant.board.columns, np.int32)
    sides = variant.sides
    corners = corner_cells(sides)
    for bit, cells in enumerate(sides.values()):
        for cell in cells:
            borders[cell] |= 1 << (SIDE_BITS + bit)
            if cell not in corners:
                borders[cell] |= 1 << (INNER_BITS + bit)
    for bit, cell in enumerate(corners if len(corners) <= MAX_CORNERS else ()):
        borders[cell] |= 1 << (CORNER_BITS + bit)
    return borders


def _side_mask(variant: Variant, names: Sequence[str]) -> int:
    """The bits of some sides."""
    order = list(variant.sides)
    return sum({1 << (SIDE_BITS + order.index(name)) for name in names})


def _flags(variant: Variant, start: NDArray[np.int8], n_scan: int) -> NDArray[np.int32]:
    board_flags = {N_CELLS: len(start), N_SCAN: n_scan, MAX_LEGAL: _max_legal(variant, start)}
    each = (
        board_flags,
        _move_flags(variant),
        _turn_flags(variant),
        _effect_flags(variant),
        _end_flags(variant),
    )
    flags = np.zeros(N_FLAGS, np.int32)
    for group in each:
        for flag, value in group.items():
            flags[flag] = value
    flags[IS_PLAIN] = _is_plain(flags)
    conditions = (MUST_FLIP, BESIDE, KEEPS_LIBERTY, CAPTURES_NOTHING, DOMINO, REPEAT)
    groups = (CONNECT, CONNECT_OF_SECOND, FORK, BRIDGE, RING)
    others = (LINE, LINE_OF_SECOND, REACH, REACH_OF_SECOND, CAPTURE, CAPTURE_OF_SECOND, ELIMINATE)
    flags[NEVER_STUCK] = variant.places and not flags[list(conditions)].any()
    flags[TAKES_ANY] = flags[NEVER_STUCK] and flags[PASSING] != ALWAYS
    only_groups = flags[list(groups)].any() and not flags[list(others)].any()
    simple = flags[NEVER_STUCK] and not flags[REBUILDS_GROUPS]
    flags[ENDS_BY_GROUPS] = only_groups and simple and not flags[SURROUNDS]
    flags[ENDS_BY_PASSING] = flags[PASSING] != NEVER and not flags[[*groups, *others]].any()
    return flags


def _is_plain(flags: NDArray[np.int32]) -> bool:
    """Whether nothing is set but what the engine's short path knows."""
    special = (BESIDE, KEEPS_LIBERTY, CAPTURES_NOTHING, DOMINO, TAKE_ENCLOSED, INFECTS, SURROUNDS, HAS_GROUPS)
    goals = (REACH, REACH_OF_SECOND, CAPTURE, CAPTURE_OF_SECOND, ELIMINATE, STUCK, KOMI_HALVES)
    plain = flags[KIND] in (PLACE, DROP) and flags[PASSING] != ALWAYS and flags[COUNT] != COUNT_AREA
    same_line = flags[LINE] == flags[LINE_OF_SECOND]
    return bool(plain and same_line and not flags[[*special, *goals]].any())


def _move_flags(variant: Variant) -> dict[int, int]:
    move = variant.move
    ways = {TO_EMPTY: move.to_empty, TO_ENEMY: move.to_enemy, OVER_ENEMY: move.over_enemy}
    return {
        KIND: ("place", "drop", "step", "slide", "clone").index(move.kind),
        IS_DROP: move.kind == "drop",
        MUST_FLIP: move.must_flip,
        BESIDE: ("anywhere", "own", "enemy", "any").index(move.beside),
        KEEPS_LIBERTY: move.keeps_liberty,
        CAPTURES_NOTHING: move.captures_nothing,
        DOMINO: move.domino,
        CHAIN: ("none", "straight", "any").index(move.chain),
        MUST_JUMP: move.must_jump,
        SHOOT: move.shoot,
        **{
            flag + colour: sum(1 << direction for direction in variant.directions(names, colour))
            for flag, names in ways.items()
            for colour in (0, 1)
        },
    }


def _turn_flags(variant: Variant) -> dict[int, int]:
    turn = variant.turn
    return {
        STONES: turn.stones,
        FIRST_STONES: variant.first_turn_stones,
        SWAP_RULE: turn.swap,
        PASSING: ("never", "stuck", "always").index(turn.passing),
        REPEAT: ("allowed", "ko", "superko").index(turn.repeat),
        FULL_ENDS: variant.places or variant.move.kind == "clone",
        WRAPS: variant.board.wrap != "none",
    }


def _effect_flags(variant: Variant) -> dict[int, int]:
    move, effect, end = variant.move, variant.effect, variant.end
    connection = any(variant.connects) or end.fork or end.bridge or end.ring
    groups = connection or effect.surround or move.keeps_liberty or move.captures_nothing
    changes = effect.flip or effect.infect or effect.take_enclosed or not variant.places
    return {
        FLIPS: effect.flip,
        TAKE_ENCLOSED: effect.take_enclosed or 0,
        INFECTS: effect.infect,
        SURROUNDS: effect.surround,
        HAS_GROUPS: bool(groups),
        REBUILDS_GROUPS: bool(groups and changes),
    }


def _end_flags(variant: Variant) -> dict[int, int]:
    end = variant.end
    flags = {
        EXACT: end.exact,
        MISERE: end.misere,
        COUNT: ("none", "stones", "area").index(end.count),
        KOMI_HALVES: round(2 * end.komi),
        PLY_CAP: variant.ply_cap,
        FORK: end.fork or 0,
        BRIDGE: end.bridge or 0,
        RING: end.ring,
        ELIMINATE: end.eliminate,
        STUCK: ("draw", "loses", "wins", "first", "second").index(end.stuck),
    }
    for colour in (0, 1):
        side = variant.reaches[colour]
        flags[LINE + colour] = variant.lines[colour]
        flags[CONNECT + colour] = _side_mask(variant, variant.connects[colour])
        flags[REACH + colour] = _side_mask(variant, [side] if side else [])
        flags[CAPTURE + colour] = variant.captures[colour]
    return flags


def _max_legal(variant: Variant, start: NDArray[np.int8]) -> int:
    """An upper bound of legal actions in any position."""
    cells = int(np.count_nonzero(start != HOLE))
    extra = variant.turn.swap + (variant.turn.passing != "never") + (variant.move.chain != "none")
    if variant.move.kind == "drop":
        return len(_lanes(variant, variant.neighbors())) + extra
    if variant.move.kind == "place":
        return (cells if variant.removes else int(np.count_nonzero(start == EMPTY))) + extra
    if variant.move.kind == "clone":
        return cells + extra
    stones = max(map(len, variant.setup_cells))
    if variant.effect.flip or variant.effect.infect:
        stones = sum(map(len, variant.setup_cells))
    return min(cells, max(stones, _max_targets(variant))) + extra


def _max_targets(variant: Variant) -> int:
    """An upper bound of the cells that one stone can move to or shoot at."""
    move = variant.move
    table = variant.neighbors()
    most = 0
    for colour in (0, 1):
        jumps = len(variant.directions(move.over_enemy, colour))
        ways = variant.directions((*move.to_empty, *move.to_enemy), colour)
        reach = np.zeros(len(table), np.int64)
        for direction in ways:
            ends = _ray_lengths(table[:, direction])
            reach += ends if move.kind == "slide" or move.shoot else np.minimum(ends, 1)
        most = max(most, int(reach.max()) + jumps)
    return most


def _ray_lengths(following: NDArray[np.int16]) -> NDArray[np.int64]:
    """int64 `[C]`: cells on the way in one direction, to the edge, or back to its start."""
    lengths = np.zeros(len(following), np.int64)
    start = np.arange(len(following))
    here = following.astype(np.int64)
    while (going := (here != OFF) & (here != start)).any():
        lengths += going
        here = np.where(going, following[here], OFF)
    return lengths


def _features(variant: Variant) -> NDArray[np.float32]:
    board, move, turn, effect, end = variant.board, variant.move, variant.turn, variant.effect, variant.end
    gravity = move.gravity if move.kind == "drop" else None
    ways = {"to_empty": move.to_empty, "to_enemy": move.to_enemy, "over_enemy": move.over_enemy}
    line, capture = max(variant.lines), max(variant.captures)
    values: dict[str, float] = {
        "rows": board.rows / MAX_SIZE,
        "columns": board.columns / MAX_SIZE,
        "wrap_rows": board.wrap in ("rows", "both"),
        "wrap_columns": board.wrap in ("columns", "both"),
        **{f"gravity_{side}": gravity == side for side in DIRECTION},
        "line_length": line / 6,
        "exact": end.exact,
        "misere": end.misere,
        "stones_per_turn": turn.stones / 4,
        "first_turn_stones": variant.first_turn_stones / 4,
        "swap_rule": turn.swap,
        "flips": effect.flip,
        "must_flip": move.must_flip,
        "majority": end.count == "stones",
        "hex_cells": variant.is_hexagonal,
        "touch_eight": board.adjacent == 8 and not variant.is_hexagonal,
        **{kind: move.kind == kind for kind in ("step", "slide", "clone")},
        **{f"{key}_{way}": _takes_way(variant, names, way) for key, names in ways.items() for way in WAYS},
        "chain": {"none": 0.0, "straight": 0.5, "any": 1.0}[move.chain],
        "must_jump": move.must_jump,
        "shoot": move.shoot,
        "beside_own": move.beside in ("own", "any"),
        "beside_enemy": move.beside in ("enemy", "any"),
        "keeps_liberty": move.keeps_liberty,
        "captures_nothing": move.captures_nothing,
        "domino": move.domino,
        "may_pass": turn.passing == "always",
        "ko": {"allowed": 0.0, "ko": 0.5, "superko": 1.0}[turn.repeat],
        "take_enclosed": (effect.take_enclosed or 0) / 6,
        "infects": effect.infect,
        "surrounds": effect.surround,
        "area": end.count == "area",
        "komi": end.komi / 10,
        "connects": max(len(sides) for sides in variant.connects) / 3,
        "fork": (end.fork or 0) / 6,
        "bridge": (end.bridge or 0) / 6,
        "ring": end.ring,
        "reach": any(variant.reaches),
        "capture": min(capture / 20, 2.0),
        "eliminate": end.eliminate,
        **{f"stuck_{way}": end.stuck == way for way in ("loses", "wins", "first", "second")},
    }
    return np.array([values.get(name, 0.0) for name in RULE_FEATURES], np.float32)


def _takes_way(variant: Variant, names: Sequence[Way], way: str) -> float:
    """The share of a way's directions that some ways hold; hex cells have no diagonal ways."""
    try:
        wanted = set(way_directions(way, hexagonal=variant.is_hexagonal, colour=0))
    except KeyError:
        return 0.0
    return len(wanted & set(variant.directions(names, 0))) / len(wanted)
