"""GNU Go, or another engine that speaks GTP, as an opponent at Go.

    GtpContestant(RECOMMENDED, games.load("go-7"))

Our Go counts area as it stands, without taking dead stones off, and forbids every position that was on the
board before. GNU Go has to be told so: `RECOMMENDED` makes it capture what is dead before it passes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from games import Position, Variant, pass_action
from games.notation import PASS_TEXT, cell_name, parse_cell
from games.variant import Board, Effect, End, Move, Turn
from selfplay.match import Forfeit
from selfplay.opponents.moves import choices_of
from selfplay.opponents.pool import EnginePool
from selfplay.opponents.process import EngineError, LineProcess

RECOMMENDED = "gnugo --mode gtp --chinese-rules --positional-superko --play-out-aftermath --capture-all-dead"
"""GNU Go 3.8 by our rules; add `--level N` for its strength."""

LARGEST = 25
"""Points along a side that GTP has letters for."""

_COLUMNS = "abcdefghjklmnopqrstuvwxyz"
"""GTP's letters; there is no i."""

_COLOURS = ("black", "white")
_NEEDED = frozenset({"boardsize", "clear_board", "komi", "play", "genmove"})
_RESIGNED = "resigned"


class GtpContestant:
    """An engine that speaks GTP; satisfies `selfplay.match.Contestant`.

    An engine that resigns answers `Forfeit("resigned")`.

    Attributes:
        name: the engine's own, with its version.
        variant: the only one that it is asked about.
    """

    def __init__(self, command: str, variant: Variant, *, timeout: float = 30.0, processes: int = 2) -> None:
        """Start the engine.

        Args:
            command: the command, such as `RECOMMENDED`, then after each `;` a GTP command for the start.
            variant: Go on a square board of any size and set-up, with ko or superko, counted by area.
            timeout: seconds for an answer; a move that takes longer loses its game.
            processes: engines that run at once.

        Raises:
            EngineError: the variant is no Go, or the command doesn't start or play this board; one line.
        """
        check_is_go(variant)
        self.variant = variant
        line, *setup = [part.strip() for part in command.split(";")]
        setup = [part for part in setup if part]
        self._pool = EnginePool(
            lambda stop: _GtpSession(line, setup, variant, timeout=timeout, stop=stop), processes=processes
        )
        first = self._pool.begin_one()
        assert isinstance(first, _GtpSession)
        self.name = first.engine

    def choose_many(self, positions: Sequence[Position], /) -> list[int | Forfeit]:
        """The engine's action in each position, or why it has none."""
        return self._pool.choose_many(positions)

    def close(self) -> None:
        """End the engines; closing twice is fine."""
        self._pool.close()


def check_is_go(variant: Variant) -> None:
    """Raise `EngineError` unless the variant is Go, see `is_go`."""
    if not is_go(variant):
        raise EngineError(
            "expected a variant of Go (square board, no suicide, passing, ko or superko, counted by area), "
            f"got {variant.name}"
        )


def is_go(variant: Variant) -> bool:
    """Whether a variant is Go, as it is made up, on a board that GTP can name."""
    board, end, size = variant.board, variant.end, variant.board.rows
    return (
        board == Board(rows=size, columns=size, setup=board.setup)
        and size <= LARGEST
        and variant.move == Move(keeps_liberty=True)
        and variant.effect == Effect(surround=True)
        and variant.turn.repeat != "allowed"
        and variant.turn == Turn(passing="always", repeat=variant.turn.repeat)
        and variant.first_turn_stones == 1
        and end == End(count="area", komi=end.komi, ply_cap=end.ply_cap)
    )


def vertex(cell: int, *, size: int) -> str:
    """A cell in GTP's words, such as `j3`."""
    name = cell_name(cell, rows=size, columns=size)
    return _COLUMNS[cell % size] + name[1:]


def text_of(vertex: str, *, size: int) -> str:
    """Our text for GTP's vertex or `pass`; raises `EngineError` if it is neither."""
    word = vertex.lower()
    if word == PASS_TEXT:
        return PASS_TEXT
    column = _COLUMNS.find(word[:1])
    try:
        cell = parse_cell(f"{chr(ord('a') + column)}{word[1:]}", rows=size, columns=size)
    except ValueError:
        raise EngineError(f"expected a point of the board, pass or resign, got {vertex!r}") from None
    return cell_name(cell, rows=size, columns=size)


class _GtpSession:
    """One running engine and the actions it knows about."""

    def __init__(
        self,
        command: str,
        setup: Sequence[str],
        variant: Variant,
        *,
        timeout: float,
        stop: threading.Event,
    ) -> None:
        self.engine = command
        self._variant, self._timeout = variant, timeout
        self._number = 0
        self._held: tuple[int, ...] | None = None
        self._process = LineProcess(command, stop=stop)
        try:
            self._shake_hands()
            for line in setup:
                self._ask(line)
        except BaseException:
            self.close()
            raise

    def choose(self, position: Position) -> list[int] | Forfeit:
        """The engine's move as our action; `EngineError` if it refuses ours or plays an illegal one."""
        self._catch_up(position)
        answer = self._ask(f"genmove {_COLOURS[position.colour_to_move]}")
        if answer.lower() == "resign":
            return Forfeit(_RESIGNED)
        choices = choices_of(position, (text_of(answer, size=self._size),))
        self._held = (*position.actions, *choices)
        return choices

    def close(self) -> None:
        """End the engine."""
        self._process.close()

    @property
    def _size(self) -> int:
        return self._variant.board.rows

    def _shake_hands(self) -> None:
        if self._ask("protocol_version") != "2":
            raise EngineError(f"expected an engine that speaks GTP 2, got {self.engine!r}")
        self.engine = f"{self._ask('name')} {self._ask('version')}".strip()
        missing = _NEEDED - set(self._ask("list_commands").split())
        if missing:
            raise EngineError(
                f"expected {self.engine} to know {', '.join(sorted(missing))}, got no such command"
            )
        self._ask(f"boardsize {self._size}")

    def _catch_up(self, position: Position) -> None:
        """Tell the engine what it doesn't know yet; from the start, if it holds another game."""
        held, actions = self._held, position.actions
        if held is None or actions[: len(held)] != held:
            self._start_over()
            held = ()
        self._held = None
        for ply in range(len(held), len(actions)):
            self._play(ply % 2, actions[ply])
        self._held = actions

    def _start_over(self) -> None:
        self._ask("clear_board")
        self._ask(f"komi {self._variant.end.komi}")
        for colour, cells in enumerate(self._variant.setup_cells):
            for cell in cells:
                self._play(colour, cell)

    def _play(self, colour: int, action: int) -> None:
        passes = action == pass_action(self._variant)
        self._ask(f"play {_COLOURS[colour]} {PASS_TEXT if passes else vertex(action, size=self._size)}")

    def _ask(self, command: str) -> str:
        """The answer to a command; raises `EngineError` if it is refused or none comes."""
        self._number += 1
        self._process.send(f"{self._number} {command}", timeout=self._timeout)
        deadline = time.monotonic() + self._timeout
        line = self._next(deadline)
        while not line.startswith((f"={self._number} ", f"?{self._number} ")):
            line = self._next(deadline)
        lines = [line.partition(" ")[2].strip()]
        while (more := self._next(deadline).strip()) and len(lines) < _MOST_LINES:
            lines.append(more)
        if line.startswith("?"):
            raise EngineError(f"expected {self.engine} to accept {command!r}, got {lines[0]!r}")
        return "\n".join(lines)

    def _next(self, deadline: float) -> str:
        return self._process.line(deadline=deadline, timeout=self._timeout) + " "


_MOST_LINES = 10_000
"""Lines of an answer; one that goes on isn't read to its end."""
