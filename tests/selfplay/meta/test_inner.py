"""The inner loop: many tasks as one batch, its optimisers, and what each step sees."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from selfplay.meta.algorithms.maml import Maml
from selfplay.meta.bench import loop_outer_step
from selfplay.meta.inner import (
    Adam,
    InnerLoop,
    Params,
    Sgd,
    clip_norm,
    last_step_weights,
    minibatches,
    multi_step_weights,
    of_task,
    run_tasks,
)
from selfplay.meta.objective import GameObjective
from tests.selfplay.meta.examples import game_loss, tiny_algorithm, tiny_net, tiny_tasks


def bowl(params: Params, data: tuple[Tensor]) -> Tensor:
    """A loss that any parameters have: a stretched square distance to the data's mean."""
    return sum((scale * (p - data[0].mean()) ** 2).sum() for scale, p in enumerate(params.values(), 1))


def some_params() -> Params:
    torch.manual_seed(1)
    return {"a": torch.randn(3, 2), "b": torch.randn(4)}


@pytest.mark.parametrize("name", ["maml", "fomaml", "anil", "meta-sgd", "cavia", "learned-optimizer"])
def test_tasks_as_a_batch_equal_a_loop_over_tasks(name: str) -> None:
    """In float32, as it is trained; the first task's board wraps."""
    tasks = tiny_tasks(5, double=False)
    batched, looped = (tiny_algorithm(name, inner_clip=1.0, double=False) for _ in range(2))
    assert isinstance(looped, Maml)
    batched.outer_step(tasks)
    loop_outer_step(looped, tasks)
    for parameter, value in batched.outer.trained.items():
        torch.testing.assert_close(value.grad, looped.outer.trained[parameter].grad, rtol=1e-4, atol=1e-5)


def test_adapted_weights_of_a_batch_equal_those_of_single_tasks() -> None:
    made, tasks = tiny_algorithm("reptile"), tiny_tasks(4)
    loop, loss = made.loop(made.outer.averaged), made.objective.inner(tasks.support)
    together, losses = run_tasks(loop, loss, made.params, [tasks.support] * 3)
    for index in range(4):
        support = of_task(tasks.support, index)
        alone = made.adapt(made.params, support, steps=3)
        torch.testing.assert_close(losses[index], loss(made.params, support))
        for name, value in alone.items():
            torch.testing.assert_close(together[name][index], value, rtol=1e-9, atol=1e-11)


def test_adam_is_torchs() -> None:
    data = (torch.tensor([0.3, -0.9]),)
    path = InnerLoop(Adam(0.05), frozenset("ab")).run(bowl, some_params(), [data] * 7).params
    params = {name: value.requires_grad_() for name, value in some_params().items()}
    optimizer = torch.optim.Adam(params.values(), lr=0.05)
    for _ in range(7):
        optimizer.zero_grad()
        bowl(params, data).backward()
        optimizer.step()
    for name, value in params.items():
        torch.testing.assert_close(path[-1][name], value.detach())


def test_rates_by_name_multiply_the_gradient() -> None:
    params = some_params()
    rates = {"a": torch.tensor(0.5), "b": torch.tensor([1.0, 0.0, 2.0, 0.1])}
    ones = {name: torch.ones_like(value) for name, value in params.items()}
    moved, _ = Sgd(rates).update(params, ones, None)
    torch.testing.assert_close(moved["a"], params["a"] - 0.5)
    torch.testing.assert_close(moved["b"], params["b"] - rates["b"])


def test_what_does_not_adapt_stays_and_is_used() -> None:
    params, data = some_params(), (torch.zeros(2),)

    def product(p: Params, _: tuple[Tensor]) -> Tensor:
        return p["a"].sum() * p["b"].sum()

    after = InnerLoop(Sgd(1.0), frozenset("b")).run(product, params, [data]).params[0]
    assert after["a"] is params["a"]
    torch.testing.assert_close(after["b"], params["b"] - params["a"].sum())


def test_a_long_gradient_is_shortened_and_a_short_one_kept() -> None:
    gradients = {"a": torch.tensor([3.0]), "b": torch.tensor([[4.0]])}
    assert float(clip_norm(gradients, 1.0)["a"]) == pytest.approx(0.6)
    assert float(clip_norm(gradients, 1.0)["b"]) == pytest.approx(0.8)
    assert clip_norm(gradients, 6.0)["a"].equal(gradients["a"])


def test_clipping_a_zero_gradient_has_a_derivative() -> None:
    zero = torch.zeros(3, requires_grad=True)
    (derivative,) = torch.autograd.grad(clip_norm({"a": zero}, 1.0)["a"].sum(), zero)
    assert derivative.isfinite().all()


def test_minibatches_go_round() -> None:
    seen = minibatches((torch.arange(5),), 3, 2)
    assert [part[0].tolist() for part in seen] == [[0, 1], [2, 3], [4, 0]]


def test_minibatches_of_stacked_tasks_cut_the_samples() -> None:
    seen = minibatches((torch.arange(6).view(2, 3),), 2, 2, axis=1)
    assert [part[0].tolist() for part in seen] == [[[0, 1], [3, 4]], [[2, 0], [5, 3]]]


def test_each_step_sees_its_own_minibatch() -> None:
    """Two bowls, one a step: with rate 1/2 the single parameter lands in each in turn."""
    batches = minibatches((torch.tensor([2.0, -7.0]),), 2, 1)
    path = InnerLoop(Sgd(0.5), frozenset("a")).run(bowl, {"a": torch.zeros(1)}, batches).params
    assert [float(params["a"]) for params in path] == [2.0, -7.0]


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (0.0, (0.25, 0.25, 0.25, 0.25)),
        (0.25, (0.125, 0.125, 0.125, 0.625)),
        (1.0, (0.0075, 0.0075, 0.0075, 0.9775)),
    ],
)
def test_multi_step_weights_move_to_the_last_step(progress: float, expected: tuple[float, ...]) -> None:
    assert multi_step_weights(4, progress) == pytest.approx(expected)


def test_without_multi_step_only_the_end_counts() -> None:
    assert last_step_weights(3) == (0.0, 0.0, 1.0)


def test_the_inner_loss_is_the_learners() -> None:
    made, tasks, net = tiny_algorithm("maml"), tiny_tasks(2), tiny_net()
    assert isinstance(made.objective, GameObjective)
    one = of_task(tasks.query, 0)
    loss = made.objective.inner(one)(made.params, one)
    torch.testing.assert_close(loss, game_loss(net)(made.params, one))
