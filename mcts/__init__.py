"""Batched Monte-Carlo tree search over any variants: `search(positions, evaluator, config, seed=...)`."""

from mcts.config import SearchConfig
from mcts.evaluators import RolloutEvaluator, uniform_evaluator
from mcts.search import Evaluator, SearchResult, search

__all__ = ["Evaluator", "RolloutEvaluator", "SearchConfig", "SearchResult", "search", "uniform_evaluator"]
