"""Integers and random numbers for kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from games.compilation import inlined, shared

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


@inlined
def as_int(number: int) -> int:
    """An element of an array as 64 bits: a kernel is compiled anew for every width that it is called with."""
    wide: Any = np.int64(number)
    return wide


@inlined
def mixed(z: np.uint64) -> np.uint64:
    """64 bits that all depend on all of z (splitmix64's finish: Steele, Lea & Flood, OOPSLA 2014)."""
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return z ^ (z >> np.uint64(31))


@inlined
def next_random(rng: NDArray[np.uint64], row: int) -> np.uint64:
    """64 random bits of a row's own stream (splitmix64)."""
    rng[row] += _GOLDEN
    return mixed(rng[row])


@inlined
def unit(bits: np.uint64) -> float:
    """64 random bits as a number in the open interval (0, 1)."""
    return (np.float64(bits >> np.uint64(11)) + 0.5) * (1.0 / 9007199254740992.0)


@shared
def uniform(rng: NDArray[np.uint64], row: int) -> float:
    """Uniform in the open interval (0, 1)."""
    return unit(next_random(rng, row))
