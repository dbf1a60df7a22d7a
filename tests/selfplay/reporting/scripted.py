"""Run folders written by hand: no training, so every number in them is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import games
from games import Variant
from selfplay.actor import Episode
from selfplay.config import TrainConfig
from selfplay.run import RunFolder, pack_episodes

TICTACTOE = games.load("tictactoe")
X_WINS = "a1 a2 b1 b2 c1"
O_WINS = "a1 a2 b1 b2 c3 c2"
DRAWN = "b2 a1 a2 c2 b1 b3 a3 c1 c3"


def episode(
    moves: str | Sequence[int],
    *,
    rules: Variant = TICTACTOE,
    values: Sequence[float] | None = None,
    random_plies: int = 0,
    variant: int = 0,
) -> Episode:
    """A game with the values that its search is said to have found, 0 in the random opening."""
    position, seats = games.start(rules), []
    for move in moves.split() if isinstance(moves, str) else moves:
        seats.append(position.to_play)
        position = position.play_text(move) if isinstance(move, str) else position.play(move)
    assert position.is_over
    plies = len(seats)
    value = np.zeros(plies, np.float32)
    value[random_plies:] = [0.0] * (plies - random_plies) if values is None else values
    return Episode(
        variant=variant,
        actions=np.array(position.actions, np.int16),
        policy=np.zeros((plies, rules.n_actions), np.float16),
        value=value,
        seat=np.array(seats, np.int8),
        recorded=np.arange(plies) >= random_plies,
        surprise=np.zeros(plies, np.float32),
        result=position.returns[0],
        exact=plies,
    )


def random_episode(rng: np.random.Generator, rules: Variant = TICTACTOE, variant: int = 0) -> Episode:
    """A game of random moves and random values."""
    position = games.start(rules)
    while not position.is_over:
        position = position.play(int(rng.choice(position.legal_actions)))
    values = rng.uniform(-1, 1, position.ply).astype(np.float32).tolist()
    return episode(position.actions, rules=rules, values=values, variant=variant)


def row(iteration: int, **changes: Any) -> dict[str, Any]:
    """A line of metrics."""
    return {
        "iteration": iteration,
        "positions": 100 * iteration,
        "episodes": 10 * iteration,
        "steps": 2 * iteration,
        "positions_per_second": 50.0,
        "evaluations_per_second": 100.0,
        "cache_hits": 100 * iteration,
        "play_seconds": 3.0,
        "learn_seconds": 1.0,
        "mean_plies": 7.0,
        "first_wins": 0.5,
        "draws": 0.25,
        "policy_loss": 1.0 / iteration,
        "value_loss": 0.5,
        "seconds": 4.0 * iteration,
    } | changes


def write_run(
    path: Path,
    *,
    chunks: Sequence[Sequence[Episode]] = (),
    rows: Sequence[dict[str, Any]] | None = None,
    variants: Sequence[Variant] = (TICTACTOE,),
    config: TrainConfig | None = None,
) -> Path:
    """A run folder with these games, chunk by chunk, and metrics; no checkpoints."""
    folder = RunFolder.create(path, config or TrainConfig(positions=1000), variants)
    for line in [row(1), row(2), row(3)] if rows is None else rows:
        folder.append_metrics(line)
    for number, played in enumerate(chunks, start=1):
        (path / "games" / f"{number:06d}.npz").write_bytes(pack_episodes(played))
    folder.close()
    return path
