"""Matches against engines of a Linux distribution: Fairy-Stockfish, and GNU Go at Go.

    python benchmarks/debian_engines.py --games 20

Ours is the tree search with random playouts (`mcts:N`), and at Connect Four the released agent. Openings
are drawn by a seed, each played with both colours. What an installed release of Fairy-Stockfish doesn't
know is written down as such. An engine that isn't installed is left out, and a line says how to install it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import games
from games import UserError
from selfplay.arena import Encounter, encounter_line, encounter_report, forfeit_lines, openings_report
from selfplay.match import play_match
from selfplay.openings import draw_openings
from selfplay.opponents.gtp import RECOMMENDED, GtpContestant
from selfplay.opponents.uci import UciContestant
from selfplay.player import Player

AGENT = Path(__file__).parents[1] / "models" / "zoo" / "connect4.onnx"
RESULTS = Path(__file__).parent / "results" / "debian_engines.json"

FAIRY_VARIANTS = ["breakthrough", "clobber", "amazons", "ataxx", "connect4", "gomoku-9x9"]
GO_VARIANTS = ["go-7", "go"]

PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/games"])
"""Where engines are looked for: Debian puts games outside the usual path."""


def main() -> None:
    """Play what is installed and write one JSON object."""
    arguments = _arguments()
    fairy = arguments.fairy or shutil.which("fairy-stockfish", path=PLACES)
    gnugo = shutil.which("gnugo", path=PLACES)
    if missing := [name for name, path in (("fairy-stockfish", fairy), ("gnugo", gnugo)) if not path]:
        print(f"skipped: {' and '.join(missing)} not found; on Debian: apt-get install {' '.join(missing)}")
    matches = []
    if fairy:
        command = f"{fairy}; go nodes {arguments.nodes}"
        matches += [_match(name, UciContestant, command, arguments) for name in FAIRY_VARIANTS]
    if gnugo:
        command = f"{RECOMMENDED.replace('gnugo', gnugo, 1)} --level {arguments.level}"
        matches += [_match(name, GtpContestant, command, arguments) for name in GO_VARIANTS]
    if matches:
        _write(matches, arguments.json)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--games", type=int, default=20, help="games of each match")
    parser.add_argument("--rollouts", type=int, default=1000, help="playouts a move of ours")
    parser.add_argument("--nodes", type=int, default=1000, help="nodes a move of Fairy-Stockfish")
    parser.add_argument("--fairy", help="another release of Fairy-Stockfish; default: the installed one")
    parser.add_argument("--level", type=int, default=1, help="level of GNU Go, 1 to 10")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=RESULTS)
    return parser.parse_args()


def _match(
    name: str, kind: type[UciContestant | GtpContestant], command: str, arguments: argparse.Namespace
) -> dict[str, Any]:
    """One match, or the line that says why there is none."""
    variant = games.load(name)
    spec = str(AGENT) if name == "connect4" else f"mcts:{arguments.rollouts}"
    ours = Player.load(spec, threads=arguments.processes)
    settings = {"variant": name, "ours": ours.description, "command": Path(command).name}
    began = time.perf_counter()
    try:
        engine = kind(command, variant, processes=arguments.processes)
    except UserError as error:
        print(f"{name}: left out: {error}")
        return {**settings, "left_out": str(error)}
    openings = draw_openings(variant, arguments.games // 2, seed=arguments.seed)
    with closing(engine):
        result = play_match(ours, engine, openings.positions)
    encounter = Encounter(0, 1, result, time.perf_counter() - began)
    names = (ours.description, engine.name)
    for line in (encounter_line(encounter, names), *forfeit_lines(encounter, names)):
        print(f"{name}: {line}")
    return {**settings, "openings": openings_report(openings), **encounter_report(encounter, names)}


def _write(matches: list[dict[str, Any]], path: Path) -> None:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine, "matches": matches}, indent=1) + "\n")


if __name__ == "__main__":
    main()
