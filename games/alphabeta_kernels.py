"""Depth-limited alpha-beta on any variant: fail-soft negamax on an explicit stack, one thread a search.

Row d of the state is the position d actions below the root, frame d what the search knows about it. Values
are whole numbers and the mover's; they change sign only where the seat to play changes. At the horizon a
position is judged by tables that the caller fills, see `Judgement`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from games.compilation import inlined, kernel
from games.geometry import N_DIRECTIONS, OFF
from games.group_kernels import area_lead
from games.kernels import copy_row, list_legal, play, seat_to_play, value_for_seat
from games.number_kernels import as_int
from games.rules import CONNECT, EMPTY, FIRST, MAX_LEGAL, N_CELLS, SECOND, Rules
from games.solve_kernels import COUNT, NEXT, take_best
from games.state import (
    BEGIN,
    COLOUR,
    ONGOING,
    PHASE,
    STATUS,
    SWAPPED,
    TAKEN,
    TAKEN_BY_SECOND,
    VARIANT,
    State,
    new_state,
)

WON = 1_000_000
"""A game won at the root; every action until then takes 1 off, so that a win comes soon and a loss late."""

MOST_JUDGED = 900_000
"""What a judgement lies within: between any loss and any win."""

_INFINITE = 2 * WON

DEPTH, NODES, HORIZON, N_REGISTERS = range(4)
"""`Search.registers`: how deep the search is, positions visited, and at which depth they are judged."""

BEST, ALPHA, BETA, SEAT, N_FRAME = range(NEXT + 1, NEXT + 6)
"""Columns of `Search.frames` behind `COUNT` and `NEXT`: the best value so far, the window, who chooses."""

ALL, FIRST_CAPTURE, SECOND_CAPTURE, AREA, MOBILITY, LINK, N_WEIGHTS = range(7)
"""`Judgement.weights`: of every position, of a stone captured by each colour, of a cell of the lead in area,
of an action more to choose from, of a stone less that is needed to connect the sides."""

MOST_SIDES = 6
"""Sides of a board that a colour may have to connect."""

_CUT_OFF = 1000
"""Stones needed where an opposing stone or a hole is in the way: more than any board has cells."""

_MOST_NEEDED = 12
"""Stones needed to connect beyond which all positions look alike."""


class Judgement(NamedTuple):
    """What a position looks like for the first colour, in millionths of a win.

    stones: int64 `[4, C]`: by what a cell holds and the cell; the second colour's are below zero
    lines: int16 `[W, L]`: the cells of every line that wins, then OFF
    owners: int8 `[W]`: the colours that it wins for, FIRST, SECOND or both of these bits
    missing: int64 `[L + 1]`: an open line's worth by the stones that it still needs
    weights: int64 `[N_WEIGHTS]`
    """

    stones: NDArray[np.int64]
    lines: NDArray[np.int16]
    owners: NDArray[np.int8]
    missing: NDArray[np.int64]
    weights: NDArray[np.int64]


class Search(NamedTuple):
    """Room for one search; D depths, M legal actions at most.

    state: the positions, row by row; row 0 is the root
    actions, order: int16, int64 `[D, M + 1]`: legal actions, and how promising they look
    frames: int64 `[D, N_FRAME]`
    root_values: int64 `[M + 1]`: of the root's actions; exact if it is the best, else an upper bound below it
    history: int64 `[2, A]`: how often an action refuted, by colour
    needed: int16 `[MOST_SIDES, C]`: scratch, see `_needed_to_connect`
    edges: int16 `[2, C]`: scratch, see `_spread`
    registers: int64 `[N_REGISTERS]`
    """

    state: State
    actions: NDArray[np.int16]
    order: NDArray[np.int64]
    frames: NDArray[np.int64]
    root_values: NDArray[np.int64]
    history: NDArray[np.int64]
    needed: NDArray[np.int16]
    edges: NDArray[np.int16]
    registers: NDArray[np.int64]


def new_search(rules: Rules, depths: int) -> Search:
    """Room for searches up to `depths` actions deep."""
    most = int(rules.flags[0, MAX_LEGAL]) + 1
    return Search(
        state=new_state(rules, depths + 1),
        actions=np.zeros((depths + 1, most), np.int16),
        order=np.zeros((depths + 1, most), np.int64),
        frames=np.zeros((depths + 1, N_FRAME), np.int64),
        root_values=np.zeros(most, np.int64),
        history=np.zeros((2, rules.canvas.shape[1]), np.int64),
        needed=np.zeros((MOST_SIDES, rules.start.shape[1]), np.int16),
        edges=np.zeros((2, rules.start.shape[1]), np.int16),
        registers=np.zeros(N_REGISTERS, np.int64),
    )


@kernel
def begin(rules: Rules, search: Search, horizon: int) -> None:
    """Begin a search of row 0, `horizon` actions deep; after a shallower one its values order the root."""
    frame, registers = search.frames[0], search.registers
    if horizon == 1:
        registers[NODES] = 0
        search.history[:] = 0
        _open(rules, search, 0, -_INFINITE, _INFINITE)
    else:
        frame[NEXT] = 0
        frame[BEST] = -_INFINITE
        for i in range(frame[COUNT]):
            search.order[0, i] = search.root_values[i]
    registers[HORIZON] = horizon
    registers[DEPTH] = 0


@kernel
def advance(rules: Rules, judgement: Judgement, search: Search, limit: int) -> bool:
    """Search until it is done (True; BEST of frame 0 is the value) or NODES reaches `limit`."""
    frames, registers, state = search.frames, search.registers, search.state
    depth = registers[DEPTH]
    while registers[NODES] < limit:
        if frames[depth, NEXT] >= frames[depth, COUNT] or frames[depth, BEST] >= frames[depth, BETA]:
            if depth == 0:
                return True
            depth -= 1
            value = frames[depth + 1, BEST]
            same_seat = frames[depth, SEAT] == frames[depth + 1, SEAT]
            _fold(search, depth, value if same_seat else -value)
            continue
        action = take_best(search.frames[depth], search.actions[depth], search.order[depth])
        _play_below(rules, state, depth, as_int(action))
        registers[NODES] += 1
        if state.info[depth + 1, STATUS] != ONGOING:
            result = int(value_for_seat(state, depth + 1, frames[depth, SEAT]))
            _fold(search, depth, result * (WON - depth - 1))
        elif depth + 1 == registers[HORIZON]:
            _fold(search, depth, _judge(rules, judgement, search, depth + 1, frames[depth, SEAT]))
        else:
            _open_below(rules, search, depth)
            depth += 1
    registers[DEPTH] = depth
    return False


@inlined
def _open_below(rules: Rules, search: Search, depth: int) -> None:
    """Open the row below. At the root equal values are told apart from worse ones, so the window is wider."""
    frame, seat = search.frames[depth], seat_to_play(search.state, depth + 1)
    alpha, beta = max(frame[ALPHA], frame[BEST] - (depth == 0)), frame[BETA]
    if seat == frame[SEAT]:
        _open(rules, search, depth + 1, alpha, beta)
    else:
        _open(rules, search, depth + 1, -beta, -alpha)


@kernel
def _open(rules: Rules, search: Search, depth: int, alpha: int, beta: int) -> None:
    """List the actions of a position that is to be searched, ordered by what refuted elsewhere."""
    frame, state = search.frames[depth], search.state
    frame[COUNT] = _list_actions(rules, state, as_int(depth), search.actions[depth])
    frame[NEXT] = 0
    frame[BEST] = -_INFINITE
    frame[ALPHA] = alpha
    frame[BETA] = beta
    frame[SEAT] = seat_to_play(state, depth)
    for i in range(frame[COUNT]):
        search.order[depth, i] = search.history[state.info[depth, COLOUR], search.actions[depth, i]]


@kernel
def _list_actions(rules: Rules, state: State, row: int, out: NDArray[np.int16]) -> int:
    return list_legal(rules, state, row, out, 0)


@kernel
def _play_below(rules: Rules, state: State, depth: int, action: int) -> None:
    copy_row(state, depth, state, depth + 1)
    play(rules, state, depth + 1, action)


@inlined
def _fold(search: Search, depth: int, value: int) -> None:
    """Take the value of the action that was taken up last; learn from it if it refutes."""
    frame = search.frames[depth]
    last = frame[NEXT] - 1
    if depth == 0:
        search.root_values[last] = value
    frame[BEST] = max(frame[BEST], value)
    if value >= frame[BETA]:
        left = search.registers[HORIZON] - depth
        colour = search.state.info[depth, COLOUR]
        search.history[colour, search.actions[depth, last]] += left * left


@kernel
def _judge(rules: Rules, judgement: Judgement, search: Search, row: int, seat: int) -> int:
    """What a position that goes on looks like for a seat, between -MOST_JUDGED and MOST_JUDGED."""
    state, weights = search.state, judgement.weights
    variant = state.info[row, VARIANT]
    lead = weights[ALL]
    for cell in range(rules.flags[variant, N_CELLS]):
        lead += judgement.stones[state.cells[row, cell], cell]
    lead += weights[FIRST_CAPTURE] * state.info[row, TAKEN]
    lead -= weights[SECOND_CAPTURE] * state.info[row, TAKEN_BY_SECOND]
    if weights[AREA] != 0:
        lead += weights[AREA] * area_lead(rules, state, row, variant)
    if weights[MOBILITY] != 0 and state.info[row, PHASE] == BEGIN:
        lead += weights[MOBILITY] * _more_choice(rules, search, row)
    if judgement.lines.shape[0] > 0:
        lead += _open_lines(judgement, state, row)
    if weights[LINK] != 0:
        lead += weights[LINK] * _needed_to_connect(rules, search, row, SECOND)
        lead -= weights[LINK] * _needed_to_connect(rules, search, row, FIRST)
    lead = min(max(lead, -MOST_JUDGED), MOST_JUDGED)
    return lead if seat == state.info[row, SWAPPED] else -lead


@kernel
def _needed_to_connect(rules: Rules, search: Search, row: int, own: int) -> int:
    """The fewest stones that would connect a colour's sides: those that lead from each side to one cell."""
    state, needed = search.state, search.needed
    variant = state.info[row, VARIANT]
    n_cells = rules.flags[variant, N_CELLS]
    goal, sides, side = rules.flags[variant, CONNECT + own - FIRST], 0, 1
    while side <= goal:
        if goal & side:
            _spread(rules, state, row, own, side, needed[sides], search.edges)
            sides += 1
        side <<= 1
    fewest = _MOST_NEEDED
    for cell in range(n_cells if sides > 0 else 0):
        total = -(sides - 1) * _stones_for(state.cells[row, cell], own)
        for i in range(sides):
            total += needed[i, cell]
        fewest = min(fewest, total)
    return fewest


@inlined
def _spread(
    rules: Rules,
    state: State,
    row: int,
    own: int,
    side: int,
    needed: NDArray[np.int16],
    edges: NDArray[np.int16],
) -> None:
    """How many stones lead from a side to each cell, with the cell's own.

    edges: int16 `[2, C]`: scratch, the cells that so many stones lead to, and those that one more leads to
    """
    variant = state.info[row, VARIANT]
    stones, n, n_next = 0, 0, 0
    for cell in range(rules.flags[variant, N_CELLS]):
        needed[cell] = _CUT_OFF
        if rules.borders[variant, cell] & side:
            needed[cell] = _stones_for(state.cells[row, cell], own)
            if needed[cell] == 0:
                edges[0, n] = cell
                n += 1
            elif needed[cell] == 1:
                edges[1, n_next] = cell
                n_next += 1
    while n + n_next > 0:
        edge, next_edge, i = edges[stones & 1], edges[1 - (stones & 1)], 0
        while i < n:
            cell = edge[i]
            i += 1
            for k in range(N_DIRECTIONS):
                near = rules.touching[variant, cell, k]
                if near == OFF:
                    break
                step = _stones_for(state.cells[row, near], own)
                if stones + step < needed[near]:
                    needed[near] = stones + step
                    if step == 0:
                        edge[n] = near
                        n += 1
                    elif step == 1:
                        next_edge[n_next] = near
                        n_next += 1
        stones += 1
        n = n_next
        n_next = 0


@inlined
def _stones_for(content: int, own: int) -> int:
    return 0 if content == own else (1 if content == EMPTY else _CUT_OFF)


@inlined
def _more_choice(rules: Rules, search: Search, row: int) -> int:
    """Actions of the first colour less those of the second, as if either were to move."""
    info, colour = search.state.info, search.state.info[row, COLOUR]
    lead = 0
    for side in range(2):
        info[row, COLOUR] = side
        listed = _list_actions(rules, search.state, as_int(row), search.actions[row])
        lead += listed if side == 0 else -listed
    info[row, COLOUR] = colour
    return lead


@inlined
def _open_lines(judgement: Judgement, state: State, row: int) -> int:
    """The lines that the first colour may still complete, by how near they are, less the second's."""
    lead = 0
    for i in range(judgement.lines.shape[0]):
        first, second, missing = 0, 0, 0
        for j in range(judgement.lines.shape[1]):
            cell = judgement.lines[i, j]
            if cell == OFF:
                break
            content = state.cells[row, cell]
            missing += content == EMPTY
            first += content & FIRST  # a hole has both bits: neither colour gets past it
            second += (content & SECOND) >> 1
        owners = judgement.owners[i]
        if second == 0 and owners & FIRST:
            lead += judgement.missing[missing]
        if first == 0 and owners & SECOND:
            lead -= judgement.missing[missing]
    return lead
