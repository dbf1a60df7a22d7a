"""Draw more variants to learn from: `selfplay/meta/more.toml`, beside the split, whose held-out parts stay.

    python -m benchmarks.meta_more --number 600

They come from one space with nearly everything in it, so that most put mechanisms together as no recipe of
the split does. What the split holds out is held out here, too: mechanisms, pairs of mechanisms, and
parameters of families. The same seed makes the same file, whatever the number of processes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.meta_split import NOWHERE_BUT_IN_TESTS, SMALL, essence, named, part_lines
from games import Space, Variant, fingerprint, load, names, sample_variant
from games.sampling import examine
from selfplay.meta.split import Split, faults, load_split, mechanisms, parameters

FILE = Path(__file__).parent.parent / "selfplay" / "meta" / "more.toml"

EVERYTHING: dict[str, Any] = SMALL | {
    "kinds": {"place": 4, "drop": 1, "step": 3, "slide": 2},
    "conditions": {
        "anywhere": 6, "must_flip": 2, "beside_own": 1, "beside_enemy": 1, "beside_any": 1, "keeps_liberty": 2
    },
    "effects": {"none": 4, "flip": 1, "take_enclosed": 1, "surround": 1},
    "cells": {"square": 2, "hex": 1},
    "shoot": 0.0,
    "second_goal": 0.2,
    "misere": 0.15,
}  # fmt: skip

CHUNK = 32
"""Drafts that a process takes at a time."""


def main() -> None:
    """Draw and write; what is drawn has no faults beside the split."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--number", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=FILE)
    arguments = parser.parse_args()
    split = load_split(more=False)
    drawn = draw(arguments.number, arguments.seed, split, arguments.processes)
    whole = Split((*split.train, *drawn), split.validation_by_kind, split.test)
    if found := faults(whole):
        raise SystemExit("\n".join(found))
    lines = ["# Written by `python -m benchmarks.meta_more`.", f"seed = {arguments.seed}"]
    arguments.out.write_text("\n".join([*lines, *part_lines("train", drawn)]) + "\n", encoding="utf-8")
    print(json.dumps({"variants": len(drawn), "families": len({mechanisms(v) for v in drawn})}))


def draw(number: int, seed: int, split: Split, processes: int) -> list[Variant]:
    """So many distinct variants that are worth learning from and not held out."""
    known = [*split.train, *split.held_out, *map(load, names())]
    seen = {key for variant in known for key in (essence(variant), fingerprint(variant), variant.name)}
    held = {(mechanisms(variant), parameters(variant)) for variant in split.held_out}
    taken: list[Variant] = []
    began = time.perf_counter()
    with ProcessPoolExecutor(processes) as pool:
        for first in count(0, CHUNK * processes):
            starts = [seed * 10_000_019 + first + CHUNK * i for i in range(processes)]
            for variant in [_drawn(n) for part in pool.map(_worth_it, starts) for n in part]:
                keys = {essence(variant), fingerprint(variant), variant.name}
                if keys & seen or (mechanisms(variant), parameters(variant)) in held:
                    continue
                seen |= keys
                taken.append(variant)
            print(f"{time.perf_counter() - began:6.0f} s  {len(taken)}", file=sys.stderr, flush=True)
            if len(taken) >= number:
                return taken[:number]
    raise AssertionError("counting never ends")


def _drawn(seed: int) -> Variant:
    return named(sample_variant(seed, space=Space.model_validate(EVERYTHING)))


def _worth_it(first: int) -> list[int]:
    """Seeds of those of some drafts that may be learned from and aren't degenerate."""
    found = []
    for seed in range(first, first + CHUNK):
        variant = _drawn(seed)
        if NOWHERE_BUT_IN_TESTS(variant, frozenset()) and examine(variant, seed=seed).refusal is None:
            found.append(seed)
    return found


if __name__ == "__main__":
    main()
