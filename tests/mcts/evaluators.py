"""Evaluators for tests: noise that depends on the position alone, not on the canvas, the batch or the row."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from games import Observation, Position

Answer = tuple[NDArray[np.float32], NDArray[np.float32]]
_WIDEST = 19


def noisy_evaluator(observation: Observation) -> Answer:
    """Logits of spread 1.5 and values in (-1, 1), drawn from the position's stones and rule features."""
    batch, _, height, width = observation.planes.shape
    rows, columns = np.divmod(np.arange(height * width), width)
    places = np.append(rows * _WIDEST + columns, [_WIDEST**2, _WIDEST**2 + 1])
    logits, values = np.empty((batch, height * width + 2), np.float32), np.empty(batch, np.float32)
    for b in range(batch):
        stones = np.argwhere(observation.planes[b]).astype(np.int16).tobytes()
        rng = np.random.default_rng(zlib.crc32(stones + observation.rules[b].tobytes()))
        logits[b] = 1.5 * rng.normal(size=_WIDEST**2 + 2).astype(np.float32)[places]
        values[b] = np.tanh(rng.normal())
    return logits, values


def for_reference(
    evaluator: Callable[[Observation], Answer],
) -> Callable[[Position], tuple[dict[int, float], float]]:
    """An evaluator as the reference asks for it."""

    def evaluate(position: Position) -> tuple[dict[int, float], float]:
        logits, values = evaluator(position.observation())
        return {int(a): float(logits[0, a]) for a in position.legal_actions}, float(values[0])

    return evaluate
