"""What a move does beyond putting a stone down: captures, changes of colour, every goal, how a game stops.

For variants that aren't plain; see `games.legal_kernels` for what they allow.
"""

from __future__ import annotations

import numpy as np

from games.compilation import inlined, kernel, shared
from games.geometry import OFF
from games.group_kernels import (
    add_stone,
    area_lead,
    borders_reach_goal,
    closes_ring,
    is_only_liberty,
    rebuild_groups,
    remove_group,
)
from games.legal_kernels import (
    can_jump,
    has_move,
    is_on_board,
    jump_target,
    jump_ways,
    partner_of,
    stone_hash,
)
from games.line_kernels import count_enclosed, count_of, makes_line
from games.number_kernels import as_int
from games.rules import (
    CAPTURE,
    CHAIN,
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
    KIND,
    KOMI_HALVES,
    LINE,
    MISERE,
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
    STEP,
    STONES,
    STOP_FIRST,
    STOP_SECOND,
    STUCK,
    STUCK_LOSES,
    STUCK_WINS,
    SUPERKO,
    SURROUNDS,
    TAKE_ENCLOSED,
    TO_EMPTY,
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
def begin_special(rules: Rules, state: State, row: int) -> None:
    """Prepare what only special variants keep: groups and history, and whether there is a first move."""
    variant = state.info[row, VARIANT]
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
    for d in range(rules.neighbors.shape[2]):
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
    for d in range(rules.neighbors.shape[2]):
        here = cell
        for _ in range(count_of(low, high, d)):
            here = rules.neighbors[variant, here, d]
            state.cells[row, here] = own
    return low, high


@inlined
def _infect(rules: Rules, state: State, row: int, variant: int, cell: int, own: int) -> int:
    """Change the colour of opposing stones that touch the stone; bit k is the k-th touching cell."""
    infected = 0
    for k in range(rules.neighbors.shape[2]):
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
        is_head = state.cells[row, cell] == content and state.heads[row, cell] == cell
        if is_head and state.liberties[row, cell] == 0:
            taken += remove_group(rules, state, row, variant, cell)
    return taken


@inlined
def _take_groups_around(rules: Rules, state: State, row: int, variant: int, cell: int, content: int) -> int:
    """The same for the groups that touch a cell."""
    taken = 0
    for k in range(rules.neighbors.shape[2]):
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
        for k in range(rules.neighbors.shape[2]):
            near = rules.touching[variant, cell, k]
            free = near != OFF and state.cells[row, near] == EMPTY
            if free and is_only_liberty(state.liberties[row, head], near):
                info[row, KO] = near
    return taken


@inlined
def _ring_is_left(rules: Rules, state: State, row: int, variant: int, cell: int, own: int) -> bool:
    """Whether a ring is still on the board after groups were captured."""
    if rules.flags[variant, REBUILDS_GROUPS]:
        return rebuild_groups(rules, state, row, variant, own)
    return bool(state.cells[row, cell] == own)


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
        for d in range(rules.neighbors.shape[2]):
            here = cell
            for _ in range(count_of(low, high, d)):
                here = rules.neighbors[variant, here, d]
                if cells[row, here] == own and makes_line(rules, cells, row, variant, here, own):
                    return True
    for k in range(rules.neighbors.shape[2]):
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
        if ring:
            ring = _ring_is_left(rules, state, row, variant, cell, own)
    won = ring
    if flags[variant, LINE + colour]:
        won |= _lines(rules, state, row, variant, cell, own, low, high, infected)
    if flags[variant, HAS_GROUPS]:
        won |= _connects(rules, state, row, variant, cell, own)
    if flags[variant, KIND] >= STEP:
        stands = state.cells[row, cell] == own
        won |= stands and rules.borders[variant, cell] & flags[variant, REACH + colour] != 0
    needed = flags[variant, CAPTURE + colour]
    won |= needed != 0 and info[row, TAKEN + colour] >= needed
    changed = taken > 0 or low | high | infected != 0
    if flags[variant, ELIMINATE] and changed:
        won |= not is_on_board(rules, state.cells, row, variant, FIRST + SECOND - own)
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
        partner = partner_of(rules, variant, cell, own - FIRST)
        state.cells[row, partner] = own
        state.info[row, EMPTIES] -= 1
        _land(rules, state, row, variant, as_int(partner), as_int(0))
    _land(rules, state, row, variant, as_int(cell), as_int(0))


@inlined
def _way_of_jump(rules: Rules, state: State, row: int, variant: int, origin: int, target: int) -> int:
    """The first direction in which the stone on ORIGIN jumps to a target, or OFF."""
    colour = state.info[row, COLOUR]
    ways = jump_ways(rules, state, row, variant, colour)
    for d in range(rules.neighbors.shape[2]):
        if ways >> d & 1 and jump_target(rules, state, row, variant, origin, d, FIRST + colour) == target:
            return d
    return OFF


@inlined
def _can_shoot(rules: Rules, state: State, row: int, variant: int, cell: int) -> bool:
    """Whether the stone that just moved has an empty cell to shoot at."""
    ways = rules.flags[variant, TO_EMPTY + state.info[row, COLOUR]]
    for d in range(rules.neighbors.shape[2]):
        near = rules.neighbors[variant, cell, d]
        if ways >> d & 1 and near != OFF and state.cells[row, near] == EMPTY:
            return True
    return False


@inlined
def _go(rules: Rules, state: State, row: int, variant: int, target: int) -> None:
    """Move the stone on ORIGIN: step, slide, capture, jump or clone; then what follows."""
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
    _land(rules, state, row, variant, as_int(target), as_int(taken))
    if info[row, STATUS] == ONGOING and state.cells[row, target] == FIRST + colour:
        if way != OFF and flags[variant, CHAIN] != NO_CHAIN:
            info[row, PHASE] = JUMPING
            if can_jump(rules, state, row, variant, target):
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


@shared
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
