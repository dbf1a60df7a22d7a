"""The variants of a meta-training: games in progress and recorded positions of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from games import Variant
from games.encoding import RULE_FEATURES
from models import NetworkEvaluator
from selfplay.actor import Actor, Episode
from selfplay.meta.config import TasksConfig, VisitConfig
from selfplay.meta.tasks import SHOWN_ALWAYS, Samples, Task, samples_of
from selfplay.replay import Replay
from selfplay.rescoring import Rescorer
from selfplay.trust import RolloutTrust, judge


class TaskPool:
    """Plays and remembers each variant by itself, because each is played by weights of its own.

    A variant's games go by turns into two halves. Support and query come from different halves, so from
    different games.
    """

    def __init__(
        self, variants: Sequence[Variant], play: VisitConfig, config: TasksConfig, *, seed: int
    ) -> None:
        self.variants = tuple(variants)
        self.config = config
        seeds = np.random.SeedSequence(seed).generate_state(len(variants))
        self._play = play if play.teacher == "search" else play.model_copy(update={"rollouts": 0})
        self._actors: list[Actor | None] = [None] * len(variants)
        self._seeds = [int(number) for number in seeds]
        capacity = config.window // 2
        self._halves = [
            (Replay([variant], capacity=capacity), Replay([variant], capacity=capacity))
            for variant in variants
        ]
        self._played = [0] * len(variants)
        self._visits = [0] * len(variants)
        self._trust = [RolloutTrust(play.rollout_share) for _ in variants]
        exact_only = play.teacher == "solver"
        self._rescorers = [Rescorer([v], play.solver_nodes, exact_only=exact_only) for v in variants]

    def play(self, index: int, evaluator: Any) -> list[Episode]:
        """A visit to a variant, `advances` network batches or fewer; the games that ended, `variant` set."""
        actor = self._actor(index)
        actor.forget_evaluations()
        ended: list[Episode] = []
        positions = advances = 0
        while advances < self._play.advances and positions < self._play.visit_positions:
            actor.advance(*evaluator(actor.observe()))
            over = actor.collect()
            ended += over
            positions += sum(int(episode.recorded.sum()) for episode in over)
            advances += 1
        self._mix(index, actor, ended, evaluator)
        rescored = (self._rescorers[index].rescored(episode)._replace(variant=index) for episode in ended)
        return [episode for episode in rescored if episode.recorded.any()]

    def _mix(self, index: int, actor: Actor, episodes: Sequence[Episode], evaluator: Any) -> None:
        """Ask a visit's games how much playouts are worth beside the weights that played them."""
        if self._play.rollouts:
            self._visits[index] += 1
            drawn = np.random.default_rng((self._seeds[index], self._visits[index]))
            trust = self._trust[index]
            trust.learn(judge([self.variants[index]], actor.rollouts, episodes, evaluator, drawn))
            actor.mix_rollouts(trust.share, salt=self._visits[index])

    def add(self, episode: Episode) -> None:
        """Remember a finished game."""
        index = episode.variant
        self._halves[index][self._played[index] % 2].add(episode._replace(variant=0))
        self._played[index] += 1

    def recorded(self, index: int) -> int:
        """Positions of a variant recorded so far."""
        return sum(half.recorded for half in self._halves[index])

    def can_learn(self, index: int) -> bool:
        """Whether there are enough positions, in both halves."""
        enough = self.recorded(index) >= self.config.first_positions
        return enough and all(half.recorded for half in self._halves[index])

    def task(self, index: int, rng: np.random.Generator) -> Task:
        """Support and query of a variant, from different games."""
        first = int(rng.integers(2))
        support = self._draw(self._halves[index][first], self.config.support, rng)
        query = self._draw(self._halves[index][1 - first], self.config.query, rng)
        return Task(self.variants[index], support, query)

    def _draw(self, half: Replay, number: int, rng: np.random.Generator) -> Samples:
        batch = half.sample(
            rng,
            batch_size=number,
            window=half.capacity,
            search_value_share=self.config.search_value_share,
            surprise_share=self.config.surprise_share,
        )
        return samples_of(batch)

    def _actor(self, index: int) -> Actor:
        """A variant's games, begun when they are needed."""
        actor = self._actors[index]
        if actor is None:
            actor = Actor([self.variants[index]], self._play, games=self._play.games, seed=self._seeds[index])
            self._actors[index] = actor
        return actor


def by_canvas(variants: Sequence[Variant]) -> list[list[int]]:
    """Numbers of variants in groups of about equal boards, which share a batch without much padding."""
    groups: dict[int, list[int]] = {}
    for index, variant in enumerate(variants):
        groups.setdefault(max(variant.board.rows, variant.board.columns), []).append(index)
    return [groups[size] for size in sorted(groups)]


def blind(evaluator: NetworkEvaluator) -> Any:
    """An evaluator that doesn't see the rules."""
    shown = np.array([feature in SHOWN_ALWAYS for feature in RULE_FEATURES], np.float32)
    return lambda observation: evaluator(observation._replace(rules=observation.rules * shown))
