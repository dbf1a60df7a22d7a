"""How fast a `Player` answers: from a program's start, at 800 simulations, and beside the bare runtime."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

import games
from games import Observation, Position
from models.format import ONNX_INPUTS, zoo_file
from models.onnx_runtime import OnnxEvaluator
from selfplay.player import Player, search_config

VARIANT = "connect4"
SIMULATIONS = 800
POSITIONS, GUIDE = 60, 16
"""Positions that the player meets, of games at so many simulations."""

Feed = dict[str, NDArray[np.float32]]
"""Inputs of one call of the runtime."""

STARTS = 7
FIRST_MOVE = (
    "import sys, games; from selfplay import Player; "
    "print(Player.load(sys.argv[1]).choose(games.start(games.load(sys.argv[2]))), flush=True)"
)


def bench_player(report: Callable[[str], None]) -> dict[str, float]:
    """The released Connect Four agent on one core.

    A move's time is the median over positions from the beginning to the end of games that the player plays
    against itself: alone, as if each were its first, and in the game, with what it remembers. The bare
    runtime answers the same positions one at a time, and in the same calls.
    """
    agent = zoo_file(f"{VARIANT}.onnx")
    evaluator, session = OnnxEvaluator(agent), _bare_session(agent)
    positions = _games(Player(evaluator, search_config(GUIDE), name="guide"))
    asked: list[Feed] = []

    def recorded(observation: Observation) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        planes, rules = ONNX_INPUTS
        asked.append({planes: observation.planes.copy(), rules: observation.rules.copy()})
        return evaluator(observation)

    recorder = Player(recorded, search_config(SIMULATIONS), name="recorder")
    player = Player(evaluator, search_config(SIMULATIONS), name="timed")
    alone, in_game, bare, bare_same, calls, evaluations = [], [], 0.0, 0.0, 0, 0
    for position in positions:  # in turns, for other programs come and go
        asked.clear()
        recorder.at_strength(SIMULATIONS).choose(position)
        singles = [feed for call in asked for feed in _singles(call)]
        alone.append(_seconds(partial(player.at_strength(SIMULATIONS).choose, position)))
        bare += _seconds(partial(_ask, session, singles))
        bare_same += _seconds(partial(_ask, session, asked))
        in_game.append(_seconds(partial(player.choose, position)))
        calls, evaluations = calls + len(asked), evaluations + len(singles)
    rates = {
        "evaluations_per_second": evaluations / sum(alone),
        "bare_evaluations_per_second": evaluations / bare,
        "bare_evaluations_per_second_in_the_same_calls": evaluations / bare_same,
    }
    row = {
        "first_move_seconds": _first_move(str(agent)),
        "simulations": float(SIMULATIONS),
        "positions": float(len(positions)),
        "move_seconds_alone": statistics.median(alone),
        "move_seconds_in_game": statistics.median(in_game),
        "positions_per_call": evaluations / calls,
        **rates,
        "share_of_bare": rates["evaluations_per_second"] / rates["bare_evaluations_per_second"],
    }
    report(f"from a program's start to the first move: {row['first_move_seconds']:.2f} s")
    report(
        f"{VARIANT}, {SIMULATIONS} simulations, one core: {1000 * row['move_seconds_alone']:.0f} ms a move, "
        f"{1000 * row['move_seconds_in_game']:.0f} ms in a game; "
        f"{row['evaluations_per_second']:.0f} evaluations/s, the bare runtime "
        f"{row['bare_evaluations_per_second']:.0f} one at a time, "
        f"{row['bare_evaluations_per_second_in_the_same_calls']:.0f} in the same calls"
    )
    return row


def _games(guide: Player) -> list[Position]:
    """Positions in the order in which a player meets them; later games begin with a random move."""
    random = np.random.default_rng(0)
    found: list[Position] = []
    position = games.start(games.load(VARIANT))
    while len(found) < POSITIONS:
        if position.is_over:
            position = games.start(games.load(VARIANT))
            position = position.play(int(random.choice(position.legal_actions)))
        found.append(position)
        position = position.play(guide.choose(position))
    return found


def _singles(call: Feed) -> list[Feed]:
    """A call for each position of one."""
    rows = len(next(iter(call.values())))
    return [{name: part[row : row + 1] for name, part in call.items()} for row in range(rows)]


def _bare_session(agent: Path) -> onnxruntime.InferenceSession:
    """The runtime itself on one core, which doesn't look into questions and answers."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(agent, options, providers=["CPUExecutionProvider"])


def _ask(session: onnxruntime.InferenceSession, feeds: Sequence[Feed]) -> None:
    for feed in feeds:
        session.run(["logits", "value_to_play"], feed)


def _first_move(agent: str) -> float:
    """Seconds from a program's start to its first move, the kernels being compiled."""
    command = [sys.executable, "-c", FIRST_MOVE, agent, VARIANT]

    def seconds() -> float:
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
            assert program.stdout is not None
            program.stdout.readline()
            return time.perf_counter() - began

    seconds()
    return statistics.median(seconds() for _ in range(STARTS))


def _seconds(function: Callable[[], object]) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began
