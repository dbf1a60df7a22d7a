"""How much random playouts count beside a network's value: as much as the results of games say.

A young network knows little of a variant; the results of random games from a position know something from
the first move on (AlphaGo mixed both evenly: Silver et al., Nature 2016). The share of the playouts that
predicts results best, by least squares over positions that the network hasn't learned from, falls by itself
as the network learns.
"""

from __future__ import annotations

from collections.abc import Sequence

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
"""Looked at in each `fit`."""

_MEMORY = 0.9
"""What earlier positions count beside those of the next `fit`."""

_FIRST_WEIGHT = 8.0
"""Squared distance of values and playouts that the share in the beginning stands for."""


class RolloutTrust:
    """Fits the share of playouts in values."""

    def __init__(self, variants: Sequence[Variant], rollouts: Rollouts) -> None:
        """`rollouts`: as the games use them; their share is where fitting begins."""
        self._rules = compile_rules(variants)
        self._canvas = canvas_size(variants)
        self._plies = int(self._rules.flags[:, PLY_CAP].max())
        self._rollouts = rollouts
        self._products = _FIRST_WEIGHT * float(rollouts.share[0])
        self._squares = _FIRST_WEIGHT

    @property
    def share(self) -> float:
        """What playouts count in a value, in [0, 1]."""
        return min(1.0, max(0.0, self._products / self._squares))

    def fit(self, episodes: Sequence[Episode], evaluator: Evaluator, rng: np.random.Generator) -> None:
        """Look at some recorded positions of finished games, new to the evaluator."""
        places = [(e, ply) for e in episodes for ply in np.flatnonzero(e.recorded).tolist()]
        if not places:
            return
        chosen = rng.permutation(len(places))[:POSITIONS].tolist()
        games, plies = zip(*(places[index] for index in chosen), strict=True)
        observation, played = self._look(games, np.array(plies, np.int16))
        values = evaluator(observation)[1]
        outcomes = [g.result if g.seat[ply] == 0 else -g.result for g, ply in zip(games, plies, strict=True)]
        apart = played - values
        self._products = _MEMORY * self._products + float(apart @ (np.array(outcomes, float) - values))
        self._squares = _MEMORY * self._squares + float(apart @ apart)

    def state(self) -> list[float]:
        """What `restore` needs."""
        return [self._products, self._squares]

    def restore(self, state: Sequence[float]) -> None:
        """Go back to a saved `state`."""
        self._products, self._squares = state

    def _look(
        self, games: Sequence[Episode], plies: NDArray[np.int16]
    ) -> tuple[Observation, NDArray[np.float64]]:
        """Positions of games as the network sees them, and the means of their playouts, to play."""
        batch, (height, width) = len(games), self._canvas
        actions = np.zeros((batch, self._plies), np.int16)
        for row, (game, ply) in enumerate(zip(games, plies.tolist(), strict=True)):
            actions[row, :ply] = game.actions[:ply]
        observation = Observation(
            planes=np.zeros((batch, len(PLANES), height, width), np.float32),
            legal=np.zeros((batch, height * width + EXTRA_ACTIONS), np.bool_),
            rules=np.zeros((batch, len(RULE_FEATURES)), np.float32),
        )
        values = np.empty(batch)
        roll_out_samples(
            self._rules,
            actions,
            plies,
            np.array([game.variant for game in games], np.int16),
            self._rollouts,
            new_state(self._rules, 1),
            observation.planes.reshape(batch, len(PLANES), -1),
            observation.legal,
            observation.rules,
            values,
        )
        return observation, values
