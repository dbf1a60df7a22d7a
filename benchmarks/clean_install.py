"""Install without extras into an environment of its own, and play there: no torch, how large, how soon.

    python benchmarks/clean_install.py --json benchmarks/results/clean_install.json

Takes some minutes, mostly to compile the kernels anew. Ends with 1 where a promise is broken.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PACKAGED = ("games", "mcts", "models", "selfplay", "pyproject.toml", "README.md", "LICENSE")
INSTALLER = frozenset({"pip", "setuptools", "pkg_resources", "_distutils_hack", "wheel"})
"""Folders that an empty environment has as well."""

LLVM = "llvmlite"
"""The compiler behind numba, nearly half of everything; the limit leaves it out and the result doesn't."""

MOST_MEGABYTES_BESIDES_LLVM = 250
MOST_MEGABYTES = 450
MOST_IMPORT_SECONDS = 0.5

STATEMENTS = ("pass", "import selfplay", "import numpy, numba", "from selfplay import Player")

PLAY = """
import importlib.util, json, os, time
began = time.perf_counter()
import games
from models.format import zoo_file
from selfplay import Player
position = games.start(games.load("connect4"))
player = Player.load(zoo_file("connect4.onnx"), simulations=64)
moves = ""
while not position.is_over and len(moves) < 6:
    action = player.choose(position)
    if not moves:
        first = {"clock": round(time.perf_counter() - began, 2), "processor": round(sum(os.times()[:2]), 2)}
    moves += position.action_text(action)[0]
    position = position.play(action)
missing = [name for name in ("torch", "onnx") if importlib.util.find_spec(name) is None]
print(json.dumps({"missing": missing, "moves": moves, "first_move_seconds": first}))
"""


def main() -> int:
    """Install, measure, play, write the result; 1 where a promise is broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "clean_install.json")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder))
    print(json.dumps(result, indent=1))
    arguments.json.write_text(json.dumps(result, indent=1) + "\n")
    for fault in (faults := list(broken(result))):
        print(f"broken: {fault}", file=sys.stderr)
    return 1 if faults else 0


def measure(folder: Path) -> dict[str, Any]:
    """Everything about an installation in a new environment in this folder."""
    python = install(folder)
    (packages,) = folder.glob("environment/lib/python*/site-packages")
    sizes = {entry.name: size(entry) / 1e6 for entry in packages.iterdir() if entry.name not in INSTALLER}
    largest = sorted(sizes, key=sizes.__getitem__, reverse=True)[:8]
    run(python, PLAY, folder)  # compiles
    played = [json.loads(run(python, PLAY, folder)) for _ in range(3)]
    return {
        "python": platform.python_version(),
        "megabytes": round(sum(sizes.values()), 1),
        "megabytes_largest": {name: round(sizes[name], 1) for name in largest},
        "megabytes_bytecode": round(sum(size(c) for c in packages.rglob("__pycache__")) / 1e6, 1),
        "seconds": {statement: seconds(python, statement, folder) for statement in STATEMENTS},
        **min(played, key=lambda told: told["first_move_seconds"]["clock"]),
    }


def install(folder: Path) -> Path:
    """The environment's python; what is installed is a copy, so that nothing is built in the checkout."""
    for name in PACKAGED:
        origin, copy = ROOT / name, folder / "source" / name
        copy.parent.mkdir(exist_ok=True)
        if origin.is_dir():
            shutil.copytree(origin, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(origin, copy)
    venv.create(folder / "environment", with_pip=True)
    python = folder / "environment" / "bin" / "python"
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, "-c", ROOT / "constraints.txt", folder / "source"], check=True)
    return python


def size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files if not file.is_dir())


def seconds(python: Path, statement: str, folder: Path) -> dict[str, float]:
    """Of a whole process: the shortest of five by the clock, and the processor's time of the quickest."""
    code = f"{statement}\nimport os; print(*os.times()[:2])"
    clock, work = [], []
    for _ in range(5):
        began = os.times().elapsed
        work.append(sum(map(float, run(python, code, folder).split())))
        clock.append(os.times().elapsed - began)
    return {"clock": round(min(clock), 2), "processor": round(min(work), 2)}


def run(python: Path, code: str, folder: Path) -> str:
    """What a program prints in the new environment, away from the checkout."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment["SELFPLAY_CACHE"] = str(folder / "kernels")
    command = [python, "-c", code]
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def broken(result: dict[str, Any]) -> list[str]:
    """What is larger or slower than promised, or shouldn't be there."""
    besides = result["megabytes"] - result["megabytes_largest"][LLVM]
    importing = result["seconds"]["import selfplay"]["clock"]
    promises = {
        "no torch": "torch" in result["missing"],
        "six moves": len(result["moves"]) == 6,
        f"{MOST_MEGABYTES} MB": result["megabytes"] <= MOST_MEGABYTES,
        f"{MOST_MEGABYTES_BESIDES_LLVM} MB besides LLVM": besides <= MOST_MEGABYTES_BESIDES_LLVM,
        f"import in {MOST_IMPORT_SECONDS} s": importing <= MOST_IMPORT_SECONDS,
    }
    return [promise for promise, kept in promises.items() if not kept]


if __name__ == "__main__":
    sys.exit(main())
