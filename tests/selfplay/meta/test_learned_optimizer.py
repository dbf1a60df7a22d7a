"""The learned optimiser (Andrychowicz et al. 2016): its parts, and the quadratics of section 3.1, small."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from selfplay.meta.algorithms import MetaLearningConfig
from selfplay.meta.algorithms.learned_optimizer import (
    LearnedOptimizer,
    LstmOptimizer,
    lstm_weights,
    preprocess,
)
from selfplay.meta.inner import InnerLoop, Params, Sgd
from selfplay.meta.objective import PlainObjective
from selfplay.meta.tasks import TaskBatch

SIZE, STEPS = 6, 10


def quadratic(params: Params, data: tuple[Tensor, Tensor]) -> Tensor:
    """|W theta - y|^2; the data's first axis is the rows of W."""
    return (data[0] @ params["theta"] - data[1]).square().sum()


def quadratics(number: int, *, seed: int) -> TaskBatch:
    """W and y normal; support and query are the same function."""
    generator = torch.Generator().manual_seed(seed)
    matrices = torch.randn(number, SIZE, SIZE, generator=generator)
    data = (matrices, torch.randn(number, SIZE, generator=generator))
    return TaskBatch(tuple(map(str, range(number))), data, data)


def end(loop: InnerLoop, params: Params, tasks: TaskBatch) -> float:
    """Mean of the function after the inner steps."""

    def of_one(matrix: Tensor, target: Tensor) -> Tensor:
        data = (matrix, target)
        return quadratic(loop.run(quadratic, params, [data] * STEPS).params[-1], data)

    with torch.no_grad():
        return float(torch.func.vmap(of_one)(*tasks.query).mean())


def test_a_learned_optimiser_beats_the_best_sgd_on_quadratics() -> None:
    config = MetaLearningConfig(
        inner_steps=STEPS, inner_rate=0.02, inner_clip=None, outer_rate=0.01, outer_clip=5.0, lstm_hidden=8
    )
    made = LearnedOptimizer({"theta": torch.zeros(SIZE)}, PlainObjective(quadratic), config)
    for step in range(200):
        made.outer_step(quadratics(16, seed=step), progress=step / 200)
    fresh, names = quadratics(100, seed=10**6), frozenset({"theta"})
    learned = end(made.loop(made.outer.averaged), made.params, fresh)
    rates = [0.2 * 0.8**n for n in range(20)]
    ends = [end(InnerLoop(Sgd(rate), names), made.params, fresh) for rate in rates]
    best = min(value for value in ends if math.isfinite(value))
    assert learned < 0.9 * best


def test_an_untrained_one_is_sgd() -> None:
    params = {"a": torch.ones(2, 2), "b": torch.ones(3)}
    gradients = {"a": torch.rand(2, 2), "b": torch.rand(3)}
    optimizer = LstmOptimizer(lstm_weights(4, torch.zeros(1)), 0.1)
    moved, _ = optimizer.update(params, gradients, optimizer.begin(params))
    for name, value in params.items():
        torch.testing.assert_close(moved[name], value - 0.1 * gradients[name])


def test_the_cell_is_torchs() -> None:
    """Two steps of `torch.nn.LSTMCell` with the same weights."""
    torch.manual_seed(3)
    weights = lstm_weights(5, torch.zeros(1)) | {"output": torch.randn(5, 1), "bias": torch.randn(20)}
    cell = torch.nn.LSTMCell(2, 5)
    cell.load_state_dict(
        {
            "weight_ih": weights["input"].T,
            "weight_hh": weights["recurrent"].T,
            "bias_ih": weights["bias"],
            "bias_hh": torch.zeros(20),
        }
    )
    optimizer, value, state = LstmOptimizer(weights, 1.0), torch.zeros(7), None
    memory = optimizer.begin({"a": value})
    for _ in range(2):
        gradient = torch.randn(7)
        moved, memory = optimizer.update({"a": value}, {"a": gradient}, memory)
        state = cell(preprocess(gradient), state)
        expected = value - gradient + (state[0] @ weights["output"]).squeeze(1)
        torch.testing.assert_close(moved["a"], expected.detach())


@pytest.mark.parametrize(
    ("gradient", "expected"),
    [
        (1.0, (0.0, 1.0)),
        (-math.exp(-5), (-0.5, -1.0)),
        (math.exp(-12), (-1.0, math.exp(-2))),
        (0.0, (-1.0, 0.0)),
    ],
)
def test_gradients_are_scaled_as_in_appendix_a(gradient: float, expected: tuple[float, float]) -> None:
    assert preprocess(torch.tensor([gradient]))[0].tolist() == pytest.approx(expected, abs=1e-6)


def test_many_coordinates_share_few_weights() -> None:
    assert (
        sum(value.numel() for value in lstm_weights(8, torch.zeros(1)).values()) == 2 * 32 + 8 * 32 + 32 + 8
    )
