"""Agents that learn a rule variant by playing against themselves, and what plays with them.

    player = Player.load("agent.onnx", simulations=64)
    action = player.choose(position)

`Player` is looked up when it is used, and needs no torch; so the command line starts at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selfplay.player import Analysis, Player

    __version__: str

__all__ = ["Analysis", "Player", "__version__"]

_PLAYER_NAMES = ("Analysis", "Player")


def __getattr__(name: str) -> object:
    if name == "__version__":
        return _installed_version()
    if name in _PLAYER_NAMES:
        return getattr(importlib.import_module("selfplay.player"), name)
    raise AttributeError(f"module 'selfplay' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


def _installed_version() -> str:
    """The installed distribution's version; a bare checkout on the path has none."""
    from importlib import metadata

    try:
        return metadata.version("selfplay-agents")
    except metadata.PackageNotFoundError:
        return "unknown"
