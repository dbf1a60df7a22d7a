"""Observations and networks for the tests of `models`, made by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from games.encoding import EXTRA_ACTIONS, MAX_SIZE, PLANES, RULE_FEATURES, Observation
from models import NetworkConfig, PolicyValueNet

SMALL = NetworkConfig(blocks=3, channels=8, policy_hidden=6, value_hidden=7, rule_hidden=9)
"""Three blocks: plain, pooled, plain."""


def observe(
    drawing: str,
    *,
    canvas: tuple[int, int] | None = None,
    wrap_rows: bool = False,
    wrap_columns: bool = False,
    rules: Sequence[float] = (),
) -> Observation:
    """One position from a drawing: X own, O opponent's, . empty, # no cell.

    canvas: rows and columns, at least those of the board; rules: what follows the sizes and the wraps
    """
    board = np.array([list(line.replace(" ", "")) for line in drawing.split("\n") if line.strip()])
    rows, columns = board.shape
    height, width = canvas or board.shape
    planes = np.zeros((1, len(PLANES), height, width), np.float32)
    stones = (board != "#", board == "X", board == "O", board == ".")
    planes[0, : len(stones), :rows, :columns] = np.stack(stones)
    features = np.zeros((1, len(RULE_FEATURES)), np.float32)
    features[0, :4] = rows / MAX_SIZE, columns / MAX_SIZE, wrap_rows, wrap_columns
    features[0, 4 : 4 + len(rules)] = rules
    legal = np.zeros((1, height * width + EXTRA_ACTIONS), np.bool_)
    legal[:, : height * width] = planes[:, PLANES.index("legal_cell")].reshape(1, -1) > 0
    return Observation(planes, legal, features)


def stack(*observations: Observation) -> Observation:
    """Several batches on equal canvases as one."""
    return Observation(*(np.concatenate(parts) for parts in zip(*observations, strict=True)))


def scramble(net: PolicyValueNet, *, seed: int = 0) -> PolicyValueNet:
    """Random weights everywhere, also where a fresh network has zeros: no path stays closed."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            fan_in = parameter[0].numel() if parameter.ndim > 1 else 4
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / fan_in**0.5)
    return net.eval()


def evaluate(
    net: PolicyValueNet, observation: Observation, wraps: bool | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and win/draw/loss logits in float32."""
    with torch.inference_mode():
        logits, wdl = net(torch.from_numpy(observation.planes), torch.from_numpy(observation.rules), wraps)
    return logits, wdl


def on_board_logits(observation: Observation, logits: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Logits `[B, rows*columns + 2]` of a board at the top left of a larger canvas."""
    height, width = observation.planes.shape[2:]
    cells = logits[:, : height * width].reshape(-1, height, width)[:, :rows, :columns]
    return torch.cat((cells.flatten(1), logits[:, height * width :]), 1)
