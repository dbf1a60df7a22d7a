"""What benchmarks that learn from nothing share: a run to its end, and its errors on solved positions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from games import Variant
from selfplay.evaluate import Evaluation, evaluate_player, load_players
from selfplay.suite import read_suite
from selfplay.training import resume_training, start_training

THREADS = 2


def trained(variant: Variant, run: Path, settings: Sequence[str]) -> dict[str, Any]:
    """A run's summary once its time is over."""
    return resume_training(run, settings) if run.exists() else start_training([variant], run, None, settings)


def solved_errors(
    agent: Path, variant: Variant, suite: Path, simulations: Sequence[int]
) -> dict[str, dict[str, float]]:
    """Shares of moves that lose value, by simulations and set.

    agent: anything that `load_players` takes; suite: a file of solved positions
    """
    positions = read_suite(suite, variant)
    players = load_players(str(agent), simulations, threads=THREADS)
    return {
        str(number): _errors(evaluate_player(player, variant, positions))
        for number, player in zip(simulations, players, strict=True)
    }


def _errors(evaluation: Evaluation) -> dict[str, float]:
    """By set and in the mean."""
    scores = {**evaluation.sets, "mean": evaluation.mean}
    return {name: round(1 - score.value_preserving.mean, 4) for name, score in scores.items()}
