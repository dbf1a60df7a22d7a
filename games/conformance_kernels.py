"""What only the conformance check asks of the engine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from games.compilation import kernel
from games.encoding import EXTRA_ACTIONS
from games.kernels import VARIANT, State, is_legal, value_for_seat
from games.rules import N_CELLS, Rules


@kernel
def mark_legal(rules: Rules, state: State, row: int, legal: NDArray[np.bool_]) -> None:
    """Ask `is_legal` of every action of a row's variant; legal: bool `[own A]`."""
    for action in range(rules.flags[state.info[row, VARIANT], N_CELLS] + EXTRA_ACTIONS):
        legal[action] = is_legal(rules, state, row, action)


@kernel
def seat_values(state: State, row: int, values: NDArray[np.float64]) -> None:
    """values: float64 `[2]`, the result of a finished game for each seat."""
    values[0] = value_for_seat(state, row, 0)
    values[1] = value_for_seat(state, row, 1)
