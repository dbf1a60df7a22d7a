"""Alpha-beta to a fixed depth on any variant, without learning or playouts: an opponent that never changes.

Every action counts for the depth, so a move of two choices takes two. Values are whole millionths of a win.
A game that is won k actions below the root counts 1,000,000 - k, a lost one the negative, a draw 0. Positions
at the horizon are judged by what `judgement_of` finds in the rules, within 900,000 of 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from games import AgentError, Position, Variant
from games import alphabeta_kernels as kernels
from games.alphabeta_kernels import Judgement, Search
from games.compilation import announce_first_compile
from games.compiler import rules_of
from games.geometry import N_AXES, OFF
from games.kernels import copy_row
from games.rules import FIRST, SECOND
from games.solve_kernels import COUNT

MAX_DEPTH = 64

_SLICE = 1 << 18
"""Nodes between two looks at whether anybody still wants the answer."""

_ALL_STONES = 800_000
"""What a board full of own stones, or an area of the whole board, is worth."""

_ALL_CAPTURES = 400_000
"""What all captures that a colour needs are worth."""

_ONE_MISSING = 64_000
"""What an open line that needs one stone is worth; each further stone that it needs divides it by four."""

_ONE_TO_LINK = 50_000
"""What it is worth to need one stone less to connect the sides."""

_ADVANCE = 200_000
"""What a stone at the side that it wants to reach is worth beyond one as far away as can be."""

_ALL_CHOICES = 200_000
"""What one action more for each cell of the board is worth."""


class Verdict(NamedTuple):
    """What a search found.

    value_to_play: millionths of a win, for the player to move
    best: the actions that have it, ascending
    nodes: positions visited
    """

    value_to_play: int
    best: list[int]
    nodes: int


class AlphaBetaContestant:
    """Plays the best action as far as it can see; a `selfplay.match.Contestant`.

    Attributes:
        depth: actions that it looks ahead.
        variant: what it plays.
    """

    def __init__(self, depth: int, variant: Variant, *, seed: int = 0, threads: int = 2) -> None:
        """Make room.

        Args:
            depth: actions to look ahead, 1 to `MAX_DEPTH`.
            variant: what it will play.
            seed: of the draw among equally good actions.
            threads: positions that are searched side by side.

        Raises:
            AgentError: a depth that makes no sense.
        """
        if not 1 <= depth <= MAX_DEPTH:
            raise AgentError(f"expected alphabeta:DEPTH with DEPTH from 1 to {MAX_DEPTH}, got {depth}")
        announce_first_compile()
        self.depth, self.variant = depth, variant
        self._rules, self._judgement = rules_of(variant), judgement_of(variant)
        self._random = np.random.default_rng(seed)
        self._rooms: SimpleQueue[Search] = SimpleQueue()
        for _ in range(threads):
            self._rooms.put(kernels.new_search(self._rules, depth))
        self._pool = ThreadPoolExecutor(threads)
        self._stopped = Event()

    @property
    def name(self) -> str:
        """`alphabeta:DEPTH`."""
        return f"alphabeta:{self.depth}"

    def choose_many(self, positions: Sequence[Position], /) -> list[int]:
        """The action to play in each position, drawn among the best ones; `AgentError` of another variant."""
        try:
            verdicts = list(self._pool.map(self.look, positions))
        except BaseException:
            self.close()
            raise
        return [int(self._random.choice(verdict.best)) for verdict in verdicts]

    def look(self, position: Position) -> Verdict:
        """What the search finds in a position in which a move is due."""
        if position.variant.digest != self.variant.digest:
            raise AgentError(
                f"{self.name}: expected a position of {self.variant.name}, got {position.variant.name}"
            )
        room = self._rooms.get()
        try:
            copy_row(position.state, 0, room.state, 0)
            return self._search(room)
        finally:
            self._rooms.put(room)

    def _search(self, room: Search) -> Verdict:
        """Deeper and deeper, since one depth orders the next; a game that is decided stays so."""
        frame, nodes = room.frames[0], 0
        for horizon in range(1, self.depth + 1):
            kernels.begin(self._rules, room, horizon)
            while not kernels.advance(self._rules, self._judgement, room, nodes + _SLICE):
                nodes = int(room.registers[kernels.NODES])
                if self._stopped.is_set():
                    raise RuntimeError("closed while it searched")
            nodes = int(room.registers[kernels.NODES])
            if abs(frame[kernels.BEST]) > kernels.MOST_JUDGED:
                break
        count, value = int(frame[COUNT]), int(frame[kernels.BEST])
        best = room.actions[0, :count][room.root_values[:count] == value]
        return Verdict(value, sorted(best.tolist()), nodes)

    def close(self) -> None:
        """Let go of the threads; searches that are under way end soon."""
        self._stopped.set()
        self._pool.shutdown(cancel_futures=True)


# --- judging ------------------------------------------------------------------------------------------------


def judgement_of(variant: Variant) -> Judgement:
    """What makes a position of this variant look good, in millionths of a win, for the first colour.

    - stones, where they are counted or can be lost: 800,000 for a board full of them; area alike, komi off
    - captures towards a goal of captures: 400,000 for all of them
    - nearness of each stone to the side that it wants to reach: up to 200,000 divided by its colour's stones
    - lines that only one colour can still complete: 64,000 with one stone missing, a quarter for each more
    - stones that are needed, if nobody disturbed, to connect the sides: 50,000 for one less, up to 12
    - actions to choose from, where having none is bad or flipping needs one: 200,000 for one more a cell
    - all the other way round where the goal loses
    """
    table = np.zeros((4, variant.n_actions - 2), np.int64)
    weights = np.zeros(kernels.N_WEIGHTS, np.int64)
    sign = -1 if variant.end.misere else 1
    table += _worth_of_stones(variant)
    weights[:] = _weights(variant)
    lines, owners = _lines(variant)
    missing = np.array([4 * _ONE_MISSING // 4**n for n in range(lines.shape[1] + 1)], np.int64)
    return Judgement(sign * table, lines, owners, sign * missing, sign * weights)


def _worth_of_stones(variant: Variant) -> NDArray[np.int64]:
    """int64 `[4, C]`: material and advance, as if no goal lost."""
    worth = np.zeros((4, variant.n_actions - 2), np.int64)
    unit = _ALL_STONES // _playable(variant)
    end = variant.end
    if end.count == "stones" or (end.count == "none" and (end.eliminate or variant.removes)):
        worth[FIRST] += unit if end.stuck != "wins" else -unit
    worth[SECOND] = -worth[FIRST]
    for colour, side in enumerate(variant.reaches):
        if side is not None:
            share = _ADVANCE // max(1, len(variant.setup_cells[colour]))
            nearness = 1 - _steps_to(variant, variant.sides[side])
            worth[FIRST + colour] += (share * nearness).astype(np.int64) * (1 - 2 * colour)
    return worth


def _weights(variant: Variant) -> NDArray[np.int64]:
    weights = np.zeros(kernels.N_WEIGHTS, np.int64)
    end, unit = variant.end, _ALL_STONES // _playable(variant)
    if end.count != "none":
        weights[kernels.ALL] = -round(end.komi * unit)
    if end.count == "area":
        weights[kernels.AREA] = unit
    for colour, needed in enumerate(variant.captures):
        weights[kernels.FIRST_CAPTURE + colour] = _ALL_CAPTURES // needed if needed else 0
    weights[kernels.LINK] = _ONE_TO_LINK if any(variant.connects) else 0
    if end.stuck in ("loses", "wins") or variant.move.must_flip:
        choice = _ALL_CHOICES // _playable(variant)
        weights[kernels.MOBILITY] = choice if end.stuck != "wins" else -choice
    return weights


def _playable(variant: Variant) -> int:
    return variant.n_actions - 2 - len(variant.hole_cells)


def _steps_to(variant: Variant, goal: frozenset[int]) -> NDArray[np.float64]:
    """float64 `[C]`: steps between neighbours to the goal's nearest cell, as a share of the most."""
    table = variant.neighbors()
    steps = np.full(len(table), -1)
    edge, step = set(goal), 0
    while edge:
        steps[list(edge)] = step
        reached = {int(cell) for cell in table[list(edge)].ravel() if cell != OFF}
        edge, step = {cell for cell in reached if steps[cell] < 0}, step + 1
    steps[steps < 0] = step
    return np.asarray(steps / max(1, steps.max()), np.float64)


def _lines(variant: Variant) -> tuple[NDArray[np.int16], NDArray[np.int8]]:
    """`Judgement.lines` and `Judgement.owners`."""
    table, longest = variant.neighbors(), max(variant.lines)
    found: dict[frozenset[int], tuple[list[int], int]] = {}
    for colour, length in enumerate(variant.lines):
        for line in _walks(table, length, variant.hole_cells) if length else ():
            _, owners = found.get(frozenset(line), (line, 0))
            found[frozenset(line)] = (line, owners | (FIRST, SECOND)[colour])
    lines = np.full((len(found), max(1, longest)), OFF, np.int16)
    for row, (line, _) in zip(lines, found.values(), strict=True):
        row[: len(line)] = line
    return lines, np.array([owners for _, owners in found.values()], np.int8)


def _walks(table: NDArray[np.int16], length: int, holes: frozenset[int]) -> list[list[int]]:
    """The cells of every straight line of that length; opposite directions count once."""
    walks = []
    for cell in sorted(set(range(len(table))) - holes):
        for axis in range(N_AXES):
            line = [cell]
            while len(line) < length and (ahead := int(table[line[-1], axis])) != OFF:
                line.append(ahead)
            if len(set(line)) == length:
                walks.append(line)
    return walks
