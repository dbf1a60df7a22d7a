"""The losses of games against the learner's and against numbers by hand; who sees the rules."""

from __future__ import annotations

import math

import pytest
import torch

from games.encoding import RULE_FEATURES
from selfplay.learner import losses
from selfplay.meta.algorithms import MetaLearningConfig
from selfplay.meta.bench import random_samples
from selfplay.meta.objective import GameObjective, alphazero_loss, outcome_loss, value_loss
from selfplay.meta.tasks import UNPLAYED, Samples, TaskBatch
from tests.selfplay.meta.examples import tiny_net

GRAVITY = RULE_FEATURES.index("gravity_down")


def three_actions(*, played: int, outcome: float) -> Samples:
    """One position with three actions, of which the last is illegal."""
    empty = torch.empty(1, 0)
    legal = torch.tensor([[True, True, False]])
    policy, wdl = torch.tensor([[0.5, 0.5, 0.0]]), torch.tensor([[0.2, 0.3, 0.5]])
    return Samples(empty, empty, legal, policy, wdl, torch.tensor([played]), torch.tensor([outcome]))


def test_alphazeros_loss_is_the_learners() -> None:
    torch.manual_seed(1)
    data = Samples(*(tensor[0] for tensor in random_samples(1, 7, 4)))
    logits, wdl_logits = torch.randn_like(data.policy), torch.randn_like(data.wdl)
    expected = sum(losses(logits, wdl_logits, data.legal, data.policy, data.wdl))
    torch.testing.assert_close(alphazero_loss(logits, wdl_logits, data), expected)


def test_values_loss_is_cross_entropy() -> None:
    """Equal chances of a third cost log 3 whatever the target."""
    cost = value_loss(torch.zeros(1, 3), torch.zeros(1, 3), three_actions(played=0, outcome=1.0))
    assert float(cost) == pytest.approx(math.log(3))


@pytest.mark.parametrize(("outcome", "advantage"), [(1.0, 1.0), (0.0, 0.0), (-1.0, -1.0)])
def test_a_played_action_is_pushed_by_its_advantage(outcome: float, advantage: float) -> None:
    """Value 0, two legal actions of chance 1/2: d/dlogit = -advantage * (played - chance)."""
    logits = torch.zeros(1, 3, requires_grad=True)
    loss = outcome_loss(logits, torch.zeros(1, 3), three_actions(played=1, outcome=outcome))
    (gradient,) = torch.autograd.grad(loss, logits)
    torch.testing.assert_close(gradient, advantage * torch.tensor([[0.5, -0.5, 0.0]]))


def test_the_value_is_the_baseline() -> None:
    """P(win) = 2/3 and P(loss) = 1/6: the value is 1/2, so a win surprises by 1/2."""
    logits, wdl_logits = torch.zeros(1, 3, requires_grad=True), torch.tensor([[4.0, 1.0, 1.0]]).log()
    loss = outcome_loss(logits, wdl_logits, three_actions(played=0, outcome=1.0))
    (gradient,) = torch.autograd.grad(loss, logits)
    torch.testing.assert_close(gradient, torch.tensor([[-0.25, 0.25, 0.0]]))


def test_the_outcomes_gradient_of_the_value_is_cross_entropys_alone() -> None:
    """softmax - one hot, though the advantage depends on the value, too."""
    wdl_logits = torch.zeros(1, 3, requires_grad=True)
    loss = outcome_loss(torch.zeros(1, 3), wdl_logits, three_actions(played=0, outcome=-1.0))
    (gradient,) = torch.autograd.grad(loss, wdl_logits)
    torch.testing.assert_close(gradient, torch.tensor([[1 / 3, 1 / 3, -2 / 3]]))


def test_a_mixed_outcome_is_a_chance_of_winning() -> None:
    """An outcome of 0.25 counts as 1/4 of a win and 3/4 of a draw: softmax minus target."""
    wdl_logits = torch.zeros(1, 3, requires_grad=True)
    loss = outcome_loss(torch.zeros(1, 3), wdl_logits, three_actions(played=0, outcome=0.25))
    (gradient,) = torch.autograd.grad(loss, wdl_logits)
    torch.testing.assert_close(gradient, torch.tensor([[1 / 3 - 1 / 4, 1 / 3 - 3 / 4, 1 / 3]]))


def test_an_unknown_action_moves_no_policy() -> None:
    logits = torch.zeros(1, 3, requires_grad=True)
    loss = outcome_loss(logits, torch.zeros(1, 3), three_actions(played=UNPLAYED, outcome=1.0))
    (gradient,) = torch.autograd.grad(loss, logits)
    assert (gradient == 0).all()


# --- who sees the rules ---


def shown(step: int = 0, **settings: object) -> TaskBatch:
    objective = GameObjective(
        tiny_net(), MetaLearningConfig.model_validate({"algorithm": "reptile"} | settings)
    )
    data = random_samples(200, 2, 3)
    return objective.shown_in_training(TaskBatch(("x",) * 200, data, data), step)


def hidden(tasks: TaskBatch) -> list[bool]:
    return (tasks.support.rules[:, :, GRAVITY] == 0).all(1).tolist()


def test_rules_are_dropped_for_about_the_share_asked_for() -> None:
    assert 35 < sum(hidden(shown(rules_dropout=0.25))) < 65  # 50, give or take 6


def test_support_and_query_lose_their_rules_together() -> None:
    tasks = shown(rules_dropout=0.5)
    assert torch.equal(tasks.support.rules, tasks.query.rules)


def test_each_step_drops_others() -> None:
    assert hidden(shown(1, rules_dropout=0.5)) != hidden(shown(2, rules_dropout=0.5))


def test_a_step_drops_the_same_when_it_is_repeated() -> None:
    assert hidden(shown(1, rules_dropout=0.5)) == hidden(shown(1, rules_dropout=0.5))


def test_rules_that_are_not_told_are_hidden_in_training_and_in_adaptation() -> None:
    assert all(hidden(shown(rules_told=False)))
    objective = GameObjective(tiny_net(), MetaLearningConfig(algorithm="reptile", rules_told=False))
    assert (objective.shown(random_samples(2, 3, 4)).rules[..., GRAVITY] == 0).all()


def test_a_joint_start_refuses_to_hide_rules() -> None:
    with pytest.raises(ValueError, match="always told"):
        MetaLearningConfig(algorithm="joint", rules_told=False)
