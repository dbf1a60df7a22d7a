"""The meta-training loop: variants are drawn, played by weights adapted to them, and learned from together.

    repeat:
        tasks   = curriculum.draw()                       some variants with boards of about one size
        games   = play(task, algorithm.adapt(task))       each by its own weights
        algorithm.outer_step(tasks) ...                   from support and query of variants played so far

Like self-play's, the loop is in turns, so that a run with a budget of positions is reproducible.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import local
from typing import Any

import numpy as np
import torch
from torch import Tensor

from games import Variant
from games.compilation import announce_first_compile
from mcts import uniform_evaluator
from mcts.config import Mixing
from models import NetworkEvaluator, PolicyValueNet
from models.checkpoint import pack_checkpoint
from models.evaluator import choose_device
from selfplay.actor import Episode
from selfplay.events import Events
from selfplay.known import KnownVariants
from selfplay.loop import Observer, Progress, save, share_of_budget, stop_on_interrupt
from selfplay.meta.algorithms import algorithm
from selfplay.meta.algorithms.base import OuterLosses, State
from selfplay.meta.config import MetaTrainConfig
from selfplay.meta.curriculum import Curriculum, CurriculumConfig
from selfplay.meta.folder import MetaFolder
from selfplay.meta.outer import part, prefixed
from selfplay.meta.pool import TaskPool, blind, by_canvas
from selfplay.meta.seen import Seen
from selfplay.meta.tasks import TaskBatch, pooled, stack, to_device
from selfplay.run import Snapshot, checkpoint_errors
from selfplay.sight import ROLLOUTS

_SEEN = "seen."
"""Prefix of what a checkpoint holds of `Seen`."""

Judge = Callable[["MetaTraining"], dict[str, Any]]
"""Judges the initialisation; the answer holds `score`, larger is better."""


class MetaTraining:
    """One meta-training in memory."""

    def __init__(
        self,
        config: MetaTrainConfig,
        variants: Sequence[Variant],
        *,
        start: Mapping[str, Tensor] | None = None,
    ) -> None:
        """`start`: weights to begin with; default: fresh ones."""
        announce_first_compile()
        self.config, self.variants = config, tuple(variants)
        torch.manual_seed(config.seed)
        self.device = choose_device(config.device)
        self.net = PolicyValueNet(config.network)
        if start is not None:
            self.net.load_state_dict(start)
        self.net.to(self.device)
        self.algorithm = algorithm(config.learning.algorithm, self.net, config.learning)
        self.pool = TaskPool(variants, config.selfplay, config.tasks, seed=config.seed)
        self.groups = by_canvas(variants)
        self.curriculum = Curriculum(len(variants), CurriculumConfig(floor=config.tasks.floor))
        self.seen = Seen()
        self.rng = np.random.default_rng(config.seed)
        self.fresh: list[Episode] = []
        self.iteration = self.recorded = self.episodes_played = 0
        self.seconds = self.debt = 0.0
        self.validated: list[dict[str, Any]] = []
        self._threads = ThreadPoolExecutor(config.selfplay.threads)
        self._own = local()

    @property
    def params(self) -> dict[str, Tensor]:
        """The initialisation as a network's state; inputs that never moved weigh nothing."""
        return self.seen.settled(self.algorithm.params)

    def iterate(self) -> dict[str, Any]:
        """Visit some variants, then learn; returns the iteration's metrics."""
        began = time.perf_counter()
        visited = self.draw()
        starts = [self._weights_for(index) for index in visited]
        episodes = [e for part in self._threads.map(self._play, visited, starts) for e in part]
        played = time.perf_counter()
        for episode in episodes:
            self.pool.add(episode)
        positions = sum(int(e.recorded.sum()) for e in episodes)
        self.recorded += positions
        self.episodes_played += len(episodes)
        self.fresh += episodes
        self.debt += positions * self.config.tasks.samples_per_position
        self._score(visited)
        losses = self._learn()
        self.iteration += 1
        return self._metrics(visited, losses, positions, played - began, time.perf_counter() - played)

    def draw(self) -> list[int]:
        """The variants to visit: a size of board, then variants with it, as the curriculum likes them."""
        liked = self.curriculum.probabilities()
        weights = np.array([liked[group].sum() for group in self.groups])
        group = self.groups[int(self.rng.choice(len(self.groups), p=weights / weights.sum()))]
        number = min(self.config.tasks.together, len(group))
        chosen = self.rng.choice(group, number, replace=False, p=liked[group] / liked[group].sum())
        return [int(index) for index in chosen]

    def share(self) -> float:
        """How much of the budget is spent, in [0, 1]."""
        return share_of_budget(self.config, self.seconds, self.recorded)

    def agent(self) -> bytes:
        """The initialisation as a checkpoint file, with how to adapt it."""
        net = PolicyValueNet(self.config.network)
        net.load_state_dict(self.params)
        adaptation = self.algorithm.adaptation()
        notes = {
            "variants": KnownVariants(self.variants).entries(),
            "positions": self.recorded,
            "steps": self.algorithm.steps,
            "seconds": round(self.seconds, 1),
            "algorithm": self.config.learning.algorithm,
            "learning": self.config.learning.model_dump(),
            "adaptation": adaptation.header(),
            **self._mixing().metadata(),
        }
        return pack_checkpoint(net, metadata=notes, extras=adaptation.tensors())

    def _mixing(self) -> Mixing:
        """Playouts for variants in general; what each of them is better off with, a look will tell."""
        play = self.config.selfplay
        return Mixing(ROLLOUTS if play.rollouts else 0, play.rollout_share, fitted=False)

    def snapshot(self, number: int) -> Snapshot:
        """Everything that `restore` needs but the recorded games."""
        state = self.algorithm.state()
        counters = {
            "iteration": self.iteration,
            "recorded": self.recorded,
            "episodes_played": self.episodes_played,
            "seconds": self.seconds,
            "debt": self.debt,
            "rng": self.rng.bit_generator.state,
            "algorithm": state.counters,
            "curriculum": self.curriculum.state(),
            "validated": self.validated,
        }
        return Snapshot(number, state.tensors | prefixed(self.seen.tensors(), _SEEN), {}, counters)

    def restore(self, snapshot: Snapshot, episodes: Sequence[Episode]) -> None:
        """Go back to a checkpoint; games in progress begin anew."""
        counters = snapshot.counters
        self.iteration, self.recorded = counters["iteration"], counters["recorded"]
        self.episodes_played, self.debt = counters["episodes_played"], counters["debt"]
        self.seconds, self.validated = counters["seconds"], counters["validated"]
        self.rng.bit_generator.state = counters["rng"]
        self.algorithm.restore(State(snapshot.tensors, counters["algorithm"]))
        self.seen = Seen.read(part(snapshot.tensors, _SEEN))
        self.curriculum.restore(counters["curriculum"])
        for episode in episodes:
            self.pool.add(episode)

    def _weights_for(self, index: int) -> dict[str, Tensor]:
        """What plays a variant: the initialisation, adapted to the variant if the algorithm adapts."""
        taught = self.config.selfplay.teacher == "solver"
        if taught or not self.algorithm.plays_adapted or not self.pool.can_learn(index):
            return self.params
        support = to_device(self.pool.task(index, self.rng).support, self.device)
        return self.algorithm.adapt(self.algorithm.params, support)

    def _play(self, index: int, weights: dict[str, Tensor]) -> list[Episode]:
        if self.config.selfplay.teacher == "solver":
            return self.pool.play(index, uniform_evaluator)
        torch.set_num_threads(1)
        if not hasattr(self._own, "evaluator"):
            self._own.evaluator = NetworkEvaluator(self.net, device=self.device)
        self._own.evaluator.load(weights)
        told = self.config.learning.rules_told
        return self.pool.play(index, self._own.evaluator if told else blind(self._own.evaluator))

    def _score(self, visited: Sequence[int]) -> None:
        """Tell the curriculum how well the initialisation does on the visited variants."""
        params = self.algorithm.params
        for index in visited:
            if self.pool.can_learn(index):
                query = to_device(self.pool.task(index, self.rng).query, self.device)
                with torch.no_grad():
                    self.curriculum.report(
                        index, -float(self.algorithm.objective.outer(query)(params, query))
                    )

    def _learn(self) -> list[OuterLosses]:
        """As many outer steps as new positions ask for."""
        ready = [[i for i in group if self.pool.can_learn(i)] for group in self.groups]
        if not any(ready):
            return []
        if self.device.type == "cpu":
            torch.set_num_threads(1)  # algorithms share out their batches, not single operations
        together = self.config.tasks.together
        size = self.config.tasks.support + self.config.tasks.query
        losses = []
        for tasks in self._drawn(int(self.debt // (together * size)), ready):
            for samples in (pooled(tasks.support), pooled(tasks.query)):
                self.seen.look(self.algorithm.objective.shown(samples))
            losses.append(self.algorithm.outer_step(self._moved(tasks), progress=self.share()))
            self.debt -= together * size
        return losses

    def _drawn(self, number: int, ready: Sequence[Sequence[int]]) -> Iterator[TaskBatch]:
        """So many batches, each drawn while the one before it is learned from."""
        coming = self._threads.submit(self._draw_tasks, ready) if number else None
        for left in reversed(range(number)):
            assert coming is not None
            tasks = coming.result()
            if left:
                coming = self._threads.submit(self._draw_tasks, ready)
            yield tasks

    def _draw_tasks(self, ready: Sequence[Sequence[int]]) -> TaskBatch:
        """Tasks of some variants of one size of board."""
        together, weights = self.config.tasks.together, np.array([len(group) for group in ready], float)
        group = ready[int(self.rng.choice(len(ready), p=weights / weights.sum()))]
        chosen = self.rng.choice(group, together, replace=len(group) < together)
        return stack(list(map(self.pool.task, chosen.tolist(), self.rng.spawn(together))))

    def _moved(self, tasks: TaskBatch) -> TaskBatch:
        return tasks._replace(
            support=to_device(tasks.support, self.device), query=to_device(tasks.query, self.device)
        )

    def _metrics(
        self, visited: Sequence[int], losses: Sequence[OuterLosses], positions: int, play: float, learn: float
    ) -> dict[str, Any]:
        row: dict[str, Any] = {
            "iteration": self.iteration,
            "positions": self.recorded,
            "episodes": self.episodes_played,
            "steps": self.algorithm.steps,
            "variants_met": sum(self.pool.recorded(i) > 0 for i in range(len(self.variants))),
            "positions_per_second": positions / (play + learn),
            "play_seconds": play,
            "learn_seconds": learn,
            "visited": [self.variants[index].name for index in visited],
        }
        if losses:
            means = np.mean(losses, axis=0).tolist()
            row |= dict(zip(("support_loss", "query_loss", "gradient_norm"), means, strict=True))
        return row


def meta_train(
    folder: MetaFolder, observer: Observer, judge: Judge, *, tell: Callable[[str], object] = lambda _: None
) -> MetaTraining:
    """Meta-train until the budget is spent, from the last checkpoint if there is one.

    `judge` is asked from time to time and at the end; what it likes best is kept as `best.safetensors`.
    Ctrl-C ends the run after the iteration in progress, with a checkpoint.
    """
    training = MetaTraining(folder.config, folder.variants, start=folder.start())
    number = _resume(folder, training)
    folder.trim_metrics(training.iteration)
    clock = time.perf_counter() - training.seconds
    saved_at, saved = training.seconds, training.iteration
    every = 60.0 * folder.config.validation.every_minutes
    judged_at = training.validated[-1]["seconds"] if training.validated else 0.0
    with Events(folder.path, training.iteration) as events, stop_on_interrupt() as stop:
        while training.share() < 1.0 and not stop.is_set():
            row = training.iterate()
            training.seconds = row["seconds"] = time.perf_counter() - clock
            folder.append_metrics(row)
            events.write(row)
            observer(Progress(training.share(), training.seconds, row))
            if training.seconds - judged_at >= every and training.share() < 1.0:
                _validate(folder, training, judge, events, tell)
                judged_at = training.seconds = time.perf_counter() - clock
            if training.seconds - saved_at >= folder.config.checkpoint_seconds:
                number = save(folder, training, number + 1)
                saved_at, saved = training.seconds, training.iteration
        if training.iteration > saved:
            number = save(folder, training, number + 1)
        if not stop.is_set() and _is_unjudged(training):
            _validate(folder, training, judge, events, tell)
            save(folder, training, number + 1)
    if stop.is_set():
        raise KeyboardInterrupt
    return training


def _is_unjudged(training: MetaTraining) -> bool:
    """Whether something was learned since the last validation."""
    return not training.validated or training.validated[-1]["iteration"] < training.iteration


def _validate(
    folder: MetaFolder, training: MetaTraining, judge: Judge, events: Events, tell: Callable[[str], object]
) -> None:
    """Judge the initialisation, and keep it if it is the best so far."""
    tell("validating")
    began = time.perf_counter()
    verdict = {
        "iteration": training.iteration,
        "positions": training.recorded,
        "seconds": training.seconds,
        **judge(training),
        "validation_seconds": time.perf_counter() - began,
    }
    best = max((row["score"] for row in training.validated), default=float("-inf"))
    training.validated.append(verdict)
    folder.write_validation(training.validated)
    events.write({"iteration": training.iteration, "validation_score": verdict["score"]})
    if verdict["score"] > best:
        folder.keep_best(training.agent())
    tell(f"validation {verdict['score']:.1%}" + (" (best so far)" if verdict["score"] > best else ""))


def _resume(folder: MetaFolder, training: MetaTraining) -> int:
    """Go back to the last checkpoint; returns its number, 0 if there is none."""
    snapshot = folder.latest()
    if snapshot is None:
        for episode in folder.all_episodes(0):
            training.pool.add(episode)
        return 0
    with checkpoint_errors(folder.path):
        training.restore(snapshot, folder.all_episodes(snapshot.number))
    return snapshot.number
