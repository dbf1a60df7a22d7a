"""Moves beyond placing a stone: conditions, stones that move, captures, and every goal that needs more than a line.

`games.kernels` keeps the short path for plain variants and comes here for all others. Functions are compiled
on their own rather than into their callers, since they are long and handing the structs over is cheap beside
what they do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from games.compilation import inlined, kernel
from games.geometry import N_DIRECTIONS, OFF
from games.group_kernels import (
    add_stone,
    area_lead,
    borders_reach_goal,
    closes_ring,
    is_only_liberty,
    rebuild_groups,
    remove_group,
)
from games.line_kernels import count_enclosed, count_of, encloses_any, makes_line
from games.rules import (
    ALWAYS,
    BESIDE,
    BESIDE_ENEMY,
    BESIDE_OWN,
    CAPTURE,
    CAPTURES_NOTHING,
    CHAIN,
    CLONE,
    COUNT,
    COUNT_AREA,
    DOMINO,
    ELIMINATE,
    EMPTY,
    FIRST,
    FLIPS,
    FULL_ENDS,
    HAS_GROUPS,
    HOLE,
    INFECTS,
    IS_DROP,
    KEEPS_LIBERTY,
    KIND,
    KO_RULE,
    KOMI_HALVES,
    LINE,
    MISERE,
    MUST_FLIP,
    MUST_JUMP,
    N_CELLS,
    N_SCAN,
    NEVER,
    NEVER_STUCK,
    NO_CHAIN,
    NO_COUNT,
    OVER_ENEMY,
    PASSING,
    PLY_CAP,
    REACH,
    REBUILDS_GROUPS,
    REPEAT,
    RING,
    SECOND,
    SHOOT,
    SLIDE,
    STEP,
    STONES,
    STOP_FIRST,
    STOP_SECOND,
    STRAIGHT_CHAIN,
    STUCK,
    STUCK_LOSES,
    STUCK_WINS,
    SUPERKO,
    SURROUNDS,
    TAKE_ENCLOSED,
    TO_EMPTY,
    TO_ENEMY,
    WHEN_STUCK,
    WRAPS,
    Rules,
)
from games.state import (
    BEGIN,
    BORDER_BITS,
    COLOUR,
    DRAW,
    EMPTIES,
    FIRST_WINS,
    JUMPING,
    KO,
    LAST,
    MOVING,
    ONGOING,
    ORIGIN,
    PASSES,
    PHASE,
    PLY,
    SECOND_WINS,
    SHOOTING,
    SIZE_ONE,
    STATUS,
    STONES_LEFT,
    TAKEN,
    VARIANT,
    WAY,
    State,
)

_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_ALL_WAYS = (1 << N_DIRECTIONS) - 1
_DOWN, _RIGHT = 4, 2


# --- what may be played ---------------------------------------------------------------------------------------


@inlined
def _partner(rules: Rules, variant: int, cell: int, colour: int) -> int:
    """The other cell of a domino whose upper or left cell is given, or OFF."""
    other = rules.neighbors[variant, cell, _DOWN if colour == 0 else _RIGHT]
    return OFF if other == cell else other


@inlined
def _touches(rules: Rules, cells: NDArray[np.int8], row: int, variant: int, cell: int, content: int) -> bool:
    for k in range(N_DIRECTIONS):
        near = rules.touching[variant, cell, k]
        if near == OFF:
            return False
        if cells[row, near] == content:
            return True
    return False


@inlined
def _is_on_board(rules: Rules, cells: NDArray[np.int8], row: int, variant: int, content: int) -> bool:
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
    if wanted & BESIDE_OWN and _is_on_board(rules, state.cells, row, variant, own):
        return False
    return not (wanted & BESIDE_ENEMY and _is_on_board(rules, state.cells, row, variant, other))


@inlined
def _keeps_liberty(rules: Rules, state: State, row: int, variant: int, cell: int, own: int) -> bool:
    """Whether a stone's group touches an empty cell once its captures are off the board."""
    surrounds = rules.flags[variant, SURROUNDS]
    for k in range(N_DIRECTIONS):
        near = rules.touching[variant, cell, k]
        if near == OFF:
            return False
        content = state.cells[row, near]
        if content == EMPTY:
            return True
        if content == HOLE:
            continue
        last = is_only_liberty(state.liberties[row, state.heads[row, near]], cell)
        if (content == own and not last) or (content != own and last and surrounds):
            return True
    return False


@inlined
def _captures(rules: Rules, state: State, row: int, variant: int, cell: int, own: int) -> bool:
    """Whether a stone takes the last liberty of an opposing group."""
    other = FIRST + SECOND - own
    for k in range(N_DIRECTIONS):
        near = rules.touching[variant, cell, k]
        if near == OFF:
            return False
        if state.cells[row, near] == other:
            if is_only_liberty(state.liberties[row, state.heads[row, near]], cell):
                return True
    return False


@inlined
def stone_hash(cell: int, content: int) -> np.uint64:
    """64 bits for a stone on a cell (splitmix64's finish over its number: Steele, Lea & Flood, OOPSLA 2014)."""
    z = np.uint64(2 * cell + content) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return z ^ (z >> np.uint64(31))


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
    for k in range(N_DIRECTIONS):
        near = rules.touching[variant, cell, k]
        if near == OFF:
            break
        content = state.cells[row, near]
        if content == EMPTY:
            lives = True
        elif content != HOLE:
            head = state.heads[row, near]
            last = is_only_liberty(state.liberties[row, head], cell)
            lives |= (content == own) != last
            if content != own and last and _is_first_of_its_group(rules, state, row, variant, cell, k):
                after ^= _group_hash(state, row, head)
    if not lives:
        after = now
        for k in range(N_DIRECTIONS):
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
        partner = _partner(rules, variant, cell, colour)
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
def _jump_target(rules: Rules, state: State, row: int, variant: int, cell: int, d: int, own: int) -> int:
    """Where a stone lands that jumps over an opposing one in direction d, or OFF."""
    over = rules.neighbors[variant, cell, d]
    if over == OFF or state.cells[row, over] != FIRST + SECOND - own:
        return OFF
    target = rules.neighbors[variant, over, d]
    if target == OFF or state.cells[row, target] != EMPTY:
        return OFF
    return target


@inlined
def _jump_ways(rules: Rules, state: State, row: int, variant: int, colour: int) -> int:
    """Directions in which the stone that moves may jump: all of the rules', or straight on."""
    ways = rules.flags[variant, OVER_ENEMY + colour]
    if state.info[row, PHASE] == JUMPING and rules.flags[variant, CHAIN] == STRAIGHT_CHAIN:
        ways &= 1 << state.info[row, WAY]
    return ways


@inlined
def _can_jump(rules: Rules, state: State, row: int, variant: int, cell: int) -> bool:
    """Whether a stone of the colour to move can jump."""
    colour = state.info[row, COLOUR]
    ways = _jump_ways(rules, state, row, variant, colour)
    for d in range(N_DIRECTIONS):
        if ways >> d & 1 and _jump_target(rules, state, row, variant, cell, d, FIRST + colour) != OFF:
            return True
    return False


@inlined
def _can_walk(rules: Rules, state: State, row: int, variant: int, cell: int) -> bool:
    """Whether a stone of the colour to move can step or slide somewhere."""
    colour = state.info[row, COLOUR]
    to_empty, to_enemy = rules.flags[variant, TO_EMPTY + colour], rules.flags[variant, TO_ENEMY + colour]
    other = SECOND - colour
    slides = rules.flags[variant, KIND] == SLIDE
    for d in range(N_DIRECTIONS):
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
        if state.cells[row, cell] == own and _can_jump(rules, state, row, variant, cell):
            return True
    return False


@inlined
def may_begin(rules: Rules, state: State, row: int, variant: int, cell: int, jumps_only: bool) -> bool:
    """Whether a move may begin on a cell.

    jumps_only: somebody can jump, and who can must.
    """
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
    if rules.flags[variant, OVER_ENEMY] and _can_jump(rules, state, row, variant, cell):
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
        if may_begin(rules, state, row, variant, rules.scan[variant, i], False):
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
    ways = _jump_ways(rules, state, row, variant, colour)
    start = n
    for d in range(N_DIRECTIONS):
        if ways >> d & 1:
            target = _jump_target(rules, state, row, variant, origin, d, FIRST + colour)
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
    for d in range(N_DIRECTIONS):
        if not (to_empty | to_enemy) >> d & 1:
            continue
        here = rules.neighbors[variant, origin, d]
        while here != OFF and here != origin:
            content = state.cells[row, here]
            fits = content == EMPTY and to_empty >> d & 1
            if fits or (content == other and to_enemy >> d & 1):
                if not wraps or _is_new(out, start, n, here):
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
def list_special(
    rules: Rules, state: State, row: int, out: NDArray[np.int16], start: int, n_cells: int
) -> int:
    """Write the legal actions of a variant that isn't plain, SWAP excepted, to `out[start:]`; the end.

    n_cells: the action PASS.
    """
    variant = state.info[row, VARIANT]
    flags = rules.flags
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
        if may_begin(rules, state, row, variant, cell, jumps_only):
            out[n] = cell
            n += 1
    if flags[variant, PASSING] == ALWAYS or (n == start and flags[variant, PASSING] == WHEN_STUCK):
        out[n] = n_cells
        n += 1
    return n


# --- what a move does -------------------------------------------------------------------------------------------


@inlined
def _remember(rules: Rules, state: State, row: int, variant: int) -> None:
    """Keep the board's hash, for superko."""
    if rules.flags[variant, REPEAT] == SUPERKO:
        total = np.uint64(0)
        for i in range(rules.flags[variant, N_SCAN]):
            cell = rules.scan[variant, i]
            content = state.cells[row, cell]
            if content == FIRST or content == SECOND:
                total ^= stone_hash(cell, content)
        state.history[row, state.info[row, PLY]] = total


@kernel
def begin_special(rules: Rules, state: State, row: int, variant: int) -> None:
    """Prepare what only special variants keep: groups and history, and whether there is a first move."""
    if rules.flags[variant, HAS_GROUPS]:
        rebuild_groups(rules, state, row, variant, FIRST)
    _remember(rules, state, row, variant)
    if rules.flags[variant, PASSING] == NEVER and not has_move(rules, state, row, variant):
        _stop(rules, state, row, variant)


@inlined
def _take(state: State, row: int, cell: int) -> None:
    """Capture one stone of the opponent."""
    state.cells[row, cell] = EMPTY
    state.info[row, EMPTIES] += 1
    state.info[row, TAKEN + state.info[row, COLOUR]] += 1


@inlined
def _take_enclosed(rules: Rules, state: State, row: int, variant: int, cell: int, own: int) -> int:
    """Capture enclosed lines of exactly the length that counts; the number of stones."""
    low, high = count_enclosed(rules, state.cells, row, variant, cell, own)
    length, taken = rules.flags[variant, TAKE_ENCLOSED], 0
    for d in range(N_DIRECTIONS):
        if count_of(low, high, d) == length:
            here = cell
            for _ in range(length):
                here = rules.neighbors[variant, here, d]
                if state.cells[row, here] != EMPTY:  # lines may cross on a wrapped board
                    _take(state, row, here)
                    taken += 1
    return taken


@inlined
def _flip_enclosed(
    rules: Rules, state: State, row: int, variant: int, cell: int, own: int
) -> tuple[int, int]:
    """Flip what the stone encloses; the flipped stones by direction, see `count_of`."""
    low, high = count_enclosed(rules, state.cells, row, variant, cell, own)
    for d in range(N_DIRECTIONS):
        here = cell
        for _ in range(count_of(low, high, d)):
            here = rules.neighbors[variant, here, d]
            state.cells[row, here] = own
    return low, high


@inlined
def _infect(rules: Rules, state: State, row: int, variant: int, cell: int, own: int) -> int:
    """Change the colour of opposing stones that touch the stone; bit k is the k-th touching cell."""
    infected = 0
    for k in range(N_DIRECTIONS):
        near = rules.touching[variant, cell, k]
        if near == OFF:
            break
        if state.cells[row, near] == FIRST + SECOND - own:
            state.cells[row, near] = own
            infected |= 1 << k
    return infected


@inlined
def _take_groups(rules: Rules, state: State, row: int, variant: int, content: int) -> int:
    """Take every group of a colour that touches no empty cell off the board; the number of stones."""
    taken = 0
    for i in range(rules.flags[variant, N_SCAN]):
        cell = rules.scan[variant, i]
        if state.cells[row, cell] == content and state.heads[row, cell] == cell:
            if state.liberties[row, cell] == 0:
                taken += remove_group(rules, state, row, variant, cell)
    return taken


@inlined
def _take_groups_around(rules: Rules, state: State, row: int, variant: int, cell: int, content: int) -> int:
    """The same for the groups that touch a cell."""
    taken = 0
    for k in range(N_DIRECTIONS):
        near = rules.touching[variant, cell, k]
        if near == OFF:
            break
        if state.cells[row, near] == content and state.liberties[row, state.heads[row, near]] == 0:
            taken += remove_group(rules, state, row, variant, state.heads[row, near])
    return taken


@inlined
def _surround(rules: Rules, state: State, row: int, variant: int, cell: int, own: int) -> int:
    """Capture surrounded groups, the opponent's first, and settle the ko; the number of opposing stones."""
    info, other = state.info, FIRST + SECOND - own
    if rules.flags[variant, REBUILDS_GROUPS]:
        taken = _take_groups(rules, state, row, variant, other)
        _take_groups(rules, state, row, variant, own)
        return taken
    taken = _take_groups_around(rules, state, row, variant, cell, other)
    head = state.heads[row, cell]
    if state.liberties[row, head] == 0:
        remove_group(rules, state, row, variant, head)
    elif taken == 1 and state.members[row, head] // SIZE_ONE == 1:
        for k in range(N_DIRECTIONS):
            near = rules.touching[variant, cell, k]
            if near != OFF and state.cells[row, near] == EMPTY:
                if is_only_liberty(state.liberties[row, head], near):
                    info[row, KO] = near
    return taken


@inlined
def _any_group_connects(rules: Rules, state: State, row: int, variant: int, own: int) -> bool:
    """Whether any group of a colour connects what it has to."""
    for i in range(rules.flags[variant, N_SCAN]):
        cell = rules.scan[variant, i]
        if state.cells[row, cell] == own and state.heads[row, cell] == cell:
            borders = state.members[row, cell] & BORDER_BITS
            if borders_reach_goal(rules, variant, own - FIRST, borders):
                return True
    return False


@inlined
def _group_stones(rules: Rules, state: State, row: int, variant: int, cell: int, own: int) -> bool:
    """Take the landed stone into the groups, or find all of them anew; whether a ring is closed."""
    if rules.flags[variant, REBUILDS_GROUPS]:
        return rebuild_groups(rules, state, row, variant, own)
    ring = rules.flags[variant, RING] != 0 and closes_ring(rules, state, row, variant, cell)
    add_stone(rules, state, row, variant, cell, not rules.flags[variant, DOMINO])
    return ring


@inlined
def _connects(rules: Rules, state: State, row: int, variant: int, cell: int, own: int) -> bool:
    """Whether a group connects what its colour has to: the landed stone's, or any if all may have changed."""
    if rules.flags[variant, REBUILDS_GROUPS]:
        return _any_group_connects(rules, state, row, variant, own)
    if state.cells[row, cell] != own:
        return False
    borders = state.members[row, state.heads[row, cell]] & BORDER_BITS
    return borders_reach_goal(rules, variant, own - FIRST, borders)


@inlined
def _lines(
    rules: Rules,
    state: State,
    row: int,
    variant: int,
    cell: int,
    own: int,
    low: int,
    high: int,
    infected: int,
) -> bool:
    """Whether the landed stone, or one that changed its colour, is in a line that counts."""
    cells = state.cells
    if cells[row, cell] == own and makes_line(rules, cells, row, variant, cell, own):
        return True
    if low | high != 0:
        for d in range(N_DIRECTIONS):
            here = cell
            for _ in range(count_of(low, high, d)):
                here = rules.neighbors[variant, here, d]
                if cells[row, here] == own and makes_line(rules, cells, row, variant, here, own):
                    return True
    for k in range(N_DIRECTIONS):
        if infected >> k & 1:
            near = rules.touching[variant, cell, k]
            if cells[row, near] == own and makes_line(rules, cells, row, variant, near, own):
                return True
    return False


@kernel
def _land(rules: Rules, state: State, row: int, variant: int, cell: int, taken: int) -> None:
    """Everything that a stone does on the cell where it landed: effects, then goals.

    taken: stones that the move itself has captured.
    """
    flags, info = rules.flags, state.info
    colour = info[row, COLOUR]
    own = FIRST + colour
    low, high, infected, ring = 0, 0, 0, False
    if flags[variant, TAKE_ENCLOSED]:
        taken += _take_enclosed(rules, state, row, variant, cell, own)
    if flags[variant, FLIPS]:
        low, high = _flip_enclosed(rules, state, row, variant, cell, own)
    if flags[variant, INFECTS]:
        infected = _infect(rules, state, row, variant, cell, own)
    if flags[variant, HAS_GROUPS]:
        ring = _group_stones(rules, state, row, variant, cell, own)
    if flags[variant, SURROUNDS]:
        surrounded = _surround(rules, state, row, variant, cell, own)
        info[row, TAKEN + colour] += surrounded
        taken += surrounded
    won = ring
    if flags[variant, LINE + colour]:
        won |= _lines(rules, state, row, variant, cell, own, low, high, infected)
    if flags[variant, HAS_GROUPS]:
        won |= _connects(rules, state, row, variant, cell, own)
    if flags[variant, KIND] >= STEP:
        won |= rules.borders[variant, cell] & flags[variant, REACH + colour] != 0
    needed = flags[variant, CAPTURE + colour]
    won |= needed != 0 and info[row, TAKEN + colour] >= needed
    changed = taken > 0 or low | high | infected != 0
    if flags[variant, ELIMINATE] and changed:
        won |= not _is_on_board(rules, state.cells, row, variant, FIRST + SECOND - own)
    if won:
        finish(rules, state, row, variant, FIRST_WINS + colour)


@inlined
def finish(rules: Rules, state: State, row: int, variant: int, status: int) -> None:
    """End the game for the colour that reached the goal; misère turns the result round."""
    if status != DRAW and rules.flags[variant, MISERE]:
        status = FIRST_WINS + SECOND_WINS - status
    state.info[row, STATUS] = status


@inlined
def next_turn(rules: Rules, state: State, row: int, variant: int) -> None:
    """The other colour begins a turn."""
    state.info[row, COLOUR] = 1 - state.info[row, COLOUR]
    state.info[row, STONES_LEFT] = rules.flags[variant, STONES]


@inlined
def complete_move(rules: Rules, state: State, row: int, variant: int) -> None:
    """A move is made; perhaps the turn as well."""
    info = state.info
    info[row, PHASE] = BEGIN
    info[row, ORIGIN] = OFF
    info[row, WAY] = OFF
    info[row, STONES_LEFT] -= 1
    if info[row, STONES_LEFT] == 0:
        next_turn(rules, state, row, variant)


@inlined
def _put(rules: Rules, state: State, row: int, variant: int, cell: int) -> None:
    """Put a new stone, or a domino, on the board."""
    own = FIRST + state.info[row, COLOUR]
    state.cells[row, cell] = own
    state.info[row, EMPTIES] -= 1
    if rules.flags[variant, DOMINO]:
        partner = _partner(rules, variant, cell, own - FIRST)
        state.cells[row, partner] = own
        state.info[row, EMPTIES] -= 1
        _land(rules, state, row, variant, partner, 0)
        if state.info[row, STATUS] != ONGOING:
            return
    _land(rules, state, row, variant, cell, 0)


@inlined
def _way_of_jump(rules: Rules, state: State, row: int, variant: int, origin: int, target: int) -> int:
    """The first direction in which the stone on ORIGIN jumps to a target, or OFF."""
    colour = state.info[row, COLOUR]
    ways = _jump_ways(rules, state, row, variant, colour)
    for d in range(N_DIRECTIONS):
        if ways >> d & 1 and _jump_target(rules, state, row, variant, origin, d, FIRST + colour) == target:
            return d
    return OFF


@inlined
def _can_shoot(rules: Rules, state: State, row: int, variant: int, cell: int) -> bool:
    """Whether the stone that just moved has an empty cell to shoot at."""
    ways = rules.flags[variant, TO_EMPTY + state.info[row, COLOUR]]
    for d in range(N_DIRECTIONS):
        near = rules.neighbors[variant, cell, d]
        if ways >> d & 1 and near != OFF and state.cells[row, near] == EMPTY:
            return True
    return False


@inlined
def _go(rules: Rules, state: State, row: int, variant: int, target: int) -> None:
    """Move the stone on ORIGIN: step, slide, capture, jump or clone away; then what follows in the same move."""
    flags, info = rules.flags, state.info
    origin, colour = info[row, ORIGIN], info[row, COLOUR]
    way, taken = OFF, 0
    if flags[variant, OVER_ENEMY]:
        way = _way_of_jump(rules, state, row, variant, origin, target)
    if way != OFF:
        _take(state, row, rules.neighbors[variant, origin, way])
        taken = 1
    elif state.cells[row, target] != EMPTY:
        _take(state, row, target)
        taken = 1
    state.cells[row, origin] = EMPTY
    state.cells[row, target] = FIRST + colour
    info[row, ORIGIN] = target
    info[row, WAY] = way
    _land(rules, state, row, variant, target, taken)
    if info[row, STATUS] == ONGOING and state.cells[row, target] == FIRST + colour:
        if way != OFF and flags[variant, CHAIN] != NO_CHAIN:
            info[row, PHASE] = JUMPING
            if _can_jump(rules, state, row, variant, target):
                return
        if flags[variant, SHOOT] and _can_shoot(rules, state, row, variant, target):
            info[row, PHASE] = SHOOTING
            return
    complete_move(rules, state, row, variant)


@inlined
def _destroy(rules: Rules, state: State, row: int, variant: int, cell: int) -> None:
    """Shoot at an empty cell: it is no cell any more."""
    state.cells[row, cell] = HOLE
    state.info[row, EMPTIES] -= 1
    if state.liberties.shape[1] > 0:
        rebuild_groups(rules, state, row, variant, FIRST)
    complete_move(rules, state, row, variant)


@kernel
def act_special(rules: Rules, state: State, row: int, action: int) -> None:
    """Choose a cell in a variant that isn't plain. PASS and SWAP are played by `games.kernels`."""
    info = state.info
    variant = info[row, VARIANT]
    info[row, LAST] = action
    info[row, PASSES] = 0
    info[row, KO] = OFF
    kind, phase = rules.flags[variant, KIND], info[row, PHASE]
    if phase == SHOOTING:
        _destroy(rules, state, row, variant, action)
    elif phase != BEGIN:
        _go(rules, state, row, variant, action)
    elif kind >= STEP and state.cells[row, action] != EMPTY:
        info[row, ORIGIN] = action
        info[row, PHASE] = MOVING
    else:
        _put(rules, state, row, variant, action)
        complete_move(rules, state, row, variant)


# --- how a game stops --------------------------------------------------------------------------------------------


@inlined
def stones_lead(rules: Rules, state: State, row: int, variant: int) -> int:
    """Stones of the first colour less those of the second."""
    lead = 0
    for cell in range(rules.flags[variant, N_CELLS]):
        lead += state.cells[row, cell] == FIRST
        lead -= state.cells[row, cell] == SECOND
    return lead


@kernel
def _stop(rules: Rules, state: State, row: int, variant: int) -> None:
    """End a game in which nobody has reached a goal: count, or the rule for who is stuck."""
    flags, status = rules.flags, DRAW
    if flags[variant, COUNT] != NO_COUNT:
        by_area = flags[variant, COUNT] == COUNT_AREA
        lead = area_lead(rules, state, row, variant) if by_area else stones_lead(rules, state, row, variant)
        lead = 2 * lead - flags[variant, KOMI_HALVES]
        status = DRAW if lead == 0 else (FIRST_WINS if lead > 0 else SECOND_WINS)
    elif flags[variant, STUCK] == STUCK_LOSES:
        status = SECOND_WINS - state.info[row, COLOUR]
    elif flags[variant, STUCK] == STUCK_WINS:
        status = FIRST_WINS + state.info[row, COLOUR]
    elif flags[variant, STUCK] == STOP_FIRST:
        status = FIRST_WINS
    elif flags[variant, STUCK] == STOP_SECOND:
        status = SECOND_WINS
    finish(rules, state, row, variant, status)


@kernel
def end_without_goal(rules: Rules, state: State, row: int) -> None:
    """Two passes, a full board, nobody to move, or the ply cap; and the board is remembered, for superko."""
    info, flags = state.info, rules.flags
    variant = info[row, VARIANT]
    _remember(rules, state, row, variant)
    if info[row, STATUS] != ONGOING:
        return
    if info[row, PHASE] == BEGIN:
        over = info[row, PASSES] == 2 or (flags[variant, FULL_ENDS] and info[row, EMPTIES] == 0)
        if not over and flags[variant, PASSING] == NEVER and not flags[variant, NEVER_STUCK]:
            over = not has_move(rules, state, row, variant)
        if over:
            _stop(rules, state, row, variant)
            return
    if info[row, PLY] >= flags[variant, PLY_CAP]:
        info[row, STATUS] = DRAW
