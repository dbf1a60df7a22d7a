"""The exact solver's search: does the player to move in row 0 reach at least this value? Yes or no.

Alpha-beta with a window of no width, on an explicit stack: row d of the state is the position d actions below
the root, frame d what the search knows about it. Values are the mover's: 1 wins, 0 draws, -1 loses, and they
change sign only where the seat to play changes. `games.solver` builds the arrays and asks the questions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from games.compilation import inlined, kernel
from games.geometry import N_DIRECTIONS, OFF
from games.kernels import copy_row, list_legal, may_end, play, seat_to_play, value_for_seat
from games.line_kernels import makes_line
from games.number_kernels import as_int
from games.rules import EMPTY, FIRST, FIRST_STONES, N_CELLS, PLY_CAP, SECOND, STONES, SWAP_RULE, Rules
from games.state import COLOUR, EMPTIES, ONGOING, PLY, STATUS, STONES_LEFT, SWAPPED, VARIANT, WAY, State

DEPTH, NODES, STORED, BUCKET_BITS, AIM, LINES_ONLY, LOOKS_AHEAD, WAY_COUNTS, WITNESS = range(9)
N_REGISTERS = WITNESS + 2
"""`Search.registers`.

DEPTH: how deep the search is; NODES: positions visited; STORED: entries in the table
BUCKET_BITS: log2 of the table's buckets in use
AIM: what is asked for, seat 0's value: 0 or 1
LINES_ONLY, LOOKS_AHEAD, WAY_COUNTS: of the variant: it has `windows`; actions are ordered by the choice they
    leave to the opponent; a chain of jumps has to go on in its direction
WITNESS + colour: the open line that was seen last
"""

COUNT, NEXT, BEST, BEST_ACTION, NEEDED, SEAT, BEFORE, IMAGE, TABLE_ACTION, N_FRAME = range(10)
"""Columns of `Search.frames`.

COUNT, NEXT: actions of the position, and how many of them were taken up
BEST, BEST_ACTION: the best value so far, and where it comes from
NEEDED: with this value the position is decided
BEFORE: NODES when the position was opened
IMAGE: the symmetry under which it is looked up
TABLE_ACTION: what was best when it was searched before, or OFF
"""

UNSETTLED = -2
"""Instead of a value: the position has to be searched."""

BUCKET = 8
"""Entries that fit in a line of the processor's cache; a key names one line."""

KEY_BITS = 46
"""Bits of the key that an entry holds, the highest; the lower ones name the bucket."""

_ACTION_SHIFT, _ACTION_BITS = np.uint64(4), np.uint64(511)
_WORK_SHIFT, _WORK_BITS = np.uint64(13), np.uint64(31)
_REST_BITS = np.uint64((1 << (64 - KEY_BITS)) - 1)
_LOW_BITS = np.uint64(3)
_ONE, _TWO = np.uint64(1), np.uint64(2)
_NOTHING = np.uint64(0)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_FROM_TABLE, _CHOICE = 1 << 60, 1 << 40


class Search(NamedTuple):
    """What the search works on; D depths, K images of the board, M legal actions at most.

    cell_words: uint64 `[C, 4, K]`: what a cell's content adds to the key of each image
    place_words: uint64 `[P, C + 1, K]`: the same for columns of `info` that hold a cell; the last is OFF's
    place_columns: int16 `[P]`: those columns
    number_columns: int16 `[Q]`: columns of `info` with numbers that the future depends on
    images: int16 `[2, K, A]`: where each image puts an action, and the way back
    windows: int16 `[W, N]`: the cells of every possible line, where lines are all that counts
    actions, order: int16, int64 `[D, M + 1]`: legal actions, and how promising they look
    frames: int64 `[D, N_FRAME]`
    keys: uint64 `[D]`
    lanes: uint64 `[D, K]`: the key of each image's cells
    history: int64 `[2, A]`: how often an action decided, by colour
    table: uint64 `[BUCKET * buckets]`
    registers: int64 `[N_REGISTERS]`
    """

    cell_words: NDArray[np.uint64]
    place_words: NDArray[np.uint64]
    place_columns: NDArray[np.int16]
    number_columns: NDArray[np.int16]
    images: NDArray[np.int16]
    windows: NDArray[np.int16]
    actions: NDArray[np.int16]
    order: NDArray[np.int64]
    frames: NDArray[np.int64]
    keys: NDArray[np.uint64]
    lanes: NDArray[np.uint64]
    history: NDArray[np.int64]
    table: NDArray[np.uint64]
    registers: NDArray[np.int64]


@kernel
def ask(rules: Rules, state: State, search: Search, aim: int) -> None:
    """Begin a question about row 0: does seat 0 reach `aim` (0 or 1)? `advance` answers it."""
    search.registers[AIM] = aim
    search.registers[DEPTH] = 0
    for image in range(search.lanes.shape[1]):
        search.lanes[0, image] = _NOTHING
        for cell in range(search.cell_words.shape[0]):
            search.lanes[0, image] ^= search.cell_words[cell, state.cells[0, cell], image]
    settled = _visit(rules, state, search, 0)
    if settled != UNSETTLED:
        _settle(search, 0, settled)


@kernel
def advance(rules: Rules, state: State, search: Search, limit: int) -> bool:
    """Search until the question is answered (True; BEST of frame 0 is the bound) or NODES reaches `limit`."""
    frames, registers = search.frames, search.registers
    depth = registers[DEPTH]
    while registers[NODES] < limit:
        if frames[depth, NEXT] >= frames[depth, COUNT] or frames[depth, BEST] >= frames[depth, NEEDED]:
            if registers[NODES] > frames[depth, BEFORE]:
                _remember(search, depth)
            if depth == 0:
                return True
            depth -= 1
            same_seat = frames[depth, SEAT] == frames[depth + 1, SEAT]
            value = frames[depth + 1, BEST]
            _fold(state, search, depth, value if same_seat else -value)
        else:
            action = take_best(search.frames[depth], search.actions[depth], search.order[depth])
            _play_below(rules, state, depth, action)
            registers[NODES] += 1
            value = _look(rules, state, search, depth)
            if value == UNSETTLED:
                depth += 1
            else:
                _fold(state, search, depth, value)
    registers[DEPTH] = depth
    return False


@kernel
def solve_end(
    rules: Rules,
    game: State,
    plies: int,
    state: State,
    search: Search,
    limit: int,
    actions: NDArray[np.int16],
    values: NDArray[np.int8],
    best: NDArray[np.bool_],
    choices: NDArray[np.int16],
) -> int:
    """Solve the positions of a game, rows 0 to `plies` - 1, from the last one back until NODES reach `limit`.

    The first ply that is known: from there on `values` are to play, `best` tells which actions keep them, and
    `choices` how many there are. `actions` is scratch.
    """
    for ply in range(plies - 1, -1, -1):
        copy_row(game, ply, state, 0)
        value = _value(rules, state, search, limit)
        if value == UNSETTLED:
            return ply + 1
        seat = seat_to_play(game, ply)
        choices[ply] = _list_actions(rules, game, ply, actions)
        for number in range(choices[ply]):
            action = as_int(actions[number])
            copy_row(game, ply, state, 0)
            _play_below(rules, state, 0, action)
            if value == -1 or state.info[1, STATUS] != ONGOING:
                best[ply, action] = value == -1 or value_for_seat(state, 1, seat) == value
                continue
            copy_row(state, 1, state, 0)
            same_seat = seat_to_play(state, 0) == seat
            answer = _reaches(rules, state, search, value if same_seat else 1 - value, limit)
            if answer == UNSETTLED:
                return ply + 1
            best[ply, action] = (answer == 1) == same_seat
        values[ply] = value
    return 0


@kernel
def _value(rules: Rules, state: State, search: Search, limit: int) -> int:
    """The value to play of row 0, or UNSETTLED if NODES reach `limit` first."""
    for needed in (1, 0):
        answer = _reaches(rules, state, search, needed, limit)
        if answer != 0:
            return needed if answer == 1 else UNSETTLED
    return -1


@kernel
def _reaches(rules: Rules, state: State, search: Search, needed: int, limit: int) -> int:
    """Whether the player to move in row 0 reaches a value: 1 or 0, or UNSETTLED."""
    ask(rules, state, search, needed if seat_to_play(state, 0) == 0 else 1 - needed)
    if not advance(rules, state, search, limit):
        return UNSETTLED
    return 1 if search.frames[0, BEST] >= needed else 0


@kernel
def replay_game(rules: Rules, game: State, actions: NDArray[np.int16]) -> None:
    """Fill the rows below the first with the positions that actions lead to."""
    for ply in range(actions.shape[0]):
        _play_below(rules, game, ply, as_int(actions[ply]))


# The engine's functions are compiled into their callers: here once each, since they are long.


@kernel
def _play_below(rules: Rules, state: State, depth: int, action: int) -> None:
    copy_row(state, depth, state, depth + 1)
    play(rules, state, depth + 1, action)


@kernel
def _list_actions(rules: Rules, state: State, depth: int, out: NDArray[np.int16]) -> int:
    return list_legal(rules, state, depth, out, 0)


@kernel
def _might_end(rules: Rules, state: State, depth: int, action: int) -> bool:
    return may_end(rules, state, depth, action)


@inlined
def _look(rules: Rules, state: State, search: Search, depth: int) -> int:
    """The value for the mover at `depth` of the position in the row below, or UNSETTLED: it is opened."""
    seat = search.frames[depth, SEAT]
    if state.info[depth + 1, STATUS] != ONGOING:
        return int(value_for_seat(state, depth + 1, seat))
    _move_lanes(state, search, depth)
    value = _visit(rules, state, search, depth + 1)
    if value == UNSETTLED or search.frames[depth + 1, SEAT] == seat:
        return value
    return -value


@inlined
def _settle(search: Search, depth: int, value: int) -> None:
    """A frame that needs no search."""
    search.frames[depth, COUNT] = 0
    search.frames[depth, NEXT] = 0
    search.frames[depth, BEST] = value


@kernel
def _visit(rules: Rules, state: State, search: Search, depth: int) -> int:
    """Open the position of a row: its value for the mover, if nothing has to be searched, or UNSETTLED."""
    frame = search.frames[depth]
    seat = seat_to_play(state, depth)
    aim = search.registers[AIM]
    frame[SEAT] = seat
    frame[NEEDED] = aim if seat == 0 else 1 - aim
    frame[BEST] = -1
    frame[BEST_ACTION] = OFF
    frame[NEXT] = 0
    frame[BEFORE] = search.registers[NODES]
    frame[COUNT] = _list_actions(rules, state, depth, search.actions[depth])
    if search.registers[LINES_ONLY]:
        value = _see_lines(rules, state, search, depth)
        if value != UNSETTLED:
            return value
    _make_key(rules, state, search, depth)
    value = _recall(search, depth)
    if value != UNSETTLED:
        return value
    return _arrange(rules, state, search, depth)


# --- what a board of lines tells at a glance ----------------------------------------------------------------


@inlined
def _see_lines(rules: Rules, state: State, search: Search, depth: int) -> int:
    """Where a line is all that counts: a line now wins, the opponent's line must be stopped.

    Nothing that a player does makes a cell unplayable for the opponent but playing there, so two threats
    lose, and one leaves one action. Who needs a line and has no open one left can't win any more.
    """
    frame, actions = search.frames[depth], search.actions[depth]
    info, cells = state.info, state.cells
    variant = info[depth, VARIANT]
    own = FIRST + info[depth, COLOUR]
    other = FIRST + SECOND - own
    n_cells = rules.flags[variant, N_CELLS]
    n, stop, threats = frame[COUNT], OFF, 0
    can_answer = (
        info[depth, STONES_LEFT] == 1
        and info[depth, EMPTIES] > 1
        and info[depth, PLY] + 1 < rules.flags[variant, PLY_CAP]
    )
    for i in range(n):
        action = actions[i]
        if action >= n_cells:
            can_answer = False  # a swap stops threats as well
            continue
        own_near, other_near = False, False
        for d in range(N_DIRECTIONS):
            here = rules.neighbors[variant, action, d]
            if here != OFF:
                own_near |= cells[depth, here] == own
                other_near |= cells[depth, here] == other
        if own_near and makes_line(rules, cells, depth, variant, action, own):
            frame[BEST_ACTION] = action
            return 1
        if other_near and makes_line(rules, cells, depth, variant, action, other):
            stop = action
            threats += 1
    if can_answer and threats > 0:
        if threats > 1:
            frame[BEST_ACTION] = stop
            return -1
        actions[0] = stop
        frame[COUNT] = 1
    if rules.flags[variant, SWAP_RULE] and info[depth, PLY] <= rules.flags[variant, FIRST_STONES]:
        return UNSETTLED  # nobody knows yet who will need which colour's line
    needy = (1 - search.registers[AIM]) ^ info[depth, SWAPPED]
    left = info[depth, EMPTIES]
    if rules.flags[variant, STONES] == 1 and info[depth, STONES_LEFT] == 1:
        left = (left + (needy == info[depth, COLOUR])) // 2
    if not _has_open_line(state, search, depth, needy, left):
        return 0
    return UNSETTLED


@inlined
def _has_open_line(state: State, search: Search, row: int, colour: int, left: int) -> bool:
    """Whether a colour may still complete a line with `left` stones. What was open last is tried first."""
    seen = search.registers[WITNESS + colour]
    enemy = SECOND - colour
    n_windows, length = search.windows.shape
    for i in range(n_windows):
        window = seen + i
        if window >= n_windows:
            window -= n_windows
        missing = 0
        for j in range(length):
            content = state.cells[row, search.windows[window, j]]
            missing += content == EMPTY
            if content == enemy:
                missing = length + left
                break
        if missing <= left:
            search.registers[WITNESS + colour] = window
            return True
    return False


# --- order --------------------------------------------------------------------------------------------------


@inlined
def _arrange(rules: Rules, state: State, search: Search, depth: int) -> int:
    """Say how promising each action looks; the value, if one of them settles the position, or UNSETTLED."""
    frame, actions, order = search.frames[depth], search.actions[depth], search.order[depth]
    registers = search.registers
    colour = state.info[depth, COLOUR]
    looks_ahead = registers[LOOKS_AHEAD] != 0 and frame[COUNT] > 2
    image, table_action = frame[IMAGE], frame[TABLE_ACTION]
    kept = 0
    for i in range(frame[COUNT]):
        action = actions[i]
        order[kept] = search.history[colour, action]
        if looks_ahead or (registers[LINES_ONLY] == 0 and _might_end(rules, state, depth, action)):
            value = _peek(rules, state, search, depth, action, looks_ahead, kept)
            if value > frame[BEST]:
                frame[BEST] = value
                frame[BEST_ACTION] = action
            if value >= frame[NEEDED]:
                return value
            if value != UNSETTLED:
                continue
        if action == table_action:
            order[kept] += _FROM_TABLE
        actions[kept] = action
        kept += 1
    frame[COUNT] = kept
    frame[IMAGE] = image
    return UNSETTLED


@inlined
def _peek(
    rules: Rules, state: State, search: Search, depth: int, action: int, looks_ahead: bool, at: int
) -> int:
    """The value for the mover if it is known as soon as the action is played, or UNSETTLED.

    looks_ahead: look it up in the table, and order the action at `at` by the choices it leaves.
    """
    below, frames = depth + 1, search.frames
    seat = frames[depth, SEAT]
    _play_below(rules, state, depth, action)
    if state.info[below, STATUS] != ONGOING:
        return int(value_for_seat(state, below, seat))
    if not looks_ahead:
        return UNSETTLED
    _move_lanes(state, search, depth)
    frames[below, SEAT] = seat_to_play(state, below)
    same_seat = frames[below, SEAT] == seat
    frames[below, NEEDED] = frames[depth, NEEDED] if same_seat else 1 - frames[depth, NEEDED]
    _make_key(rules, state, search, below)
    value = _recall(search, below)
    if value != UNSETTLED:
        return value if same_seat else -value
    choices = _list_actions(rules, state, below, search.actions[below])
    search.order[depth, at] += _CHOICE * (choices if same_seat else -choices)
    return UNSETTLED


@inlined
def take_best(frame: NDArray[np.int64], actions: NDArray[np.int16], order: NDArray[np.int64]) -> int:
    """The most promising action that is left at a depth; it changes places with the next one.

    frame: begins with `COUNT` and `NEXT`; actions, order: `[M + 1]`
    """
    at = frame[NEXT]
    best = at
    for i in range(at + 1, frame[COUNT]):
        if order[i] > order[best]:
            best = i
    actions[at], actions[best] = actions[best], actions[at]
    order[at], order[best] = order[best], order[at]
    frame[NEXT] = at + 1
    return actions[at]


@inlined
def _fold(state: State, search: Search, depth: int, value: int) -> None:
    """Take the value of the action that was taken up last; learn from it if it decides the position."""
    frame, actions = search.frames[depth], search.actions[depth]
    last = frame[NEXT] - 1
    if value > frame[BEST]:
        frame[BEST] = value
        frame[BEST_ACTION] = actions[last]
    if value >= frame[NEEDED]:
        learned = search.history[state.info[depth, COLOUR]]
        learned[actions[last]] += last
        for i in range(last):
            learned[actions[i]] -= 1


# --- keys ---------------------------------------------------------------------------------------------------


@inlined
def _move_lanes(state: State, search: Search, depth: int) -> None:
    """The keys of the row below, from those of this row and the cells that differ."""
    lanes, words, cells = search.lanes, search.cell_words, state.cells
    for image in range(lanes.shape[1]):
        lanes[depth + 1, image] = lanes[depth, image]
    for cell in range(words.shape[0]):
        before, after = cells[depth, cell], cells[depth + 1, cell]
        if before != after:
            for image in range(lanes.shape[1]):
                lanes[depth + 1, image] ^= words[cell, before, image] ^ words[cell, after, image]


@inlined
def _make_key(rules: Rules, state: State, search: Search, depth: int) -> None:
    """The key of a row: the smallest of its images', and everything else the future depends on."""
    info, variant = state.info, state.info[depth, VARIANT]
    n_images = search.lanes.shape[1]
    if search.registers[WAY_COUNTS] and info[depth, WAY] != OFF:
        n_images = 1  # nobody knows here where an image turns a direction
    least, chosen = ~_NOTHING, 0
    for image in range(n_images):
        key = search.lanes[depth, image]
        for i in range(search.place_columns.shape[0]):
            key ^= search.place_words[i, info[depth, search.place_columns[i]], image]
        if key < least:
            least, chosen = key, image
    word = _NOTHING
    for i in range(search.number_columns.shape[0]):
        word = (word ^ np.uint64(np.int64(info[depth, search.number_columns[i]]) + 1)) * _GOLDEN
        word ^= word >> np.uint64(29)
    if rules.flags[variant, SWAP_RULE] and info[depth, PLY] <= rules.flags[variant, FIRST_STONES]:
        word = (word ^ np.uint64(np.int64(info[depth, PLY]) + 1)) * _MIX_2
    for ply in range(min(state.history.shape[1], np.int64(info[depth, PLY]) + 1)):
        word += _mixed(state.history[depth, ply])  # superko: which boards there were, in any order
    search.keys[depth] = _mixed(least ^ word)
    search.frames[depth, IMAGE] = chosen


@inlined
def _mixed(z: np.uint64) -> np.uint64:
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return z ^ (z >> np.uint64(31))


# --- the table of positions ---------------------------------------------------------------------------------
#
# An entry, from the highest bit: 46 of the key, 5 log2 of the work, 9 the best action + 1 (as the key's image
# has it), 2 how far the value's upper bound is below 1, 2 how far its lower bound is above -1. No entry is 0.


@inlined
def _bucket_of(key: np.uint64, bits: int) -> int:
    return BUCKET * int(np.int64(key & ((_ONE << np.uint64(bits)) - _ONE)))


@inlined
def _recall(search: Search, depth: int) -> int:
    """What the table says of a position: its value, if that decides, or UNSETTLED."""
    frame, key, table = search.frames[depth], search.keys[depth], search.table
    first = _bucket_of(key, search.registers[BUCKET_BITS])
    frame[TABLE_ACTION] = OFF
    for i in range(first, first + BUCKET):
        entry = table[i]
        if entry != _NOTHING and (entry ^ key) <= _REST_BITS:
            low = int(np.int64(entry & _LOW_BITS)) - 1
            high = 1 - int(np.int64((entry >> _TWO) & _LOW_BITS))
            if low >= frame[NEEDED]:
                return low
            if high < frame[NEEDED]:
                return high
            stored = int(np.int64((entry >> _ACTION_SHIFT) & _ACTION_BITS)) - 1
            if stored >= 0:
                frame[TABLE_ACTION] = search.images[1, frame[IMAGE], stored]
            break
    return UNSETTLED


@inlined
def _remember(search: Search, depth: int) -> None:
    """Put what was found into the table, over what it knew of the position, or over the least work."""
    frame, key, table = search.frames[depth], search.keys[depth], search.table
    first = _bucket_of(key, search.registers[BUCKET_BITS])
    low, high = -1, 1
    if frame[BEST] >= frame[NEEDED]:
        low = frame[BEST]
    else:
        high = frame[BEST]
    at, least = first, _WORK_BITS + _TWO
    for i in range(first, first + BUCKET):
        entry = table[i]
        work = _NOTHING
        if entry != _NOTHING:
            if (entry ^ key) <= _REST_BITS:
                low = max(low, int(np.int64(entry & _LOW_BITS)) - 1)
                high = min(high, 1 - int(np.int64((entry >> _TWO) & _LOW_BITS)))
                at = i
                break
            work = ((entry >> _WORK_SHIFT) & _WORK_BITS) + _ONE
        if work < least:
            at, least = i, work
    search.registers[STORED] += table[at] == _NOTHING
    stored = 0
    if frame[BEST_ACTION] != OFF:
        stored = search.images[0, frame[IMAGE], frame[BEST_ACTION]] + 1
    table[at] = (
        (key & ~_REST_BITS)
        | (_log2(search.registers[NODES] - frame[BEFORE]) << _WORK_SHIFT)
        | (np.uint64(stored) << _ACTION_SHIFT)
        | (np.uint64(1 - high) << _TWO)
        | np.uint64(low + 1)
    )


@inlined
def _log2(number: int) -> np.uint64:
    """The logarithm of a number, rounded down, 31 at most."""
    bits = _NOTHING
    while number > 1 and bits < _WORK_BITS:
        number >>= 1
        bits += _ONE
    return bits


@kernel
def grow(search: Search) -> None:
    """Double the buckets in use; half of the entries move to the new ones."""
    bits, table = search.registers[BUCKET_BITS], search.table
    half = BUCKET << bits
    bit = _ONE << np.uint64(bits)
    for i in range(half):
        if table[i] & bit:
            table[half + i] = table[i]
            table[i] = _NOTHING
    search.registers[BUCKET_BITS] = bits + 1
