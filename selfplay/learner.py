"""The learner: gradient steps on policy and win/draw/loss.

With a schedule, gradient clipping, and averaged weights for play.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from models import PolicyValueNet
from models.auxiliary import AuxiliaryHeads, foresight_losses
from models.evaluator import choose_dtype
from models.network import all_fill, any_wraps, lay_out
from selfplay.config import LearnerConfig
from selfplay.optimizers import Descent, is_hidden_matrix, laid_out_like
from selfplay.replay import Batch


class Losses(NamedTuple):
    """Means over a batch, in nats, as in `losses`, and the norm of the gradient before clipping.

    auxiliary_loss: the weighted sum of what `models.auxiliary` adds
    """

    policy_loss: float
    value_loss: float
    auxiliary_loss: float
    gradient_norm: float


class _Part(NamedTuple):
    """What one thread makes of its share of a batch."""

    gradients: tuple[Tensor, ...]
    policy_loss: float
    value_loss: float
    auxiliary_loss: float


class Learner:
    """Trains a network in place; `ema` holds the averaged weights that self-play and export use."""

    def __init__(
        self, net: PolicyValueNet, config: LearnerConfig, *, device: torch.device, threads: int = 1
    ) -> None:
        """`threads`: on a CPU, threads that each take a share of every batch."""
        untyped: Any = net  # torch's annotations lack this overload
        self.net: PolicyValueNet = untyped.to(device, memory_format=torch.channels_last)
        self.config = config
        self.device = device
        self.steps = 0
        self.ema = {name: value.detach().clone() for name, value in net.state_dict().items()}
        learning: dict[str, Tensor] = {
            n: p for n, p in net.named_parameters() if re.match(config.trainable, n)
        }
        self.auxiliary = _auxiliary_heads(net, config, device)
        learning |= {f"auxiliary.{name}": p for name, p in _parameters_of(self.auxiliary)}
        self._parameters = list(learning.values())
        self._descent = Descent(_parameter_groups(learning, config))
        self._dtype = choose_dtype(config.precision, device)
        self._shards = threads if device.type == "cpu" else 1
        self._pool = ThreadPoolExecutor(self._shards) if self._shards > 1 else None

    def step(self, batch: Batch, *, progress: float) -> Losses:
        """One gradient step; `progress` in [0, 1] is how much of the run is over, for the schedule."""
        for group in self._descent.groups:
            group["lr"] = self.learning_rate(progress)
        found = self.gradients(batch)
        norm = torch.nn.utils.clip_grad_norm_(self._parameters, self.config.clip_norm)
        self._descent.step()
        self.steps += 1
        self._average()
        return Losses(*found, float(norm))

    def gradients(self, batch: Batch) -> tuple[float, float, float]:
        """Fill in every parameter's gradient; returns the losses.

        On a CPU each thread takes a share of the batch through the whole network. That has one meeting point
        a step instead of one an operation, so it is faster than sharing each operation, and bears a busy
        machine.
        """
        tensors = self._to_device(batch)
        rows = len(tensors[0])
        shards = [tuple(t[i :: self._shards] for t in tensors) for i in range(min(self._shards, rows))]
        parts = list(map(self._shard, shards) if self._pool is None else self._pool.map(self._shard, shards))
        weights = [len(shard[0]) / rows for shard in shards]
        for index, parameter in enumerate(self._parameters):
            gradient = parts[0].gradients[index] * weights[0]
            for part, weight in zip(parts[1:], weights[1:], strict=True):
                gradient += part.gradients[index] * weight
            parameter.grad = laid_out_like(parameter, gradient)
        policy_loss, value_loss, auxiliary_loss = (
            sum(loss * weight for loss, weight in zip(column, weights, strict=True))
            for column in zip(*(part[1:] for part in parts), strict=True)
        )
        return policy_loss, value_loss, auxiliary_loss

    def _shard(self, tensors: tuple[Tensor, ...]) -> _Part:
        """Gradients and losses of some of a batch's rows."""
        if self._pool is not None:
            torch.set_num_threads(1)
        planes, rules, legal, policy, wdl, *sequel = tensors
        planes = planes.to(self._dtype, memory_format=torch.channels_last)  # else its mask makes all float32
        canvas = lay_out(planes, rules, wraps=bool(any_wraps(rules)), is_full=bool(all_fill(planes)))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._dtype == torch.bfloat16):
            body = self.net.body(planes, rules, canvas)
            logits, wdl_logits = self.net.policy(body), self.net.value(body.pooled)
            foresight = None if self.auxiliary is None else self.auxiliary(body)
        policy_loss, value_loss = losses(logits.float(), wdl_logits.float(), legal, policy, wdl)
        auxiliary_loss = policy_loss.new_zeros(())
        if foresight is not None:
            reply, owners, plies = sequel
            board = canvas.mask.float()
            parts = foresight_losses(foresight, reply, owners.view_as(board[:, 0]), plies, board)
            for weight, part in zip(self.config.auxiliary_weights, parts, strict=True):
                auxiliary_loss = auxiliary_loss + weight * part
        loss = policy_loss + self.config.value_weight * value_loss + auxiliary_loss
        gradients = torch.autograd.grad(loss, self._parameters)
        return _Part(
            gradients, float(policy_loss.detach()), float(value_loss.detach()), float(auxiliary_loss.detach())
        )

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Go on from other weights, the averaged ones included."""
        self.net.load_state_dict(weights)
        self.ema = {name: value.detach().clone() for name, value in self.net.state_dict().items()}

    def learning_rate(self, progress: float) -> float:
        """Linear warm-up, then a cosine down to `final_rate` of the peak."""
        config = self.config
        warm = min(1.0, (self.steps + 1) / max(1, config.warmup_steps))
        cosine = 0.5 * (1.0 + math.cos(math.pi * min(1.0, max(0.0, progress))))
        return config.learning_rate * warm * (config.final_rate + (1.0 - config.final_rate) * cosine)

    def state(self) -> dict[str, Tensor]:
        """Weights, averaged weights and the optimiser's moments as tensors on the CPU, for a checkpoint."""
        tensors = {f"net.{name}": value for name, value in self.net.state_dict().items()}
        tensors |= {f"ema.{name}": value for name, value in self.ema.items()}
        if self.auxiliary is not None:
            tensors |= {f"auxiliary.{name}": value for name, value in self.auxiliary.state_dict().items()}
        tensors |= self._descent.tensors()
        return {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}

    def restore(self, tensors: Mapping[str, Tensor], *, steps: int) -> None:
        """Go back to a saved `state`."""
        parts = _grouped(tensors)
        self.net.load_state_dict(parts["net"])
        if self.auxiliary is not None:
            self.auxiliary.load_state_dict(parts["auxiliary"])
        self.ema = {name: value.to(self.device) for name, value in parts["ema"].items()}
        self._descent.restore(tensors)
        self.steps = steps

    def _average(self) -> None:
        """Move the averaged weights; early on over fewer steps, so that they aren't stuck at the start."""
        decay = min(self.config.ema_decay, self.steps / (self.steps + 10.0))
        with torch.no_grad():
            for name, value in self.net.state_dict().items():
                self.ema[name].lerp_(value, 1.0 - decay)

    def _to_device(self, batch: Batch) -> tuple[Tensor, ...]:
        observation = batch.observation
        arrays: tuple[NDArray[Any], ...]
        arrays = (observation.planes, observation.rules, observation.legal, batch.policy, batch.wdl)
        if self.auxiliary is not None and batch.sequel is not None:
            arrays += batch.sequel
        return tuple(torch.from_numpy(array).to(self.device, non_blocking=True) for array in arrays)


def losses(
    logits: Tensor, wdl_logits: Tensor, legal: Tensor, policy: Tensor, wdl: Tensor
) -> tuple[Tensor, Tensor]:
    """Policy loss (Kullback-Leibler divergence from the target, legal actions only), value cross-entropy.

    logits `[B, A]`, wdl_logits `[B, 3]`, legal bool `[B, A]`, policy `[B, A]`, wdl `[B, 3]`.
    """
    log_policy = F.log_softmax(logits.masked_fill(legal.logical_not(), -1e9), dim=1)
    policy_loss = F.kl_div(log_policy, policy, reduction="batchmean")
    value_loss = -(wdl * F.log_softmax(wdl_logits, dim=1)).sum(1).mean()
    return policy_loss, value_loss


def _auxiliary_heads(
    net: PolicyValueNet, config: LearnerConfig, device: torch.device
) -> AuxiliaryHeads | None:
    """Heads that are only learned with, if any of them counts."""
    if not any(config.auxiliary_weights):
        return None
    heads: AuxiliaryHeads = AuxiliaryHeads(net.config).to(device)
    return heads


def _parameters_of(module: AuxiliaryHeads | None) -> Iterable[tuple[str, Tensor]]:
    return [] if module is None else module.named_parameters()


def _parameter_groups(parameters: Mapping[str, Tensor], config: LearnerConfig) -> list[dict[str, Any]]:
    """Matrices and kernels decay, biases and scales don't; those of the tower may be Muon's."""
    groups: dict[tuple[bool, bool], list[Tensor]] = {(True, False): [], (False, False): []}
    for name, parameter in parameters.items():
        orthogonal = config.optimizer == "muon" and is_hidden_matrix(name, parameter)
        groups.setdefault((parameter.ndim > 1, orthogonal), []).append(parameter)
    return [
        {"params": values, "weight_decay": config.weight_decay if decays else 0.0, "orthogonal": orthogonal}
        for (decays, orthogonal), values in groups.items()
    ]


def _grouped(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Tensors by the first part of their dotted names."""
    groups: dict[str, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        group, rest = name.split(".", 1)
        groups.setdefault(group, {})[rest] = value
    return groups
