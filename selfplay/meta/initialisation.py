"""An initialisation as a file: weights, and how a variant is learned from them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from games import AgentError, Variant
from mcts.config import Mixing
from models import NetworkEvaluator, PolicyValueNet, load_checkpoint
from models.checkpoint import load_extras, pack_checkpoint
from models.format import one_line
from selfplay.actor import Actor
from selfplay.config import SelfPlayConfig, TrainConfig
from selfplay.known import KnownVariants
from selfplay.loop import FirstLesson, Training
from selfplay.meta.algorithms import algorithm
from selfplay.meta.algorithms.base import HEADS, Adaptation
from selfplay.meta.algorithms.config import MetaLearningConfig
from selfplay.meta.algorithms.prototypes import Library
from selfplay.meta.folder import BEST, best_initialisation
from selfplay.meta.inner import Params
from selfplay.meta.tasks import Samples, samples_of
from selfplay.replay import Replay
from selfplay.run import latest_agent
from selfplay.sight import GAMES, ROLLOUTS, look, simulations_for

INNER_POSITIONS = 256
"""Positions of the first games that an inner loop learns from."""


@dataclass(frozen=True)
class Initialisation:
    """Where adaptation starts.

    Attributes:
        net: the weights.
        name: of the file.
        known: the variants it was learned from.
        adaptation: how a long fine-tuning goes; None for a plain checkpoint, all of which is fine-tuned.
        learning: what it was meta-trained with; None for a plain checkpoint.
        notes: what the file says of itself.
        trusted: whether adaptation keeps the heads even where they misjudge a new variant.
    """

    net: PolicyValueNet
    name: str
    known: KnownVariants = field(default_factory=KnownVariants)
    adaptation: Adaptation | None = None
    learning: MetaLearningConfig | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    trusted: bool = False

    @classmethod
    def load(cls, path: Path) -> Initialisation:
        """From a `.safetensors` file or a run's folder; raises `UserError` if it is none."""
        file = initial_weights(path) if path.is_dir() else path
        net, notes = load_checkpoint(file)
        known = KnownVariants.read(notes.get("variants") or [], file)
        try:
            if "adaptation" not in notes:
                return cls(net, path.name, known, notes=notes)
            adaptation = Adaptation.read(notes["adaptation"], load_extras(file))
            learning = MetaLearningConfig.model_validate(notes["learning"])
            return cls(net, path.name, known, adaptation, learning, notes)
        except (KeyError, TypeError, ValueError) as error:
            raise AgentError(f"{file}: expected how to adapt these weights, got {one_line(error)}") from None

    @property
    def mixing(self) -> Mixing:
        """Playouts to mix into the values of variants that are new."""
        return Mixing.read(self.notes, self.name)

    def start(self, variant: Variant, *, seed: int = 0) -> dict[str, Tensor]:
        """The weights that play a variant: these, or a blend of what similar variants came to."""
        params = dict(self.net.state_dict())
        if self.adaptation is None or not self.adaptation.names:
            return params
        library = Library.read(self.adaptation.names, self.adaptation.library)
        return params | library.start(params, look_at(variant, self.net, seed=seed))

    def doubts(self, variant: Variant, *, seed: int = 0) -> bool:
        """Whether the heads misjudge a variant that is new to them, so that they had better start anew."""
        is_known = self.known.knows(variant)
        learns_heads = self.adaptation is None or re.match(self.adaptation.trainable, "policy.")
        if self.trusted or is_known or not learns_heads:
            return False
        return not look(variant, NetworkEvaluator(self.net), seed=seed).understood

    def learning_start(self, variant: Variant, *, doubted: bool, seed: int = 0) -> dict[str, Tensor]:
        """The weights that learn a variant: `start`, with new heads if they are doubted."""
        start = self.start(variant, seed=seed)
        return with_new_heads(start, self.net, seed=seed) if doubted else start

    def packed(self, variant: Variant, *, doubted: bool, seed: int = 0) -> bytes:
        """A checkpoint file like this one, with the weights that learn a variant."""
        net = PolicyValueNet(self.net.config)
        net.load_state_dict(self.learning_start(variant, doubted=doubted, seed=seed))
        extras = {} if self.adaptation is None else self.adaptation.tensors()
        return pack_checkpoint(net, metadata=dict(self.notes), extras=extras)

    def packed_as_it_is(self) -> bytes:
        """A checkpoint file of the weights alone."""
        return pack_checkpoint(self.net, metadata={})

    def first_lesson(self) -> FirstLesson | None:
        """The meta-learned inner loop on the first games, where that isn't simply fine-tuning."""
        if self.adaptation is None or self.adaptation.optimizer == "adamw" or self.learning is None:
            return None
        made = algorithm(self.learning.algorithm, self.net, self.learning)
        made.adopt(self.adaptation)

        def lesson(replay: Replay, weights: Mapping[str, Tensor]) -> Params:
            rng = np.random.default_rng(0)
            number = min(INNER_POSITIONS, replay.recorded)
            batch = replay.sample(rng, batch_size=number, window=replay.capacity, search_value_share=0.3)
            return made.adapt(dict(weights), samples_of(batch))

        return lesson

    def configure(self, config: TrainConfig) -> TrainConfig:
        """A run's configuration with this network, and only those parameters learning that adapt."""
        trainable = "" if self.adaptation is None else self.adaptation.trainable
        learner = config.learner.model_copy(update={"trainable": trainable})
        return config.model_copy(update={"network": self.net.config, "learner": learner})

    def training(self, config: TrainConfig, variants: tuple[Variant, ...]) -> Training:
        """An adaptation in memory, not yet begun."""
        doubted = self.doubts(variants[0], seed=config.seed)
        start = self.learning_start(variants[0], doubted=doubted, seed=config.seed)
        return Training(self.configure(config), variants, start=start, first_lesson=self.first_lesson())


def initial_weights(path: Path) -> Path:
    """The weights of a meta-training's or a training's folder."""
    return best_initialisation(path) if (path / BEST).exists() else latest_agent(path)


def look_at(variant: Variant, net: PolicyValueNet, *, seed: int) -> Samples:
    """Positions of a few quick games of a variant by a network."""
    replay, evaluator = Replay([variant], capacity=4096), NetworkEvaluator(net)
    play = SelfPlayConfig(
        games=GAMES,
        threads=1,
        simulations=simulations_for(variant),
        opening_share=0.5,
        rollouts=ROLLOUTS,
        cache_megabytes=2,
    )
    actor, finished = Actor([variant], play, games=GAMES, seed=seed), 0
    while finished < GAMES or not replay.recorded:
        actor.advance(*evaluator(actor.observe()))
        episodes = actor.collect()
        finished += len(episodes)
        for episode in episodes:
            replay.add(episode)
    number = min(512, replay.recorded)
    batch = replay.sample(
        np.random.default_rng(seed), batch_size=number, window=replay.capacity, search_value_share=0.3
    )
    return samples_of(batch)


def with_new_heads(params: Mapping[str, Tensor], net: PolicyValueNet, *, seed: int) -> Params:
    """The same parameters with policy and value heads as a fresh network has them.

    The tower, which knows what boards look like, stays: new heads on a kept tower are what fast adaptation
    mostly is, too (Raghu et al. 2020, arXiv:1909.09157). `net` gives the architecture.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = PolicyValueNet(net.config).state_dict()
    return {name: fresh[name] if re.match(HEADS, name) else value for name, value in params.items()}
