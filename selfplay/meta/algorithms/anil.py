"""ANIL (Raghu et al. 2020, arXiv:1909.09157): almost no inner loop, only the heads adapt."""

from __future__ import annotations

from typing import ClassVar

from selfplay.meta.algorithms.base import HEADS
from selfplay.meta.algorithms.maml import Maml


class Anil(Maml):
    """MAML whose inner loop moves the policy and value heads; the tower learns in the outer loop only."""

    trainable: ClassVar[str] = HEADS
