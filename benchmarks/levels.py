"""Each level of `selfplay play` against the one below it, as docs/terminal.md tells.

    python -m benchmarks.levels --json benchmarks/results/levels.json

The agents and the exact solver are those that the app takes. Distinct even openings, each with both colours;
fewer games for the longest searches.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import games
from benchmarks.solved import THREADS
from models.format import zoo_file
from selfplay.bench import machine
from selfplay.levels import LEVELS, at_level
from selfplay.match import play_match
from selfplay.openings import draw_openings
from selfplay.options import write_json
from selfplay.player import USUAL_SOLVER_NODES, Player
from selfplay.versions import versions

ROOT = Path(__file__).parents[1]
GAMES, FEWER_GAMES = 100, 40
LONG = 1000
"""Simulations from which on fewer games are played."""


def main() -> None:
    """Play, print a line a match, write them all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("games", nargs="*", default=["connect4", "othello-6x6"], metavar="GAME")
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "levels.json")
    arguments = parser.parse_args()
    matches = [row for name in arguments.games for row in climb(name)]
    write_json(arguments.json, {"machine": machine() | versions(), "matches": matches})


def climb(name: str) -> list[dict[str, object]]:
    """Every match of a game's own agent with itself, from weak to strong."""
    agent = Player.load(zoo_file(f"{name}.onnx"), threads=THREADS, solver_nodes=USUAL_SOLVER_NODES)
    rows: list[dict[str, object]] = []
    for lower, upper in pairwise(LEVELS):
        number = FEWER_GAMES if upper.simulations >= LONG else GAMES
        openings = draw_openings(games.load(name), number // 2).positions
        result = play_match(at_level(agent, upper), at_level(agent, lower), openings)
        row = {"game": name, "level": upper.name, "below": lower.name, "games": number}
        rows.append(row | {"points": result.points, "interval": list(result.interval)})
        print(f"{name}: {upper.name} takes {100 * result.points:.0f} % against {lower.name}", flush=True)
    agent.close()
    return rows


if __name__ == "__main__":
    main()
