"""Inputs that never moved weigh nothing, and nothing else changes."""

from __future__ import annotations

import pytest
import torch

from games.encoding import PLANES, RULE_FEATURES
from models import NetworkConfig, PolicyValueNet
from selfplay.meta.bench import random_samples
from selfplay.meta.seen import Seen
from selfplay.meta.tasks import Samples, pooled

NET = NetworkConfig(blocks=1, channels=8, policy_hidden=4, value_hidden=8, rule_hidden=8)
MISERE, LINE, MOVING = (RULE_FEATURES.index(name) for name in ("misere", "line_length", "moving"))


@pytest.fixture
def net() -> PolicyValueNet:
    torch.manual_seed(0)
    net = PolicyValueNet(NET)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(0, 0.5)
    return net


def positions(**features: float) -> Samples:
    """Positions of four variants, with some features the same in all of them."""
    samples = pooled(random_samples(4, 8, 4))
    rules = samples.rules.clone()
    for name, value in features.items():
        rules[:, RULE_FEATURES.index(name)] = value
    return samples._replace(rules=rules)


def outputs(net: PolicyValueNet, samples: Samples) -> torch.Tensor:
    with torch.no_grad():
        return torch.cat(net(samples.planes, samples.rules), 1)


def settled(net: PolicyValueNet, *seen: Samples) -> PolicyValueNet:
    memory, other = Seen(), PolicyValueNet(NET).to(net.stem.weight.dtype)
    for samples in seen:
        memory.look(samples)
    other.load_state_dict(memory.settled(net.state_dict()))
    return other


def test_what_was_seen_is_answered_as_before(net: PolicyValueNet) -> None:
    samples = positions(misere=0.0, line_length=0.25)
    net = net.double()  # the sums are the same, their order isn't
    samples = samples._replace(planes=samples.planes.double(), rules=samples.rules.double())
    torch.testing.assert_close(outputs(settled(net, samples), samples), outputs(net, samples))


@pytest.mark.parametrize("feature", [MISERE, LINE])
def test_a_feature_that_never_moved_is_ignored(net: PolicyValueNet, feature: int) -> None:
    seen = positions(misere=0.0, line_length=0.25)
    moved = seen.rules.clone()
    moved[:, feature] = 1.0
    changed = seen._replace(rules=moved)
    after = settled(net, seen)
    torch.testing.assert_close(outputs(after, changed), outputs(after, seen))
    assert not torch.allclose(outputs(net, changed), outputs(net, seen))


def test_a_plane_that_was_never_used_is_ignored(net: PolicyValueNet) -> None:
    seen, last = positions(), len(PLANES) - 1
    without = seen.planes.clone()
    without[:, last] = 0.0
    after = settled(net, seen._replace(planes=without))
    torch.testing.assert_close(outputs(after, seen), outputs(after, seen._replace(planes=without)))
    assert not torch.allclose(outputs(net, seen), outputs(net, seen._replace(planes=without)))


def test_a_feature_counts_once_it_moved(net: PolicyValueNet) -> None:
    first, second = positions(moving=0.0), positions(moving=1.0)
    weight = settled(net, first, second).film.hidden.weight
    torch.testing.assert_close(weight[:, MOVING], net.film.hidden.weight[:, MOVING])
    assert not settled(net, first).film.hidden.weight[:, MOVING].any()


def test_what_was_seen_is_kept_in_a_checkpoint(net: PolicyValueNet) -> None:
    seen = Seen()
    seen.look(positions(misere=0.0))
    again = Seen.read(seen.tensors())
    for name, value in seen.settled(net.state_dict()).items():
        assert torch.equal(again.settled(net.state_dict())[name], value), name


def test_nothing_changes_before_anything_was_seen(net: PolicyValueNet) -> None:
    for name, value in settled(net).state_dict().items():
        assert torch.equal(value, net.state_dict()[name]), name
