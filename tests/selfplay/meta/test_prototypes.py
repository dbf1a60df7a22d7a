"""Prototypes: similar variants are found, and their moves are where a new one starts."""

from __future__ import annotations

import pytest
import torch

from games.encoding import RULE_FEATURES
from selfplay.meta.algorithms.prototypes import Library, Prototypes, embed
from selfplay.meta.bench import random_samples
from selfplay.meta.inner import of_task
from selfplay.meta.tasks import Samples
from tests.selfplay.meta.examples import tiny_algorithm, tiny_tasks, torchs_adam


def library(*embeddings: tuple[float, ...]) -> Library:
    """Variants a, b, … whose moves of a parameter `p` are 1, 2, …"""
    known = Library()
    names = [chr(ord("a") + index) for index in range(len(embeddings))]
    moves = {"p": torch.arange(1.0, len(embeddings) + 1)[:, None]}
    known.remember(names, torch.tensor(embeddings), moves)
    return known


def prototypes(**settings: object) -> Prototypes:
    made = tiny_algorithm("prototypes", prototype_every=1, prototype_steps=3, **settings)
    assert isinstance(made, Prototypes)
    return made


def one(size: int = 3, *, seed: int = 0) -> Samples:
    return of_task(random_samples(1, 4, size, seed=seed), 0)


def test_a_known_variant_finds_itself() -> None:
    weights = library((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)).similarity(torch.tensor([1.0, 0.0]))
    assert weights.tolist() == pytest.approx([0, 1, 0], abs=1e-4)


def test_two_equally_near_share() -> None:
    weights = library((0.0,), (2.0,), (50.0,), (50.0,), (50.0,), (50.0,)).similarity(torch.tensor([1.0]))
    assert float(weights[0]) == pytest.approx(float(weights[1]))
    assert float(weights[:2].sum()) > 0.99


def test_only_four_neighbours_count() -> None:
    weights = library(*((float(n),) for n in range(7))).similarity(torch.tensor([0.0]))
    assert weights.nonzero().flatten().tolist() == [0, 1, 2, 3]


def test_what_is_remembered_again_replaces_the_old() -> None:
    known = library((0.0,), (1.0,))
    known.remember(["a"], torch.tensor([[5.0]]), {"p": torch.tensor([[9.0]])})
    assert known.names == ["b", "a"]
    assert known.embeddings.tolist() == [[1.0], [5.0]]
    assert known.moves["p"].tolist() == [[2.0], [9.0]]


def test_of_two_tasks_of_one_variant_the_last_is_remembered() -> None:
    known = Library()
    known.remember(["a", "b", "a"], torch.tensor([[1.0], [2.0], [3.0]]), {"p": torch.arange(3.0)[:, None]})
    assert sorted(zip(known.names, known.embeddings.flatten().tolist(), strict=True)) == [
        ("a", 3.0),
        ("b", 2.0),
    ]


def test_without_known_variants_the_start_is_the_initialisation() -> None:
    params = {"p": torch.ones(1)}
    assert Library().start(params, one()) == params


def test_the_start_of_a_known_variant_is_where_its_learning_ended() -> None:
    """That is where torch's Adam takes the rule network and the heads; the tower stays."""
    made, tasks = prototypes(), tiny_tasks(3)
    made.remember(tasks)
    support = of_task(tasks.support, 1)
    start = made.library.start(made.params, support)
    for name, value in torchs_adam(support, steps=3, names="film|policy|value").items():
        torch.testing.assert_close(start[name], value, rtol=0, atol=1e-6)


def test_adaptation_goes_on_from_the_known_variants() -> None:
    made, tasks = prototypes(), tiny_tasks(3)
    made.remember(tasks)
    support = of_task(tasks.support, 1)
    adapted = made.adapt(made.params, support, steps=0)
    assert float(made.objective.inner(support)(adapted, support)) < float(
        made.objective.inner(support)(made.params, support)
    )


def test_training_remembers_the_tasks_it_meets() -> None:
    made = prototypes()
    made.outer_step(tiny_tasks(3))
    assert made.library.names == ["task-0", "task-1", "task-2"]


@pytest.mark.parametrize("base", ["joint", "reptile"])
def test_training_is_its_bases(base: str) -> None:
    made = prototypes(prototype_base=base)
    plain = tiny_algorithm({"joint": "pretrain", "reptile": "reptile"}[base])
    made.outer_step(tiny_tasks())
    plain.outer_step(tiny_tasks())
    assert all(torch.equal(value, plain.params[name]) for name, value in made.params.items())


def test_an_embedding_begins_with_the_rules() -> None:
    data = one()
    torch.testing.assert_close(embed(data)[: len(RULE_FEATURES)], data.rules.mean(0))


def test_an_embedding_measures_play() -> None:
    """Two positions on 2x2 by hand: own, opposing, playable, evenness, win, draw, loss, decided."""
    data = of_task(random_samples(1, 2, 2), 0)
    planes = torch.zeros_like(data.planes)
    planes[:, 0] = 1
    planes[0, 1, 0, 0] = planes[1, 1, 0, 0] = planes[1, 2, 0, 1] = 1
    legal = torch.tensor([[False, True, True, True, True, False], [False, False, True, True, False, False]])
    policy = torch.tensor([[0, 0.25, 0.25, 0.25, 0.25, 0], [0, 0, 1.0, 0, 0, 0]])
    wdl = torch.tensor([[1.0, 0, 0], [0, 0.5, 0.5]])
    data = Samples(planes, data.rules, legal, policy, wdl, data.played, torch.tensor([1.0, 0.0]))
    stones, chances, scalars = (0.25, 0.125), (0.5, 0.25, 0.25), (0.625, 0.5, 0.5)
    seen = embed(data)[len(RULE_FEATURES) :].tolist()
    assert seen == pytest.approx([*stones, *chances, *scalars])
