"""MAML (Finn et al. 2017, arXiv:1703.03400): learn the start from which a few gradient steps go far.

With MAML++'s remedies against divergence (Antoniou et al. 2019, arXiv:1810.09502), each by configuration: the
multi-step loss and a learned rate for each tensor; the norm of a task's inner gradient is limited besides.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from selfplay.meta.algorithms.base import Adaptation, MetaAlgorithm, OuterLosses
from selfplay.meta.inner import InnerOptimizer, Params, Sgd, Trial, last_step_weights, multi_step_weights
from selfplay.meta.outer import NET, RATE, part
from selfplay.meta.tasks import Task, TaskBatch


class Maml(MetaAlgorithm):
    """Descends the query loss after the inner loop; what adapts, and how, is for subclasses to say."""

    def outer_step(self, tasks: TaskBatch | Sequence[Task], *, progress: float = 0.0) -> OuterLosses:
        """One step of AdamW down the mean of the tasks' query losses."""
        tasks = self.seen(tasks)
        inner, outer = self.objective.inner(tasks.support), self.objective.outer(tasks.query)
        trained = self.outer.trained
        trial = Trial(self.loop(trained), inner, outer, self.step_weights(progress))
        losses = trial.of_tasks(part(trained, NET), self.support_batches(tasks), tasks.query)
        norm = self.outer.learn(losses.outer.mean(), progress=progress)
        return OuterLosses(float(losses.support.mean()), float(losses.query.mean()), norm)

    def step_weights(self, progress: float) -> tuple[float, ...]:
        """How much the query loss after each inner step counts."""
        steps = self.config.inner_steps
        return multi_step_weights(steps, progress) if self.config.multi_step else last_step_weights(steps)

    def extras(self, params: Mapping[str, Tensor]) -> Params:
        """The logarithms of the inner rates, if they are learned."""
        start = math.log(self.rate)
        return {
            f"{RATE}{name}": torch.full_like(self.rate_shape(value), start)
            for name, value in params.items()
            if name in self.adapts and self.learns_rates
        }

    def rate_shape(self, value: Tensor) -> Tensor:
        """A tensor shaped like a parameter's learned rate: one for all of it."""
        return value.detach().new_zeros(())

    def optimizer(self, tensors: Params) -> InnerOptimizer:
        """Gradient descent."""
        if not self.learns_rates:
            return Sgd(self.rate)
        return Sgd({name: value.exp() for name, value in part(tensors, RATE).items()})

    def adaptation(self) -> Adaptation:
        """Gradient descent with the learned rates, if any."""
        logarithms = part(self.outer.averaged, RATE).items()
        rates = {name: (value - math.log(self.rate)).exp() for name, value in logarithms}
        return Adaptation(self.trainable, "sgd", self.rate, rates or None)

    @property
    def rate(self) -> float:
        """The inner rate, or where learned ones start."""
        return self.config.rate("sgd")

    @property
    def learns_rates(self) -> bool:
        """Whether inner rates are meta-learned."""
        return self.config.learn_rates

    @property
    def second_order(self) -> bool:
        """As configured."""
        return self.config.order == 2
