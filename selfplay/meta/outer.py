"""The outer optimiser: AdamW on whatever an algorithm learns, clipped, scheduled and averaged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from selfplay.meta.algorithms.config import MetaLearningConfig
from selfplay.meta.inner import Params
from selfplay.optimizers import Descent

NET, RATE, LEARNED = "net.", "rate.", "learned."
"""First parts of names: the network's parameters, logarithms of inner rates, weights of an optimiser."""


class Outer:
    """Holds the tensors that meta-learning trains, and moves them.

    Attributes:
        trained: the tensors as the gradient moves them, by name.
        averaged: their exponential moving average, which adaptation starts from.
        steps: outer steps so far; skipped: how many of them did nothing, for want of a finite gradient.
    """

    def __init__(self, tensors: Mapping[str, Tensor], config: MetaLearningConfig) -> None:
        self.trained: Params = {n: t.detach().clone().requires_grad_() for n, t in tensors.items()}
        self.averaged: Params = {n: t.detach().clone() for n, t in tensors.items()}
        self.steps = self.skipped = 0
        self._config = config
        self._descent = Descent(self._groups())

    def learn(self, loss: Tensor, *, progress: float) -> float:
        """One step of AdamW down the gradient of `loss`; returns the gradient's norm before clipping."""
        values = list(self.trained.values())
        return self.descend(
            torch.autograd.grad(loss, values, allow_unused=True, materialize_grads=True), progress=progress
        )

    def descend(self, gradients: Sequence[Tensor], *, progress: float) -> float:
        """One step of AdamW down gradients, in the order of `trained`; returns their norm before clipping."""
        values = list(self.trained.values())
        for value, gradient in zip(values, gradients, strict=True):
            value.grad = gradient.contiguous()
        norm = float(torch.nn.utils.clip_grad_norm_(values, self._config.outer_clip))
        if math.isfinite(norm):
            for group in self._descent.groups:
                group["lr"] = group["peak"] * self.schedule(progress) * self._warmth()
            self._descent.step()
        self._finish(moved=math.isfinite(norm))
        return norm

    def move(self, direction: Params, *, rate: float) -> float:
        """Go a share of the way along `direction`, which may hold fewer names; returns its norm."""
        norm = float(torch.stack([d.square().sum() for d in direction.values()]).sum().sqrt())
        if math.isfinite(norm):
            with torch.no_grad():
                for name, way in direction.items():
                    self.trained[name].add_(way, alpha=rate)
        self._finish(moved=math.isfinite(norm))
        return norm

    def _warmth(self) -> float:
        """How much of the peak AdamW's first steps take: its moments have to settle."""
        return min(1.0, (self.steps + 1) / max(1, self._config.warmup_steps))

    def schedule(self, progress: float) -> float:
        """What the outer rates are multiplied with: a cosine from 1 to `final_rate`."""
        cosine = 0.5 * (1.0 + math.cos(math.pi * min(1.0, max(0.0, progress))))
        return self._config.final_rate + (1.0 - self._config.final_rate) * cosine

    def state(self) -> Params:
        """Everything but the counters, as tensors on the CPU."""
        tensors = {f"trained.{name}": value for name, value in self.trained.items()}
        tensors |= {f"averaged.{name}": value for name, value in self.averaged.items()}
        tensors |= self._descent.tensors()
        return {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}

    def restore(self, tensors: Mapping[str, Tensor], *, steps: int, skipped: int) -> None:
        """Go back to a saved `state`; raises KeyError where a tensor is missing."""
        with torch.no_grad():
            for name, value in self.trained.items():
                value.copy_(tensors[f"trained.{name}"])
                self.averaged[name].copy_(tensors[f"averaged.{name}"])
        self._descent.restore(tensors)
        self.steps, self.skipped = steps, skipped

    def _finish(self, *, moved: bool) -> None:
        """Count the step and average; early on over fewer steps, so that the average isn't stuck."""
        self.skipped += not moved
        decay = min(self._config.ema_decay, self.steps / (self.steps + 10.0))
        self.steps += 1
        with torch.no_grad():
            for name, value in self.trained.items():
                self.averaged[name].lerp_(value, 1.0 - decay)

    def _groups(self) -> list[dict[str, object]]:
        """The network's matrices and kernels decay, nothing else; inner rates have their own outer rate."""
        groups: dict[tuple[bool, bool], list[Tensor]] = {}
        for name, value in self.trained.items():
            decays = name.startswith(NET) and value.ndim > 1
            groups.setdefault((decays, name.startswith(RATE)), []).append(value)
        config = self._config
        return [
            {
                "params": values,
                "weight_decay": config.weight_decay if decays else 0.0,
                "peak": config.rates_rate if is_rate else config.outer_rate,
            }
            for (decays, is_rate), values in groups.items()
        ]


def part(tensors: Mapping[str, Tensor], prefix: str) -> Params:
    """The tensors whose names begin with `prefix`, without it."""
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def prefixed(tensors: Mapping[str, Tensor], prefix: str) -> Params:
    """The same tensors under longer names."""
    return {prefix + name: tensor for name, tensor in tensors.items()}
