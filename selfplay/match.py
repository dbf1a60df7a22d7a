"""Matches between two players: openings, each played with both colours, all games side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from games import Position

Z_95 = 1.959964
"""Standard errors in half of a 95 % interval."""


class Forfeit(NamedTuple):
    """What a player answers that can't go on: it loses the game.

    reason: one line
    """

    reason: str


class Contestant(Protocol):
    """Anything that can play many games at once."""

    @property
    def name(self) -> str:
        """What a person reads."""
        ...

    def choose_many(self, positions: Sequence[Position], /) -> Sequence[int | Forfeit]:
        """The action to play in each position, the variant's own, or why there is none."""
        ...

    def close(self) -> None:
        """Let go of processes and threads."""
        ...


class Game(NamedTuple):
    """A finished game of a match.

    opening: which of the match's openings; opening_plies: actions that it has played
    seat: the first player's, 0 or 1
    position: the last one; result: 1, 0 or -1 for the first player
    forfeit: why the loser gave up, empty if the rules ended the game
    """

    opening: int
    opening_plies: int
    seat: int
    position: Position
    result: int
    forfeit: str = ""


class MatchResult(NamedTuple):
    """A finished match, seen by the first player; the two games of an opening lie side by side."""

    games: tuple[Game, ...]

    @property
    def wins(self) -> int:
        """Games the first player won."""
        return self._count(1)

    @property
    def draws(self) -> int:
        """Drawn games."""
        return self._count(0)

    @property
    def losses(self) -> int:
        """Games the first player lost."""
        return self._count(-1)

    @property
    def distinct(self) -> int:
        """How many different games were played, by their actions."""
        return len({game.position.actions for game in self.games})

    @property
    def plies(self) -> int:
        """Actions that players chose, openings not counted."""
        return sum(game.position.ply - game.opening_plies for game in self.games)

    @property
    def pair_points(self) -> NDArray[np.float64]:
        """float64 `[G / 2]`: the first player's share of the points of each opening: 0, 1/4, ... 1."""
        points = np.array([(game.result + 1) / 2 for game in self.games])
        return np.asarray(points.reshape(-1, 2).mean(axis=1))

    @property
    def points(self) -> float:
        """The first player's share of the points."""
        return float(self.pair_points.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """A 95 % interval of `points`, openings taken as independent.

        As Agresti and Coull (1998) propose it for shares, two trials are added, one won and one lost, so that
        a clean sweep leaves some doubt.
        """
        pairs = np.append(self.pair_points, [0.0, 1.0])
        half = Z_95 * float(pairs.std(ddof=1) / np.sqrt(len(pairs)))
        middle, points = float(pairs.mean()), self.points
        return max(0.0, min(points, middle - half)), min(1.0, max(points, middle + half))

    @property
    def forfeits(self) -> tuple[Counter[str], Counter[str]]:
        """Reasons why the first and the second player gave games up, with how often."""
        given_up = [game for game in self.games if game.forfeit]
        first, second = (Counter(g.forfeit for g in given_up if g.result == sign) for sign in (-1, 1))
        return first, second

    def _count(self, result: int) -> int:
        return sum(game.result == result for game in self.games)


def play_match(
    first: Contestant,
    second: Contestant,
    openings: Sequence[Position],
    *,
    progress: Callable[[float], None] | None = None,
) -> MatchResult:
    """Play each opening twice, seats exchanged; a player is asked about all games where it is to move.

    An action that isn't legal forfeits the game, as does a `Forfeit`.

    Args:
        first, second: who plays.
        openings: positions where a move is due, of any variants.
        progress: called with an estimate of the share of the match that is played.
    """
    tables = [_Table(number, seat, opening) for number, opening in enumerate(openings) for seat in (0, 1)]
    playing = tables
    while playing:
        for player, is_first in ((first, True), (second, False)):
            due = [table for table in playing if table.awaits(is_first) and not table.is_over]
            if due:
                answers = player.choose_many([table.position for table in due])
                for table, answer in zip(due, answers, strict=True):
                    table.take(answer)
        playing = [table for table in playing if not table.is_over]
        if progress is not None:
            progress(_share(tables, len(playing)))
    return MatchResult(tuple(table.result() for table in tables))


def _share(tables: Sequence[_Table], playing: int) -> float:
    """About how much of a match is played; games that go on are taken to last as long as those that ended."""
    made = [table.position.ply for table in tables]
    ended = [ply for table, ply in zip(tables, made, strict=True) if table.is_over]
    so_far = sum(made) / len(made)
    length = sum(ended) / len(ended) if ended else tables[0].position.variant.n_actions
    return 1.0 - playing / len(tables) * max(0.05, 1.0 - so_far / max(length, so_far))


class _Table:
    """One game of a match that goes on."""

    def __init__(self, opening: int, seat: int, position: Position) -> None:
        self.opening, self.seat, self.position = opening, seat, position
        self.opening_plies = position.ply
        self.forfeit = ""

    @property
    def is_over(self) -> bool:
        return self.position.is_over or bool(self.forfeit)

    def awaits(self, is_first: bool) -> bool:
        """Whether the first (or else the second) player is to move."""
        return (self.position.to_play == self.seat) == is_first

    def take(self, answer: int | Forfeit) -> None:
        """Play a player's answer."""
        if isinstance(answer, Forfeit):
            self.forfeit = answer.reason or "gave up"
        elif answer in self.position.legal_actions:
            self.position = self.position.play(answer)
        else:
            known = 0 <= answer < self.position.variant.n_actions
            self.forfeit = f"illegal move {self.position.action_text(answer) if known else answer}"

    def result(self) -> Game:
        result = self.position.returns[self.seat]
        if self.forfeit:
            result = 1 if self.position.to_play != self.seat else -1
        return Game(self.opening, self.opening_plies, self.seat, self.position, result, self.forfeit)
