"""A grown network answers as before, and all of it learns."""

from __future__ import annotations

import pytest
import torch

from models import NetworkConfig, PolicyValueNet
from models.growing import grown
from tests.models.boards import SMALL, evaluate, observe, scramble, stack

BOARD = """
    . X . O . .
    X X O . O .
    . O * X . X
    O . # . X .
"""
SEEN = stack(
    observe(BOARD, canvas=(5, 6), rules=(1, 0, 0, 0, 0.67)),
    observe(BOARD, canvas=(5, 6), wrap_rows=True, wrap_columns=True),
)
CHANGES = [
    {"channels": 13},
    {"blocks": 6},
    {"policy_hidden": 9},
    {"value_hidden": 8},
    {"rule_hidden": 12},
    {"channels": 16, "blocks": 4, "policy_hidden": 8, "value_hidden": 16, "rule_hidden": 16},
]


def larger(change: dict[str, int]) -> NetworkConfig:
    return SMALL.model_copy(update=change)


@pytest.mark.parametrize("change", CHANGES, ids="-".join)
def test_a_grown_network_answers_as_before(change: dict[str, int]) -> None:
    small = scramble(PolicyValueNet(SMALL))
    large = grown(small, larger(change)).eval()
    assert large.config == larger(change)
    for before, after in zip(evaluate(small, SEEN), evaluate(large, SEEN), strict=True):
        torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("change", CHANGES, ids="-".join)
def test_every_weight_of_a_grown_network_learns(change: dict[str, int]) -> None:
    net = grown(scramble(PolicyValueNet(SMALL)), larger(change))
    before = {name: parameter.detach().clone() for name, parameter in net.named_parameters()}
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-2)
    planes, rules = torch.from_numpy(SEEN.planes), torch.from_numpy(SEEN.rules)
    rules = rules + torch.rand(rules.shape, generator=torch.Generator().manual_seed(0)) * 0.1
    for _ in range(3):  # the first step opens the way to the second's gradients
        logits, wdl = net(planes, rules, False)
        loss = torch.logsumexp(logits, 1).sum() + (wdl * torch.tensor([1.0, -2.0, 0.5])).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    still = [name for name, p in net.named_parameters() if torch.equal(p.detach(), before[name])]
    assert not still


def test_the_seed_makes_the_new_units() -> None:
    small, config = scramble(PolicyValueNet(SMALL)), larger({"channels": 12})
    one, same, other = (grown(small, config, seed=seed).stem.weight for seed in (1, 1, 2))
    torch.testing.assert_close(one, same, rtol=0, atol=0)
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"channels": 4}, "network.channels: expected at least 8, got 4"),
        ({"blocks": 2}, "network.blocks: expected at least 3, got 2"),
        ({"planes": SMALL.planes + 1}, f"network.planes: expected {SMALL.planes}, got"),
    ],
)
def test_nothing_may_shrink(change: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        grown(PolicyValueNet(SMALL), larger(change))
