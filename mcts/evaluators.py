"""Evaluators that need no network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from games import Observation


def uniform_evaluator(observation: Observation) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Knows nothing: logits `[B, A]` and value_to_play `[B]` are all zero."""
    return np.zeros(observation.legal.shape, np.float32), np.zeros(len(observation.legal), np.float32)


@dataclass(frozen=True)
class RolloutEvaluator:
    """Plain Monte-Carlo tree search: an even prior and the mean of random playouts as value.

    A search recognises it and plays the playouts inside its kernel, without observations.
    """

    rollouts: int = 1
