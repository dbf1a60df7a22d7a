"""`Player`: an agent with a search, for programs and for the terminal. Needs no torch.

player = Player.load("agent.onnx", simulations=64)
action = player.choose(position)
player.analyse(position).value_to_play
"""

from __future__ import annotations

import copy
import json
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from games import AgentError, MoveError, Observation, Position, Variant, observe, start
from games.compiler import canvas_actions, canvas_size
from games.rules import MAX_LEGAL
from mcts import Evaluator, Memory, RolloutEvaluator, SearchConfig, SearchResult, search, uniform_evaluator
from mcts.config import NO_MIXING, Mixing
from mcts.search import empty_result
from mcts.tree_kernels import NONE
from selfplay.background import Job
from selfplay.known import KnownVariants

if TYPE_CHECKING:
    from selfplay.exact import ExactPlay
    from selfplay.sight import Sight

DEFAULT_SIMULATIONS = 64
"""Simulations a move for a network, if the caller doesn't say."""

DEFAULT_ROLLOUTS = 1000
"""Simulations a move for plain `mcts`, each with one random playout."""

MAX_SIMULATIONS = 30_000

MAX_SOLVER_NODES = 100_000_000

USUAL_SOLVER_NODES = 20_000
"""Positions of the exact solver a move where people or other programs play: hundredths of a second."""

STREAM_BEGIN = 16
"""Simulations of the first analysis of a stream; each one has twice as many as the one before."""

ROLLOUT_EXPLORATION = 2.0
"""PUCT's constant for plain rollouts; 1.4, 4 and 8 won no more in matches on five variants."""

PONDER_SECONDS = 300.0
"""After which pondering ends by itself."""

REMEMBERED_MEGABYTES = 64
"""Memory for evaluations of positions seen before, for each thread."""

_BATCH = 256
_PART = 8
"""Positions that are worth a thread of their own."""

_TREE_BYTES = 256 * 2**20
"""Most memory that the trees of one batch take; larger requests are searched in several batches."""

SIGHT_CELLS = 49
"""Largest board of which an agent takes a first look: it must not take long."""

_SPEC = re.compile(r"mcts(?::(.*))?", re.DOTALL)


class Analysis(NamedTuple):
    """What a player thinks of a position; A is the variant's own actions, cells row by row, PASS, SWAP.

    action: the action the player plays; the best one, unless its temperature is above 0
    visits: int32 `[A]`, all zero without a search
    policy: float32 `[A]`, sums to one, zero where illegal
    action_values: float32 `[A]`, -1 to 1 for the player to move, NaN without a visit
    value_to_play: -1 to 1, for the player to move
    win_draw_loss: three shares that sum to one for the player to move, as the network sees the position
        without a search; None if the agent doesn't tell draws apart, or doesn't guide the search
    simulations: what the search spent, 0 without one
    proven: int8 `[A]`: `mcts.LOSS`, `DRAWN` or `WIN` for the player to move where an action's result is known
        for certain, else `mcts.UNPROVEN`
    lines: int16 `[A, LINE_LENGTH]`: how the game is expected to go on after an action, see `line_after`
    """

    action: int
    visits: NDArray[np.int32]
    policy: NDArray[np.float32]
    action_values: NDArray[np.float32]
    value_to_play: float
    win_draw_loss: tuple[float, float, float] | None
    simulations: int
    proven: NDArray[np.int8]
    lines: NDArray[np.int16]

    @property
    def line(self) -> tuple[int, ...]:
        """The principal variation: the action it plays, then what the search expects."""
        return self.line_after(self.action)

    def line_after(self, action: int) -> tuple[int, ...]:
        """An action and how the search expects the game to go on, by the most visited actions."""
        following = self.lines[action]
        return (action, *following[following != NONE].tolist())

    def ranked(self, count: int) -> list[int]:
        """The action it plays, then the others by visits and policy, as far as it cares for them."""
        order = np.lexsort((-self.policy, -self.visits)).tolist()
        known = [a for a in order if a != self.action and (self.visits[a] > 0 or self.policy[a] > 0)]
        return [self.action, *known][:count]


@runtime_checkable
class TellsDraws(Protocol):
    """An evaluator that also says how likely a draw is."""

    def win_draw_loss(self, observation: Observation, /) -> NDArray[np.float32]:
        """float32 `[B, 3]`: shares of win, draw and loss for the player to move."""
        ...


class _Search(NamedTuple):
    """What evaluates positions, and how they are searched."""

    evaluator: Evaluator | RolloutEvaluator
    config: SearchConfig


class _Desk(NamedTuple):
    """What a thread works with: evaluations it remembers, and the exact solver, if it is asked."""

    memory: Memory
    exact: ExactPlay | None


class Player:
    """Chooses actions. Equal positions get equal answers, unless `temperature` is above 0.

    Several threads may ask one player; it answers one after the other.

    Attributes:
        name: what a person reads, such as `agent.onnx` or `mcts:1000`.
        simulations: a move; 0 plays the policy without a search.
        solver_nodes: positions that the exact solver visits at most, beside each search.
        variants: those the agent was trained for; None if it wasn't trained and plays all alike.
    """

    def __init__(
        self,
        evaluator: Evaluator | RolloutEvaluator,
        config: SearchConfig | None,
        *,
        name: str,
        variants: Sequence[Variant] | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        threads: int = 1,
        solver_nodes: int = 0,
        is_fitted: bool = True,
    ) -> None:
        """Put a player together; `Player.load` is the usual way.

        Args:
            evaluator: a network, another callable on observations, or a `RolloutEvaluator`; its answers
                mustn't change, and with several threads it is called by all of them.
            config: the search; None plays the evaluator's policy as it is.
            name: what a person reads.
            variants: those the evaluator was trained for.
            temperature: above 0, actions are drawn from policy ** (1 / temperature).
            seed: of playouts and draws.
            threads: share positions that are asked about together.
            solver_nodes: see `Player.load`.
            is_fitted: whether the config's share of playouts was fitted to these variants; if not, and for
                other variants, a first look at a variant finds it.
        """
        assert config is not None or not isinstance(evaluator, RolloutEvaluator), "playouts have no policy"
        if temperature < 0:
            raise ValueError(f"expected a temperature of at least 0, got {temperature}")
        if not 0 <= solver_nodes <= MAX_SOLVER_NODES:
            raise AgentError(f"expected 0 to {MAX_SOLVER_NODES} solver nodes, got {solver_nodes}")
        self.name = name
        self.variants = None if variants is None else KnownVariants.of(variants)
        self.simulations = 0 if config is None else config.simulations
        self.solver_nodes = solver_nodes
        self._evaluator = evaluator
        self._config = config
        self._is_fitted = is_fitted
        self._temperature = temperature
        self._seed = seed
        self._random = np.random.default_rng(seed)
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._sights: dict[str, Sight] = {}
        self._desks = self._new_desks(threads)
        self._lock = threading.RLock()
        self._interrupt: threading.Event | None = None
        self._pondering: Job | None = None

    @classmethod
    def load(
        cls,
        agent: str | os.PathLike[str],
        *,
        simulations: int | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        threads: int = 1,
        solver_nodes: int = 0,
    ) -> Player:
        """A player from an agent's name.

        Args:
            agent: path of an .onnx agent; `mcts:N` for a tree search with N random playouts a move and no
                network; or `random`.
            simulations: a move, for .onnx agents only (default 64); 0 plays the network's policy alone.
            temperature: above 0, actions are drawn from policy ** (1 / temperature), for variety.
            seed: of playouts and draws.
            threads: share positions that are asked about together (`choose_many`).
            solver_nodes: positions that the exact solver visits at most for each position, for .onnx agents
                with a search and no temperature only; where that suffices, no move that is a mistake is
                played. `USUAL_SOLVER_NODES` is what `selfplay play` takes.

        Raises:
            AgentError: the file is missing, corrupt or foreign, or a number makes no sense; one line.
        """
        spec = os.fspath(agent)
        rollouts = _SPEC.fullmatch(spec)
        if not (rollouts or spec == "random"):
            return cls._load_onnx(
                Path(spec),
                simulations,
                temperature=temperature,
                seed=seed,
                threads=threads,
                solver_nodes=solver_nodes,
            )
        if simulations is not None:
            raise AgentError(f"expected simulations for an .onnx agent only, got {simulations} for {spec!r}")
        if rollouts is None:
            return cls(uniform_evaluator, None, name="random", temperature=1.0, seed=seed)
        config = _tree_search(_rollouts(rollouts[1]))
        name = f"mcts:{config.simulations}"
        return cls(RolloutEvaluator(), config, name=name, temperature=temperature, seed=seed, threads=threads)

    @classmethod
    def _load_onnx(
        cls,
        path: Path,
        simulations: int | None,
        *,
        temperature: float,
        seed: int,
        threads: int,
        solver_nodes: int,
    ) -> Player:
        from models.onnx_runtime import OnnxEvaluator

        if path.suffix != ".onnx" and not path.exists():
            raise AgentError(f"expected an .onnx file, mcts:N or random, got {str(path)!r}")
        evaluator = OnnxEvaluator(path)
        mixing = Mixing.read(evaluator.metadata.get("training", "{}"), path)
        config = search_config(simulations, mixing)
        return cls(
            evaluator,
            config,
            name=path.name,
            variants=_trained_variants(evaluator.metadata, path),
            temperature=temperature,
            seed=seed,
            threads=threads,
            solver_nodes=solver_nodes,
            is_fitted=mixing.fitted,
        )

    def __repr__(self) -> str:
        return f"<Player {self.description}>"

    @property
    def description(self) -> str:
        """The name, with the simulations where the name doesn't say them."""
        if self.variants is None:
            return self.name
        return (
            f"{self.name}, {self.simulations} simulations"
            if self.simulations
            else f"{self.name}, policy only"
        )

    @property
    def plays_at_random(self) -> bool:
        """Whether there is nothing behind its choices."""
        return self._evaluator is uniform_evaluator and self._config is None

    @property
    def is_plain_search(self) -> bool:
        """Whether it is tree search with playouts and no network."""
        return isinstance(self._evaluator, RolloutEvaluator)

    def trained_for(self, variant: Variant) -> bool:
        """Whether the agent learned exactly these rules; what wasn't trained plays every variant alike."""
        return self.variants is None or self.variants.knows(variant)

    def check_plays(self, variant: Variant) -> None:
        """Raise `AgentError` if the agent can't evaluate this board at all."""
        if not isinstance(self._evaluator, RolloutEvaluator):
            self._evaluator(observe([start(variant)]))

    def at_strength(self, simulations: int, temperature: float = 0.0) -> Player:
        """The same agent with another strength; it may think while this one does.

        Args:
            simulations: a move; 0 plays the policy alone, which playouts don't have: they get one simulation.
            temperature: see `Player.load`.
        """
        other = copy.copy(self)
        if not self.plays_at_random:
            other._config = self._config_for(simulations)
            other._temperature = temperature
        other.simulations = 0 if other._config is None else other._config.simulations
        other._random = np.random.default_rng(self._seed)
        other._desks = other._new_desks(len(self._desks))
        other._lock = threading.RLock()
        other._pondering = None
        return other

    def _new_desks(self, threads: int) -> list[_Desk]:
        """A desk for each thread; exact play is for who means to play the best move."""
        is_exact = self.solver_nodes > 0 and self._config is not None and self._temperature == 0
        return [
            _Desk(Memory(REMEMBERED_MEGABYTES), self._new_exact() if is_exact else None)
            for _ in range(threads)
        ]

    def _new_exact(self) -> ExactPlay:
        from selfplay.exact import ExactPlay

        return ExactPlay(self.solver_nodes)

    def _config_for(self, simulations: int) -> SearchConfig | None:
        """How this agent searches with other simulations."""
        plays_out = isinstance(self._evaluator, RolloutEvaluator)
        fresh = search_config(max(simulations, 1) if plays_out else simulations)
        if fresh is None or self._config is None:
            return fresh
        return self._config.model_copy(update={"simulations": fresh.simulations})

    def close(self) -> None:
        """Let the threads go."""
        self.stop_pondering()
        if self._pool is not None:
            self._pool.shutdown()

    def choose(self, position: Position, *, seconds: float | None = None) -> int:
        """The action to play, one of the position's own; `MoveError` if the game is over.

        seconds: think for about as long instead of the player's simulations
        """
        if seconds is None or len(position.legal_actions) == 1:
            return self.choose_many([position])[0]
        *_, last = self.stream(position, seconds=seconds)
        return last.action

    def choose_many(self, positions: Sequence[Position], /) -> list[int]:
        """An action for each position, searched together; the variants may differ."""
        self.stop_pondering()
        forced = [len(position.legal_actions) == 1 for position in positions]
        free = [position for position, only in zip(positions, forced, strict=True) if not only]
        chosen = (analysis.action for analysis in self._analyse_many(free, self._config))
        return [
            int(position.legal_actions[0]) if only else next(chosen)
            for position, only in zip(positions, forced, strict=True)
        ]

    def analyse(self, position: Position) -> Analysis:
        """What the player thinks of a position; `MoveError` if the game is over."""
        self.stop_pondering()
        (analysis,) = self._analyse_many([position], self._config)
        return analysis._replace(win_draw_loss=self._win_draw_loss(position))

    def analyse_many(self, positions: Sequence[Position]) -> list[Analysis]:
        """As `analyse` for each position, searched together, but without `win_draw_loss`."""
        self.stop_pondering()
        return self._analyse_many(positions, self._config)

    def stream(
        self,
        position: Position,
        *,
        simulations: int | None = None,
        seconds: float | None = None,
        stopped: threading.Event | None = None,
    ) -> Iterator[Analysis]:
        """Better and better analyses of a position, each with twice the simulations of the one before.

        What a network has said before is remembered, so that a new analysis mainly costs what is new in it.
        Without a search there is one analysis.

        Args:
            position: `MoveError` if its game is over.
            simulations: of the last analysis; default: the player's own, with `seconds` as many as fit.
            seconds: end before an analysis that would take longer, but not before the first.
            stopped: once it is set, end in the middle of an analysis, but not before the first.
        """
        self.stop_pondering()
        yield from self._stream(position, simulations, seconds, stopped or threading.Event())

    def _stream(
        self, position: Position, simulations: int | None, seconds: float | None, stopped: threading.Event
    ) -> Iterator[Analysis]:
        began = time.perf_counter()
        shares = self._win_draw_loss(position)
        interrupt: threading.Event | None = None
        for config in self._growing(position, simulations, endless=seconds is not None):
            before = time.perf_counter()
            try:
                (analysis,) = self._analyse_many([position], config, interrupt)
            except _InterruptedSearchError:
                return
            yield analysis._replace(win_draw_loss=shares)
            now, interrupt = time.perf_counter(), stopped
            if stopped.is_set() or (seconds is not None and now - began + 2 * (now - before) > seconds):
                return

    def ponder(self, position: Position) -> None:
        """Think about a position, in the background, until the next question or `stop_pondering`.

        It changes no answer: what the network says meanwhile is remembered, so that answers about positions
        that can follow come sooner. Playouts aren't remembered: without a network nothing happens.
        """
        self.stop_pondering()
        if self._config is None or self.is_plain_search or position.is_over:
            return

        same = copy.copy(self)  # with the same memory, but without a share in what is drawn
        same._temperature = 0.0
        same._desks = [desk._replace(exact=None) for desk in self._desks]

        def work(stopped: threading.Event) -> None:
            for _ in same._stream(position, None, PONDER_SECONDS, stopped):
                pass

        self._pondering = Job(work)
        self._pondering.start()

    def stop_pondering(self) -> None:
        """End what `ponder` began."""
        if self._pondering is not None:
            self._pondering.stop()
            self._pondering = None

    def _growing(
        self, position: Position, simulations: int | None, *, endless: bool
    ) -> Iterator[SearchConfig | None]:
        """The searches of a stream."""
        if self._config is None:
            yield None
            return
        most = min(MAX_SIMULATIONS, max(STREAM_BEGIN, _TREE_BYTES // _node_bytes(position) - 2))
        wanted = most if endless and simulations is None else simulations or self._config.simulations
        last, spent = min(most, wanted), STREAM_BEGIN
        while spent < last:
            yield self._config.model_copy(update={"simulations": spent})
            spent *= 2
        yield self._config.model_copy(update={"simulations": last})

    def _win_draw_loss(self, position: Position) -> tuple[float, float, float] | None:
        """The network's own opinion of a position, if it tells draws and guides the search."""
        if position.is_over or not isinstance(self._evaluator, TellsDraws):
            return None
        if not self.guides(position.variant):
            return None
        with self._lock:
            win, draw, loss = self._evaluator.win_draw_loss(observe([position]))[0].tolist()
        return win, draw, loss

    def _analyse_many(
        self,
        positions: Sequence[Position],
        config: SearchConfig | None,
        interrupt: threading.Event | None = None,
    ) -> list[Analysis]:
        for position in positions:
            if position.is_over:
                raise MoveError(
                    f"expected a position where a move is due, got one where the game is over: {position!r}"
                )
        with self._lock:
            self._interrupt = interrupt
            for position in positions:
                self._sight(position.variant)  # by one thread, before they share the positions
            found = list(self._analyses(positions, config))
            return [self._with_drawn_action(analysis) for analysis in found] if self._temperature else found

    def _analyses(self, positions: Sequence[Position], config: SearchConfig | None) -> Iterator[Analysis]:
        """Every thread takes a part of the positions; all are done before the first is told."""
        seed = int(self._random.integers(2**63)) if self._temperature else self._seed
        n = len(self._desks) if len(positions) >= _PART * len(self._desks) else 1
        bounds = [len(positions) * i // n for i in range(n + 1)]
        parts = [positions[start:stop] for start, stop in pairwise(bounds)]
        if self._pool is None or n == 1:
            return self._analyse_part(positions, config, self._desks[0], seed)
        jobs = [
            self._pool.submit(lambda *job: list(self._analyse_part(*job)), part, config, desk, seed + i)
            for i, (part, desk) in enumerate(zip(parts, self._desks, strict=True))
        ]
        return chain.from_iterable(job.result() for job in jobs)

    def _analyse_part(
        self, positions: Sequence[Position], config: SearchConfig | None, desk: _Desk, seed: int
    ) -> Iterator[Analysis]:
        size = _batch_size(positions, 0 if config is None else config.simulations)
        for first in range(0, len(positions), size):
            batch = positions[first : first + size]
            if config is None:
                yield from self._read(batch, self._opinion(batch), 0)
            else:
                found = self._searched(batch, config, desk.memory, seed)
                yield from found if desk.exact is None else map(desk.exact.corrected, batch, found)

    def _searched(
        self, batch: Sequence[Position], config: SearchConfig, memory: Memory, seed: int
    ) -> list[Analysis]:
        """Search positions; those of variants that look different to the evaluator by themselves."""
        groups: dict[Sight | None, list[int]] = {}
        for row, position in enumerate(batch):
            groups.setdefault(self._sight(position.variant), []).append(row)
        found: dict[int, Analysis] = {}
        for rows in groups.values():
            positions = [batch[row] for row in rows]
            evaluator, searched = self._search_of(positions[0].variant, config)
            asked = _interruptible(evaluator, self._interrupt)
            result = search(positions, asked, searched, seed=seed, memory=memory)
            found.update(zip(rows, self._read(positions, result, searched.simulations), strict=True))
        return [found[row] for row in range(len(batch))]

    def search_of(self, variant: Variant) -> tuple[Evaluator | RolloutEvaluator, SearchConfig] | None:
        """What evaluates the positions of a variant and how they are searched; None without a search."""
        with self._lock:
            return None if self._config is None else self._search_of(variant, self._config)

    def _search_of(self, variant: Variant, config: SearchConfig) -> _Search:
        """The same for another number of simulations."""
        sight = self._sight(variant)
        if sight is None:
            return _Search(self._evaluator, config)
        if sight.guides:
            return _Search(self._evaluator, config.model_copy(update={"rollout_share": sight.share}))
        playouts = min(MAX_SIMULATIONS, config.simulations * config.rollouts)
        return _Search(RolloutEvaluator(), _tree_search(playouts))

    def _sight(self, variant: Variant) -> Sight | None:
        """What a first look at a variant found; None where the agent's file knows as well."""
        if self._config is None or not self._config.rollouts or isinstance(self._evaluator, RolloutEvaluator):
            return None
        if (self._is_fitted and self.trained_for(variant)) or self.variants is None:
            return None
        if variant.board.rows * variant.board.columns > SIGHT_CELLS:
            return None
        if variant.digest not in self._sights:
            from selfplay.sight import look

            self._sights[variant.digest] = look(variant, self._evaluator, seed=self._seed)
        return self._sights[variant.digest]

    def guides(self, variant: Variant) -> bool:
        """Whether the network guides the search in a variant; else as many playouts do without it.

        A few quick games tell, the first time that an agent of several variants, or of another one, is asked.
        """
        with self._lock:
            sight = self._sight(variant)
        return sight is None or sight.guides

    def _with_drawn_action(self, analysis: Analysis) -> Analysis:
        """With an action drawn from policy ** (1 / temperature), by the Gumbel-max trick."""
        likely = np.flatnonzero(analysis.policy)
        logits = np.log(analysis.policy[likely].astype(np.float64)) / self._temperature
        drawn = likely[np.argmax(logits + self._random.gumbel(size=len(likely)))]
        return analysis._replace(action=int(drawn))

    def _opinion(self, positions: Sequence[Position]) -> SearchResult:
        """The evaluator's own opinion, in the form of a search's result."""
        assert not isinstance(self._evaluator, RolloutEvaluator)
        observation = observe(positions)
        logits, value_to_play = self._evaluator(observation)
        masked = np.where(observation.legal, logits, -np.inf)
        weights = np.exp(masked - masked.max(axis=1, keepdims=True))
        return empty_result(*masked.shape)._replace(
            action=masked.argmax(axis=1).astype(np.int32),
            policy=weights / weights.sum(axis=1, keepdims=True),
            value_to_play=value_to_play,
        )

    def _read(
        self, positions: Sequence[Position], result: SearchResult, simulations: int
    ) -> Iterator[Analysis]:
        """A result on the canvas as one analysis each, in the variants' own actions."""
        variants = {position.variant.digest: position.variant for position in positions}
        canvas = canvas_size(list(variants.values()))
        places = {digest: canvas_actions(variant, *canvas) for digest, variant in variants.items()}
        for row, position in enumerate(positions):
            place = places[position.variant.digest]
            own = np.full(
                result.policy.shape[1] + 1, NONE, np.int16
            )  # canvas action -> own; the last is NONE
            own[place] = np.arange(len(place))
            yield Analysis(
                action=int(own[result.action[row]]),
                visits=result.visits[row, place],
                policy=result.policy[row, place],
                action_values=result.action_values[row, place],
                value_to_play=float(result.value_to_play[row]),
                win_draw_loss=None,
                simulations=simulations,
                proven=result.proven[row, place],
                lines=own[result.lines[row, place]],
            )


class _InterruptedSearchError(Exception):
    """A search that somebody stopped."""


def _interruptible(
    evaluator: Evaluator | RolloutEvaluator, interrupt: threading.Event | None
) -> Evaluator | RolloutEvaluator:
    """The same evaluator, which refuses once the event is set; playouts are quick enough to end first."""
    if interrupt is None or isinstance(evaluator, RolloutEvaluator):
        return evaluator

    def evaluate(observation: Observation) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if interrupt.is_set():
            raise _InterruptedSearchError
        return evaluator(observation)

    return evaluate


def _tree_search(rollouts: int) -> SearchConfig:
    """Plain tree search with so many playouts."""
    return SearchConfig(method="puct", simulations=rollouts, exploration=ROLLOUT_EXPLORATION, solve=True)


def search_config(simulations: int | None, mixing: Mixing = NO_MIXING) -> SearchConfig | None:
    """How an agent searches in play, with `DEFAULT_SIMULATIONS` by default; None for 0, no search at all."""
    spent = DEFAULT_SIMULATIONS if simulations is None else simulations
    if not 0 <= spent <= MAX_SIMULATIONS:
        raise AgentError(f"expected 0 to {MAX_SIMULATIONS} simulations, got {spent}")
    if not spent:
        return None
    return SearchConfig(
        simulations=spent,
        gumbel_scale=0.0,
        solve=True,
        rollouts=mixing.rollouts,
        rollout_share=mixing.share,
    )


def _batch_size(positions: Sequence[Position], simulations: int) -> int:
    """How many of the positions are searched together, so that their trees fit into memory."""
    node = max((_node_bytes(position) for position in positions), default=1)
    return max(1, min(_BATCH, _TREE_BYTES // (node * (simulations + 2))))


def _node_bytes(position: Position) -> int:
    """About the memory that one node of a search tree takes, with its edges."""
    return sum(column.nbytes for column in position.state) + 28 * (
        1 + int(position.rules.flags[0, MAX_LEGAL])
    )


def _rollouts(text: str | None) -> int:
    """N of `mcts:N`."""
    if text is None:
        return DEFAULT_ROLLOUTS
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_SIMULATIONS):
        raise AgentError(f"expected mcts:N with N from 1 to {MAX_SIMULATIONS}, got {'mcts:' + text!r}")
    return int(text)


def _trained_variants(metadata: Mapping[str, str], path: Path) -> KnownVariants:
    """The variants that an agent's file names; none if it names none."""
    try:
        entries = json.loads(metadata.get("variants", "[]"))
    except (ValueError, RecursionError) as error:
        raise AgentError(f"{path}: expected variants as JSON in the metadata, got {error}") from None
    return KnownVariants.read(entries, path)
