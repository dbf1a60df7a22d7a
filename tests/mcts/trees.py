"""Searches that hand out their tree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from games import Position, stack
from games.compiler import canvas_size
from games.kernels import seed_streams
from games.state import State
from mcts import Evaluator, SearchConfig
from mcts.cache_kernels import new_cache
from mcts.config import settings_of
from mcts.kernels import Tree, new_tree, plant_rows
from mcts.search import _search_by_evaluator, rollouts_of


def grow(positions: Sequence[Position], evaluator: Evaluator, config: SearchConfig, *, seed: int = 0) -> Tree:
    """The trees that `search` grows."""
    rules, state = stack(positions)
    settings = settings_of(config)
    tree = new_tree(rules, batch=len(positions), simulations=config.simulations)
    plant_rows(rules, tree, settings, state)
    canvas = canvas_size([position.variant for position in positions])
    rng = seed_streams(seed, len(positions))
    _search_by_evaluator(
        rules, tree, settings, rng, canvas, evaluator, new_cache(0, 0), rollouts_of(rules, config)
    )
    return tree


def node_position(tree: Tree, root: Position, node: int) -> Position:
    """A node's position, for a tree of one variant."""
    row = slice(node, node + 1)
    return Position(root.variant, root.rules, State._make(column[row] for column in tree.nodes), ())


def roots(tree: Tree) -> list[int]:
    """The root of each game's tree."""
    games = len(tree.n_nodes)
    return (np.arange(games) * (len(tree.raw_value) // games)).tolist()


def edges(tree: Tree, node: int) -> range:
    """A node's edges."""
    return range(tree.first_edge[node], tree.first_edge[node] + tree.n_edges[node])
