"""The ends of games put right by the exact solver before anything is learned from them.

A game's result tells what its last mistake made of it. From the end backwards the solver finds what positions
are worth, as far as a few hundred nodes a ply reach; what comes before them learns from the first exact
value instead of the result, and the policies after it lose the moves that are mistakes. Leela Chess Zero
corrects its training games by endgame tables in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from games import Variant
from games.solver import SolvedEnd, Solver
from selfplay.actor import Episode
from selfplay.exact import MEMORY, limited_to


class Rescorer:
    """Corrects games of some variants; one thread at a time may use it."""

    def __init__(
        self,
        variants: Sequence[Variant],
        nodes: int,
        *,
        every_exact: bool = False,
        exact_only: bool = False,
    ) -> None:
        """Make one.

        nodes: positions that the solver may visit, for each ply of a game; 0: games stay as they are
        every_exact: all solved positions in which there was a choice are targets, however little the game
            had searched there; by default those that it had searched
        exact_only: all solved positions are targets, and no others; any best move is as good as another, and
            the surprise is how far the target is from an even policy, so 0 where no move is a mistake
        """
        self._variants, self._nodes = tuple(variants), nodes
        self._every_exact, self._exact_only = every_exact, exact_only
        self._solvers: dict[int, Solver] = {}

    def rescored(self, episode: Episode) -> Episode:
        """A game with exact values and policies from `Episode.exact` on; it depends on the game alone."""
        if not self._nodes:
            return episode
        nodes = self._nodes * len(episode.actions)
        solved = self._solver(episode.variant).solve_end(episode.actions, nodes=nodes)
        exact, policy, value = solved.first, episode.policy.copy(), episode.value.copy()
        recorded = episode.recorded.copy()
        value[exact:] = solved.values[exact:]
        if self._every_exact:
            recorded[exact:] = solved.choices[exact:] > 1
        corrected = episode._replace(policy=policy, value=value, recorded=recorded, exact=exact)
        if self._exact_only:
            return _of_what_is_exact(corrected, solved)
        for ply in exact + np.flatnonzero(recorded[exact:]):
            policy[ply] = limited_to(solved.best[ply], policy[ply])
        return corrected

    def _solver(self, variant: int) -> Solver:
        if variant not in self._solvers:
            self._solvers[variant] = Solver(self._variants[variant], memory=MEMORY)
        return self._solvers[variant]


def _of_what_is_exact(episode: Episode, solved: SolvedEnd) -> Episode:
    """The solved positions as the only targets, with the best moves alike."""
    exact, surprise = solved.first, np.zeros_like(episode.surprise)
    kept = solved.best[exact:].sum(1)
    episode.policy[exact:] = solved.best[exact:] / kept[:, None]
    surprise[exact:] = np.log(solved.choices[exact:] / kept)
    return episode._replace(recorded=np.arange(len(episode.actions)) >= exact, surprise=surprise)
