"""What an agent's file loses in fp16 and int8: size, speed, other moves, strength on solved positions.

    python -m benchmarks.precision --json benchmarks/results/precision.json

The released agents: Connect Four on the six golden sets, the meta-learned initialisation on the suites of the
validation variants, with the policy alone and with 64 simulations. Speed is positions per second of CPU time.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from games import Observation, load, observe, start
from models import OnnxEvaluator
from selfplay.export import export_agent
from selfplay.meta.split import load_split
from selfplay.meta.validation import examined
from selfplay.player import Player
from selfplay.suite import SolvedPosition, read_suite
from selfplay.versions import versions

ROOT = Path(__file__).parents[1]
PRECISIONS = ("fp32", "fp16", "int8")
SIMULATIONS = (0, 64)
FASTER = ("avx2", "avx_vnni", "avx512_vnni", "amx_int8")
"""What a processor may have to compute with bytes."""


def main() -> None:
    """Measure both agents, print a line each, write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "precision.json")
    arguments = parser.parse_args()
    agents = {}
    for name, suites in (("connect4", connect4_suites), ("meta", validation_suites)):
        agents[name] = measure(ROOT / "models" / "zoo" / f"{name}.onnx", suites())
    result = {"processor": processor(), "versions": versions(), "agents": agents}
    arguments.json.write_text(json.dumps(result, indent=1) + "\n")


def table(result: dict[str, Any]) -> list[str]:
    """Rows for docs/onnx.md."""
    return [
        row(agent, precision, told)
        for agent, by in result["agents"].items()
        for precision, told in by.items()
    ]


def row(agent: str, precision: str, told: dict[str, Any]) -> str:
    """One agent in one precision."""
    alone, searched = (told[f"{simulations} simulations"] for simulations in SIMULATIONS)
    cells = [f"{told['bytes'] / 1e6:.2f}"]
    cells += [f"{told[f'positions_per_second_{batch}']:,}" for batch in (128, 1)]
    cells += [f"{100 * share:.1f} %" for share in (alone["keeps_the_value"], alone["same_move"])]
    cells += [f"{100 * share:.1f} %" for share in (searched["keeps_the_value"], searched["same_move"])]
    return f"| {' | '.join([agent, precision, *cells])} |"


def connect4_suites() -> list[list[SolvedPosition]]:
    """The golden positions, one suite."""
    return [read_suite(ROOT / "tests" / "golden" / "connect4_positions.jsonl", load("connect4"))]


def validation_suites() -> list[list[SolvedPosition]]:
    """The suites of the variants that the initialisation has not learned."""
    return [list(exam.suite) for exam in examined(load_split().validation)]


def measure(agent: Path, suites: Sequence[Sequence[SolvedPosition]]) -> dict[str, Any]:
    """By precision: size, speed and, by the number of simulations, strength."""
    rows: dict[str, Any] = {}
    played: dict[tuple[str, int], list[int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for precision in PRECISIONS:
            path = Path(folder) / f"{precision}.onnx"
            export_agent(agent, path, precision=precision)
            for simulations in SIMULATIONS:
                played[precision, simulations] = moves(path, simulations, suites)
            rows[precision] = {"bytes": path.stat().st_size, **speed(path)}
    for precision, row in rows.items():
        for simulations in SIMULATIONS:
            told = compare(played[precision, simulations], played["fp32", simulations], suites)
            row[f"{simulations} simulations"] = told
            print(agent.stem, precision, row["bytes"], f"{simulations} simulations:", told, flush=True)
    return rows


def moves(path: Path, simulations: int, suites: Sequence[Sequence[SolvedPosition]]) -> list[int]:
    """The agent's move in every position, suite after suite."""
    player = Player.load(path, simulations=simulations)
    return [action for suite in suites for action in player.choose_many([s.position for s in suite])]


def compare(
    actions: Sequence[int], exact: Sequence[int], suites: Sequence[Sequence[SolvedPosition]]
) -> dict[str, float]:
    """Shares of moves that keep the value and that fp32 plays as well; each suite counts the same.

    lost: share kept by fp32 less share kept, with `lost_error`, its standard error over positions
    """
    weights = np.concatenate([np.full(len(suite), 1 / (len(suite) * len(suites))) for suite in suites])
    kept, kept_exactly = keeps(actions, suites), keeps(exact, suites)
    lost = kept_exactly.astype(float) - kept
    mean = float(weights @ lost)
    return {
        "positions": len(weights),
        "keeps_the_value": round(float(weights @ kept), 4),
        "same_move": round(float(weights @ (np.array(actions) == np.array(exact))), 4),
        "lost": round(mean, 4),
        "lost_error": round(float(np.sqrt(weights**2 @ (lost - mean) ** 2)), 4),
    }


def keeps(actions: Sequence[int], suites: Sequence[Sequence[SolvedPosition]]) -> NDArray[np.bool_]:
    """Whether a move keeps its position's value."""
    solved = [position for suite in suites for position in suite]
    pairs = zip(actions, solved, strict=True)
    return np.array([one.values[action] == max(one.values.values()) for action, one in pairs])


def speed(path: Path) -> dict[str, float]:
    """Positions of Connect Four a second on one thread, one at a time and 128 at a time."""
    evaluator, begin = OnnxEvaluator(path), start(load("connect4"))
    seen = {batch: observe([begin] * batch) for batch in (1, 128)}
    return {f"positions_per_second_{batch}": round(rate(evaluator, o)) for batch, o in seen.items()}


def rate(evaluator: Callable[[Observation], Any], observation: Observation, *, tries: int = 9) -> float:
    """The best of some tries of half a second."""
    batch, best = len(observation.rules), 0.0
    for _ in range(tries):
        began, done = time.process_time(), 0
        while (spent := time.process_time() - began) < 0.5:
            evaluator(observation)
            done += batch
        best = max(best, done / spent)
    return best


def processor() -> dict[str, Any]:
    """Its name, and which instructions for bytes it has."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = said.get("flags", "").split()
    return {"name": said.get("model name", "unknown"), "has": [flag for flag in FASTER if flag in flags]}


if __name__ == "__main__":
    main()
