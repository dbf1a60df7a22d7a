"""The Universal Chess Interface, for variants that Fairy-Stockfish has words for.

Specification: S. Meyer-Kahlen and R. Huber, "UCI protocol" (2006); `UCI_Variant` chooses what is played,
moves are written as Fairy-Stockfish writes them. UCI has no way to refuse a line: what cannot be done is
answered by `info string error: ...`.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

import games
from games import MoveError, Position, UserError, start
from selfplay import __version__
from selfplay.background import Job
from selfplay.opponents.fairy import read, section, written_moves
from selfplay.opponents.moves import choices_of
from selfplay.opponents.process import EngineError
from selfplay.player import MAX_SIMULATIONS, STREAM_BEGIN, Analysis
from selfplay.protocols.game import Game
from selfplay.protocols.lines import Output, ProtocolError
from selfplay.session import SHARE_OF_CLOCK, SHARE_OF_INCREMENT

_MILLISECOND = 1e-3
_RESERVE = 0.05
"""Seconds of a move's time that are kept back."""

_CLOCKS = (("wtime", "winc"), ("btime", "binc"))
"""Of the first and the second colour."""

Command = Callable[[Sequence[str]], None]


class Uci:
    """Answers UCI's commands about one game."""

    def __init__(self, game: Game, output: Output) -> None:
        self._game, self._output = game, output
        self._position = game.position
        self._search: Job | None = None
        self._commands: dict[str, Command] = {
            "uci": self._introduce,
            "isready": lambda _: self._output("readyok\n"),
            "ucinewgame": lambda _: None,
            "setoption": self._set_option,
            "position": self._set_position,
            "go": self._go,
            "stop": lambda _: self._stop(),
            "ponderhit": lambda _: None,
            "debug": lambda _: None,
            "register": lambda _: None,
            "d": lambda _: self._output(f"{self._position}\n"),
        }

    def answer(self, line: str) -> bool:
        """Do one command; unknown words before a command are passed over, as the protocol has it."""
        words = line.split()
        while words and words[0] not in self._commands and words[0] != "quit":
            words.pop(0)
        if not words:
            return True
        if words[0] == "quit":
            return False
        try:
            self._commands[words[0]](words[1:])
        except UserError as error:
            self._output(f"info string error: {' '.join(str(error).split())}\n")
        return True

    def too_long(self) -> None:
        """Refuse a line that nobody types."""
        self._output("info string error: line too long\n")

    def close(self) -> None:
        """End the search that is going on."""
        self._stop()

    # --- commands -------------------------------------------------------------------------------------------

    def _introduce(self, _words: Sequence[str]) -> None:
        names = variant_names()
        if self._game.variant.name not in names:
            names.append(self._game.variant.name)
        choices = " ".join(f"var {name}" for name in names)
        simulations = self._game.simulations or self._game.player.simulations or STREAM_BEGIN
        self._output(
            f"id name selfplay {__version__}\nid author the authors of selfplay\n"
            f"option name UCI_Variant type combo default {self._game.variant.name} {choices}\n"
            f"option name Simulations type spin default {simulations} min 1 max {MAX_SIMULATIONS}\n"
            "uciok\n"
        )

    def _set_option(self, words: Sequence[str]) -> None:
        """`name NAME value VALUE`; options of others are passed over."""
        text = " ".join(words)
        name, _, value = text.removeprefix("name ").partition(" value ")
        if name.lower() == "uci_variant":
            if value not in (*variant_names(), self._game.variant.name):
                raise ProtocolError(f"expected a variant of the list, got {value}")
            self._stop()
            if value != self._game.variant.name:
                self._game.choose_variant(games.load(value))
            self._position = self._game.position
        elif name.lower() == "simulations":
            if not (value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= MAX_SIMULATIONS):
                raise ProtocolError(f"expected 1 to {MAX_SIMULATIONS} simulations, got {value}")
            self._game.simulations = int(value)

    def _set_position(self, words: Sequence[str]) -> None:
        """`startpos` or the FEN of the variant's start, then `moves ...`."""
        self._stop()
        before, _, moves = " ".join(words).partition(" moves")
        if not before.startswith(("startpos", "fen")):
            raise ProtocolError("expected position startpos or fen")
        if before.startswith("fen") and before.split()[1:2] != _start_fen(self._game).split()[:1]:
            raise ProtocolError("expected the variant's start, then moves: other positions can't be set up")
        position = start(self._game.variant)
        for text in moves.split():
            try:
                for choice in choices_of(position, read(text)):
                    position = position.play(choice)
            except (EngineError, MoveError) as error:
                raise ProtocolError(f"illegal move {text}: {error}") from None
        self._position = position

    def _go(self, words: Sequence[str]) -> None:
        self._stop()
        limits = _limits(words)
        self._search = Job(_Search(self._game, self._position, limits, self._output).run)
        self._search.start()

    def _stop(self) -> None:
        if self._search is not None:
            self._search.stop()
            self._search = None


class _Search:
    """One `go`."""

    def __init__(self, game: Game, position: Position, limits: Mapping[str, int], output: Output) -> None:
        self._game, self._position, self._limits, self._output = game, position, limits, output
        self._stopped = threading.Event()

    def run(self, stopped: threading.Event) -> None:
        """Search and tell; once it is stopped, tell the best move so far."""
        self._stopped = stopped
        if self._position.is_over:
            self._output("bestmove (none)\n")
            return
        began = time.perf_counter()
        deadline = self._seconds()
        here = self._position
        texts = written_moves(here)[0]
        while len(texts) == len(written_moves(self._position)[0]):
            here = here.play(self._choice(here, began, deadline))
            texts = written_moves(here)[0]
            if here.is_over:
                break
        self._output(f"bestmove {texts[-1]}\n")

    def _choice(self, here: Position, began: float, deadline: float | None) -> int:
        """One choice of the move; in the first one the search tells how it goes on."""
        left = None if deadline is None else max(0.0, deadline - (time.perf_counter() - began))
        most = self._limits.get("nodes", self._game.simulations)
        last: Analysis | None = None
        for last in self._game.player.stream(here, simulations=most, seconds=left, stopped=self._stopped):
            self._output(self._info(here, last, time.perf_counter() - began))
        assert last is not None
        if "infinite" in self._limits and here is self._position:
            self._stopped.wait()
        return last.action

    def _seconds(self) -> float | None:
        """For the whole move; None: the number of simulations decides."""
        if "infinite" in self._limits:
            return math.inf
        if "movetime" in self._limits:
            return max(0.0, self._limits["movetime"] * _MILLISECOND - _RESERVE)
        clock, increment = _CLOCKS[self._position.colour_to_move]
        if clock not in self._limits:
            return None
        seconds = self._limits[clock] * _MILLISECOND / SHARE_OF_CLOCK
        return seconds + SHARE_OF_INCREMENT * self._limits.get(increment, 0) * _MILLISECOND

    def _info(self, here: Position, analysis: Analysis, seconds: float) -> str:
        visits = int(analysis.visits.sum())
        text = here.action_text(analysis.action)
        line = _expected_moves(here, analysis)
        value = analysis.value_to_play
        return (
            f"info depth {max(1, int(np.log2(max(1, visits))))} nodes {visits} "
            f"score cp {centipawns(value)} time {int(1000 * seconds)} "
            f"nps {int(visits / max(seconds, 1e-3))} "
            f"{f'pv {line} ' if line else ''}string {text}\n"
        )


def _expected_moves(here: Position, analysis: Analysis) -> str:
    """The whole moves of the principal variation, as Fairy-Stockfish writes them."""
    before, after = len(written_moves(here)[0]), here
    for action in analysis.line:
        after = after.play(action)
    return " ".join(written_moves(after)[0][before:])


def centipawns(value: float) -> int:
    """A value from -1 to 1 as Leela Chess Zero turns it into centipawns."""
    return round(90 * math.tan(1.5637541897 * min(1.0, max(-1.0, value))))


def variant_names() -> list[str]:
    """The catalogue's variants that Fairy-Stockfish has words for."""
    found = []
    for name in games.names():
        try:
            section(games.load(name))
        except EngineError:
            continue
        found.append(name)
    return found


def _start_fen(game: Game) -> str:
    try:
        text = section(game.variant).text
    except EngineError:
        return ""
    return next(line.partition("= ")[2] for line in text.splitlines() if line.startswith("startFen"))


def _limits(words: Sequence[str]) -> dict[str, int]:
    """What `go` says, in milliseconds and nodes."""
    found: dict[str, int] = {}
    for i, word in enumerate(words):
        if word in ("infinite", "ponder"):
            found["infinite"] = 1
        elif i + 1 < len(words) and words[i + 1].lstrip("-").isdigit() and len(words[i + 1]) < 12:
            found[word] = int(words[i + 1])
    if found.get("nodes", 1) < 1:
        del found["nodes"]
    return found
