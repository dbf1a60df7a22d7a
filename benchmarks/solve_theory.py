"""Which published game values does the exact solver reach, and does it agree? From the repository's root:

    python -m benchmarks.solve_theory --seconds 120 --json benchmarks/results/solver.json

Every claim of `tests/games/theory.py` gets the same time on one core, and a solver of its own. The file is
written after each claim, so that a run which is stopped leaves what it found. Of a board on which two
openings were not reached no more are tried.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections import Counter
from pathlib import Path
from typing import Any

import games
from games import SolveLimitError
from games.solver import Solver
from models.format import write_atomically
from tests.games.theory import MARK, Claim, claims

OPENINGS_TRIED = 2
"""Openings of a board that may fail before the others are passed over."""


def check(claim: Claim, *, seconds: float, memory: int) -> dict[str, Any]:
    """Solve one claim, as JSON."""
    solver = Solver(claim.position.variant, memory=memory)
    try:
        to_play = solver.value(claim.position, seconds=seconds)
        value = MARK[to_play if claim.position.to_play == 0 else -to_play]
        reached: dict[str, Any] = {"value": value, "agreed": value == claim.published}
    except SolveLimitError:
        reached = {"value": None, "agreed": None, "reason": f"not solved in {seconds:g} s"}
    return {
        "nodes": solver.nodes,
        "seconds": round(solver.seconds, 2),
        "nodes_per_second": round(solver.nodes / max(solver.seconds, 1e-9)),
        "table_fill": round(solver.fill, 3),
        **reached,
    }


def passed_over() -> dict[str, Any]:
    """The result of a claim that isn't tried."""
    return {
        "nodes": 0,
        "seconds": 0.0,
        "value": None,
        "agreed": None,
        "reason": "like other openings, not tried",
    }


def main() -> None:
    """Check every claim, say how it went, and write it down."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=120.0, help="for each claim")
    parser.add_argument("--memory", type=int, default=1024, help="MiB")
    parser.add_argument("--match", default="", help="only claims whose name begins with this")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    chosen = [claim for claim in claims() if claim.name.startswith(arguments.match)]
    games.solve(games.start(games.load("tictactoe")))  # so that no claim pays for compiling
    rows: list[dict[str, Any]] = []
    failed: Counter[str] = Counter()
    for number, claim in enumerate(chosen, 1):
        board = claim.position.variant.name
        if failed[board] >= OPENINGS_TRIED:
            result = passed_over()
        else:
            result = check(claim, seconds=arguments.seconds, memory=arguments.memory)
        failed[board] += result["agreed"] is None
        rows.append({"row": claim.name, "published": claim.published, "weak": claim.weak, **result})
        verdict = {True: "agreed", False: "DISAGREED", None: "not reached"}[result["agreed"]]
        print(
            f"{number}/{len(chosen)} {claim.name}: {verdict}, "
            f"{result['nodes']:,} nodes in {result['seconds']} s",
            flush=True,
        )
        if arguments.json:
            report = {
                "seconds_each": arguments.seconds,
                "memory_mb": arguments.memory,
                **machine(),
                "rows": rows,
            }
            write_atomically(arguments.json, (json.dumps(report, indent=1) + "\n").encode())


def machine() -> dict[str, str]:
    """What the numbers were measured on."""
    return {"machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"}


if __name__ == "__main__":
    main()
