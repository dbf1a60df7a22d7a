"""Heads that only training has: what happens later in a game makes the tower see more (KataGo, 4.1, 4.2)."""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from games.encoding import EXTRA_ACTIONS
from models.config import NetworkConfig
from models.network import Body, PolicyHead, initialise_layers

OWNERS = 3
"""Whose stone a cell holds when the game is over: nobody's, the mover's, the other's."""


class Foresight(NamedTuple):
    """What a network expects of the rest of the game.

    reply: `[B, A]`, logits of the opponent's next choice; owners: `[B, OWNERS, H, W]`, logits
    plies: `[B]`, the logarithm of one more than the plies that are left
    """

    reply: Tensor
    owners: Tensor
    plies: Tensor


class AuxiliaryHeads(nn.Module):
    """Opponent's reply and final owners (KataGo, arXiv:1902.10565) and the plies left (Leela Chess Zero)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.reply = PolicyHead(config)
        self.owners = nn.Conv2d(config.channels, OWNERS, 1)
        self.plies = nn.Linear(2 * config.channels, 1)
        initialise_layers(self)

    def forward(self, body: Body) -> Foresight:
        """What the tower says about the rest of the game."""
        return Foresight(self.reply(body), self.owners(body.cells), self.plies(body.pooled).squeeze(1))


def foresight_losses(
    expected: Foresight, reply: Tensor, owners: Tensor, plies: Tensor, mask: Tensor
) -> Foresight:
    """Scalars, in nats: cross-entropies of the reply and of an on-board cell's owner, error of the plies.

    reply: int64 `[B]`, the opponent's next choice, negative if there is none
    owners: int64 `[B, H, W]`, below OWNERS
    plies: `[B]`, those that were left; mask: `[B, 1, H, W]`, 1 on the board
    """
    board = mask.flatten(1) != 0
    off_board = F.pad(board.logical_not(), (0, EXTRA_ACTIONS), value=False)
    logits = expected.reply.float().masked_fill(off_board, -1e9)
    known = (reply >= 0).float()
    reply_losses = F.cross_entropy(logits, reply.clamp(min=0), reduction="none")
    owner_losses = F.cross_entropy(expected.owners.float(), owners, reduction="none")
    return Foresight(
        reply=(reply_losses * known).sum() / known.sum().clamp(min=1),
        owners=(owner_losses * mask[:, 0]).sum() / mask.sum(),
        plies=F.smooth_l1_loss(expected.plies.float(), plies.log1p()),
    )
