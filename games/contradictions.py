"""What a variant may not say: rules that contradict each other are refused with the reason.

Each message begins with the key it is about, so that `games.variant` can point at its line in the TOML.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from games.geometry import DIRECTION, MAX_CORNERS, OFF, OPPOSITE, corner_cells
from games.notation import cell_name

if TYPE_CHECKING:
    from games.variant import Variant


def check_variant(variant: Variant) -> None:
    """Raise `ValueError` with one line if the rules can't be played as they stand."""
    _check_shape(variant)
    _check_cells(variant)
    _check_move(variant)
    _check_placing(variant)
    _check_walking(variant)
    _check_turn(variant)
    _check_effects(variant)
    _check_goals(variant)
    _check_goals_can_happen(variant)
    _check_stones_suffice(variant)
    _check_sides(variant)
    _check_reach(variant)


def _refuse_unless(holds: object, key: str, reason: str) -> None:
    if not holds:
        raise ValueError(f"{key}: {reason}")


def _check_shape(variant: Variant) -> None:
    board = variant.board
    if board.shape != "full":
        _refuse_unless(variant.is_hexagonal, "board.shape", f"{board.shape!r} needs board.cells = 'hex'")
        _refuse_unless(board.wrap == "none", "board.wrap", f"a {board.shape} has no edges that could touch")
        same = board.rows == board.columns
        got = f"got {board.rows} x {board.columns}"
        _refuse_unless(same, "board.rows", f"a {board.shape} needs as many rows as columns, {got}")
    if board.shape == "hexagon":
        odd = board.rows % 2
        _refuse_unless(odd, "board.rows", f"a hexagon needs 2 * side - 1 rows and columns, got {board.rows}")
    if variant.is_hexagonal:
        touches = "adjacent" not in board.model_fields_set
        _refuse_unless(touches, "board.adjacent", "cells = 'hex' always touch 6 others")


def _check_cells(variant: Variant) -> None:
    """Holes and set-up lie on the board, without overlap, and leave something to play with."""
    board, setup = variant.board, variant.board.setup
    keys = {"holes": board.holes, "setup.first": setup.first, "setup.second": setup.second}
    seen = dict.fromkeys(variant.cut_cells, "is cut off by board.shape")
    for key, names in keys.items():
        for cell in _cells(variant, key, names):
            name = cell_name(cell, rows=board.rows, columns=board.columns)
            _refuse_unless(cell not in seen, f"board.{key}", f"{name} {seen.get(cell)}")
            seen[cell] = f"is already in board.{key}"
    _check_pattern(variant)
    holes, stones = len(variant.hole_cells), sum(map(len, variant.setup_cells))
    _refuse_unless(holes < board.rows * board.columns, "board.holes", "no cell is left to play on")
    full = holes + stones == board.rows * board.columns
    _refuse_unless(not full or variant.move.to_enemy, "board", "no empty cell is left to play on")


def _check_pattern(variant: Variant) -> None:
    """The pattern of the set-up fits on the board, and its keys aren't used without it."""
    board, setup = variant.board, variant.board.setup
    bare = set(_cells(variant, "setup.empty", setup.empty))
    _refuse_unless(setup.pattern != "none" or not bare, "board.setup.empty", "needs board.setup.pattern")
    if "depth" in setup.model_fields_set:
        _refuse_unless(setup.pattern == "rows", "board.setup.depth", "needs board.setup.pattern = 'rows'")
    if setup.pattern == "rows":
        fits = 2 * setup.depth <= board.rows
        _refuse_unless(fits, "board.setup.depth", f"2 x {setup.depth} rows overlap on {board.rows} rows")
    if setup.pattern in ("corners", "centre"):
        fits = min(board.rows, board.columns) > 1
        _refuse_unless(fits, "board.setup.pattern", f"{setup.pattern!r} needs two rows and columns")
    if setup.pattern == "corners":
        reason = f"'corners' needs board.shape = 'full', got {board.shape!r}"
        _refuse_unless(board.shape == "full", "board.setup.pattern", reason)
    _check_pattern_is_free(variant, bare)


def _check_pattern_is_free(variant: Variant, bare: set[int]) -> None:
    from games.variant import pattern_cells

    board = variant.board
    given = {cell: key for key in ("first", "second") for cell in variant.cells_of(getattr(board.setup, key))}
    for cell in sorted(set().union(*pattern_cells(variant)) - bare - variant.hole_cells):
        name = cell_name(cell, rows=board.rows, columns=board.columns)
        key = f"board.setup.{given.get(cell)}"
        _refuse_unless(cell not in given, key, f"{name} already has a stone of board.setup.pattern")


def _cells(variant: Variant, key: str, names: tuple[str, ...]) -> tuple[int, ...]:
    try:
        return variant.cells_of(names)
    except ValueError as error:
        raise ValueError(f"board.{key}: {error}") from None


def _check_move(variant: Variant) -> None:
    """Keys of one kind of move aren't used with another."""
    move = variant.move
    needs = {
        "gravity": ("drop",),
        "must_flip": ("place", "drop"),
        "beside": ("place",),
        "keeps_liberty": ("place", "drop"),
        "captures_nothing": ("place", "drop"),
        "domino": ("place",),
        "to_empty": ("step", "slide"),
        "to_enemy": ("step", "slide"),
        "over_enemy": ("step", "slide"),
        "chain": ("step", "slide"),
        "must_jump": ("step", "slide"),
        "shoot": ("step", "slide"),
    }
    for key, kinds in needs.items():
        if key in move.model_fields_set:
            wanted = " or ".join(f"{kind!r}" for kind in kinds)
            _refuse_unless(
                move.kind in kinds, f"move.{key}", f"needs move.kind = {wanted}, got {move.kind!r}"
            )


def _check_placing(variant: Variant) -> None:
    board, move, effect = variant.board, variant.move, variant.effect
    if move.must_flip:
        _refuse_unless(effect.flip, "move.must_flip", "needs effect.flip = true")
        both = all(variant.setup_cells)
        reason = "needs stones of both colours in board.setup, or nothing could flip"
        _refuse_unless(both, "move.must_flip", reason)
        passing = variant.turn.passing != "never"
        reason = "needs turn.passing = 'stuck' or 'always', or a player could have no move"
        _refuse_unless(passing, "move.must_flip", reason)
    if move.domino:
        other = effect.model_dump(exclude_defaults=True) or move.model_fields_set - {"kind", "domino"}
        _refuse_unless(
            not other, "move.domino", "can't be combined with effects or other conditions on the move"
        )
        _refuse_unless(not variant.is_hexagonal, "move.domino", "needs square cells")
    if move.kind == "drop":
        falls_along = "rows" if move.gravity in ("down", "up") else "columns"
        reason = f"stones would fall {move.gravity} for ever on a board that wraps its {falls_along}"
        _refuse_unless(board.wrap not in (falls_along, "both"), "move.gravity", reason)
        reason = "stones that leave the board would leave others hanging"
        _refuse_unless(not variant.removes, "move.kind", f"'drop' with captures: {reason}")
        _check_setup_is_held(variant)


def _check_setup_is_held(variant: Variant) -> None:
    """In drop games no stone of the set-up hangs over an empty cell."""
    below = variant.neighbors()[:, DIRECTION[variant.move.gravity]]
    stones = [cell for cells in variant.setup_cells for cell in cells]
    for cell in stones:
        name = cell_name(cell, rows=variant.board.rows, columns=variant.board.columns)
        held = below[cell] == OFF or below[cell] in stones
        _refuse_unless(
            held, "board.setup", f"expected stones that gravity holds, got {name} over an empty cell"
        )


def _check_walking(variant: Variant) -> None:
    """Kinds that move stones have stones to move, and a way to go."""
    move = variant.move
    if variant.places:
        return
    first, second = variant.setup_cells
    _refuse_unless(
        first and second, "move.kind", f"{move.kind!r} needs stones of both colours in board.setup"
    )
    if move.kind == "clone":
        return
    ways = move.to_empty or move.to_enemy or move.over_enemy
    _refuse_unless(ways, "move.kind", f"{move.kind!r} needs move.to_empty, move.to_enemy or move.over_enemy")
    for key in ("to_empty", "to_enemy", "over_enemy"):
        for way in getattr(move, key):
            known = not variant.is_hexagonal or way in ("forward", "sideways", "backward", "all")
            _refuse_unless(known, f"move.{key}", f"hex cells have no way {way!r}")
    sizes = {"rows": variant.board.rows, "columns": variant.board.columns}
    for edge, size in sizes.items():
        wraps = variant.board.wrap in (edge, "both")
        reason = f"jumps both ways round would land on the same cell where 4 {edge} wrap"
        _refuse_unless(not (move.over_enemy and wraps and size == 4), "move.over_enemy", reason)
    _refuse_unless(move.over_enemy or move.chain == "none", "move.chain", "needs move.over_enemy")
    _refuse_unless(move.over_enemy or not move.must_jump, "move.must_jump", "needs move.over_enemy")
    _refuse_unless(
        move.to_empty or not move.shoot, "move.shoot", "needs move.to_empty, the ways a shot flies"
    )
    jumps = move.over_enemy and move.shoot
    _refuse_unless(not jumps, "move.shoot", "can't be combined with move.over_enemy")


def _check_turn(variant: Variant) -> None:
    turn, end = variant.turn, variant.end
    if turn.swap:
        _refuse_unless(
            variant.places, "turn.swap", f"needs move.kind 'place' or 'drop', got {variant.move.kind!r}"
        )
        _refuse_unless(not any(variant.setup_cells), "turn.swap", "needs an empty board at the start")
    if turn.repeat != "allowed":
        groups = variant.effect.surround and variant.move.kind == "place"
        reason = (
            f"{turn.repeat!r} needs move.kind = 'place' and effect.surround = true, or nothing comes back"
        )
        _refuse_unless(groups, "turn.repeat", reason)
    if end.stuck in ("loses", "wins"):
        reason = f"{end.stuck!r} needs turn.passing = 'never', or nobody is ever stuck"
        _refuse_unless(turn.passing == "never", "end.stuck", reason)


def _check_effects(variant: Variant) -> None:
    move, effect = variant.move, variant.effect
    if move.captures_nothing:
        reason = "nothing would ever be captured with effect.surround"
        _refuse_unless(not effect.surround, "move.captures_nothing", reason)
    if move.captures_nothing or move.keeps_liberty:
        key = "move.captures_nothing" if move.captures_nothing else "move.keeps_liberty"
        changes = effect.flip or effect.infect or effect.take_enclosed
        reason = "can't be combined with effect.flip, effect.infect or effect.take_enclosed"
        _refuse_unless(not changes, key, reason)
    if effect.surround or move.captures_nothing or move.keeps_liberty:
        _check_setup_breathes(variant)
    if effect.take_enclosed is not None:
        _refuse_unless(move.kind != "clone", "effect.take_enclosed", "needs a move.kind other than 'clone'")
        longest = _longest_line(variant)
        reason = f"expected at most {longest - 2}, so that an own stone fits at both ends of the longest line"
        fits = effect.take_enclosed <= longest - 2
        _refuse_unless(fits, "effect.take_enclosed", f"{reason}, got {effect.take_enclosed}")


def _check_setup_breathes(variant: Variant) -> None:
    """Where groups live by their liberties, each group of the set-up has one."""
    table = variant.neighbors()[:, list(variant.touching)]
    stones = {cell: colour for colour in (0, 1) for cell in variant.setup_cells[colour]}
    free = set(range(len(table))) - variant.hole_cells - stones.keys()
    breathing = {cell for cell in stones if free & set(table[cell].tolist())}
    queue = list(breathing)
    while queue:
        cell = queue.pop()
        near = {n for n in table[cell].tolist() if stones.get(n) == stones[cell]} - breathing
        breathing |= near
        queue += near
    for cell in sorted(stones.keys() - breathing):
        name = cell_name(cell, rows=variant.board.rows, columns=variant.board.columns)
        reason = f"expected groups that touch an empty cell, got {name} in one that doesn't"
        _refuse_unless(cell in breathing, "board.setup", reason)


def _check_goals(variant: Variant) -> None:
    """There is a goal, and no key that belongs to a goal stands alone."""
    from games.variant import by_colour

    end = variant.end
    for key, least in (("line", 2), ("capture", 1)):
        for value in by_colour(getattr(end, key)):
            enough = value is None or value >= least
            _refuse_unless(enough, f"end.{key}", f"expected at least {least}, got {value}")
    for key in ("line", "connect", "reach", "capture"):
        goal = getattr(end, key)
        given = goal is None or any(by_colour(goal))
        _refuse_unless(given, f"end.{key}", "expected a goal for at least one colour, got none")
    keys = ("line", "connect", "fork", "bridge", "ring", "reach", "capture", "eliminate")
    goals = [key for key in keys if getattr(end, key)]
    decided = goals or end.count != "none" or end.stuck != "draw"
    expected = f"expected a goal ({', '.join(keys)}, count or stuck)"
    _refuse_unless(decided, "end", f"{expected}, got none")
    _refuse_unless(any(variant.lines) or not end.exact, "end.exact", "needs end.line")
    _refuse_unless(end.count != "none" or not end.komi, "end.komi", "needs end.count")
    both = end.count == "none" or end.stuck == "draw"
    _refuse_unless(
        both, "end.stuck", f"{end.stuck!r} contradicts end.count, which decides when the game stops"
    )


def _check_goals_can_happen(variant: Variant) -> None:
    """Lines fit on the board, and what is to be captured can be."""
    end, effect = variant.end, variant.effect
    longest = _longest_line(variant)
    line = max(variant.lines)
    reason = f"expected at most {longest}, the longest line on this board, got {line}"
    _refuse_unless(line <= longest, "end.line", reason)
    takes = variant.removes
    reason = "needs captures: move.to_enemy, move.over_enemy, effect.take_enclosed or effect.surround"
    _refuse_unless(takes or not any(variant.captures), "end.capture", reason)
    reason = "needs captures or changes of colour (effect.flip or effect.infect)"
    _refuse_unless(takes or effect.flip or effect.infect or not end.eliminate, "end.eliminate", reason)


def _check_stones_suffice(variant: Variant) -> None:
    """Where no stone is ever added, goals are no larger than the set-up."""
    if variant.move.kind not in ("step", "slide") or variant.effect.flip or variant.effect.infect:
        return
    for colour, name in enumerate(("first", "second")):
        own, enemy = (len(variant.setup_cells[c]) for c in (colour, 1 - colour))
        line, capture = variant.lines[colour], variant.captures[colour]
        reason = f"expected at most {own}, the stones that {name} has, got {line}"
        _refuse_unless(line <= own, "end.line", reason)
        reason = f"expected at most {enemy}, the stones that {name} can capture, got {capture}"
        _refuse_unless(capture <= enemy, "end.capture", reason)


def _check_sides(variant: Variant) -> None:
    end, sides = variant.end, variant.sides
    known = ", ".join(sides) or "none"
    for goal in variant.connects:
        for name in goal:
            _refuse_unless(
                name in sides, "end.connect", f"expected sides of this board ({known}), got {name!r}"
            )
        several = len(set(goal)) != 1
        _refuse_unless(several, "end.connect", f"expected at least two sides, got {', '.join(goal)}")
        _refuse_unless(_joined(variant, goal), "end.connect", f"holes cut {' from '.join(goal)}")
    corners = corner_cells(sides)
    open_sides = sum(bool(cells - set(corners)) for cells in sides.values())
    reason = f"the board has {open_sides} sides with cells that are no corners, got {end.fork}"
    _refuse_unless((end.fork or 0) <= open_sides, "end.fork", reason)
    reason = f"the board has {len(corners)} corners, got {end.bridge}"
    _refuse_unless((end.bridge or 0) <= len(corners), "end.bridge", reason)
    reason = f"the board has {len(corners)} corners, expected at most {MAX_CORNERS}"
    _refuse_unless(end.bridge is None or len(corners) <= MAX_CORNERS, "end.bridge", reason)
    if end.ring:
        whole = variant.is_hexagonal and variant.board.wrap == "none" and not variant.board.holes
        _refuse_unless(whole, "end.ring", "needs hex cells on a board without holes and wrapping")
        _refuse_unless(not variant.move.shoot, "end.ring", "can't be combined with move.shoot")
        inside = (variant.neighbors()[:, list(variant.touching)] != OFF).all(axis=1).any()
        _refuse_unless(inside, "end.ring", "no cell of this board has six neighbours")


def _check_reach(variant: Variant) -> None:
    """The sides to move onto are there, and some stone's ways lead to them."""
    known = ", ".join(variant.sides) or "none"
    for colour, side in enumerate(variant.reaches):
        if side is None:
            continue
        there = variant.sides.get(side)
        _refuse_unless(there, "end.reach", f"expected a side of this board ({known}), got {side!r}")
        _refuse_unless(
            not variant.places, "end.reach", "needs stones that move, with a move.kind such as 'step'"
        )
        if variant.move.kind != "clone" and not variant.effect.flip and not variant.effect.infect:
            name = ("first", "second")[colour]
            reason = f"no stone of {name} can ever move onto the {side} side with these ways"
            _refuse_unless(there and there & _landings(variant, colour), "end.reach", reason)


def _landings(variant: Variant, colour: int) -> set[int]:
    """Cells that the colour's stones could come to if nothing stood in their way."""
    table, move = variant.neighbors(), variant.move
    steps = variant.directions((*move.to_empty, *move.to_enemy), colour)
    jumps = variant.directions(move.over_enemy, colour)
    landings: set[int] = set()
    queue = list(variant.setup_cells[colour])
    while queue:
        cell = queue.pop()
        near = [int(table[cell, way]) for way in steps]
        near += [int(table[table[cell, way], way]) for way in jumps if table[cell, way] != OFF]
        new = set(near) - landings - {OFF}
        landings |= new
        queue += new
    return landings


def _joined(variant: Variant, goal: tuple[str, ...]) -> bool:
    """Whether one region of the board touches all sides of a goal."""
    table = variant.neighbors()[:, list(variant.touching)]
    left = set(range(len(table))) - variant.hole_cells
    while left:
        region, queue = set(), [left.pop()]
        while queue:
            cell = queue.pop()
            region.add(cell)
            near = [n for n in table[cell].tolist() if n in left]
            left.difference_update(near)
            queue += near
        if all(region & variant.sides[side] for side in goal):
            return True
    return False


def _longest_line(variant: Variant) -> int:
    """Cells of the longest straight line; on wrapped boards each cell counts once."""
    table = variant.neighbors()
    longest = 1
    for direction in range(len(OPPOSITE)):
        here, length = np.arange(len(table)), 1
        while True:
            here = np.where(here == OFF, OFF, table[here, direction])
            here = np.where(here == np.arange(len(table)), OFF, here)
            if (here == OFF).all():
                break
            length += 1
        longest = max(longest, length)
    return longest
