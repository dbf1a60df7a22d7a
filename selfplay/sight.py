"""A first look at a variant: does an evaluator understand it, and what are playouts worth beside its values?

Where a variant turns known rules round, what was learned points the wrong way, and search follows it. A few
quick games tell: their results are true whoever plays them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from games import Variant
from mcts.search import Evaluator
from selfplay.actor import Actor, Episode
from selfplay.config import SelfPlayConfig
from selfplay.player import SIGHT_CELLS
from selfplay.trust import Judged, RolloutTrust, judge

GAMES = 32
"""Quick games of a look."""

SIMULATIONS = 8
"""Their simulations, on boards of up to `SIGHT_CELLS`; on larger ones two: a look must not take minutes."""

ROLLOUTS = 16
"""Playouts of a position, at most, in them and in the play of an initialisation."""

MISJUDGED = -0.1
"""A correlation of values with results above this may be chance, in a few dozen games."""


HARDLY_GUIDES = 0.8
"""Where playouts are worth this much, plain tree search with as many playouts plays better."""


class Sight(NamedTuple):
    """What a look found.

    share: what playouts are worth in a value, beside the evaluator's own, in [0, 1]
    understood: False where the evaluator's values run against the results
    """

    share: float
    understood: bool

    @property
    def guides(self) -> bool:
        """Whether the evaluator is of more use to a search than as many playouts without it."""
        return self.understood and self.share < HARDLY_GUIDES


def look(variant: Variant, evaluator: Evaluator, *, seed: int = 0) -> Sight:
    """Play quick games of a variant and hold an evaluator's values against their results."""
    actor = _actor(variant, seed)
    episodes = _played(actor, evaluator)
    judged = judge([variant], actor.rollouts, episodes, evaluator, np.random.default_rng(seed))
    trust = RolloutTrust(SelfPlayConfig().rollout_share)
    trust.learn(judged)
    return Sight(trust.share, understands(judged))


def understands(judged: Judged) -> bool:
    """Whether values don't run against the results; games that all end alike tell nothing."""
    if not np.ptp(judged.values) or not np.ptp(judged.outcomes):
        return True
    return float(np.corrcoef(judged.values, judged.outcomes)[0, 1]) >= MISJUDGED


def quick_games(variant: Variant, evaluator: Evaluator, *, seed: int = 0) -> list[Episode]:
    """The games of a look."""
    return _played(_actor(variant, seed), evaluator)


def _actor(variant: Variant, seed: int) -> Actor:
    small = variant.board.rows * variant.board.columns <= SIGHT_CELLS
    simulations = SIMULATIONS if small else 2
    play = SelfPlayConfig(
        games=GAMES, threads=1, simulations=simulations, rollouts=ROLLOUTS, cache_megabytes=2
    )
    return Actor([variant], play, games=GAMES, seed=seed)


def _played(actor: Actor, evaluator: Evaluator) -> list[Episode]:
    """Play until there are enough games, with something to learn from in them."""
    episodes: list[Episode] = []
    while len(episodes) < GAMES or not any(episode.recorded.any() for episode in episodes):
        actor.advance(*evaluator(actor.observe()))
        episodes += actor.collect()
    return episodes
