"""Learn a game from nothing for an hour on this machine, and measure what came of it.

    python -m benchmarks.strength hex-7
    python -m benchmarks.strength connect4 --minutes 60 --seed 1 --set selfplay.solver_nodes=500
    python -m benchmarks.strength hex-7 --release

The clock counts everything from the start; with an empty `SELFPLAY_CACHE`, compiling too. A run that was
stopped goes on; one that is over isn't trained again. The last agent meets the opponent that `OPPONENTS`
names, with `SIMULATIONS` a move, the agents of six moments on the way plain tree search with 1,000 playouts;
Connect Four is held against solved positions, 7x7 Hex against its table of openings. `--release` puts the
last agent, and its weights, into `models/zoo/`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

import games
import models
from benchmarks.solved import THREADS, solved_errors, trained
from games import Position, UserError, Variant
from games.position import swap_action
from models.format import zoo_file
from selfplay.arena_command import run_arena
from selfplay.bench import machine
from selfplay.evaluate import load_players
from selfplay.options import write_json
from selfplay.run import archived_agents
from selfplay.versions import versions
from tests.games.theory import claims

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "strength"
SUITES = {"connect4": ROOT / "tests" / "golden" / "connect4_positions.jsonl"}

SIMULATIONS = 64
GAMES = 100
GAMES_ON_THE_WAY = 40
MOMENTS = 6
FIRST_OPPONENT = "mcts:1000"

OPPONENTS = {
    "connect4": "openspiel:mcts:1000",
    "gomoku-9x9": "openspiel:mcts:10000",
    "othello-6x6": "mcts:10000",
    "hex-7": "openspiel:mcts:10000",
    "breakthrough-6x6": "openspiel:mcts:10000",
}
"""Whom the last agent meets; OpenSpiel's search where it has the game."""


class Moment(NamedTuple):
    """An agent on the way: a file that players can be loaded from, and when it was."""

    agent: Path
    seconds: float
    positions: int


def main() -> None:
    """Train, measure, keep."""
    arguments = _arguments()
    name = arguments.game if not arguments.seed else f"{arguments.game}-{arguments.seed}"
    run, file = arguments.runs / name, arguments.results / f"{name}.json"
    settings = [f"minutes={arguments.minutes}", f"seed={arguments.seed}", *arguments.set]
    try:
        variant = games.load(arguments.game)
        report = read_report(file)
        if report.get("settings") != settings:
            report = {"game": variant.name, "settings": settings, "machine": machine() | versions()}
        if "training" not in report:
            keep(file, report | {"training": trained(variant, run, settings)}, report)
        if "result" not in report:
            keep(file, report | {"result": final(variant, run / "agent.onnx")}, report)
        if "curve" not in report:
            keep(file, report | {"curve": [on_the_way(variant, m) for m in moments(run)]}, report)
        if arguments.release:
            shutil.copy(run / "agent.onnx", zoo_file(f"{variant.name}.onnx"))
            shutil.copy(archived_agents(run)[-1], zoo_file(f"{variant.name}.safetensors"))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def final(variant: Variant, agent: Path) -> dict[str, Any]:
    """The last agent's match, and what is known of the game."""
    found: dict[str, Any] = {"match": match(variant, agent, OPPONENTS[variant.name], GAMES)}
    if variant.name in SUITES:
        found["errors"] = solved_errors(agent, variant, SUITES[variant.name], (0, SIMULATIONS))
    if variant.name == "hex-7":
        found["openings"] = openings_answered(variant, agent)
    print(json.dumps({key: value for key, value in found.items() if key != "match"}), flush=True)
    return found


def on_the_way(variant: Variant, moment: Moment) -> dict[str, Any]:
    """How strong an earlier agent was."""
    row: dict[str, Any] = {"seconds": moment.seconds, "positions": moment.positions}
    if variant.name in SUITES:
        row["errors"] = solved_errors(moment.agent, variant, SUITES[variant.name], (0, SIMULATIONS))
    else:
        row["points"] = match(variant, moment.agent, FIRST_OPPONENT, GAMES_ON_THE_WAY)["points"]
    print(json.dumps(row), flush=True)
    return row


def match(variant: Variant, agent: Path, opponent: str, number: int) -> dict[str, Any]:
    """Games from even, distinct openings, each with both colours."""
    report = run_arena(
        variant,
        [str(agent), opponent],
        games=number,
        simulations=SIMULATIONS,
        opening_plies=None,
        anchor=None,
        sprt=None,
        seed=0,
        threads=THREADS,
        records=None,
        echo=lambda line: print(line, flush=True),
    )
    (encounter,) = report["pairings"]
    return {"opponent": opponent, "simulations": SIMULATIONS, **encounter}


def openings_answered(variant: Variant, agent: Path) -> dict[str, Any]:
    """Does the second player take over exactly the first stones that win? By simulations."""
    last = variant.board.rows * variant.board.columns - 1
    first_moves: dict[int, bool] = {}  # does it win, if it stays?
    for claim in claims():
        if claim.name.startswith("hex 7x7,"):
            cell = int(claim.position.actions[0])
            first_moves[cell] = first_moves[last - cell] = claim.published == "first"
    positions: list[Position] = [games.start(variant).play(move) for move in first_moves]
    found: dict[str, Any] = {}
    numbers = (0, SIMULATIONS, 10 * SIMULATIONS)
    for number, player in zip(numbers, load_players(str(agent), numbers, threads=THREADS), strict=True):
        answers = [int(action) == swap_action(variant) for action in player.choose_many(positions)]
        right = [swaps == wins for swaps, wins in zip(answers, first_moves.values(), strict=True)]
        wrong = [
            games.start(variant).action_text(m) for m, r in zip(first_moves, right, strict=True) if not r
        ]
        found[str(number)] = {"right": sum(right), "openings": len(right), "wrong": wrong}
    return found


def moments(run: Path) -> list[Moment]:
    """About equally distant agents of a run, the last one too."""
    every = []
    for file in archived_agents(run):
        _, about = models.load_checkpoint(file)
        every.append(Moment(file, about["seconds"], about["positions"]))
    wanted = [every[-1].seconds * (k + 1) / MOMENTS for k in range(MOMENTS)]
    nearest = (min(every, key=lambda m: abs(m.seconds - seconds)) for seconds in wanted)
    return list(dict.fromkeys(nearest))


def keep(file: Path, report: dict[str, Any], into: dict[str, Any]) -> None:
    """Write down what is known so far."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json(file, report)
    into.update(report)


def read_report(file: Path) -> dict[str, Any]:
    """What is known so far; nothing if there is no such file."""
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("game", choices=OPPONENTS)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the training")
    parser.add_argument("--runs", type=Path, default=Path("runs/strength"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--release", action="store_true", help="the agent becomes the game's default")
    return parser.parse_args()


if __name__ == "__main__":
    main()
