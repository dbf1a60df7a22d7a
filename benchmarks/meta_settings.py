"""Settings of adaptation held side by side on the validation variants, each as a line of JSON.

    python -m benchmarks.meta_settings --set selfplay.solver_nodes=100 --seeds 2 --at 0 1000 2000

A line holds the settings that differ from `adapt`'s defaults, the seeds, and at each number of self-play
positions the mean over variants and seeds of the share of moves that keep the value where a mistake is
possible, by simulations a move, and the mean of seconds on one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.meta_study import Workers, one_thread_config
from games import UserError
from selfplay.meta.study import append_row

RESULTS = Path(__file__).parent / "results" / "meta" / "settings.jsonl"


@dataclass(frozen=True)
class Job:
    """One adaptation; number: which validation variant."""

    init: Path
    settings: tuple[str, ...]
    at: tuple[int, ...]
    simulations: tuple[int, ...]
    seed: int
    number: int


def main() -> None:
    """Measure one row of settings."""
    arguments = _arguments()
    try:
        row = compared(arguments)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    append_row(arguments.results, row)
    print(json.dumps(row), flush=True)


def compared(arguments: argparse.Namespace) -> dict[str, Any]:
    """All variants and seeds, side by side in processes."""
    from selfplay.meta.validation import validation_exams

    shared = arguments.init, tuple(arguments.set), tuple(arguments.at), tuple(arguments.simulations)
    jobs = [
        Job(*shared, seed, number)
        for seed in range(arguments.seeds)
        for number in range(len(validation_exams()))
    ]
    curves = []
    with Workers(arguments.processes) as pool:
        for done, curve in enumerate(pool.map(curve_of, jobs), 1):
            curves.append(curve)
            print(f"{done} of {len(jobs)}", file=sys.stderr, flush=True)
    return {
        "init": arguments.init.name,
        "settings": arguments.set,
        "seeds": arguments.seeds,
        "variants": len(jobs) // arguments.seeds,
        "points": [_mean([curve[k] for curve in curves]) for k in range(len(arguments.at))],
    }


def curve_of(job: Job) -> list[dict[str, Any]]:
    """The adaptation curve of one variant with one seed."""
    import torch

    from selfplay.meta.initialisation import Initialisation
    from selfplay.meta.measuring import measured_curve, suite_measure
    from selfplay.meta.validation import validation_exams

    torch.set_num_threads(1)
    exam = validation_exams()[job.number]
    config = one_thread_config(job.settings, positions=job.at[-1], seed=job.seed)
    training = Initialisation.load(job.init).training(config, (exam.variant,))
    return measured_curve(training, suite_measure(exam.variant, exam.suite, job.simulations), job.at)


def _mean(points: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One point of all curves; a variant in which no mistake is possible has no strength."""
    strength = {
        key: round(float(np.nanmean([np.nan if (x := p["strength"][key]) is None else x for p in points])), 4)
        for key in points[0]["strength"]
    }
    seconds = round(float(np.mean([point["seconds"] for point in points])), 1)
    return {"at": points[0]["at"], "strength": strength, "seconds": seconds}


def _arguments() -> argparse.Namespace:
    from selfplay.meta.adapt import released

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--init", type=Path, default=released())
    parser.add_argument("--set", action="append", default=[], help="a setting, KEY=VALUE; repeat")
    parser.add_argument("--at", type=int, nargs="+", default=(0, 1_000, 2_000), help="positions")
    parser.add_argument("--simulations", type=int, nargs="+", default=(0, 64), help="0: the policy alone")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
