"""`selfplay demo`: the whole loop in a few minutes, ending with a table and a line to play."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import games
from games import Variant
from selfplay.config import TrainConfig
from selfplay.display import TrainingDisplay
from selfplay.export import export_agent
from selfplay.loop import train
from selfplay.match import MatchResult, play_match
from selfplay.player import Player
from selfplay.run import RunFolder

OPPONENTS = {"random": 100, "mcts:100": 100, "mcts:1000": 60}
"""Opponents and games against each."""


class Measured(NamedTuple):
    """A match of the demo's table."""

    opponent: str
    result: MatchResult


def run_training(variants: list[Variant], run: Path, config: TrainConfig, *, label: str) -> None:
    """Train with a progress display in a new run folder."""
    from rich.console import Console

    folder = RunFolder.create(run, config, variants)
    try:
        with TrainingDisplay(Console(stderr=True), label) as display:
            train(folder, display)
    finally:
        folder.close()


def measure(agent: Path, variant: Variant, *, simulations: int, seed: int) -> list[Measured]:
    """Play the agent against the demo's opponents from random openings of four plies."""
    player = Player.load(str(agent), simulations=simulations)
    rows = []
    for opponent, number in OPPONENTS.items():
        other = Player.load(opponent, seed=seed)
        result = play_match(variant, player, other, games=number, opening_plies=4, seed=seed)
        rows.append(Measured(opponent, result))
    return rows


def new_run_folder(base: Path) -> Path:
    """`base`, or `base-2`, `base-3`, ... if it is taken."""
    candidates = (base if i == 1 else base.with_name(f"{base.name}-{i}") for i in range(1, 10_000))
    return next(path for path in candidates if not path.exists())


def demo(variant_name: str, *, minutes: float, run: Path, output: Path, simulations: int) -> list[Measured]:
    """Train, export and measure; returns the table's rows."""
    variant = games.load(variant_name)
    config = TrainConfig(minutes=minutes)
    run_training([variant], run, config, label=f"learning {variant.name}")
    export_agent(run, output)
    return measure(output, variant, simulations=simulations, seed=0)
