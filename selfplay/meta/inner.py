"""The inner loop: a task's gradient steps as a function that can be differentiated, for many tasks at once.

Nothing here knows what is learned: parameters are a dict of tensors, a loss is a function of parameters and
data. `torch.func.vmap` turns the loops of K tasks into one (with convolutions, into grouped ones).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.func import grad_and_value, vmap
from torch.utils import _pytree as pytree

Params = dict[str, Tensor]
Data = Any
"""Any nest of tuples and dicts of tensors; the first axis of each is the sample."""

Loss = Callable[[Params, Data], Tensor]
"""Parameters and data to a scalar."""

ANNEALED_BY = 0.5
"""Share of the meta-training after which the multi-step loss counts the last step nearly alone."""

LEAST_STEP_SHARE = 0.03
"""What an early step's weight falls to, times 1/steps (the MAML++ authors' code)."""


class InnerOptimizer(Protocol):
    """A rule that moves parameters along gradients; its memory is passed in and out."""

    def begin(self, params: Params) -> Any:
        """The memory before the first step."""

    def update(self, params: Params, gradients: Params, memory: Any) -> tuple[Params, Any]:
        """The next parameters and memory."""


@dataclass(frozen=True)
class Sgd:
    """Gradient descent with one rate, or one that is looked up by name and broadcasts to the parameter."""

    rates: float | Mapping[str, Tensor]

    def begin(self, params: Params) -> None:
        """No memory."""

    def update(self, params: Params, gradients: Params, memory: None) -> tuple[Params, None]:
        """One step downhill."""
        rates = self.rates
        if isinstance(rates, float):
            moved = {name: value - rates * gradients[name] for name, value in params.items()}
        else:
            moved = {name: value - rates[name] * gradients[name] for name, value in params.items()}
        return moved, memory


class Moments(NamedTuple):
    """What Adam remembers."""

    steps: int
    first: Params
    second: Params


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba, arXiv:1412.6980), for loops that aren't differentiated."""

    rate: float
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def begin(self, params: Params) -> Moments:
        """Moments of zero."""
        zeros = {name: torch.zeros_like(value) for name, value in params.items()}
        return Moments(0, zeros, zeros)

    def update(self, params: Params, gradients: Params, memory: Moments) -> tuple[Params, Moments]:
        """One step with moments corrected for their start at zero."""
        steps = memory.steps + 1
        first = {n: self.beta1 * memory.first[n] + (1 - self.beta1) * g for n, g in gradients.items()}
        second = {n: self.beta2 * memory.second[n] + (1 - self.beta2) * g * g for n, g in gradients.items()}
        rate, scale = self.rate / (1 - self.beta1**steps), 1 / (1 - self.beta2**steps)
        moved = {
            name: value - rate * first[name] / ((second[name] * scale).sqrt() + self.epsilon)
            for name, value in params.items()
        }
        return moved, Moments(steps, first, second)


class Adapted(NamedTuple):
    """What the inner loop of a task came to; of K tasks, with a leading `[K]`.

    params: the parameters after each step; losses: of the support before each step
    """

    params: list[Params]
    losses: list[Tensor]


@dataclass(frozen=True)
class InnerLoop:
    """How a task is learned.

    optimizer: the rule of a step
    adapts: names of the parameters that move; the others are used and stay
    clip: largest norm of a task's gradient over all that moves, None for no limit
    second_order: whether the steps' gradients are themselves differentiated
    """

    optimizer: InnerOptimizer
    adapts: frozenset[str]
    clip: float | None = None
    second_order: bool = False

    def run(self, loss: Loss, params: Params, batches: Sequence[Data]) -> Adapted:
        """Take one step for each batch; nothing is written in place."""
        fixed = {name: value for name, value in params.items() if name not in self.adapts}
        moving = {name: value for name, value in params.items() if name in self.adapts}
        memory = self.optimizer.begin(moving)
        adapted = Adapted([], [])
        for batch in batches:
            gradients, value = self._gradient(loss, moving, fixed, batch)
            moving, memory = self.optimizer.update(moving, gradients, memory)
            adapted.params.append(fixed | moving)
            adapted.losses.append(value)
        return adapted

    def _gradient(self, loss: Loss, moving: Params, fixed: Params, batch: Data) -> tuple[Params, Tensor]:
        def loss_of(values: Params) -> Tensor:
            return loss(fixed | values, batch)

        with torch.set_grad_enabled(self.second_order and torch.is_grad_enabled()):
            gradients, value = grad_and_value(loss_of)(moving)
            return (gradients if self.clip is None else clip_norm(gradients, self.clip)), value


class TaskLosses(NamedTuple):
    """Scalars of a task, or `[K]`.

    outer: what the meta-update makes small, the weighted query losses along the inner loop
    query: of the query after the last step; support: of the support before the first one
    """

    outer: Tensor
    query: Tensor
    support: Tensor


@dataclass(frozen=True)
class Trial:
    """An inner loop and how its outcome is judged.

    inner_loss, outer_loss: of the support and of the query
    weights: of the query loss after each step; there are as many steps as weights
    """

    loop: InnerLoop
    inner_loss: Loss
    outer_loss: Loss
    weights: tuple[float, ...]

    def of_task(self, params: Params, batches: Sequence[Data], query: Data) -> TaskLosses:
        """One task's losses, differentiable in `params` and in whatever the inner optimiser is made of."""
        adapted = self.loop.run(self.inner_loss, params, batches)
        counted = [
            (weight, self.outer_loss(after, query))
            for weight, after in zip(self.weights, adapted.params, strict=True)
            if weight > 0
        ]
        outer = torch.stack([weight * loss for weight, loss in counted]).sum()
        return TaskLosses(outer, counted[-1][1].detach(), adapted.losses[0].detach())

    def of_tasks(self, params: Params, batches: Sequence[Data], query: Data) -> TaskLosses:
        """The losses `[K]` of K tasks as one batch; data begin with `[K, N, …]`."""
        losses: TaskLosses = vmap(lambda b, q: self.of_task(params, b, q))(list(batches), query)
        return losses


def run_tasks(loop: InnerLoop, loss: Loss, params: Params, batches: Sequence[Data]) -> tuple[Params, Tensor]:
    """The parameters `[K, …]` that K tasks end with, and their losses `[K]` before the first step.

    Data begin with `[K, N, …]`. Not differentiable.
    """

    def run(task: list[Data]) -> tuple[Params, Tensor]:
        adapted = loop.run(loss, params, task)
        return adapted.params[-1], adapted.losses[0]

    with torch.no_grad():
        ended: tuple[Params, Tensor] = vmap(run)(list(batches))
        return ended


def clip_norm(gradients: Params, largest: float) -> Params:
    """Gradients scaled so that their common norm is at most `largest`; differentiable, also at zero."""
    norm = (torch.stack([(g * g).sum() for g in gradients.values()]).sum() + 1e-12).sqrt()
    scale = (largest / norm).clamp(max=1.0)
    return {name: gradient * scale for name, gradient in gradients.items()}


def minibatches(data: Data, steps: int, size: int = 0, *, axis: int = 0) -> list[Data]:
    """What each step sees: the next `size` samples in turn, begun anew at the end; 0 for all of them.

    axis: of the samples, 0 for one task and 1 for stacked tasks
    """
    if size in (0, samples := size_of(data, axis=axis)):
        return [data] * steps
    rows = torch.arange(steps * size).remainder(samples).view(steps, size)
    return [pytree.tree_map(lambda t, at=at: t.index_select(axis, at.to(t.device)), data) for at in rows]


def size_of(data: Data, *, axis: int = 0) -> int:
    """How many samples, or tasks, there are along an axis."""
    samples: int = pytree.tree_leaves(data)[0].shape[axis]
    return samples


def of_task(data: Data, index: int) -> Data:
    """One task's data out of data that begin with `[K, …]`."""
    return pytree.tree_map(lambda tensor: tensor[index], data)


def multi_step_weights(steps: int, progress: float) -> tuple[float, ...]:
    """Weights of the query loss after each step, summing to one (MAML++, arXiv:1810.09502, section 4).

    At first equal; then the last step's grows to nearly one. progress: share of the meta-training, 0 to 1
    """
    annealed = min(1.0, progress / ANNEALED_BY)
    early = max((1 - annealed) / steps, LEAST_STEP_SHARE / steps)
    return (early,) * (steps - 1) + (1 - early * (steps - 1),)


def last_step_weights(steps: int) -> tuple[float, ...]:
    """Only the query loss after the last step counts."""
    return (0.0,) * (steps - 1) + (1.0,)
