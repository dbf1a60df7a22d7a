"""`Session`: a game between people and agents, without a screen.

What the terminal app, the plain mode and other interfaces show and steer: seats, moves back and forth, sides,
resignation, clocks, set-up, records, and how the chances went.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from games import MoveError, Position, Variant, start
from selfplay import record
from selfplay.clock import Clock, TimeControl
from selfplay.line import Line
from selfplay.player import Player
from selfplay.record import Record

Seat = Player | None
"""An agent, or None: a person."""

PERSON = "me"
"""A person's name in records."""

SHARE_OF_CLOCK = 30
"""A move gets this part of the time that is left."""

SHARE_OF_INCREMENT = 0.8


class Result(NamedTuple):
    """How a game ended.

    winner: a seat; None: a draw
    reason: by what
    """

    winner: int | None
    reason: Literal["board", "resignation", "time"]


class Session:
    """One game and its seats.

    Attributes:
        line: the positions so far.
        seats: who plays, by seat.
        clock: runs for the seat to move, once `tick` has been called.
    """

    def __init__(
        self,
        variant: Variant,
        seats: Sequence[Seat] = (None, None),
        *,
        control: TimeControl | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin a game.

        Args:
            variant: what is played.
            seats: who plays, by seat.
            control: the time of each seat; None: clocks only count.
            now: seconds from any moment on.
        """
        self._now = now
        self.seats: list[Seat] = list(seats)
        self.begin(start(variant), control=control)

    def begin(self, position: Position, *, control: TimeControl | None = None) -> None:
        """Begin anew from a position with the actions that led to it, of any variant."""
        self.line = Line(position)
        self.line.begin(position)
        self.clock = Clock(control, self._now)
        self._resigned: int | None = None
        self._flagged: int | None = None
        self._values: dict[tuple[int, ...], float] = {}

    # --- how it stands --------------------------------------------------------------------------------------

    @property
    def position(self) -> Position:
        """The current position."""
        return self.line.position

    @property
    def variant(self) -> Variant:
        """What is played."""
        return self.position.variant

    @property
    def result(self) -> Result | None:
        """How the game ended; None while it goes on."""
        if self._resigned is not None:
            return Result(1 - self._resigned, "resignation")
        if self._flagged is not None:
            return Result(1 - self._flagged, "time")
        if not self.position.is_over:
            return None
        first, second = self.position.returns
        return Result(None if first == second else int(second > first), "board")

    @property
    def agent_to_move(self) -> Player | None:
        """The agent whose choice is next; None if it is a person's, or nobody's."""
        return None if self.result else self.seats[self.position.to_play]

    @property
    def people(self) -> list[int]:
        """The seats of people."""
        return [seat for seat in (0, 1) if self.seats[seat] is None]

    @property
    def names(self) -> tuple[str, str]:
        """Who plays, by seat."""
        first, second = (PERSON if player is None else player.name for player in self.seats)
        return first, second

    # --- what can be done -----------------------------------------------------------------------------------

    def play(self, action: int) -> None:
        """Play an action of the seat to move; `MoveError` if it isn't legal or the game is over."""
        self._check_goes_on()
        seat = self.position.to_play
        self.line.play(action)
        self._moved(seat)

    def play_text(self, text: str) -> None:
        """Play a move, or its choices such as `a2-a3`, all or none; `MoveError` as from `play`."""
        self._check_goes_on()
        seat = self.position.to_play
        self.line.play_words(text.replace("-", " ").split() or [text])
        self._moved(seat)

    def undo(self) -> bool:
        """Take back to where a person last had a choice, or the last move of agents; whether it could.

        After a resignation or a flag, only that is taken back.
        """
        if self._resigned is not None or self._flagged is not None:
            if self._flagged is not None:
                self.clock = Clock(None, self._now)
            self._resigned = self._flagged = None
            return True
        people = self.people or [0, 1]
        return self.line.undo_to(lambda position: position.to_play in people and not position.is_half_made)

    def redo(self) -> bool:
        """Play again what `undo` took back; whether there was anything."""
        if self.result or not self.line.redo():
            return False
        people = self.people or [0, 1]
        while self.position.to_play not in people and not self.position.is_over and self.line.redo():
            pass
        return True

    def swap_sides(self) -> None:
        """Let the players change seats."""
        self.seats.reverse()

    def seat(self, seat: int, player: Seat) -> None:
        """Let an agent, or a person, go on in a seat."""
        self.seats[seat] = player

    def resign(self, seat: int) -> None:
        """Give the game up; `MoveError` if it is over."""
        self._check_goes_on()
        self._resigned = seat
        self.clock.run(None)

    # --- clocks ---------------------------------------------------------------------------------------------

    def tick(self, *, paused: bool = False) -> None:
        """Let the right clock run, and see whether a seat's time is up. To be called now and then."""
        if self.result is None:
            self._flagged = self.clock.flagged()
        self.clock.run(None if paused or self.result else self.position.to_play)

    def seconds_for_move(self, seat: int) -> float | None:
        """What an agent should take of its clock for a choice; None without a time control."""
        left, control = self.clock.left(seat), self.clock.control
        if left is None or control is None:
            return None
        return left / SHARE_OF_CLOCK + SHARE_OF_INCREMENT * min(control.increment, left / 2)

    def _moved(self, seat: int) -> None:
        if not self.position.is_half_made:
            self.clock.moved(seat)

    # --- how the chances went -------------------------------------------------------------------------------

    def note_value(self, position: Position, value_to_play: float) -> None:
        """Remember what a position of this game is worth to its seat to move."""
        self._values[position.actions] = value_to_play if position.to_play == 0 else -value_to_play

    def values_of_first(self) -> list[float | None]:
        """For every position so far its value for seat 0, -1 to 1; None where nobody has said any."""
        values = [self._values.get(position.actions) for position in self.line.positions]
        if self.position.is_over:
            values[-1] = float(self.position.returns[0])
        return values

    # --- files ----------------------------------------------------------------------------------------------

    def save(self, path: Path) -> None:
        """Write the game so far as a record."""
        record.save(path, Record(self.position, self.names))

    def load(self, path: Path) -> None:
        """Go on with a recorded game, of any variant; `UserError` or `OSError` if it is none."""
        self.begin(record.load(path).position)

    def _check_goes_on(self) -> None:
        if self.result:
            raise MoveError(f"{self.variant.name}: the game is over")
