"""What a network's inputs were like while it learned, so that those that never moved weigh nothing.

The weights of an input that was the same in every position are where chance put them. A variant with a new
mechanism, whose feature is the first to move, would be played by noise.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from selfplay.meta.inner import Params
from selfplay.meta.tasks import Samples

RULES, RULES_BIAS, PLANES = "film.hidden.weight", "film.hidden.bias", "stem.weight"
"""Parameters of `PolicyValueNet` that read the inputs: `[hidden, F]`, `[hidden]`, `[channels, P, 3, 3]`."""


class Seen:
    """The range of every rule feature, and which planes were ever used."""

    def __init__(self) -> None:
        self._rules: Tensor | None = None  # [2, F]: lowest and highest
        self._planes = torch.empty(0, dtype=torch.bool)

    @classmethod
    def read(cls, tensors: Mapping[str, Tensor]) -> Seen:
        """Back from `tensors`."""
        seen = cls()
        if tensors:
            seen._rules, seen._planes = tensors["rules"], tensors["planes"].bool()
        return seen

    def tensors(self) -> Params:
        """What a checkpoint holds; nothing before anything was seen."""
        return {} if self._rules is None else {"rules": self._rules, "planes": self._planes.byte()}

    def look(self, samples: Samples) -> None:
        """Take note of positions `[N, …]`, on the CPU."""
        rules = samples.rules if self._rules is None else torch.cat((self._rules, samples.rules))
        used = samples.planes.amax((0, 2, 3)) > 0
        self._planes = used if self._rules is None else self._planes | used
        self._rules = torch.stack(torch.aminmax(rules, dim=0))

    def settled(self, params: Mapping[str, Tensor]) -> Params:
        """The same network on what was seen, without the weights of what never moved.

        A feature that always had one value is taken to have it: its share moves into the bias.
        """
        settled = dict(params)
        if self._rules is None:
            return settled
        low, high = self._rules
        weight, bias = params[RULES], params[RULES_BIAS]
        still = (low == high).to(weight.device)
        constant = torch.where(still, low.to(weight), 0.0)
        settled[RULES] = weight * still.logical_not()
        settled[RULES_BIAS] = bias + weight @ constant
        settled[PLANES] = params[PLANES] * self._planes.to(weight.device)[:, None, None]
        return settled
