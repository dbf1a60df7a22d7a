"""What a study of initialisations measured, as its tables and pictures ask for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from selfplay.meta.plan import Plan
from selfplay.meta.split import KINDS
from selfplay.meta.study import (
    Curve,
    Differences,
    Row,
    SpeedUp,
    curves_by_kind,
    differences,
    read_rows,
    speed_up,
)

KIND_NAMES = {
    "parameters": "unseen parameters",
    "combinations": "unseen combinations",
    "mechanisms": "unseen mechanisms",
}


@dataclass(frozen=True)
class Results:
    """Everything that was measured, by what it is for."""

    plan: Plan
    curves: Sequence[Row]
    zero_shot: Sequence[Row]
    minutes: Sequence[Row]
    step: Mapping[str, Any]
    phase_minutes: float = 0.0
    _kept: dict[Any, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def read(cls, folder: Path, plan: Plan) -> Results:
        """From the study's folder; what isn't there is empty.

        `bench meta --json` writes step.json, `meta_algorithms.py` one file for each phase of training.
        """
        step = folder / "step.json"
        phases = [
            json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("phase-*.json"))
        ]
        return cls(
            plan,
            *(read_rows(folder / f"{name}.jsonl") for name in ("curves", "zero_shot", "minutes")),
            json.loads(step.read_text(encoding="utf-8"))["meta"] if step.exists() else {},
            max((phase["config"]["minutes"] for phase in phases), default=0.0),
        )

    @cached_property
    def budget(self) -> float:
        """Positions of every curve's last point."""
        return float(max(row["points"][-1]["at"] for row in self.curves))

    @cached_property
    def simulations(self) -> list[int]:
        """Those that curves were measured with, the fewest first."""
        found = {int(number) for row in self.curves for number in row["points"][0]["strength"]}
        return sorted(found)

    @cached_property
    def arms(self) -> list[str]:
        """Arms with curves, scratch last."""
        there = {row["arm"] for row in self.curves}
        scratch = self.plan.scratch
        return [a for a in self.plan.arms if a in there and a != scratch] + [scratch] * (scratch in there)

    @property
    def shipped(self) -> str | None:
        """The arm that is held against what is wanted."""
        return self.plan.shipped

    def of(self, arm: str, kind: str | None, simulations: int) -> dict[str, list[Curve]]:
        """An arm's curves by variant, of one kind or of all."""
        key = (arm, simulations)
        if key not in self._kept:
            self._kept[key] = curves_by_kind(self.curves, arm, simulations)
        found: dict[str, dict[str, list[Curve]]] = self._kept[key]
        kinds = KINDS if kind is None else (kind,)
        return {name: curves for k in kinds for name, curves in found.get(k, {}).items()}

    def faster(
        self, arm: str, kind: str | None, simulations: int, *, baseline: str | None = None
    ) -> SpeedUp | None:
        """An arm's speed-up at the full budget; None if there is no variant to compare in."""
        mine, scratch = (self.of(name, kind, simulations) for name in (arm, self.plan.scratch))
        other = None if baseline is None else self.of(baseline, kind, simulations)
        if not mine.keys() & scratch.keys() & (mine if other is None else other).keys():
            return None
        key = ("faster", arm, kind, simulations, baseline)
        if key not in self._kept:
            self._kept[key] = speed_up(mine, scratch, other, after=self.budget)
        found: SpeedUp = self._kept[key]
        return found

    def behind(self, arm: str, kind: str | None, simulations: int) -> Differences | None:
        """An arm's strength less that of scratch at the full budget."""
        mine, scratch = (self.of(name, kind, simulations) for name in (arm, self.plan.scratch))
        if not mine.keys() & scratch.keys():
            return None
        measures = {row["variant"]: row["measure"] for row in self.curves}
        return differences(mine, scratch, after=self.budget, measures=measures)
