"""Kill a training run at ten random instants, resume it each time, compare its end with an undisturbed run's.

    python benchmarks/kill_and_resume.py --json benchmarks/results/kill_and_resume.json

One thread and a budget of positions; weights, averaged weights and moments must be equal to the byte.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SETTINGS = (
    "network.blocks=1",
    "network.channels=16",
    "selfplay.games=32",
    "selfplay.threads=1",
    "selfplay.advances=64",
    "selfplay.simulations=8",
    "learner.batch_size=64",
    "learner.first_positions=300",
    "learner.window_min=500",
    "learner.window_max=3000",
    "checkpoint_seconds=1",
)
VARIANTS = ("tictactoe", "connect3-4x4")


def command(run: Path, positions: int) -> list[str]:
    """The training command: a new run, or the one that is there."""
    begin = [sys.executable, "-m", "selfplay", "train"]
    if (run / "run.json").exists():
        return [*begin, "--resume", "--run", str(run)]
    settings = [part for setting in SETTINGS for part in ("--set", setting)]
    return [*begin, *VARIANTS, "--run", str(run), "--positions", str(positions), *settings]


def final_digest(run: Path) -> str:
    """SHA-256 of the last checkpoint's learner."""
    last = sorted((run / "checkpoints").iterdir())[-1]
    return hashlib.sha256((last / "learner.safetensors").read_bytes()).hexdigest()


def main() -> None:
    """Run both, print what happened, exit with 1 if the ends differ."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--positions", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    instants = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        calm, killed = Path(folder) / "calm", Path(folder) / "killed"
        started = time.perf_counter()
        subprocess.run(command(calm, arguments.positions), check=True, capture_output=True)
        seconds = time.perf_counter() - started
        kills: list[dict[str, float]] = []
        while True:
            process = subprocess.Popen(
                command(killed, arguments.positions), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
            limit = instants.uniform(0.5, 0.5 * seconds) if len(kills) < arguments.kills else None
            try:
                _, errors = process.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                kills.append({"after_seconds": limit or 0.0, "checkpoints": count(killed)})
                print(f"killed after {limit:.1f} s with {count(killed)} checkpoints", flush=True)
                continue
            assert process.returncode == 0, errors.decode()
            if len(kills) < arguments.kills:
                print(f"the run ended after {len(kills)} kills; use more --positions", file=sys.stderr)
            break
        digests = {"undisturbed": final_digest(calm), "killed": final_digest(killed)}
    equal = digests["undisturbed"] == digests["killed"]
    report = {"kills": kills, "positions": arguments.positions, "sha256": digests, "equal": equal}
    print(json.dumps(report, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")
    sys.exit(not equal)


def count(run: Path) -> int:
    """Highest checkpoint number of a run, 0 before the first."""
    return max((int(p.name) for p in (run / "checkpoints").glob("[0-9]*") if p.name.isdigit()), default=0)


if __name__ == "__main__":
    main()
