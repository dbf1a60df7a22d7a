"""The training loop: play, learn, hand the averaged weights to the players, keep it all on disk.

Playing and learning take turns, so that both have all cores and a run is reproducible: which games a batch is
drawn from never depends on timing. With a budget of positions, a killed and resumed run ends with the same
weights as an undisturbed one.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from games import Variant
from games.compilation import announce_first_compile
from mcts.config import Mixing
from models import NetworkEvaluator, PolicyValueNet
from models.checkpoint import pack_checkpoint
from models.evaluator import choose_device
from selfplay.actor import Actor, Episode
from selfplay.arena import Duel
from selfplay.config import DuelConfig, TrainConfig
from selfplay.endings import Endings
from selfplay.events import Events
from selfplay.gate import challenge
from selfplay.kernels import EVALUATIONS, MOVES, SIMULATIONS
from selfplay.known import KnownVariants
from selfplay.learner import Learner, Losses
from selfplay.replay import Replay
from selfplay.rescoring import Rescorer
from selfplay.run import Folder, RunFolder, Snapshot, checkpoint_errors
from selfplay.trust import RolloutTrust, judge

_CHAMPION, _RIVAL = "champion.", "rival."
"""Prefixes, in a checkpoint, of the tensors that play under gating, and that the last test of the end saw."""


FirstLesson = Callable[[Replay, dict[str, Tensor]], Mapping[str, Tensor]]
"""From the first recorded games and the weights at the start to the weights that learning goes on from."""


class Budget(Protocol):
    """What a run may take; None: no limit."""

    @property
    def minutes(self) -> float | None: ...

    @property
    def positions(self) -> int | None: ...


class Progress(NamedTuple):
    """What a run tells after each iteration; `share` in [0, 1] is how much of the budget is spent."""

    share: float
    seconds: float
    row: dict[str, Any]


class Observer(Protocol):
    """Is told how a run goes on."""

    def __call__(self, progress: Progress, /) -> None:
        """Called after each iteration."""
        ...


class Training:
    """One run in memory: actors, replay window, learner, counters."""

    def __init__(
        self,
        config: TrainConfig,
        variants: Sequence[Variant],
        *,
        start: Mapping[str, Tensor] | None = None,
        first_lesson: FirstLesson | None = None,
    ) -> None:
        """Set up a run.

        Args:
            config: see `TrainConfig`.
            variants: what is played.
            start: weights to begin with, a network's state; default: fresh ones.
            first_lesson: changes the weights by itself before the first gradient step.
        """
        announce_first_compile()
        self.config, self.variants = config, tuple(variants)
        play = config.selfplay
        torch.manual_seed(config.seed)
        self.net = PolicyValueNet(config.network)
        if start is not None:
            self.net.load_state_dict(start)
        self.device = choose_device(config.device)
        if self.device.type == "cpu":
            torch.set_num_threads(1)  # the cores are shared out by batches, not within an operation
        self.learner = Learner(self.net, config.learner, device=self.device, threads=play.threads)
        self.batch = max(1, play.games // play.threads)
        seeds = np.random.SeedSequence(config.seed).generate_state(play.threads)
        packed = self.device.type == "cuda"
        self.actors = [
            Actor(variants, play, games=self.batch, seed=int(seed), packed=packed) for seed in seeds
        ]
        self.evaluators = [
            NetworkEvaluator(self.net, device=self.device, precision=play.precision) for _ in self.actors
        ]
        self.rescorers = [
            Rescorer(self.variants, play.solver_nodes, every_exact=self._hurries) for _ in self.actors
        ]
        self.endings = Endings(len(self.variants))
        self.trust = RolloutTrust(play.rollout_share)
        learner = config.learner
        self.replay = Replay(variants, capacity=learner.window_max, td_lambda=learner.td_lambda)
        self.rng = np.random.default_rng(config.seed)
        self.iteration = 0
        self.episodes_played = 0
        self.seconds = 0.0
        self.debt = 0.0  # samples still to be learned from for positions already recorded
        self.fresh: list[Episode] = []  # games since the last checkpoint
        self._first_lesson = first_lesson
        self.champion = _copied(self.learner.ema) if config.gate.enabled else None
        self.rival = _copied(self.learner.ema) if config.stop.enabled else None
        self.next_test = config.stop.first_positions
        self.tests_without_gain = 0  # in a row

    @property
    def description(self) -> str:
        """What trains where, in one line."""
        network, play = self.config.network, self.config.selfplay
        batches = f"{len(self.actors)} batches of {self.batch} games"
        return (
            f"{network.blocks} blocks x {network.channels} channels, {self.evaluators[0].description}; "
            f"{batches}, {play.simulations} simulations"
        )

    def iterate(self) -> dict[str, Any]:
        """Play and learn once; returns the iteration's metrics."""
        started = time.perf_counter()
        before = _totals(self.actors)
        episodes = self._play()
        played = time.perf_counter()
        for episode in episodes:
            self.replay.add(episode)
        self.fresh += episodes
        self.episodes_played += len(episodes)
        self._mix(episodes)
        self._hurry(episodes)
        losses = self._learn(_positions(episodes))
        self.iteration += 1
        learned = time.perf_counter()
        tested = self._challenge() | self._test_the_end()
        for evaluator, actor in zip(self.evaluators, self.actors, strict=True):
            evaluator.load(self.playing)
            actor.forget_evaluations()
        row = self._metrics(
            episodes, losses, _totals(self.actors) - before, played - started, learned - played
        )
        return row | tested

    @property
    def _hurries(self) -> bool:
        """Whether searches are short where games are exact anyway."""
        return self.config.selfplay.ending_simulations > 0 and self.config.selfplay.solver_nodes > 0

    @property
    def mixing(self) -> Mixing:
        """Playouts that the agent's search mixes in."""
        return Mixing(self.config.selfplay.rollouts, self.trust.share)

    @property
    def playing(self) -> dict[str, Tensor]:
        """The weights that play: the averaged ones, or with gating the last that passed."""
        return self.learner.ema if self.champion is None else self.champion

    @property
    def is_over(self) -> bool:
        """Whether the budget is spent, or tests have shown that nothing more is gained."""
        return self.share() >= 1.0 or self.tests_without_gain >= self.config.stop.patience

    def share(self) -> float:
        """How much of the budget is spent, in [0, 1]."""
        return share_of_budget(self.config, self.seconds, self.replay.recorded)

    def window(self) -> int:
        """Positions that batches are drawn from now."""
        learner = self.config.learner
        return min(
            learner.window_max, max(learner.window_min, int(learner.window_share * self.replay.recorded))
        )

    def snapshot(self, number: int) -> Snapshot:
        """Everything that `restore` needs but the recorded games."""
        arrays = {
            f"{i}.{name}": a for i, actor in enumerate(self.actors) for name, a in actor.state().items()
        }
        counters = {
            "iteration": self.iteration,
            "episodes_played": self.episodes_played,
            "seconds": self.seconds,
            "debt": self.debt,
            "recorded": self.replay.recorded,
            "steps": self.learner.steps,
            "rng": self.rng.bit_generator.state,
            "next_test": self.next_test,
            "tests_without_gain": self.tests_without_gain,
            "trust": self.trust.state(),
            "endings": self.endings.state(),
        }
        tensors = self.learner.state() | _prefixed(self.champion, _CHAMPION) | _prefixed(self.rival, _RIVAL)
        return Snapshot(number, tensors, arrays, counters)

    def restore(self, snapshot: Snapshot, episodes_of: Callable[[int], list[Episode]]) -> None:
        """Go back to a checkpoint; `episodes_of(n)` reads the games that checkpoint n added."""
        counters = snapshot.counters
        self.iteration, self.seconds = counters["iteration"], counters["seconds"]
        self.episodes_played, self.debt = counters["episodes_played"], counters["debt"]
        self.rng.bit_generator.state = counters["rng"]
        self.learner.restore(snapshot.tensors, steps=counters["steps"])
        if self.champion is not None:  # a run that gates from now on begins with the averaged weights
            self.champion = self._saved(snapshot.tensors, _CHAMPION) or _copied(self.learner.ema)
        if self.rival is not None:
            self.rival = self._saved(snapshot.tensors, _RIVAL) or _copied(self.learner.ema)
        if "trust" in counters:
            self.trust.restore(counters["trust"])
        if "endings" in counters and self._hurries:
            self.endings.restore(counters["endings"])
        self.next_test = counters.get("next_test", self.next_test)
        self.tests_without_gain = counters.get("tests_without_gain", 0)
        for i, (actor, evaluator) in enumerate(zip(self.actors, self.evaluators, strict=True)):
            prefix = f"{i}."
            mine = {k.removeprefix(prefix): a for k, a in snapshot.arrays.items() if k.startswith(prefix)}
            actor.restore(mine)
            actor.search_little_from(self.endings.first)
            actor.mix_rollouts(self.trust.share, salt=self.iteration)
            evaluator.load(self.playing)
        self._refill(snapshot, episodes_of)

    def agent(self) -> bytes:
        """The weights that play as a checkpoint file."""
        net = PolicyValueNet(self.config.network)
        net.load_state_dict(self.playing)
        return pack_checkpoint(net, metadata=agent_metadata(self))

    def _play(self) -> list[Episode]:
        """`advances` network batches in every thread; games in an order that doesn't depend on timing."""
        if len(self.actors) == 1:
            return self._play_one(0)
        with ThreadPoolExecutor(len(self.actors)) as pool:
            parts = list(pool.map(self._play_one, range(len(self.actors))))
        return [episode for part in parts for episode in part]

    def _play_one(self, index: int) -> list[Episode]:
        actor, evaluator = self.actors[index], self.evaluators[index]
        if self.device.type == "cpu":
            torch.set_num_threads(1)  # holds for one thread
        episodes: list[Episode] = []
        for _ in range(self.config.selfplay.advances):
            actor.advance(*evaluator(actor.observe()))
            episodes += actor.collect()
        return [self.rescorers[index].rescored(episode) for episode in episodes]

    def _mix(self, episodes: Sequence[Episode]) -> None:
        """Ask new games how much playouts are worth beside the weights that played them."""
        if not self.config.selfplay.rollouts:
            return
        drawn = np.random.default_rng((self.config.seed, self.iteration))
        rollouts = self.actors[0].rollouts
        self.trust.learn(judge(self.variants, rollouts, episodes, self.evaluators[0], drawn))
        for actor in self.actors:
            actor.mix_rollouts(self.trust.share, salt=self.iteration + 1)

    def _hurry(self, episodes: Sequence[Episode]) -> None:
        """See from which ply on games are exact anyway."""
        if not self._hurries:
            return
        self.endings.learn(episodes)
        for actor in self.actors:
            actor.search_little_from(self.endings.first)

    def _learn(self, new_positions: int) -> list[Losses]:
        learner = self.config.learner
        if self.replay.recorded < learner.first_positions:
            return []
        if self._first_lesson is not None and self.learner.steps == 0:
            self.learner.load(self._first_lesson(self.replay, self.learner.net.state_dict()))
            self._first_lesson = None
        self.debt += new_positions * learner.samples_per_position
        losses = []
        while self.debt >= learner.batch_size:
            self.debt -= learner.batch_size
            batch = self.replay.sample(
                self.rng,
                batch_size=learner.batch_size,
                window=self.window(),
                search_value_share=learner.search_value_share,
                with_sequel=any(learner.auxiliary_weights),
            )
            losses.append(self.learner.step(batch, progress=self.share()))
        return losses

    def _challenge(self) -> dict[str, Any]:
        """With gating, every so often: let the averaged weights play if they are stronger; the metrics."""
        gate = self.config.gate
        if self.champion is None or self.learner.steps == 0 or self.iteration % gate.every:
            return {}
        began = time.perf_counter()
        duel = self._duel(gate, self.learner.ema, self.champion)
        if passed := duel.verdict == "stronger":
            self.champion = _copied(self.learner.ema)
        result = duel.encounter.result
        return {
            "gate_passed": float(passed),
            "gate_points": result.points,
            "gate_games": len(result.games),
            "gate_seconds": time.perf_counter() - began,
        }

    def _test_the_end(self) -> dict[str, Any]:
        """Every so often, if the run may end early: is the agent stronger than at the last gain?"""
        if self.rival is None or self.replay.recorded < self.next_test:
            return {}
        duel = self._duel(self.config.stop, self.learner.ema, self.rival)
        gains = duel.verdict != "not stronger"
        self.tests_without_gain = 0 if gains else self.tests_without_gain + 1
        if gains:
            self.rival = _copied(self.learner.ema)
        result = duel.encounter.result
        moves = sum(len(game.position.actions) - game.opening_plies for game in result.games)
        growth = max(self.replay.recorded * self.config.stop.growth, moves / self.config.stop.effort)
        self.next_test = self.replay.recorded + int(growth)
        return {"gain_points": result.points, "gain_games": len(result.games), "gains": float(gains)}

    def _duel(self, test: DuelConfig, candidate: dict[str, Tensor], champion: dict[str, Tensor]) -> Duel:
        return challenge(
            test,
            self.config.network,
            self.variants[:1] if self.config.selfplay.rehearsal else self.variants,
            candidate,
            champion,
            device=self.device,
            threads=len(self.actors),
            seed=self.config.seed + self.iteration,
            mixing=self.mixing,
        )

    def _saved(self, tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
        return {k.removeprefix(prefix): v.to(self.device) for k, v in tensors.items() if k.startswith(prefix)}

    def _refill(self, snapshot: Snapshot, episodes_of: Callable[[int], list[Episode]]) -> None:
        """Fill the replay window from the recorded games, newest first until it is full."""
        chunks: list[list[Episode]] = []
        positions, number = 0, snapshot.number
        while number > 0 and positions < self.replay.capacity:
            chunks.append(episodes_of(number))
            positions += sum(int(e.recorded.sum()) for e in chunks[-1])
            number -= 1
        self.replay.recorded = snapshot.counters["recorded"] - positions
        for episode in (episode for chunk in reversed(chunks) for episode in chunk):
            self.replay.add(episode)

    def _metrics(
        self, episodes: Sequence[Episode], losses: Sequence[Losses], counts: Any, play: float, learn: float
    ) -> dict[str, Any]:
        lengths = [len(e.actions) for e in episodes]
        results = np.array([e.result for e in episodes])
        hits = sum(int(actor.cache.hits[0]) for actor in self.actors)
        row: dict[str, Any] = {
            "iteration": self.iteration,
            "positions": self.replay.recorded,
            "episodes": self.episodes_played,
            "steps": self.learner.steps,
            "window": min(self.window(), self.replay.recorded),
            "learning_rate": self.learner.learning_rate(self.share()),
            "positions_per_second": float(counts[MOVES] / (play + learn)),
            "evaluations_per_second": float(counts[EVALUATIONS] / play),
            "simulations_per_move": float(counts[SIMULATIONS] / max(1, counts[MOVES])),
            "evaluations_per_move": float(counts[EVALUATIONS] / max(1, counts[MOVES])),
            "cache_hits": hits,
            "rollout_share": self.trust.share if self.config.selfplay.rollouts else 0.0,
            "play_seconds": play,
            "learn_seconds": learn,
        }
        if episodes:
            row |= {
                "mean_plies": float(np.mean(lengths)),
                "first_wins": float(np.mean(results == 1)),
                "draws": float(np.mean(results == 0)),
            }
        if losses:
            row |= dict(zip(Losses._fields, np.mean(losses, axis=0).tolist(), strict=True))
        return row


def share_of_budget(budget: Budget, seconds: float, positions: int) -> float:
    """How much of a budget is spent, in [0, 1]; with two limits, of the one that is nearer."""
    shares = [0.0]
    if budget.minutes is not None:
        shares.append(seconds / (60.0 * budget.minutes))
    if budget.positions is not None:
        shares.append(positions / budget.positions)
    return min(1.0, max(shares))


def train(
    folder: RunFolder,
    observer: Observer,
    *,
    tell: Callable[[str], object] = lambda _: None,
    first_lesson: FirstLesson | None = None,
) -> Training:
    """Train until the budget is spent, from the last checkpoint if there is one, and save the end.

    `tell` gets a line about what trains where. Ctrl-C ends the run after the iteration in progress, with a
    checkpoint; a second one at once, without.
    """
    training = Training(folder.config, folder.variants, start=folder.start(), first_lesson=first_lesson)
    tell(training.description)
    snapshot = folder.latest()
    number = 0
    if snapshot is not None:
        with checkpoint_errors(folder.path):
            training.restore(snapshot, folder.episodes)
        number = snapshot.number
    folder.trim_metrics(training.iteration)
    clock = time.perf_counter() - training.seconds
    saved_at, saved_iteration = training.seconds, training.iteration
    with Events(folder.path, training.iteration) as events, stop_on_interrupt() as stop:
        while not (training.is_over or stop.is_set()):
            row = training.iterate()
            training.seconds = row["seconds"] = time.perf_counter() - clock
            folder.append_metrics(row)
            events.write(row)
            observer(Progress(training.share(), training.seconds, row))
            if training.seconds - saved_at >= folder.config.checkpoint_seconds:
                number = save(folder, training, number + 1)
                saved_at, saved_iteration = training.seconds, training.iteration
        if training.iteration > saved_iteration:
            save(folder, training, number + 1)
    if stop.is_set():
        raise KeyboardInterrupt
    return training


@contextmanager
def stop_on_interrupt() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; the second one interrupts as usual."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    usual = signal.getsignal(signal.SIGINT)

    def note(_number: int, _frame: object) -> None:
        signal.signal(signal.SIGINT, usual)
        stop.set()

    signal.signal(signal.SIGINT, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, usual)


class Resumable(Protocol):
    """A run in memory that can be written down."""

    fresh: list[Episode]

    def snapshot(self, number: int) -> Snapshot: ...

    def agent(self) -> bytes: ...


def save(folder: Folder[Any], training: Resumable, number: int) -> int:
    """Write checkpoint `number` and the games since the one before; returns the number."""
    folder.save(training.snapshot(number), training.agent(), training.fresh)
    training.fresh = []
    return number


def agent_metadata(training: Training) -> dict[str, Any]:
    """What an agent's file says about where it comes from."""
    return {
        "variants": KnownVariants(training.variants).entries(),
        "positions": training.replay.recorded,
        "steps": training.learner.steps,
        "seconds": round(training.seconds, 1),
        **training.mixing.metadata(),
    }


def _positions(episodes: Sequence[Episode]) -> int:
    """How many positions of games are learned from."""
    return sum(int(episode.recorded.sum()) for episode in episodes)


def _prefixed(weights: dict[str, Tensor] | None, prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}{name}": value.cpu().contiguous().clone() for name, value in (weights or {}).items()}


def _copied(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in weights.items()}


def _totals(actors: Sequence[Actor]) -> Any:
    return np.sum([actor.counts for actor in actors], axis=0)
