"""Small agent files and scripted players for the tests of what plays."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from games import Position, Variant
from models import NetworkConfig, PolicyValueNet, export_onnx


def export_agent(
    path: Path, *variants: Variant, wraps: bool = False, training: Mapping[str, object] | None = None
) -> Path:
    """A tiny network with random weights, saved as an agent that names `variants` and its `training`."""
    torch.manual_seed(0)
    net = PolicyValueNet(NetworkConfig(blocks=1, channels=8, policy_hidden=4, value_hidden=8, rule_hidden=8))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(0, 0.3)
    named = [{"name": v.name, "digest": v.digest, "toml": v.to_toml()} for v in variants]
    metadata = {"variants": json.dumps(named), "training": json.dumps(training or {})}
    export_onnx(net, path, metadata=metadata, wraps=wraps)
    return path


def leftmost(position: Position) -> int:
    """The legal action whose column is furthest to the left."""
    return int(min(position.legal_actions, key=lambda action: action % position.variant.board.columns))


def share(marks: Sequence[bool]) -> float:
    """Share of true ones."""
    return float(np.mean(marks))


def column_shares(path: Path, choose: Callable[[Mapping[int, int]], int]) -> dict[str, tuple[float, float]]:
    """Shares of value-keeping and best moves by set, straight from the file's columns, with no engine."""
    sets: dict[str, list[tuple[bool, bool]]] = {}
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        scores = {column: score for column, score in enumerate(entry["scores"]) if score is not None}
        played, best = scores[choose(scores)], max(scores.values())
        keeps = (played > 0) == (best > 0) and (played < 0) == (best < 0)
        sets.setdefault(entry["set"], []).append((keeps, played == best))
    return {name: (share([k for k, _ in rows]), share([b for _, b in rows])) for name, rows in sets.items()}
