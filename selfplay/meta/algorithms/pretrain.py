"""Plain multi-task pre-training, then fine-tuning of everything: the control that the others have to beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from selfplay.meta.algorithms.base import MetaAlgorithm, OuterLosses
from selfplay.meta.inner import size_of
from selfplay.meta.outer import NET, part
from selfplay.meta.tasks import Task, TaskBatch, pooled


class Pretrain(MetaAlgorithm):
    """Every position of every task's support and query counts alike; there is no inner loop."""

    plays_adapted: ClassVar[bool] = False

    def outer_step(self, tasks: TaskBatch | Sequence[Task], *, progress: float = 0.0) -> OuterLosses:
        """One step of AdamW on all positions at hand."""
        tasks = self.seen(tasks)
        trained, parts = part(self.outer.trained, NET), (pooled(tasks.support), pooled(tasks.query))
        support, query = (self.objective.outer(data)(trained, data) for data in parts)
        share = size_of(parts[0]) / (size_of(parts[0]) + size_of(parts[1]))
        norm = self.outer.learn(share * support + (1 - share) * query, progress=progress)
        return OuterLosses(float(support.detach()), float(query.detach()), norm)
