"""Strength on the way, on solved positions or, where a variant has none, against plain tree search."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor

from games import Variant
from mcts.config import Mixing
from models.config import NetworkConfig
from selfplay.loop import Training
from selfplay.match import Contestant, MatchResult, play_match
from selfplay.meta.curve import strength, trained_until
from selfplay.openings import draw_openings
from selfplay.opponents.network import network_player
from selfplay.player import Player
from selfplay.suite import SolvedPosition

Found = dict[str, dict[str, float | None]]
"""Measured values by name, then by simulations a move. `strength` is always there: with solved positions the
share of moves that keep the value where a mistake is possible, else the share of points."""

Measure = Callable[[Mapping[str, Tensor], NetworkConfig, Mixing], Found]
"""How strong weights are, with playouts mixed in where they search."""


def suite_measure(variant: Variant, suite: Sequence[SolvedPosition], simulations: Sequence[int]) -> Measure:
    """Moves that keep the value on solved positions; `kept` counts those without a mistake to make, too."""

    def measure(weights: Mapping[str, Tensor], network: NetworkConfig, mixing: Mixing) -> Found:
        kept, failable = strength(weights, network, variant, suite, simulations, mixing)
        return {"strength": _known(failable), "kept": _known(kept)}

    return measure


def match_measure(
    variant: Variant, simulations: Sequence[int], *, games: int, rollouts: int, seed: int = 0
) -> Measure:
    """Points in matches against tree search, see `match_with_search`."""
    against_search = match_with_search(variant, games=games, rollouts=rollouts, seed=seed)

    def measure(weights: Mapping[str, Tensor], network: NetworkConfig, mixing: Mixing) -> Found:
        results = {}
        for number in simulations:
            player = network_player(weights, network, number, variants=[variant], mixing=mixing)
            results[number] = against_search(player)
        return points_of(results)

    return measure


def match_with_search(
    variant: Variant, *, games: int, rollouts: int, seed: int = 0
) -> Callable[[Contestant], MatchResult]:
    """Matches against `mcts:rollouts` from the same even openings, each played with both colours."""
    openings = draw_openings(variant, max(1, games // 2), seed=seed).positions
    opponent = Player.load(f"mcts:{rollouts}", seed=seed)
    return lambda player: play_match(player, opponent, openings)


def points_of(results: Mapping[int, MatchResult]) -> Found:
    """Points of matches and half of their 95 % intervals, by simulations a move."""
    return {
        "strength": _known({number: result.points for number, result in results.items()}),
        "noise": _known({number: _half_interval(result) for number, result in results.items()}),
    }


def measured_curve(training: Training, measure: Measure, at: Iterable[int]) -> list[dict[str, Any]]:
    """Train, and measure whenever so many positions are recorded; points as a study's rows hold them.

    Args:
        training: an adaptation not yet begun.
        measure: of the weights that play.
        at: numbers of positions, rising; the first may be 0.
    """
    return [
        {
            "at": target,
            "positions": training.replay.recorded,
            "seconds": round(seconds, 2),
            "steps": training.learner.steps,
            **measure(training.playing, training.config.network, training.mixing),
        }
        for target, seconds in trained_until(training, at)
    ]


def _known(values: Mapping[int, float]) -> dict[str, float | None]:
    """With keys as JSON has them; None for what isn't a number."""
    return {str(key): None if math.isnan(value) else round(value, 5) for key, value in values.items()}


def _half_interval(result: MatchResult) -> float:
    low, high = result.interval
    return (high - low) / 2
