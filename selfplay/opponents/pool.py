"""`EnginePool`: several processes of one engine that answer many positions, and survive what engines do.

An engine that crashes, hangs or plays an illegal move loses that game by `Forfeit`; its process is
replaced. After `MOST_RESTARTS` replacements in a row that came to nothing the engine is given up: every
answer is a `Forfeit`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Generic, Protocol, TypeVar

from games import Position
from selfplay.match import Forfeit
from selfplay.opponents.process import EngineError

MOST_RESTARTS = 3
"""Restarts in a row without a usable answer; then the engine is given up."""

MOST_PROCESSES = 64

_REMEMBERED = 10_000
"""Positions remembered, with the rest of a move or the process that knows the game."""

_TURN = 8
"""Actions of an opponent's turn within which a game is recognised."""

_V = TypeVar("_V")


class Session(Protocol):
    """One running engine."""

    def choose(self, position: Position, /) -> list[int] | Forfeit:
        """Our actions that make up the engine's move; `EngineError` if it is of no more use."""
        ...

    def close(self) -> None:
        """End it; never fails."""
        ...


class EnginePool:
    """Answers positions with the engine's moves, in up to `processes` processes at once."""

    def __init__(self, begin: Callable[[threading.Event], Session], *, processes: int) -> None:
        """Prepare the pool; processes begin when they are needed.

        Args:
            begin: starts an engine, or raises `EngineError`; once the event is set, its waits must end.
            processes: at most this many at once, from 1 to `MOST_PROCESSES`.
        """
        if not 1 <= processes <= MOST_PROCESSES:
            raise EngineError(f"expected 1 to {MOST_PROCESSES} processes, got {processes}")
        self._begin = begin
        self._seats = [_Seat() for _ in range(processes)]
        self._threads = ThreadPoolExecutor(processes, thread_name_prefix="engine")
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._failures = 0  # in a row
        self._given_up = ""
        self._rest: _Memory[list[int]] = _Memory()
        self._home: _Memory[int] = _Memory()

    def begin_one(self) -> Session:
        """Start the first process now; raises `EngineError` if it can't, and then nothing is left behind."""
        try:
            session = self._begin(self._stop)
        except BaseException:
            self.close()
            raise
        self._seats[0].session = session
        return session

    def choose_many(self, positions: Sequence[Position], /) -> list[int | Forfeit]:
        """The engine's next action in each position, or why there is none.

        A move of several choices is asked for once; the later ones are remembered by the position's actions.
        """
        answers: list[int | Forfeit | None] = [self._known(position) for position in positions]
        if self._given_up:
            return [Forfeit(self._given_up) if answer is None else answer for answer in answers]
        asked = [i for i, answer in enumerate(answers) if answer is None]
        seats = self._assign([positions[i] for i in asked])
        shares = _grouped(asked, seats, len(self._seats))
        work = [
            self._threads.submit(self._serve, seat, share, positions, answers)
            for seat, share in zip(self._seats, shares, strict=True)
            if share
        ]
        try:
            for done in work:
                done.result()
        except BaseException:
            self._stop.set()
            wait(work)
            self.close()
            raise
        for i, seat in zip(asked, seats, strict=True):
            self._remember_home(positions[i], answers[i], seat)
        return [Forfeit("no answer") if answer is None else answer for answer in answers]

    def close(self) -> None:
        """End every process and thread; closing twice is fine, and a closed pool answers with `Forfeit`."""
        self._stop.set()
        self._given_up = self._given_up or "the engine was closed"
        self._threads.shutdown(wait=True, cancel_futures=True)
        for seat in self._seats:
            seat.end()

    def _known(self, position: Position) -> int | None:
        """The next action, where no engine has to be asked: the rest of a move, or the only move there is."""
        rest = self._rest.get(position.actions)
        if rest:
            return rest[0]
        only = position.legal_actions if len(position.legal_actions) == 1 else ()
        return next((int(action) for action in only if not position.play(action).is_half_made), None)

    def _assign(self, positions: Sequence[Position]) -> list[int]:
        """Numbers of the seats that answer: the one that knows the game, else the least busy one."""
        load = [0] * len(self._seats)
        seats = []
        for position in positions:
            home = self._home_of(position)
            seat = load.index(min(load)) if home is None else home
            load[seat] += 1
            seats.append(seat)
        return seats

    def _home_of(self, position: Position) -> int | None:
        actions = position.actions
        for length in range(len(actions), max(0, len(actions) - _TURN) - 1, -1):
            home = self._home.get(actions[:length])
            if home is not None:
                return home
        return None

    def _remember_home(self, position: Position, answer: int | Forfeit | None, seat: int) -> None:
        if isinstance(answer, int):
            self._home.put((*position.actions, answer), seat)

    def _serve(
        self,
        seat: _Seat,
        share: Sequence[int],
        positions: Sequence[Position],
        answers: list[int | Forfeit | None],
    ) -> None:
        """Answer one seat's share of the positions, one after the other."""
        for i in share:
            answers[i] = self._answer(seat, positions[i])

    def _answer(self, seat: _Seat, position: Position) -> int | Forfeit:
        if self._given_up:
            return Forfeit(self._given_up)
        try:
            if seat.session is None:
                seat.session = self._begin(self._stop)
            choices = seat.session.choose(position)
        except EngineError as error:
            seat.end()
            return Forfeit(self._count_failure(str(error)))
        with self._lock:
            self._failures = 0
            if isinstance(choices, Forfeit):
                return choices
            for done in range(1, len(choices)):
                self._rest.put((*position.actions, *choices[:done]), choices[done:])
        return choices[0]

    def _count_failure(self, reason: str) -> str:
        """One more failure in a row; gives the engine up after too many."""
        with self._lock:
            self._failures += 1
            if self._failures > MOST_RESTARTS:
                self._given_up = f"given up after {MOST_RESTARTS} restarts in a row: {reason}"
        return reason


class _Seat:
    """Place of one process."""

    def __init__(self) -> None:
        self.session: Session | None = None

    def end(self) -> None:
        """Free the place."""
        if self.session is not None:
            self.session.close()
            self.session = None


class _Memory(Generic[_V]):
    """Values by a position's actions; the oldest are forgotten."""

    def __init__(self) -> None:
        self._values: OrderedDict[tuple[int, ...], _V] = OrderedDict()

    def get(self, actions: tuple[int, ...]) -> _V | None:
        return self._values.get(actions)

    def put(self, actions: tuple[int, ...], value: _V) -> None:
        self._values[actions] = value
        self._values.move_to_end(actions)
        if len(self._values) > _REMEMBERED:
            self._values.popitem(last=False)


def _grouped(items: Sequence[int], seats: Sequence[int], count: int) -> list[list[int]]:
    """The items of each seat, in order."""
    groups: list[list[int]] = [[] for _ in range(count)]
    for item, seat in zip(items, seats, strict=True):
        groups[seat].append(item)
    return groups
