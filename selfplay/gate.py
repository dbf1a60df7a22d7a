"""Gating: new weights play only once they are found to be stronger, as AlphaGo Zero did it.

AlphaZero does without, and so do runs here unless they are told to: games by the newest weights teach more
than a better player's games, and the test takes time that could be spent on learning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

import torch
from torch import Tensor

from games import Variant
from mcts.config import NO_MIXING, Mixing
from models.config import NetworkConfig
from selfplay.arena import Duel, play_duel
from selfplay.config import DuelConfig
from selfplay.openings import Openings, draw_openings
from selfplay.opponents.network import network_player
from selfplay.sprt import Sprt

Weights = Mapping[str, Tensor]
"""A `PolicyValueNet`'s state."""


def challenge(
    config: DuelConfig,
    network: NetworkConfig,
    variants: Sequence[Variant],
    candidate: Weights,
    champion: Weights,
    *,
    device: torch.device,
    threads: int,
    seed: int,
    mixing: Mixing = NO_MIXING,
) -> Duel:
    """Test whether the candidate is stronger than the champion, on all variants alike."""
    each = -(-config.games // (2 * len(variants)))
    drawn = [draw_openings(variant, each, seed=seed) for variant in variants]
    openings = Openings(
        positions=tuple(chain.from_iterable(zip(*(part.positions for part in drawn), strict=True))),
        distinct=sum(part.distinct for part in drawn),
        plies=max(part.plies for part in drawn),
        bias=max(part.bias for part in drawn),
    )
    players = [
        network_player(
            weights, network, config.simulations, name=name, device=device, threads=threads, mixing=mixing
        )
        for name, weights in (("candidate", candidate), ("champion", champion))
    ]
    test = Sprt(config.elo0, config.elo1, config.alpha, config.beta)
    duel = play_duel(players[0], players[1], openings, test)
    for player in players:
        player.close()
    return duel
