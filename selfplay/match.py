"""Matches between two players: random openings, each played with both colours, all games side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from games import Position, UserError, Variant, start

OPENING_ATTEMPTS = 1000
"""Random games that may end too early before an opening counts as impossible."""


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


class Chooser(Protocol):
    """Anything that can choose a move in many positions at once."""

    def choose_many(self, positions: Sequence[Position], /) -> list[int]:
        """The action to play in each position, the variant's own."""
        ...


class MatchResult(NamedTuple):
    """A finished match, seen by the first player.

    wins, draws, losses: games; distinct: how many different games, by their actions
    """

    wins: int
    draws: int
    losses: int
    distinct: int

    @property
    def games(self) -> int:
        """Games played."""
        return self.wins + self.draws + self.losses

    @property
    def points(self) -> float:
        """Share of points of the first player."""
        return (self.wins + 0.5 * self.draws) / self.games

    @property
    def standard_error(self) -> float:
        """Standard error of `points`, games taken as independent."""
        mean = self.points
        square = (self.wins + 0.25 * self.draws) / self.games
        return float(np.sqrt(max(0.0, square - mean**2) / self.games))


def play_match(
    variant: Variant, first: Chooser, second: Chooser, *, games: int, opening_plies: int, seed: int
) -> MatchResult:
    """Play `games` games (rounded up to pairs); the two of a pair share an opening, seats exchanged."""
    rng = np.random.default_rng(seed)
    openings = [random_opening(variant, opening_plies, rng) for _ in range((games + 1) // 2)]
    positions = [opening for opening in openings for _ in range(2)]
    seats = [seat for _ in openings for seat in (0, 1)]  # of the first player
    while any(not position.is_over for position in positions):
        for player, seat_of_player in ((first, 0), (second, 1)):
            turn = [
                i
                for i, position in enumerate(positions)
                if not position.is_over and position.to_play == (seats[i] ^ seat_of_player)
            ]
            if turn:
                actions = player.choose_many([positions[i] for i in turn])
                for i, action in zip(turn, actions, strict=True):
                    positions[i] = positions[i].play(action)
    results = [position.returns[seat] for position, seat in zip(positions, seats, strict=True)]
    return MatchResult(
        wins=results.count(1),
        draws=results.count(0),
        losses=results.count(-1),
        distinct=len({position.actions for position in positions}),
    )


def random_opening(variant: Variant, plies: int, rng: np.random.Generator) -> Position:
    """A position after `plies` uniformly random actions that isn't over; `UserError` if none is found."""
    for _ in range(OPENING_ATTEMPTS):
        position = start(variant)
        while not position.is_over and position.ply < plies:
            position = position.play(int(rng.choice(position.legal_actions)))
        if not position.is_over:
            return position
    raise UserError(f"{variant.name}: expected random openings shorter than a game, got {plies}")
