"""Self-play as alpha-zero-general does it: one game at a time, a search in Python over dictionaries.

Written anew after the paper's PUCT; what it shares with that project is the way of working: a position's text
is the key of every table, and the network is asked for one position at a time. The rules are ours, through
`Position`, which is faster than that project's arrays.
"""

from __future__ import annotations

from benchmarks.peers.conditions import count, read_conditions

CONDITIONS = read_conditions()

import math  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402

import games  # noqa: E402
from games import Position  # noqa: E402
from models import NetworkEvaluator, PolicyValueNet  # noqa: E402
from models.config import NetworkConfig  # noqa: E402

EXPLORATION = 1.0


class Search:
    """A tree in dictionaries by position, kept for the length of a game."""

    def __init__(self, evaluator: NetworkEvaluator) -> None:
        self._evaluator = evaluator
        self._value: dict[tuple[str, int], float] = {}
        self._visits: dict[tuple[str, int], int] = {}
        self._seen: dict[str, int] = {}
        self._priors: dict[str, np.ndarray] = {}

    def policy(self, position: Position, simulations: int) -> np.ndarray:
        """Visit shares of the legal actions."""
        for _ in range(simulations):
            self._walk(position)
        key = _key(position)
        visits = np.array([self._visits.get((key, a), 0) for a in position.legal_actions.tolist()], float)
        return visits / visits.sum()

    def _walk(self, position: Position) -> float:
        """One simulation; minus the value for the player to move."""
        if position.is_over:
            return -float(position.returns[position.to_play])
        key, legal = _key(position), position.legal_actions
        if key not in self._priors:
            logits, value = self._evaluator(position.observation())
            weights = np.exp(logits[0, legal] - logits[0, legal].max())
            self._priors[key], self._seen[key] = weights / weights.sum(), 0
            return -float(value[0])
        best, chosen = -math.inf, 0
        for action, prior in zip(legal.tolist(), self._priors[key].tolist(), strict=True):
            visits = self._visits.get((key, action), 0)
            bonus = EXPLORATION * prior * math.sqrt(self._seen[key] + 1e-8) / (1 + visits)
            score = self._value.get((key, action), 0.0) + bonus
            if score > best:
                best, chosen = score, action
        value = self._walk(position.play(chosen))
        visits = self._visits.get((key, chosen), 0)
        mean = self._value.get((key, chosen), 0.0)
        self._value[key, chosen] = (visits * mean + value) / (visits + 1)
        self._visits[key, chosen] = visits + 1
        self._seen[key] += 1
        return -value


def _key(position: Position) -> str:
    return f"{position.state.cells.tobytes().hex()}{position.to_play}"


def main() -> None:
    """Play until the time is over."""
    torch.set_num_threads(1)
    config = NetworkConfig(blocks=CONDITIONS.blocks, channels=CONDITIONS.channels)
    evaluator = NetworkEvaluator(PolicyValueNet(config), device="cpu")
    connect4, random = games.load("connect4"), np.random.default_rng(0)

    def some() -> int:
        search, position, moves = Search(evaluator), games.start(connect4), 0
        while not position.is_over:
            shares = search.policy(position, CONDITIONS.simulations)
            position = position.play(random.choice(position.legal_actions, p=shares))
            moves += 1
        return moves

    count(some, CONDITIONS.seconds)


main()
