"""Time control: a clock for two seats, with an increment for every move."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from games import UserError


class TimeControl(NamedTuple):
    """Seconds for a whole game, and those that each move adds."""

    total: float
    increment: float = 0.0

    @classmethod
    def parse(cls, text: str) -> TimeControl:
        """Read `MINUTES` or `MINUTES+SECONDS`, such as `5+3`; raises `UserError` in one line."""
        total, _, increment = text.partition("+")
        try:
            control = cls(60 * float(total), float(increment or 0))
        except ValueError:
            control = cls(0.0)
        if not (0 < control.total <= 86_400 and 0 <= control.increment <= 3_600):
            raise UserError(f"expected a time such as 5 or 5+3, minutes and seconds a move, got {text!r}")
        return control

    def __str__(self) -> str:
        return f"{self.total / 60:g}+{self.increment:g}"


class Clock:
    """What time each seat has left; it runs for one seat or stands still.

    Without a time control it counts what each seat has used.
    """

    def __init__(self, control: TimeControl | None, now: Callable[[], float] = time.monotonic) -> None:
        self.control = control
        self._now = now
        self._used = [0.0, 0.0]
        self._earned = [0.0, 0.0]
        self._running: int | None = None
        self._since = 0.0

    def run(self, seat: int | None) -> None:
        """Let the time of a seat run, of no other; None: of nobody."""
        if seat == self._running:
            return
        if self._running is not None:
            self._used[self._running] = self.used(self._running)
        self._running, self._since = seat, self._now()

    def moved(self, seat: int) -> None:
        """A seat has made a move."""
        if self.control is not None:
            self._earned[seat] += self.control.increment

    def used(self, seat: int) -> float:
        """Seconds that a seat has thought."""
        running = self._now() - self._since if self._running == seat else 0.0
        return self._used[seat] + running

    def left(self, seat: int) -> float | None:
        """Seconds that a seat still has, at least 0; None without a time control."""
        if self.control is None:
            return None
        return max(0.0, self.control.total + self._earned[seat] - self.used(seat))

    def flagged(self) -> int | None:
        """The seat whose time is up, if any."""
        return next((seat for seat in (0, 1) if self.left(seat) == 0.0), None)

    def text(self, seat: int) -> str:
        """Time as a person reads it: what is left, or without a time control what was used."""
        left = self.left(seat)
        seconds = self.used(seat) if left is None else left
        if left is not None and seconds < 10:
            return f"{seconds:.1f}"
        minutes, rest = divmod(int(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
