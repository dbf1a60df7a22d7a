"""Prototypes: a new variant starts from what its most similar known variants came to.

A variant is embedded by its rule features and statistics of a few of its games. For known variants a library
holds the embedding and how their weights moved away from the initialisation; a new variant starts from the
initialisation plus its nearest ones' moves, weighted by similarity. After prototypical networks (Snell et al.
2017, arXiv:1703.05175), with weights in place of class means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.func import vmap

from games.encoding import EXTRA_ACTIONS, PLANES
from selfplay.meta.algorithms.base import Adaptation, MetaAlgorithm, OuterLosses, State
from selfplay.meta.algorithms.config import MetaLearningConfig
from selfplay.meta.algorithms.pretrain import Pretrain
from selfplay.meta.algorithms.reptile import Reptile
from selfplay.meta.inner import Data, Params, minibatches, run_tasks
from selfplay.meta.objective import Objective
from selfplay.meta.outer import part, prefixed
from selfplay.meta.tasks import Samples, Task, TaskBatch, stack

REMEMBERED = r"(film|policy|value)\."
"""Parameters whose moves are stored: the rule network and the heads, a fraction of the tower's size."""

NEIGHBOURS = 4
"""Known variants that a start is blended from."""

LEAST_SPREAD = 0.05
"""Embedding axes on which the known variants differ less aren't enlarged further."""

ON_BOARD, OWN, OPPONENT = (PLANES.index(name) for name in ("on_board", "own", "opponent"))


@dataclass
class Library:
    """What is known of V variants.

    names: of the variants; embeddings: `[V, E]`; moves: of each stored parameter, `[V, …]`
    """

    names: list[str] = field(default_factory=list)
    embeddings: Tensor = field(default_factory=lambda: torch.empty(0))
    moves: Params = field(default_factory=dict)

    @classmethod
    def read(cls, names: Sequence[str], tensors: Mapping[str, Tensor]) -> Library:
        """Back from the names and `tensors`."""
        return cls(list(names), tensors["embeddings"], part(tensors, "moves."))

    def tensors(self) -> Params:
        """What a checkpoint holds; nothing while no variant is known."""
        return {"embeddings": self.embeddings} | prefixed(self.moves, "moves.") if self.names else {}

    def remember(self, names: Sequence[str], embeddings: Tensor, moves: Params) -> None:
        """Add variants, or replace what is known of them; tensors are `[K, …]`, a name's last row counts."""
        last = {name: row for row, name in enumerate(names)}
        names, rows = list(last), list(last.values())
        embeddings, moves = embeddings[rows], {name: move[rows] for name, move in moves.items()}
        if self.names:
            kept = [row for row, name in enumerate(self.names) if name not in names]
            names = [*(self.names[row] for row in kept), *names]
            embeddings = torch.cat((self.embeddings[kept], embeddings))
            moves = {name: torch.cat((self.moves[name][kept], move)) for name, move in moves.items()}
        self.names, self.embeddings, self.moves = list(names), embeddings, moves

    def similarity(self, embedding: Tensor) -> Tensor:
        """Weights `[V]` that sum to one: of the nearest variants, by inverse squared distance."""
        spread = self.embeddings.std(0, correction=0).clamp(min=LEAST_SPREAD)
        distance = ((self.embeddings - embedding) / spread).square().mean(1)
        nearest = distance.topk(min(NEIGHBOURS, len(self.names)), largest=False)
        weights = torch.zeros_like(distance).index_copy(0, nearest.indices, 1 / (nearest.values + 1e-6))
        return weights / weights.sum()

    def start(self, params: Params, samples: Samples) -> Params:
        """Where a variant starts that shows `samples` `[N, …]`; `params` is the initialisation."""
        if not self.names:
            return dict(params)
        weights = self.similarity(embed(samples))
        moves = {name: torch.tensordot(weights, move, 1) for name, move in self.moves.items()}
        return {name: value + moves[name] if name in moves else value for name, value in params.items()}


class Prototypes(MetaAlgorithm):
    """Trains like its base, and remembers the variants that it meets."""

    def __init__(
        self, params: Mapping[str, Tensor], objective: Objective, config: MetaLearningConfig
    ) -> None:
        """See `MetaAlgorithm`."""
        super().__init__(params, objective, config)
        base = Pretrain if config.prototype_base == "joint" else Reptile
        self._base: MetaAlgorithm = base(params, objective, config)
        self._base.outer = self.outer
        self.library = Library()

    def outer_step(self, tasks: TaskBatch | Sequence[Task], *, progress: float = 0.0) -> OuterLosses:
        """The base's step; every now and then the tasks are remembered."""
        losses = self._base.outer_step(tasks, progress=progress)
        if self.outer.steps % self.config.prototype_every == 0:
            self.remember(tasks)
        return losses

    def remember(self, tasks: TaskBatch | Sequence[Task]) -> None:
        """Learn each task's support from the initialisation, and store where that leads.

        A move belongs to the initialisation of its time: after training, remember all variants once more.
        """
        tasks = tasks if isinstance(tasks, TaskBatch) else stack(tasks)
        support, params = self.objective.shown(tasks.support), self.params
        stored = frozenset(name for name in params if re.match(REMEMBERED, name))
        batches = minibatches(support, self.config.prototype_steps, self.config.inner_batch, axis=1)
        loop = replace(self.loop(self.outer.averaged), adapts=stored)
        adapted, _ = run_tasks(loop, self.objective.inner(support), params, batches)
        moves = {name: adapted[name] - params[name] for name in sorted(stored)}
        self.library.remember(tasks.names, vmap(embed)(support), moves)

    def adapt(self, params: Params, support: Data, steps: int | None = None) -> Params:
        """As any, but from the blend of the nearest variants; `params` is the initialisation."""
        return super().adapt(self.library.start(params, self.objective.shown(support)), support, steps)

    def adaptation(self) -> Adaptation:
        """With the library; `Library.read(names, library).start` gives the start."""
        return replace(super().adaptation(), library=self.library.tensors(), names=tuple(self.library.names))

    def state(self) -> State:
        """With the library."""
        tensors, counters = super().state()
        library = {name: value.cpu().clone() for name, value in self.library.tensors().items()}
        return State(
            tensors | prefixed(library, "library."), counters | {"variants": list(self.library.names)}
        )

    def restore(self, state: State) -> None:
        """With the library."""
        super().restore(state)
        device = next(iter(self.outer.averaged.values())).device
        tensors = {name: value.to(device) for name, value in part(state.tensors, "library.").items()}
        names = state.counters["variants"]
        self.library = Library.read(names, tensors) if names else Library()


def embed(samples: Samples) -> Tensor:
    """A variant as a vector `[E]`: mean rule features, and statistics of `samples` `[N, …]`.

    Those are the shares of own, opposing and playable cells, the evenness of the search's policy, the mean
    win, draw and loss, and the share of decided games.
    """
    cells = samples.planes[:, ON_BOARD].sum((1, 2))
    stones = samples.planes[:, [OWN, OPPONENT]].sum((2, 3)) / cells[:, None]
    playable = samples.legal[:, :-EXTRA_ACTIONS].sum(1) / cells
    choices = samples.legal.sum(1).clamp(min=2).log()
    evenness = -torch.xlogy(samples.policy, samples.policy).sum(1) / choices
    scalars = torch.stack((playable, evenness, samples.outcome.abs()), 1)
    return torch.cat((samples.rules, stones, samples.wdl, scalars), 1).mean(0)
