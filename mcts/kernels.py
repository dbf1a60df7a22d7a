"""Tree kernels: select, expand, back up, over a batch of games in one struct of arrays.

Nodes hold their position, edges are legal actions only. A node's edges are kept in this order: first the visited
ones, then the most promising unvisited one, then the rest. Both searches give all unvisited actions of a node the same value
estimate, so the best of them is the one with the highest prior, and a selection never looks further than that.

Values are always seen by the seat to move in the node they belong to; an edge's value by its parent's. Seats need not
alternate, so signs come from comparing seats.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from games.compilation import inlined, kernel
from games.kernels import (
    ONGOING,
    STATUS,
    VARIANT,
    State,
    copy_row,
    list_legal,
    new_state,
    observe,
    play,
    playout,
    seat_to_play,
    uniform,
    value_for_seat,
)
from games.rules import MAX_LEGAL, Rules
from mcts.config import GUMBEL, Settings

NONE = -1
"""No node, no edge."""

F0, F1 = np.float32(0.0), np.float32(1.0)
F32_MAX, F32_TINY = np.finfo(np.float32).max, np.finfo(np.float32).tiny
EPSILON = np.float32(1e-8)
# Scores are computed in float32, like the reference implementation's, so that ties fall as they do there.

UNPROVEN = 2
"""Proven value of an edge or node whose result isn't known; else -1, 0 or 1."""


class Tree(NamedTuple):
    """Search trees of B games, N nodes and E edges each; node and edge numbers run over the whole batch.

    nodes: the positions, row `game * N + i`; a game's root is its first node
    raw_value: float32 `[B*N]`, evaluation of the node for the seat to move
    first_edge, n_edges, opened: int32 `[B*N]`; `opened` edges have been visited
    parent, parent_edge: int32 `[B*N]`
    action: int16 `[B*E]`; logit, prior, noise, value: float32 `[B*E]`; visits, child: int32 `[B*E]`
    node_proven: int8 `[B*N]`, proven: int8 `[B*E]`: -1, 0, 1 or UNPROVEN
    n_nodes, n_used_edges, spent, leaf, budget: int32 `[B]`: nodes and edges in use, simulations spent, the node
        that waits for its evaluation (or NONE), index of the game's budget in `Settings.budgets`
    """

    nodes: State
    raw_value: NDArray[np.float32]
    first_edge: NDArray[np.int32]
    n_edges: NDArray[np.int32]
    opened: NDArray[np.int32]
    parent: NDArray[np.int32]
    parent_edge: NDArray[np.int32]
    node_proven: NDArray[np.int8]
    action: NDArray[np.int16]
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

    return Tree(
        nodes=new_state(rules, nodes),
        raw_value=np.zeros(nodes, np.float32),
        first_edge=np.zeros(nodes, np.int32),
        n_edges=np.zeros(nodes, np.int32),
        opened=np.zeros(nodes, np.int32),
        parent=np.full(nodes, NONE, np.int32),
        parent_edge=np.full(nodes, NONE, np.int32),
        node_proven=np.full(nodes, UNPROVEN, np.int8),
        action=np.zeros(edges, np.int16),
        logit=np.zeros(edges, np.float32),
        prior=np.zeros(edges, np.float32),
        noise=np.zeros(edges, np.float32),
        value=np.zeros(edges, np.float32),
        visits=np.zeros(edges, np.int32),
        child=np.full(edges, NONE, np.int32),
        proven=np.full(edges, UNPROVEN, np.int8),
        n_nodes=np.zeros(batch, np.int32),
        n_used_edges=np.zeros(batch, np.int32),
        spent=np.zeros(batch, np.int32),
        leaf=np.full(batch, NONE, np.int32),
        budget=np.zeros(batch, np.int32),
    )


@kernel
def plant(rules: Rules, tree: Tree, settings: Settings, game: int, state: State, row: int) -> None:
    """Start a game's tree at a position that isn't over; the root waits for its evaluation."""
    tree.n_nodes[game] = 0
    tree.n_used_edges[game] = 0
    tree.spent[game] = 0
    root = _add_node(tree, game)
    copy_row(state, row, tree.nodes, root)
    _list_edges(rules, tree, game, root)
    if settings.solve:
        _find_wins(rules, tree, game, root)
    tree.leaf[game] = root


@kernel
def observe_leaf(
    rules: Rules,
    tree: Tree,
    game: int,
    planes: NDArray[np.float32],
    legal: NDArray[np.bool_],
    features: NDArray[np.float32],
    out: int,
) -> None:
    """Write the position that waits for its evaluation into row `out` of an observation."""
    leaf = tree.leaf[game]
    observe(
        rules, tree.nodes, leaf, tree.action, tree.first_edge[leaf], tree.n_edges[leaf], planes, legal, features, out
    )


@kernel
def advance(
    rules: Rules,
    tree: Tree,
    settings: Settings,
    rng: NDArray[np.uint64],
    game: int,
    logits: NDArray[np.float32],
    value_to_play: float,
    row: int,
) -> bool:
    """Take the evaluation of the waiting leaf (`logits[row]`) and search on; whether another one is needed."""
    leaf = tree.leaf[game]
    _expand(rules, tree, leaf, logits, value_to_play, row)
    if tree.parent[leaf] == NONE:
        _prepare_root(tree, settings, rng, leaf)
    else:
        _back_up(tree, settings, leaf, value_to_play)
    tree.leaf[game] = NONE
    while tree.spent[game] < settings.budgets[tree.budget[game]]:
        if settings.solve and tree.node_proven[_root(tree, game)] != UNPROVEN:
            break
        tree.spent[game] += 1
        leaf = _descend(rules, tree, settings, game)
        if tree.node_proven[leaf] == UNPROVEN:
            tree.leaf[game] = leaf
            return True
        _back_up(tree, settings, leaf, float(tree.node_proven[leaf]))
    return False


@inlined
def _root(tree: Tree, game: int) -> int:
    return game * (tree.raw_value.shape[0] // tree.n_nodes.shape[0])


@inlined
def _add_node(tree: Tree, game: int) -> int:
    node = _root(tree, game) + tree.n_nodes[game]
    tree.n_nodes[game] += 1
    tree.parent[node] = NONE
    tree.parent_edge[node] = NONE
    tree.opened[node] = 0
    tree.n_edges[node] = 0
    tree.node_proven[node] = UNPROVEN
    return node


@inlined
def _list_edges(rules: Rules, tree: Tree, game: int, node: int) -> None:
    """Give a node an edge for each legal action; what belongs to a visit is filled in when the edge is opened."""
    first = game * (tree.action.shape[0] // tree.n_nodes.shape[0]) + tree.n_used_edges[game]
    n = list_legal(rules, tree.nodes, node, tree.action, first)
    tree.first_edge[node] = first
    tree.n_edges[node] = n
    tree.n_used_edges[game] += n


@inlined
def _expand(
    rules: Rules, tree: Tree, node: int, logits: NDArray[np.float32], value_to_play: float, row: int
) -> None:
    """Turn an evaluation into the node's value and its edges' priors."""
    variant = tree.nodes.info[node, VARIANT]
    first, end = tree.first_edge[node], tree.first_edge[node] + tree.n_edges[node]
    tree.raw_value[node] = value_to_play
    top = -F32_MAX
    for edge in range(first, end):
        logit = logits[row, rules.canvas[variant, tree.action[edge]]]
        tree.logit[edge] = logit
        top = max(top, logit)
    total = F0
    for edge in range(first, end):
        weight = np.exp(tree.logit[edge] - top)
        tree.prior[edge] = weight
        total += weight
    for edge in range(first, end):
        tree.prior[edge] /= total
    _bring_best_forward(tree, node)


@inlined
def _swap_edges(tree: Tree, a: int, b: int) -> None:
    """Exchange two unvisited edges."""
    tree.action[a], tree.action[b] = tree.action[b], tree.action[a]
    tree.logit[a], tree.logit[b] = tree.logit[b], tree.logit[a]
    tree.prior[a], tree.prior[b] = tree.prior[b], tree.prior[a]
    tree.noise[a], tree.noise[b] = tree.noise[b], tree.noise[a]


@inlined
def _bring_best_forward(tree: Tree, node: int) -> None:
    """Put the unvisited edge with the highest prior (ties: the lower action) behind the visited ones."""
    place = tree.first_edge[node] + tree.opened[node]
    end = tree.first_edge[node] + tree.n_edges[node]
    best = place
    for edge in range(place + 1, end):
        if tree.prior[edge] > tree.prior[best] or (
            tree.prior[edge] == tree.prior[best] and tree.action[edge] < tree.action[best]
        ):
            best = edge
    if best != place:
        _swap_edges(tree, place, best)


@inlined
def _prepare_root(tree: Tree, settings: Settings, rng: NDArray[np.uint64], root: int) -> None:
    """Draw the root's noise and put the candidates of the search first."""
    if settings.method == GUMBEL:
        _draw_candidates(tree, settings, rng, root)
    elif settings.dirichlet_fraction > 0.0:
        _mix_dirichlet(tree, settings, rng, root)
        _bring_best_forward(tree, root)


@inlined
def _draw_candidates(tree: Tree, settings: Settings, rng: NDArray[np.uint64], root: int) -> None:
    """Gumbel-top-k: order the first max_considered edges by noise + logit, highest first (ties: lower action)."""
    first, end = tree.first_edge[root], tree.first_edge[root] + tree.n_edges[root]
    for edge in range(first, end):
        tree.noise[edge] = 0.0
        if settings.gumbel_scale > 0.0:
            tree.noise[edge] = -settings.gumbel_scale * math.log(-math.log(uniform(rng, _game_of(tree, root))))
    for place in range(first, min(end, first + settings.considered.shape[1] - 1)):
        best = place
        for edge in range(place + 1, end):
            ahead = tree.noise[edge] + tree.logit[edge] - tree.noise[best] - tree.logit[best]
            if ahead > 0.0 or (ahead == 0.0 and tree.action[edge] < tree.action[best]):
                best = edge
        if best != place:
            _swap_edges(tree, place, best)


@inlined
def _game_of(tree: Tree, node: int) -> int:
    return node // (tree.raw_value.shape[0] // tree.n_nodes.shape[0])


@inlined
def _mix_dirichlet(tree: Tree, settings: Settings, rng: NDArray[np.uint64], root: int) -> None:
    """Mix Dirichlet noise into the root's priors."""
    first, end = tree.first_edge[root], tree.first_edge[root] + tree.n_edges[root]
    total = 0.0
    for edge in range(first, end):
        tree.noise[edge] = _gamma(rng, _game_of(tree, root), settings.dirichlet_alpha)
        total += tree.noise[edge]
    for edge in range(first, end):
        share = tree.noise[edge] / total if total > 0.0 else 1.0 / (end - first)
        tree.prior[edge] += settings.dirichlet_fraction * (share - tree.prior[edge])


@kernel
def _gamma(rng: NDArray[np.uint64], row: int, shape: float) -> float:
    """A gamma variate of unit scale (Marsaglia & Tsang 2000; shapes under one by their boost)."""
    boost = 1.0
    if shape < 1.0:
        boost = uniform(rng, row) ** (1.0 / shape)
        shape += 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        radius = math.sqrt(-2.0 * math.log(uniform(rng, row)))
        normal = radius * math.cos(2.0 * math.pi * uniform(rng, row))
        v = (1.0 + c * normal) ** 3
        if v > 0.0 and math.log(uniform(rng, row)) < 0.5 * normal * normal + d - d * v + d * math.log(v):
            return boost * d * v


@inlined
def _descend(rules: Rules, tree: Tree, settings: Settings, game: int) -> int:
    """Walk from the root to a node that is new, over or proven; a new node gets its position and its edges."""
    node = _root(tree, game)
    edge = _select_at_root(rules, tree, settings, game, node)
    while edge < tree.first_edge[node] + tree.opened[node]:
        node = tree.child[edge]
        if tree.node_proven[node] != UNPROVEN:
            return node
        edge = _select(rules, tree, settings, node)
    return _grow(rules, tree, settings, game, node, edge)


@inlined
def _grow(rules: Rules, tree: Tree, settings: Settings, game: int, node: int, edge: int) -> int:
    """Play an unvisited edge's action into a new node; a finished game's value is known at once."""
    child = _add_node(tree, game)
    copy_row(tree.nodes, node, tree.nodes, child)
    play(rules, tree.nodes, child, tree.action[edge])
    tree.parent[child] = node
    tree.parent_edge[child] = edge
    tree.child[edge] = child
    tree.visits[edge] = 0
    tree.value[edge] = 0.0
    if tree.nodes.info[child, STATUS] != ONGOING:
        tree.node_proven[child] = np.int8(value_for_seat(tree.nodes, child, seat_to_play(tree.nodes, child)))
    else:
        _list_edges(rules, tree, game, child)
        if settings.solve:
            _find_wins(rules, tree, game, child)
    tree.opened[node] += 1
    at_gumbel_root = settings.method == GUMBEL and tree.parent[node] == NONE
    if not at_gumbel_root and tree.opened[node] < tree.n_edges[node]:
        _bring_best_forward(tree, node)
    return child


@inlined
def _find_wins(rules: Rules, tree: Tree, game: int, node: int) -> None:
    """Prove a node in which one action wins at once, before any evaluation is asked for.

    The game's next free node is the scratch on which actions are tried.
    """
    scratch = _root(tree, game) + tree.n_nodes[game]
    seat = seat_to_play(tree.nodes, node)
    for edge in range(tree.first_edge[node], tree.first_edge[node] + tree.n_edges[node]):
        tree.proven[edge] = UNPROVEN
        copy_row(tree.nodes, node, tree.nodes, scratch)
        play(rules, tree.nodes, scratch, tree.action[edge])
        over = tree.nodes.info[scratch, STATUS] != ONGOING
        if over and value_for_seat(tree.nodes, scratch, seat) > 0.0:
            tree.proven[edge] = 1
            tree.node_proven[node] = 1


@inlined
def _back_up(tree: Tree, settings: Settings, leaf: int, value_to_play: float) -> None:
    """Add an evaluation, seen by the seat to move in the leaf, to every edge from the root to the leaf."""
    seat = seat_to_play(tree.nodes, leaf)
    node = leaf
    proving = settings.solve and tree.node_proven[leaf] != UNPROVEN
    while tree.parent[node] != NONE:
        edge, parent = tree.parent_edge[node], tree.parent[node]
        value = value_to_play if seat_to_play(tree.nodes, parent) == seat else -value_to_play
        if proving:
            proving = _prove(tree, parent, edge, node)
        tree.visits[edge] += 1
        n = np.float32(tree.visits[edge])
        tree.value[edge] = (tree.value[edge] * (n - F1) + np.float32(value)) / n
        node = parent


@inlined
def _prove(tree: Tree, parent: int, edge: int, node: int) -> bool:
    """Carry a node's proven value to its edge, and to the parent if that settles it; whether it does."""
    same_seat = seat_to_play(tree.nodes, parent) == seat_to_play(tree.nodes, node)
    tree.proven[edge] = tree.node_proven[node] if same_seat else -tree.node_proven[node]
    first, end = tree.first_edge[parent], tree.first_edge[parent] + tree.n_edges[parent]
    best = -1
    for other in range(first, end):
        if tree.proven[other] == 1:
            tree.node_proven[parent] = 1
            return True
        if tree.proven[other] == UNPROVEN:
            best = UNPROVEN
        elif best != UNPROVEN:
            best = max(best, tree.proven[other])
    tree.node_proven[parent] = best
    return best != UNPROVEN


@inlined
def _edge_value(tree: Tree, settings: Settings, edge: int) -> np.float32:
    """A visited edge's value for the parent's seat: proven if known, else the mean."""
    if settings.solve and tree.proven[edge] != UNPROVEN:
        return np.float32(tree.proven[edge])
    return tree.value[edge]


class Completion(NamedTuple):
    """What a node's visited edges say about all of them: see `_complete`."""

    low: np.float32
    spread: np.float32
    scale: np.float32
    mixed: np.float32
    sum_visits: np.float32


@inlined
def _complete(rules: Rules, tree: Tree, settings: Settings, node: int) -> Completion:
    """Completed Q-values (Danihelka et al., section 4 and appendix D): sigma(q) = scale * (q - low) / spread.

    Unvisited actions take the mixed value: the node's evaluation and the prior-weighted mean of the visited ones. Values
    are rescaled to [0, 1] by the smallest and largest of the variant's action space, where each action that is not visited
    counts with the mixed value.
    """
    first, opened = tree.first_edge[node], tree.opened[node]
    sum_visits, most_visits, sum_prior, weighted = F0, F0, F0, F0
    low, high = F32_MAX, -F32_MAX
    for edge in range(first, first + opened):
        q = _edge_value(tree, settings, edge)
        visits = np.float32(tree.visits[edge])
        prior = max(tree.prior[edge], F32_TINY)
        sum_visits += visits
        most_visits = max(most_visits, visits)
        sum_prior += prior
        weighted += prior * q
        low, high = min(low, q), max(high, q)
    mixed = tree.raw_value[node]
    if opened > 0:
        mixed = (mixed + sum_visits * (weighted / sum_prior)) / (sum_visits + F1)
    if opened < rules.flags[tree.nodes.info[node, VARIANT], MAX_LEGAL]:
        low, high = min(low, mixed), max(high, mixed)
    scale = (np.float32(settings.visit_offset) + most_visits) * np.float32(settings.value_scale)
    return Completion(low, max(high - low, EPSILON), scale, mixed, sum_visits)


@inlined
def _sigma(completion: Completion, q: np.float32) -> np.float32:
    return completion.scale * ((q - completion.low) / completion.spread)


@inlined
def _select_at_root(rules: Rules, tree: Tree, settings: Settings, game: int, root: int) -> int:
    if settings.method != GUMBEL:
        return _select_puct(tree, settings, root)
    candidates = min(tree.n_edges[root], settings.considered.shape[1] - 1)
    visits = settings.considered[tree.budget[game], candidates, tree.spent[game] - 1]
    return _best_with_visits(rules, tree, settings, root, candidates, visits)


@inlined
def _best_with_visits(
    rules: Rules, tree: Tree, settings: Settings, root: int, candidates: int, visits: int
) -> int:
    """The candidate with this many visits and the highest noise + logit + sigma(q); ties: the lower action."""
    completion = _complete(rules, tree, settings, root)
    first = tree.first_edge[root]
    top = -F32_MAX
    for edge in range(first, first + tree.n_edges[root]):
        top = max(top, tree.logit[edge])
    best, best_score = NONE, -F32_MAX
    unvisited = first + tree.opened[root]
    for edge in range(first, first + candidates):
        if (tree.visits[edge] if edge < unvisited else 0) != visits:
            continue
        q = _edge_value(tree, settings, edge) if visits > 0 else completion.mixed
        score = tree.noise[edge] + (tree.logit[edge] - top) + _sigma(completion, q)
        if score > best_score or (score == best_score and tree.action[edge] < tree.action[best]):
            best, best_score = edge, score
    return best


@inlined
def _select(rules: Rules, tree: Tree, settings: Settings, node: int) -> int:
    if settings.method == GUMBEL:
        return _select_improved(rules, tree, settings, node)
    return _select_puct(tree, settings, node)


@inlined
def _select_improved(rules: Rules, tree: Tree, settings: Settings, node: int) -> int:
    """The action whose visits lag most behind the improved policy (Danihelka et al., equation 14)."""
    first, opened, n = tree.first_edge[node], tree.opened[node], tree.n_edges[node]
    if opened == 0:
        return first
    completion = _complete(rules, tree, settings, node)
    unvisited = _sigma(completion, completion.mixed)
    top = unvisited
    for edge in range(first, first + opened):
        top = max(top, _sigma(completion, _edge_value(tree, settings, edge)))
    total, visited_prior = F0, F0
    for edge in range(first, first + opened):
        visited_prior += tree.prior[edge]
        total += tree.prior[edge] * np.exp(_sigma(completion, _edge_value(tree, settings, edge)) - top)
    if opened < n:
        total += max(F0, F1 - visited_prior) * np.exp(unvisited - top)
    best, best_score = NONE, -F32_MAX
    for edge in range(first, first + opened):
        weight = tree.prior[edge] * np.exp(_sigma(completion, _edge_value(tree, settings, edge)) - top)
        score = weight / total - np.float32(tree.visits[edge]) / (F1 + completion.sum_visits)
        if score > best_score or (score == best_score and tree.action[edge] < tree.action[best]):
            best, best_score = edge, score
    if opened < n:
        edge = first + opened
        score = tree.prior[edge] * np.exp(unvisited - top) / total
        if score > best_score or (score == best_score and tree.action[edge] < tree.action[best]):
            best = edge
    return best


@inlined
def _select_puct(tree: Tree, settings: Settings, node: int) -> int:
    """Highest q + c(N) * prior * sqrt(N) / (1 + n); an unvisited action has the node's mean as q."""
    first, opened = tree.first_edge[node], tree.opened[node]
    visits = 0.0
    total = float(tree.raw_value[node])
    for edge in range(first, first + opened):
        visits += tree.visits[edge]
        total += tree.visits[edge] * float(tree.value[edge])
    c = settings.exploration + math.log((visits + settings.exploration_base + 1.0) / settings.exploration_base)
    reach = c * math.sqrt(max(visits, 1.0))
    best, best_score = NONE, -np.inf
    for edge in range(first, first + opened):
        score = _edge_value(tree, settings, edge) + reach * tree.prior[edge] / (1.0 + tree.visits[edge])
        if score > best_score or (score == best_score and tree.action[edge] < tree.action[best]):
            best, best_score = edge, score
    if opened < tree.n_edges[node]:
        edge = first + opened
        score = total / (visits + 1.0) + reach * tree.prior[edge]
        if score > best_score or (score == best_score and tree.action[edge] < tree.action[best]):
            best = edge
    return best


@kernel
def root_value(tree: Tree, game: int) -> float:
    """The root's value for its seat to move: the mean over its evaluation and all simulations."""
    root = _root(tree, game)
    if tree.node_proven[root] != UNPROVEN:
        return float(tree.node_proven[root])
    total, visits = float(tree.raw_value[root]), 1.0
    for edge in range(tree.first_edge[root], tree.first_edge[root] + tree.opened[root]):
        total += tree.visits[edge] * float(tree.value[edge])
        visits += tree.visits[edge]
    return total / visits


@kernel
def best_edge(rules: Rules, tree: Tree, settings: Settings, game: int) -> int:
    """The root's edge to play: most visits; then, for Gumbel, the highest noise + logit + sigma(q)."""
    root = _root(tree, game)
    first, end = tree.first_edge[root], tree.first_edge[root] + tree.n_edges[root]
    if settings.solve and tree.node_proven[root] != UNPROVEN:
        return _best_proven(tree, root)
    most = 0
    for edge in range(first, first + tree.opened[root]):
        most = max(most, tree.visits[edge])
    if settings.method == GUMBEL:
        return _best_with_visits(rules, tree, settings, root, end - first, most)
    best = NONE
    for edge in range(first, first + tree.opened[root]):
        if tree.visits[edge] == most and (best == NONE or tree.value[edge] > tree.value[best]):
            best = edge
    return first if best == NONE else best


@inlined
def _best_proven(tree: Tree, root: int) -> int:
    """The edge that keeps a proven root's value; among several the one with the highest prior."""
    first, end = tree.first_edge[root], tree.first_edge[root] + tree.n_edges[root]
    best = NONE
    for edge in range(first, end):
        keeps = tree.proven[edge] == tree.node_proven[root]
        if keeps and (best == NONE or tree.prior[edge] > tree.prior[best]):
            best = edge
    return best


@kernel
def write_policy(
    rules: Rules, tree: Tree, settings: Settings, game: int, policy: NDArray[np.float32], out: int, on_canvas: bool
) -> None:
    """Write the search's policy to row `out`: improved policy (Gumbel) or visit shares (PUCT).

    Where the root's result is proven, the actions that keep it share the policy evenly.

    Actions are the canvas's or the variant's own; entries of illegal actions become zero.
    """
    root = _root(tree, game)
    variant = tree.nodes.info[root, VARIANT]
    first, end = tree.first_edge[root], tree.first_edge[root] + tree.n_edges[root]
    policy[out] = 0.0
    completion = _complete(rules, tree, settings, root)
    proven = tree.node_proven[root]
    unvisited = first + tree.opened[root]
    top, total = -F32_MAX, 0.0
    for edge in range(first, end):
        top = max(top, _improved_logit(tree, settings, completion, edge, edge < unvisited))
    for edge in range(first, end):
        weight = float(tree.visits[edge]) if edge < unvisited else 0.0
        if proven != UNPROVEN:
            weight = 1.0 if tree.proven[edge] == proven else 0.0
        elif settings.method == GUMBEL:
            weight = math.exp(_improved_logit(tree, settings, completion, edge, edge < unvisited) - top)
        total += weight
        at = rules.canvas[variant, tree.action[edge]] if on_canvas else tree.action[edge]
        policy[out, at] = weight
    for edge in range(first, end):
        at = rules.canvas[variant, tree.action[edge]] if on_canvas else tree.action[edge]
        policy[out, at] /= total


@inlined
def _improved_logit(tree: Tree, settings: Settings, completion: Completion, edge: int, visited: bool) -> np.float32:
    q = _edge_value(tree, settings, edge) if visited else completion.mixed
    return tree.logit[edge] + _sigma(completion, q)


@kernel
def plant_rows(rules: Rules, tree: Tree, settings: Settings, state: State) -> None:
    """Start a tree at every row of a state."""
    for game in range(tree.n_nodes.shape[0]):
        plant(rules, tree, settings, game, state, game)


@kernel
def observe_waiting(
    rules: Rules,
    tree: Tree,
    games: NDArray[np.int32],
    planes: NDArray[np.float32],
    legal: NDArray[np.bool_],
    features: NDArray[np.float32],
) -> None:
    """Observe the waiting leaf of each listed game, row by row."""
    for row in range(games.shape[0]):
        observe_leaf(rules, tree, games[row], planes, legal, features, row)


@kernel
def advance_waiting(
    rules: Rules,
    tree: Tree,
    settings: Settings,
    rng: NDArray[np.uint64],
    games: NDArray[np.int32],
    logits: NDArray[np.float32],
    values: NDArray[np.float32],
) -> int:
    """Advance each listed game by its evaluation; keeps those that wait again in front of `games`, their number."""
    waiting = 0
    for row in range(games.shape[0]):
        game = games[row]
        if advance(rules, tree, settings, rng, game, logits, values[row], row):
            games[waiting] = game
            waiting += 1
    return waiting


@kernel
def write_results(
    rules: Rules,
    tree: Tree,
    settings: Settings,
    actions: NDArray[np.int32],
    visits: NDArray[np.int32],
    policy: NDArray[np.float32],
    values: NDArray[np.float32],
    root_q: NDArray[np.float32],
) -> None:
    """Write every game's result, actions on the canvas; `root_q` is NaN where an action has no visit."""
    for game in range(tree.n_nodes.shape[0]):
        root = _root(tree, game)
        variant = tree.nodes.info[root, VARIANT]
        write_policy(rules, tree, settings, game, policy, game, True)
        for edge in range(tree.first_edge[root], tree.first_edge[root] + tree.opened[root]):
            at = rules.canvas[variant, tree.action[edge]]
            visits[game, at] = tree.visits[edge]
            root_q[game, at] = _edge_value(tree, settings, edge)
        values[game] = root_value(tree, game)
        actions[game] = rules.canvas[variant, tree.action[best_edge(rules, tree, settings, game)]]


@kernel
def search_by_rollouts(
    rules: Rules,
    tree: Tree,
    settings: Settings,
    rng: NDArray[np.uint64],
    rollouts: int,
    logits: NDArray[np.float32],
    scratch: State,
    actions: NDArray[np.int16],
    start: int,
    stop: int,
) -> None:
    """Whole searches of games start..stop with random playouts as evaluation and an even prior.

    logits: float32 `[1, A]`, all equal; scratch: one row; actions: room for `MAX_LEGAL + 1`.
    """
    for game in range(start, stop):
        waiting = True
        while waiting:
            leaf = tree.leaf[game]
            value = rollout_value(rules, tree.nodes, leaf, rng, game, rollouts, scratch, actions)
            waiting = advance(rules, tree, settings, rng, game, logits, value, 0)


@kernel
def rollout_value(
    rules: Rules,
    state: State,
    row: int,
    rng: NDArray[np.uint64],
    stream: int,
    rollouts: int,
    scratch: State,
    actions: NDArray[np.int16],
) -> float:
    """Mean result of random playouts from a position, for its seat to move."""
    seat = seat_to_play(state, row)
    total = 0.0
    for _ in range(rollouts):
        copy_row(state, row, scratch, 0)
        while scratch.info[0, STATUS] == ONGOING:
            n = list_legal(rules, scratch, 0, actions, 0)
            play(rules, scratch, 0, actions[int(uniform(rng, stream) * n)])
        total += value_for_seat(scratch, 0, seat)
    return total / rollouts
