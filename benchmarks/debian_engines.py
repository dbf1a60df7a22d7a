"""Matches against engines of a Linux distribution: Fairy-Stockfish, and GNU Go at Go.

    python benchmarks/debian_engines.py --games 20

Ours is the tree search with random playouts (`mcts:N`), and at Connect Four the released agent. Openings
are random, each played with both colours. What an installed release of Fairy-Stockfish doesn't know is
written down as such. An engine that isn't installed is left out, and a line says how to install it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import games
from games import Position, UserError, Variant
from selfplay.match import Contestant, Forfeit, play_match
from selfplay.opponents.gtp import RECOMMENDED, GtpContestant
from selfplay.opponents.uci import UciContestant
from selfplay.player import Player

AGENT = Path(__file__).parents[1] / "models" / "zoo" / "connect4.onnx"
RESULTS = Path(__file__).parent / "results" / "debian_engines.json"

FAIRY_VARIANTS = ["breakthrough", "clobber", "amazons", "ataxx", "connect4", "gomoku-9x9"]
GO_VARIANTS = ["go-7", "go"]

PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/games"])
"""Where engines are looked for: Debian puts games outside the usual path."""

OPENING_PLIES = 4
"""Even, so that a move of origin and target is never cut in two; Amazons counts in threes and gets 6."""


def main() -> None:
    """Play what is installed and write one JSON object."""
    arguments = _arguments()
    fairy = arguments.fairy or shutil.which("fairy-stockfish", path=PLACES)
    gnugo = shutil.which("gnugo", path=PLACES)
    if missing := [name for name, path in (("fairy-stockfish", fairy), ("gnugo", gnugo)) if not path]:
        print(f"skipped: {' and '.join(missing)} not found; on Debian: apt-get install {' '.join(missing)}")
    matches = []
    if fairy:
        matches += [_against_fairy(name, fairy, arguments) for name in FAIRY_VARIANTS]
    if gnugo:
        matches += [_against_gnugo(name, gnugo, arguments) for name in GO_VARIANTS]
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


def _against_fairy(name: str, path: str, arguments: argparse.Namespace) -> dict[str, Any]:
    command = f"{path}; go nodes {arguments.nodes}"
    return _match(
        name,
        lambda variant: UciContestant(command, variant, processes=arguments.processes),
        command,
        arguments,
    )


def _against_gnugo(name: str, path: str, arguments: argparse.Namespace) -> dict[str, Any]:
    command = f"{RECOMMENDED.replace('gnugo', path, 1)} --level {arguments.level}"
    return _match(
        name,
        lambda variant: GtpContestant(command, variant, processes=arguments.processes),
        command,
        arguments,
    )


def _match(
    name: str, begin: Callable[[Variant], Contestant], command: str, arguments: argparse.Namespace
) -> dict[str, Any]:
    """One match, or the line that says why there is none."""
    variant = games.load(name)
    ours = Player.load(AGENT) if name == "connect4" else Player.load(f"mcts:{arguments.rollouts}")
    settings = {"variant": name, "ours": ours.description, "command": Path(command).name}
    started = time.perf_counter()
    try:
        engine = begin(variant)
    except UserError as error:
        print(f"{name}: left out: {error}")
        return {**settings, "left_out": str(error)}
    try:
        result = _play(variant, ours, engine, arguments)
    finally:
        engine.close()
    report = {**settings, "engine": engine.name, **result, "seconds": time.perf_counter() - started}
    print(
        f"{name}: {ours.description} against {engine.name}: {report['wins']} wins, {report['draws']} draws, "
        f"{report['losses']} losses, forfeits: {report['forfeits'] or 'none'}"
    )
    return report


def _play(
    variant: Variant, ours: Player, engine: Contestant, arguments: argparse.Namespace
) -> dict[str, Any]:
    """The one call of `play_match`: wins, draws, losses of ours, and the engine's forfeits by reason."""
    judged = _Judged(engine)
    result = play_match(
        variant,
        ours,
        judged,
        games=arguments.games,
        opening_plies=6 if variant.move.shoot else OPENING_PLIES,
        seed=arguments.seed,
    )
    return {**result._asdict(), "forfeits": judged.reasons, "points": result.points}


class _Judged:
    """An engine whose forfeits are counted; a forfeited game goes on with the first legal moves."""

    def __init__(self, engine: Contestant) -> None:
        self._engine = engine
        self.reasons: dict[str, int] = {}

    def choose_many(self, positions: Sequence[Position]) -> list[int]:
        """The engine's answers, and the first legal action where there is none."""
        answers = self._engine.choose_many(positions)
        actions = []
        for position, answer in zip(positions, answers, strict=True):
            if isinstance(answer, Forfeit):
                self.reasons[answer.reason] = self.reasons.get(answer.reason, 0) + 1
                actions.append(int(position.legal_actions[0]))
            else:
                actions.append(answer)
        return actions


def _write(matches: list[dict[str, Any]], path: Path) -> None:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine, "matches": matches}, indent=1) + "\n")


if __name__ == "__main__":
    main()
