"""A larger network that answers as a smaller one does, so that learning goes on with more room.

After Net2Net (Chen et al. 2016, arXiv:1511.05641), with new units that nothing reads at first instead of
copies: what the smaller network had reads them with weights of zero, and new blocks are the identity.
"""

from __future__ import annotations

import torch
from torch import Tensor

from games.encoding import EXTRA_ACTIONS
from models.config import NetworkConfig
from models.network import PolicyValueNet


def grown(net: PolicyValueNet, config: NetworkConfig, *, seed: int = 0) -> PolicyValueNet:
    """A network of another shape with equal answers, but for rounding.

    Args:
        net: the smaller one; stays as it is.
        config: nothing in it may be smaller than in the network's.
        seed: of the new units' weights.

    Raises:
        ValueError: something would shrink, or inputs would change; one line.
    """
    _check(net.config, config)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        larger = PolicyValueNet(config)
    before, after = dict(net.named_parameters()), dict(larger.named_parameters())
    with torch.no_grad():
        for name, small in before.items():
            _place(small, after[name], *_axes(name, net.config, config))
    return larger.to(next(net.parameters()).device)


def _check(old: NetworkConfig, new: NetworkConfig) -> None:
    for key, size in old.model_dump().items():
        wanted = getattr(new, key)
        if key in ("planes", "features") and wanted != size:
            raise ValueError(f"network.{key}: expected {size}, got {wanted}")
        if wanted < size:
            raise ValueError(f"network.{key}: expected at least {size}, got {wanted}")


def _place(small: Tensor, large: Tensor, rows: Tensor, columns: Tensor) -> None:
    """Put the old weights where they belong; what was there reads nothing new."""
    if small.ndim == 1:
        large[rows] = small
        return
    kept = torch.zeros_like(large[rows])
    kept[:, columns] = small
    large[rows] = kept


def _axes(name: str, old: NetworkConfig, new: NetworkConfig) -> tuple[Tensor, Tensor]:
    """Where a layer's old outputs and inputs are in the larger network."""
    channels = torch.arange(old.channels)
    pooled = torch.cat((channels, new.channels + channels))
    film = (torch.arange(2)[:, None] * new.blocks + torch.arange(old.blocks)).reshape(-1, 1) * new.channels
    outputs_and_inputs = {
        "film.hidden": (torch.arange(old.rule_hidden), torch.arange(old.features)),
        "film.output": ((film + channels).flatten(), torch.arange(old.rule_hidden)),
        "stem": (channels, torch.arange(old.planes)),
        "first": (channels, channels),
        "second": (channels, channels),
        "pooled_bias": (channels, pooled),
        "policy.hidden": (torch.arange(old.policy_hidden), channels),
        "policy.pooled_bias": (torch.arange(old.policy_hidden), pooled),
        "policy.plane": (torch.arange(1), torch.arange(old.policy_hidden)),
        "policy.extra": (torch.arange(EXTRA_ACTIONS), pooled),
        "value.hidden": (torch.arange(old.value_hidden), pooled),
        "value.output": (torch.arange(3), torch.arange(old.value_hidden)),
    }
    layer = name.rpartition(".")[0]
    return outputs_and_inputs[layer.rpartition(".")[2] if layer.startswith("blocks.") else layer]
