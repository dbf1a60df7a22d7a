"""Joint multi-task training in which the rules, always told, embed the task (FiLM, arXiv:1709.07871)."""

from __future__ import annotations

from selfplay.meta.algorithms.pretrain import Pretrain


class Joint(Pretrain):
    """Pre-training that may count on the rule features: its configuration refuses to hide them."""
