"""From scratch: fresh weights and no meta-learning, what every other start is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from selfplay.meta.algorithms.base import MetaAlgorithm, OuterLosses
from selfplay.meta.tasks import Task, TaskBatch


class Scratch(MetaAlgorithm):
    """Outer steps measure and change nothing."""

    plays_adapted: ClassVar[bool] = False

    def outer_step(self, tasks: TaskBatch | Sequence[Task], *, progress: float = 0.0) -> OuterLosses:  # noqa: ARG002
        """The losses of fresh weights."""
        tasks = self.seen(tasks)
        self.outer.steps += 1
        support, query = (self.outer_loss(self.params, data) for data in (tasks.support, tasks.query))
        return OuterLosses(support, query, 0.0)
