"""Learning to learn by gradient descent (Andrychowicz et al. 2016, arXiv:1606.04474).

A small LSTM, the same for every coordinate but with a memory for each, turns gradients into steps. It is
trained through the unrolled inner loop, on the query loss after every step; gradients count as constants, as
in the paper. Its step is added to that of SGD and starts at zero, so an untrained one is SGD.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from selfplay.meta.algorithms.base import Adaptation
from selfplay.meta.algorithms.maml import Maml
from selfplay.meta.inner import InnerOptimizer, Params
from selfplay.meta.outer import LEARNED, part, prefixed

GATES = 4
"""Input, forget, candidate, output."""

INPUTS = 2
"""A gradient's magnitude and sign."""

LOG_RANGE = 10.0
"""p of the paper's appendix A: gradients below e^-p count as small."""


class Memory(NamedTuple):
    """The LSTM's hidden and cell state, each `[coordinates, hidden]`."""

    hidden: Tensor
    cell: Tensor


@dataclass(frozen=True)
class LstmOptimizer:
    """The learned rule; `weights` as `lstm_weights` makes them, `rate` scales its steps and SGD's."""

    weights: Params
    rate: float

    def begin(self, params: Params) -> Memory:
        """An empty memory."""
        coordinates = sum(value.numel() for value in params.values())
        zeros = self.weights["recurrent"].new_zeros(coordinates, self.weights["recurrent"].shape[0])
        return Memory(zeros, zeros)

    def update(self, params: Params, gradients: Params, memory: Memory) -> tuple[Params, Memory]:
        """One step for all coordinates at once."""
        flat = torch.cat([gradients[name].flatten() for name in params])
        memory = self._remember(preprocess(flat), memory)
        step = flat - (memory.hidden @ self.weights["output"]).squeeze(1)
        steps = torch.split(step, [value.numel() for value in params.values()])
        moved = {
            name: value - self.rate * part_of_step.view(value.shape)
            for (name, value), part_of_step in zip(params.items(), steps, strict=True)
        }
        return moved, memory

    def _remember(self, inputs: Tensor, memory: Memory) -> Memory:
        weights = self.weights
        sums = inputs @ weights["input"] + memory.hidden @ weights["recurrent"] + weights["bias"]
        take, keep, candidate, show = sums.chunk(GATES, 1)
        cell = keep.sigmoid() * memory.cell + take.sigmoid() * candidate.tanh()
        return Memory(show.sigmoid() * cell.tanh(), cell)


def preprocess(gradients: Tensor) -> Tensor:
    """`[n]` to `[n, 2]`: logarithm of the magnitude and sign, or a tiny gradient enlarged (appendix A)."""
    size = gradients.abs()
    large = size >= math.exp(-LOG_RANGE)
    magnitude = torch.where(large, size.clamp(min=math.exp(-LOG_RANGE)).log() / LOG_RANGE, -1.0)
    return torch.stack((magnitude, torch.where(large, gradients.sign(), gradients * math.exp(LOG_RANGE))), 1)


def lstm_weights(hidden: int, like: Tensor) -> Params:
    """Fresh weights on `like`'s device and in its dtype, the same every time; the output starts at zero."""
    generator = torch.Generator().manual_seed(hidden)

    def normal(rows: int) -> Tensor:
        return (torch.randn(rows, GATES * hidden, generator=generator) / math.sqrt(rows)).to(like)

    bias = torch.zeros(GATES * hidden).to(like)
    bias[hidden : 2 * hidden] = 1.0  # a memory that is kept at first
    output = torch.zeros(hidden, 1).to(like)
    return {"input": normal(INPUTS), "recurrent": normal(hidden), "bias": bias, "output": output}


class LearnedOptimizer(Maml):
    """Learns the initialisation and the rule that adapts it."""

    def extras(self, params: Mapping[str, Tensor]) -> Params:
        """The LSTM."""
        like = next(iter(params.values())).detach()
        return prefixed(lstm_weights(self.config.lstm_hidden, like), LEARNED)

    def optimizer(self, tensors: Params) -> InnerOptimizer:
        """The LSTM as it is in `tensors`."""
        return LstmOptimizer(part(tensors, LEARNED), self.rate)

    def step_weights(self, progress: float) -> tuple[float, ...]:  # noqa: ARG002 (the paper's w_t = 1)
        """Every step counts alike."""
        return (1 / self.config.inner_steps,) * self.config.inner_steps

    def adaptation(self) -> Adaptation:
        """The LSTM goes on."""
        learned = part(self.outer.averaged, LEARNED)
        return Adaptation(self.trainable, "learned", self.rate, learned=learned)

    @property
    def second_order(self) -> bool:
        """Never."""
        return False
