"""Batched tree search: plant a tree, observe the waiting leaf, advance by its evaluation, read the result."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from games.compilation import inlined, kernel
from games.kernels import copy_row, may_end, observe, play, seat_to_play, value_for_seat
from games.number_kernels import as_int
from games.rules import Rules
from games.state import ONGOING, STATUS, VARIANT, State
from mcts.cache_kernels import Cache, is_in_use, keep, position_key, slot_of
from mcts.config import GUMBEL, Settings
from mcts.rollout_kernels import UNLIMITED, Rollouts, mix_rollouts, rollout_value
from mcts.select_kernels import Completion, bring_best_forward, complete, noisy_score, select, sigma
from mcts.tree_kernels import (
    DRAWN,
    F0,
    F1,
    F32_MAX,
    LOSS,
    NONE,
    UNPROVEN,
    WIN,
    Tree,
    add_node,
    edge_value,
    is_lost,
    is_proven,
    list_edges,
    new_tree,
    root_of,
    swap_edges,
)

__all__ = [
    "NONE",
    "UNPROVEN",
    "Tree",
    "advance",
    "advance_remembered",
    "advance_waiting",
    "best_edge",
    "new_tree",
    "observe_leaf",
    "observe_waiting",
    "plant",
    "plant_rows",
    "policy_surprise",
    "policy_value",
    "roll_out_waiting",
    "root_value",
    "write_policy",
    "write_results",
]

_LEAST_PRIOR = 1e-4
"""What a search's surprise counts a smaller probability as."""


@inlined
def plant(rules: Rules, tree: Tree, settings: Settings, game: int, state: State, row: int) -> None:
    """Start a game's tree at a position that isn't over; the root waits for its evaluation."""
    tree.n_nodes[game] = 0
    tree.n_used_edges[game] = 0
    tree.spent[game] = 0
    root = add_node(tree, game, NONE, NONE)
    copy_row(state, row, tree.nodes, root)
    list_edges(rules, tree, game, root)
    if settings.solve:
        _prove_ends(rules, tree, game, root)
    tree.leaf[game] = root


@inlined
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
    leaf = as_int(tree.leaf[game])
    first, n = tree.first_edge[leaf], tree.n_edges[leaf]
    observe(rules, tree.nodes, leaf, tree.action, first, n, planes, legal, features, out)


@inlined
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
    """Take the waiting leaf's evaluation (`logits[row]`) and search on; whether another one is needed."""
    leaf = as_int(tree.leaf[game])
    _expand(rules, tree, leaf, logits, value_to_play, row)
    tree.leaf[game] = NONE
    budget = settings.budgets[tree.budget[game]]
    while True:
        _back_up(tree, settings, leaf, value_to_play)
        if tree.spent[game] >= budget or tree.node_proven[root_of(tree, game)] != UNPROVEN:
            return False
        tree.spent[game] += 1
        leaf = _descend(rules, tree, settings, rng, game)
        if tree.node_proven[leaf] == UNPROVEN:
            tree.leaf[game] = leaf
            return True
        value_to_play = float(tree.node_proven[leaf])


@inlined
def _expand(
    rules: Rules, tree: Tree, node: int, logits: NDArray[np.float32], value_to_play: float, row: int
) -> None:
    """Keep an evaluation: the node's value and a logit for each edge."""
    first, end = tree.first_edge[node], tree.first_edge[node] + tree.n_edges[node]
    action, logit = tree.action[first:end], tree.logit[first:end]
    answer, canvas = logits[row], rules.canvas[tree.nodes.info[node, VARIANT]]
    for i in range(action.shape[0]):
        logit[i] = answer[canvas[np.uint16(action[i])]]
    tree.raw_value[node] = value_to_play


@inlined
def _descend(rules: Rules, tree: Tree, settings: Settings, rng: NDArray[np.uint64], game: int) -> int:
    """Walk from the root to a node that is new, over or proven; a new node gets its position and edges."""
    node = root_of(tree, game)
    while True:
        edge = select(rules, tree, settings, rng, game, node)
        if edge >= tree.first_edge[node] + tree.opened[node]:
            return _grow(rules, tree, settings, game, node, edge)
        node = as_int(tree.child[edge])
        if tree.node_proven[node] != UNPROVEN:
            return node


@inlined
def _grow(rules: Rules, tree: Tree, settings: Settings, game: int, node: int, edge: int) -> int:
    """Play an unvisited edge's action into a new node; a finished game's value is known at once."""
    edge = _open(tree, settings, node, edge)
    child = add_node(tree, game, node, edge)
    tree.child[edge] = child
    copy_row(tree.nodes, node, tree.nodes, child)
    play(rules, tree.nodes, child, as_int(tree.action[edge]))
    if tree.nodes.info[child, STATUS] != ONGOING:
        tree.node_proven[child] = np.int8(value_for_seat(tree.nodes, child, seat_to_play(tree.nodes, child)))
        return child
    list_edges(rules, tree, game, child)
    if settings.solve:
        _prove_ends(rules, tree, game, child)
    return child


@inlined
def _open(tree: Tree, settings: Settings, node: int, edge: int) -> int:
    """Count an unvisited edge among the visited ones; where it lies now."""
    place = tree.first_edge[node] + tree.opened[node]
    if edge != place:
        swap_edges(tree, settings, edge, place)
        tree.noise[edge], tree.noise[place] = tree.noise[place], tree.noise[edge]
    tree.visits[place] = 0
    tree.value[place] = 0.0
    tree.opened[node] += 1
    at_gumbel_root = settings.method == GUMBEL and tree.parent[node] == NONE
    if not at_gumbel_root and tree.opened[node] < tree.n_edges[node]:
        bring_best_forward(tree, settings, node)
    return place


@inlined
def _back_up(tree: Tree, settings: Settings, leaf: int, value_to_play: float) -> None:
    """Add an evaluation, seen by the seat to move in the leaf, to every edge from the root to the leaf."""
    seat = seat_to_play(tree.nodes, leaf)
    node = leaf
    proving = settings.solve and tree.node_proven[leaf] != UNPROVEN
    while tree.parent[node] != NONE:
        edge, parent = tree.parent_edge[node], tree.parent[node]
        parent_seat = seat_to_play(tree.nodes, parent)
        value = value_to_play if parent_seat == seat else -value_to_play
        tree.visits[edge] += 1
        n = np.float32(tree.visits[edge])
        tree.value[edge] = (tree.value[edge] * (n - F1) + np.float32(value)) / n
        if proving:
            tree.proven[edge] = np.int8(value)
            tree.node_proven[parent] = _settled(tree, parent)
            proving = tree.node_proven[parent] != UNPROVEN
            if proving:  # what is known now counts, not the reply that was tried last
                value_to_play, seat = float(tree.node_proven[parent]), parent_seat
        if tree.floor[parent] == DRAWN and not proving:
            value_to_play, seat = max(value, 0.0), parent_seat
        node = parent


@inlined
def _settled(tree: Tree, node: int) -> int:
    """A node's proven value: a win if one action wins, else the best once all are (Winands et al., 2008)."""
    best, known = LOSS, True
    for edge in range(tree.first_edge[node], tree.first_edge[node] + tree.n_edges[node]):
        proven = tree.proven[edge]
        if proven == WIN:
            return WIN
        if proven == UNPROVEN:
            known = False
        else:
            best = max(best, proven)
    tree.floor[node] = best
    return best if known else UNPROVEN


@inlined
def _prove_ends(rules: Rules, tree: Tree, game: int, node: int) -> None:
    """Prove every action of a new node that ends the game at once, before any evaluation is asked for.

    The game's next free node is the scratch on which actions are tried.
    """
    scratch = root_of(tree, game) + tree.n_nodes[game]
    seat = seat_to_play(tree.nodes, node)
    for edge in range(tree.first_edge[node], tree.first_edge[node] + tree.n_edges[node]):
        tree.proven[edge] = UNPROVEN
        if not may_end(rules, tree.nodes, node, as_int(tree.action[edge])):
            continue
        copy_row(tree.nodes, node, tree.nodes, scratch)
        play(rules, tree.nodes, scratch, as_int(tree.action[edge]))
        if tree.nodes.info[scratch, STATUS] != ONGOING:
            tree.proven[edge] = np.int8(value_for_seat(tree.nodes, scratch, seat))
    tree.node_proven[node] = _settled(tree, node)


@inlined
def root_value(tree: Tree, game: int) -> float:
    """The root's value for its seat to move: proven if known, else the mean of evaluation and simulations."""
    root = root_of(tree, game)
    if tree.node_proven[root] != UNPROVEN:
        return float(tree.node_proven[root])
    total, visits = float(tree.raw_value[root]), 1.0
    for edge in range(tree.first_edge[root], tree.first_edge[root] + tree.opened[root]):
        total += tree.visits[edge] * float(tree.value[edge])
        visits += tree.visits[edge]
    mean = total / visits
    return max(mean, 0.0) if tree.floor[root] == DRAWN else mean


@inlined
def best_edge(rules: Rules, tree: Tree, settings: Settings, game: int) -> int:
    """The root's edge to play: most visits; then the highest noise + logit + sigma(q) (Gumbel) or q (PUCT).

    Proven losses don't count; a proven draw needs no visits to be compared.
    """
    root = root_of(tree, game)
    if tree.node_proven[root] != UNPROVEN:
        return _best_proven(tree, root)
    first, unvisited = tree.first_edge[root], tree.first_edge[root] + tree.opened[root]
    if unvisited == first:
        return first
    most = 0
    for edge in range(first, unvisited):
        if not is_lost(tree, settings, edge):
            most = max(most, tree.visits[edge])
    completion = complete(rules, tree, settings, root)
    best, best_score = NONE, -F32_MAX
    for edge in range(first, first + tree.n_edges[root]):
        visits = tree.visits[edge] if edge < unvisited else 0
        is_draw = settings.solve and tree.proven[edge] == DRAWN
        if is_lost(tree, settings, edge) or (visits != most and not is_draw):
            continue
        score = _final_score(tree, settings, completion, root, edge)
        if score > best_score or (score == best_score and tree.order[edge] < tree.order[best]):
            best, best_score = edge, score
    return best


@inlined
def _final_score(tree: Tree, settings: Settings, completion: Completion, root: int, edge: int) -> np.float32:
    has_value = _has_value(tree, settings, root, edge)
    if settings.method == GUMBEL:
        return noisy_score(tree, settings, completion, edge, has_value)
    return edge_value(tree, settings, edge) if has_value else completion.mixed + tree.prior[edge]


@inlined
def _best_proven(tree: Tree, root: int) -> int:
    """The edge that keeps a proven root's value; among several the most visited, then the highest logit.

    In a lost position all edges do: the one that took longest to refute is played.
    """
    first, unvisited = tree.first_edge[root], tree.first_edge[root] + tree.opened[root]
    best, most = NONE, -1
    for edge in range(first, first + tree.n_edges[root]):
        if tree.proven[edge] != tree.node_proven[root]:
            continue
        visits = tree.visits[edge] if edge < unvisited else 0
        if visits > most or (visits == most and tree.logit[edge] > tree.logit[best]):
            best, most = edge, visits
    return best


@inlined
def write_policy(
    rules: Rules,
    tree: Tree,
    settings: Settings,
    game: int,
    policy: NDArray[np.float32],
    out: int,
    on_canvas: bool,
) -> None:
    """Write the search's policy to row `out`: improved policy (Gumbel, equation 11) or visit shares (PUCT).

    Where the root's result is proven, the actions that keep it share the policy evenly; else proven losses
    have none of it, and visits aren't counted if there is a proven draw, which needs none.
    Actions are the canvas's or the variant's own; entries of illegal actions become zero.
    """
    root = root_of(tree, game)
    variant = tree.nodes.info[root, VARIANT]
    first, end = tree.first_edge[root], tree.first_edge[root] + tree.n_edges[root]
    completion = complete(rules, tree, settings, root)
    by_visits = settings.method != GUMBEL and completion.sum_visits > 0 and tree.floor[root] == LOSS
    policy[out] = 0.0
    top, total = -F32_MAX, 0.0
    for edge in range(first, end):
        if not is_lost(tree, settings, edge):
            top = max(top, _improved_logit(tree, settings, completion, root, edge))
    for edge in range(first, end):
        if tree.node_proven[root] != UNPROVEN:
            weight = 1.0 if tree.proven[edge] == tree.node_proven[root] else 0.0
        elif is_lost(tree, settings, edge):
            weight = 0.0
        elif by_visits:
            weight = float(tree.visits[edge]) if edge < first + tree.opened[root] else 0.0
        else:
            weight = math.exp(_improved_logit(tree, settings, completion, root, edge) - top)
        total += weight
        action = tree.action[edge]
        policy[out, rules.canvas[variant, action] if on_canvas else action] = weight
    for edge in range(first, end):
        action = tree.action[edge]
        policy[out, rules.canvas[variant, action] if on_canvas else action] /= total


@inlined
def policy_surprise(tree: Tree, game: int, policy: NDArray[np.float32], row: int) -> float:
    """Kullback-Leibler divergence, in nats, of the network's policy from a search's, over own actions.

    0 where the network wasn't asked: its policy is then even, and so is the search's over what it proved.
    """
    root = root_of(tree, game)
    first, end = tree.first_edge[root], tree.first_edge[root] + tree.n_edges[root]
    if tree.opened[root] == 0:
        return 0.0
    total = 0.0
    for edge in range(first, end):
        total += max(F0, tree.prior[edge])
    surprise = 0.0
    for edge in range(first, end):
        share = float(policy[row, tree.action[edge]])
        if share > 0.0:
            surprise += share * math.log(share / max(float(tree.prior[edge]) / total, _LEAST_PRIOR))
    return surprise


@inlined
def policy_value(tree: Tree, settings: Settings, game: int, policy: NDArray[np.float32], row: int) -> float:
    """What a search's policy over own actions is worth to play: the mean of the values that actions have.

    Unlike `root_value`, simulations that only tried worse actions don't count (after Willemsen et al. 2021,
    "Value targets in off-policy AlphaZero").
    """
    root = root_of(tree, game)
    total, share = 0.0, 0.0
    for edge in range(tree.first_edge[root], tree.first_edge[root] + tree.n_edges[root]):
        if _has_value(tree, settings, root, edge):
            weight = float(policy[row, tree.action[edge]])
            total += weight * float(edge_value(tree, settings, edge))
            share += weight
    return total / share if share > 0.0 else root_value(tree, game)


@inlined
def _has_value(tree: Tree, settings: Settings, root: int, edge: int) -> bool:
    """Whether an edge has a value of its own: it was visited, or its result is proven."""
    visited = edge < tree.first_edge[root] + tree.opened[root]
    return visited or is_proven(tree, settings, edge)


@inlined
def _improved_logit(
    tree: Tree, settings: Settings, completion: Completion, root: int, edge: int
) -> np.float32:
    q = edge_value(tree, settings, edge) if _has_value(tree, settings, root, edge) else completion.mixed
    return tree.logit[edge] + sigma(completion, q)


@kernel
def write_results(
    rules: Rules,
    tree: Tree,
    settings: Settings,
    actions: NDArray[np.int32],
    visits: NDArray[np.int32],
    policy: NDArray[np.float32],
    values: NDArray[np.float32],
    action_values: NDArray[np.float32],
    proven: NDArray[np.int8],
    lines: NDArray[np.int16],
) -> None:
    """Write every game's result, actions on the canvas; arrays as in `SearchResult`, filled with nothing."""
    for game in range(tree.n_nodes.shape[0]):
        root = root_of(tree, game)
        canvas = rules.canvas[tree.nodes.info[root, VARIANT]]
        first = tree.first_edge[root]
        write_policy(rules, tree, settings, game, policy, game, True)
        for edge in range(first, first + tree.n_edges[root]):
            at = canvas[tree.action[edge]]
            if edge < first + tree.opened[root]:
                visits[game, at] = tree.visits[edge]
                _write_line(tree, settings, canvas, as_int(tree.child[edge]), lines[game, at])
            if settings.solve:
                proven[game, at] = tree.proven[edge]
            if _has_value(tree, settings, root, edge):
                action_values[game, at] = edge_value(tree, settings, edge)
        values[game] = root_value(tree, game)
        actions[game] = canvas[tree.action[best_edge(rules, tree, settings, game)]]


@inlined
def _write_line(
    tree: Tree, settings: Settings, canvas: NDArray[np.uint16], node: int, line: NDArray[np.int16]
) -> None:
    """Write how a game goes on from a node by the most visited actions, as far as tree and line go."""
    for i in range(line.shape[0]):
        edge = _expected_edge(tree, settings, node)
        if edge == NONE:
            return
        line[i] = canvas[np.uint16(tree.action[edge])]
        if edge >= tree.first_edge[node] + tree.opened[node]:
            return  # an action that is proven without a visit: the game ends with it
        node = as_int(tree.child[edge])


@inlined
def _expected_edge(tree: Tree, settings: Settings, node: int) -> int:
    """The edge of a node that the search expects to be played, or NONE.

    The most visited, among those that keep a proven node's value, or else among those that aren't lost.
    """
    first, unvisited = tree.first_edge[node], tree.first_edge[node] + tree.opened[node]
    if tree.n_edges[node] == 0:
        return NONE
    known = tree.node_proven[node]
    best, most = NONE, 0 if known == UNPROVEN else -1
    for edge in range(first, unvisited if known == UNPROVEN else first + tree.n_edges[node]):
        if is_lost(tree, settings, edge) if known == UNPROVEN else tree.proven[edge] != known:
            continue
        visits = tree.visits[edge] if edge < unvisited else 0
        if visits > most:
            best, most = edge, visits
    return best


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
        observe_leaf(rules, tree, as_int(games[row]), planes, legal, features, row)


@kernel
def advance_waiting(
    rules: Rules,
    tree: Tree,
    settings: Settings,
    rng: NDArray[np.uint64],
    games: NDArray[np.int32],
    logits: NDArray[np.float32],
    values: NDArray[np.float32],
    cache: Cache,
    rollouts: Rollouts,
) -> int:
    """Advance each listed game by its evaluation; how many wait again: they move to the front of `games`.

    Playouts are mixed into the values. The evaluations are kept in the cache, if it is in use.
    """
    waiting = 0
    for row in range(games.shape[0]):
        game = as_int(games[row])
        leaf = as_int(tree.leaf[game])
        value = mix_rollouts(rules, tree.nodes, leaf, rollouts, float(values[row]))
        if is_in_use(cache):
            keep(cache, position_key(rules, tree.nodes, leaf), logits, row, value)
        if advance(rules, tree, settings, rng, game, logits, value, row):
            games[waiting] = game
            waiting += 1
    return waiting


@kernel
def advance_remembered(
    rules: Rules,
    tree: Tree,
    settings: Settings,
    rng: NDArray[np.uint64],
    games: NDArray[np.int32],
    cache: Cache,
) -> int:
    """Advance each listed game for as long as the cache knows its leaf.

    How many wait for the evaluator: they move to the front of `games`.
    """
    waiting = 0
    for row in range(games.shape[0]):
        game = as_int(games[row])
        waits = True
        while waits:
            key = position_key(rules, tree.nodes, as_int(tree.leaf[game]))
            slot = slot_of(cache, key)
            if cache.keys[slot] != key:
                break
            cache.hits[0] += 1
            waits = advance(rules, tree, settings, rng, game, cache.logits, float(cache.values[slot]), slot)
        if waits:
            games[waiting] = game
            waiting += 1
    return waiting


@kernel
def roll_out_waiting(
    rules: Rules,
    tree: Tree,
    rng: NDArray[np.uint64],
    games: NDArray[np.int32],
    rollouts: int,
    scratch: State,
    actions: NDArray[np.int16],
    values: NDArray[np.float32],
) -> None:
    """Evaluate the waiting leaf of each listed game, row by row, by random playouts.

    scratch: one row; actions: room for `MAX_LEGAL + 1`.
    """
    for row in range(games.shape[0]):
        game = as_int(games[row])
        leaf = as_int(tree.leaf[game])
        values[row] = rollout_value(rules, tree.nodes, leaf, rng, game, rollouts, UNLIMITED, scratch, actions)
