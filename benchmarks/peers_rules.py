"""How fast others play by the rules: uniformly random games on one core, in steps a second.

    python benchmarks/peers_rules.py --json benchmarks/results/peers_rules.json

OpenSpiel is timed twice: a loop in Python over its C++ games, which is what its users write, and rollouts
that never leave C++. A step is one of its actions; in Breakthrough and Clobber that is a whole move, origin
and target in one, which takes two of our actions. pgx is timed where it is installed (`pip install pgx`), as
batches in one compiled loop that begin anew where a game is over.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Game:
    """One game and what others call it.

    Attributes:
        openspiel: its name and parameters there.
        pgx: its name there, if it has one.
        choices: our actions that one OpenSpiel step takes.
    """

    openspiel: str
    pgx: str | None = None
    choices: int = 1


GAMES = {
    "connect4": Game("connect_four", "connect_four"),
    "othello": Game("othello", "othello"),
    "hex-11x11": Game("hex(board_size=11)", "hex"),
    "y-11": Game("y(board_size=11)"),
    "havannah-8": Game("havannah(board_size=8)"),
    "go-9x9": Game("go(board_size=9,komi=7.5)", "go_9x9"),
    "breakthrough-8x8": Game("breakthrough", choices=2),
    "clobber-5x6": Game("clobber", choices=2),
    "amazons-10x10": Game("amazons"),
}


@dataclass(frozen=True)
class Speed:
    """Steps a second over several repeats."""

    best: float
    median: float
    repeats: int


def measure_peers(
    *, seconds: float = 1.0, repeats: int = 5, batch: int = 256, seed: int = 0
) -> dict[str, Any]:
    """Time all games with every peer that is installed.

    Args:
        seconds: how long one repeat takes, about.
        batch: games that pgx plays side by side.

    Returns:
        For each peer its version and a report a game, or why it wasn't measured.
    """
    measures = {
        "open_spiel": ("pyspiel", lambda: _openspiel(seconds, repeats, seed)),
        "pgx": ("pgx", lambda: _pgx(seconds, repeats, batch, seed)),
    }
    peers: dict[str, Any] = {}
    for package, (module, measure) in measures.items():
        if importlib.util.find_spec(module) is None:
            peers[package] = {"not_measured": f"{package} isn't installed"}
        else:
            peers[package] = {"version": importlib.metadata.version(package), "games": measure()}
    return peers


def _openspiel(seconds: float, repeats: int, seed: int) -> dict[str, Any]:
    return {name: _openspiel_game(game, seconds, repeats, seed) for name, game in GAMES.items()}


def _openspiel_game(game: Game, seconds: float, repeats: int, seed: int) -> dict[str, Any]:
    """Both speeds of one OpenSpiel game."""
    import pyspiel

    rules = pyspiel.load_game(game.openspiel)
    chance = random.Random(seed)
    lengths: list[int] = []

    def in_python() -> int:
        lengths.append(_playout(rules, chance))
        return lengths[-1]

    through_python = _steps_per_second(in_python, seconds, repeats)
    length = statistics.fmean(lengths)
    rollouts = max(1, round(0.05 * through_python.median / length))
    inside = _steps_per_second(_rollouts_in_cpp(rules, rollouts, length, seed), seconds, repeats)
    return {
        "game": game.openspiel,
        "steps_per_game": round(length, 1),
        "our_actions_per_step": game.choices,
        "steps_per_s_through_python": asdict(through_python),
        "steps_per_s_inside_cpp": asdict(inside),
    }


def _playout(rules: Any, chance: random.Random) -> int:
    """One random game through OpenSpiel's Python interface; its steps."""
    state, steps = rules.new_initial_state(), 0
    while not state.is_terminal():
        state.apply_action(chance.choice(state.legal_actions()))
        steps += 1
    return steps


def _rollouts_in_cpp(rules: Any, rollouts: int, length: float, seed: int) -> Callable[[], int]:
    """Random games inside C++: a search of two simulations, which evaluates the start and one child."""
    import pyspiel

    def play() -> int:
        evaluator = pyspiel.RandomRolloutEvaluator(rollouts, seed)
        pyspiel.MCTSBot(rules, evaluator, 2.0, 2, 1000, False, seed, False).step(rules.new_initial_state())
        return round(rollouts * (2 * length - 1))

    return play


def _pgx(seconds: float, repeats: int, batch: int, seed: int) -> dict[str, Any]:
    reports: dict[str, Any] = {}
    for name, game in GAMES.items():
        if game.pgx is None:
            reports[name] = {"not_measured": "pgx doesn't have this game"}
            continue
        speed = _steps_per_second(_pgx_steps(game.pgx, batch, seed), seconds, repeats)
        reports[name] = {"game": game.pgx, "batch": batch, "steps_per_s": asdict(speed)}
    return reports


def _pgx_steps(game: str, batch: int, seed: int, steps: int = 64) -> Callable[[], int]:
    """`steps` random steps of a batch in one compiled loop, which goes on where the last one ended."""
    import jax
    import pgx
    from pgx.experimental.wrappers import auto_reset

    env = pgx.make(game)
    step = jax.vmap(auto_reset(env.step, env.init))

    def one(carry: Any, _: None) -> tuple[Any, None]:
        state, key = carry
        key, choose, reset = jax.random.split(key, 3)
        logits = jax.numpy.where(state.legal_action_mask, 0.0, -jax.numpy.inf)
        action = jax.random.categorical(choose, logits, axis=-1)
        return (step(state, action, jax.random.split(reset, batch)), key), None

    loop = jax.jit(lambda carry: jax.lax.scan(one, carry, None, length=steps)[0])
    start = jax.jit(jax.vmap(env.init))(jax.random.split(jax.random.PRNGKey(seed), batch))
    carry = jax.block_until_ready(loop((start, jax.random.PRNGKey(seed + 1))))

    def play() -> int:
        nonlocal carry
        carry = jax.block_until_ready(loop(carry))
        return batch * steps

    return play


def _steps_per_second(play: Callable[[], int], seconds: float, repeats: int) -> Speed:
    """Repeat `play`, which returns its steps, for `seconds` each time."""
    play()
    speeds = []
    for _ in range(repeats):
        started, steps = time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            steps += play()
        speeds.append(steps / (time.perf_counter() - started))
    return Speed(best=round(max(speeds)), median=round(statistics.median(speeds)), repeats=repeats)


def main() -> None:
    """Measure and print (or write) one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="of one repeat")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--batch", type=int, default=256, help="games that pgx plays side by side")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    core = _stay_on_one_core()
    measured = measure_peers(seconds=arguments.seconds, repeats=arguments.repeats, batch=arguments.batch)
    machine = {"machine": platform.machine(), "cores": os.cpu_count(), "pinned_to_core": core}
    text = json.dumps(machine | {"peers": measured}, indent=2)
    if arguments.json:
        arguments.json.write_text(text + "\n", encoding="utf-8")
    else:
        print(text)


def _stay_on_one_core() -> int | None:
    """Pin this process, and what it starts, to one core; None where the system can't."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


if __name__ == "__main__":
    main()
