"""Perfect play from the exact solver, as far as it gets in its time: an opponent that makes no mistake."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from games import AgentError, Position, SolveLimitError, Variant
from games.solver import DEFAULT_MEMORY, Solver
from selfplay.match import Forfeit

DEFAULT_SECONDS = 30.0
"""For one position, if the caller doesn't say."""

_FIRST_NODES, _MORE_NODES = 2_000, 8
"""Nodes for each action of a solved position, and how many times as many each time round."""


class SolverContestant:
    """Plays any action that keeps a position's value; a `selfplay.match.Contestant`.

    What it learns about the variant it keeps until it is closed, so it gets faster from position to position.

    Attributes:
        name: `solver`.
        variant: what it plays.
    """

    name = "solver"

    def __init__(
        self,
        variant: Variant,
        *,
        seed: int = 0,
        seconds: float = DEFAULT_SECONDS,
        memory: int = DEFAULT_MEMORY,
    ) -> None:
        """Make room.

        Args:
            variant: what it will play.
            seed: of the draw among the actions that keep the value; where some of them are hard to solve, the
                others are drawn more often.
            seconds: for one position; one that takes longer is given up.
            memory: MiB that the table of positions may take.

        Raises:
            AgentError: a limit that makes no sense.
        """
        if seconds <= 0 or memory < 1:
            raise AgentError(
                f"solver: expected more than 0 s and at least 1 MiB, got {seconds:g} and {memory}"
            )
        self.variant = variant
        self._seconds = seconds
        self._random = np.random.default_rng(seed)
        self._solver: Solver | None = Solver(variant, memory=memory)

    def choose_many(self, positions: Sequence[Position], /) -> list[int | Forfeit]:
        """An action that keeps each position's value, or a forfeit where that takes too long."""
        return [self._choose(position) for position in positions]

    def _choose(self, position: Position) -> int | Forfeit:
        assert self._solver is not None, "closed"
        if position.variant.digest != self.variant.digest:
            raise AgentError(
                f"solver: expected a position of {self.variant.name}, got {position.variant.name}"
            )
        ends = time.monotonic() + self._seconds
        try:
            value = self._solver.value(position, seconds=self._seconds)
        except SolveLimitError:
            return self._forfeit
        drawn = self._random.permutation(position.legal_actions).tolist()
        return int(drawn[0]) if value == -1 else self._first_worth(value, position, drawn, ends)

    def _first_worth(self, value: int, position: Position, actions: list[int], ends: float) -> int | Forfeit:
        """The first of some actions that is worth so much; what is hard to solve comes up again later."""
        nodes = _FIRST_NODES
        while True:
            for action in actions:
                left = ends - time.monotonic()
                if left <= 0:
                    return self._forfeit
                if self._worth(position, action, nodes, left) == value:
                    return action
            nodes *= _MORE_NODES

    def _worth(self, position: Position, action: int, nodes: int, seconds: float) -> int | None:
        """An action's value for who plays it; None if that isn't found within the limits."""
        assert self._solver is not None
        after = position.play(action)
        try:
            value = self._solver.value(after, nodes=nodes, seconds=seconds)
        except SolveLimitError:
            return None
        return value if after.to_play == position.to_play else -value

    @property
    def _forfeit(self) -> Forfeit:
        return Forfeit(f"not solved within {self._seconds:g} s")

    def close(self) -> None:
        """Let go of the table."""
        self._solver = None
