"""Batched Monte-Carlo tree search over any variants: `search(positions, evaluator, config, seed=...)`."""

from mcts.config import SearchConfig
from mcts.evaluators import RolloutEvaluator, uniform_evaluator
from mcts.search import Evaluator, Memory, SearchResult, search
from mcts.tree_kernels import DRAWN, LOSS, UNPROVEN, WIN

__all__ = [
    "DRAWN",
    "LOSS",
    "UNPROVEN",
    "WIN",
    "Evaluator",
    "Memory",
    "RolloutEvaluator",
    "SearchConfig",
    "SearchResult",
    "search",
    "uniform_evaluator",
]
