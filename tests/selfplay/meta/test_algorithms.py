"""What all algorithms promise, and the outer steps of those without an inner gradient by hand."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load, save

from games import UserError
from selfplay.meta.algorithms import NAMES, MetaLearningConfig, algorithm, algorithm_class
from selfplay.meta.algorithms.base import Adaptation, MetaAlgorithm, State
from selfplay.meta.inner import Params, of_task
from selfplay.meta.outer import NET, part
from selfplay.meta.tasks import Samples
from tests.selfplay.meta.examples import (
    game_loss,
    leaf_params,
    outer_gradient,
    tiny_algorithm,
    tiny_net,
    tiny_tasks,
    torchs_adam,
)

SETTINGS = {
    "ema_decay": 0.9,
    "weight_decay": 0.01,
    "inner_clip": 1.0,
    "rules_told": True,
    "multi_step": True,
    "learn_rates": True,
    "prototype_every": 2,
    "prototype_steps": 2,
}


def trained(name: str, *, steps: int) -> MetaAlgorithm:
    made = tiny_algorithm(name, **SETTINGS)
    go_on(made, range(steps))
    return made


def go_on(made: MetaAlgorithm, steps: range) -> None:
    for step in steps:
        made.outer_step(tiny_tasks(seed=step), progress=step / 6)


def stored(state: State) -> State:
    """A state that went through a file."""
    return State(load(save(state.tensors)), json.loads(json.dumps(state.counters)))


def assert_same(first: Params, second: Params) -> None:
    assert first.keys() == second.keys()
    assert all(torch.equal(value, second[name]) for name, value in first.items())


@pytest.mark.parametrize("name", NAMES)
def test_a_restored_algorithm_goes_on_to_the_byte(name: str) -> None:
    straight, stopped = trained(name, steps=6), trained(name, steps=3)
    resumed = trained(name, steps=1)
    resumed.restore(stored(stopped.state()))
    go_on(resumed, range(3, 6))
    assert_same(straight.state().tensors, resumed.state().tensors)
    assert straight.state().counters == resumed.state().counters
    support = of_task(tiny_tasks().support, 1)
    assert_same(straight.adapt(straight.params, support), resumed.adapt(resumed.params, support))


@pytest.mark.parametrize("name", NAMES)
def test_adaptation_lowers_the_loss_of_its_support(name: str) -> None:
    made = tiny_algorithm(name, **SETTINGS)
    support = of_task(tiny_tasks().support, 0)
    loss = made.objective.inner(support)
    adapted = made.adapt(made.params, support, steps=5)
    assert float(loss(adapted, support)) < float(loss(made.params, support))


@pytest.mark.parametrize("name", NAMES)
def test_no_steps_of_adaptation_change_nothing(name: str) -> None:
    made = tiny_algorithm(name)
    assert_same(made.adapt(made.params, of_task(tiny_tasks().support, 0), steps=0), made.params)


@pytest.mark.parametrize("name", NAMES)
def test_the_given_network_is_not_changed(name: str) -> None:
    net = tiny_net()
    algorithm(name, net, MetaLearningConfig(inner_steps=1)).outer_step(tiny_tasks())
    assert_same(dict(net.named_parameters()), dict(tiny_net().named_parameters()))


@pytest.mark.parametrize("name", NAMES)
def test_a_description_of_the_adaptation_survives_a_file(name: str) -> None:
    said = trained(name, steps=2).adaptation()
    tensors = {n: t.contiguous() for n, t in said.tensors().items()}
    read = Adaptation.read(json.loads(json.dumps(said.header())), load(save(tensors)) if tensors else {})
    assert read.header() == said.header()
    assert_same(read.tensors(), said.tensors())


def test_a_name_that_is_no_algorithm_is_refused() -> None:
    with pytest.raises(UserError, match=r"expected an algorithm out of maml, .* got mamml"):
        algorithm_class("mamml")


# --- Reptile, joint training, scratch ---


def test_reptile_goes_a_share_of_the_way_to_the_mean_of_torchs_adam() -> None:
    made, tasks = tiny_algorithm("reptile", inner_steps=4, reptile_rate=0.25), tiny_tasks(3)
    start = leaf_params(tiny_net())
    ends = [torchs_adam(of_task(tasks.support, index), steps=4) for index in range(3)]
    made.outer_step(tasks)
    for name, value in part(made.outer.trained, NET).items():
        mean = torch.stack([end[name] for end in ends]).mean(0)
        torch.testing.assert_close(value.detach(), 0.75 * start[name] + 0.25 * mean, rtol=1e-6, atol=1e-9)


def test_reptiles_share_falls_with_the_schedule() -> None:
    early, late = (tiny_algorithm("reptile", final_rate=0.1) for _ in range(2))
    early.outer_step(tiny_tasks(), progress=0.0)
    late.outer_step(tiny_tasks(), progress=1.0)
    start = tiny_net().state_dict()["stem.weight"]
    moved, less = (made.outer.trained[NET + "stem.weight"].detach() - start for made in (early, late))
    torch.testing.assert_close(less, 0.1 * moved)


@pytest.mark.parametrize("name", ["joint", "pretrain"])
def test_multi_task_gradients_are_those_of_all_positions(name: str) -> None:
    """Six of each support and four of each query weigh alike."""
    made, tasks = tiny_algorithm(name), tiny_tasks(3)
    tasks = tasks._replace(query=Samples(*(tensor[:, :4] for tensor in tasks.query)))
    seen = outer_gradient(made, tasks)
    params, loss = leaf_params(tiny_net()), game_loss(tiny_net())
    supports = [6 * loss(params, of_task(tasks.support, index)) for index in range(3)]
    queries = [4 * loss(params, of_task(tasks.query, index)) for index in range(3)]
    expected = torch.autograd.grad(torch.stack(supports + queries).sum() / 30, list(params.values()))
    for parameter, gradient in zip(params, expected, strict=True):
        torch.testing.assert_close(seen[NET + parameter], gradient, rtol=1e-8, atol=1e-10)


def test_scratch_never_learns() -> None:
    made = trained("scratch", steps=3)
    assert made.steps == 3
    assert_same(made.params, tiny_algorithm("scratch").params)


# --- the outer optimiser ---


def test_the_outer_optimiser_is_adamw_with_decay_for_matrices_only() -> None:
    made = tiny_algorithm("pretrain", weight_decay=0.1, final_rate=1.0)
    params, loss = leaf_params(tiny_net()), game_loss(tiny_net())
    matrices = [value for value in params.values() if value.ndim > 1]
    others = [value for value in params.values() if value.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}], lr=1e-3
    )
    for seed in range(3):
        tasks = tiny_tasks(seed=seed)
        made.outer_step(tasks, progress=seed / 3)
        optimizer.zero_grad()
        parts = [loss(params, of_task(data, i)) for data in (tasks.support, tasks.query) for i in range(3)]
        torch.stack(parts).mean().backward()
        optimizer.step()
    for name, value in params.items():
        torch.testing.assert_close(
            made.outer.trained[NET + name].detach(), value.detach(), atol=1e-9, rtol=1e-6
        )


def test_the_initialisation_is_the_average_of_the_weights() -> None:
    """With a slow decay the average of the first steps is theirs: weights 1, then t/(t+10) of the old."""
    made, averaged = tiny_algorithm("pretrain", ema_decay=0.999), None
    for step in range(4):
        made.outer_step(tiny_tasks(seed=step))
        value = made.outer.trained[NET + "stem.weight"].detach()
        share = step / (step + 10)
        averaged = value.clone() if averaged is None else share * averaged + (1 - share) * value
    torch.testing.assert_close(made.params["stem.weight"], averaged)


def test_a_step_without_a_finite_gradient_changes_nothing() -> None:
    made, tasks = tiny_algorithm("maml"), tiny_tasks()
    tasks.query.wdl[0, 0, 0] = float("inf")
    made.outer_step(tasks)
    assert made.state().counters == {"steps": 1, "skipped": 1}
    assert_same(made.params, tiny_algorithm("maml").params)
