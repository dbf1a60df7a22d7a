"""The same moves from other releases of ONNX Runtime, the oldest that is supported among them.

    python benchmarks/runtime_versions.py

Installs each release into a temporary folder, and lets examples/embed_python.py play the released agent in
all precisions. Ends with 1 where a move differs from the installed release's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import onnxruntime

from selfplay.export import export_agent

ROOT = Path(__file__).parents[1]
RELEASES = ("1.20.0", "1.23.2", "1.27.0")
PRECISIONS = ("fp32", "fp16", "int8")


def main() -> int:
    """Play with each release; 1 where one differs."""
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for precision in PRECISIONS:
            released = ROOT / "models" / "zoo" / "connect4.onnx"
            export_agent(released, folder / f"{precision}.onnx", precision=precision)
        expected = [played(folder / f"{precision}.onnx") for precision in PRECISIONS]
        for release in RELEASES:
            install(release, folder / release)
            found = [played(folder / f"{precision}.onnx", folder / release) for precision in PRECISIONS]
            failed += found != expected
            same = "the same moves" if found == expected else "OTHER MOVES"
            print(f"{release}: {same} as {onnxruntime.__version__}, {', '.join(PRECISIONS)}", flush=True)
    return 1 if failed else 0


def install(release: str, folder: Path) -> None:
    """One release alone; everything else is the environment's."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--target", folder, f"onnxruntime=={release}"], check=True)


def played(agent: Path, runtime: Path | None = None) -> list[list[str]]:
    """Position, policy's move and search's move, as the example prints them."""
    path = os.pathsep.join(str(folder) for folder in (runtime, ROOT) if folder)
    positions = ROOT / "examples" / "connect4_positions.txt"
    command = [sys.executable, ROOT / "examples" / "embed_python.py", agent, positions]
    environment = os.environ | {"PYTHONPATH": path}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return [line.split()[:3] for line in done.stdout.splitlines()]


if __name__ == "__main__":
    sys.exit(main())
