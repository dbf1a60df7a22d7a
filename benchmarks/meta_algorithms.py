"""Meta-train the initialisations that `benchmarks/meta_algorithms.toml` compares: one phase an algorithm.

    python -m benchmarks.meta_algorithms
    python benchmarks/meta_study.py --plan benchmarks/meta_algorithms.toml \
        --results benchmarks/results/meta/algorithms --at 0 500 1000 2000 --games 20 --seeds 1

Each phase goes on from the released initialisation for the same time on the same cores, so that what differs
is the algorithm. Joint training goes on, too: it is the control. A phase that is there isn't trained again,
one that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from games import UserError
from models.format import write_atomically
from selfplay.meta.adapt import released
from selfplay.meta.folder import BEST
from selfplay.meta.start import resume_meta_training, start_meta_training

RUNS = Path("runs/algorithms")
RESULTS = Path(__file__).parent / "results" / "meta" / "algorithms"

LEARNED_RATES = ("learning.inner_steps=3", "learning.inner_rate=0.01", "learning.learn_rates=true")
"""Of the gradient-based ones: small inner rates, which are learned (MAML++), keep them from diverging."""

GENTLE = ("learning.inner_rate=3e-4", "learning.reptile_rate=0.3")

PHASES: dict[str, tuple[str, ...]] = {
    "joint": ("learning.algorithm=joint",),
    "pretrain": ("learning.algorithm=pretrain",),
    "pretrain-rules-dropped": ("learning.algorithm=pretrain", "learning.rules_dropout=0.3"),
    "pretrain-rules-hidden": ("learning.algorithm=pretrain", "learning.rules_told=false"),
    "reptile": ("learning.algorithm=reptile", *GENTLE),
    "reptile-rules-hidden": ("learning.algorithm=reptile", "learning.rules_told=false", *GENTLE),
    "fomaml": ("learning.algorithm=fomaml", *LEARNED_RATES),
    "maml": ("learning.algorithm=maml", "learning.multi_step=true", *LEARNED_RATES),
    "anil": ("learning.algorithm=anil", *LEARNED_RATES),
    "meta-sgd": ("learning.algorithm=meta-sgd", "learning.inner_steps=3", "learning.inner_rate=0.01"),
    "cavia": ("learning.algorithm=cavia", *LEARNED_RATES),
    "learned-optimizer": ("learning.algorithm=learned-optimizer",),
    "prototypes": ("learning.algorithm=prototypes", *GENTLE),
    "fomaml-outcome": ("learning.algorithm=fomaml", "learning.inner_loss=outcome", *LEARNED_RATES),
    "fomaml-value": ("learning.algorithm=fomaml", "learning.inner_loss=value", *LEARNED_RATES),
}
"""Settings by name; the names are the arms of the plan."""


def main() -> None:
    """Train what isn't there yet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=3.0, help="of each phase")
    parser.add_argument("--only", nargs="+", choices=PHASES, default=list(PHASES), metavar="NAME")
    arguments = parser.parse_args()
    try:
        for name in arguments.only:
            train(name, arguments.minutes)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def train(name: str, minutes: float) -> None:
    """One phase, unless it is there; its summary goes into the results."""
    run = RUNS / name
    if (run / BEST).exists():
        print(f"{run} is there", flush=True)
        return
    settings = [
        f"minutes={minutes}",
        f"validation.every_minutes={minutes}",
        "validation.positions=0",
        "learning.outer_rate=5e-4",
        *PHASES[name],
    ]
    if run.exists():
        summary = resume_meta_training(run, settings)
    else:
        summary = start_meta_training(run, None, released(), None, settings)
    RESULTS.mkdir(parents=True, exist_ok=True)
    write_atomically(RESULTS / f"phase-{name}.json", (json.dumps(summary, indent=1) + "\n").encode())
    print(f"{name}: {summary['validation']}", flush=True)


if __name__ == "__main__":
    main()
