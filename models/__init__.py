"""The network, where it runs and how it is stored.

Names are looked up when they are used: `from models import OnnxEvaluator` works where torch isn't installed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.checkpoint import load_checkpoint, save_checkpoint
    from models.config import NetworkConfig
    from models.evaluator import NetworkEvaluator
    from models.export import export_onnx
    from models.network import PolicyValueNet, value_to_play
    from models.onnx_runtime import OnnxEvaluator

__all__ = [
    "NetworkConfig",
    "NetworkEvaluator",
    "OnnxEvaluator",
    "PolicyValueNet",
    "export_onnx",
    "load_checkpoint",
    "save_checkpoint",
    "value_to_play",
]

_HOMES = {
    "NetworkConfig": "config",
    "NetworkEvaluator": "evaluator",
    "OnnxEvaluator": "onnx_runtime",
    "PolicyValueNet": "network",
    "export_onnx": "export",
    "load_checkpoint": "checkpoint",
    "save_checkpoint": "checkpoint",
    "value_to_play": "network",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'models' has no attribute {name!r}")
    return getattr(importlib.import_module(f"models.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
