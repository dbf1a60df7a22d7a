"""Rows of a study as `benchmarks/meta_study.py` writes them, with strengths made up."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selfplay.meta.plan import Plan
from selfplay.meta.study import append_row

AT = (0, 500, 1000, 2000, 4000, 8000, 16000)
KINDS = {"parameters": 3, "combinations": 2, "mechanisms": 2}
PLAN = Plan.model_validate(
    {
        "arms": {
            "scratch": {},
            "joint": {"init": "joint"},
            "fast": {"init": "fast"},
            "perfect": {"player": "solver"},
        },
        "control": "joint",
        "shipped": "fast",
    }
)
SPEEDS = {"scratch": 1.0, "joint": 4.0, "fast": 16.0}
"""Times fewer positions than scratch that an arm needs."""

Strength = Callable[[str, str, int, float], float]
"""From arm, variant, seed and positions to strength."""


def doubling(arm: str, _variant: str, _seed: int, positions: float) -> float:
    """Strength that grows by 0.05 whenever positions double, for a faster arm from earlier on."""
    return 0.3 + 0.05 * math.log2(1.0 + positions * SPEEDS[arm] / 500)


def plant(folder: Path, strength: Strength = doubling, *, seeds: int = 2) -> Path:
    """Write curves of three arms in seven variants; returns the folder."""
    for arm in SPEEDS:
        for kind, variant in variants():
            for seed in range(seeds):
                points = [point(at, strength(arm, variant, seed, at)) for at in AT]
                append_row(folder / "curves.jsonl", facts(arm, kind, variant, seed) | {"points": points})
    return folder


def plant_zero_shot(folder: Path, points: dict[str, float], *, arm: str = "fast") -> None:
    """Write an arm's points by kind."""
    for kind, variant in variants():
        if kind not in points:
            continue
        row = facts(arm, kind, variant, 0) | {
            "strength": {"64": points[kind]},
            "games": 40,
            "rollouts": 1000,
        }
        append_row(folder / "zero_shot.jsonl", row)


def plant_minutes(folder: Path, kept: float) -> None:
    """Write shares of moves that keep the value after five minutes."""
    for kind, variant in variants():
        spent = {"minutes": 5.0, "positions": 12345, "seconds": 290.0}
        found = {"strength": {"0": kept - 0.2, "64": kept - 0.1}, "kept": {"0": kept - 0.1, "64": kept}}
        append_row(folder / "minutes.jsonl", facts("fast", kind, variant, 0) | spent | found)


def variants() -> list[tuple[str, str]]:
    """Kinds and names."""
    return [(kind, f"{kind}-{i}") for kind, number in KINDS.items() for i in range(number)]


def facts(arm: str, kind: str, variant: str, seed: int) -> dict[str, Any]:
    """What every row says."""
    algorithm = {"scratch": "scratch", "joint": "joint", "fast": "reptile", "perfect": "solver"}[arm]
    return {
        "arm": arm, "algorithm": algorithm, "variant": variant, "kind": kind, "seed": seed,
        "measure": "suite", "simulations": 32,
    }  # fmt: skip


def point(at: int, strength: float) -> dict[str, Any]:
    """A point of a curve, measured without and with a search."""
    return {"at": at, "positions": at, "strength": {"0": strength, "64": min(1.0, strength + 0.1)}}
