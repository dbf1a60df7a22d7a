"""Rule variants as data, and the one engine that plays them.

    position = games.start(games.load("connect4"))
    position = position.play_text("d")
    print(position)

Importing this package loads numpy, numba and pydantic only; `games.env` loads PettingZoo when it is called.
What isn't needed to play (the solver, drawing and checking variants) is loaded when it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from games.catalogue import load, names
from games.encoding import Observation
from games.errors import (
    AgentError,
    ConformanceError,
    MoveError,
    PositionError,
    RunError,
    SolveLimitError,
    SpaceError,
    SuiteError,
    UserError,
    VariantError,
)
from games.placement import beginning, set_up
from games.position import Position, observe, pass_action, stack, start, swap_action
from games.variant import Variant

if TYPE_CHECKING:
    from games import conformance, playtest
    from games.aec import VariantEnv
    from games.playtest import Playtest, degenerate
    from games.sampling import sample_variant, sample_variants
    from games.sampling.isomorphism import fingerprint
    from games.sampling.space import Space
    from games.solver import solve, solve_actions

_MODULE_OF = {
    "Playtest": "games.playtest",
    "Space": "games.sampling.space",
    "degenerate": "games.playtest",
    "fingerprint": "games.sampling.isomorphism",
    "sample_variant": "games.sampling",
    "sample_variants": "games.sampling",
    "solve": "games.solver",
    "solve_actions": "games.solver",
}
_MODULES = ("conformance", "playtest")


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(f"games.{name}")
    if name in _MODULE_OF:
        return getattr(importlib.import_module(_MODULE_OF[name]), name)
    raise AttributeError(f"module 'games' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def env(variant: Variant, *, render_mode: str | None = None) -> VariantEnv:
    """A PettingZoo AEC environment of a variant; see `games.aec.VariantEnv`."""
    from games.aec import VariantEnv

    return VariantEnv(variant, render_mode=render_mode)


__all__ = [
    "AgentError",
    "ConformanceError",
    "MoveError",
    "Observation",
    "Playtest",
    "Position",
    "PositionError",
    "RunError",
    "SolveLimitError",
    "Space",
    "SpaceError",
    "SuiteError",
    "UserError",
    "Variant",
    "VariantError",
    "beginning",
    "conformance",
    "degenerate",
    "env",
    "fingerprint",
    "load",
    "names",
    "observe",
    "pass_action",
    "playtest",
    "sample_variant",
    "sample_variants",
    "set_up",
    "solve",
    "solve_actions",
    "stack",
    "start",
    "swap_action",
]
