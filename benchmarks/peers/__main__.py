"""Self-play of Connect Four, ours beside other AlphaZero programs, in one run on the same cores.

    make bench-peers
    python -m benchmarks.peers --python .venv-peers/bin/python --json benchmarks/results/peers_selfplay.json

Everybody has the same cores, simulations and size of network, and plays with fresh weights in float32 or
whatever is fastest for it by default. Rounds alternate between the programs, so that a slow minute of the
machine hits all alike; ratios are medians of the rounds' ratios. Programs that play on one core run once on
each. A position is one that was searched for a move.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.peers.conditions import Conditions
from games import UserError
from models.format import write_atomically

ROOT = Path(__file__).parents[2]


class Program(NamedTuple):
    """A worker: its module and arguments, whose Python runs it, and whether one process uses all cores."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    is_ours: bool = False
    shares_cores: bool = True


PROGRAMS = (
    Program("ours", "ours", is_ours=True),
    Program("ours, int8", "ours", ("--int8",), is_ours=True),
    Program("pgx+mctx", "pgx_mctx"),
    Program("openspiel, jitted", "openspiel_alphazero", ("--jitted",), shares_cores=False),
    Program("openspiel, as shipped", "openspiel_alphazero", shares_cores=False),
    Program("alpha-zero-general's way", "general_style", is_ours=True, shares_cores=False),
)

WANTED = {"pgx+mctx": 6.0, "openspiel, jitted": 8.0, "openspiel, as shipped": 300.0}
"""Times as many positions that ours are to play."""


def main() -> None:
    """Measure, print and keep."""
    arguments = _arguments()
    try:
        report = compare(
            Conditions(
                tuple(arguments.cores),
                arguments.seconds,
                arguments.simulations,
                arguments.blocks,
                arguments.channels,
                arguments.batch,
            ),
            arguments.python,
            rounds=arguments.rounds,
        )
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    print(table(report))
    if arguments.json is not None:
        write_atomically(arguments.json, (json.dumps(report, indent=1) + "\n").encode())


def compare(conditions: Conditions, python: Path, *, rounds: int) -> dict[str, Any]:
    """Let all programs play in turns; positions a second by program and round, and ratios."""
    speeds: dict[str, list[float]] = {program.name: [] for program in PROGRAMS}
    for number in range(rounds):
        for program in PROGRAMS:
            speed = _speed(program, conditions, python)
            speeds[program.name].append(speed)
            print(f"round {number + 1} of {rounds}: {program.name} {speed:,.1f} positions/s", flush=True)
    ratios = {
        name: statistics.median(mine / theirs for mine, theirs in zip(speeds["ours"], found, strict=True))
        for name, found in speeds.items()
        if name != "ours"
    }
    return {
        "conditions": conditions._asdict(),
        "machine": {"processor": platform.processor() or platform.machine(), "cores": len(conditions.cores)},
        "positions_per_second": speeds,
        "ratios": ratios,
        "wanted": WANTED,
    }


def table(report: dict[str, Any]) -> str:
    """Medians and ratios as lines."""
    lines = []
    for name, speeds in report["positions_per_second"].items():
        line = f"{name:26} {statistics.median(speeds):10,.1f} positions/s"
        if name in report["ratios"]:
            line += f"   ours play {report['ratios'][name]:,.1f} times as many"
            line += f" (wanted {WANTED[name]:g})" if name in WANTED else ""
        lines.append(line)
    return "\n".join(lines)


def _speed(program: Program, conditions: Conditions, python: Path) -> float:
    """Positions a second of all of a program's processes together."""
    shares: Sequence[tuple[int, ...]] = [conditions.cores]
    if not program.shares_cores:
        shares = [(core,) for core in conditions.cores]
    workers = [_start(program, conditions._replace(cores=cores), python) for cores in shares]
    total = 0.0
    for worker in workers:
        output, errors = worker.communicate()
        if worker.returncode:
            raise UserError(
                f"expected {program.name} to play, got exit code {worker.returncode}: {errors[-400:]}"
            )
        found = json.loads(output.splitlines()[-1])
        total += found["positions"] / found["seconds"]
    return total


def _start(program: Program, conditions: Conditions, python: Path) -> subprocess.Popen[str]:
    command = [sys.executable if program.is_ours else str(python), "-m", f"benchmarks.peers.{program.module}"]
    for name, value in conditions._asdict().items():
        command += [f"--{name}", *map(str, value if isinstance(value, tuple) else (value,))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(
        [*command, *program.arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _arguments() -> argparse.Namespace:
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", type=Path, default=Path(".venv-peers/bin/python"), help="of the peers")
    parser.add_argument("--cores", type=int, nargs="+", default=cores)
    parser.add_argument("--seconds", type=float, default=20.0, help="of one program in one round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--simulations", type=int, default=32)
    parser.add_argument("--blocks", type=int, default=4)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--batch", type=int, default=256, help="games side by side, where a program has them")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if not arguments.python.exists():
        parser.error(f"expected the peers' Python, got nothing at {arguments.python}; make bench-peers")
    return arguments


if __name__ == "__main__":
    main()
