"""Solve positions of the held-out variants: `selfplay/meta/suites/NAME.jsonl`, for `evaluate --suite`.

    nice -n 19 python benchmarks/meta_suites.py

Positions are spread evenly over the length of games between players who are sometimes good and sometimes
random; those in which some moves keep the value and others lose it come first. Limits are counted in
nodes, so that the same seed makes the same files; a clock stands behind them. Suites that are there aren't
made again; `index.json` says what each of them holds, and which variants were too hard.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from games import Position, SolveLimitError, Variant, start
from games.playtest import think
from games.solver import Solver
from selfplay.meta.split import load_split
from selfplay.openings import CanonicalKey, canonical_key

FOLDER = Path(__file__).parents[1] / "selfplay" / "meta" / "suites"

STAGES = 10
"""Parts of a game's length from which as many positions each are wanted, as far as there are."""

SET_NAMES = ("opening", "middle", "end")

NODES_A_POSITION = 500_000
NODES = 20_000_000
"""Limits of the solver: one position with all its actions, and one suite; half a minute."""

SECONDS = 60.0
"""Of solving, for one suite at most: some rules (superko) make nodes many times slower than others."""

GAMES = 4000
"""Games that are played for one suite at most."""

STAGES_A_GAME = 3
"""Positions that a game gives at most."""

GIVEN_UP, EXHAUSTED = 6, 60
"""A stage is closed after so many positions that weren't solved, beyond half of those that were; or after
so many in a row that were there before."""

LEAST = 30
"""Positions under which a suite isn't written."""

SPARE = 4
"""Positions in which the choice matters for one, at least, in which any move is as good."""

THINKING = 64
MEMORY = 512


@dataclass
class Stage:
    """Positions of one part of the game's length.

    Attributes:
        open: lines with a choice that matters.
        spare: lines without.
        failures: positions that weren't solved.
        repeats: positions that were there before since the last new one.
    """

    open: list[str] = field(default_factory=list)
    spare: list[str] = field(default_factory=list)
    failures: int = 0
    repeats: int = 0

    @property
    def too_hard(self) -> bool:
        """Whether its positions can't be solved within the limits."""
        return self.failures >= GIVEN_UP + (len(self.open) + len(self.spare)) // 2

    @property
    def closed(self) -> bool:
        """Whether it has nothing more to give."""
        return self.too_hard or self.repeats >= EXHAUSTED

    def repeat(self) -> None:
        """A position was there before."""
        self.repeats += 1

    def take(self, position: Position, at: int, solver: Solver) -> None:
        """Solve a new position and put it where it belongs."""
        self.repeats = 0
        try:
            values = solver.action_values(position, nodes=NODES_A_POSITION, seconds=SECONDS / 10)
        except SolveLimitError:
            self.failures += 1
            return
        mattering = len(set(values.values())) > 1
        (self.open if mattering else self.spare).append(_line(position, values, at))


@dataclass(frozen=True)
class Suite:
    """A variant's solved positions.

    Attributes:
        lines: of the file.
        facts: what `index.json` says of it.
    """

    lines: list[str]
    facts: dict[str, Any]


def solve_suite(
    variant: Variant, number: int, *, seed: int, progress: Callable[[int], None] | None = None
) -> Suite:
    """Up to `number` distinct solved positions; progress is told how many there are."""
    random = np.random.default_rng(seed)
    solver = Solver(variant, memory=MEMORY)
    stages = [Stage() for _ in range(STAGES)]
    seen: set[CanonicalKey] = set()
    for _ in range(GAMES):
        found = sum(len(stage.open) for stage in stages)
        wanted = [at for at in random.permutation(STAGES).tolist() if not stages[at].closed]
        if found >= number or not wanted or solver.nodes >= NODES or solver.seconds >= SECONDS:
            break
        if progress:
            progress(found)
        game = _game(variant, random)
        for at in sorted(wanted, key=lambda at: len(stages[at].open))[:STAGES_A_GAME]:
            position = game[int((at + random.random()) / STAGES * len(game))]
            if (key := canonical_key(position)) in seen:
                stages[at].repeat()
                continue
            seen.add(key)
            stages[at].take(position, at, solver)
    lines = _chosen(stages, number)
    return Suite(lines, _facts(variant, lines, stages, solver))


def _game(variant: Variant, random: np.random.Generator) -> list[Position]:
    """The positions of a game in which a move is due; each game has its own share of good moves."""
    position, positions = start(variant), []
    good = random.random()
    while not position.is_over:
        positions.append(position)
        if random.random() < good:
            action = think(position, simulations=THINKING, seed=int(random.integers(2**31))).action
        else:
            action = int(random.choice(position.legal_actions))
        position = position.play(action)
    return positions


def _line(position: Position, values: dict[int, int], at: int) -> str:
    entry = {
        "set": SET_NAMES[at * len(SET_NAMES) // STAGES],
        "variant_digest": position.variant.digest,
        "actions": list(position.actions),
        "values": {position.action_text(action): value for action, value in values.items()},
    }
    return json.dumps(entry, separators=(",", ":"))


def _chosen(stages: list[Stage], number: int) -> list[str]:
    """Lines by stage: those with a choice, and where there are too few, some without."""
    lines = [line for stage in stages for line in stage.open][:number]
    spare = [line for stage in stages for line in stage.spare]
    room = min(number - len(lines), len(lines) // SPARE)
    return lines + spare[:: max(1, len(spare) // max(1, room))][:room]


def _facts(variant: Variant, lines: list[str], stages: list[Stage], solver: Solver) -> dict[str, Any]:
    plies = [len(json.loads(line)["actions"]) for line in lines]
    nodes, clock_ran_out = solver.nodes, solver.seconds >= SECONDS
    deciding = {line for stage in stages for line in stage.open}
    try:
        value: int | None = solver.value(start(variant), nodes=NODES_A_POSITION * 10, seconds=SECONDS / 2)
    except SolveLimitError:
        value = None
    return {
        "digest": variant.digest,
        "positions": len(lines),
        "choice_matters": sum(line in deciding for line in lines),
        "plies": [min(plies), max(plies)] if plies else [],
        "stages_too_hard": sum(stage.too_hard for stage in stages),
        "first_player": value,
        "solver_nodes": nodes,
        "clock_ran_out": clock_ran_out,
    }


# --- the folder ---------------------------------------------------------------------------------------------


def held_out_parts() -> dict[str, tuple[str, Variant]]:
    """Held-out variants by name, each with the part and the kind it belongs to."""
    split = load_split()
    parts = {"validation": split.validation_by_kind, "test": split.test}
    return {
        variant.name: (f"{part}, {kind}", variant)
        for part, kinds in parts.items()
        for kind, variants in kinds.items()
        for variant in variants
    }


def _wanted(index: dict[str, Any], folder: Path, name: str, variant: Variant) -> bool:
    """Whether a suite has to be made: it isn't there, or is of other rules."""
    known = index.get(name)
    if known is None or known["digest"] != variant.digest:
        return True
    return known["positions"] >= LEAST and not (folder / f"{name}.jsonl").exists()


def _write(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def main() -> None:
    """Make the suites that are missing, one after another."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("variants", nargs="*", metavar="VARIANT", help="default: all that are held out")
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    folder: Path = arguments.out
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.json"
    index: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    for name, (part, variant) in held_out_parts().items():
        if (not arguments.variants or name in arguments.variants) and _wanted(index, folder, name, variant):
            suite = _shown(variant, arguments.number, arguments.seed)
            index[name] = {"part": part, **suite.facts}
            if len(suite.lines) >= LEAST:
                _write(folder / f"{name}.jsonl", "\n".join(suite.lines) + "\n")
            _write(path, json.dumps(index, indent=1) + "\n")
            print(name, json.dumps(index[name]), flush=True)


def _shown(variant: Variant, number: int, seed: int) -> Suite:
    """`solve_suite` with a line that counts its positions."""
    columns = (TextColumn(variant.name), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=number)
        return solve_suite(
            variant, number, seed=seed, progress=lambda found: bar.update(task, completed=found)
        )


if __name__ == "__main__":
    main()
