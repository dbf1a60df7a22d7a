"""The interface of a meta-learning algorithm, and what all of them share."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor
from torch.func import vmap

from selfplay.meta.algorithms.config import MetaLearningConfig
from selfplay.meta.inner import Adam, Data, InnerLoop, InnerOptimizer, Params, Sgd, minibatches
from selfplay.meta.objective import Objective
from selfplay.meta.outer import LEARNED, NET, RATE, Outer, part, prefixed
from selfplay.meta.tasks import Task, TaskBatch, stack

EVERYTHING = ""
"""A regular expression that any parameter's name begins with."""

HEADS = r"(policy|value)\."
"""One for the parameters of the policy and value heads."""


class OuterLosses(NamedTuple):
    """Means over an outer step's tasks, in nats.

    support: inner loss of the support before the first inner step
    query: outer loss of the query after the last one
    where there is no inner loop, outer losses of both at the weights as they were
    gradient_norm: of the outer gradient before clipping, or of the way to the adapted weights
    """

    support: float
    query: float
    gradient_norm: float


class State(NamedTuple):
    """What a checkpoint holds: tensors on the CPU, and counters that JSON can hold."""

    tensors: Params
    counters: dict[str, Any]


@dataclass(frozen=True)
class Adaptation:
    """How a long fine-tuning from the initialisation goes.

    trainable: regular expression; parameters move whose name begins with a match
    optimizer: of the fine-tuning
    rate: of the inner loop that the initialisation was trained for
    rates: multipliers of the rate, which broadcast to the parameter; None for uniform
    learned: weights of the learned optimiser
    library: tensors of known variants (see `prototypes.Library`); names: the variants
    """

    trainable: str
    optimizer: Literal["sgd", "adamw", "learned"]
    rate: float
    rates: Params | None = None
    learned: Params = field(default_factory=dict)
    library: Params = field(default_factory=dict)
    names: tuple[str, ...] = ()

    def header(self) -> dict[str, Any]:
        """What JSON can hold."""
        header: dict[str, Any] = {"trainable": self.trainable, "optimizer": self.optimizer}
        return header | {"rate": self.rate, "names": list(self.names)}

    def tensors(self) -> Params:
        """The rest, for a safetensors file."""
        named = prefixed(self.rates or {}, "rates.") | prefixed(self.learned, "learned.")
        return named | prefixed(self.library, "library.")

    @classmethod
    def read(cls, header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Adaptation:
        """Back from `header` and `tensors`; raises KeyError or TypeError for what isn't one."""
        return cls(
            header["trainable"],
            header["optimizer"],
            header["rate"],
            part(tensors, "rates.") or None,
            part(tensors, "learned."),
            part(tensors, "library."),
            tuple(header["names"]),
        )


class MetaAlgorithm(ABC):
    """Learns an initialisation from tasks, and learns a task from the initialisation."""

    trainable: ClassVar[str] = EVERYTHING
    """Regular expression: in the inner loop, parameters move whose name begins with a match."""

    plays_adapted: ClassVar[bool] = True
    """Whether a variant's games are played by weights adapted to it, not by the initialisation."""

    def __init__(
        self, params: Mapping[str, Tensor], objective: Objective, config: MetaLearningConfig
    ) -> None:
        """`params` is where meta-learning starts; it isn't changed."""
        self.objective = objective
        self.config = config
        self.adapts = frozenset(name for name in params if re.match(self.trainable, name))
        self.outer = Outer(prefixed(params, NET) | self.extras(params), config)

    @property
    def params(self) -> Params:
        """The initialisation: averaged weights, to adapt and to ship."""
        return part(self.outer.averaged, NET)

    @property
    def steps(self) -> int:
        """Outer steps so far."""
        return self.outer.steps

    @property
    def adapted_bytes(self) -> int:
        """Size of what adaptation changes, and so of what a variant costs to store."""
        return sum(t.numel() * t.element_size() for n, t in self.params.items() if n in self.adapts)

    @abstractmethod
    def outer_step(self, tasks: TaskBatch | Sequence[Task], *, progress: float = 0.0) -> OuterLosses:
        """One meta-update from K tasks; `progress` in [0, 1] is how much of the meta-training is over."""

    def adapt(self, params: Params, support: Data, steps: int | None = None) -> Params:
        """`params` after some steps (default: as many as in training) on a new task's support `[N, …]`."""
        support = self.objective.shown(support)
        batches = minibatches(support, self.inner_steps(steps), self.config.inner_batch)
        with torch.no_grad():
            loop, loss = self.loop(self.outer.averaged), self.objective.inner(support)
            return loop.run(loss, params, batches).params[-1] if batches else dict(params)

    def adaptation(self) -> Adaptation:
        """How to fine-tune for longer than an inner loop."""
        adam = isinstance(self.optimizer(self.outer.averaged), Adam)
        return Adaptation(self.trainable, "adamw" if adam else "sgd", self.rate)

    def adopt(self, adaptation: Adaptation) -> None:
        """Adapt from now on as a trained algorithm of this kind did: by its rates, or its optimiser."""
        for name, multiplier in (adaptation.rates or {}).items():
            self.outer.averaged[RATE + name] = (multiplier * adaptation.rate).log()
        for name, tensor in adaptation.learned.items():
            self.outer.averaged[LEARNED + name] = tensor

    def state(self) -> State:
        """Everything that training goes on from."""
        return State(self.outer.state(), {"steps": self.outer.steps, "skipped": self.outer.skipped})

    def restore(self, state: State) -> None:
        """Go back to a saved `state`; the next step is the same to the byte."""
        self.outer.restore(state.tensors, steps=state.counters["steps"], skipped=state.counters["skipped"])

    # --- what algorithms differ in ---

    def extras(self, params: Mapping[str, Tensor]) -> Params:  # noqa: ARG002 (those that have extras look)
        """Tensors besides the network's that are meta-learned, with prefixed names."""
        return {}

    def optimizer(self, tensors: Params) -> InnerOptimizer:  # noqa: ARG002
        """The inner optimiser, made from the outer `tensors`."""
        return Adam(self.rate) if self.config.inner_optimizer == "adam" else Sgd(self.rate)

    @property
    def rate(self) -> float:
        """The inner rate."""
        return self.config.rate(self.config.inner_optimizer)

    @property
    def second_order(self) -> bool:
        """Whether inner gradients are differentiated."""
        return False

    # --- shared machinery ---

    def loop(self, tensors: Params) -> InnerLoop:
        """The inner loop, made from the outer `tensors`."""
        return InnerLoop(self.optimizer(tensors), self.adapts, self.config.inner_clip, self.second_order)

    def inner_steps(self, steps: int | None = None) -> int:
        """As many as asked for, or as in training."""
        return self.config.inner_steps if steps is None else steps

    def seen(self, tasks: TaskBatch | Sequence[Task]) -> TaskBatch:
        """Tasks as one batch, as the learner sees them in the step at hand."""
        batch = tasks if isinstance(tasks, TaskBatch) else stack(tasks)
        return self.objective.shown_in_training(batch, self.outer.steps)

    def support_batches(self, tasks: TaskBatch) -> list[Data]:
        """What each inner step sees of the stacked supports."""
        return minibatches(tasks.support, self.config.inner_steps, self.config.inner_batch, axis=1)

    def outer_loss(self, params: Params, data: Data, *, in_dims: int | None = None) -> float:
        """Mean outer loss of tasks' data; in_dims: 0 if parameters begin with `[K]`, each task its own."""
        with torch.no_grad():
            loss = vmap(self.objective.outer(data), in_dims=(in_dims, 0))
            return float(loss(params, data).mean())
