"""A run's or a checkpoint's network as a player, on the device and in the precision that self-play uses."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from games import Observation, Variant
from mcts.config import NO_MIXING, Mixing
from models import NetworkEvaluator, PolicyValueNet, load_checkpoint
from models.config import NetworkConfig
from models.evaluator import Evaluation
from selfplay.export import named_variants
from selfplay.player import Player, search_config
from selfplay.run import latest_agent


def load_network_player(
    path: Path, *, simulations: int | None, seed: int, threads: int, solver_nodes: int = 0
) -> Player:
    """The latest agent of a run folder, or a `.safetensors` checkpoint; errors as from `load_checkpoint`."""
    checkpoint = latest_agent(path) if path.is_dir() else path
    net, metadata = load_checkpoint(checkpoint)
    variants = named_variants(metadata.get("variants") or [], checkpoint)
    mixing = Mixing.read(metadata, checkpoint)
    return Player(
        ThreadedEvaluator(net),
        search_config(simulations, mixing),
        name=path.name,
        variants=variants,
        seed=seed,
        threads=threads,
        solver_nodes=solver_nodes,
        is_fitted=mixing.fitted,
    )


def network_player(
    weights: Mapping[str, Tensor],
    network: NetworkConfig,
    simulations: int,
    *,
    name: str = "agent",
    variants: Sequence[Variant] | None = None,
    device: str | torch.device = "auto",
    threads: int = 1,
    mixing: Mixing = NO_MIXING,
) -> Player:
    """Weights in memory, a network's state, as a player; 0 simulations: the policy alone."""
    net = PolicyValueNet(network)
    net.load_state_dict(weights)
    evaluator = ThreadedEvaluator(net, device)
    config = search_config(simulations, mixing)
    return Player(evaluator, config, name=name, variants=variants, threads=threads, is_fitted=mixing.fitted)


class ThreadedEvaluator:
    """A network that several threads may ask, each by an evaluator of its own on one core."""

    def __init__(self, net: PolicyValueNet, device: str | torch.device = "auto") -> None:
        self._net, self._device = net, device
        self._own = threading.local()

    def __call__(self, observation: Observation) -> Evaluation:
        """Logits `[B, A]` and value_to_play `[B]`, float32."""
        if not hasattr(self._own, "evaluator"):
            torch.set_num_threads(1)  # of this thread's operations
            self._own.evaluator = NetworkEvaluator(self._net, device=self._device)
        evaluation: Evaluation = self._own.evaluator(observation)
        return evaluation
