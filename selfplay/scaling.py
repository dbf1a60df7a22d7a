"""How search grows: with games side by side, with the board, with simulations."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from games import Variant
from games.compiler import canvas_size, rules_of
from games.kernels import reset
from games.state import new_state
from mcts import SearchConfig, uniform_evaluator
from mcts.kernels import new_tree
from mcts.search import search_state

GAMES = (64, 256, 1024, 4096, 16384)
SIDES = (5, 9, 13, 19)
SIMULATIONS = (8, 32, 128)
USUAL_GAMES, USUAL_SIMULATIONS = 256, 32
REPETITIONS = 3
MOST_BYTES = 10 * 2**30
"""A cell of the table that would take more is left out."""


def bench_scaling(report: Callable[[str], None]) -> list[dict[str, float]]:
    """Five in a row from an empty board with a uniform evaluator, on one core; a row for each size.

    Every row holds games, side, simulations, seconds of a search of all games, nanoseconds for a simulation
    of one game, nanoseconds for a simulation and a legal move, and bytes of tree for a game.
    """
    sizes = [(games, side, USUAL_SIMULATIONS) for side in SIDES for games in GAMES]
    sizes += [(USUAL_GAMES, side, n) for side in SIDES for n in SIMULATIONS if n != USUAL_SIMULATIONS]
    rows = []
    for games, side, simulations in sizes:
        variant = _five_in_a_row(side)
        needed = games * tree_bytes(variant, simulations=simulations)
        if needed > MOST_BYTES:
            report(f"{side}x{side}, {games} games: left out, {needed / 2**30:.0f} GB of trees")
            continue
        row = _measured(variant, games, simulations)
        rows.append(row)
        report(
            f"{side}x{side}, {games} games, {simulations} simulations: "
            f"{row['nanoseconds_per_simulation']:.0f} ns a simulation, "
            f"{row['nanoseconds_per_simulation_and_move']:.1f} for a legal move, "
            f"{row['bytes_per_game'] / 1024:.1f} KiB a game"
        )
    return rows


def tree_bytes(variant: Variant, *, simulations: int) -> int:
    """Bytes of search tree that one game takes."""
    tree = new_tree(rules_of(variant), batch=1, simulations=simulations)
    arrays = [*tree.nodes, *(array for array in tree if isinstance(array, np.ndarray))]
    return sum(array.nbytes for array in arrays)


def _measured(variant: Variant, games: int, simulations: int) -> dict[str, float]:
    rules, canvas, config = rules_of(variant), canvas_size([variant]), SearchConfig(simulations=simulations)
    state = new_state(rules, games)
    for row in range(games):
        reset(rules, state, row, 0)

    def seconds() -> float:
        began = time.perf_counter()
        search_state(rules, state, canvas, uniform_evaluator, config, seed=0)
        return time.perf_counter() - began

    seconds()
    typical = statistics.median(seconds() for _ in range(REPETITIONS))
    each = 1e9 * typical / (games * simulations)
    return {
        "games": float(games),
        "side": float(canvas[0]),
        "simulations": float(simulations),
        "seconds": typical,
        "nanoseconds_per_simulation": each,
        "nanoseconds_per_simulation_and_move": each / (canvas[0] * canvas[1]),
        "bytes_per_game": float(tree_bytes(variant, simulations=simulations)),
    }


def _five_in_a_row(side: int) -> Variant:
    text = f"board = {{ rows = {side}, columns = {side} }}\nend = {{ line = 5 }}"
    return Variant.from_toml(text, name=f"five-{side}x{side}")
