"""What is learned: the losses of a task and how much of the rules the learner gets to see."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call

from models.network import PolicyValueNet, any_wraps, value_to_play
from selfplay.meta.algorithms.config import MetaLearningConfig
from selfplay.meta.inner import Data, Loss, Params
from selfplay.meta.tasks import Samples, TaskBatch, hide_rules

GameLoss = Callable[[Tensor, Tensor, Samples], Tensor]
"""Logits `[N, A]`, win/draw/loss logits `[N, 3]` and their samples to a scalar."""


ILLEGAL = -1e9
"""The logit of an illegal action."""


class Objective(Protocol):
    """Losses for data at hand; reading the data happens here, outside vmap."""

    def inner(self, data: Data) -> Loss:
        """The loss that adaptation makes small."""

    def outer(self, data: Data) -> Loss:
        """The loss that judges adaptation."""

    def shown(self, support: Data) -> Data:
        """Data as they are seen when a new task is learned."""

    def shown_in_training(self, tasks: TaskBatch, step: int) -> TaskBatch:
        """Tasks as they are seen in outer step number `step`."""


@dataclass(frozen=True)
class PlainObjective:
    """One loss for everything, nothing hidden: regression, toy problems."""

    loss: Loss

    def inner(self, data: Data) -> Loss:  # noqa: ARG002 (the loss is always the same)
        """The loss."""
        return self.loss

    outer = inner

    def shown(self, support: Data) -> Data:
        """Everything."""
        return support

    def shown_in_training(self, tasks: TaskBatch, step: int) -> TaskBatch:  # noqa: ARG002
        """Everything."""
        return tasks


class GameObjective:
    """Policy and value of a rule variant, learned from `Samples`."""

    def __init__(self, net: PolicyValueNet, config: MetaLearningConfig) -> None:
        """`net` gives the architecture; its weights aren't used."""
        self._shape = copy.deepcopy(net).requires_grad_(False)
        self._own = threading.local()
        self._config = config

    def inner(self, data: Samples) -> Loss:
        """The loss that the configuration names."""
        return self._bound(GAME_LOSSES[self._config.inner_loss], data)

    def outer(self, data: Samples) -> Loss:
        """AlphaZero's loss."""
        return self._bound(alphazero_loss, data)

    def shown(self, support: Samples) -> Samples:
        """Without the rules, if they aren't told."""
        return support if self._config.rules_told else hide_rules(support)

    def shown_in_training(self, tasks: TaskBatch, step: int) -> TaskBatch:
        """Without the rules of some tasks, drawn anew each step; the same for support and query."""
        if self._config.rules_told and self._config.rules_dropout == 0:
            return tasks
        hidden = torch.ones(len(tasks.names), dtype=torch.bool)
        if self._config.rules_told:
            generator = torch.Generator().manual_seed((self._config.seed << 32) + step)
            hidden = torch.rand(len(tasks.names), generator=generator) < self._config.rules_dropout
        hidden = hidden[:, None].to(tasks.support.rules.device)
        support, query = hide_rules(tasks.support, hidden), hide_rules(tasks.query, hidden)
        return tasks._replace(support=support, query=query)

    def _own_net(self) -> PolicyValueNet:
        """This thread's network: `functional_call` puts parameters into it while it computes."""
        if not hasattr(self._own, "net"):
            self._own.net = copy.deepcopy(self._shape)
        net: PolicyValueNet = self._own.net
        return net

    def _bound(self, loss: GameLoss, data: Samples) -> Loss:
        wraps = bool(any_wraps(data.rules))
        net = self._own_net()

        def loss_of(params: Params, samples: Samples) -> Tensor:
            outputs: Any = functional_call(net, params, (samples.planes, samples.rules, wraps))
            logits, wdl_logits = outputs
            return loss(logits, wdl_logits, samples)

        return loss_of


def alphazero_loss(logits: Tensor, wdl_logits: Tensor, samples: Samples) -> Tensor:
    """The learner's: divergence from the search's policy, and cross-entropy of win, draw and loss.

    Written out, for `F.kl_div` is slow in vmap.
    """
    surplus = torch.xlogy(samples.policy, samples.policy) - samples.policy * _log_policy(logits, samples)
    return surplus.sum(1).mean() + _cross_entropy(wdl_logits, samples.wdl)


def outcome_loss(logits: Tensor, wdl_logits: Tensor, samples: Samples) -> Tensor:
    """Learning from results alone, without search: REINFORCE (Williams 1992) and the value of the outcome.

    The policy's gradient is that of the actions played, weighted by outcome minus predicted value. Rows whose
    action is `UNPLAYED` move the value only.
    """
    known = samples.played >= 0
    chosen = _log_policy(logits, samples).gather(1, samples.played.clamp(min=0)[:, None]).squeeze(1)
    advantage = (samples.outcome - value_to_play(wdl_logits.detach())) * known
    won, lost = samples.outcome.clamp(min=0), (-samples.outcome).clamp(min=0)
    target = torch.stack((won, 1 - won - lost, lost), 1)
    return _cross_entropy(wdl_logits, target) - (advantage * chosen).mean()


def value_loss(logits: Tensor, wdl_logits: Tensor, samples: Samples) -> Tensor:  # noqa: ARG001
    """The value's part of AlphaZero's loss alone."""
    return _cross_entropy(wdl_logits, samples.wdl)


def _log_policy(logits: Tensor, samples: Samples) -> Tensor:
    """Log-probabilities `[N, A]` over the legal actions."""
    return F.log_softmax(logits.masked_fill(samples.legal.logical_not(), ILLEGAL), 1)


def _cross_entropy(wdl_logits: Tensor, target: Tensor) -> Tensor:
    return -(target * F.log_softmax(wdl_logits, 1)).sum(1).mean()


GAME_LOSSES: dict[str, GameLoss] = {
    "alphazero": alphazero_loss,
    "outcome": outcome_loss,
    "value": value_loss,
}
