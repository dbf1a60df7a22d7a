"""What may be played where more than an empty cell is asked for: conditions on a stone, and stones that move.

`games.kernels` keeps the short path for plain variants and comes here for all others. Long functions are
compiled on their own rather than into their callers: handing the structs over is cheap beside what they do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from games.compilation import inlined, kernel
from games.geometry import DIRECTION, OFF
from games.group_kernels import (
    is_only_liberty,
)
from games.line_kernels import encloses_any
from games.number_kernels import as_int, mixed, unit
from games.rules import (
    ALWAYS,
    BESIDE,
    BESIDE_ENEMY,
    BESIDE_OWN,
    CAPTURES_NOTHING,
    CHAIN,
    CLONE,
    DOMINO,
    EMPTY,
    FIRST,
    HOLE,
    IS_DROP,
    KEEPS_LIBERTY,
    KIND,
    KO_RULE,
    MUST_FLIP,
    MUST_JUMP,
    N_CELLS,
    N_SCAN,
    OVER_ENEMY,
    PASSING,
    REPEAT,
    SECOND,
    SLIDE,
    STEP,
    STRAIGHT_CHAIN,
    SUPERKO,
    SURROUNDS,
    TO_EMPTY,
    TO_ENEMY,
    WHEN_STUCK,
    WRAPS,
    Rules,
)
from games.state import (
    BEGIN,
    COLOUR,
    JUMPING,
    KO,
    MOVING,
    ORIGIN,
    PHASE,
    PLY,
    SHOOTING,
    VARIANT,
    WAY,
    State,
)

_DOWN, _RIGHT = DIRECTION["down"], DIRECTION["right"]


@inlined
def partner_of(rules: Rules, variant: int, cell: int, colour: int) -> int:
    """The other cell of a domino whose upper or left cell is given, or OFF."""
    other = rules.neighbors[variant, cell, _DOWN if colour == 0 else _RIGHT]
    return OFF if other == cell else other


@inlined
def _touches(rules: Rules, cells: NDArray[np.int8], row: int, variant: int, cell: int, content: int) -> bool:
    for k in range(rules.neighbors.shape[2]):
        near = rules.touching[variant, cell, k]
        if near == OFF:
            return False
        if cells[row, near] == content:
            return True
    return False


@inlined
def is_on_board(rules: Rules, cells: NDArray[np.int8], row: int, variant: int, content: int) -> bool:
    for cell in range(rules.flags[variant, N_CELLS]):
        if cells[row, cell] == content:
            return True
    return False


@inlined
def _is_beside(rules: Rules, state: State, row: int, variant: int, cell: int, own: int) -> bool:
    """Whether a cell touches a stone of the kind that the rules ask for, or there is none yet."""
    wanted = rules.flags[variant, BESIDE]
    other = FIRST + SECOND - own
    if wanted & BESIDE_OWN and _touches(rules, state.cells, row, variant, cell, own):
        return True
    if wanted & BESIDE_ENEMY and _touches(rules, state.cells, row, variant, cell, other):
        return True
    if wanted & BESIDE_OWN and is_on_board(rules, state.cells, row, variant, own):
        return False
    return not (wanted & BESIDE_ENEMY and is_on_board(rules, state.cells, row, variant, other))


@inlined
def _is_last(state: State, row: int, stone: int, cell: int) -> bool:
    """Whether an empty cell is the only one that a stone's group touches."""
    return is_only_liberty(state.liberties[row, state.heads[row, stone]], cell)


@inlined
def _keeps_liberty(rules: Rules, state: State, row: int, variant: int, cell: int, own: int) -> bool:
    """Whether a stone's group touches an empty cell once its captures are off the board."""
    surrounds = rules.flags[variant, SURROUNDS]
    for k in range(rules.neighbors.shape[2]):
        near = rules.touching[variant, cell, k]
        if near == OFF:
            return False
        content = state.cells[row, near]
        if content == EMPTY:
            return True
        if content == HOLE:
            continue
        last = _is_last(state, row, near, cell)
        if (content == own and not last) or (content != own and last and surrounds):
            return True
    return False


@inlined
def _captures(rules: Rules, state: State, row: int, variant: int, cell: int, own: int) -> bool:
    """Whether a stone takes the last liberty of an opposing group."""
    other = FIRST + SECOND - own
    for k in range(rules.neighbors.shape[2]):
        near = rules.touching[variant, cell, k]
        if near == OFF:
            return False
        if state.cells[row, near] == other and _is_last(state, row, near, cell):
            return True
    return False


@inlined
def stone_hash(cell: int, content: int) -> np.uint64:
    """64 bits for a stone on a cell."""
    return mixed(np.uint64(2 * cell + content) * np.uint64(0x9E3779B97F4A7C15))


@inlined
def _group_hash(state: State, row: int, head: int) -> np.uint64:
    """The hash of all stones of a group."""
    content = state.cells[row, head]
    here, total = head, np.uint64(0)
    while True:
        total ^= stone_hash(here, content)
        here = state.rings[row, here]
        if here == head:
            return total


@inlined
def _is_first_of_its_group(rules: Rules, state: State, row: int, variant: int, cell: int, k: int) -> bool:
    """Whether no earlier neighbour of a cell belongs to the same group as its k-th."""
    head = state.heads[row, rules.touching[variant, cell, k]]
    for earlier in range(k):
        if state.heads[row, rules.touching[variant, cell, earlier]] == head:
            return False
    return True


@kernel
def _repeats(rules: Rules, state: State, row: int, variant: int, cell: int, own: int) -> bool:
    """Whether a stone on a cell brings the board back to one of the game (positional superko)."""
    now = state.history[row, state.info[row, PLY]]
    after = now ^ stone_hash(cell, own)
    lives = False
    for k in range(rules.neighbors.shape[2]):
        near = rules.touching[variant, cell, k]
        if near == OFF:
            break
        content = state.cells[row, near]
        if content == EMPTY:
            lives = True
        elif content != HOLE:
            head = state.heads[row, near]
            last = _is_last(state, row, near, cell)
            lives |= (content == own) != last
            if content != own and last and _is_first_of_its_group(rules, state, row, variant, cell, k):
                after ^= _group_hash(state, row, head)
    if not lives:
        after = now
        for k in range(rules.neighbors.shape[2]):
            near = rules.touching[variant, cell, k]
            if near == OFF:
                break
            if state.cells[row, near] == own and _is_first_of_its_group(rules, state, row, variant, cell, k):
                after ^= _group_hash(state, row, state.heads[row, near])
    for ply in range(state.info[row, PLY] + 1):
        if state.history[row, ply] == after:
            return True
    return False


@inlined
def may_place(rules: Rules, state: State, row: int, variant: int, cell: int) -> bool:
    """Whether the colour to move may put a stone on an empty cell (which gravity holds, in drop games)."""
    flags = rules.flags
    colour = state.info[row, COLOUR]
    own = FIRST + colour
    if flags[variant, MUST_FLIP] and not encloses_any(rules, state.cells, row, variant, cell, own):
        return False
    if flags[variant, DOMINO]:
        partner = partner_of(rules, variant, cell, colour)
        if partner == OFF or state.cells[row, partner] != EMPTY:
            return False
    if flags[variant, BESIDE] and not _is_beside(rules, state, row, variant, cell, own):
        return False
    if flags[variant, CAPTURES_NOTHING] and _captures(rules, state, row, variant, cell, own):
        return False
    if flags[variant, KEEPS_LIBERTY] and not _keeps_liberty(rules, state, row, variant, cell, own):
        return False
    if flags[variant, REPEAT] == KO_RULE:
        return cell != state.info[row, KO]
    return not (flags[variant, REPEAT] == SUPERKO and _repeats(rules, state, row, variant, cell, own))


@inlined
def is_held(rules: Rules, state: State, row: int, variant: int, cell: int) -> bool:
    """Whether a stone would come to rest on an empty cell; always, where nothing falls."""
    if not rules.flags[variant, IS_DROP]:
        return True
    below = rules.support[variant, cell]
    return below == OFF or state.cells[row, below] != EMPTY


@inlined
def jump_target(rules: Rules, state: State, row: int, variant: int, cell: int, d: int, own: int) -> int:
    """Where a stone lands that jumps over an opposing one in direction d, or OFF."""
    over = rules.neighbors[variant, cell, d]
    if over == OFF or state.cells[row, over] != FIRST + SECOND - own:
        return OFF
    target = rules.neighbors[variant, over, d]
    if target == OFF or state.cells[row, target] != EMPTY:
        return OFF
    return target


@inlined
def jump_ways(rules: Rules, state: State, row: int, variant: int, colour: int) -> int:
    """Directions in which the stone that moves may jump: all of the rules', or straight on."""
    ways = rules.flags[variant, OVER_ENEMY + colour]
    if state.info[row, PHASE] == JUMPING and rules.flags[variant, CHAIN] == STRAIGHT_CHAIN:
        ways &= 1 << state.info[row, WAY]
    return ways


@inlined
def can_jump(rules: Rules, state: State, row: int, variant: int, cell: int) -> bool:
    """Whether a stone of the colour to move can jump."""
    colour = state.info[row, COLOUR]
    ways = jump_ways(rules, state, row, variant, colour)
    for d in range(rules.neighbors.shape[2]):
        if ways >> d & 1 and jump_target(rules, state, row, variant, cell, d, FIRST + colour) != OFF:
            return True
    return False


@inlined
def _can_walk(rules: Rules, state: State, row: int, variant: int, cell: int) -> bool:
    """Whether a stone of the colour to move can step or slide somewhere."""
    colour = state.info[row, COLOUR]
    to_empty, to_enemy = rules.flags[variant, TO_EMPTY + colour], rules.flags[variant, TO_ENEMY + colour]
    other = SECOND - colour
    slides = rules.flags[variant, KIND] == SLIDE
    for d in range(rules.neighbors.shape[2]):
        if not (to_empty | to_enemy) >> d & 1:
            continue
        here = rules.neighbors[variant, cell, d]
        if here == OFF or here == cell:
            continue
        content = state.cells[row, here]
        if content == EMPTY and to_empty >> d & 1:
            return True
        if not to_enemy >> d & 1:
            continue
        while slides and content == EMPTY:
            here = rules.neighbors[variant, here, d]
            if here == OFF or here == cell:
                break
            content = state.cells[row, here]
        if content == other and here != OFF:
            return True
    return False


@inlined
def _can_clone_away(rules: Rules, cells: NDArray[np.int8], row: int, variant: int, cell: int) -> bool:
    """Whether a stone can jump to an empty cell at distance two."""
    for k in range(rules.far.shape[2]):
        target = rules.far[variant, cell, k]
        if target == OFF:
            return False
        if cells[row, target] == EMPTY:
            return True
    return False


@kernel
def anyone_can_jump(rules: Rules, state: State, row: int, variant: int) -> bool:
    """Whether the colour to move has a stone that can jump."""
    own = FIRST + state.info[row, COLOUR]
    for i in range(rules.flags[variant, N_SCAN]):
        cell = rules.scan[variant, i]
        if state.cells[row, cell] == own and can_jump(rules, state, row, variant, cell):
            return True
    return False


@inlined
def may_begin(rules: Rules, state: State, row: int, cell: int, jumps_only: bool) -> bool:
    """Whether a move may begin on a cell.

    jumps_only: somebody can jump, and who can must.
    """
    variant = state.info[row, VARIANT]
    content = state.cells[row, cell]
    kind = rules.flags[variant, KIND]
    own = FIRST + state.info[row, COLOUR]
    if kind < STEP:
        held = content == EMPTY and is_held(rules, state, row, variant, cell)
        return held and may_place(rules, state, row, variant, cell)
    if kind == CLONE and content == EMPTY:
        return _touches(rules, state.cells, row, variant, cell, own)
    if content != own:
        return False
    if kind == CLONE:
        return _can_clone_away(rules, state.cells, row, variant, cell)
    if rules.flags[variant, OVER_ENEMY] and can_jump(rules, state, row, variant, cell):
        return True
    return not jumps_only and _can_walk(rules, state, row, variant, cell)


@inlined
def must_jump(rules: Rules, state: State, row: int, variant: int) -> bool:
    """Whether only jumps may be made in this move."""
    return rules.flags[variant, MUST_JUMP] != 0 and anyone_can_jump(rules, state, row, variant)


@kernel
def has_move(rules: Rules, state: State, row: int, variant: int) -> bool:
    """Whether the colour to move can begin a move."""
    for i in range(rules.flags[variant, N_SCAN]):
        if may_begin(rules, state, row, as_int(rules.scan[variant, i]), False):
            return True
    return False


@inlined
def _is_new(out: NDArray[np.int16], start: int, n: int, cell: int) -> bool:
    for i in range(start, n):
        if out[i] == cell:
            return False
    return True


@inlined
def _list_jumps(rules: Rules, state: State, row: int, variant: int, out: NDArray[np.int16], n: int) -> int:
    """Append where the stone that moves can jump to at `out[n:]`; the new n."""
    colour, origin = state.info[row, COLOUR], state.info[row, ORIGIN]
    ways = jump_ways(rules, state, row, variant, colour)
    start = n
    for d in range(rules.neighbors.shape[2]):
        if ways >> d & 1:
            target = jump_target(rules, state, row, variant, origin, d, FIRST + colour)
            if target != OFF and (not rules.flags[variant, WRAPS] or _is_new(out, start, n, target)):
                out[n] = target
                n += 1
    return n


@inlined
def _list_rays(
    rules: Rules,
    state: State,
    row: int,
    variant: int,
    out: NDArray[np.int16],
    start: int,
    n: int,
    to_empty: int,
    to_enemy: int,
    slides: bool,
) -> int:
    """Append the cells that the stone on ORIGIN can go to (or shoot at) at `out[n:]`; the new n."""
    colour, origin = state.info[row, COLOUR], state.info[row, ORIGIN]
    other = SECOND - colour
    wraps = rules.flags[variant, WRAPS] != 0
    for d in range(rules.neighbors.shape[2]):
        if not (to_empty | to_enemy) >> d & 1:
            continue
        here = rules.neighbors[variant, origin, d]
        while here != OFF and here != origin:
            content = state.cells[row, here]
            fits = content == EMPTY and to_empty >> d & 1
            fits |= content == other and to_enemy >> d & 1
            if fits and (not wraps or _is_new(out, start, n, here)):
                out[n] = here
                n += 1
            if content != EMPTY or not slides:
                break
            here = rules.neighbors[variant, here, d]
    return n


@inlined
def _list_targets(rules: Rules, state: State, row: int, variant: int, out: NDArray[np.int16], n: int) -> int:
    """Append where the stone whose move has begun may go at `out[n:]`; the new n."""
    flags = rules.flags
    colour, start = state.info[row, COLOUR], n
    if flags[variant, KIND] == CLONE:
        for k in range(rules.far.shape[2]):
            target = rules.far[variant, state.info[row, ORIGIN], k]
            if target == OFF:
                break
            if state.cells[row, target] == EMPTY:
                out[n] = target
                n += 1
        return n
    if flags[variant, OVER_ENEMY]:
        n = _list_jumps(rules, state, row, variant, out, n)
        if n > start and flags[variant, MUST_JUMP]:
            return n
    to_empty, to_enemy = flags[variant, TO_EMPTY + colour], flags[variant, TO_ENEMY + colour]
    slides = flags[variant, KIND] == SLIDE
    return _list_rays(rules, state, row, variant, out, start, n, to_empty, to_enemy, slides)


@kernel
def list_special(rules: Rules, state: State, row: int, out: NDArray[np.int16], start: int) -> int:
    """Write the legal actions of a variant that isn't plain, SWAP excepted, to `out[start:]`; the end."""
    variant = state.info[row, VARIANT]
    flags = rules.flags
    n_cells = flags[variant, N_CELLS]
    phase, n = state.info[row, PHASE], start
    if phase == MOVING:
        return _list_targets(rules, state, row, variant, out, n)
    if phase == JUMPING:
        n = _list_jumps(rules, state, row, variant, out, n)
        if not flags[variant, MUST_JUMP]:
            out[n] = n_cells
            n += 1
        return n
    if phase == SHOOTING:
        ways = flags[variant, TO_EMPTY + state.info[row, COLOUR]]
        return _list_rays(rules, state, row, variant, out, n, n, ways, 0, True)
    jumps_only = must_jump(rules, state, row, variant)
    for i in range(flags[variant, N_SCAN]):
        cell = rules.scan[variant, i]
        if may_begin(rules, state, row, as_int(cell), jumps_only):
            out[n] = cell
            n += 1
    if flags[variant, PASSING] == ALWAYS or (n == start and flags[variant, PASSING] == WHEN_STUCK):
        out[n] = n_cells
        n += 1
    return n


@inlined
def _list_candidates(rules: Rules, state: State, row: int, variant: int, out: NDArray[np.int16]) -> int:
    """The cells on which a move might begin, legal or not: empty ones, own stones, or both; their number."""
    kind = rules.flags[variant, KIND]
    wanted = EMPTY if kind < STEP else FIRST + state.info[row, COLOUR]
    n = 0
    for i in range(rules.flags[variant, N_SCAN]):
        cell = rules.scan[variant, i]
        content = state.cells[row, cell]
        out[n] = cell
        fits = content == wanted or (kind == CLONE and content == EMPTY)
        n += fits and is_held(rules, state, row, variant, cell)
    return n


@kernel
def draw_special(rules: Rules, state: State, row: int, bits: np.uint64, out: NDArray[np.int16]) -> int:
    """A uniformly random legal action, SWAP excepted: candidates are drawn until one is legal."""
    variant = state.info[row, VARIANT]
    flags = rules.flags
    if state.info[row, PHASE] != BEGIN or flags[variant, MUST_JUMP]:
        n = list_special(rules, state, row, out, as_int(0))
        return as_int(out[int(unit(bits) * n)])
    n, n_cells = _list_candidates(rules, state, row, variant, out), flags[variant, N_CELLS]
    if flags[variant, PASSING] == ALWAYS:
        out[n] = n_cells
        n += 1
    while n > 0:
        drawn = int(unit(bits) * n)
        action = out[drawn]
        if action == n_cells or may_begin(rules, state, row, as_int(action), False):
            return as_int(action)
        n -= 1
        out[drawn] = out[n]
        bits = mixed(bits)
    return as_int(n_cells)
