"""After CAVIA (Zintgraf et al. 2019, arXiv:1810.03642): only a context vector adapts, kilobytes a variant.

The context is added to FiLM's hidden units and to its output, where it scales and shifts the tower's
channels. FiLM's biases are such vectors, and a context that starts at zero beside a learned bias is one that
starts at the bias: so what adapts is `film.hidden.bias` and `film.output.bias`.
"""

from __future__ import annotations

from typing import ClassVar

from selfplay.meta.algorithms.maml import Maml


class Cavia(Maml):
    """MAML whose inner loop moves FiLM's biases; `adapted_bytes` says how much that is."""

    trainable: ClassVar[str] = r"film\.(hidden|output)\.bias"
