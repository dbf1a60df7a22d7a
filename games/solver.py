"""The exact solver: what a position is worth under perfect play, and what each of its actions is.

    games.solve(games.start(games.load("tictactoe")))                  # 0: a draw
    games.solve_actions(position)                                      # {action: -1, 0 or 1}

The search is alpha-beta with a table of positions (`games.solve_kernels`). It answers questions of the form
"does this player reach at least that?", two for a position at most, and knows every variant that the engine
plays.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import log2
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from games import solve_kernels as kernels
from games.compilation import announce_first_compile
from games.compiler import rules_of, start_cells
from games.errors import SolveLimitError
from games.geometry import N_AXES, OFF, STEPS
from games.kernels import copy_row
from games.position import Position, start
from games.rules import EMPTY, HOLE, MAX_LEGAL
from games.solve_kernels import Search
from games.state import (
    COLOUR,
    KO,
    ORIGIN,
    PASSES,
    PHASE,
    PLY,
    STONES_LEFT,
    TAKEN,
    TAKEN_BY_SECOND,
    WAY,
    State,
    new_state,
)
from games.symmetry import symmetries
from games.variant import Effect, End, Move, Variant

DEFAULT_MEMORY = 1024
"""MiB that the table may take."""

SLICE = 1 << 18
"""Nodes between two looks at the clock."""

_GROWS_AT = 0.75
"""Share of the table in use at which it doubles."""

_FIRST_BITS = 64 - kernels.KEY_BITS
"""log2 of a new table's buckets; the bits of a key above these are stored, so that the table can grow."""

_MAX_IMAGES = 16
_MAX_IMAGES_OF_TINY_BOARDS = 128
_TINY_BOARD = 16


class SolveProgress(NamedTuple):
    """How far a search has come.

    nodes: positions visited
    seconds: since it began
    fill: share of the table's memory that is in use, 0 to 1
    """

    nodes: int
    seconds: float
    fill: float

    @property
    def nodes_per_second(self) -> float:
        """Speed so far."""
        return self.nodes / max(self.seconds, 1e-9)


Progress = Callable[[SolveProgress], None]
"""Is told how far a search has come, several times a second."""


def solve(
    position: Position,
    *,
    memory: int = DEFAULT_MEMORY,
    nodes: int | None = None,
    seconds: float | None = None,
    progress: Progress | None = None,
) -> int:
    """The exact value of a position for the player to move (of a finished game: for `position.to_play`).

    Args:
        position: any position.
        memory: MiB that the table of positions may take; it grows as it fills.
        nodes: positions to visit at most.
        seconds: time to take at most.
        progress: told several times a second how far the search has come.

    Returns:
        1 wins, 0 draws, -1 loses.

    Raises:
        SolveLimitError: a limit was reached first.
    """
    solver = Solver(position.variant, memory=memory, progress=progress)
    return solver.value(position, nodes=nodes, seconds=seconds)


def solve_actions(
    position: Position,
    *,
    memory: int = DEFAULT_MEMORY,
    nodes: int | None = None,
    seconds: float | None = None,
    progress: Progress | None = None,
) -> dict[int, int]:
    """The exact value of every legal action for the player to move; arguments and errors as for `solve`.

    Returns:
        legal action -> 1, 0 or -1, in ascending order of actions; empty when the game is over.
    """
    solver = Solver(position.variant, memory=memory, progress=progress)
    return solver.action_values(position, nodes=nodes, seconds=seconds)


class BestActions(NamedTuple):
    """A position's value to play (1 wins, 0 draws, -1 loses), and bool `[A]` which actions keep it."""

    value_to_play: int
    best: NDArray[np.bool_]


class SolvedEnd(NamedTuple):
    """What is known of the end of a game of T plies.

    first: the first ply whose position is solved; T if none is
    values: int8 `[T]`, to play: 1 wins, 0 draws, -1 loses; arbitrary before `first`
    best: bool `[T, A]`: the actions that keep the value; arbitrary before `first`
    choices: int16 `[T]`: how many actions are legal; arbitrary before `first`
    """

    first: int
    values: NDArray[np.int8]
    best: NDArray[np.bool_]
    choices: NDArray[np.int16]


class Solver:
    """Solves positions of one variant and keeps what it learns from one to the next.

    Attributes:
        variant: whose positions it solves.
        nodes: positions visited so far, over all calls.
        seconds: time taken so far, over all calls.
    """

    def __init__(
        self, variant: Variant, *, memory: int = DEFAULT_MEMORY, progress: Progress | None = None
    ) -> None:
        """Make room. memory: MiB that the table may take; progress: told several times a second."""
        if memory < 1:
            raise ValueError(f"memory: expected at least 1 MiB, got {memory}")
        announce_first_compile()
        self.variant = variant
        self.nodes = 0
        self.seconds = 0.0
        self._progress = progress
        self._rules = rules_of(variant)
        depths = _most_plies(variant) + 2
        self._state = new_state(self._rules, depths)
        self._search = _new_search(variant, depths, int(self._rules.flags[0, MAX_LEGAL]), memory)
        self._first_bits = int(self._search.registers[kernels.BUCKET_BITS])
        self._first_history = self._search.history.copy()

    def value(self, position: Position, *, nodes: int | None = None, seconds: float | None = None) -> int:
        """As `solve`, which documents the limits; they count from this call on."""
        limits = _Limits(nodes, seconds)
        return self._limited_value(position, limits)

    def action_values(
        self, position: Position, *, nodes: int | None = None, seconds: float | None = None
    ) -> dict[int, int]:
        """As `solve_actions`; the limits are for all actions together."""
        limits = _Limits(nodes, seconds)
        values = {}
        for action in position.legal_actions.tolist():
            following = position.play(action)
            value = self._limited_value(following, limits)
            values[action] = value if following.to_play == position.to_play else -value
        return values

    def best_actions(self, position: Position, *, nodes: int) -> BestActions | None:
        """A position's value, and which of its actions keep it.

        None if `nodes` visited positions don't suffice, or the game is over. It doesn't depend on what was
        solved before: that is forgotten.
        """
        self._check(position)
        if position.is_over:
            return None
        game = new_state(self._rules, 1)
        copy_row(position.state, 0, game, 0)
        solved = self._solve_rows(game, 1, nodes)
        return None if solved.first else BestActions(int(solved.values[0]), solved.best[0])

    def solve_end(self, actions: NDArray[np.int16], *, nodes: int) -> SolvedEnd:
        """Solve the positions of a game from the end back, as far as `nodes` visited positions reach.

        actions: int16 `[T]` from the start of the game to its end

        It doesn't depend on what was solved before: that is forgotten.
        """
        game = new_state(self._rules, len(actions) + 1)
        copy_row(start(self.variant).state, 0, game, 0)
        kernels.replay_game(self._rules, game, actions)
        return self._solve_rows(game, len(actions), nodes)

    def _solve_rows(self, game: State, plies: int, nodes: int) -> SolvedEnd:
        """Solve the positions of a game, one a row, from the last one back."""
        n_actions = self.variant.n_actions
        values, best = np.zeros(plies, np.int8), np.zeros((plies, n_actions), np.bool_)
        choices = np.zeros(plies, np.int16)
        self.forget()
        before, scratch = int(self._search.registers[kernels.NODES]), np.empty(n_actions + 1, np.int16)
        limit = before + nodes
        first = kernels.solve_end(
            self._rules, game, plies, self._state, self._search, limit, scratch, values, best, choices
        )
        self.nodes += int(self._search.registers[kernels.NODES]) - before
        return SolvedEnd(first, values, best, choices)

    def forget(self) -> None:
        """Empty the table, as if nothing had been solved yet."""
        self._search.table[:] = 0
        self._search.history[:] = self._first_history
        self._search.registers[kernels.STORED] = 0
        self._search.registers[kernels.BUCKET_BITS] = self._first_bits

    def _limited_value(self, position: Position, limits: _Limits) -> int:
        """The value for the player to move: does it win? If not, does it draw?"""
        self._check(position)
        if position.is_over:
            return position.returns[position.to_play]
        copy_row(position.state, 0, self._state, 0)
        for needed in (1, 0):
            bound = self._answer(position, needed, limits)
            if bound >= needed or bound == -1:
                return bound
        raise AssertionError("a value below 0 is -1")

    def _check(self, position: Position) -> None:
        """Raise `ValueError` for a position of other rules."""
        if position.variant.digest != self.variant.digest:
            raise ValueError(f"expected a position of {self.variant.name}, got {position.variant.name}")

    def _answer(self, position: Position, needed: int, limits: _Limits) -> int:
        """At least `needed`: the mover's value isn't below what is returned; below: it isn't above."""
        search, registers = self._search, self._search.registers
        kernels.ask(self._rules, self._state, search, needed if position.to_play == 0 else 1 - needed)
        done = kernels.advance(self._rules, self._state, search, 0)  # compiled before time is taken
        while not done:
            began, before = time.perf_counter(), int(registers[kernels.NODES])
            done = kernels.advance(self._rules, self._state, search, before + limits.next_slice())
            self._grow_if_full()
            limits.spend(int(registers[kernels.NODES]) - before, time.perf_counter() - began)
            self.nodes += int(registers[kernels.NODES]) - before
            self.seconds += time.perf_counter() - began
            if self._progress is not None:
                self._progress(SolveProgress(self.nodes, self.seconds, self.fill))
            if not done:
                limits.check(position)
        return int(search.frames[0, kernels.BEST])

    @property
    def fill(self) -> float:
        """Share of the table's memory that is in use, 0 to 1."""
        return int(self._search.registers[kernels.STORED]) / len(self._search.table)

    def _grow_if_full(self) -> None:
        search, registers = self._search, self._search.registers
        in_use = kernels.BUCKET << int(registers[kernels.BUCKET_BITS])
        if in_use < len(search.table) and registers[kernels.STORED] > _GROWS_AT * in_use:
            kernels.grow(search)


class _Limits:
    """What is left of the nodes and the seconds of one call."""

    def __init__(self, nodes: int | None, seconds: float | None) -> None:
        self._nodes, self._seconds = nodes, seconds
        self._spent_nodes, self._spent_seconds = 0, 0.0

    def next_slice(self) -> int:
        """Nodes until the next look at the limits; at least one."""
        left = SLICE if self._nodes is None else min(SLICE, self._nodes - self._spent_nodes)
        if self._seconds is not None and self._spent_nodes == 0:
            left = min(left, SLICE >> 6)
        return max(1, left)

    def spend(self, nodes: int, seconds: float) -> None:
        self._spent_nodes += nodes
        self._spent_seconds += seconds

    def check(self, position: Position) -> None:
        """Raise `SolveLimitError` if a limit is reached."""
        over_nodes = self._nodes is not None and self._spent_nodes >= self._nodes
        over_time = self._seconds is not None and self._spent_seconds >= self._seconds
        if over_nodes or over_time:
            limit = f"{self._nodes:,} nodes" if over_nodes else f"{self._seconds:g} s"
            raise SolveLimitError(
                f"{position.variant.name} after {position.ply} actions: expected a solution within {limit}, "
                f"got none after {self._spent_nodes:,} nodes in {self._spent_seconds:.1f} s"
            )


# --- the arrays ---------------------------------------------------------------------------------------------


def _new_search(variant: Variant, depths: int, max_legal: int, memory: int) -> Search:
    """Everything the kernels work on, see `Search`."""
    images = _images(variant)
    cells = images.shape[2] - 2
    places, numbers = _info_columns(variant)
    random = np.random.Generator(np.random.PCG64(0x5E1F))
    words = random.integers(0, 2**64, (cells, 4), np.uint64)
    words[:, EMPTY] = 0
    place_words = random.integers(0, 2**64, (len(places), cells + 1), np.uint64)
    place_words[:, OFF] = 0
    table = _new_table(variant, memory)
    search = Search(
        cell_words=np.ascontiguousarray(words[images[0, :, :cells]].transpose(1, 2, 0)),
        place_words=np.ascontiguousarray(
            place_words[:, np.pad(images[0, :, :cells], ((0, 0), (0, 1)), constant_values=cells)].transpose(
                0, 2, 1
            )
        ),
        place_columns=np.array(places, np.int16),
        number_columns=np.array(numbers, np.int16),
        images=images,
        windows=_windows(variant),
        actions=np.zeros((depths, max_legal + 1), np.int16),
        order=np.zeros((depths, max_legal + 1), np.int64),
        frames=np.zeros((depths, kernels.N_FRAME), np.int64),
        keys=np.zeros(depths, np.uint64),
        lanes=np.zeros((depths, images.shape[1]), np.uint64),
        history=np.tile(_centrality(variant), (2, 1)),
        table=table,
        registers=np.zeros(kernels.N_REGISTERS, np.int64),
    )
    buckets = int(log2(len(table) // kernels.BUCKET))
    search.registers[kernels.BUCKET_BITS] = min(_FIRST_BITS, buckets)
    search.registers[kernels.LINES_ONLY] = len(search.windows) > 0
    search.registers[kernels.LOOKS_AHEAD] = _looks_ahead(variant)
    search.registers[kernels.WAY_COUNTS] = variant.move.chain == "straight"
    return search


def _new_table(variant: Variant, memory: int) -> NDArray[np.uint64]:
    """uint64 `[entries]`, a power of two, beginning where a line of the processor's cache begins."""
    playable = int(np.count_nonzero(start_cells(variant) != HOLE))
    bits = int(log2(memory * 2**20 // 8))
    if not (variant.removes or _cap_matters(variant)):
        bits = min(bits, 2 * playable + 4)
    raw = np.zeros((1 << max(bits, 3)) + 7, np.uint64)
    shift = (-raw.ctypes.data % 64) // 8
    return raw[shift : shift + (1 << max(bits, 3))]


def _images(variant: Variant) -> NDArray[np.int16]:
    """int16 `[2, K, A]`: the symmetries that keys are looked up under, and their inverses."""
    all_of_them = symmetries(variant)
    if variant.turn.repeat == "superko":  # the boards of the past have no images here
        all_of_them = all_of_them[:1]
    tiny = all_of_them.shape[1] - 2 <= _TINY_BOARD
    kept = all_of_them[: _MAX_IMAGES_OF_TINY_BOARDS if tiny else _MAX_IMAGES]
    return np.stack([kept, kept.argsort(axis=1)]).astype(np.int16)


def _info_columns(variant: Variant) -> tuple[list[int], list[int]]:
    """Columns of `State.info` that the future depends on: those that hold a cell, and those with a number."""
    moves_stones, captures = not variant.places, any(variant.captures)
    wanted = {
        COLOUR: True,
        STONES_LEFT: variant.turn.stones > 1 or variant.first_turn_stones > 1,
        PASSES: variant.turn.passing != "never",
        PLY: _cap_matters(variant),
        PHASE: moves_stones,
        WAY: variant.move.chain == "straight",
        TAKEN: captures,
        TAKEN_BY_SECOND: captures,
    }
    places = {ORIGIN: moves_stones, KO: variant.turn.repeat == "ko"}
    return [column for column in places if places[column]], [column for column in wanted if wanted[column]]


def _looks_ahead(variant: Variant) -> bool:
    """Whether having few moves is bad: then actions are ordered by what they leave to the opponent."""
    move = variant.move
    conditions = move.must_flip or move.domino or move.captures_nothing or move.keeps_liberty
    return bool(conditions) or (not variant.places and variant.end.stuck in ("loses", "wins"))


def _most_plies(variant: Variant) -> int:
    """An upper bound of a game's actions."""
    return min(variant.ply_cap, _natural_plies(variant) or variant.ply_cap)


def _cap_matters(variant: Variant) -> bool:
    """Whether a game may reach the ply cap, so that positions with different plies differ."""
    natural = _natural_plies(variant)
    return natural is None or natural > variant.ply_cap


def _natural_plies(variant: Variant) -> int | None:
    """An upper bound of a game's actions if there were no cap; None: games might go on for ever."""
    moves = _natural_moves(variant)
    if moves is None:
        return None
    return moves * (1 if variant.turn.passing == "never" else 2) + variant.turn.swap


def _natural_moves(variant: Variant) -> int | None:
    """An upper bound of a game's actions but passes and swaps; None: no bound is known."""
    start, move = start_cells(variant), variant.move
    empties = int(np.count_nonzero(start == EMPTY))
    stones = int(np.count_nonzero((start != EMPTY) & (start != HOLE)))
    if variant.places:
        return None if variant.removes else empties
    if move.kind == "clone" or variant.effect.surround or variant.effect.take_enclosed:
        return None
    if not move.to_empty:  # each choice of a stone leads to a capture, and perhaps to the end of a chain
        return stones * (2 if move.chain == "none" else 3)
    if move.shoot and _ways_lead_back(variant):
        return (3 + (move.chain != "none")) * (empties + stones)
    steps = _forward_steps(variant)
    return None if steps is None else steps * (2 + (move.chain != "none") + move.shoot)


def _ways_lead_back(variant: Variant) -> bool:
    """Whether a stone that moved can shoot at least where it came from."""
    ways = set(variant.directions(variant.move.to_empty, 0))
    every = ways | set(variant.directions((*variant.move.to_enemy, *variant.move.over_enemy), 0))
    return all((direction + N_AXES) % (2 * N_AXES) in ways for direction in every)


def _forward_steps(variant: Variant) -> int | None:
    """Rows that all stones can go forward together; None where they may also go elsewhere, or turn round."""
    move, rows = variant.move, variant.board.rows
    ways = variant.directions((*move.to_empty, *move.to_enemy, *move.over_enemy), 0)
    if variant.effect.flip or variant.effect.infect or variant.board.wrap in ("rows", "both"):
        return None
    if any(STEPS[direction][0] >= 0 for direction in ways):
        return None
    first, second = (np.array(cells, np.int64) // variant.board.columns for cells in variant.setup_cells)
    return int(first.sum() + (rows - 1 - second).sum())


def _windows(variant: Variant) -> NDArray[np.int16]:
    """int16 `[W, N]`: the cells of every line that wins, if lines are all that counts; else none."""
    first, second = variant.lines
    if first != second or not _lines_only(variant):
        return np.zeros((0, 1), np.int16)
    table = variant.neighbors()
    found = {}
    for cell in sorted(set(range(len(table))) - variant.hole_cells):
        for axis in range(N_AXES):
            line = [cell]
            while len(line) < first and table[line[-1], axis] != OFF:
                line.append(int(table[line[-1], axis]))
            if len(set(line)) == first:
                found[frozenset(line)] = line
    return np.array(list(found.values()), np.int16).reshape(-1, first)


def _lines_only(variant: Variant) -> bool:
    """Whether stones are placed freely, stay as they are, and a line is the only goal."""
    end = variant.end
    plain = (
        variant.move == Move(kind=variant.move.kind, gravity=variant.move.gravity)
        and variant.effect == Effect()
        and end == End(line=end.line, exact=end.exact, ply_cap=end.ply_cap)
    )
    return plain and variant.places and variant.turn.passing == "never"


def _centrality(variant: Variant) -> NDArray[np.int64]:
    """int64 `[A]`: on how many short lines a cell lies, which orders moves until there is experience."""
    table = variant.neighbors().astype(np.int64)
    away = len(table)
    steps = np.vstack([np.where(table == OFF, away, table), np.full(table.shape[1], away)])
    reached = np.zeros(away + 1, np.int64)
    for direction in range(table.shape[1]):
        here = np.arange(away + 1)
        for _ in range(3):
            here = steps[here, direction]
            reached += here != away
    return np.concatenate([reached[:away], [0, 0]])
