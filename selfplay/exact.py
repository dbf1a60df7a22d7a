"""Exact play beside a player's search, in positions that the solver sees to the end of.

A search weighs moves by averages, and near the end of a game the exact solver is quicker than that: within
some thousand positions it knows what a move is worth. What it knows overrules the search; between moves that
are equally good in truth, the search still decides.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from games import Position, load, start
from games.solver import BestActions, Solver
from mcts import LOSS, UNPROVEN, WIN

if TYPE_CHECKING:
    from selfplay.player import Analysis

Shares = TypeVar("Shares", np.float16, np.float32)

MEMORY = 1
"""MiB of a solver's table, which is emptied for each position: an answer depends on the position alone."""

MOST_CHOICES = 24
"""Legal moves up to which a position is worth a try: with more of them hardly any is solved."""


class ExactPlay:
    """Puts analyses right where the solver can tell; one thread at a time may use it.

    nodes: positions that the solver visits at most, for each position it is asked about
    """

    def __init__(self, nodes: int) -> None:
        _load_kernels()
        self.nodes = nodes
        self._solvers: dict[str, Solver] = {}
        self._last: tuple[Position, BestActions | None] | None = None

    def corrected(self, position: Position, analysis: Analysis) -> Analysis:
        """The analysis with what is known for certain; itself, if that is nothing new.

        The value and the values of actions become exact, and mistakes lose their share of the policy. Where
        all moves lose, the search's opinion of them stays.
        """
        if analysis.proven[analysis.action] == WIN or len(position.legal_actions) > MOST_CHOICES:
            return analysis
        truth = self._truth(position)
        if truth is None:
            return analysis
        policy, proven = analysis.policy, analysis.proven.copy()
        proven[truth.best] = truth.value_to_play
        if truth.value_to_play == 0:
            mistakes = position.legal_actions[~truth.best[position.legal_actions]]
            proven[mistakes] = LOSS
        if truth.value_to_play > LOSS:
            policy = limited_to(truth.best, policy)
        known = proven != UNPROVEN
        return analysis._replace(
            action=analysis.action if truth.best[analysis.action] else int(policy.argmax()),
            policy=policy,
            action_values=np.where(known, proven, analysis.action_values).astype(np.float32),
            value_to_play=float(truth.value_to_play),
            proven=proven,
        )

    def _truth(self, position: Position) -> BestActions | None:
        """What a position is worth, if the solver finds out; the last answer is remembered."""
        if self._last is None or self._last[0] != position:
            digest = position.variant.digest
            if digest not in self._solvers:
                self._solvers[digest] = Solver(position.variant, memory=MEMORY)
            self._last = (position, self._solvers[digest].best_actions(position, nodes=self.nodes))
        return self._last[1]


@cache
def _load_kernels() -> None:
    """Compile the solver, or load it: before a game begins, not in the middle of one."""
    smallest = start(load("tictactoe"))
    Solver(smallest.variant, memory=MEMORY).best_actions(smallest, nodes=1)


def limited_to(actions: NDArray[np.bool_], policy: NDArray[Shares]) -> NDArray[Shares]:
    """A policy without other actions; even over these if it had none of them."""
    kept = np.where(actions, policy, policy.dtype.type(0))
    if not kept.any():
        kept = actions.astype(policy.dtype)
    shares: NDArray[Shares] = (kept / kept.sum(dtype=np.float32)).astype(policy.dtype)
    return shares
