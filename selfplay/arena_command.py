"""What `selfplay arena` does: seats the players, shows how it goes on, writes down what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from games import AgentError, Variant
from models.format import write_atomically
from selfplay.arena import (
    Encounter,
    Watcher,
    duel_lines,
    duel_report,
    encounter_line,
    forfeit_lines,
    game_records,
    play_duel,
    play_tournament,
    rating_table,
    tournament_report,
    unique_names,
)
from selfplay.match import Contestant
from selfplay.openings import Openings, draw_openings
from selfplay.opponents import load_contestant
from selfplay.sprt import Sprt

Echo = Callable[[str], object]


def run_arena(
    variant: Variant,
    specs: Sequence[str],
    *,
    games: int,
    simulations: int | None,
    opening_plies: int | None,
    anchor: str | None,
    sprt: tuple[float, float] | None,
    seed: int,
    threads: int,
    records: Path | None,
    echo: Echo,
) -> dict[str, Any]:
    """Play a tournament, or with `sprt` a duel, telling results as they come; returns it as JSON."""
    if len(specs) < 2 or (sprt is not None and len(specs) != 2):
        wanted = "two players" if sprt is not None else "at least two players"
        raise AgentError(f"expected {wanted}, got {len(specs)}")
    if sprt is not None and not sprt[0] < sprt[1]:
        raise AgentError(f"--sprt: expected a smaller and a larger difference, got {sprt[0]:g} {sprt[1]:g}")
    if anchor is not None and anchor not in specs:
        raise AgentError(f"--anchor: expected one of the players, got {anchor!r}")
    with ExitStack() as stack:
        players: list[Contestant] = []
        for index, spec in enumerate(specs):
            player = load_contestant(
                spec, variant, simulations=simulations, seed=seed + index, threads=threads
            )
            players.append(stack.enter_context(closing(player)))
        openings = draw_openings(variant, (games + 1) // 2, plies=opening_plies, seed=seed)
        echo(_openings_line(variant, openings))
        facts = {"specs": list(specs), "seed": seed, "threads": threads, "simulations": simulations}
        names = unique_names(players)
        n_pairings = len(players) * (len(players) - 1) // 2
        watcher = stack.enter_context(_Display(names, n_pairings, echo)).watcher
        if sprt is not None:
            duel = play_duel(players[0], players[1], openings, Sprt(*sprt), watcher=watcher)
            encounters: Sequence[Encounter] = [duel.encounter]
            watcher.ended(duel.encounter)
            lines, report = duel_lines(duel, names), duel_report(duel, variant, openings, names, **facts)
        else:
            zero = None if anchor is None else list(specs).index(anchor)
            tournament = play_tournament(variant, players, openings, anchor=zero, seed=seed, watcher=watcher)
            encounters = tournament.encounters
            lines, report = rating_table(tournament), tournament_report(tournament, **facts)
    for line in lines:
        echo(line)
    if records is not None:
        text = "".join(f"{line}\n" for line in game_records(encounters, names))
        write_atomically(records, text.encode())
    return report


def _openings_line(variant: Variant, openings: Openings) -> str:
    number = len(openings.positions)
    few = "" if openings.distinct == number else f", of which only {openings.distinct} differ"
    return (
        f"{variant.name}: {number} opening{'s' * (number != 1)} of up to {openings.plies} plies{few}, "
        "each played with both colours."
    )


class _Display:
    """A bar on a terminal; each pairing's result in a line of its own anywhere."""

    def __init__(self, names: Sequence[str], pairings: int, echo: Echo) -> None:
        self._names, self._pairings, self._echo = names, pairings, echo
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:3.0f} %"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("playing", total=float(pairings))
        self.watcher = Watcher(moves=self._moved, ended=self._ended)

    def __enter__(self) -> _Display:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _moved(self, number: int, share: float) -> None:
        self._bar.update(
            self._task, completed=number + share, description=f"pairing {number + 1} of {self._pairings}"
        )

    def _ended(self, encounter: Encounter) -> None:
        self._echo(encounter_line(encounter, self._names))
        for line in forfeit_lines(encounter, self._names):
            self._echo(line)
