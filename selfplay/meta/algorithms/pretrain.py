"""Plain multi-task pre-training, then fine-tuning of everything: the control that the others have to beat."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from selfplay.meta.algorithms.base import MetaAlgorithm, OuterLosses
from selfplay.meta.inner import Data, size_of
from selfplay.meta.outer import NET, part
from selfplay.meta.tasks import Task, TaskBatch, pooled


class Pretrain(MetaAlgorithm):
    """Every position of every task's support and query counts alike; there is no inner loop."""

    plays_adapted: ClassVar[bool] = False

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        """A core for the support and one for the query, where there are as many."""
        return ThreadPoolExecutor(2, initializer=torch.set_num_threads, initargs=(1,))

    def outer_step(self, tasks: TaskBatch | Sequence[Task], *, progress: float = 0.0) -> OuterLosses:
        """One step of AdamW on all positions at hand."""
        tasks = self.seen(tasks)
        parts = pooled(tasks.support), pooled(tasks.query)
        share = size_of(parts[0]) / (size_of(parts[0]) + size_of(parts[1]))
        (support, of_support), (query, of_query) = self._threads.map(self._gradients, parts)
        gradients = [share * s + (1 - share) * q for s, q in zip(of_support, of_query, strict=True)]
        return OuterLosses(support, query, self.outer.descend(gradients, progress=progress))

    def _gradients(self, data: Data) -> tuple[float, tuple[Tensor, ...]]:
        """The loss of one part, and its gradient for everything that is trained."""
        trained = {name: _channels_last(value) for name, value in part(self.outer.trained, NET).items()}
        loss = self.objective.outer(data)(trained, data)
        values = list(self.outer.trained.values())
        gradients = torch.autograd.grad(loss, values, allow_unused=True, materialize_grads=True)
        return float(loss.detach()), gradients


def _channels_last(value: Tensor) -> Tensor:
    """Kernels in the layout that convolutions are fastest in."""
    return value.contiguous(memory_format=torch.channels_last) if value.ndim == 4 else value
