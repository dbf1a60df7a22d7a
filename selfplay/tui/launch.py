"""Start the terminal app, or say that this place has none. Textual is loaded only when it starts."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from games import AgentError, Variant
from games.variant import load_toml

if TYPE_CHECKING:
    from selfplay.clock import TimeControl
    from selfplay.tui.agents import Agents

DUMB = ("", "dumb", "unknown")
"""What `TERM` says of terminals on which nothing can be drawn."""


def is_possible() -> bool:
    """Whether people sit at a terminal that can show the app, and Textual is installed."""
    return _can_draw() and _has_textual()


def needs_textual() -> bool:
    """Whether nothing but Textual is missing."""
    return _can_draw() and not _has_textual()


def _can_draw() -> bool:
    is_terminal = all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))  # it draws on stderr
    return is_terminal and (os.environ.get("TERM", "") not in DUMB or sys.platform == "win32")


def _has_textual() -> bool:
    try:
        return importlib.util.find_spec("textual") is not None
    except ValueError:  # somebody has put None in its place
        return False


def run_app(
    variant: Variant,
    agents: Agents,
    *,
    first: Literal["me", "agent", "random"],
    control: TimeControl | None,
    seed: int,
    chooses: bool,
) -> None:
    """Play in the terminal app until the person leaves; chooses: it first asks which variant."""
    from selfplay.tui.app import SelfplayApp

    drawn = int(np.random.default_rng(seed).integers(2))
    person = {"me": 0, "agent": 1, "random": drawn}[first]
    SelfplayApp(
        variant, agents, person=None if agents.play_alone else person, control=control, chooses=chooses
    ).run()


def watched_variant(run: Path) -> Variant:
    """What a run plays, the first of its variants; `UserError` in one line if the folder is no run."""
    files = sorted((run / "variants").glob("*.toml"))
    if not files:
        raise AgentError(f"expected the folder of a run, got {run}, which has no variants/*.toml")
    return load_toml(files[0])
