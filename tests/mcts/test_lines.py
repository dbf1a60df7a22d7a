"""The lines that a result tells, against a walk through the tree in plain Python."""

from __future__ import annotations

import numpy as np
import pytest

import games
from games import Position
from mcts import UNPROVEN, SearchConfig, search
from mcts.tree_kernels import NONE, Tree
from tests.mcts.evaluators import noisy_evaluator
from tests.mcts.trees import edges, grow

pytestmark = pytest.mark.kernels


def line_after(tree: Tree, root_edge: int) -> list[int]:
    """The most visited way on from the node behind an edge; the first of equals."""
    line, node = [], tree.child[root_edge]
    while tree.opened[node]:
        visited = list(edges(tree, node))[: tree.opened[node]]
        best = max(visited, key=lambda edge: tree.visits[edge])
        line.append(int(tree.action[best]))
        node = tree.child[best]
    return line


@pytest.mark.parametrize("name", ["connect4", "breakthrough-5x5", "othello-6x6"])
@pytest.mark.parametrize("method", ["gumbel", "puct"])
def test_lines_follow_the_most_visits(name: str, method: str) -> None:
    position: Position = games.start(games.load(name))
    config = SearchConfig(method=method, simulations=150, gumbel_scale=0.0)
    result = search([position], noisy_evaluator, config)
    tree = grow([position], noisy_evaluator, config)
    told = {int(tree.action[edge]): line_after(tree, edge) for edge in list(edges(tree, 0))[: tree.opened[0]]}
    for action in range(position.variant.n_actions):
        line = result.lines[0, action]
        expected = told.get(action, [])[: line.shape[0]]
        assert line[line != NONE].tolist() == expected
    assert any(told.values())
    assert np.all(result.proven == UNPROVEN), "nothing is proven unless the search is told to"
