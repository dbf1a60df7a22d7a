"""Train Connect Four with one switch changed at a time, for the same minutes on the same cores.

    python -m benchmarks.ablations --plan benchmarks/ablations/connect4.toml --minutes 10 --seeds 2
    python -m benchmarks.ablations --plan benchmarks/ablations/connect4.toml --table

The plan names arms by their settings beside the base's. An arm's row says what it makes of four solved sets
after those minutes, with and without search; all their positions are ones in which a mistake is possible, and
none is a golden one (`connect4_positions.py` draws them). What is there isn't measured again, so a run that
was stopped goes on; nothing else should run meanwhile, for the clock is what is equal. With `--runs` the
agents stay, and one that is there isn't trained again.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import games
from benchmarks.solved import solved_errors, trained
from games import UserError
from selfplay.meta.study import append_row, read_rows

HERE = Path(__file__).parent
SUITE = HERE / "connect4_positions.jsonl"
SIMULATIONS = (0, 64)
VARIANT = "connect4"

Arms = Mapping[str, Sequence[str]]


def main() -> None:
    """Measure what isn't there yet, then print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--plan", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", action="append", default=[], help="only this arm; repeat")
    parser.add_argument("--results", type=Path, default=HERE.parent / "results" / "ablations.jsonl")
    parser.add_argument("--runs", type=Path, help="folder where the trained agents stay")
    parser.add_argument("--table", action="store_true", help="measure nothing")
    arguments = parser.parse_args()
    try:
        arms = read_arms(arguments.plan)
        if unknown := [name for name in arguments.only if name not in arms]:
            raise UserError(f"--only: expected one of {', '.join(arms)}, got {unknown[0]}")
        wanted = {name: arms[name] for name in arguments.only or arms}
        if not arguments.table:
            for row in measure(wanted, arguments.minutes, arguments.seeds, arguments.results, arguments.runs):
                print(line(row), flush=True)
        print(table(rows_of(wanted, read_rows(arguments.results))))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def read_arms(path: Path) -> dict[str, list[str]]:
    """Settings by arm, the base's first; `base` itself is an arm."""
    try:
        plan = tomllib.loads(path.read_text(encoding="utf-8"))
        base = list(plan["base"])
        arms = {"base": base} | {name: [*base, *changes] for name, changes in plan["arms"].items()}
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: expected base settings and arms as TOML, got {error!r}") from None
    return arms


def measure(
    arms: Arms, minutes: float, seeds: int, results: Path, runs: Path | None = None
) -> Iterator[dict[str, Any]]:
    """Rows that weren't there, one seed of all arms before the next; each is appended to the results."""
    there = {(row["arm"], row["seed"], row["minutes"], tuple(row["settings"])) for row in read_rows(results)}
    for seed in range(seeds):
        for name, settings in arms.items():
            if (name, seed, minutes, tuple(settings)) in there:
                continue
            row = {"arm": name, "variant": VARIANT, "seed": seed, "minutes": minutes}
            row["settings"] = list(settings)
            with nullcontext(runs) if runs else tempfile.TemporaryDirectory() as folder:
                complete = [*settings, f"minutes={minutes}", f"seed={seed}"]
                digest = hashlib.sha256("\n".join(complete).encode()).hexdigest()[:8]
                row |= judged(complete, Path(folder) / f"{name}-{seed}-{digest}")
            append_row(results, row)
            yield row


def judged(settings: Sequence[str], run: Path) -> dict[str, Any]:
    """What a training with these settings comes to: positions, steps, and errors on the solved sets."""
    variant = games.load(VARIANT)
    summary = trained(variant, run, settings)
    found = solved_errors(run, variant, SUITE, SIMULATIONS)
    return {"positions": summary["positions"], "steps": summary["steps"], "errors": found}


def line(row: Mapping[str, Any]) -> str:
    """A row in words."""
    found = ", ".join(f"{number} simulations {100 * e['mean']:.1f} %" for number, e in row["errors"].items())
    return f"{row['arm']} seed {row['seed']}: {row['positions']:,} positions; errors with {found}"


def rows_of(arms: Arms, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What was measured of these arms; other plans may give their names to other settings."""
    return [row for row in rows if list(arms.get(row["arm"], ())) == row["settings"]]


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Means over seeds as a Markdown table; the hardest set is the one that a run errs on most."""
    lines = [
        "| arm | seeds | positions | policy alone | 64 simulations | hardest set |",
        "|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(row["arm"] for row in rows):
        mine = [row for row in rows if row["arm"] == name]
        policy, search = ([row["errors"][str(n)]["mean"] for row in mine] for n in SIMULATIONS)
        hardest = [max(row["errors"][str(SIMULATIONS[-1])].values()) for row in mine]
        positions = statistics.mean(row["positions"] for row in mine)
        shares = " | ".join(f"{100 * statistics.mean(part):.1f} %" for part in (policy, search, hardest))
        lines.append(f"| {name} | {len(mine)} | {positions:,.0f} | {shares} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
