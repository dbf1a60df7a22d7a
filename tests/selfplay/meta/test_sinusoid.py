"""Regression of sinusoids (Finn et al. 2017, section 5.1): amplitude 0.1 to 5, phase 0 to pi, ten points."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from selfplay.meta.algorithms import MetaLearningConfig, algorithm_class
from selfplay.meta.algorithms.base import MetaAlgorithm
from selfplay.meta.inner import InnerLoop, Params, Sgd, run_tasks
from selfplay.meta.objective import PlainObjective
from selfplay.meta.tasks import TaskBatch

POINTS, TASKS, STEPS, HIDDEN = 10, 25, 1500, 40
RATES = (0.001, 0.003, 0.01, 0.03)
"""Pre-training is given the best of these, as in the paper."""


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(1, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1)
    )


def waves(number: int, points: int, generator: torch.Generator) -> TaskBatch:
    """Sinusoids with other points to learn from and to be judged by."""
    amplitude = 0.1 + 4.9 * torch.rand(number, 1, 1, generator=generator)
    phase = math.pi * torch.rand(number, 1, 1, generator=generator)

    def draw() -> tuple[Tensor, Tensor]:
        x = 10 * torch.rand(number, points, 1, generator=generator) - 5
        return x, amplitude * (x - phase).sin()

    return TaskBatch(tuple(map(str, range(number))), draw(), draw())


def learned(name: str) -> tuple[Params, PlainObjective]:
    """An initialisation, and the loss it was learned for."""
    net = network()

    def loss(params: Params, data: tuple[Tensor, Tensor]) -> Tensor:
        return (functional_call(net, params, data[0]) - data[1]).square().mean()

    config = MetaLearningConfig(
        inner_steps=1,
        inner_rate=0.01,
        inner_clip=None,
        outer_clip=10.0,
        outer_rate=2e-3,
        weight_decay=0.0,
    )
    objective = PlainObjective(loss)
    made: MetaAlgorithm = algorithm_class(name)(dict(net.named_parameters()), objective, config)
    generator = torch.Generator().manual_seed(1)
    for step in range(STEPS):
        made.outer_step(waves(TASKS, POINTS, generator), progress=step / STEPS)
    return made.params, objective


def error(params: Params, objective: PlainObjective, *, steps: int, rate: float) -> float:
    """Mean squared error on 100 new sinusoids after some steps on ten points of each."""
    tasks = waves(100, POINTS, torch.Generator().manual_seed(2))
    loop = InnerLoop(Sgd(rate), frozenset(params))
    adapted, _ = run_tasks(loop, objective.loss, params, [tasks.support] * steps)
    with torch.no_grad():
        return float(vmap(objective.loss)(adapted, tasks.query).mean())


@pytest.fixture(scope="module")
def errors() -> dict[tuple[str, int], float]:
    """Errors after one and ten steps."""
    torch.set_num_threads(1)
    maml, objective = learned("maml")
    plain, _ = learned("pretrain")
    found = {("maml", n): error(maml, objective, steps=n, rate=0.01) for n in (1, 10)}
    return found | {
        ("pretrain", n): min(error(plain, objective, steps=n, rate=rate) for rate in RATES) for n in (1, 10)
    }


def test_one_step_from_maml_goes_far(errors: dict[tuple[str, int], float]) -> None:
    assert errors["maml", 1] < errors["pretrain", 1] / 2


def test_ten_steps_from_maml_go_further(errors: dict[tuple[str, int], float]) -> None:
    assert errors["maml", 10] < 0.75 * errors["maml", 1]


def test_ten_steps_from_pretraining_stay_behind_one_from_maml(errors: dict[tuple[str, int], float]) -> None:
    assert errors["pretrain", 10] > errors["maml", 1]


def test_ten_steps_from_maml_leave_pretraining_far_behind(errors: dict[tuple[str, int], float]) -> None:
    assert errors["maml", 10] < errors["pretrain", 10] / 3
