"""The ends of games put right by the exact solver before anything is learned from them.

A game's result tells what its last mistake made of it. From the end backwards the solver finds what positions
are worth, as far as a few hundred nodes a ply reach; what comes before them learns from the first exact
value instead of the result, and the policies after it lose the moves that are mistakes. Leela Chess Zero
corrects its training games by endgame tables in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from games import Position, SolveLimitError, Variant, start
from games.solver import Solver
from selfplay.actor import Episode

_MEMORY = 1
"""MiB of the solver's table, which is emptied for each game."""


class Rescorer:
    """Corrects games of some variants; one thread at a time may use it."""

    def __init__(self, variants: Sequence[Variant], nodes: int) -> None:
        """`nodes`: positions that the solver may visit, for each ply of a game; 0: games stay as they are."""
        self._variants, self._nodes = tuple(variants), nodes
        self._solvers: dict[int, Solver] = {}

    def rescored(self, episode: Episode) -> Episode:
        """A game with exact values and policies from `Episode.exact` on; it depends on the game alone."""
        if not self._nodes:
            return episode
        solver = self._solver(episode.variant)
        positions = _positions(self._variants[episode.variant], episode)
        policy, value, exact = episode.policy.copy(), episode.value.copy(), len(positions)
        limit = solver.nodes + self._nodes * len(positions)
        while exact > 0:
            position = positions[exact - 1]
            try:
                worth, best = solver.best_actions(position, nodes=max(1, limit - solver.nodes))
            except SolveLimitError:
                break
            exact -= 1
            value[exact] = worth
            if episode.recorded[exact]:
                policy[exact] = _only(best, policy[exact])
        return episode._replace(policy=policy, value=value, exact=exact)

    def _solver(self, variant: int) -> Solver:
        solver = self._solvers.get(variant)
        if solver is None:
            solver = self._solvers[variant] = Solver(self._variants[variant], memory=_MEMORY)
        solver.forget()
        return solver


def _positions(variant: Variant, episode: Episode) -> list[Position]:
    """Those in which something was played."""
    positions = [start(variant)]
    for action in episode.actions[:-1].tolist():
        positions.append(positions[-1].play(action))
    return positions


def _only(actions: Sequence[int], policy: NDArray[np.float16]) -> NDArray[np.float16]:
    """A policy without other actions; even over these if it had none of them."""
    kept = np.zeros_like(policy)
    kept[list(actions)] = policy[list(actions)]
    if not kept.any():
        kept[list(actions)] = 1.0
    shares: NDArray[np.float16] = (kept / kept.sum(dtype=np.float32)).astype(np.float16)
    return shares
