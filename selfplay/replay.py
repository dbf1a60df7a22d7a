"""The replay window: recorded games, and training batches rebuilt from their actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from games.compiler import canvas_size, compile_rules
from games.encoding import EXTRA_ACTIONS, Observation
from games.rules import MAX_LEGAL, PLY_CAP, Rules
from games.state import new_state
from games.symmetry import canvas_symmetries
from games.variant import Variant
from selfplay.actor import Episode
from selfplay.kernels import final_owners, observe_samples

MAX_SYMMETRIES = 64
"""Symmetries of a variant that augmentation draws from."""


NO_REPLY = -1
"""`Sequel.reply` where the opponent doesn't move any more."""


class Sequel(NamedTuple):
    """What came of the positions of a batch, seen by the player to move; B rows.

    reply: int64 `[B]`: the opponent's next choice or NO_REPLY
    owners: int64 `[B, H * W]`: 1 where the board ends with the player's stone, 2 with the other's, else 0
    plies: float32 `[B]`: how many were left
    """

    reply: NDArray[np.int64]
    owners: NDArray[np.int64]
    plies: NDArray[np.float32]


class Batch(NamedTuple):
    """A training batch on the canvas; B rows.

    observation: see `Observation`
    policy: float32 `[B, A]`, sums to one: the search's policy
    wdl: float32 `[B, 3]`: win, draw and loss of the player to move
    played: int64 `[B]`: the action of the game
    outcome: float32 `[B]`: -1, 0 or 1 to play
    sequel: what came of it, if that was asked for
    """

    observation: Observation
    policy: NDArray[np.float32]
    wdl: NDArray[np.float32]
    played: NDArray[np.int64]
    outcome: NDArray[np.float32]
    sequel: Sequel | None = None


class Replay:
    """The last recorded positions of a run, kept as games.

    Positions are numbered in the order in which they were recorded; the number is all that sampling depends
    on, so a window that was rebuilt from files draws the same batches as one that was never interrupted.
    """

    def __init__(self, variants: Sequence[Variant], *, capacity: int, td_lambda: float = 1.0) -> None:
        """Make an empty one.

        capacity: the largest window, in recorded positions
        td_lambda: of the value targets, see `lambda_returns`
        """
        self.capacity = capacity
        self._td_lambda = td_lambda
        self.recorded = 0  # positions recorded so far, in the window or not
        self.rules = compile_rules(variants)
        self.canvas = canvas_size(variants)
        self._game_of = np.zeros(capacity, np.int64)  # ring: game and ply of recorded position number n
        self._ply_of = np.zeros(capacity, np.int16)
        self._surprise_of = np.zeros(capacity, np.float32)
        self._searched_of = np.zeros(capacity, np.float32)  # the two parts of lambda-returns
        self._outcome_share_of = np.zeros(capacity, np.float32)
        self._games: dict[int, Episode] = {}  # by number, oldest first
        self._played = 0
        symmetries = canvas_symmetries(self.rules, variants, limit=MAX_SYMMETRIES)
        self._symmetry_count = symmetries.count
        self._permutations = symmetries.perm.astype(np.int32)

    def add(self, episode: Episode) -> None:
        """Append a finished game, and forget games of which nothing is left in the largest window."""
        plies = np.flatnonzero(episode.recorded)
        slots = (self.recorded + np.arange(len(plies))) % self.capacity
        self._game_of[slots] = self._played
        self._ply_of[slots] = plies
        self._surprise_of[slots] = episode.surprise[plies]
        searched, outcome_share = lambda_returns(episode, self._td_lambda)
        self._searched_of[slots], self._outcome_share_of[slots] = searched[plies], outcome_share[plies]
        self._games[self._played] = episode
        self._played += 1
        self.recorded += len(plies)
        oldest = self._game_of[self.recorded % self.capacity] if self.recorded >= self.capacity else 0
        while (first := next(iter(self._games))) < oldest:
            del self._games[first]

    def sample(
        self,
        rng: np.random.Generator,
        *,
        batch_size: int,
        window: int,
        search_value_share: float,
        surprise_share: float = 0.0,
        with_sequel: bool = False,
    ) -> Batch:
        """Draw positions from the last `window` recorded ones, each through a random symmetry.

        Args:
            search_value_share: share of the search's root value in the value target; the rest is the
                lambda-return.
            surprise_share: share of the positions that are drawn in proportion to their surprise (KataGo's
                policy surprise weighting); the others are drawn evenly.
            with_sequel: whether to say what came of the positions.
        """
        window = min(window, self.recorded, self.capacity)
        slots = self._drawn(rng, batch_size, window, surprise_share)
        games = [self._games[game] for game in self._game_of[slots].tolist()]
        plies = self._ply_of[slots]
        variant = np.array([game.variant for game in games], np.int16)
        symmetry = rng.integers(0, self._symmetry_count[variant]).astype(np.int32)
        observation, targets = self._observe(games, plies, variant, symmetry)
        policy = np.zeros(observation.legal.shape, np.float32)
        value, outcome = np.zeros(batch_size, np.float32), np.zeros(batch_size, np.int8)
        played, is_searched = np.zeros(batch_size, np.int64), np.zeros(batch_size, np.float32)
        for row, (game, ply) in enumerate(zip(games, plies.tolist(), strict=True)):
            policy[row, targets[row, : game.policy.shape[1]]] = game.policy[ply]
            played[row] = targets[row, game.actions[ply]]
            value[row], outcome[row] = game.value[ply], game.outcome(ply)
            is_searched[row] = ply < game.exact
        policy /= policy.sum(axis=1, keepdims=True)  # float16 rounding
        share = search_value_share * is_searched
        outcome_share = (1.0 - share) * self._outcome_share_of[slots]
        wdl = win_draw_loss(outcome, outcome_share, share * value + (1.0 - share) * self._searched_of[slots])
        sequel = self._sequel(games, plies, variant, symmetry, targets) if with_sequel else None
        return Batch(observation, policy, wdl, played, outcome.astype(np.float32), sequel)

    def _drawn(
        self, rng: np.random.Generator, number: int, window: int, surprise_share: float
    ) -> NDArray[np.int64]:
        """Slots of positions among the newest."""
        oldest = self.recorded - window
        slots = rng.integers(oldest, self.recorded, number) % self.capacity
        surprising = round(surprise_share * number)
        if surprising:
            reach = np.cumsum(
                self._surprise_of[np.arange(oldest, self.recorded) % self.capacity], dtype=np.float64
            )
            if reach[-1] > 0.0:
                found = np.searchsorted(reach, rng.random(surprising) * reach[-1], side="right")
                slots[:surprising] = (oldest + np.minimum(found, window - 1)) % self.capacity
        return slots

    def _sequel(
        self,
        games: Sequence[Episode],
        plies: NDArray[np.int16],
        variant: NDArray[np.int16],
        symmetry: NDArray[np.int32],
        targets: NDArray[np.int32],
    ) -> Sequel:
        lengths = np.array([len(game.actions) for game in games], np.int16)
        reply = np.full(len(games), NO_REPLY, np.int64)
        for row, (game, ply) in enumerate(zip(games, plies.tolist(), strict=True)):
            later = np.flatnonzero(game.seat[ply:] != game.seat[ply])
            if len(later):
                reply[row] = targets[row, game.actions[ply + later[0]]]
        owners = np.zeros((len(games), self.canvas[0] * self.canvas[1]), np.int64)
        final_owners(
            self.rules,
            action_rows(self.rules, games, lengths),
            lengths,
            plies,
            variant,
            symmetry,
            self._permutations,
            new_state(self.rules, 1),
            owners,
        )
        return Sequel(reply, owners, (lengths - plies).astype(np.float32))

    def _observe(
        self,
        games: Sequence[Episode],
        plies: NDArray[np.int16],
        variant: NDArray[np.int16],
        symmetry: NDArray[np.int32],
    ) -> tuple[Observation, NDArray[np.int32]]:
        observation = Observation.zeros(len(games), self.canvas)
        targets = np.zeros((len(games), self.rules.start.shape[1] + EXTRA_ACTIONS), np.int32)
        observe_samples(
            self.rules,
            action_rows(self.rules, games, plies),
            plies,
            variant,
            symmetry,
            self._permutations,
            new_state(self.rules, 1),  # scratch of this call's: threads may sample at the same time
            np.zeros(int(self.rules.flags[:, MAX_LEGAL].max()) + 1, np.int16),
            observation.cells,
            observation.legal,
            observation.rules,
            targets,
        )
        return observation, targets


def action_rows(rules: Rules, games: Sequence[Episode], plies: NDArray[np.int16]) -> NDArray[np.int16]:
    """int16 `[B, T]`: the first `plies[i]` actions of each game, then zeros."""
    actions = np.zeros((len(games), int(rules.flags[:, PLY_CAP].max())), np.int16)
    for row, (game, ply) in enumerate(zip(games, plies.tolist(), strict=True)):
        actions[row, :ply] = game.actions[:ply]
    return actions


def lambda_returns(episode: Episode, td_lambda: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What TD(lambda) makes of a game (Sutton & Barto 2018, 12.1): outcome and searches' values, averaged.

    The return of a ply is (1 - lambda) times its search's value and lambda times the return of the next one;
    the last of them, the outcome or the first exact value, counts whole. With 1 it is the outcome alone.

    Returns float32 `[T]` each: the values' weighted sum, to play, and the outcome's share in the return.
    """
    searched = np.zeros(len(episode.actions), np.float32)
    outcome_share = np.ones(len(episode.actions), np.float32)
    value, share = 0.0, 1.0
    for ply in range(episode.exact - 1, -1, -1):
        if ply + 1 < len(episode.seat) and episode.seat[ply] != episode.seat[ply + 1]:
            value = -value
        if episode.value[ply] != 0.0:  # else nothing was searched, or it adds nothing
            value = (1.0 - td_lambda) * float(episode.value[ply]) + td_lambda * value
            share *= td_lambda
        searched[ply], outcome_share[ply] = value, share
    return searched, outcome_share


def win_draw_loss(
    outcome: NDArray[np.int8], outcome_share: NDArray[np.float32], searched: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Value targets `[B, 3]`: a share of the outcome (-1, 0, 1 to play), the rest from searches.

    searched: the searches' values to play, times their share. A value v counts as a win with (1 + v) / 2 and
    as a loss otherwise: the target's mean is exact.
    """
    wdl = np.zeros((len(outcome), 3), np.float32)
    wdl[np.arange(len(outcome)), 1 - outcome.astype(np.int64)] = outcome_share
    wdl[:, 0] += (1.0 - outcome_share + searched) / 2.0
    wdl[:, 2] += (1.0 - outcome_share - searched) / 2.0
    return wdl
