"""The search tree: B games in one struct of arrays, and the small steps that every other kernel is made of.

Nodes hold their position, edges are legal actions only. A node's edges are kept in this order: first the
visited ones, then the most promising unvisited one, then the rest. Both searches give all unvisited actions
of a node the same value estimate, so the best of them is the one with the highest prior, and a selection
never looks further.

Values are always seen by the seat to move in the node they belong to; an edge's value by its parent's. Seats
need not alternate, so signs come from comparing seats.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from games.compilation import inlined
from games.kernels import list_legal
from games.rules import MAX_LEGAL, Rules
from games.state import State, new_state
from mcts.config import Settings

NONE = -1
"""No node, no edge."""

LOSS, DRAWN, WIN, UNPROVEN = -1, 0, 1, 2
"""Proven value of an edge or a node; UNPROVEN is a result that isn't known."""

F0, F1 = np.float32(0.0), np.float32(1.0)
F32_MAX, F32_TINY = np.finfo(np.float32).max, np.finfo(np.float32).tiny
# Scores are computed in float32, in the reference implementation's order, so that ties fall as they do there.


class Tree(NamedTuple):
    """Search trees of B games, N nodes and E edges each; node and edge numbers run over the whole batch.

    What a search hasn't come to is uninitialised: an edge's visits, value and child until its first visit,
    priors, order and noise until its node's first visit, proven values unless `Settings.solve`.

    nodes: the positions, row `game * N + i`; a game's root is its first node
    raw_value: float32 `[B*N]`, evaluation of the node for the seat to move
    first_edge, n_edges, opened: int32 `[B*N]`; `opened` edges have been visited
    parent, parent_edge: int32 `[B*N]`
    action, order: int16 `[B*E]`; `order` is the place in the list of legal actions, which settles ties
    logit, prior, noise, value: float32 `[B*E]`; visits, child: int32 `[B*E]`; only a root has noise
    node_proven: int8 `[B*N]`, proven: int8 `[B*E]`: LOSS, DRAWN, WIN or UNPROVEN
    floor: int8 `[B*N]`: the result that the seat to move has for certain, LOSS if nothing better is proven
    n_nodes, n_used_edges, spent, leaf, budget: int32 `[B]`: nodes and edges in use, simulations spent, the
        node that waits for its evaluation (or NONE), index of the game's budget in `Settings.budgets`
    """

    nodes: State
    raw_value: NDArray[np.float32]
    first_edge: NDArray[np.int32]
    n_edges: NDArray[np.int32]
    opened: NDArray[np.int32]
    parent: NDArray[np.int32]
    parent_edge: NDArray[np.int32]
    node_proven: NDArray[np.int8]
    floor: NDArray[np.int8]
    action: NDArray[np.int16]
    order: NDArray[np.int16]
    logit: NDArray[np.float32]
    prior: NDArray[np.float32]
    noise: NDArray[np.float32]
    value: NDArray[np.float32]
    visits: NDArray[np.int32]
    child: NDArray[np.int32]
    proven: NDArray[np.int8]
    n_nodes: NDArray[np.int32]
    n_used_edges: NDArray[np.int32]
    spent: NDArray[np.int32]
    leaf: NDArray[np.int32]
    budget: NDArray[np.int32]


def new_tree(rules: Rules, *, batch: int, simulations: int) -> Tree:
    """Room for `batch` trees of up to `simulations` simulations, for any of the compiled variants."""
    nodes = batch * (simulations + 2)  # the root, one for each simulation, one as scratch
    edges = batch * ((simulations + 1) * int(rules.flags[:, MAX_LEGAL].max()) + 1)

    def for_nodes() -> NDArray[np.int32]:
        return np.empty(nodes, np.int32)

    def for_edges() -> NDArray[np.float32]:
        return np.empty(edges, np.float32)

    return Tree(
        nodes=new_state(rules, nodes),
        raw_value=np.empty(nodes, np.float32),
        first_edge=for_nodes(),
        n_edges=for_nodes(),
        opened=for_nodes(),
        parent=for_nodes(),
        parent_edge=for_nodes(),
        node_proven=np.empty(nodes, np.int8),
        floor=np.empty(nodes, np.int8),
        action=np.empty(edges, np.int16),
        order=np.empty(edges, np.int16),
        logit=for_edges(),
        prior=for_edges(),
        noise=for_edges(),
        value=for_edges(),
        visits=np.empty(edges, np.int32),
        child=np.empty(edges, np.int32),
        proven=np.empty(edges, np.int8),
        n_nodes=np.zeros(batch, np.int32),
        n_used_edges=np.zeros(batch, np.int32),
        spent=np.zeros(batch, np.int32),
        leaf=np.full(batch, NONE, np.int32),
        budget=np.zeros(batch, np.int32),
    )


@inlined
def root_of(tree: Tree, game: int) -> int:
    """A game's root node."""
    return game * (tree.raw_value.shape[0] // tree.n_nodes.shape[0])


@inlined
def add_node(tree: Tree, game: int, parent: int, parent_edge: int) -> int:
    """A new node of a game, without position and edges."""
    node = root_of(tree, game) + tree.n_nodes[game]
    tree.n_nodes[game] += 1
    tree.parent[node] = parent
    tree.parent_edge[node] = parent_edge
    tree.opened[node] = 0
    tree.n_edges[node] = 0
    tree.node_proven[node] = UNPROVEN
    tree.floor[node] = LOSS
    return node


@inlined
def list_edges(rules: Rules, tree: Tree, game: int, node: int) -> None:
    """Give a node an edge for each legal action."""
    first = game * (tree.action.shape[0] // tree.n_nodes.shape[0]) + tree.n_used_edges[game]
    n = list_legal(rules, tree.nodes, node, tree.action, first)
    tree.first_edge[node] = first
    tree.n_edges[node] = n
    tree.n_used_edges[game] += n


@inlined
def swap_edges(tree: Tree, settings: Settings, a: int, b: int) -> None:
    """Exchange two unvisited edges, but for their noise."""
    tree.action[a], tree.action[b] = tree.action[b], tree.action[a]
    tree.order[a], tree.order[b] = tree.order[b], tree.order[a]
    tree.logit[a], tree.logit[b] = tree.logit[b], tree.logit[a]
    tree.prior[a], tree.prior[b] = tree.prior[b], tree.prior[a]
    if settings.solve:
        tree.proven[a], tree.proven[b] = tree.proven[b], tree.proven[a]


@inlined
def edge_value(tree: Tree, settings: Settings, edge: int) -> np.float32:
    """A visited edge's value for the parent's seat: proven if known, else the mean."""
    if is_proven(tree, settings, edge):
        return np.float32(tree.proven[edge])
    return tree.value[edge]


@inlined
def is_lost(tree: Tree, settings: Settings, edge: int) -> bool:
    """Whether an action is proven to lose. Where others don't, it counts as illegal."""
    return settings.solve and tree.proven[edge] == LOSS


@inlined
def is_proven(tree: Tree, settings: Settings, edge: int) -> bool:
    """Whether an action's result is proven, so that another simulation of it would tell nothing."""
    return settings.solve and tree.proven[edge] != UNPROVEN
