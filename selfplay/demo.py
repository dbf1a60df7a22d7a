"""`selfplay demo`: the whole loop in a few minutes, ending with a table and a line to play."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import games
from games import Variant
from models.format import write_atomically
from selfplay.arena import points_text
from selfplay.match import play_match
from selfplay.openings import draw_openings
from selfplay.player import Player
from selfplay.run import disk_errors
from selfplay.training import start_training

OPPONENTS = {"random": 100, "mcts:100": 100, "mcts:1000": 60}
"""Opponents and games against each."""

SIMULATIONS = 64
"""Of the agent in these matches."""


def measure(
    agent: Path, variant: Variant, *, simulations: int, seed: int, echo: Callable[[str], object]
) -> list[dict[str, Any]]:
    """Play the agent against the demo's opponents from random openings, telling each result as it comes."""
    player = Player.load(agent, simulations=simulations)
    echo(f"{'opponent':<10}  {'games':>5}  {'won':>4}  {'drawn':>5}  {'lost':>4}  points")
    rows = []
    for opponent, number in OPPONENTS.items():
        other = Player.load(opponent, seed=seed)
        openings = draw_openings(variant, number // 2, seed=seed)
        result = play_match(player, other, openings.positions)
        counts = f"{len(result.games):>5}  {result.wins:>4}  {result.draws:>5}  {result.losses:>4}"
        echo(f"{opponent:<10}  {counts}  {points_text(result)}")
        counted = {"wins": result.wins, "draws": result.draws, "losses": result.losses}
        rows.append({"opponent": opponent, **counted, "distinct": result.distinct, "points": result.points})
    return rows


def new_run_folder(base: Path) -> Path:
    """`base`, or `base-2`, `base-3`, ... if it is taken."""
    candidates = (base if i == 1 else base.with_name(f"{base.name}-{i}") for i in range(1, 10_000))
    return next(path for path in candidates if not path.exists())


def run_demo(
    variant_name: str, *, minutes: float, run: Path, output: Path, echo: Callable[[str], object]
) -> dict[str, Any]:
    """Train, export, measure, and say how to play; returns what was measured."""
    variant = games.load(variant_name)
    folder = new_run_folder(run)
    echo(f"Learning {variant.name} for {minutes:g} minutes in {folder} (Ctrl-C ends it early) …")
    summary = start_training([variant], folder, None, [f"minutes={minutes}"])
    with disk_errors(output):
        write_atomically(output, (folder / "agent.onnx").read_bytes())
    echo(f"{output}: learned from {summary['positions']:,} positions. Measuring it …")
    rows = measure(output, variant, simulations=SIMULATIONS, seed=0, echo=echo)
    echo(f"Play it: .venv/bin/selfplay play {variant_name} --agent {output}")
    return {"training": summary, "matches": rows}
