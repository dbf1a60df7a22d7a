"""How much random playouts count beside a network's value: as much as the results of games say.

A young network knows little of a variant; the results of random games from a position know something from
the first move on (AlphaGo mixed both evenly: Silver et al., Nature 2016). The share of the playouts that
predicts results best, by least squares over positions that the network hasn't learned from, falls by itself
as the network learns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from games.compiler import canvas_size, compile_rules
from games.encoding import Observation
from games.kernels import observe_rows
from games.rules import Rules
from games.state import State, new_state
from games.variant import Variant
from mcts.rollout_kernels import Rollouts, rollout_rows
from mcts.search import Evaluator
from selfplay.actor import Episode
from selfplay.kernels import replay_rows
from selfplay.replay import action_rows

POSITIONS = 256
"""Looked at in each `judge`."""

LEAST = 0.05
"""A smaller share isn't worth the time that playouts take."""

_MEMORY = 0.9
"""What earlier positions count beside those of the next `learn`."""

_FIRST_WEIGHT = 8.0
"""Squared distance of values and playouts that the share in the beginning stands for."""


class Judged(NamedTuple):
    """Positions of finished games, each seen by the player to move; float64 `[N]`.

    values: an evaluator's; playouts: means of random ones; outcomes: of the game, -1, 0 or 1
    """

    values: NDArray[np.float64]
    playouts: NDArray[np.float64]
    outcomes: NDArray[np.float64]


class RolloutTrust:
    """Fits the share of playouts in values."""

    def __init__(self, first: float) -> None:
        """`first`: the share before anything is learned."""
        self._products = _FIRST_WEIGHT * first
        self._squares = _FIRST_WEIGHT

    @property
    def share(self) -> float:
        """What playouts count in a value: 0, or from `LEAST` to 1."""
        share = min(1.0, self._products / self._squares)
        return share if share >= LEAST else 0.0

    def learn(self, judged: Judged) -> None:
        """Take positions into account; those of earlier calls count less and less."""
        apart = judged.playouts - judged.values
        self._products = _MEMORY * self._products + float(apart @ (judged.outcomes - judged.values))
        self._squares = _MEMORY * self._squares + float(apart @ apart)

    def state(self) -> list[float]:
        """What `restore` needs."""
        return [self._products, self._squares]

    def restore(self, state: Sequence[float]) -> None:
        """Go back to a saved `state`."""
        self._products, self._squares = state


def judge(
    variants: Sequence[Variant],
    rollouts: Rollouts,
    episodes: Sequence[Episode],
    evaluator: Evaluator,
    rng: np.random.Generator,
) -> Judged:
    """Hold an evaluator's values and playouts against the results of games.

    Args:
        variants: that the episodes are of.
        rollouts: the playouts that the games were searched with; their share doesn't matter.
        episodes: finished games; of their recorded positions at most `POSITIONS` are drawn.
        evaluator: a network that hasn't learned from these games.
        rng: of the draw.
    """
    places = [(e, ply) for e in episodes for ply in np.flatnonzero(e.recorded).tolist()]
    chosen = [places[index] for index in rng.permutation(len(places))[:POSITIONS].tolist()]
    rules, games = compile_rules(variants), [game for game, _ in chosen]
    plies = np.array([ply for _, ply in chosen], np.int16)
    variant = np.array([game.variant for game in games], np.int16)
    state = new_state(rules, len(chosen))
    replay_rows(rules, action_rows(rules, games, plies), plies, variant, state)
    outcomes = [game.outcome(ply) for game, ply in chosen]
    return judge_rows(rules, state, canvas_size(variants), rollouts, evaluator, outcomes)


def judge_rows(
    rules: Rules,
    state: State,
    canvas: tuple[int, int],
    rollouts: Rollouts,
    evaluator: Evaluator,
    outcomes: Sequence[float],
) -> Judged:
    """`judge` for the rows of a state, each with its game's outcome to play; canvas: rows and columns."""
    batch = len(outcomes)
    if not batch:
        return Judged(np.empty(0), np.empty(0), np.empty(0))
    seen, playouts = Observation.zeros(batch, canvas), np.empty(batch)
    observe_rows(
        rules, state, seen.cells, seen.legal, seen.rules, np.empty(seen.legal.shape[1] + 1, np.int16)
    )
    rollout_rows(rules, state, rollouts, playouts)
    return Judged(evaluator(seen)[1].astype(float), playouts, np.array(outcomes, float))
