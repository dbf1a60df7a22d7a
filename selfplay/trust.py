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
from games.encoding import EXTRA_ACTIONS, PLANES, RULE_FEATURES, Observation
from games.rules import PLY_CAP
from games.state import new_state
from games.variant import Variant
from mcts.rollout_kernels import Rollouts
from mcts.search import Evaluator
from selfplay.actor import Episode
from selfplay.kernels import roll_out_samples

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
    observation, playouts = _rebuilt(variants, rollouts, chosen)
    values = evaluator(observation)[1].astype(float) if chosen else np.empty(0)
    outcomes = [game.result if game.seat[ply] == 0 else -game.result for game, ply in chosen]
    return Judged(values, playouts, np.array(outcomes, float))


def _rebuilt(
    variants: Sequence[Variant], rollouts: Rollouts, places: Sequence[tuple[Episode, int]]
) -> tuple[Observation, NDArray[np.float64]]:
    """Positions of games as a network sees them, and the means of their playouts, to play."""
    rules, batch, (height, width) = compile_rules(variants), len(places), canvas_size(variants)
    actions = np.zeros((batch, int(rules.flags[:, PLY_CAP].max())), np.int16)
    for row, (game, ply) in enumerate(places):
        actions[row, :ply] = game.actions[:ply]
    observation = Observation(
        planes=np.zeros((batch, len(PLANES), height, width), np.float32),
        legal=np.zeros((batch, height * width + EXTRA_ACTIONS), np.bool_),
        rules=np.zeros((batch, len(RULE_FEATURES)), np.float32),
    )
    playouts = np.empty(batch)
    roll_out_samples(
        rules,
        actions,
        np.array([ply for _, ply in places], np.int16),
        np.array([game.variant for game, _ in places], np.int16),
        rollouts,
        new_state(rules, 1),
        observation.planes.reshape(batch, len(PLANES), height * width),
        observation.legal,
        observation.rules,
        playouts,
    )
    return observation, playouts
