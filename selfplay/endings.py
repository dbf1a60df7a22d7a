"""From which ply on a variant's games are exact anyway, so that long searches there would be for nothing.

The solver puts the ends of recorded games right (`selfplay.rescoring`): their targets are its own, whatever
the search thought. Where nearly all games are exact, self-play therefore searches just enough to move on, and
plays more games in the same time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from selfplay.actor import Episode
from selfplay.kernels import NEVER

USUAL = 0.9
"""Share of the games under way at a ply that have to be exact from there on."""

LEAST_GAMES = 20
"""Games of a variant that an estimate takes, and half as many that reach the ply."""


class Endings:
    """What the last games say, by variant."""

    def __init__(self, variants: int) -> None:
        self.first: NDArray[np.int32] = np.full(variants, NEVER, np.int32)

    def learn(self, episodes: Sequence[Episode]) -> None:
        """Look at games that the solver has put right; a variant with too few keeps what was known."""
        for variant in {episode.variant for episode in episodes}:
            ends = [(e.exact, len(e.actions)) for e in episodes if e.variant == variant]
            if len(ends) >= LEAST_GAMES:
                self.first[variant] = _first_usual(*np.array(ends).T)

    def state(self) -> list[int]:
        """For a checkpoint."""
        return [int(ply) for ply in self.first]

    def restore(self, state: Sequence[int]) -> None:
        """Go back to a saved `state`."""
        self.first[:] = state


def _first_usual(exact: NDArray[np.int64], plies: NDArray[np.int64]) -> int:
    """The first ply at which games are usually exact; `[G]` each: since when they were, and how long."""
    for ply in range(int(plies.max())):
        under_way = plies > ply
        if np.count_nonzero(under_way) < LEAST_GAMES // 2:
            break
        if np.mean(exact[under_way] <= ply) >= USUAL:
            return ply
    return NEVER
