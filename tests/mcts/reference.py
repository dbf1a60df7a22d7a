"""Slow searches in plain Python, written from the papers: recursion over positions, dictionaries, float64.

Danihelka et al., "Policy improvement by planning with Gumbel" (ICLR 2022), with the noise fixed at zero, and
Silver et al., "A general reinforcement learning algorithm ..." (2018).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from games import Position
from games.rules import MAX_LEGAL
from mcts import SearchConfig

Evaluate = Callable[[Position], tuple[dict[int, float], float]]
"""A position's logits by action and its value for the seat to move."""


@dataclass
class Node:
    """An evaluated position; `returns[a]` are the results of action a's simulations, for this seat."""

    position: Position
    logits: dict[int, float]
    value_to_play: float
    children: dict[int, Node] = field(default_factory=dict)
    returns: dict[int, list[float]] = field(default_factory=dict)

    def visits(self, action: int) -> int:
        return len(self.returns.get(action, ()))

    def q(self, action: int) -> float:
        return float(np.mean(self.returns[action]))

    @property
    def priors(self) -> dict[int, float]:
        return softmax(self.logits)


def softmax(logits: dict[int, float]) -> dict[int, float]:
    top = max(logits.values())
    weights = {action: math.exp(logit - top) for action, logit in logits.items()}
    return {action: weight / sum(weights.values()) for action, weight in weights.items()}


@dataclass
class Reference:
    """One search; after `run`, `root` holds the tree."""

    evaluate: Evaluate
    config: SearchConfig

    def run(self, position: Position) -> Node:
        self.root = self.expand(position)
        for _ in range(self.config.simulations):
            self.simulate(self.root)
        return self.root

    def expand(self, position: Position) -> Node:
        return Node(position, *self.evaluate(position))

    def simulate(self, node: Node) -> float:
        """One simulation from a node on; its result for seat 0."""
        action = self.select(node)
        after = node.position.play(action)
        if after.is_over:
            result = float(after.returns[0])
        elif action in node.children:
            result = self.simulate(node.children[action])
        else:
            child = node.children[action] = self.expand(after)
            result = for_seat_0(after, child.value_to_play)
        node.returns.setdefault(action, []).append(for_seat_0(node.position, result))
        return result

    def select(self, node: Node) -> int:
        if self.config.method == "puct":
            return best(self.puct_scores(node))
        return self.halve(node) if node is self.root else best(self.lags(node))

    # --- Gumbel AlphaZero ---

    def completed_logits(self, node: Node) -> dict[int, float]:
        """logits + sigma(completed Q), appendix D's mixed value for unvisited actions, rescaled to [0, 1]."""
        visited = list(node.returns)
        total = sum(node.visits(a) for a in visited)
        mixed = node.value_to_play
        if visited:
            mean = sum(node.priors[a] * node.q(a) for a in visited) / sum(node.priors[a] for a in visited)
            mixed = (node.value_to_play + total * mean) / (1 + total)
        q = {a: node.q(a) if a in node.returns else mixed for a in node.logits}
        illegal = [mixed] * (len(visited) < int(node.position.rules.flags[0, MAX_LEGAL]))
        low, high = min([*q.values(), *illegal]), max([*q.values(), *illegal])
        most = max((node.visits(a) for a in visited), default=0)
        scale = (self.config.visit_offset + most) * self.config.value_scale
        return {a: node.logits[a] + scale * (q[a] - low) / max(high - low, 1e-8) for a in node.logits}

    def improved_policy(self, node: Node) -> dict[int, float]:
        return softmax(self.completed_logits(node))

    def lags(self, node: Node) -> dict[int, float]:
        """Equation 14: how far an action's share of the visits lies behind the improved policy."""
        total = sum(map(len, node.returns.values()))
        return {a: p - node.visits(a) / (1 + total) for a, p in self.improved_policy(node).items()}

    def halve(self, root: Node) -> int:
        """The next action of sequential halving among the actions with the highest logits."""
        considered = sorted(root.logits, key=lambda a: -root.logits[a])[: self.config.max_considered]
        spent = sum(map(len, root.returns.values()))
        visits = halving(len(considered), self.config.simulations)[spent]
        scores = self.completed_logits(root)
        return best({a: scores[a] for a in considered if root.visits(a) == visits})

    # --- PUCT ---

    def puct_scores(self, node: Node) -> dict[int, float]:
        total = sum(map(len, node.returns.values()))
        c = self.config.exploration
        c += math.log((1 + total + self.config.exploration_base) / self.config.exploration_base)
        mean = (node.value_to_play + sum(map(sum, node.returns.values()))) / (1 + total)
        return {
            a: (node.q(a) if a in node.returns else mean)
            + c * prior * math.sqrt(max(total, 1)) / (1 + node.visits(a))
            for a, prior in node.priors.items()
        }

    # --- results ---

    def policy(self) -> NDArray[np.float64]:
        root, policy = self.root, np.zeros(self.root.position.variant.n_actions)
        weights = (
            self.improved_policy(root) if self.config.method == "gumbel" else dict.fromkeys(root.logits, 0.0)
        )
        for action, weight in weights.items():
            share = root.visits(action) / self.config.simulations
            policy[action] = weight if self.config.method == "gumbel" else share
        return policy

    def visits(self) -> list[int]:
        return [self.root.visits(a) for a in range(self.root.position.variant.n_actions)]

    def value_to_play(self) -> float:
        results = [result for returns in self.root.returns.values() for result in returns]
        return float(np.mean([self.root.value_to_play, *results]))


def halving(considered: int, simulations: int) -> list[int]:
    """Visits that the action of each simulation has before it: log2(m) phases, each over half as many."""
    if considered == 1:
        return list(range(simulations))
    plan: list[int] = []
    alive, visits = considered, 0
    while len(plan) < simulations:
        each = max(1, math.floor(simulations / (math.ceil(math.log2(considered)) * alive)))
        for _ in range(each):
            plan.extend([visits] * alive)
            visits += 1
        alive = max(2, alive // 2)
    return plan


def best(scores: dict[int, float]) -> int:
    return max(scores, key=lambda action: scores[action])


def for_seat_0(position: Position, value: float) -> float:
    """A value for the seat to move as seat 0 sees it, and the other way round."""
    return value if position.to_play == 0 else -value
