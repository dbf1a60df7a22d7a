"""One network for every board: a residual tower that never sees the canvas around the board.

Three ideas make one set of weights fit all variants:

- every activation is multiplied by the on-board mask, and global pooling (KataGo, arXiv:1902.10565) counts
  on-board cells only, so a result doesn't depend on how large the canvas is;
- the rule features scale and shift each block's channels (FiLM, arXiv:1709.07871);
- on a board whose edges touch, convolutions pad by wrapping at the board's own edge, so shifting the board
  shifts the policy and keeps the value.

Blocks have no normalisation. Their last convolution starts at zero, so a block starts as the identity and
depth stays trainable (Fixup, arXiv:1901.09321).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from games.encoding import EXTRA_ACTIONS, MAX_SIZE, PLANES, RULE_FEATURES
from models.config import NetworkConfig

ON_BOARD = PLANES.index("on_board")
ROWS, COLUMNS = RULE_FEATURES.index("rows"), RULE_FEATURES.index("columns")
WRAP_ROWS, WRAP_COLUMNS = RULE_FEATURES.index("wrap_rows"), RULE_FEATURES.index("wrap_columns")

POOL_EVERY = 2
"""Every second block, the first excepted, gets a bias from global pooling."""

OUTPUT_GAIN = 0.1
"""Output layers start this much smaller than usual, so an untrained policy is nearly uniform."""


class Wrapping(NamedTuple):
    """Where the cells of a padded canvas come from; made once a forward pass, shared by all convolutions.

    source: int64 `[B, H+2, W+2]`, row of the flat `[B*H*W, C]` activations to copy
    keep: `[B, 1, H+2, W+2]`, 1 where the source is on the board, 0 where zeros belong
    """

    source: Tensor
    keep: Tensor


class Canvas(NamedTuple):
    """What is board and what is not.

    mask: `[B, 1, H, W]`, 1 on the board and 0 elsewhere, in the activations' dtype
    cells: `[B, 1]`, number of on-board cells
    wrapping: None if no board in the batch wraps
    is_full: every board is known to fill the canvas, so nothing has to be masked
    """

    mask: Tensor
    cells: Tensor
    wrapping: Wrapping | None
    is_full: bool = False

    def masked(self, x: Tensor) -> Tensor:
        """Zero off the board; x: `[B, C, H, W]`."""
        return x if self.is_full else x * self.mask


class Body(NamedTuple):
    """The tower's answer, which heads read.

    cells: `[B, C, H, W]`, not negative and zero off the board; pooled: `[B, 2C]`, see `pool`
    """

    cells: Tensor
    pooled: Tensor
    canvas: Canvas


def value_to_play(wdl_logits: Tensor) -> Tensor:
    """P(win) - P(loss) for the player to move, float32 `[...]` in [-1, 1].

    wdl_logits: `[..., 3]`, win, draw, loss
    """
    win, _draw, loss = wdl_logits.float().softmax(-1).unbind(-1)
    return win - loss


def any_wraps(rules: Tensor) -> Tensor:
    """Bool scalar: does a board in this batch wrap? rules: `[..., F]`."""
    return (rules[..., WRAP_ROWS] != 0).any() | (rules[..., WRAP_COLUMNS] != 0).any()


def all_fill(planes: Tensor) -> Tensor:
    """Bool scalar: do all boards of this batch fill the canvas? planes: `[B, P, H, W]`."""
    return (planes[:, ON_BOARD] != 0).all()


class PolicyValueNet(nn.Module):
    """Policy and value of positions of any variant.

    No result is masked for legality: callers do that.
    """

    def __init__(self, config: NetworkConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or NetworkConfig()
        self.film = FiLM(config)
        self.stem = nn.Conv2d(config.planes, config.channels, 3, padding=1)
        pools = [i % POOL_EVERY == POOL_EVERY - 1 for i in range(config.blocks)]
        self.blocks = nn.ModuleList(Block(config.channels, pools=p) for p in pools)
        self.policy = PolicyHead(config)
        self.value = ValueHead(config)
        initialise(self)

    def forward(self, planes: Tensor, rules: Tensor, wraps: bool | None = None) -> tuple[Tensor, Tensor]:
        """Evaluate a batch.

        planes: `[B, P, H, W]` in the weights' dtype, boards at the top left of the canvas
        rules: float32 `[B, F]`
        wraps: may boards in this batch wrap? True is right for every batch, False is faster; None looks at
            `rules`, which can't be done while compiling, exporting or in vmap

        Returns logits `[B, H*W + 2]` (cells row by row, then PASS, then SWAP; 0 off the board) and `[B, 3]`
        (win, draw, loss), seen by the player to move.
        """
        if wraps is None:
            wraps = bool(any_wraps(rules))
        body = self.body(planes, rules, lay_out(planes, rules, wraps=wraps))
        return self.policy(body), self.value(body.pooled)

    def body(self, planes: Tensor, rules: Tensor, canvas: Canvas) -> Body:
        """What heads read."""
        cells = F.relu(self.trunk(planes, rules, canvas))
        return Body(cells, pool(cells, canvas), canvas)

    def trunk(self, planes: Tensor, rules: Tensor, canvas: Canvas) -> Tensor:
        """The tower before its last activation, `[B, C, H, W]`, zero off the board."""
        scales, shifts = self.film(rules.to(planes.dtype))
        x = canvas.masked(convolve(self.stem, planes, canvas))
        for block, scale, shift in zip(self.blocks, scales, shifts, strict=True):
            x = block(x, scale, shift, canvas)
        return x


class FiLM(nn.Module):
    """Rule features to a scale and a shift for each block and channel (Perez et al., arXiv:1709.07871)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.blocks = config.blocks
        self.hidden = nn.Linear(config.features, config.rule_hidden)
        self.output = nn.Linear(config.rule_hidden, 2 * config.blocks * config.channels)

    def forward(self, rules: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """`[B, F]` to scales and shifts, each one `[B, C]` a block."""
        scales, shifts = self.output(F.relu(self.hidden(rules))).chunk(2, 1)
        return (scales + 1).chunk(self.blocks, 1), shifts.chunk(self.blocks, 1)


class Block(nn.Module):
    """`x + conv(relu(film(conv(relu(x)))))`: pre-activation (arXiv:1603.05027) without normalisation."""

    def __init__(self, channels: int, *, pools: bool) -> None:
        super().__init__()
        # The first convolution and the pooled bias need no bias of their own: FiLM's shift is one.
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.pooled_bias = nn.Linear(2 * channels, channels, bias=False) if pools else None

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor, canvas: Canvas) -> Tensor:
        """x: `[B, C, H, W]`, zero off the board, and so is the result; scale, shift: `[B, C]`."""
        active = F.relu(x)
        if self.pooled_bias is not None:
            shift = shift + self.pooled_bias(pool(active, canvas))
        hidden = convolve(self.first, active, canvas)
        hidden = F.relu(torch.addcmul(shift[:, :, None, None], hidden, scale[:, :, None, None]))
        if canvas.wrapping is None:  # else the wrapped padding masks
            hidden = canvas.masked(hidden)
        change = convolve(self.second, hidden, canvas)
        return x + change if canvas.is_full else torch.addcmul(x, change, canvas.mask)


class PolicyHead(nn.Module):
    """One plane for the cells, two numbers for PASS and SWAP (after KataGo, arXiv:1902.10565)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.hidden = nn.Conv2d(config.channels, config.policy_hidden, 1, bias=False)
        self.pooled_bias = nn.Linear(2 * config.channels, config.policy_hidden)
        self.plane = nn.Conv2d(config.policy_hidden, 1, 1)
        self.extra = nn.Linear(2 * config.channels, EXTRA_ACTIONS)

    def forward(self, body: Body) -> Tensor:
        """Logits `[B, H*W + 2]`."""
        hidden = F.relu(self.hidden(body.cells) + self.pooled_bias(body.pooled)[:, :, None, None])
        cells = body.canvas.masked(self.plane(hidden)).flatten(1)
        return torch.cat((cells, self.extra(body.pooled)), 1)


class ValueHead(nn.Module):
    """Win, draw, loss from the pooled tower."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.hidden = nn.Linear(2 * config.channels, config.value_hidden)
        self.output = nn.Linear(config.value_hidden, 3)

    def forward(self, pooled: Tensor) -> Tensor:
        """`[B, 2C]` to logits `[B, 3]`."""
        logits: Tensor = self.output(F.relu(self.hidden(pooled)))
        return logits


def initialise(net: PolicyValueNet) -> None:
    """He initialisation; blocks start as the identity, FiLM as no change, outputs small."""
    initialise_layers(net)
    for layer in (net.film.output, *(block.second for block in net.blocks)):
        assert isinstance(layer, nn.Conv2d | nn.Linear)
        nn.init.zeros_(layer.weight)
    for output in (net.policy.plane, net.policy.extra, net.value.output):
        nn.init.normal_(output.weight, std=OUTPUT_GAIN / math.sqrt(output.weight[0].numel()))


def initialise_layers(module: nn.Module) -> None:
    """He initialisation of every layer; no biases."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def pool(x: Tensor, canvas: Canvas) -> Tensor:
    """Mean and maximum over on-board cells, `[B, 2C]`.

    x: `[B, C, H, W]`, not negative and zero off the board, so padding can't be the maximum.
    """
    return torch.cat((x.sum((2, 3)) / canvas.cells, x.amax((2, 3))), 1)


def convolve(conv: nn.Conv2d, x: Tensor, canvas: Canvas) -> Tensor:
    """A 3x3 convolution that pads with zeros, or with the opposite edge where a board wraps.

    x: `[B, C, H, W]`, zero off the board unless there is wrapping, which masks

    Returns `[B, C', H, W]`, arbitrary off the board.
    """
    around, padding = surround(x, canvas)
    return F.conv2d(around, conv.weight, conv.bias, padding=padding)


def surround(x: Tensor, canvas: Canvas) -> tuple[Tensor, int]:
    """What a 3x3 convolution sees, and how many zeros it has to put around that: x as it is, and 1, without
    wrapping, else `[B, C, H+2, W+2]` and 0.
    """
    if canvas.wrapping is None:
        return x, 1
    batch, channels, height, width = x.shape
    cells = x.permute(0, 2, 3, 1).reshape(batch * height * width, channels)  # a view in channels-last
    padded = F.embedding(canvas.wrapping.source, cells)  # a gather of whole rows, faster than indexing
    return padded.permute(0, 3, 1, 2) * canvas.wrapping.keep, 0


def lay_out(planes: Tensor, rules: Tensor, *, wraps: bool, is_full: bool = False) -> Canvas:
    """Read the canvas off the observation."""
    mask = planes[:, ON_BOARD : ON_BOARD + 1]
    cells = mask.sum((1, 2, 3))[:, None].clamp(min=1)
    return Canvas(mask, cells, wrap(mask, rules) if wraps else None, is_full)


def wrap(mask: Tensor, rules: Tensor) -> Wrapping:
    """The padding of a batch in which some boards wrap; the others get zeros around them.

    mask: `[B, 1, H, W]`
    """
    batch, _, height, width = mask.shape
    rows, row_inside = _axis_source(height, rules[:, ROWS], rules[:, WRAP_ROWS])
    columns, column_inside = _axis_source(width, rules[:, COLUMNS], rules[:, WRAP_COLUMNS])
    boards = torch.arange(batch, device=mask.device)[:, None, None]
    source = (boards * height + rows[:, :, None]) * width + columns[:, None, :]
    inside = row_inside[:, :, None] & column_inside[:, None, :]
    keep = F.embedding(source, mask.reshape(-1, 1)).squeeze(3) * inside
    return Wrapping(source, keep[:, None])


def _axis_source(length: int, size_feature: Tensor, wrap_feature: Tensor) -> tuple[Tensor, Tensor]:
    """Along one axis of the canvas: which line each padded line copies, and whether there is one.

    size_feature: `[B]`, board size / 19; wrap_feature: `[B]`. Returns int64 and bool `[B, length + 2]`.
    """
    size = (size_feature * MAX_SIZE).round().long()[:, None]
    wraps = wrap_feature[:, None] != 0
    line = torch.arange(-1, length + 1, device=size.device)[None, :]
    line = torch.where(wraps & (line == -1), size - 1, line)
    line = torch.where(wraps & (line == size), 0, line)
    inside = (line >= 0) & (line < length)
    return line.clamp(0, length - 1), inside
