"""An evaluator that any driver can repeat to the bit, and small variants that use every rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import games
from games import Observation, Position, Variant
from games.encoding import MAX_SIZE, PLANES, RULE_FEATURES
from mcts.config import SearchConfig
from mcts.search import SearchResult
from selfplay.actor import Actor, Episode
from selfplay.config import SelfPlayConfig
from tests.games.drawings import variant

SWAP = variant("""
    name = "swap-4x4"
    board = { rows = 4, columns = 4 }
    turn = { swap = true }
    end = { line = 4 }
""")
HOLES = variant("""
    name = "holes-4x5"
    board = { rows = 4, columns = 5, holes = ["b2", "d3"] }
    move = { kind = "drop" }
    end = { line = 3 }
""")
TORUS = variant("""
    name = "torus-4x3"
    board = { rows = 4, columns = 3, wrap = "both" }
    end = { line = 3 }
""")
TWO_STONES = variant("""
    name = "two-stones-5x4"
    board = { rows = 5, columns = 4 }
    turn = { stones = 2, first_stones = 1 }
    end = { line = 4 }
""")
MIXED = (
    games.load("tictactoe"),
    games.load("connect4"),
    games.load("othello-6x6"),
    games.load("connect6-9x9"),
    SWAP,
    HOLES,
    TORUS,
    TWO_STONES,
)

_RANDOM = np.random.default_rng(20)
_CELL_KEYS = _RANDOM.integers(1, 2**63, (len(PLANES), MAX_SIZE, MAX_SIZE), np.uint64)
_RULE_KEYS = _RANDOM.integers(1, 2**63, len(RULE_FEATURES), np.uint64)
_ACTION_KEYS = _RANDOM.integers(1, 2**63, (MAX_SIZE, MAX_SIZE), np.uint64)
_EXTRA_KEYS = _RANDOM.integers(1, 2**63, 3, np.uint64)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Bits to numbers in [-1, 1)."""
    numbers = (numbers ^ (numbers >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    numbers = (numbers ^ (numbers >> np.uint64(29))) * np.uint64(0xC4CEB9FE1A85EC53)
    return ((numbers >> np.uint64(40)).astype(np.float32) / 2**23 - 1).astype(np.float32)


def hashed_evaluator(observation: Observation) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits in [-2, 2), values in [-0.9, 0.9): a hash of what is seen, whatever the canvas and the batch.

    Integer arithmetic wraps around, so the order of sums doesn't matter.
    """
    planes, _, rules = observation
    height, width = planes.shape[2:]
    keys = _CELL_KEYS[:, :height, :width].ravel()
    seen = (planes.reshape(len(planes), -1).astype(np.uint64) * keys).sum(1, dtype=np.uint64)
    seen += (rules.view(np.uint32).astype(np.uint64) * _RULE_KEYS).sum(1, dtype=np.uint64)
    actions = np.concatenate([_ACTION_KEYS[:height, :width].ravel(), _EXTRA_KEYS[:2]])
    return 2 * _mixed(seen[:, None] ^ actions), np.float32(0.9) * _mixed(seen ^ _EXTRA_KEYS[2])


def small_config(**changes: object) -> SelfPlayConfig:
    """One thread, 12 simulations or 4 in short searches, no playouts; `changes` as in `SelfPlayConfig`."""
    return SelfPlayConfig.model_validate(
        {"threads": 1, "simulations": 12, "ending_simulations": 4, "cache_megabytes": 0, "rollouts": 0}
        | changes
    )


def policy_value_to_play(result: SearchResult) -> NDArray[np.float32]:
    """What each position's `policy` is worth: the mean of the values that its actions have, `[B]`.

    That is nearer to the truth than `value_to_play`, in which simulations of worse actions count.
    """
    share = np.where(np.isnan(result.action_values), 0, result.policy).astype(np.float64)
    total, weight = (share * np.nan_to_num(result.action_values)).sum(1), share.sum(1)
    known = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    value: NDArray[np.float32] = np.where(weight > 0, known, result.value_to_play).astype(np.float32)
    return value


def games_by_row(actor: Actor, *, advances: int) -> list[list[Episode]]:
    """The episodes of each of the actor's games, in order."""
    rows: list[list[Episode]] = [[] for _ in actor._games.finished]
    for _ in range(advances):
        actor.advance(*hashed_evaluator(actor.observe()))
        finished = np.flatnonzero(actor._games.finished)
        for row, episode in zip(finished, actor.collect(), strict=True):
            rows[row].append(episode)
    return rows


def played_episodes(actor: Actor, *, advances: int) -> list[Episode]:
    """All episodes, row by row."""
    return [episode for row in games_by_row(actor, advances=advances) for episode in row]


def replayed(rules: Variant, episode: Episode) -> list[Position]:
    """The positions of a game, the last one included; `MoveError` if an action was illegal."""
    positions = [games.start(rules)]
    for action in episode.actions.tolist():
        positions.append(positions[-1].play(action))
    return positions


def same_episode(one: Episode, other: Episode) -> bool:
    """Whether two episodes agree to the bit."""
    return (one.variant, one.result) == (other.variant, other.result) and all(
        np.array_equal(a, b)
        for a, b in zip(one, other, strict=True)
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray)
    )


def quiet_search(simulations: int, rollouts: int = 0) -> SearchConfig:
    """What self-play searches with, without noise."""
    return SearchConfig(simulations=simulations, gumbel_scale=0.0, solve=True, rollouts=rollouts)


_SOLVED: dict[bytes, int] = {}


def tictactoe_value(position: Position) -> int:
    """Value to play in tic-tac-toe, by looking at every game."""
    if position.is_over:
        return position.returns[position.to_play]
    stones = position.state.cells.tobytes()
    if stones not in _SOLVED:
        _SOLVED[stones] = max(-tictactoe_value(position.play(action)) for action in position.legal_actions)
    return _SOLVED[stones]
