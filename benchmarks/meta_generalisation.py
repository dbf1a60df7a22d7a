"""How far an initialisation generalises: how well it plays variants it has learned, and variants it hasn't.

    python -m benchmarks.meta_generalisation --init models/zoo/meta.safetensors

Solved positions of the validation and test variants are committed; those of `--learned` small training
variants of each list (the first ones, and those of `more.toml`) are solved here, as `meta_suites` solves
them, and kept in `--suites`. A line of JSON for each variant: its part, and the share of moves that keep the
value where a mistake is possible, without any adaptation, by simulations a move. At the end the means of all
initialisations that were measured are printed; `--table` prints only those.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.meta_study import Workers
from benchmarks.meta_suites import LEAST, held_out_parts, solve_suite
from games import UserError, Variant
from selfplay.meta.split import load_split
from selfplay.meta.study import append_row

RESULTS = Path(__file__).parent / "results" / "meta" / "generalisation.jsonl"

CELLS = 25
"""Of a training variant at most, so that its positions can be solved."""

POSITIONS = 100
"""Solved positions of a training variant."""

SEED = 5
"""Draws the training variants."""


@dataclass(frozen=True)
class Job:
    """One variant to be measured; suite: its solved positions, which may have to be made."""

    init: Path
    part: str
    variant: Variant
    suite: Path
    simulations: tuple[int, ...]


def main() -> None:
    """Measure one initialisation."""
    arguments = _arguments()
    try:
        if not arguments.table:
            _measure(arguments)
        rows = arguments.results.read_text(encoding="utf-8").splitlines()
        print(table([json.loads(row) for row in rows]))
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def _measure(arguments: argparse.Namespace) -> None:
    arguments.suites.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(arguments.init.read_bytes()).hexdigest()[:16]
    simulations = tuple(arguments.simulations)
    jobs = [
        Job(arguments.init, part, variant, suite, simulations)
        for part, variant, suite in [*_learned(arguments.learned, arguments.suites), *_held_out()]
    ]
    with Workers(arguments.processes) as pool:
        for done, (job, found) in enumerate(zip(jobs, pool.map(measured, jobs), strict=True), 1):
            if found is not None:
                about = {"init": arguments.init.name, "init_digest": digest, "part": job.part}
                append_row(arguments.results, {**about, "variant": job.variant.name, **found})
            share = "too few solved positions" if found is None else found["strength"]
            print(f"{done} of {len(jobs)}: {job.variant.name} ({job.part}): {share}", file=sys.stderr)


def _learned(number: int, suites: Path) -> Iterator[tuple[str, Variant, Path]]:
    """Some small variants of each list that was learned from."""
    first = {variant.digest for variant in load_split(more=False).train}
    small = [v for v in load_split().train if v.board.rows * v.board.columns <= CELLS]
    for part, inside in (("train, first", True), ("train, more", False)):
        variants = [variant for variant in small if (variant.digest in first) is inside]
        for at in np.random.default_rng(SEED).permutation(len(variants))[:number].tolist():
            yield part, variants[at], suites / f"{variants[at].digest}.jsonl"


def _held_out() -> Iterator[tuple[str, Variant, Path]]:
    """Those of the held-out variants that are solved."""
    from selfplay.meta.validation import suite_file

    for part, variant in held_out_parts().values():
        if (file := suite_file(variant)).exists():
            yield part, variant, file


def measured(job: Job) -> dict[str, Any] | None:
    """Facts and shares of a variant, None if too few of its positions can be solved."""
    import torch

    from models.format import write_atomically
    from selfplay.meta.initialisation import Initialisation
    from selfplay.meta.measuring import suite_measure
    from selfplay.suite import read_suite

    torch.set_num_threads(1)
    if not job.suite.exists():
        lines = solve_suite(job.variant, POSITIONS, seed=0).lines
        write_atomically(job.suite, "".join(line + "\n" for line in lines).encode())
    if not job.suite.stat().st_size:
        return None
    suite = read_suite(job.suite, job.variant)
    if len(suite) < LEAST:
        return None
    init = Initialisation.load(job.init)
    measure = suite_measure(job.variant, suite, job.simulations)
    weights = init.start(job.variant, seed=0)
    return {"positions": len(suite), "strength": measure(weights, init.net.config, init.mixing)["strength"]}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """A line a part: its variants, then each initialisation's mean shares, by simulations a move."""
    lines = []
    for part in dict.fromkeys(row["part"] for row in rows):
        by_init: dict[str, list[dict[str, float | None]]] = {}
        for row in rows:
            if row["part"] == part:
                by_init.setdefault(row["init"], []).append(row["strength"])
        means = [f"{name} {_means(found)} of {len(found)} variants" for name, found in by_init.items()]
        lines.append(f"{part}: {'; '.join(means)}")
    return "\n".join(lines)


def _means(found: Sequence[dict[str, float | None]]) -> str:
    known = {key: [row[key] for row in found if row[key] is not None] for key in found[0]}
    return ", ".join(f"{np.mean(np.array(shares, float)):.1%} at {key}" for key, shares in known.items())


def _arguments() -> argparse.Namespace:
    from games.compilation import CACHE_FOLDER
    from selfplay.meta.adapt import released

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--init", type=Path, default=released())
    parser.add_argument("--learned", type=int, default=30, help="training variants of each list")
    parser.add_argument("--simulations", type=int, nargs="+", default=(0, 64), help="0: the policy alone")
    suites = CACHE_FOLDER.parent / "suites"
    parser.add_argument("--suites", type=Path, default=suites, help="folder of what is solved here")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="measure nothing")
    return parser.parse_args()


if __name__ == "__main__":
    main()
