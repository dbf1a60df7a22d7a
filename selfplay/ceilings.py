"""What a machine gives at best: the matrix rate and the memory bandwidth that measured rates stand beside."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from games import Observation
from models import PolicyValueNet

MATRIX = 2048
"""Rows of the matrices that are multiplied."""

COPIED_BYTES = 1 << 28
"""Bytes that are copied; far more than a cache holds."""

REPETITIONS = 7


def matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Floating-point operations a second of a large matrix product, on the threads that torch has now."""
    first = torch.randn(MATRIX, MATRIX, device=device).to(dtype)
    second = first.clone()
    return 2.0 * MATRIX**3 / _median_seconds(lambda: first @ second)


def copy_rate(device: torch.device) -> float:
    """Bytes a second, read and written, of a copy in memory, on the threads that torch has now."""
    source = torch.zeros(COPIED_BYTES, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2.0 * COPIED_BYTES / _median_seconds(lambda: target.copy_(source))


def forward_operations(net: PolicyValueNet, observation: Observation) -> float:
    """Floating-point operations of a forward pass, by position."""
    planes, rules = (torch.from_numpy(part) for part in (observation.planes, observation.rules))
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        net(planes, rules, False)
    return float(counter.get_total_flops()) / len(planes)


def _median_seconds(function: Callable[[], Tensor]) -> float:
    """Of several calls, after one to warm up; reading a number waits for the device."""

    def once() -> float:
        began = time.perf_counter()
        float(function().view(-1)[0])
        return time.perf_counter() - began

    once()
    return statistics.median(once() for _ in range(REPETITIONS))
