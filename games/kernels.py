"""The one rule engine: `reset`, `legal`, `play`, `observe` and a random playout, over rows of a `State`.

Every function takes the compiled rules, a struct of arrays and a row; the row's variant is data. Nothing here
allocates, branches on a variant's name, or knows rows and columns.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from games.compilation import inlined, kernel, shared
from games.encoding import RULE_FEATURES
from games.geometry import N_AXES, N_DIRECTIONS, OFF
from games.rules import (
    COUNT,
    EMPTY,
    EXACT,
    FIRST,
    FIRST_STONES,
    FLIPS,
    HOLE,
    IS_DROP,
    LINE,
    MISERE,
    MUST_FLIP,
    N_CELLS,
    N_SCAN,
    PASSING,
    PLY_CAP,
    SECOND,
    STONES,
    SWAP_RULE,
    Rules,
)

VARIANT, COLOUR, SWAPPED, STONES_LEFT, PLY, EMPTIES, LAST, PASSES, STATUS, N_INFO = range(10)
"""Columns of `State.info`. COLOUR is the colour to move (0 first, 1 second); LAST is the last cell or OFF."""

ONGOING, FIRST_WINS, SECOND_WINS, DRAW = range(4)
"""STATUS, by colour."""

_FEATURE_STONES_LEFT = RULE_FEATURES.index("stones_left")
_FEATURE_SWAP_LEGAL = RULE_FEATURES.index("swap_legal")
_FEATURE_SECOND = RULE_FEATURES.index("second_colour")
_FEATURE_PLY = RULE_FEATURES.index("ply")
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


class State(NamedTuple):
    """B positions.

    cells: int8 `[B, C]`: EMPTY, FIRST, SECOND or HOLE
    info: int16 `[B, N_INFO]`: see the column names
    """

    cells: NDArray[np.int8]
    info: NDArray[np.int16]


def new_state(rules: Rules, batch: int) -> State:
    """Room for `batch` positions of any of the compiled variants; `reset` fills it."""
    return State(np.zeros((batch, rules.start.shape[1]), np.int8), np.zeros((batch, N_INFO), np.int16))


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


@shared
def copy_row(source: State, source_row: int, target: State, target_row: int) -> None:
    """Copy a position from one struct to another."""
    for cell in range(source.cells.shape[1]):
        target.cells[target_row, cell] = source.cells[source_row, cell]
    for column in range(N_INFO):
        target.info[target_row, column] = source.info[source_row, column]


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
def _flips_along(
    rules: Rules, cells: NDArray[np.int8], row: int, variant: int, cell: int, d: int, own: int
) -> int:
    """Number of opposing stones that a stone of `own` on `cell` encloses in direction d."""
    other = FIRST + SECOND - own
    count = 0
    here = rules.neighbors[variant, cell, d]
    while here != OFF and here != cell and cells[row, here] == other:
        count += 1
        here = rules.neighbors[variant, here, d]
    if here == OFF or here == cell or cells[row, here] != own:
        return 0
    return count


@kernel
def _flips_any(rules: Rules, cells: NDArray[np.int8], row: int, variant: int, cell: int, own: int) -> bool:
    for d in range(N_DIRECTIONS):
        if _flips_along(rules, cells, row, variant, cell, d, own) > 0:
            return True
    return False


@inlined
def _can_place(rules: Rules, state: State, row: int, variant: int, cell: int, colour: int) -> bool:
    """Whether a colour may put a stone on a cell."""
    cells = state.cells
    if cells[row, cell] != EMPTY:
        return False
    if rules.flags[variant, IS_DROP]:
        below = rules.support[variant, cell]
        if below != OFF and cells[row, below] == EMPTY:
            return False
    if rules.flags[variant, MUST_FLIP]:
        return _flips_any(rules, cells, row, variant, cell, FIRST + colour)
    return True


@kernel
def _is_stuck(rules: Rules, state: State, row: int, variant: int, colour: int) -> bool:
    for i in range(rules.flags[variant, N_SCAN]):
        if _can_place(rules, state, row, variant, rules.scan[variant, i], colour):
            return False
    return True


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


@kernel
def _list_flipping(rules: Rules, state: State, row: int, variant: int, out: NDArray[np.int16], n: int) -> int:
    """Append the cells where the colour to move flips something at `out[n:]`; the new n."""
    for i in range(rules.flags[variant, N_SCAN]):
        cell = rules.scan[variant, i]
        if _can_place(rules, state, row, variant, cell, state.info[row, COLOUR]):
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
    if rules.flags[variant, MUST_FLIP]:
        n = _list_flipping(rules, state, row, variant, out, start)
    elif rules.flags[variant, IS_DROP]:
        n = _list_supported(rules, state, row, variant, out, start)
    else:
        n = _list_empty(rules, state, row, variant, out, start)
    if n == start and rules.flags[variant, PASSING]:
        out[n] = rules.flags[variant, N_CELLS]
        n += 1
    if swap_is_legal(rules, state, row):
        out[n] = rules.flags[variant, N_CELLS] + 1
        n += 1
    return n - start


@kernel
def is_legal(rules: Rules, state: State, row: int, action: int) -> bool:
    """Whether one of the variant's own actions may be played."""
    variant = state.info[row, VARIANT]
    cells = rules.flags[variant, N_CELLS]
    if state.info[row, STATUS] != ONGOING or action < 0:
        return False
    if action < cells:
        return _can_place(rules, state, row, variant, action, state.info[row, COLOUR])
    if action == cells:
        stuck = _is_stuck(rules, state, row, variant, state.info[row, COLOUR])
        return rules.flags[variant, PASSING] != 0 and stuck
    return action == cells + 1 and swap_is_legal(rules, state, row)


@inlined
def _run(rules: Rules, cells: NDArray[np.int8], row: int, variant: int, cell: int, d: int, own: int) -> int:
    """Number of `own` stones next to a cell in direction d; on a wrapped board not past the cell itself."""
    count = 0
    here = rules.neighbors[variant, cell, d]
    while here != OFF and here != cell and cells[row, here] == own:
        count += 1
        here = rules.neighbors[variant, here, d]
    return count


@inlined
def _makes_line(rules: Rules, cells: NDArray[np.int8], row: int, variant: int, cell: int, own: int) -> bool:
    """Whether the stone on a cell is part of a line that counts."""
    needed = rules.flags[variant, LINE]
    exact = rules.flags[variant, EXACT]
    for axis in range(N_AXES):
        ahead = _run(rules, cells, row, variant, cell, axis, own)
        length = 1 + ahead
        if length < needed or exact:
            last_ahead = cell
            for _ in range(ahead):
                last_ahead = rules.neighbors[variant, last_ahead, axis]
            closes = ahead > 0 and rules.neighbors[variant, last_ahead, axis] == cell
            if not closes:
                length += _run(rules, cells, row, variant, cell, axis + N_AXES, own)
        if length == needed or (length > needed and not exact):
            return True
    return False


@kernel
def _flip(rules: Rules, state: State, row: int, variant: int, cell: int, own: int) -> bool:
    """Flip what the new stone encloses; whether a flipped stone is now part of a line that counts.

    All directions are counted before the first stone flips, since they may cross on a wrapped board.
    """
    counts_low, counts_high = 0, 0  # 16 bits a direction
    for d in range(N_AXES):
        low = _flips_along(rules, state.cells, row, variant, cell, d, own)
        high = _flips_along(rules, state.cells, row, variant, cell, d + N_AXES, own)
        counts_low |= low << (16 * d)
        counts_high |= high << (16 * d)
    if counts_low | counts_high == 0:
        return False
    for d in range(N_DIRECTIONS):
        here = cell
        for _ in range(_count_of(counts_low, counts_high, d)):
            here = rules.neighbors[variant, here, d]
            state.cells[row, here] = own
    if rules.flags[variant, LINE] == 0:
        return False
    for d in range(N_DIRECTIONS):
        here = cell
        for _ in range(_count_of(counts_low, counts_high, d)):
            here = rules.neighbors[variant, here, d]
            if _makes_line(rules, state.cells, row, variant, here, own):
                return True
    return False


@inlined
def _count_of(counts_low: int, counts_high: int, d: int) -> int:
    """The count of direction d from the two words that hold all of them."""
    word = counts_low if d < N_AXES else counts_high
    return (word >> (16 * (d % N_AXES))) & 0xFFFF


@kernel
def _majority_status(rules: Rules, state: State, row: int, variant: int) -> int:
    """FIRST_WINS, SECOND_WINS or DRAW by the number of stones, before misère turns it round."""
    lead = 0
    for cell in range(rules.flags[variant, N_CELLS]):
        lead += state.cells[row, cell] == FIRST
        lead -= state.cells[row, cell] == SECOND
    return DRAW if lead == 0 else (FIRST_WINS if lead > 0 else SECOND_WINS)


@inlined
def _finish(rules: Rules, state: State, row: int, variant: int, status: int) -> None:
    """End the game for the colour that reached the goal; misère turns the result round."""
    if status != DRAW and rules.flags[variant, MISERE]:
        status = FIRST_WINS + SECOND_WINS - status
    state.info[row, STATUS] = status


@inlined
def _next_turn(rules: Rules, state: State, row: int, variant: int) -> None:
    state.info[row, COLOUR] = 1 - state.info[row, COLOUR]
    state.info[row, STONES_LEFT] = rules.flags[variant, STONES]


@inlined
def _end_without_goal(rules: Rules, state: State, row: int, variant: int) -> None:
    """Full board, two passes, or the ply cap."""
    if state.info[row, STATUS] != ONGOING:
        return
    if state.info[row, EMPTIES] == 0 or state.info[row, PASSES] == 2:
        by_stones = rules.flags[variant, COUNT] != 0
        _finish(
            rules, state, row, variant, _majority_status(rules, state, row, variant) if by_stones else DRAW
        )
    elif state.info[row, PLY] >= rules.flags[variant, PLY_CAP]:
        state.info[row, STATUS] = DRAW


@shared
def play(rules: Rules, state: State, row: int, action: int) -> None:
    """Play a legal action (the variant's own) in a row, and settle whether the game is over."""
    info = state.info
    variant = info[row, VARIANT]
    n_cells = rules.flags[variant, N_CELLS]
    info[row, PLY] += 1
    if action < n_cells:
        _place(rules, state, row, variant, action)
    elif action == n_cells:
        info[row, PASSES] += 1
        info[row, LAST] = OFF
        _next_turn(rules, state, row, variant)
    else:
        info[row, SWAPPED] = 1
    _end_without_goal(rules, state, row, variant)


@inlined
def may_end(rules: Rules, state: State, row: int, action: int) -> bool:
    """Whether a legal action might end the game; False only if it can't. Much cheaper than playing it."""
    variant = state.info[row, VARIANT]
    line = rules.flags[variant, LINE]
    if action >= rules.flags[variant, N_CELLS] or rules.flags[variant, FLIPS] or line == 1:
        return True
    if state.info[row, EMPTIES] == 1 or state.info[row, PLY] + 1 >= rules.flags[variant, PLY_CAP]:
        return True
    own = FIRST + state.info[row, COLOUR]
    for d in range(N_DIRECTIONS):  # a line has an own stone beside the new one
        here = rules.neighbors[variant, action, d]
        if here != OFF and state.cells[row, here] == own:
            return line > 0
    return False


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
    if lined or (rules.flags[variant, LINE] and _makes_line(rules, state.cells, row, variant, cell, own)):
        _finish(rules, state, row, variant, FIRST_WINS + info[row, COLOUR])
    info[row, STONES_LEFT] -= 1
    if info[row, STONES_LEFT] == 0:
        _next_turn(rules, state, row, variant)


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
    for feature in range(features.shape[1]):
        features[out, feature] = rules.features[variant, feature]
    features[out, _FEATURE_STONES_LEFT] = state.info[row, STONES_LEFT] / 4
    features[out, _FEATURE_SWAP_LEGAL] = swap_is_legal(rules, state, row)
    features[out, _FEATURE_SECOND] = state.info[row, COLOUR]
    features[out, _FEATURE_PLY] = state.info[row, PLY] / rules.flags[variant, PLY_CAP]


@inlined
def next_random(rng: NDArray[np.uint64], row: int) -> np.uint64:
    """64 random bits of a row's own stream (splitmix64: Steele, Lea & Flood, OOPSLA 2014)."""
    rng[row] += _GOLDEN
    z = rng[row]
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return z ^ (z >> np.uint64(31))


@shared
def uniform(rng: NDArray[np.uint64], row: int) -> float:
    """Uniform in the open interval (0, 1)."""
    return (np.float64(next_random(rng, row) >> np.uint64(11)) + 0.5) * (1.0 / 9007199254740992.0)


@kernel
def playout(rules: Rules, state: State, row: int, rng: NDArray[np.uint64], actions: NDArray[np.int16]) -> int:
    """Play uniformly random legal actions to the end; the number of actions played."""
    plies = 0
    while state.info[row, STATUS] == ONGOING:
        n = list_legal(rules, state, row, actions, 0)
        play(rules, state, row, actions[int(uniform(rng, row) * n)])
        plies += 1
    return plies


@kernel
def random_games(
    rules: Rules, state: State, variant: int, games: int, rng: NDArray[np.uint64], actions: NDArray[np.int16]
) -> int:
    """Play random games from the start in row 0; the number of actions played."""
    plies = 0
    for _ in range(games):
        reset(rules, state, 0, variant)
        plies += playout(rules, state, 0, rng, actions)
    return plies


@kernel
def replay(
    rules: Rules, state: State, row: int, variant: int, actions: NDArray[np.int16], plies: int
) -> None:
    """Reset a row and play the first `plies` of the given actions."""
    reset(rules, state, row, variant)
    for i in range(plies):
        play(rules, state, row, actions[i])


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
        n_legal = list_legal(rules, state, row, actions, 0)
        observe(rules, state, row, actions, 0, n_legal, planes, legal, features, row)


def seed_streams(seed: int, rows: int) -> NDArray[np.uint64]:
    """uint64 `[rows]`: the start of an independent random stream for each row, from one seed."""
    return np.random.SeedSequence(seed).generate_state(rows, np.uint64).astype(np.uint64)
