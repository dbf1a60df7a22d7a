"""First-order MAML (Finn et al. 2017, section 5.2): inner gradients count as constants."""

from __future__ import annotations

from selfplay.meta.algorithms.maml import Maml


class FirstOrderMaml(Maml):
    """MAML without second derivatives: much cheaper, often as good."""

    @property
    def second_order(self) -> bool:
        """Never."""
        return False
