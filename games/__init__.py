"""Rule variants as data, and the one engine that plays them.

    position = games.start(games.load("connect4"))
    position = position.play_text("d")
    print(position)

Importing this package loads numpy, numba and pydantic only; `games.env` loads PettingZoo when it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from games import conformance, playtest
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
from games.playtest import Playtest, degenerate
from games.position import Position, observe, pass_action, stack, start, swap_action
from games.sampling import sample_variant, sample_variants
from games.sampling.isomorphism import fingerprint
from games.sampling.space import Space
from games.solver import solve, solve_actions
from games.variant import Variant

if TYPE_CHECKING:
    from games.aec import VariantEnv


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
