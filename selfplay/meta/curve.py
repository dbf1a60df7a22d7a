"""Adaptation curves: how strong an agent is after so many self-play positions of a variant."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor

from games import Variant
from mcts.config import Mixing
from models.config import NetworkConfig
from selfplay.evaluate import evaluate_player
from selfplay.loop import Training
from selfplay.opponents.network import network_player
from selfplay.suite import SolvedPosition


class CurvePoint(NamedTuple):
    """An agent on the way.

    positions: self-play positions recorded so far, rehearsal included
    seconds: since the start, measuring left out
    steps: gradient steps
    kept: moves that keep the value, by simulations a move (0: the policy alone); of all positions
    kept_if_can_fail: the same over positions in which a mistake is possible
    """

    positions: int
    seconds: float
    steps: int
    kept: dict[int, float]
    kept_if_can_fail: dict[int, float]


def adaptation_curve(
    training: Training,
    suite: Sequence[SolvedPosition],
    *,
    at: Sequence[int],
    simulations: Sequence[int] = (0, 64),
) -> list[CurvePoint]:
    """Train, and measure whenever so many positions are recorded.

    Args:
        training: an adaptation not yet begun; its first variant is measured.
        suite: solved positions of that variant.
        at: numbers of positions, rising; the first point may be 0.
        simulations: with which the agent is measured.
    """
    points, variant = [], training.variants[0]
    for _, seconds in trained_until(training, at):
        kept, failable = strength(
            training.playing, training.config.network, variant, suite, simulations, training.mixing
        )
        points.append(CurvePoint(training.replay.recorded, seconds, training.learner.steps, kept, failable))
    return points


def trained_until(training: Training, at: Iterable[int]) -> Iterator[tuple[int, float]]:
    """Train until so many positions are recorded, for each number; it, and the seconds of training so far."""
    seconds = 0.0
    for target in at:
        began = time.perf_counter()
        while training.replay.recorded < target:
            training.iterate()
        seconds += time.perf_counter() - began
        yield target, seconds


def strength(
    weights: Mapping[str, Tensor],
    network: NetworkConfig,
    variant: Variant,
    suite: Sequence[SolvedPosition],
    simulations: Sequence[int],
    mixing: Mixing,
) -> tuple[dict[int, float], dict[int, float]]:
    """Value-preserving shares on a suite: of all positions, and where a mistake is possible."""
    kept, failable = {}, {}
    for number in simulations:
        player = network_player(weights, network, number, variants=[variant], mixing=mixing)
        score: Any = evaluate_player(player, variant, suite).mean
        kept[number] = score.value_preserving.mean
        failable[number] = score.value_preserving_if_can_fail.mean
    return kept, failable
