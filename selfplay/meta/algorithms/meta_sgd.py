"""Meta-SGD (Li et al. 2017, arXiv:1707.09835): every parameter learns its own inner rate.

The rate's logarithm is learned, so that rates stay positive; the paper lets them change sign.
"""

from __future__ import annotations

from torch import Tensor

from selfplay.meta.algorithms.maml import Maml


class MetaSgd(Maml):
    """MAML with a rate for each single parameter."""

    def rate_shape(self, value: Tensor) -> Tensor:
        """As many rates as parameters."""
        return value.detach()

    @property
    def learns_rates(self) -> bool:
        """Always."""
        return True
