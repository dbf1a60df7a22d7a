"""Do the examples of all languages play the moves of `selfplay.Player`? Run by `make verify`.

    python examples/check.py

Node.js needs npm and the registry; C++ needs a compiler and the headers of ONNX Runtime in the folder
$ONNXRUNTIME_INCLUDE (they are in its release archives), and uses the library of the Python package.
What can't be run is left out with a line that says why. Ends with 1 if a move differs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import onnxruntime

import games
from selfplay import Player

EXAMPLES = Path(__file__).parent
AGENT = EXAMPLES.parent / "models" / "zoo" / "connect4.onnx"
POSITIONS = EXAMPLES / "connect4_positions.txt"


class LeftOutError(Exception):
    """Something an example needs isn't here; says what."""


def main() -> int:
    """Run them all; 1 if any plays another move."""
    expected, differ = policy_moves(), 0
    runs: dict[str, Callable[[Path], str]] = {"Python": run_python, "Node.js": run_node, "C++": run_cpp}
    for name, run in runs.items():
        try:
            with tempfile.TemporaryDirectory() as folder:
                lines = run(Path(folder)).splitlines()
        except LeftOutError as reason:
            print(f"{name}: left out: {reason}")
            continue
        moves = {line.split()[0]: line.split()[1] for line in lines}
        wrong = [position for position, move in expected.items() if moves.get(position) != move]
        differ += len(wrong)
        print(f"{name}: {len(expected) - len(wrong)} of {len(expected)} moves are the same", *wrong)
    return 1 if differ else 0


def policy_moves() -> dict[str, str]:
    """The column that the Python player's policy plays in each position."""
    player, connect4, moves = Player.load(AGENT, simulations=0), games.load("connect4"), {}
    for text in POSITIONS.read_text().split():
        position = games.start(connect4)
        for letter in text.strip("-"):
            position = position.play_text(letter)
        moves[text] = position.action_text(player.choose(position))[0]
    return moves


def run_python(_: Path) -> str:
    """What embed_python.py prints."""
    return output([sys.executable, EXAMPLES / "embed_python.py", AGENT, POSITIONS])


def run_node(folder: Path) -> str:
    """What embed_node/move.js prints, with its packages installed in this folder."""
    if missing := [name for name in ("node", "npm") if not shutil.which(name)]:
        raise LeftOutError(f"{' and '.join(missing)} not found")
    for name in ("package.json", "move.js"):
        shutil.copy(EXAMPLES / "embed_node" / name, folder)
    try:
        output(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
    except subprocess.CalledProcessError as error:
        raise LeftOutError(f"npm could not install onnxruntime-node: {error.stderr[-200:]!r}") from None
    return output(["node", folder / "move.js", AGENT, POSITIONS])


def run_cpp(folder: Path) -> str:
    """What embed_cpp/move.cpp prints, compiled in this folder."""
    headers = os.environ.get("ONNXRUNTIME_INCLUDE")
    if not headers:
        raise LeftOutError("$ONNXRUNTIME_INCLUDE doesn't say where onnxruntime_c_api.h is")
    if not shutil.which("g++"):
        raise LeftOutError("g++ not found")
    libraries = list((Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.*"))
    if not libraries:
        raise LeftOutError("the Python package of ONNX Runtime has no libonnxruntime.so of its own here")
    for name in ("libonnxruntime.so", "libonnxruntime.so.1"):
        (folder / name).symlink_to(libraries[0])
    source, program = EXAMPLES / "embed_cpp" / "move.cpp", folder / "move"
    places = [f"-I{headers}", f"-L{folder}", "-lonnxruntime", f"-Wl,-rpath,{folder}"]
    output(["g++", "-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", source, *places, "-o", program])
    return output([program, AGENT, POSITIONS])


def output(command: list[str | Path], folder: Path | None = None) -> str:
    """What a command prints; raises where it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
