"""Fairy-Stockfish, or another engine that speaks UCI and reads its `variants.ini`, as an opponent.

    UciContestant("fairy-stockfish; setoption name Skill Level value 5; go nodes 1000", variant)

Release 11.1, which Debian ships, plays breakthrough, clobber, and lines of stones placed anywhere; later
ones also connect four, hexapawn, amazons, ataxx and othello. Which of them an engine really knows is found
out at the start: its legal moves, ends and results are compared with ours in a few random games.
"""

from __future__ import annotations

import random
import re
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from games import Position, Variant, start
from games.notation import PASS_TEXT
from selfplay.match import Forfeit
from selfplay.opponents.fairy import Section, read, section, written, written_moves
from selfplay.opponents.moves import TextMove, choices_of, whole_moves
from selfplay.opponents.pool import EnginePool
from selfplay.opponents.process import EngineError, LineProcess

DEFAULT_SEARCH = "go movetime 100"

COMPARED_GAMES, COMPARED_TURNS, COMPARED_MOVES = 4, 60, 10_000
"""Random games in which the rules are compared, turns of each, and legal moves looked at in all."""

_PERFT = re.compile(r"(\S+): 1")
_SCORE = re.compile(r" score (mate|cp) (-?\d+)")
_RESULTS = {1: "a win", 0: "a draw", -1: "a loss"}
"""Results for who moved last."""


class UciContestant:
    """An engine that speaks UCI; satisfies `selfplay.match.Contestant`.

    Attributes:
        name: the engine's own, and how it searches.
        variant: the only one that it is asked about.
    """

    def __init__(self, command: str, variant: Variant, *, timeout: float = 30.0, processes: int = 2) -> None:
        """Start the engine and compare its rules with ours.

        Args:
            command: the command, then after each `;` a line that is sent at the start; one that begins with
                `go` is how every move is searched instead.
            variant: what is played.
            timeout: seconds for an answer; a move that takes longer loses its game.
            processes: engines that run at once.

        Raises:
            EngineError: the command doesn't start or doesn't speak UCI, or the variant is unknown to
                Fairy-Stockfish or to this release; one line.
        """
        self.variant = variant
        line, setup, search = split_command(command)
        known = section(variant)
        self._pool = EnginePool(
            lambda stop: _UciSession(line, setup, search, known, self._ini, timeout=timeout, stop=stop),
            processes=processes,
        )
        self._ini = _temporary(known.text)
        try:
            first = self._pool.begin_one()
            assert isinstance(first, _UciSession)
            first.compare_rules(variant)
        except BaseException:
            self.close()
            raise
        self.name = f"{first.engine}, {search}"

    def choose_many(self, positions: Sequence[Position], /) -> list[int | Forfeit]:
        """The engine's action in each position, or why it has none."""
        return self._pool.choose_many(positions)

    def close(self) -> None:
        """End the engines and remove what was written for them; closing twice is fine."""
        self._pool.close()
        self._ini.unlink(missing_ok=True)


def split_command(command: str) -> tuple[str, list[str], str]:
    """The command itself, the lines to send at the start, and how a move is searched."""
    first, *parts = [part.strip() for part in command.split(";")]
    search = [part for part in parts if part.split()[:1] == ["go"]]
    setup = [part for part in parts if part and part not in search]
    return first, setup, search[-1] if search else DEFAULT_SEARCH


class _UciSession:
    """One running engine, set to its variant."""

    def __init__(
        self,
        command: str,
        setup: Sequence[str],
        search: str,
        known: Section,
        ini: Path,
        *,
        timeout: float,
        stop: threading.Event,
    ) -> None:
        self.engine = command
        self._search, self._section, self._timeout = search, known, timeout
        self._process = LineProcess(command, stop=stop)
        try:
            self._shake_hands()
            self._send(*setup, f"setoption name VariantPath value {ini}")
            self._choose_variant()
        except BaseException:
            self.close()
            raise

    def choose(self, position: Position) -> list[int] | Forfeit:
        """The engine's move as our actions; `EngineError` if there is none, or it isn't legal."""
        moves, begun = written_moves(position)
        search = self._search
        if begun:
            search += " searchmoves " + " ".join(written((*begun, *rest)) for rest in whole_moves(position))
        answer, _ = self._search_moves(moves, search)
        move = read(answer)
        if not move or move[: len(begun)] != begun:
            raise EngineError(f"{self.engine}: expected a move, got {answer!r}")
        return choices_of(position, move[len(begun) :])

    def compare_rules(self, variant: Variant) -> None:
        """Raise `EngineError` unless moves, ends and results are ours in a few random games."""
        left = COMPARED_MOVES
        for seed in range(COMPARED_GAMES):
            position, chance = start(variant), random.Random(seed)
            for _ in range(COMPARED_TURNS):
                if left > 0:
                    left -= self._compare_moves(position)
                before, (position, move) = position, _played_at_random(position, chance)
                if position.is_over or _nears_cap(position):
                    break
            if position.is_over and move != (PASS_TEXT,) and not _nears_cap(position):
                self._compare_end(before, move, position)

    def close(self) -> None:
        """End the engine."""
        self._process.close()

    def _shake_hands(self) -> None:
        self._send("uci")
        options = set()
        for line in self._lines_until("uciok"):
            words = line.split()
            if words[:2] == ["id", "name"]:
                self.engine = " ".join(words[2:]) or self.engine
            if words[:2] == ["option", "name"] and "type" in words:
                options.add(" ".join(words[2 : words.index("type")]))
        if not {"VariantPath", "UCI_Variant"} <= options:
            raise EngineError(
                f"expected an engine with the option VariantPath, such as Fairy-Stockfish, got {self.engine}"
            )

    def _choose_variant(self) -> None:
        """The engine says which variant it has chosen, and keeps silent if it couldn't read ours."""
        self._send(f"setoption name UCI_Variant value {self._section.name}", "isready")
        chosen = f"info string variant {self._section.name} "
        if not any(line.startswith(chosen) for line in self._lines_until("readyok")):
            raise EngineError(f"{self._unknown}, got one that it can't read")

    @property
    def _unknown(self) -> str:
        return f"expected a variant that {self.engine} knows (a later release may)"

    def _compare_moves(self, position: Position) -> int:
        """Number of legal moves, which are the same; who can only pass isn't asked about."""
        ours = set(whole_moves(position))
        if ours == {(PASS_TEXT,)}:
            return 0
        theirs = self._legal_moves(position)
        if theirs != ours:
            move = min(theirs ^ ours)
            wrong = "allows" if move in theirs else "doesn't allow"
            raise EngineError(f"{self._unknown}, got {_where(position)} it {wrong} {'-'.join(move)}")
        return len(ours)

    def _compare_end(self, before: Position, move: TextMove, after: Position) -> None:
        """That the game is over, and that the move before wins, draws or loses for the engine as well."""
        moves, _ = written_moves(before)
        last = written(move)
        answer, _ = self._search_moves([*moves, last], "go depth 1")
        if read(answer):
            raise EngineError(f"{self._unknown}, got {_where(after)} it plays on with {answer}")
        _, score = self._search_moves(moves, f"go depth 2 searchmoves {last}")
        ours = after.returns[before.to_play]
        if score != ours:
            said, meant = _RESULTS[score], _RESULTS[ours]
            raise EngineError(f"{self._unknown}, got {_where(after)} it sees {said} instead of {meant}")

    def _legal_moves(self, position: Position) -> set[TextMove]:
        moves, _ = written_moves(position)
        self._send(_position(moves), "go perft 1")
        counted = (_PERFT.fullmatch(line.strip()) for line in self._lines_until("Nodes searched"))
        return {read(match[1]) for match in counted if match}

    def _search_moves(self, moves: Sequence[str], search: str) -> tuple[str, int]:
        """The best move as written, and whether it wins at once (1), loses at once (-1), or neither (0)."""
        self._send(_position(moves), search)
        *info, last = self._lines_until("bestmove", keep_last=True)
        scores = [found for line in info if (found := _SCORE.search(line))]
        mates = scores and scores[-1][1] == "mate"
        words = last.split()
        return words[1] if len(words) > 1 else "", (1 if int(scores[-1][2]) > 0 else -1) if mates else 0

    def _send(self, *lines: str) -> None:
        self._process.send(*lines, timeout=self._timeout)

    def _lines_until(self, word: str, *, keep_last: bool = False) -> list[str]:
        """The lines before the one that begins with a word, or up to it."""
        deadline = time.monotonic() + self._timeout
        lines: list[str] = []
        while True:
            line = self._process.line(deadline=deadline, timeout=self._timeout)
            if line.startswith(word):
                return [*lines, line] if keep_last else lines
            lines.append(line)
            del lines[:-_MOST_LINES]


def _played_at_random(position: Position, chance: random.Random) -> tuple[Position, TextMove]:
    """The position after a random whole move, and the move."""
    move: TextMove = ()
    while not move or position.is_half_made:
        action = chance.choice(position.legal_actions.tolist())
        move = (*move, position.action_text(action))
        position = position.play(action)
    return position, move


def _nears_cap(position: Position) -> bool:
    """Whether the ply cap may end the game in this move or the next, which is no rule of an engine."""
    return not position.variant.places and position.ply + 6 >= position.variant.ply_cap


_MOST_LINES = 10_000
"""Lines of an answer that are kept; the most that a move list needs."""


def _where(position: Position) -> str:
    """A position in words that begin a clause."""
    moves = " ".join(position.action_text(action) for action in position.actions)
    return f"{position.variant.name}, in which {f'after {moves}' if moves else 'at the start'}"


def _position(moves: Sequence[str]) -> str:
    return " ".join(["position startpos", *(["moves"] if moves else []), *moves])


def _temporary(text: str) -> Path:
    with tempfile.NamedTemporaryFile("w", prefix="variants-", suffix=".ini", delete=False) as file:
        file.write(text)
    return Path(file.name)
