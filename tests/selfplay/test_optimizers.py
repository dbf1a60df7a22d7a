"""Muon against singular values and torch's own; the optimisers' memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from selfplay.optimizers import Descent, Muon, is_hidden_matrix, orthogonalised
from tests.selfplay.test_learner import tiny_learner


@pytest.mark.parametrize("shape", [(8, 72), (72, 8), (16, 16), (1, 9)])
def test_orthogonalised_matrices_keep_their_singular_vectors(shape: tuple[int, int]) -> None:
    """And all their singular values come near 1, however far apart they were."""
    rng = np.random.default_rng(3)
    u, _, v = np.linalg.svd(rng.standard_normal(shape), full_matrices=False)
    values = np.geomspace(1.0, 0.02, min(shape))
    matrix = u * values @ v
    found = orthogonalised(torch.tensor(np.stack([matrix, -5 * matrix]), dtype=torch.float32)).numpy()
    inside = u.T @ found[0] @ v.T
    np.testing.assert_allclose(inside - np.diag(np.diag(inside)), 0, atol=1e-3)
    assert np.all((np.diag(inside) > 0.6) & (np.diag(inside) < 1.3))
    np.testing.assert_allclose(found[1], -found[0], atol=1e-3)


def test_nothing_stays_nothing() -> None:
    assert not orthogonalised(torch.zeros(2, 3, 4)).any()


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="torch has no Muon before 2.9")
def test_steps_are_those_of_torch() -> None:
    """Its iteration is in bfloat16, hence the tolerance; a zero gradient leaves momentum and decay."""
    rng = np.random.default_rng(4)
    start = [torch.tensor(rng.standard_normal(shape), dtype=torch.float32) for shape in ((8, 24), (24, 8))]
    ours, theirs = ([torch.nn.Parameter(t.clone()) for t in start] for _ in range(2))
    mine = Muon(ours, lr=0.05, weight_decay=0.1, momentum=0.8)
    plain: Any = torch.optim.Muon(
        theirs, lr=0.05, weight_decay=0.1, momentum=0.8, adjust_lr_fn="match_rms_adamw"
    )
    for step in range(6):
        for one, other in zip(ours, theirs, strict=True):
            gradient = torch.tensor(rng.standard_normal(one.shape), dtype=torch.float32) * (step != 4)
            one.grad, other.grad = gradient.clone(), gradient.clone()
        mine.step()
        plain.step()
    for one, other, at_first in zip(ours, theirs, start, strict=True):
        moved = float((one - at_first).detach().norm())
        assert moved > 0.5
        assert float((one - other).detach().norm()) < 0.02 * moved


def test_kernels_are_one_matrix_whatever_their_layout_and_company() -> None:
    """A channels-last kernel beside a matrix of the same shape moves as each does alone."""
    rng = np.random.default_rng(5)
    flat = torch.tensor(rng.standard_normal((4, 27)), dtype=torch.float32)
    gradient = torch.tensor(rng.standard_normal((4, 27)), dtype=torch.float32)

    def moved(*parameters: Tensor) -> list[Tensor]:
        for parameter in parameters:
            way = gradient.view(parameter.shape)
            parameter.grad = torch.empty_like(parameter).copy_(way)
        Muon(parameters, lr=0.1).step()
        return [parameter.detach().reshape(4, 27) for parameter in parameters]

    def kernel() -> Tensor:
        return flat.view(4, 3, 3, 3).clone(memory_format=torch.channels_last).requires_grad_()

    def matrix() -> Tensor:
        return flat.clone().requires_grad_()

    alone = [*moved(kernel()), *moved(matrix())]
    for found in [*alone, *moved(kernel(), matrix())]:
        torch.testing.assert_close(found, alone[0], rtol=1e-5, atol=1e-6)
    assert not torch.equal(alone[0], flat)


def test_parameters_without_gradient_stay() -> None:
    still = torch.nn.Parameter(torch.ones(3, 3))
    Muon([still], lr=0.1, weight_decay=0.5).step()
    assert torch.equal(still, torch.ones(3, 3))


def test_vectors_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected matrices or kernels, got a tensor \[3\]"):
        Muon([torch.nn.Parameter(torch.zeros(3))])


def test_muon_has_the_towers_matrices_and_adamw_the_rest() -> None:
    learner = tiny_learner(optimizer="muon")
    names = {id(p): name for name, p in learner.net.named_parameters()}
    groups = learner._descent.groups
    muons = {names[id(p)] for group in groups if group["orthogonal"] for p in group["params"]}
    assert muons == {name for name in names.values() if name.startswith("blocks.") and "weight" in name}
    assert sum(len(group["params"]) for group in groups) == len(names)
    assert not is_hidden_matrix("stem.weight", learner.net.stem.weight)


def test_a_memory_goes_to_the_optimiser_that_it_is_of() -> None:
    """Two parameters, one each: both memories come back, and what isn't theirs is passed over."""
    first, again = (
        [torch.nn.Parameter(torch.ones(2, 2)), torch.nn.Parameter(torch.ones(2))] for _ in range(2)
    )
    descents = [
        Descent([{"params": [matrix], "orthogonal": True}, {"params": [vector]}])
        for matrix, vector in (first, again)
    ]
    for parameter in first:
        parameter.grad = torch.full_like(parameter, 2.0)
    descents[0].step()
    told = descents[0].tensors()
    assert set(told) == {
        "muon.0.momentum",
        "optimizer.0.step",
        "optimizer.0.exp_avg",
        "optimizer.0.exp_avg_sq",
    }
    descents[1].restore(told | {"net.weight": torch.zeros(1)})
    assert descents[1].tensors().keys() == told.keys()
    assert all(torch.equal(value, told[name]) for name, value in descents[1].tensors().items())
