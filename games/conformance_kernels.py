"""What only the conformance check asks of the engine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from games.compilation import kernel
from games.kernels import random_action, value_for_seat
from games.rules import Rules
from games.state import State


@kernel
def draw_actions(
    rules: Rules, state: State, rng: NDArray[np.uint64], scratch: NDArray[np.int16], drawn: NDArray[np.int16]
) -> None:
    """Fill `drawn` with random actions of row 0."""
    for i in range(drawn.shape[0]):
        drawn[i] = random_action(rules, state, 0, rng, 0, scratch)


@kernel
def seat_values(state: State, row: int, values: NDArray[np.float64]) -> None:
    """values: float64 `[2]`, the result of a finished game for each seat."""
    values[0] = value_for_seat(state, row, 0)
    values[1] = value_for_seat(state, row, 1)
