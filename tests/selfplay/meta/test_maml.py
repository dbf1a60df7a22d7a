"""Meta-gradients against finite differences and against plain autograd, task by task."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Tensor

from selfplay.meta.inner import Params
from selfplay.meta.outer import NET, RATE
from selfplay.meta.tasks import Samples
from tests.selfplay.meta.examples import (
    game_loss,
    leaf_params,
    outer_gradient,
    plain_adapted,
    plain_meta_gradient,
    tiny_algorithm,
    tiny_net,
    tiny_tasks,
)

RATE_SET = 0.1
LAST = (0.0, 1.0)


def plain_gradient(
    pattern: str, *, second_order: bool, weights: tuple[float, ...] = LAST, clip: float | None = None
) -> Params:
    """What an algorithm's gradient should be whose inner loop moves what `pattern` names."""
    net = tiny_net()
    params, loss = leaf_params(net), game_loss(net)
    rates = {name: RATE_SET for name in params if re.match(pattern, name)}

    def adapt(support: Samples) -> list[Params]:
        return plain_adapted(
            loss, params, support, steps=2, rates=rates, second_order=second_order, clip=clip
        )

    gradients = plain_meta_gradient(loss, list(params.values()), tiny_tasks(), adapt, weights)
    return dict(zip(params, gradients, strict=True))


def assert_equal(seen: Params, expected: Params) -> None:
    assert {NET + name for name in expected} == set(seen)
    for name, gradient in expected.items():
        torch.testing.assert_close(seen[NET + name], gradient, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    ("name", "pattern", "second_order"),
    [
        ("maml", "", True),
        ("fomaml", "", False),
        ("anil", r"policy\.|value\.", True),
        ("cavia", r"film\.hidden\.bias|film\.output\.bias", True),
    ],
)
def test_meta_gradient_is_that_of_plain_autograd(name: str, pattern: str, second_order: bool) -> None:
    made = tiny_algorithm(name, inner_rate=RATE_SET)
    assert_equal(outer_gradient(made, tiny_tasks()), plain_gradient(pattern, second_order=second_order))


def test_order_one_makes_maml_first_order() -> None:
    made = tiny_algorithm("maml", inner_rate=RATE_SET, order=1)
    assert_equal(outer_gradient(made, tiny_tasks()), plain_gradient("", second_order=False))


def test_second_order_differs_from_first() -> None:
    first, second = plain_gradient("", second_order=False), plain_gradient("", second_order=True)
    difference = sum(float((first[name] - second[name]).square().sum()) for name in first) ** 0.5
    assert difference > 0.05 * sum(float(g.square().sum()) for g in second.values()) ** 0.5


def test_clipping_is_differentiated() -> None:
    made = tiny_algorithm("maml", inner_rate=RATE_SET, inner_clip=0.5)
    assert_equal(outer_gradient(made, tiny_tasks()), plain_gradient("", second_order=True, clip=0.5))


def test_the_multi_step_loss_counts_every_step() -> None:
    made = tiny_algorithm("maml", inner_rate=RATE_SET, multi_step=True)
    expected = plain_gradient("", second_order=True, weights=(0.5, 0.5))
    assert_equal(outer_gradient(made, tiny_tasks()), expected)


def test_maml_gradient_is_that_of_finite_differences() -> None:
    """Central differences of the adapted loss along random directions; only ever evaluated, never derived."""
    tasks, gradient = tiny_tasks(), outer_gradient(tiny_algorithm("maml", inner_rate=RATE_SET), tiny_tasks())
    net = tiny_net()
    start, loss = leaf_params(net), game_loss(net)
    rates = dict.fromkeys(start, RATE_SET)

    def adapted_loss(shift: Params, size: float) -> float:
        params = {n: (v.detach() + size * shift[n]).requires_grad_() for n, v in start.items()}
        total = 0.0
        for index in range(len(tasks.names)):
            support, query = (Samples(*(t[index] for t in part)) for part in (tasks.support, tasks.query))
            path = plain_adapted(loss, params, support, steps=2, rates=rates, second_order=False)
            total += float(loss(path[-1], query).detach())
        return total / len(tasks.names)

    generator = torch.Generator().manual_seed(5)
    for _ in range(4):
        shift = {n: torch.randn(v.shape, generator=generator, dtype=v.dtype) for n, v in start.items()}
        slope = (adapted_loss(shift, 1e-6) - adapted_loss(shift, -1e-6)) / 2e-6
        expected = sum(float((gradient[NET + name] * way).sum()) for name, way in shift.items())
        assert slope == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(("name", "each"), [("meta-sgd", True), ("maml", False)])
def test_learned_rates_get_their_gradient(name: str, each: bool) -> None:
    """Rates are exp(log rate): one for each parameter (Meta-SGD), or one for each tensor."""
    net, tasks = tiny_net(), tiny_tasks()
    params, loss = leaf_params(net), game_loss(net)
    shapes = {n: v.shape if each else () for n, v in params.items()}
    logs: dict[str, Tensor] = {
        n: torch.full(shape, RATE_SET, dtype=torch.float64).log().requires_grad_()
        for n, shape in shapes.items()
    }

    def adapt(support: Samples) -> list[Params]:
        rates = {n: value.exp() for n, value in logs.items()}
        return plain_adapted(loss, params, support, steps=2, rates=rates, second_order=True)

    leaves = [*params.values(), *logs.values()]
    expected = plain_meta_gradient(loss, leaves, tasks, adapt, LAST)
    seen = outer_gradient(tiny_algorithm(name, inner_rate=RATE_SET, learn_rates=True), tasks)
    names = [*(NET + n for n in params), *(RATE + n for n in logs)]
    assert sorted(seen) == sorted(names)
    for full_name, gradient in zip(names, expected, strict=True):
        torch.testing.assert_close(seen[full_name], gradient, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    ("name", "moves"),
    [
        ("anil", {"policy", "value"}),
        ("cavia", {"film"}),
        ("maml", {"film", "stem", "blocks", "policy", "value"}),
    ],
)
def test_only_what_adapts_moves(name: str, moves: set[str]) -> None:
    made = tiny_algorithm(name)
    support = Samples(*(tensor[1] for tensor in tiny_tasks().support))
    adapted = made.adapt(made.params, support, steps=3)
    moved = {n for n, value in adapted.items() if not torch.equal(value, made.params[n])}
    assert {n.partition(".")[0] for n in moved} == moves
    assert moved <= made.adapts


def test_a_context_is_two_biases() -> None:
    """Of 8 hidden units, and of a scale and a shift for 8 channels of 2 blocks; float64 has 8 bytes."""
    assert tiny_algorithm("cavia").adapted_bytes == 8 * (8 + 2 * 8 * 2)


def test_adaptation_tells_learned_rates_as_multiples() -> None:
    made = tiny_algorithm("meta-sgd", inner_rate=RATE_SET)
    with torch.no_grad():
        made.outer.averaged[RATE + "stem.bias"] += torch.tensor(3.0).log()
    rates = made.adaptation().rates
    assert rates is not None
    torch.testing.assert_close(rates["stem.bias"], torch.full((8,), 3.0, dtype=torch.float64))
    torch.testing.assert_close(rates["value.output.bias"], torch.ones(3, dtype=torch.float64))
