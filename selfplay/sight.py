"""A first look at a variant: does an evaluator understand it, and what are playouts worth beside its values?

Where a variant turns known rules round, what was learned points the wrong way, and search follows it. A few
quick games tell: their results are true whoever plays them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from games import Position, Variant, stack, start
from games.compiler import canvas_size
from mcts import Evaluator, Memory, SearchConfig, search
from mcts.config import ROLLOUT_PLIES
from mcts.rollout_kernels import new_rollouts
from selfplay.player import SIGHT_CELLS
from selfplay.trust import POSITIONS, Judged, RolloutTrust, judge_rows

GAMES = 32
"""Quick games of a look."""

OPENING_PLIES = 8
"""Most random moves that every second one of them begins with."""

ROLLOUTS = 16
"""Playouts of a position, at most, in them and in the play of an initialisation."""

FIRST_SHARE = 0.5
"""What playouts count in the values of quick games (AlphaGo: 0.5)."""

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
    positions, outcomes = _quick_games(variant, evaluator, seed)
    chosen = np.random.default_rng(seed).permutation(len(positions))[:POSITIONS].tolist()
    rules, state = stack([positions[index] for index in chosen])
    rollouts = new_rollouts(rules, most=ROLLOUTS, plies=ROLLOUT_PLIES, share=1.0)
    drawn = [outcomes[index] for index in chosen]
    judged = judge_rows(rules, state, canvas_size([variant]), rollouts, evaluator, drawn)
    trust = RolloutTrust(FIRST_SHARE)
    trust.learn(judged)
    return Sight(trust.share, understands(judged))


def simulations_for(variant: Variant) -> int:
    """Simulations of a quick game's moves: few on a large board, because a look must not take minutes."""
    return 8 if variant.board.rows * variant.board.columns <= SIGHT_CELLS else 2


def understands(judged: Judged) -> bool:
    """Whether values don't run against the results; games that all end alike tell nothing."""
    if not np.ptp(judged.values) or not np.ptp(judged.outcomes):
        return True
    return float(np.corrcoef(judged.values, judged.outcomes)[0, 1]) >= MISJUDGED


def _quick_games(variant: Variant, evaluator: Evaluator, seed: int) -> tuple[list[Position], list[float]]:
    """The positions of a look's games in which there was a choice, and what each game came to, to play.

    Noise at the root, and random moves that half of the games begin with, make them differ.
    """
    random, memory = np.random.default_rng(seed), Memory(2)
    config = SearchConfig(
        simulations=simulations_for(variant), solve=True, rollouts=ROLLOUTS, rollout_share=FIRST_SHARE
    )
    games = [[_opened(variant, random, game % 2 * OPENING_PLIES)] for game in range(GAMES)]
    while live := [game for game in games if not game[-1].is_over]:
        drawn = int(random.integers(2**63))
        found = search([game[-1] for game in live], evaluator, config, seed=drawn, memory=memory)
        for game, action in zip(live, found.action.tolist(), strict=True):
            game.append(game[-1].play(action))
    searched = [
        (position, game[-1].returns[position.to_play])
        for game in games
        for position in game[:-1]
        if len(position.legal_actions) > 1
    ]
    return [position for position, _ in searched], [outcome for _, outcome in searched]


def _opened(variant: Variant, random: np.random.Generator, most: int) -> Position:
    """The start, or a position after up to so many random moves that don't end the game."""
    position = start(variant)
    for _ in range(random.integers(1, most + 1) if most else 0):
        position = position.play(random.choice(position.legal_actions))
        if position.is_over:
            return start(variant)
    return position
