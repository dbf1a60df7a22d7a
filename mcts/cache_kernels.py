"""Evaluations of positions already seen, so that the network isn't asked about them again."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from games.compilation import inlined, kernel
from games.rules import N_CELLS, REPEAT, SUPERKO, Rules
from games.state import EMPTIES, LAST, N_INFO, PLY, STATUS, VARIANT, State

_HASH_START = np.uint64(0xCBF29CE484222325)
_HASH_PRIME = np.uint64(0x100000001B3)
_HASH_MIX = np.uint64(0xD6E8FEB86659FD93)


class Cache(NamedTuple):
    """Evaluations under one set of weights and one batch of rules; S slots, S a power of two or zero.

    keys: uint64 `[S]`, 0 is free; logits: float32 `[S, A]`; values: float32 `[S]` to play
    hits: int64 `[1]`: evaluations that needed no network
    """

    keys: NDArray[np.uint64]
    logits: NDArray[np.float32]
    values: NDArray[np.float32]
    hits: NDArray[np.int64]


def new_cache(megabytes: float, n_actions: int) -> Cache:
    """An empty cache that takes at most so much memory, for logits over `n_actions` actions of the canvas."""
    slots = int(megabytes * 2**20 / (4 * n_actions + 12))
    slots = 1 << (slots.bit_length() - 1) if slots else 0
    return Cache(
        keys=np.zeros(slots, np.uint64),
        logits=np.zeros((slots, n_actions), np.float32),
        values=np.zeros(slots, np.float32),
        hits=np.zeros(1, np.int64),
    )


@kernel
def position_key(rules: Rules, state: State, row: int) -> np.uint64:
    """A 64-bit name of everything that an observation of the position depends on; never 0."""
    key = content_key(rules, state, row) ^ np.uint64(state.info[row, VARIANT])
    key = (key ^ (key >> np.uint64(32))) * _HASH_MIX
    key ^= key >> np.uint64(29)
    return key | np.uint64(1)


@inlined
def content_key(rules: Rules, state: State, row: int) -> np.uint64:
    """As `position_key`, but the same in every batch of rules that holds the variant."""
    key = _HASH_START
    variant = state.info[row, VARIANT]
    for cell in range(rules.flags[variant, N_CELLS]):
        key = (key ^ np.uint64(state.cells[row, cell])) * _HASH_PRIME
    for column in range(N_INFO):
        if column not in (EMPTIES, LAST, STATUS, VARIANT):
            key = (key ^ np.uint64(state.info[row, column])) * _HASH_PRIME
    if rules.flags[variant, REPEAT] == SUPERKO:  # which moves are legal depends on the boards so far
        for ply in range(state.info[row, PLY]):
            key = (key ^ state.history[row, ply]) * _HASH_PRIME
    return (key ^ (key >> np.uint64(32))) * _HASH_MIX


@inlined
def is_in_use(cache: Cache) -> bool:
    """Whether there is a cache at all."""
    return cache.keys.shape[0] > 0


@inlined
def slot_of(cache: Cache, key: np.uint64) -> int:
    """Where a position's evaluation is kept, if it is."""
    return int(np.int64((key >> np.uint64(1)) & np.uint64(cache.keys.shape[0] - 1)))


@inlined
def keep(cache: Cache, key: np.uint64, logits: NDArray[np.float32], row: int, value_to_play: float) -> None:
    """Keep an evaluation, `logits[row]` and a value, in the place of what was there."""
    slot = slot_of(cache, key)
    cache.keys[slot] = key
    cache.values[slot] = value_to_play
    for action in range(logits.shape[1]):
        cache.logits[slot, action] = logits[row, action]
