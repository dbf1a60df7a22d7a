"""Random playouts: as the value of a position, or mixed into an evaluator's value."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from games.compilation import inlined, kernel
from games.kernels import copy_row, play, random_action, seat_to_play, value_for_seat
from games.number_kernels import as_int, mixed
from games.rules import MAX_LEGAL, Rules
from games.state import ONGOING, STATUS, State, new_state
from mcts.cache_kernels import content_key

UNLIMITED = 2**62
"""Moves of playouts, where their number is limited already."""


class Rollouts(NamedTuple):
    """Random playouts that are mixed into an evaluator's values, and room to play them in.

    Those of a position depend on the position and `salt` alone, so that it doesn't matter who looks first.

    most: playouts of a position, 0 for none; plies: after so many moves of them no further one begins
    share: float64 `[1]`: what they count in a value, in [0, 1]; salt: uint64 `[1]`
    stream: uint64 `[1]`; scratch: one row; actions: int16 `[MAX_LEGAL + 1]`
    """

    most: int
    plies: int
    share: NDArray[np.float64]
    salt: NDArray[np.uint64]
    stream: NDArray[np.uint64]
    scratch: State
    actions: NDArray[np.int16]


def new_rollouts(rules: Rules, *, most: int, plies: int, share: float) -> Rollouts:
    """Playouts of any position under these rules; one thread at a time may use them."""
    return Rollouts(
        most=most,
        plies=plies,
        share=np.array([share]),
        salt=np.zeros(1, np.uint64),
        stream=np.zeros(1, np.uint64),
        scratch=new_state(rules, 1),
        actions=np.empty(int(rules.flags[:, MAX_LEGAL].max()) + 1, np.int16),
    )


@inlined
def mix_rollouts(rules: Rules, state: State, row: int, rollouts: Rollouts, value_to_play: float) -> float:
    """An evaluator's value with that of the playouts mixed in (AlphaGo: Silver et al., Nature 2016)."""
    share = rollouts.share[0]
    if rollouts.most == 0 or share == 0.0:
        return value_to_play
    return float((1.0 - share) * value_to_play + share * own_rollouts(rules, state, row, rollouts))


@kernel
def rollout_rows(rules: Rules, state: State, rollouts: Rollouts, values: NDArray[np.float64]) -> None:
    """The mean of every row's own playouts, to play, into `values` `[B]`."""
    for row in range(values.shape[0]):
        values[row] = own_rollouts(rules, state, row, rollouts)


@kernel
def own_rollouts(rules: Rules, state: State, row: int, rollouts: Rollouts) -> float:
    """The mean of a position's own playouts, for its seat to move."""
    rollouts.stream[0] = mixed(content_key(rules, state, row) + rollouts.salt[0])
    return rollout_value(
        rules,
        state,
        row,
        rollouts.stream,
        as_int(0),
        rollouts.most,
        rollouts.plies,
        rollouts.scratch,
        rollouts.actions,
    )


@inlined
def rollout_value(
    rules: Rules,
    state: State,
    row: int,
    rng: NDArray[np.uint64],
    stream: int,
    most: int,
    plies: int,
    scratch: State,
    actions: NDArray[np.int16],
) -> float:
    """Mean result of random playouts from a position, for its seat to move.

    most: playouts, at least one is played; plies: after so many moves no further one begins
    """
    seat = seat_to_play(state, row)
    total, played, moves, here = 0.0, as_int(0), as_int(0), as_int(0)
    while played == 0 or (played < most and moves < plies):
        copy_row(state, row, scratch, here)
        while scratch.info[here, STATUS] == ONGOING:
            play(rules, scratch, here, random_action(rules, scratch, here, rng, stream, actions))
            moves += 1
        total += value_for_seat(scratch, here, seat)
        played += 1
    return total / played
