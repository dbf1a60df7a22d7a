"""Small tasks and networks, and an inner loop written down once more with plain autograd."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.func import functional_call

from models import NetworkConfig, PolicyValueNet
from models.network import WRAP_COLUMNS
from selfplay.learner import losses
from selfplay.meta.algorithms import MetaLearningConfig, algorithm
from selfplay.meta.algorithms.base import MetaAlgorithm
from selfplay.meta.bench import random_samples
from selfplay.meta.inner import Params, of_task
from selfplay.meta.tasks import Samples, TaskBatch
from tests.models.boards import scramble

TINY = NetworkConfig(blocks=2, channels=8, policy_hidden=4, value_hidden=8, rule_hidden=8)

PLAIN = {
    "warmup_steps": 0,
    "inner_clip": None,
    "outer_clip": 1e9,
    "weight_decay": 0.0,
    "ema_decay": 0.0,
    "inner_steps": 2,
}
"""Nothing that bends a gradient."""

SampleLoss = Callable[[Params, Samples], Tensor]


def tiny_net(*, seed: int = 0) -> PolicyValueNet:
    """A float64 network with no zero weights."""
    return scramble(PolicyValueNet(TINY), seed=seed).double()


def tiny_tasks(number: int = 3, positions: int = 6, *, seed: int = 0, double: bool = True) -> TaskBatch:
    """Random positions on 4x4 boards; the first task's board wraps."""

    def samples(seed: int) -> Samples:
        drawn = random_samples(number, positions, 4, seed=seed)
        drawn.rules[0, :, WRAP_COLUMNS] = 1.0
        return Samples(*(t.double() if double and t.dtype == torch.float32 else t for t in drawn))

    return TaskBatch(tuple(f"task-{i}" for i in range(number)), samples(seed), samples(seed + 1000))


def tiny_algorithm(name: str, *, double: bool = True, **changes: object) -> MetaAlgorithm:
    """An algorithm on a tiny network, plain but for `changes`."""
    net = tiny_net() if double else tiny_net().float()
    return algorithm(name, net, MetaLearningConfig.model_validate(PLAIN | changes))


def outer_gradient(made: MetaAlgorithm, tasks: TaskBatch) -> Params:
    """The gradient that one outer step used, by full name."""
    made.outer_step(tasks)
    return {name: value.grad for name, value in made.outer.trained.items() if value.grad is not None}


def game_loss(net: PolicyValueNet) -> SampleLoss:
    """The learner's loss of explicit weights."""

    def loss(params: Params, samples: Samples) -> Tensor:
        logits, wdl_logits = functional_call(net, params, (samples.planes, samples.rules))
        return sum(losses(logits, wdl_logits, samples.legal, samples.policy, samples.wdl), torch.tensor(0.0))

    return loss


def plain_adapted(
    loss: SampleLoss,
    params: Params,
    support: Samples,
    *,
    steps: int,
    rates: Mapping[str, Tensor | float],
    second_order: bool,
    clip: float | None = None,
) -> list[Params]:
    """Parameters after each step of gradient descent on those that have a rate."""
    path, names = [params], list(rates)
    for _ in range(steps):
        now = path[-1]
        gradients = torch.autograd.grad(
            loss(now, support), [now[name] for name in names], create_graph=second_order
        )
        if clip is not None:
            norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
            gradients = tuple(gradient * min(torch.tensor(1.0), clip / norm) for gradient in gradients)
        moved = {n: now[n] - rates[n] * g for n, g in zip(names, gradients, strict=True)}
        path.append(now | moved)
    return path[1:]


def plain_meta_gradient(
    loss: SampleLoss,
    leaves: Sequence[Tensor],
    tasks: TaskBatch,
    adapt: Callable[[Samples], list[Params]],
    weights: Sequence[float],
) -> tuple[Tensor, ...]:
    """Gradient of the tasks' mean query loss, task by task."""
    total = torch.tensor(0.0, dtype=torch.float64)
    for index in range(len(tasks.names)):
        path, query = adapt(of_task(tasks.support, index)), of_task(tasks.query, index)
        total = total + sum(weight * loss(p, query) for weight, p in zip(weights, path, strict=True))
    return torch.autograd.grad(total / len(tasks.names), list(leaves))


def leaf_params(net: PolicyValueNet) -> Params:
    """Copies that gradients are taken of."""
    return {name: value.detach().clone().requires_grad_() for name, value in net.named_parameters()}


def torchs_adam(support: Samples, *, steps: int, names: str = "") -> Params:
    """The tiny network's weights after torch's own Adam on one task; names: pattern of those that move."""
    loss, params = game_loss(tiny_net()), leaf_params(tiny_net())
    optimizer = torch.optim.Adam([value for n, value in params.items() if re.match(names, n)], lr=1e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(params, support).backward()
        optimizer.step()
    return {name: value.detach() for name, value in params.items()}
