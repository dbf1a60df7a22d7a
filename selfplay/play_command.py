"""`selfplay play`: the terminal app where it can be shown, the plain mode anywhere else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import games
from games import AgentError, UserError, Variant
from selfplay.clock import TimeControl
from selfplay.levels import Level, at_level, level
from selfplay.play import default_agent, opponent, play_in_terminal, training_note
from selfplay.player import Player
from selfplay.tui.launch import is_possible, needs_textual, run_app, watched_variant

USUAL = "connect4"
"""What the app begins with if nothing is said."""


class Wishes(NamedTuple):
    """What the command line says; names as there."""

    variant: str | None
    agent: str | None
    simulations: int | None
    level: str | None
    first: Literal["me", "agent", "random"]
    clock: str | None
    against: str | None
    watch: Path | None
    seed: int
    hints: bool


def run_play(wishes: Wishes, *, plain: bool, echo: Callable[[str], object]) -> None:
    """Play until the person, or the input, has had enough.

    Args:
        wishes: what the command line says.
        plain: lines of text in any case.
        echo: takes a line if the app can't be shown where one would expect it.

    Raises:
        UserError: a wish that can't be fulfilled; one line.
    """
    strength = _strength(wishes)
    control = None if wishes.clock is None else TimeControl.parse(wishes.clock)
    if not plain and is_possible():
        _run_in_app(wishes, strength, control)
        return
    if not plain and needs_textual():
        echo("The terminal app needs textual (pip install textual); this is the plain mode.")
    _run_plain(wishes, strength)


def _strength(wishes: Wishes) -> Level | None:
    if wishes.level is not None and wishes.simulations is not None:
        raise AgentError("expected --level or --simulations, got both")
    return None if wishes.level is None else level(wishes.level)


def _run_in_app(wishes: Wishes, strength: Level | None, control: TimeControl | None) -> None:
    from selfplay.tui.agents import Agents

    if wishes.watch is not None and (wishes.agent or wishes.against) is not None:
        raise AgentError("expected --watch or agents, got both")
    variant = _variant(wishes)
    agents = Agents(
        wishes.agent,
        simulations=wishes.simulations,
        level=strength,
        seed=wishes.seed,
        run=wishes.watch,
        against=wishes.against,
    )
    run_app(
        variant or games.load(USUAL),
        agents,
        first=wishes.first,
        control=control,
        seed=wishes.seed,
        chooses=variant is None,
    )


def _run_plain(wishes: Wishes, strength: Level | None) -> None:
    for name, wish in (("--watch", wishes.watch), ("--against", wishes.against), ("--clock", wishes.clock)):
        if wish is not None:
            raise UserError(f"{name} is for the terminal app; this is the plain mode")
    rules = _variant(wishes)
    if rules is None:
        raise UserError("expected a VARIANT, such as connect4 (see: selfplay variants)")
    player, notes = _player(wishes, rules, strength)
    if strength is not None:
        player = at_level(player, strength)
    play_in_terminal(rules, player, first=wishes.first, seed=wishes.seed, hints=wishes.hints, notes=notes)


def _variant(wishes: Wishes) -> Variant | None:
    if wishes.variant is not None:
        return games.load(wishes.variant)
    return None if wishes.watch is None else watched_variant(wishes.watch)


def _player(wishes: Wishes, rules: Variant, strength: Level | None) -> tuple[Player, list[str]]:
    if wishes.agent is not None:
        player = opponent(wishes.agent, simulations=wishes.simulations, seed=wishes.seed)
        return player, training_note(rules, player)
    assert wishes.variant is not None
    player, note = default_agent(
        rules, typed=wishes.variant, simulations=wishes.simulations, seed=wishes.seed, level=strength
    )
    return player, [note]
