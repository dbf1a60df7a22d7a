"""The exact solver at the command line: one position, or a suite of them for `selfplay evaluate`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

import games
from games import Position, SolveLimitError, Variant
from games.solver import DEFAULT_MEMORY, SolveProgress, Solver
from selfplay.openings import CanonicalKey, canonical_key

NODES_A_POSITION = 5_000_000
"""Limit for one position of a sample, if none is given."""

TRIES_A_POSITION = 200
"""Random games that are begun, on average, before a sample is given up."""

_SKIPS_BEFORE_DEEPER = 3
"""Positions skipped in a row at one depth before the next ones are drawn deeper."""

_WORDS = {1: "wins", 0: "draws", -1: "loses"}


class Sample(NamedTuple):
    """What `sample_positions` found.

    lines: one JSON object each, as `selfplay evaluate` reads them
    skipped: positions that weren't solved within the limit
    """

    lines: list[str]
    skipped: int


def position_after(variant: Variant, moves: str) -> Position:
    """The position after moves as text, separated by blanks; `MoveError` says which doesn't fit."""
    position = games.start(variant)
    for move in moves.split():
        position = position.play_text(move)
    return position


def solve_position(
    position: Position,
    *,
    memory: int = DEFAULT_MEMORY,
    seconds: float | None = None,
    progress: Callable[[SolveProgress], None] | None = None,
) -> dict[str, Any]:
    """A position's value and that of each of its actions, as JSON; arguments and errors as `games.solve`."""
    began = time.perf_counter()
    solver = Solver(position.variant, memory=memory, progress=progress)
    value = solver.value(position, seconds=seconds)
    left = None if seconds is None else max(seconds - (time.perf_counter() - began), 0.01)
    values = solver.action_values(position, seconds=left)
    return {
        **_described(position),
        "value": value,
        "values": {position.action_text(action): value for action, value in values.items()},
        "nodes": solver.nodes,
        "seconds": round(time.perf_counter() - began, 3),
    }


def verdict(solution: dict[str, Any]) -> Iterable[str]:
    """A solution as lines for a person."""
    yield f"The player to move {_WORDS[solution['value']]}."
    for value in (1, 0, -1):
        actions = [text for text, worth in solution["values"].items() if worth == value]
        if actions:
            yield f"{_WORDS[value]:<5} {' '.join(actions)}"


def sample_positions(
    variant: Variant,
    number: int,
    *,
    seed: int = 0,
    memory: int = DEFAULT_MEMORY,
    nodes: int = NODES_A_POSITION,
    seconds: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> Sample:
    """Solve positions of random games, distinct up to symmetry.

    A position is drawn after a random number of random plies; the depth from which they are drawn grows as
    long as positions there can't be solved within the limits.

    Args:
        variant: any variant.
        number: positions to solve.
        seed: of the games.
        memory: MiB for the solver's table.
        nodes, seconds: limits for one position with all its actions; with `seconds` a sample isn't
            reproducible.
        progress: called with 1 after each solved position.

    Raises:
        SolveLimitError: so many distinct positions weren't found or solved.
    """
    random = np.random.default_rng(seed)
    solver = Solver(variant, memory=memory)
    seen: set[CanonicalKey] = set()
    lines: list[str] = []
    skipped, in_a_row, shallowest = 0, 0, 0
    for _ in range(number * TRIES_A_POSITION):
        if len(lines) == number:
            break
        position = _random_position(variant, shallowest, random)
        if position is None or (key := canonical_key(position)) in seen:
            continue
        seen.add(key)
        try:
            values = solver.action_values(position, nodes=nodes, seconds=seconds)
        except SolveLimitError:
            skipped, in_a_row = skipped + 1, in_a_row + 1
            if in_a_row == _SKIPS_BEFORE_DEEPER:
                shallowest, in_a_row = max(shallowest + 1, min(position.ply, shallowest + 4)), 0
            continue
        in_a_row = 0
        lines.append(_suite_line(position, values))
        if progress:
            progress(1)
    if len(lines) < number:
        raise SolveLimitError(
            f"{variant.name}: expected {number} distinct positions that can be solved within {nodes:,} nodes "
            f"each, got {len(lines)} ({skipped} were skipped)"
        )
    return Sample(lines, skipped)


def _random_position(variant: Variant, shallowest: int, random: np.random.Generator) -> Position | None:
    """A position of a random game, not before ply `shallowest`; None if the game is over by then."""
    game = [games.start(variant)]
    while not game[-1].is_over:
        game.append(game[-1].play(random.choice(game[-1].legal_actions)))
    deep_enough = game[shallowest:-1]
    return deep_enough[random.integers(len(deep_enough))] if deep_enough else None


def _suite_line(position: Position, values: dict[int, int]) -> str:
    texts = {position.action_text(action): value for action, value in values.items()}
    return json.dumps({**_described(position), "actions": list(position.actions), "values": texts})


def _described(position: Position) -> dict[str, Any]:
    """What a position is, as JSON."""
    return {
        "variant": position.variant.name,
        "variant_digest": position.variant.digest,
        "moves": _moves(position),
        "ply": position.ply,
        "to_play": position.to_play,
    }


def _moves(position: Position) -> str:
    """The actions that led here as text."""
    start = games.start(position.variant)
    return " ".join(start.action_text(action) for action in position.actions)
