"""Whether an initialisation understands a new variant at all, and a new beginning if it doesn't.

Where a variant turns known rules round, what was learned points the wrong way: search follows it, its games
confirm it, and unlearning takes longer than learning from nothing. A few quick games tell: their results are
true whoever plays them. If the values of the positions on the way run against the results, policy and value
heads start anew; the tower, which knows what boards look like, stays. New heads on a kept tower are what fast
adaptation mostly is, too (Raghu et al. 2020, arXiv:1909.09157).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from models import PolicyValueNet
from models.network import value_to_play
from selfplay.meta.algorithms.base import HEADS
from selfplay.meta.inner import Params
from selfplay.meta.tasks import Samples

MISJUDGED = -0.1
"""A correlation of values with results above this may be chance, in a few dozen games."""


def misjudges(net: PolicyValueNet, samples: Samples) -> bool:
    """Whether values run against results in positions `[N, …]`."""
    with torch.inference_mode():
        values = value_to_play(net(samples.planes, samples.rules)[1]).numpy()
    outcomes = samples.outcome.numpy()
    if np.ptp(values) == 0 or np.ptp(outcomes) == 0:
        return False
    return float(np.corrcoef(values, outcomes)[0, 1]) < MISJUDGED


def with_new_heads(params: Mapping[str, Tensor], net: PolicyValueNet, *, seed: int) -> Params:
    """The same parameters with heads as a fresh network has them; `net` gives the architecture."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = PolicyValueNet(net.config).state_dict()
    return {name: fresh[name] if re.match(HEADS, name) else value for name, value in params.items()}
