"""Which variants to play next: those on which something is being learned, and now and then every other.

A task's learning progress is the distance between a fast and a slow average of its scores (Matiisen et
al., Teacher-Student Curriculum Learning, 2017; absolute, as in Portelas et al., ALP-GMM, 2019: a task that
is being forgotten comes back as well). A share of the draws is for all tasks alike, so that a hard variant
stays in play until the network is ready for it, and a mastered one isn't forgotten.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    NonNegativeInt,
    ValidationError,
    model_validator,
)

from games import RunError

_TO_COMPARE = 2
"""Reports that it takes to see a change."""


class CurriculumConfig(BaseModel):
    """How learning progress is measured and how much it counts."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    floor: float = Field(0.3, ge=0, le=1, description="share of the draws that is for all tasks alike")
    fast: float = Field(0.3, gt=0, le=1, description="weight of a new score in the fast average")
    slow: float = Field(0.05, gt=0, le=1, description="weight of a new score in the slow average")

    noise: float = Field(0.02, ge=0, description="added to each progress: tasks with much less look alike")

    @model_validator(mode="after")
    def _fast_is_faster(self) -> CurriculumConfig:
        if self.fast <= self.slow:
            raise ValueError(f"fast: expected more than slow ({self.slow:g}), got {self.fast:g}")
        return self


class _State(BaseModel):
    """A curriculum as JSON holds it; lists with a value for each task."""

    model_config = ConfigDict(strict=True, extra="forbid")

    reports: list[NonNegativeInt]
    fast: list[FiniteFloat]
    slow: list[FiniteFloat]


class Curriculum:
    """Draws tasks by learning progress; one that isn't known yet counts as the one that progresses most."""

    def __init__(self, n_tasks: int, config: CurriculumConfig | None = None) -> None:
        """Begin without any report.

        Raises:
            ValueError: there is no task.
        """
        if n_tasks < 1:
            raise ValueError(f"n_tasks: expected at least 1, got {n_tasks}")
        self.config = config or CurriculumConfig()
        self._reports = np.zeros(n_tasks, np.int64)
        self._fast = np.zeros(n_tasks)
        self._slow = np.zeros(n_tasks)

    @property
    def n_tasks(self) -> int:
        """How many tasks there are."""
        return len(self._reports)

    def draw(self, rng: np.random.Generator, k: int) -> NDArray[np.int64]:
        """int64 `[k]`: distinct tasks, by `probabilities`.

        Raises:
            ValueError: more tasks than there are, or fewer than none.
        """
        if not 0 <= k <= self.n_tasks:
            raise ValueError(f"k: expected 0 to {self.n_tasks} tasks, got {k}")
        # the k largest of log p + Gumbel noise are draws without replacement, and p may be 0
        with np.errstate(divide="ignore"):
            keys = np.log(self.probabilities()) + rng.gumbel(size=self.n_tasks)
        return np.argsort(-keys, kind="stable")[:k].astype(np.int64)

    def report(self, index: int, score: float) -> None:
        """A task was played and this is how well it went; any scale, the same for all tasks.

        Raises:
            ValueError: no such task, or a score that isn't a number.
        """
        if not 0 <= index < self.n_tasks:
            raise ValueError(f"index: expected a task from 0 to {self.n_tasks - 1}, got {index}")
        if not math.isfinite(score):
            raise ValueError(f"score: expected a finite number, got {score}")
        if self._reports[index] == 0:
            self._fast[index] = self._slow[index] = score
        self._fast[index] += self.config.fast * (score - self._fast[index])
        self._slow[index] += self.config.slow * (score - self._slow[index])
        self._reports[index] += 1

    def progress(self) -> NDArray[np.float64]:
        """float64 `[n_tasks]`: how fast each score is changing, either way."""
        progress = np.abs(self._fast - self._slow)
        unknown = self._reports < _TO_COMPARE
        if unknown.any():
            progress[unknown] = progress.max() or 1.0
        return progress

    def probabilities(self) -> NDArray[np.float64]:
        """float64 `[n_tasks]`, sums to one: each task's chance to come first, at least `floor / n_tasks`."""
        progress = self.progress() + self.config.noise
        total = progress.sum()
        by_progress = progress / total if total > 0 else np.full(self.n_tasks, 1 / self.n_tasks)
        return self.config.floor / self.n_tasks + (1 - self.config.floor) * by_progress

    def state(self) -> dict[str, Any]:
        """Everything but the configuration, ready for JSON."""
        return {
            "reports": self._reports.tolist(),
            "fast": self._fast.tolist(),
            "slow": self._slow.tolist(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state()` was taken.

        Raises:
            RunError: not a state of a curriculum of as many tasks; one line.
        """
        try:
            known = _State.model_validate(dict(state))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise RunError(f"curriculum: {where}: {first['msg']}, got {first['input']!r}") from None
        lengths = {len(known.reports), len(known.fast), len(known.slow)}
        if lengths != {self.n_tasks}:
            given = " and ".join(map(str, sorted(lengths)))
            raise RunError(f"curriculum: expected the state of {self.n_tasks} tasks, got one of {given}")
        self._reports = np.array(known.reports, np.int64)
        self._fast, self._slow = np.array(known.fast), np.array(known.slow)
