"""Samples and tasks: stacking on a common canvas changes no evaluation, hidden rules stay hidden."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from games.encoding import EXTRA_ACTIONS, PLANES, RULE_FEATURES, Observation
from models import PolicyValueNet
from selfplay.meta.bench import random_samples
from selfplay.meta.objective import alphazero_loss, outcome_loss
from selfplay.meta.tasks import (
    UNPLAYED,
    Samples,
    Task,
    enlarge,
    hide_rules,
    pooled,
    samples_of,
    stack,
)
from selfplay.replay import Batch
from tests.models.boards import scramble
from tests.selfplay.meta.examples import TINY


def samples(size: int = 3, *, seed: int = 0, positions: int = 5) -> Samples:
    return Samples(*(tensor[0] for tensor in random_samples(1, positions, size, seed=seed)))


def loss_of(net: PolicyValueNet, loss: object, data: Samples) -> torch.Tensor:
    assert callable(loss)
    with torch.no_grad():
        result: torch.Tensor = loss(*net(data.planes, data.rules), data)
        return result


@pytest.mark.parametrize("loss", [alphazero_loss, outcome_loss])
def test_a_larger_canvas_keeps_the_loss(loss: object) -> None:
    net, data = scramble(PolicyValueNet(TINY)), samples()
    torch.testing.assert_close(loss_of(net, loss, enlarge(data, 5, 4)), loss_of(net, loss, data))


def test_actions_move_with_their_cells() -> None:
    """On 3x3, 4 is the centre, 8 the last cell, 9 PASS and 10 SWAP; on 4 rows of 5, cells are 0 to 19."""
    data = samples(positions=5)._replace(played=torch.tensor([0, 4, 8, 9, 10]))
    assert enlarge(data, 4, 5).played.tolist() == [0, 6, 12, 20, 21]


def test_an_unknown_action_stays_unknown() -> None:
    data = samples(positions=1)._replace(played=torch.tensor([UNPLAYED]))
    assert enlarge(data, 4, 5).played.tolist() == [UNPLAYED]


def test_policies_move_with_their_cells() -> None:
    data = samples()
    larger = enlarge(data, 4, 5)
    cells = larger.policy[:, :20].view(5, 4, 5)
    assert torch.equal(cells[:, :3, :3].flatten(1), data.policy[:, :9])
    assert torch.equal(larger.policy[:, 20:], data.policy[:, 9:])
    torch.testing.assert_close(larger.policy.sum(1), torch.ones(5))


def test_nothing_is_legal_off_the_board() -> None:
    data = samples()
    assert enlarge(data, 4, 5).legal.sum() == data.legal.sum()


def test_tasks_of_several_sizes_share_the_largest_canvas() -> None:
    tasks = [Task("small", samples(3), samples(3, seed=1)), Task("large", samples(5), samples(5, seed=2))]
    batch = stack(tasks)
    assert batch.names == ("small", "large")
    assert batch.support.planes.shape == (2, 5, len(PLANES), 5, 5)
    assert batch.query.policy.shape == (2, 5, 5 * 5 + EXTRA_ACTIONS)


def test_hidden_rules_leave_the_geometry_and_the_state() -> None:
    data = samples()._replace(rules=torch.ones(5, len(RULE_FEATURES)))
    shown = [RULE_FEATURES[i] for i in hide_rules(data).rules[0].nonzero().flatten()]
    geometry = {"rows", "columns", "wrap_rows", "wrap_columns"}
    state = {"stones_left", "swap_legal", "second_colour", "ply", "own_captures", "opponent_captures"}
    assert set(shown) == geometry | state | {"moving", "shooting", "jumping", "passed"}


def test_rules_are_hidden_where_asked() -> None:
    data = random_samples(2, 3, 4)
    hidden = hide_rules(data, torch.tensor([[True], [False]])).rules
    gravity = RULE_FEATURES.index("gravity_down")
    assert (hidden[0, :, gravity] == 0).all()
    assert torch.equal(hidden[1], data.rules[1])


def batch() -> Batch:
    data = samples()
    observation = Observation(data.planes.numpy(), data.legal.numpy(), data.rules.numpy())
    wdl = np.tile(np.float32([0.5, 0.2, 0.3]), (5, 1))
    return Batch(observation, data.policy.numpy(), wdl, np.arange(5), np.float32([1, 0, -1, 1, 0]))


def test_a_batch_keeps_its_numbers() -> None:
    made, data = samples_of(batch()), samples()
    assert torch.equal(made.planes, data.planes)
    assert torch.equal(made.legal, data.legal)
    assert torch.equal(made.policy, data.policy)
    assert made.played.tolist() == [0, 1, 2, 3, 4]
    assert made.outcome.tolist() == [1, 0, -1, 1, 0]


def test_pooled_tasks_hold_each_position_once() -> None:
    assert pooled({"x": torch.arange(6).view(2, 3)})["x"].tolist() == list(range(6))
