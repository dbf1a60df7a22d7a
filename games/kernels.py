"""The one rule engine: `reset`, `legal`, `play`, `observe` and a random playout, over rows of a `State`.

Every function takes the compiled rules, a struct of arrays and a row; the row's variant is data. Nothing here
allocates, branches on a variant's name, or knows rows and columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from games.compilation import inlined, kernel, shared
from games.encoding import PLANES, RULE_FEATURES
from games.entry_kernels import ACT, BEGIN_GAME, DRAW_MOVE, LIST_MOVES, SETTLE, special
from games.geometry import N_DIRECTIONS, OFF
from games.group_kernels import borders_reach_goal, borders_with
from games.legal_kernels import is_held
from games.line_kernels import count_enclosed, count_of, encloses_any, makes_line
from games.move_kernels import (
    complete_move,
    finish,
    next_turn,
    stones_lead,
)
from games.number_kernels import as_int, next_random, uniform
from games.rules import (
    CAPTURE,
    CONNECT,
    COUNT,
    EMPTY,
    ENDS_BY_GROUPS,
    ENDS_BY_PASSING,
    FIRST,
    FIRST_STONES,
    FLIPS,
    HOLE,
    IS_DROP,
    IS_PLAIN,
    KIND,
    LINE,
    N_CELLS,
    N_SCAN,
    PASSING,
    PLY_CAP,
    REACH,
    RING,
    SECOND,
    STEP,
    SWAP_RULE,
    TAKES_ANY,
    Rules,
)
from games.state import (
    BEGIN,
    COLOUR,
    DRAW,
    EMPTIES,
    FIRST_WINS,
    JUMPING,
    KO,
    LAST,
    MOVING,
    N_INFO,
    ONGOING,
    ORIGIN,
    PASSES,
    PHASE,
    PLY,
    SECOND_WINS,
    SHOOTING,
    STATUS,
    STONES_LEFT,
    SWAPPED,
    TAKEN,
    TAKEN_BY_SECOND,
    VARIANT,
    WAY,
    State,
)

_PLANE_ORIGIN, _PLANE_OWN_GOAL = PLANES.index("origin"), PLANES.index("own_goal")
_FEATURE_STONES_LEFT = RULE_FEATURES.index("stones_left")
_FEATURE_SWAP_LEGAL = RULE_FEATURES.index("swap_legal")
_FEATURE_SECOND = RULE_FEATURES.index("second_colour")
_FEATURE_PLY = RULE_FEATURES.index("ply")
_FEATURE_OWN_CAPTURES = RULE_FEATURES.index("own_captures")
_FEATURE_OPPONENT_CAPTURES = RULE_FEATURES.index("opponent_captures")
_FEATURE_MOVING = RULE_FEATURES.index("moving")
_FEATURE_SHOOTING = RULE_FEATURES.index("shooting")
_FEATURE_JUMPING = RULE_FEATURES.index("jumping")
_FEATURE_PASSED = RULE_FEATURES.index("passed")


@shared
def reset(rules: Rules, state: State, row: int, variant: int) -> None:
    """Put the variant's first position into a row."""
    empties = 0
    for cell in range(rules.flags[variant, N_CELLS]):
        state.cells[row, cell] = rules.start[variant, cell]
        empties += rules.start[variant, cell] == EMPTY
    info = state.info
    info[row, VARIANT] = variant
    info[row, COLOUR] = 0
    info[row, SWAPPED] = 0
    info[row, STONES_LEFT] = rules.flags[variant, FIRST_STONES]
    info[row, PLY] = 0
    info[row, EMPTIES] = empties
    info[row, LAST] = OFF
    info[row, PASSES] = 0
    info[row, STATUS] = ONGOING
    info[row, PHASE] = BEGIN
    info[row, ORIGIN] = OFF
    info[row, WAY] = OFF
    info[row, KO] = OFF
    info[row, TAKEN] = 0
    info[row, TAKEN_BY_SECOND] = 0
    if not rules.flags[variant, IS_PLAIN]:
        special(rules, state, row, BEGIN_GAME, 0, rules.scan[variant])


@shared
def copy_row(source: State, source_row: int, target: State, target_row: int) -> None:
    """Copy a position from one struct to another."""
    for cell in range(source.cells.shape[1]):
        target.cells[target_row, cell] = source.cells[source_row, cell]
    for column in range(N_INFO):
        target.info[target_row, column] = source.info[source_row, column]
    for cell in range(source.heads.shape[1]):
        target.heads[target_row, cell] = source.heads[source_row, cell]
        target.rings[target_row, cell] = source.rings[source_row, cell]
        target.members[target_row, cell] = source.members[source_row, cell]
    for cell in range(source.liberties.shape[1]):
        target.liberties[target_row, cell] = source.liberties[source_row, cell]
    # Only variants with superko have a history, and room for their games; others beside them may be longer.
    for ply in range(min(source.history.shape[1], as_int(source.info[source_row, PLY]) + 1)):
        target.history[target_row, ply] = source.history[source_row, ply]


@shared
def seat_to_play(state: State, row: int) -> int:
    """0 or 1: the seat whose choice is next."""
    return state.info[row, COLOUR] ^ state.info[row, SWAPPED]


@shared
def value_for_seat(state: State, row: int, seat: int) -> float:
    """-1, 0 or 1: the result of a finished game for a seat."""
    status = state.info[row, STATUS]
    if status == DRAW:
        return 0.0
    winner = (status - FIRST_WINS) ^ state.info[row, SWAPPED]
    return 1.0 if winner == seat else -1.0


@inlined
def swap_is_legal(rules: Rules, state: State, row: int) -> bool:
    """Whether the player to move may take the first turn's side over."""
    variant = state.info[row, VARIANT]
    return (
        rules.flags[variant, SWAP_RULE] != 0
        and state.info[row, PLY] == rules.flags[variant, FIRST_STONES]
        and state.info[row, STATUS] == ONGOING
    )


@inlined
def _list_empty(rules: Rules, state: State, row: int, variant: int, out: NDArray[np.int16], n: int) -> int:
    """Append the empty cells at `out[n:]`; the new n.

    The loop has no branch: a cell that doesn't count is overwritten.
    """
    cells, scan = state.cells, rules.scan
    for i in range(rules.flags[variant, N_SCAN]):
        cell = scan[variant, i]
        out[n] = cell
        n += cells[row, cell] == EMPTY
    return n


@inlined
def _list_supported(
    rules: Rules, state: State, row: int, variant: int, out: NDArray[np.int16], n: int
) -> int:
    """Append the lowest empty cell of every lane at `out[n:]`; the new n."""
    cells, scan, skip = state.cells, rules.scan, rules.skip
    i, end = 0, rules.flags[variant, N_SCAN]
    while i < end:
        cell = scan[variant, i]
        if cells[row, cell] == EMPTY:
            out[n] = cell
            n += 1
            i = skip[variant, i]
        else:
            i += 1
    return n


@inlined
def _list_held(rules: Rules, state: State, row: int, variant: int, out: NDArray[np.int16], n: int) -> int:
    """Append the empty cells on which a stone comes to rest at `out[n:]`; the new n."""
    if rules.flags[variant, IS_DROP]:
        return _list_supported(rules, state, row, variant, out, n)
    return _list_empty(rules, state, row, variant, out, n)


@kernel
def _list_flipping(rules: Rules, state: State, row: int, variant: int, out: NDArray[np.int16], n: int) -> int:
    """Append the cells where the colour to move flips something at `out[n:]`; the new n."""
    own = FIRST + state.info[row, COLOUR]
    for i in range(rules.flags[variant, N_SCAN]):
        cell = rules.scan[variant, i]
        held = state.cells[row, cell] == EMPTY and is_held(rules, state, row, variant, cell)
        if held and encloses_any(rules, state.cells, row, variant, cell, own):
            out[n] = cell
            n += 1
    return n


@shared
def list_legal(rules: Rules, state: State, row: int, out: NDArray[np.int16], start: int) -> int:
    """Write the legal actions (a variant's own: cells, PASS, SWAP) to `out[start:]`; their number.

    One entry behind the last action may be overwritten, so `out` needs room for `MAX_LEGAL + 1`.
    """
    if state.info[row, STATUS] != ONGOING:
        return 0
    variant = state.info[row, VARIANT]
    n_cells = rules.flags[variant, N_CELLS]
    if rules.flags[variant, TAKES_ANY]:
        n = _list_held(rules, state, row, variant, out, start)
    elif rules.flags[variant, IS_PLAIN]:
        n = _list_flipping(rules, state, row, variant, out, start)
    else:
        n = special(rules, state, row, LIST_MOVES, start, out)
    if n == start and rules.flags[variant, PASSING]:
        out[n] = n_cells
        n += 1
    if swap_is_legal(rules, state, row):
        out[n] = n_cells + 1
        n += 1
    return n - start


@kernel
def _flip(rules: Rules, state: State, row: int, variant: int, cell: int, own: int) -> bool:
    """Flip what the new stone encloses; whether a flipped stone is now part of a line that counts."""
    low, high = count_enclosed(rules, state.cells, row, variant, cell, own)
    if low | high == 0:
        return False
    for d in range(N_DIRECTIONS):
        here = cell
        for _ in range(count_of(low, high, d)):
            here = rules.neighbors[variant, here, d]
            state.cells[row, here] = own
    if rules.flags[variant, LINE] == 0:
        return False
    for d in range(N_DIRECTIONS):
        here = cell
        for _ in range(count_of(low, high, d)):
            here = rules.neighbors[variant, here, d]
            if makes_line(rules, state.cells, row, variant, here, own):
                return True
    return False


@inlined
def _end_plain(rules: Rules, state: State, row: int, variant: int) -> None:
    """Full board, two passes, or the ply cap."""
    if state.info[row, STATUS] != ONGOING:
        return
    if state.info[row, EMPTIES] == 0 or state.info[row, PASSES] == 2:
        lead = stones_lead(rules, state, row, variant) if rules.flags[variant, COUNT] else 0
        status = DRAW if lead == 0 else (FIRST_WINS if lead > 0 else SECOND_WINS)
        finish(rules, state, row, variant, status)
    elif state.info[row, PLY] >= rules.flags[variant, PLY_CAP]:
        state.info[row, STATUS] = DRAW


@shared
def play(rules: Rules, state: State, row: int, action: int) -> None:
    """Play a legal action (the variant's own) in a row, and settle whether the game is over."""
    info = state.info
    variant = info[row, VARIANT]
    n_cells = rules.flags[variant, N_CELLS]
    is_plain = rules.flags[variant, IS_PLAIN] != 0
    info[row, PLY] += 1
    if action < n_cells:
        if is_plain:
            _place(rules, state, row, variant, action)
        else:
            special(rules, state, row, ACT, action, rules.scan[variant])
            return
    elif action == n_cells:
        _pass(rules, state, row, variant)
    else:
        info[row, SWAPPED] = 1
        info[row, KO] = OFF
    if is_plain:
        _end_plain(rules, state, row, variant)
    else:
        special(rules, state, row, SETTLE, 0, rules.scan[variant])


@inlined
def _pass(rules: Rules, state: State, row: int, variant: int) -> None:
    """Give up the turn, or in a chain of jumps the next jump."""
    info = state.info
    info[row, LAST] = OFF
    info[row, KO] = OFF
    if info[row, PHASE] == JUMPING:
        complete_move(rules, state, row, variant)
    else:
        info[row, PASSES] += 1
        next_turn(rules, state, row, variant)


@inlined
def may_end(rules: Rules, state: State, row: int, action: int) -> bool:
    """Whether a legal action might end the game; False only if it can't. Much cheaper than playing it."""
    variant = state.info[row, VARIANT]
    flags = rules.flags
    if action >= flags[variant, N_CELLS] or flags[variant, FLIPS]:
        return True
    if state.info[row, EMPTIES] == 1 or state.info[row, PLY] + 1 >= flags[variant, PLY_CAP]:
        return True
    if not flags[variant, IS_PLAIN]:
        return _special_may_end(rules, state, row, variant, action)
    own = FIRST + state.info[row, COLOUR]
    for d in range(N_DIRECTIONS):  # a line has an own stone beside the new one
        here = rules.neighbors[variant, action, d]
        if here != OFF and state.cells[row, here] == own:
            return flags[variant, LINE] > 0
    return False


@kernel
def _special_may_end(rules: Rules, state: State, row: int, variant: int, action: int) -> bool:
    """The same for a cell in a variant that isn't plain."""
    flags, info = rules.flags, state.info
    if flags[variant, KIND] >= STEP and info[row, PHASE] == BEGIN:
        return state.cells[row, action] == EMPTY  # the choice of a stone ends nothing
    if not flags[variant, ENDS_BY_GROUPS]:
        return not flags[variant, ENDS_BY_PASSING]
    if flags[variant, RING]:
        return True
    own = FIRST + info[row, COLOUR]
    borders = borders_with(rules, state, row, variant, action, own)
    return borders_reach_goal(rules, variant, own - FIRST, borders)


@inlined
def _place(rules: Rules, state: State, row: int, variant: int, cell: int) -> None:
    info = state.info
    own = FIRST + info[row, COLOUR]
    state.cells[row, cell] = own
    info[row, LAST] = cell
    info[row, EMPTIES] -= 1
    info[row, PASSES] = 0
    lined = False
    if rules.flags[variant, FLIPS]:
        lined = _flip(rules, state, row, variant, cell, own)
    if lined or (rules.flags[variant, LINE] and makes_line(rules, state.cells, row, variant, cell, own)):
        finish(rules, state, row, variant, FIRST_WINS + info[row, COLOUR])
    info[row, STONES_LEFT] -= 1
    if info[row, STONES_LEFT] == 0:
        next_turn(rules, state, row, variant)


@shared
def observe(
    rules: Rules,
    state: State,
    row: int,
    actions: NDArray[np.int16],
    start: int,
    n_legal: int,
    planes: NDArray[np.float32],
    legal: NDArray[np.bool_],
    features: NDArray[np.float32],
    out: int,
) -> None:
    """Write a position as a network sees it into row `out`.

    Args:
        actions, start, n_legal: the position's legal actions as `list_legal` wrote them.
        planes: float32 `[B, P, H * W]`, see `games.encoding.PLANES`.
        legal: bool `[B, A]`.
        features: float32 `[B, F]`.
    """
    variant = state.info[row, VARIANT]
    n_cells = rules.flags[variant, N_CELLS]
    own = FIRST + state.info[row, COLOUR]
    other = FIRST + SECOND - own
    canvas, cells = rules.canvas[variant], state.cells[row]
    board, mine, theirs, playable = planes[out, 0], planes[out, 1], planes[out, 2], planes[out, 3]
    planes[out, _PLANE_ORIGIN:] = 0.0
    allowed = legal[out]
    playable[:] = 0.0
    allowed[:] = False
    if canvas[n_cells - 1] == n_cells - 1:  # the board's rows are as wide as the canvas's: one straight copy
        for cell in range(n_cells):
            board[cell] = cells[cell] != HOLE
            mine[cell] = cells[cell] == own
            theirs[cell] = cells[cell] == other
        board[n_cells:] = 0.0
        mine[n_cells:] = 0.0
        theirs[n_cells:] = 0.0
    else:
        board[:] = 0.0
        mine[:] = 0.0
        theirs[:] = 0.0
        for cell in range(n_cells):
            at = canvas[cell]
            board[at] = cells[cell] != HOLE
            mine[at] = cells[cell] == own
            theirs[at] = cells[cell] == other
    for i in range(start, start + n_legal):
        at = canvas[np.uint16(actions[i])]
        allowed[at] = True
        if actions[i] < n_cells:
            playable[at] = 1.0
    if not rules.flags[variant, IS_PLAIN]:
        _observe_special(rules, state, row, planes, out)
    for feature in range(features.shape[1]):
        features[out, feature] = rules.features[variant, feature]
    features[out, _FEATURE_STONES_LEFT] = state.info[row, STONES_LEFT] / 4
    features[out, _FEATURE_SWAP_LEGAL] = swap_is_legal(rules, state, row)
    features[out, _FEATURE_SECOND] = state.info[row, COLOUR]
    features[out, _FEATURE_PLY] = state.info[row, PLY] / rules.flags[variant, PLY_CAP]
    phase, colour = state.info[row, PHASE], state.info[row, COLOUR]
    features[out, _FEATURE_OWN_CAPTURES] = _captured_share(rules, state, row, variant, colour)
    features[out, _FEATURE_OPPONENT_CAPTURES] = _captured_share(rules, state, row, variant, 1 - colour)
    features[out, _FEATURE_MOVING] = phase == MOVING
    features[out, _FEATURE_SHOOTING] = phase == SHOOTING
    features[out, _FEATURE_JUMPING] = phase == JUMPING
    features[out, _FEATURE_PASSED] = state.info[row, PASSES] > 0


@inlined
def _captured_share(rules: Rules, state: State, row: int, variant: int, colour: int) -> float:
    """Stones that a colour has captured, as a share of those it needs; 0 where captures are no goal."""
    needed = rules.flags[variant, CAPTURE + colour]
    return state.info[row, TAKEN + colour] / needed if needed else 0.0


@kernel
def _observe_special(rules: Rules, state: State, row: int, planes: NDArray[np.float32], out: int) -> None:
    """The planes that plain variants leave empty: the origin of a half-made move, and the goals' cells."""
    variant, colour = state.info[row, VARIANT], state.info[row, COLOUR]
    canvas, origin = rules.canvas[variant], state.info[row, ORIGIN]
    if origin != OFF:
        planes[out, _PLANE_ORIGIN, canvas[origin]] = 1.0
    for seat in range(2):
        side = colour ^ seat
        goal = rules.flags[variant, CONNECT + side] | rules.flags[variant, REACH + side]
        if goal != 0:
            for cell in range(rules.flags[variant, N_CELLS]):
                if rules.borders[variant, cell] & goal != 0:
                    planes[out, _PLANE_OWN_GOAL + seat, canvas[cell]] = 1.0


@inlined
def random_action(
    rules: Rules, state: State, row: int, rng: NDArray[np.uint64], stream: int, actions: NDArray[np.int16]
) -> int:
    """A uniformly random legal action of a game that goes on.

    Where legality is dear, only the candidates that are drawn are looked at, until one is legal: every legal
    one is as likely as before.

    actions: scratch with room for `MAX_LEGAL + 1`.
    """
    variant = state.info[row, VARIANT]
    flags = rules.flags
    if flags[variant, TAKES_ANY] or swap_is_legal(rules, state, row):
        n = list_legal(rules, state, row, actions, 0)
        return as_int(actions[int(uniform(rng, stream) * n)])
    if flags[variant, IS_PLAIN]:
        return _draw_flipping(rules, state, row, variant, rng, stream, actions)
    bits: Any = np.int64(next_random(rng, stream))
    return special(rules, state, row, DRAW_MOVE, bits, actions)


@kernel
def _draw_flipping(
    rules: Rules,
    state: State,
    row: int,
    variant: int,
    rng: NDArray[np.uint64],
    stream: int,
    actions: NDArray[np.int16],
) -> int:
    """Draw empty cells until one is found where the colour to move flips something; PASS if there is none."""
    own = FIRST + state.info[row, COLOUR]
    n = _list_held(rules, state, row, variant, actions, 0)
    while n > 0:
        drawn = int(uniform(rng, stream) * n)
        cell = actions[drawn]
        if encloses_any(rules, state.cells, row, variant, cell, own):
            return as_int(cell)
        n -= 1
        actions[drawn] = actions[n]
    return as_int(rules.flags[variant, N_CELLS])


@kernel
def playout(rules: Rules, state: State, row: int, rng: NDArray[np.uint64], actions: NDArray[np.int16]) -> int:
    """Play uniformly random legal actions to the end; the number of actions played."""
    plies = 0
    while state.info[row, STATUS] == ONGOING:
        play(rules, state, row, random_action(rules, state, row, rng, row, actions))
        plies += 1
    return plies


@kernel
def random_games(
    rules: Rules, state: State, variant: int, games: int, rng: NDArray[np.uint64], actions: NDArray[np.int16]
) -> tuple[int, int]:
    """Play random games from the start in row 0; actions and whole moves played."""
    plies, moves, row = 0, 0, as_int(0)
    for _ in range(games):
        reset(rules, state, row, variant)
        while state.info[row, STATUS] == ONGOING:
            play(rules, state, row, random_action(rules, state, row, rng, row, actions))
            plies += 1
            moves += state.info[row, PHASE] == BEGIN
    return plies, moves


@inlined
def observe_row(
    rules: Rules,
    state: State,
    row: int,
    actions: NDArray[np.int16],
    planes: NDArray[np.float32],
    legal: NDArray[np.bool_],
    features: NDArray[np.float32],
    to: int,
) -> None:
    """Observe a row of a state into row `to` of an observation; `actions` is scratch."""
    n_legal = list_legal(rules, state, row, actions, 0)
    observe(rules, state, row, actions, 0, n_legal, planes, legal, features, to)


@kernel
def observe_rows(
    rules: Rules,
    state: State,
    planes: NDArray[np.float32],
    legal: NDArray[np.bool_],
    features: NDArray[np.float32],
    actions: NDArray[np.int16],
) -> None:
    """Observe every row of a state; `actions` is scratch of the canvas's length."""
    for row in range(state.info.shape[0]):
        observe_row(rules, state, row, actions, planes, legal, features, row)


def seed_streams(seed: int, rows: int) -> NDArray[np.uint64]:
    """uint64 `[rows]`: the start of an independent random stream for each row, from one seed."""
    return np.random.SeedSequence(seed).generate_state(rows, np.uint64).astype(np.uint64)
