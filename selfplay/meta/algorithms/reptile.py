"""Reptile (Nichol et al. 2018, arXiv:1803.02999): move the start towards where the tasks' learning ends."""

from __future__ import annotations

from collections.abc import Sequence

from selfplay.meta.algorithms.base import MetaAlgorithm, OuterLosses
from selfplay.meta.inner import run_tasks
from selfplay.meta.outer import NET, part, prefixed
from selfplay.meta.tasks import Task, TaskBatch


class Reptile(MetaAlgorithm):
    """Learns each task by its support, with Adam or SGD; the query only measures.

    The share of the way that is gone falls from `reptile_rate` as the outer schedule does. Outer weight decay
    and clipping play no part.
    """

    def outer_step(self, tasks: TaskBatch | Sequence[Task], *, progress: float = 0.0) -> OuterLosses:
        """Go a share of the way to the mean of the tasks' adapted weights."""
        tasks = self.seen(tasks)
        trained = part(self.outer.trained, NET)
        loss, batches = self.objective.inner(tasks.support), self.support_batches(tasks)
        adapted, support = run_tasks(self.loop(self.outer.trained), loss, trained, batches)
        query = self.outer_loss(adapted, tasks.query, in_dims=0)
        way = {name: (value.mean(0) - trained[name]).detach() for name, value in adapted.items()}
        rate = self.config.reptile_rate * self.outer.schedule(progress)
        return OuterLosses(float(support.mean()), query, self.outer.move(prefixed(way, NET), rate=rate))
