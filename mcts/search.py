"""`search`: many positions, of one or of many variants, searched together with one evaluator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from games import Observation, Position, stack
from games.kernels import seed_streams
from games.rules import MAX_LEGAL, Rules
from games.state import State, new_state
from mcts.cache_kernels import Cache, new_cache
from mcts.config import SearchConfig, Settings, settings_of
from mcts.evaluators import RolloutEvaluator
from mcts.foresight_kernels import answer_alone, ask_alone, new_ahead
from mcts.kernels import (
    NONE,
    UNPROVEN,
    Tree,
    advance_remembered,
    advance_waiting,
    new_tree,
    observe_waiting,
    plant_rows,
    roll_out_waiting,
    write_results,
)
from mcts.rollout_kernels import Rollouts, new_rollouts

_NO_CACHE = new_cache(0, 0)

FORESEEN = 15
"""Leaves of one game that are evaluated with the one that waits, at most."""

LINE_LENGTH = 16
"""Actions that a result's lines tell at most."""


class Evaluator(Protocol):
    """What a search asks of a network."""

    def __call__(self, observation: Observation, /) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Evaluate a batch: logits float32 `[B, A]` and value_to_play float32 `[B]`.

        Logits of illegal actions are ignored. The next call's observation overwrites this one's arrays.
        """
        ...


class SearchResult(NamedTuple):
    """What a search found, for each position; A is the canvas of the largest board in the batch.

    action: int32 `[B]`: the action to play
    visits: int32 `[B, A]`
    policy: float32 `[B, A]`: sums to one, zero where illegal; the training target
    value_to_play: float32 `[B]`: mean value of the root for the player to move
    action_values: float32 `[B, A]`: mean or proven value of each action for the player to move, else NaN
    proven: int8 `[B, A]`: LOSS, DRAWN or WIN for the player to move where an action's result is known for
        certain, else UNPROVEN; all are if the search doesn't prove results (`SearchConfig.solve`)
    lines: int16 `[B, A, LINE_LENGTH]`: how the search expects the game to go on after an action, by the most
        visited ones; NONE behind the end
    """

    action: NDArray[np.int32]
    visits: NDArray[np.int32]
    policy: NDArray[np.float32]
    value_to_play: NDArray[np.float32]
    action_values: NDArray[np.float32]
    proven: NDArray[np.int8]
    lines: NDArray[np.int16]


def empty_result(batch: int, n_actions: int) -> SearchResult:
    """A result that knows nothing yet."""
    return SearchResult(
        action=np.zeros(batch, np.int32),
        visits=np.zeros((batch, n_actions), np.int32),
        policy=np.zeros((batch, n_actions), np.float32),
        value_to_play=np.zeros(batch, np.float32),
        action_values=np.full((batch, n_actions), np.nan, np.float32),
        proven=np.full((batch, n_actions), UNPROVEN, np.int8),
        lines=np.full((batch, n_actions, LINE_LENGTH), NONE, np.int16),
    )


class Memory:
    """Evaluations that searches with one evaluator share; not to be used by two threads at once.

    It is emptied when the variants of a search differ from those of the search before.
    """

    def __init__(self, megabytes: float) -> None:
        self._megabytes = megabytes
        self._rules: Rules | None = None
        self._cache = _NO_CACHE

    @property
    def hits(self) -> int:
        """Evaluations that the evaluator was spared, since the memory was last emptied."""
        return int(self._cache.hits[0])

    def cache_for(self, rules: Rules, n_actions: int) -> Cache:
        """The cache for a batch of these rules, the rows of which its keys count on."""
        if self._rules is not rules:
            self._rules, self._cache = rules, new_cache(self._megabytes, n_actions)
        return self._cache


def search(
    positions: Sequence[Position],
    evaluator: Evaluator | RolloutEvaluator,
    config: SearchConfig | None = None,
    *,
    seed: int = 0,
    memory: Memory | None = None,
) -> SearchResult:
    """Search every position.

    Args:
        positions: of any variants; none may be over.
        evaluator: a network or another callable on observations, or a `RolloutEvaluator`.
        config: default `SearchConfig()`.
        seed: of the noise; equal seeds give equal results.
        memory: of this evaluator's answers in earlier searches; it changes nothing but the time they take.

    Raises:
        ValueError: no position, a position that is over, or an evaluator's answer of another shape.
    """
    if not positions:
        raise ValueError("search: expected at least one position, got none")
    for i, position in enumerate(positions):
        if position.is_over:
            raise ValueError(f"search: position {i} is over")
    rules, state = stack(positions)
    height = max(p.variant.board.rows for p in positions)
    width = max(p.variant.board.columns for p in positions)
    return search_state(
        rules, state, (height, width), evaluator, config or SearchConfig(), seed=seed, memory=memory
    )


def search_state(
    rules: Rules,
    state: State,
    canvas: tuple[int, int],
    evaluator: Evaluator | RolloutEvaluator,
    config: SearchConfig,
    *,
    seed: int,
    memory: Memory | None = None,
) -> SearchResult:
    """`search` for callers that hold a batch as rows of a `State` already; canvas: its rows and columns."""
    batch = state.info.shape[0]
    settings = settings_of(config)
    tree = new_tree(rules, batch=batch, simulations=config.simulations)
    rng = seed_streams(seed, batch)
    plant_rows(rules, tree, settings, state)
    n_actions = canvas[0] * canvas[1] + 2
    if isinstance(evaluator, RolloutEvaluator):
        _search_by_rollouts(rules, tree, settings, rng, n_actions, evaluator.rollouts)
    else:
        cache = _NO_CACHE if memory is None else memory.cache_for(rules, n_actions)
        is_alone = batch == 1 and len(cache.keys) > 0
        by_evaluator = _search_alone if is_alone else _search_by_evaluator
        by_evaluator(rules, tree, settings, rng, canvas, evaluator, cache, rollouts_of(rules, config))
    result = empty_result(batch, n_actions)
    write_results(rules, tree, settings, *result)
    return result


def _search_by_evaluator(
    rules: Rules,
    tree: Tree,
    settings: Settings,
    rng: NDArray[np.uint64],
    canvas: tuple[int, int],
    evaluator: Evaluator,
    cache: Cache,
    rollouts: Rollouts,
) -> None:
    """Evaluate the games' leaves together until no game needs it; all observations share one buffer."""
    games = np.arange(len(tree.leaf), dtype=np.int32)
    remembers, buffer = len(cache.keys) > 0, Observation.zeros(len(games), canvas)
    while True:
        if remembers:
            games = games[: advance_remembered(rules, tree, settings, rng, games, cache)]
        if len(games) == 0:
            return
        observation = buffer.first(len(games))
        observe_waiting(rules, tree, games, observation.cells, observation.legal, observation.rules)
        logits, values = checked_evaluation(evaluator(observation), observation.legal.shape)
        games = games[: advance_waiting(rules, tree, settings, rng, games, logits, values, cache, rollouts)]


def _search_alone(
    rules: Rules,
    tree: Tree,
    settings: Settings,
    rng: NDArray[np.uint64],
    canvas: tuple[int, int],
    evaluator: Evaluator,
    cache: Cache,
    rollouts: Rollouts,
) -> None:
    """The same for one game with a cache: the next leaves of its round are evaluated with its own."""
    games, ahead = np.zeros(1, np.int32), new_ahead(rules, FORESEEN)
    buffer = Observation.zeros(1 + FORESEEN, canvas)
    observed = buffer.cells, buffer.legal, buffer.rules
    waits = True
    while waits and (asked := ask_alone(rules, tree, settings, rng, games, cache, ahead, *observed)):
        observation = buffer.first(asked)
        answer = checked_evaluation(evaluator(observation), observation.legal.shape)
        waits = answer_alone(rules, tree, settings, rng, games, *answer, cache, rollouts, ahead)


def _search_by_rollouts(
    rules: Rules, tree: Tree, settings: Settings, rng: NDArray[np.uint64], n_actions: int, rollouts: int
) -> None:
    """Search with random playouts as evaluation and an even prior."""
    games = np.arange(len(tree.leaf), dtype=np.int32)
    even, values = np.zeros((len(games), n_actions), np.float32), np.empty(len(games), np.float32)
    scratch, actions = new_state(rules, 1), np.empty(int(rules.flags[:, MAX_LEGAL].max()) + 1, np.int16)
    mixed_in = new_rollouts(rules, most=0, plies=0, share=0.0)
    while len(games):
        roll_out_waiting(rules, tree, rng, games, rollouts, scratch, actions, values)
        games = games[: advance_waiting(rules, tree, settings, rng, games, even, values, _NO_CACHE, mixed_in)]


def rollouts_of(rules: Rules, config: SearchConfig) -> Rollouts:
    """The playouts that a search mixes into its evaluations."""
    return new_rollouts(rules, most=config.rollouts, plies=config.rollout_plies, share=config.rollout_share)


def checked_evaluation(
    evaluation: tuple[NDArray[np.float32], NDArray[np.float32]], shape: tuple[int, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """An evaluator's answer as contiguous float32; raises `ValueError` if its shapes or numbers are wrong."""
    logits, values = (np.ascontiguousarray(part, dtype=np.float32) for part in evaluation)
    if logits.shape != shape or values.shape != shape[:1]:
        raise ValueError(
            f"evaluator: expected logits {shape} and value_to_play {shape[:1]},"
            f" got {logits.shape} and {values.shape}"
        )
    if not np.isfinite(values).all() or np.isnan(logits.sum()):
        raise ValueError("evaluator: expected finite numbers, got NaN or an infinity")
    return logits, values
