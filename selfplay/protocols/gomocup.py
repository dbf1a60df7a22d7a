"""Gomocup's protocol, for lines of stones on a square board.

Specification: "Gomoku AI protocol" of the Gomocup tournament (version 2). `START` chooses the size, `INFO
rule 1` that only exactly five count; the first player to place a stone is our first colour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from games import UserError, Variant, start
from games.notation import cell_name
from selfplay import __version__
from selfplay.opponents.moves import TextMove
from selfplay.protocols.game import Game, resized
from selfplay.protocols.lines import Output, ProtocolError
from selfplay.session import SHARE_OF_CLOCK

LARGEST = 19

_OWN, _OPPONENT = "1", "2"
_EXACTLY_FIVE = 1
_MILLISECOND = 1e-3
_RESERVE = 0.8
"""Part of the time for a turn that is used."""

Command = Callable[[Sequence[str]], str | None]


class Gomocup:
    """Answers Gomocup's commands about one game."""

    def __init__(self, game: Game, output: Output) -> None:
        """`game`: of a variant in which stones are placed anywhere and a line wins."""
        check_is_gomoku(game.variant)
        self._game, self._output = game, output
        self._board: list[tuple[TextMove, str]] | None = None
        self._turn: float | None = None
        self._left: float | None = None
        self._commands: dict[str, Command] = {
            "START": self._start,
            "RECTSTART": self._rectstart,
            "RESTART": self._restart,
            "BEGIN": self._begin,
            "TURN": self._take_turn,
            "BOARD": self._begin_board,
            "TAKEBACK": self._takeback,
            "INFO": self._info,
            "ABOUT": lambda _: f'name="selfplay", version="{__version__}", author="selfplay", country="-"',
        }

    def answer(self, line: str) -> bool:
        """Do one command, or take one line of a board."""
        try:
            reply = self._board_line(line) if self._board is not None else self._do(line)
        except UserError as error:
            self._board = None
            reply = f"ERROR {' '.join(str(error).split())}"
        if reply is not None:
            self._output(f"{reply}\n")
        return line.upper() != "END"

    def too_long(self) -> None:
        """Refuse a line that nobody types."""
        self._board = None
        self._output("ERROR line too long\n")

    def close(self) -> None:
        """Nothing goes on between two lines."""

    # --- commands -------------------------------------------------------------------------------------------

    def _do(self, line: str) -> str | None:
        name, _, rest = line.partition(" ")
        if not name or name.upper() == "END":
            return None
        command = self._commands.get(name.upper())
        return f"UNKNOWN command {name[:40]}" if command is None else command(rest.split())

    def _start(self, words: Sequence[str]) -> str:
        (size,) = _numbers(words, 1)
        return self._begin_game(size, size)

    def _rectstart(self, words: Sequence[str]) -> str:
        columns, rows = _numbers(words, 2)
        return self._begin_game(rows, columns)

    def _begin_game(self, rows: int, columns: int) -> str:
        if not (5 <= rows <= LARGEST and 5 <= columns <= LARGEST):
            raise ProtocolError(f"expected a board of 5 to {LARGEST} lines, got {columns},{rows}")
        self._game.choose_variant(resized(self._game.variant, rows, columns))
        return "OK"

    def _restart(self, _words: Sequence[str]) -> str:
        self._game.restart()
        return "OK"

    def _begin(self, _words: Sequence[str]) -> str:
        if self._game.position.ply:
            raise ProtocolError("expected BEGIN on an empty board")
        return self._move()

    def _take_turn(self, words: Sequence[str]) -> str:
        self._game.play(self._read(words))
        return self._move()

    def _begin_board(self, _words: Sequence[str]) -> None:
        self._board = []

    def _board_line(self, line: str) -> str | None:
        """One stone of a board, `x,y,1` our own; then the move, after `DONE`."""
        assert self._board is not None
        if line.upper() != "DONE":
            words = line.replace(",", " ").split()
            if len(words) != 3 or words[2] not in (_OWN, _OPPONENT):
                raise ProtocolError(f"expected x,y,1 or x,y,2 or DONE, got {line[:40]}")
            if len(self._board) >= LARGEST**2:
                raise ProtocolError("expected fewer stones")
            self._board.append((self._read(words[:2]), words[2]))
            return None
        stones, self._board = self._board, None
        own = [move for move, who in stones if who == _OWN]
        opponent = [move for move, who in stones if who == _OPPONENT]
        first, second = (own, opponent) if len(own) == len(opponent) else (opponent, own)
        if len(first) - len(second) not in (0, 1):
            raise ProtocolError(f"expected as many stones as turns, got {len(own)} and {len(opponent)}")
        self._game.restart()
        for ply in range(len(stones)):
            self._game.play((first if ply % 2 == 0 else second)[ply // 2])
        return self._move()

    def _takeback(self, words: Sequence[str]) -> str:
        (move,) = self._game.moves()[-1:] or [()]
        if move != self._read(words):
            raise ProtocolError(f"expected the last move, got {' '.join(words)}")
        self._game.undo()
        return "OK"

    def _info(self, words: Sequence[str]) -> None:
        """Times in milliseconds, and the rule; everything else is passed over, as the protocol has it."""
        if len(words) != 2:
            return
        key, value = words
        if not value.lstrip("-").isdigit() or len(value) > 12:
            return
        number = int(value)
        if key == "timeout_turn":
            self._turn = number * _MILLISECOND
        elif key == "time_left":
            self._left = number * _MILLISECOND
        elif key == "rule":
            self._choose_rule(exact=bool(number & _EXACTLY_FIVE))

    def _choose_rule(self, *, exact: bool) -> None:
        variant = self._game.variant
        if variant.end.exact != exact and not self._game.position.ply:
            end = variant.end.model_copy(update={"exact": exact})
            self._game.choose_variant(variant.model_copy(update={"end": end}))

    # --- words ----------------------------------------------------------------------------------------------

    def _move(self) -> str:
        """Our move, played and written."""
        times = [self._turn, None if self._left is None else self._left / SHARE_OF_CLOCK]
        given = [seconds for seconds in times if seconds is not None]
        self._game.seconds = _RESERVE * max(0.0, min(given)) if given else None
        position = self._game.position
        (cell,) = self._game.reply()
        row, column = divmod(position.parse_action(cell), position.variant.board.columns)
        return f"{column},{row}"

    def _read(self, words: Sequence[str]) -> TextMove:
        """The cell of `x,y`: column and row, from the top left, which is 0,0."""
        column, row = _numbers(words, 2)
        board = self._game.variant.board
        if not (0 <= column < board.columns and 0 <= row < board.rows):
            raise ProtocolError(f"expected a cell of the board, got {column},{row}")
        return (cell_name(row * board.columns + column, rows=board.rows, columns=board.columns),)


def check_is_gomoku(variant: Variant) -> None:
    """Raise `ProtocolError` unless players place one stone each in turn anywhere, and a line wins."""
    position = start(variant)
    one_stone_anywhere = (
        variant.move.kind == "place"
        and variant.turn.stones == variant.first_turn_stones == 1
        and not variant.is_hexagonal
        and len(position.legal_actions) == variant.board.rows * variant.board.columns
    )
    if not (one_stone_anywhere and any(variant.lines)):
        raise ProtocolError(f"expected a game of lines such as gomoku for Gomocup, got {variant.name}")


def _numbers(words: Sequence[str], count: int) -> list[int]:
    """So many whole numbers, separated by commas or spaces."""
    found = [word for part in words for word in part.split(",") if word]
    if len(found) != count or not all(word.isascii() and word.isdigit() and len(word) < 6 for word in found):
        raise ProtocolError(f"expected {count} number{'s' * (count > 1)}, got {' '.join(words)[:40]!r}")
    return [int(word) for word in found]
