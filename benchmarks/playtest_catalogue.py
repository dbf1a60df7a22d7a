"""Let plain search play every variant of the catalogue against itself, and write down how the games went.

    python benchmarks/playtest_catalogue.py --games 20 --simulations 100

A variant that nobody has played before should be decided, and by neither side more than nine times in ten.
The table is written after each variant, so an interrupted run leaves what it has.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from games import degenerate, load, names
from games.playtest import playtest

SHARES = {"first": "first_share", "draws": "draws", "capped": "capped"}
RESULT = Path(__file__).parent / "results" / "playtest.json"


def main() -> None:
    """Play, print a line for each variant, write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("variants", nargs="*", metavar="VARIANT", help="default: the whole catalogue")
    parser.add_argument("--games", type=int, default=20)
    parser.add_argument("--simulations", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=RESULT)
    arguments = parser.parse_args()
    settings = {key: getattr(arguments, key) for key in ("games", "simulations", "seed")}
    rows: dict[str, Any] = {}
    for name in arguments.variants or names():
        rows[name] = row(name, **settings)
        print(line(name, rows[name]), flush=True)
        table = {"machine": platform.machine(), "settings": settings, "variants": rows}
        arguments.json.write_text(json.dumps(table, indent=1) + "\n")


def row(name: str, *, games: int, simulations: int, seed: int) -> dict[str, Any]:
    """One variant's playtest, with the judgement and the time it took."""
    variant = load(name)
    started = time.perf_counter()
    seen = playtest(variant, games=games, simulations=simulations, seed=seed)
    seconds = round(time.perf_counter() - started, 2)
    facts = {
        key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(seen).items()
    }
    return {"digest": variant.digest, **facts, "degenerate": degenerate(seen), "seconds": seconds}


def line(name: str, row: dict[str, Any]) -> str:
    """A variant's row as a person reads it."""
    shares = "  ".join(f"{label} {row[key]:>4.0%}" for label, key in SHARES.items())
    return (
        f"{name:<24} {shares}  "
        f"{row['moves']:>6.1f} moves  {row['branching']:>6.1f} legal  {row['seconds']:>6.1f} s  "
        f"{row['degenerate'] or ''}"
    )


if __name__ == "__main__":
    main()
