"""The Go Text Protocol, version 2, for every variant.

Specification: G. Farneback, "Specification of the Go Text Protocol, version 2, draft 2" (2002). The first
colour is black. Where a board is Go's, columns have GTP's letters, without i; on every other board they have
ours, with i. A move of several choices is one word, such as `a2-a3`. `kata-analyze` and `lz-analyze` tell
what the search thinks, until the next line comes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

import games
from games import UserError, Variant
from games.notation import PASS_TEXT
from selfplay import __version__
from selfplay.background import Job
from selfplay.opponents.gtp import is_go, text_of, vertex
from selfplay.opponents.moves import TextMove, whole_moves
from selfplay.opponents.process import EngineError
from selfplay.player import Analysis
from selfplay.protocols.game import Game, resized
from selfplay.protocols.lines import Output, ProtocolError
from selfplay.session import SHARE_OF_CLOCK
from selfplay.telling import line_moves

COLOURS = ("black", "white")

_LONGEST_PV = 10
_HUNDREDTH = 0.01

Command = Callable[[Sequence[str]], str]


class Gtp:
    """Answers GTP commands about one game."""

    def __init__(self, game: Game, output: Output) -> None:
        self._game, self._output = game, output
        self._commands: dict[str, Command] = {
            "protocol_version": lambda _: "2",
            "name": lambda _: "selfplay",
            "version": lambda _: __version__,
            "known_command": lambda words: str(_one(words) in self._commands).lower(),
            "list_commands": lambda _: "\n".join(self._commands),
            "quit": lambda _: "",
            "boardsize": self._boardsize,
            "rectangular_boardsize": self._boardsize,
            "clear_board": self._clear_board,
            "komi": self._komi,
            "play": self._play,
            "genmove": self._genmove,
            "reg_genmove": self._reg_genmove,
            "undo": self._undo,
            "showboard": lambda _: f"\n{self._game.position}",
            "final_score": self._final_score,
            "time_settings": self._time_settings,
            "time_left": self._time_left,
            "kata-analyze": self._analyze,
            "lz-analyze": self._analyze,
            "selfplay-variants": lambda _: "\n".join(games.names()),
            "selfplay-variant": self._variant,
            "selfplay-simulations": self._simulations,
            "selfplay-legal_moves": self._legal_moves,
            "selfplay-result": self._result,
        }
        self._analysis: Job | None = None
        self._byo_yomi = (0.0, 0)

    def answer(self, line: str) -> bool:
        """Answer one command; a line without one is passed over."""
        self._stop_analysis()
        words = line.split("#", 1)[0].split()
        if not words:
            return True
        number = words.pop(0) if words[0].isascii() and words[0].isdigit() else ""
        name, *arguments = words or [""]
        try:
            command = self._commands.get(name)
            if command is None:
                raise ProtocolError("unknown command")
            text = command(arguments)
        except (UserError, ValueError) as error:
            self._output(f"?{number} {_one_line(str(error))}\n\n")
            return True
        if self._analysis is None:
            self._output(f"={number} {text}\n\n")
        else:
            self._output(f"={number}\n")
            self._analysis.start()
        return name != "quit"

    def too_long(self) -> None:
        """Refuse a line that nobody types."""
        self._stop_analysis()
        self._output("? line too long\n\n")

    def close(self) -> None:
        """Stop analysing."""
        self._stop_analysis()

    # --- commands -------------------------------------------------------------------------------------------

    def _boardsize(self, words: Sequence[str]) -> str:
        sizes = [_whole(word) for word in words]
        if not 1 <= len(sizes) <= 2:
            raise ProtocolError("syntax error: expected a size such as 9")
        self._game.choose_variant(resized(self._game.variant, rows=sizes[-1], columns=sizes[0]))
        return ""

    def _clear_board(self, _words: Sequence[str]) -> str:
        self._game.restart()
        return ""

    def _komi(self, words: Sequence[str]) -> str:
        """Where nothing is counted any komi is accepted: controllers send one to every engine."""
        komi = _number(_one(words))
        variant = self._game.variant
        if variant.end.count == "none" or komi == variant.end.komi:
            return ""
        rules = variant.model_dump(exclude_defaults=True, exclude_none=True)
        rules["end"] = rules.get("end", {}) | {"komi": komi}
        moves = self._game.moves()
        self._game.choose_variant(Variant.from_dict({**rules, "name": variant.name}, where="komi"))
        for move in moves:
            self._game.play(move)
        return ""

    def _play(self, words: Sequence[str]) -> str:
        if len(words) != 2:
            raise ProtocolError("syntax error: expected a colour and a move")
        move = self._read(words[1])
        self._let_move(_colour(words[0]))
        self._game.play(move)
        return ""

    def _genmove(self, words: Sequence[str]) -> str:
        self._let_move(_colour(_one(words)))
        if self._is_go and self._game.position.is_over:
            return PASS_TEXT
        return self._written(self._game.reply())

    def _reg_genmove(self, words: Sequence[str]) -> str:
        if _colour(_one(words)) != self._game.position.colour_to_move:
            raise ProtocolError("the other colour is to move")
        return self._written(self._game.think())

    def _undo(self, _words: Sequence[str]) -> str:
        self._game.undo()
        return ""

    def _final_score(self, _words: Sequence[str]) -> str:
        position = self._game.position
        lead = position.count_lead
        if lead is None or (self._game.variant.end.misere and position.is_over):
            if not position.is_over:
                raise ProtocolError("cannot score: the game isn't over and nothing is counted in it")
            first, _ = position.returns
            return "0" if first == 0 else f"{'BW'[_winning_colour(position)]}+1"
        return "0" if lead == 0 else f"{'B' if lead > 0 else 'W'}+{abs(lead):g}"

    def _time_settings(self, words: Sequence[str]) -> str:
        if len(words) != 3:
            raise ProtocolError("syntax error: expected main time, byo yomi time and byo yomi stones")
        main, byo_yomi, stones = (_number(word) for word in words)
        self._byo_yomi = (byo_yomi, int(stones))
        self._game.seconds = None if byo_yomi > 0 and stones == 0 else self._share(main, 0)
        return ""

    def _time_left(self, words: Sequence[str]) -> str:
        if len(words) != 3:
            raise ProtocolError("syntax error: expected a colour, seconds and stones")
        if _colour(words[0]) == self._game.position.colour_to_move:
            self._game.seconds = self._share(_number(words[1]), _whole(words[2]))
        return ""

    def _share(self, seconds: float, stones: int) -> float:
        """Seconds for a move: an even share of a period, or a part of the main time."""
        if stones:
            return seconds / stones
        extra = self._byo_yomi[0] / self._byo_yomi[1] if self._byo_yomi[1] else 0.0
        return max(seconds / SHARE_OF_CLOCK, 0.9 * extra)

    def _analyze(self, words: Sequence[str]) -> str:
        """`[COLOUR] [INTERVAL] [KEY VALUE ...]`; keys of others are passed over."""
        rest = list(words)
        if rest and rest[0].lower() in ("b", "w", *COLOURS):
            self._let_move(_colour(rest.pop(0)))
        numbers = [word for word in rest if word.isascii() and word.isdigit()]
        if self._game.position.is_over:
            raise ProtocolError("the game is over")
        interval = (_whole(numbers[0]) if numbers else 100) * _HUNDREDTH

        def tell(stopped: threading.Event) -> None:
            for analysis in self._game.analyses(stopped):
                self._output(self._info(analysis) + "\n")
                if stopped.wait(interval):
                    return

        self._analysis = Job(tell)
        return ""

    def _variant(self, words: Sequence[str]) -> str:
        name = _one(words)
        if name not in games.names():
            raise ProtocolError(f"expected one of selfplay-variants, got {name}")
        self._game.choose_variant(games.load(name))
        return ""

    def _simulations(self, words: Sequence[str]) -> str:
        number = _whole(_one(words))
        if number < 1:
            raise ProtocolError(f"expected at least one simulation, got {number}")
        self._game.simulations = number
        return ""

    def _legal_moves(self, _words: Sequence[str]) -> str:
        position = self._game.position
        return "" if position.is_over else " ".join(self._written(move) for move in whole_moves(position))

    def _result(self, _words: Sequence[str]) -> str:
        position = self._game.position
        if not position.is_over:
            return "none"
        return "draw" if position.returns[0] == 0 else COLOURS[_winning_colour(position)]

    # --- words ----------------------------------------------------------------------------------------------

    @property
    def _is_go(self) -> bool:
        return is_go(self._game.variant)

    def _let_move(self, colour: int) -> None:
        """Let a colour move; where the other one is to move and may pass, it does: GTP knows no turns."""
        position = self._game.position
        if position.is_over or colour == position.colour_to_move:
            return
        if not position.legal_mask[games.pass_action(position.variant)]:
            raise ProtocolError(f"illegal move: {COLOURS[1 - colour]} is to move")
        self._game.play((PASS_TEXT,))

    def _written(self, move: TextMove) -> str:
        """A whole move as one word."""
        if not self._is_go:
            return "-".join(move)
        board = self._game.variant.board
        (text,) = move
        if text == PASS_TEXT:
            return text
        position = self._game.position
        return vertex(position.parse_action(text), size=board.columns).upper()

    def _read(self, word: str) -> TextMove:
        """The choices of a word."""
        if not self._is_go:
            return tuple(word.lower().split("-"))
        try:
            return (text_of(word, size=self._game.variant.board.columns),)
        except EngineError as error:
            raise ProtocolError(f"illegal move: {error}") from None

    def _stop_analysis(self) -> None:
        if self._analysis is not None:
            self._analysis.stop()
            self._output("\n")
            self._analysis = None

    def _info(self, analysis: Analysis) -> str:
        """A line as KataGo's `kata-analyze` writes it."""
        position, parts = self._game.position, []
        visited = np.flatnonzero((analysis.visits > 0) | (analysis.policy > 0))
        order = [a for a in analysis.ranked(len(visited)) if a in visited]
        for rank, action in enumerate(order):
            value = float(analysis.action_values[action])
            value = analysis.value_to_play if np.isnan(value) else value
            move = self._written((position.action_text(action),))
            line = line_moves(position, analysis.line_after(action)[:_LONGEST_PV])
            parts.append(
                f"info move {move} visits {int(analysis.visits[action])} utility {value:.4f} "
                f"winrate {0.5 + value / 2:.4f} prior {float(analysis.policy[action]):.4f} "
                f"order {rank} pv {' '.join(map(self._written, line))}"
            )
        return " ".join(parts)


def _winning_colour(position: games.Position) -> int:
    """0 or 1: the colour of the seat that won; seats may have swapped."""
    seat = 0 if position.returns[0] > 0 else 1
    return seat if position.to_play == position.colour_to_move else 1 - seat


def _colour(word: str) -> int:
    found = {"b": 0, "black": 0, "w": 1, "white": 1}.get(word.lower())
    if found is None:
        raise ProtocolError(f"syntax error: expected black or white, got {word}")
    return found


def _one(words: Sequence[str]) -> str:
    if len(words) != 1:
        raise ProtocolError(f"syntax error: expected one argument, got {len(words)}")
    return words[0]


def _whole(word: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) < 10):
        raise ProtocolError(f"syntax error: expected a whole number, got {word}")
    return int(word)


def _number(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise ProtocolError(f"syntax error: expected a number, got {word}") from None
    if not abs(value) < 1e9:
        raise ProtocolError(f"syntax error: expected a number, got {word}")
    return value


def _one_line(text: str) -> str:
    return " ".join(text.split())
