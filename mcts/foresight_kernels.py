"""Leaves that a search will ask about next, so that one call of the evaluator serves several simulations.

Sequential halving visits the candidates of a round once each, and below the root nothing depends on what the
others bring. The leaves of a round are therefore known before its first one is evaluated. They are evaluated
with it and kept in the cache, where the search finds them when it gets there: it goes the way that it would
have gone, one simulation after the other, and only the number of calls is smaller.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from games.compilation import inlined, kernel
from games.kernels import copy_row, list_legal, may_end, observe_row, play, seat_to_play, value_for_seat
from games.number_kernels import as_int
from games.rules import MAX_LEGAL, Rules
from games.state import ONGOING, STATUS, State, new_state
from mcts.cache_kernels import Cache, keep, position_key, slot_of
from mcts.config import GUMBEL, Settings
from mcts.kernels import advance_remembered, advance_waiting, observe_waiting
from mcts.rollout_kernels import Rollouts, mix_rollouts
from mcts.select_kernels import complete, noisy_score, select_improved
from mcts.tree_kernels import F32_MAX, NONE, UNPROVEN, Tree, root_of


class Ahead(NamedTuple):
    """Room for the positions of up to K leaves.

    state: K + 1 rows, the last one is scratch; keys: uint64 `[K]`; actions: int16 `[MAX_LEGAL + 1]`
    """

    state: State
    keys: NDArray[np.uint64]
    actions: NDArray[np.int16]


def new_ahead(rules: Rules, most: int) -> Ahead:
    """Room for so many leaves, of any of the compiled variants."""
    return Ahead(
        state=new_state(rules, most + 1),
        keys=np.zeros(most, np.uint64),
        actions=np.empty(int(rules.flags[:, MAX_LEGAL].max()) + 1, np.int16),
    )


@inlined
def foresee(rules: Rules, tree: Tree, settings: Settings, game: int, cache: Cache, ahead: Ahead) -> int:
    """Find the positions that the rest of a round will ask about, besides the waiting leaf; their number.

    What the cache knows already isn't among them, nor what needs no evaluator.
    """
    root, leaf = root_of(tree, game), as_int(tree.leaf[game])
    if settings.method != GUMBEL or leaf == root:
        return 0
    candidates = min(tree.n_edges[root], settings.considered.shape[1] - 1)
    schedule, spent = settings.considered[tree.budget[game], candidates], tree.spent[game]
    visits, waiting = schedule[spent - 1], _root_edge(tree, root, leaf)
    leaf_key = position_key(rules, tree.nodes, leaf)
    edge, n = as_int(NONE), 0
    while spent < settings.budgets[tree.budget[game]] and schedule[spent] == visits:
        edge = _next_candidate(rules, tree, settings, root, candidates, visits, waiting, edge)
        if edge == NONE or n == ahead.keys.shape[0]:
            return n
        if _reaches_leaf(rules, tree, settings, root, edge, ahead, n):
            n += _is_unknown(rules, settings, cache, leaf_key, ahead, n)
        spent += 1
    return n


@inlined
def _root_edge(tree: Tree, root: int, node: int) -> int:
    """The root's edge on the way to a node."""
    while tree.parent[node] != root:
        node = tree.parent[node]
    return as_int(tree.parent_edge[node])


@kernel
def _next_candidate(
    rules: Rules,
    tree: Tree,
    settings: Settings,
    root: int,
    candidates: int,
    visits: int,
    waiting: int,
    before: int,
) -> int:
    """The candidate of the round that has the best score below that of another one, or NONE."""
    first, unvisited = tree.first_edge[root], tree.first_edge[root] + tree.opened[root]
    completion = complete(rules, tree, settings, root)
    limit = F32_MAX
    if before != NONE:
        limit = noisy_score(tree, settings, completion, before, before < unvisited)
    best, best_score = as_int(NONE), -F32_MAX
    for edge in range(first, first + max(candidates, tree.opened[root])):
        seen = tree.visits[edge] if edge < unvisited else 0
        is_open = not settings.solve or tree.proven[edge] == UNPROVEN
        if edge == waiting or seen != visits or not is_open:
            continue
        score = noisy_score(tree, settings, completion, edge, edge < unvisited)
        comes_later = score < limit or (score == limit and edge > before)
        if comes_later and score > best_score:
            best, best_score = as_int(edge), score
    return best


@inlined
def _reaches_leaf(
    rules: Rules, tree: Tree, settings: Settings, root: int, edge: int, ahead: Ahead, row: int
) -> bool:
    """Whether a simulation along a root's edge ends in a new node; its position goes into a row."""
    node = root
    while edge < tree.first_edge[node] + tree.opened[node]:
        node = as_int(tree.child[edge])
        if tree.node_proven[node] != UNPROVEN:
            return False
        edge = _expected_edge(rules, tree, settings, node)
        if edge == NONE:
            return False
    copy_row(tree.nodes, node, ahead.state, row)
    play(rules, ahead.state, row, as_int(tree.action[edge]))
    return ahead.state.info[row, STATUS] == ONGOING


@inlined
def _expected_edge(rules: Rules, tree: Tree, settings: Settings, node: int) -> int:
    """The edge that a simulation will follow below the root, or NONE."""
    if tree.opened[node] > 0:
        return select_improved(rules, tree, settings, node)
    best = as_int(NONE)
    for edge in range(tree.first_edge[node], tree.first_edge[node] + tree.n_edges[node]):
        if settings.solve and tree.proven[edge] != UNPROVEN:
            continue
        if best == NONE or tree.logit[edge] > tree.logit[best]:
            best = as_int(edge)
    return best


@inlined
def _is_unknown(
    rules: Rules, settings: Settings, cache: Cache, leaf_key: np.uint64, ahead: Ahead, row: int
) -> bool:
    """Whether the evaluator has to be asked about a row, and isn't asked already."""
    key = position_key(rules, ahead.state, row)
    if key == leaf_key or cache.keys[slot_of(cache, key)] == key:
        return False
    for earlier in range(row):
        if ahead.keys[earlier] == key:
            return False
    ahead.keys[row] = key
    return not (settings.solve and _wins_at_once(rules, ahead, row))


@kernel
def _wins_at_once(rules: Rules, ahead: Ahead, row: int) -> bool:
    """Whether the seat to move can win with its next action: a search that proves results knows it then."""
    state, scratch = ahead.state, ahead.keys.shape[0]
    seat = seat_to_play(state, row)
    for i in range(list_legal(rules, state, row, ahead.actions, 0)):
        action = as_int(ahead.actions[i])
        if may_end(rules, state, row, action):
            copy_row(state, row, state, scratch)
            play(rules, state, scratch, action)
            over = state.info[scratch, STATUS] != ONGOING
            if over and value_for_seat(state, scratch, seat) > 0.0:
                return True
    return False


@kernel
def ask_alone(
    rules: Rules,
    tree: Tree,
    settings: Settings,
    rng: NDArray[np.uint64],
    games: NDArray[np.int32],
    cache: Cache,
    ahead: Ahead,
    planes: NDArray[np.float32],
    legal: NDArray[np.bool_],
    features: NDArray[np.float32],
) -> int:
    """Advance the only game as far as the cache knows its leaves, then observe its leaf and those ahead.

    How many positions the evaluator has to be asked about: 0 once the search is over.
    """
    if advance_remembered(rules, tree, settings, rng, games, cache) == 0:
        return 0
    found = foresee(rules, tree, settings, as_int(games[0]), cache, ahead)
    observe_waiting(rules, tree, games, planes, legal, features)
    for row in range(found):
        observe_row(rules, ahead.state, row, ahead.actions, planes, legal, features, row + 1)
    return 1 + found


@kernel
def answer_alone(
    rules: Rules,
    tree: Tree,
    settings: Settings,
    rng: NDArray[np.uint64],
    games: NDArray[np.int32],
    logits: NDArray[np.float32],
    values: NDArray[np.float32],
    cache: Cache,
    rollouts: Rollouts,
    ahead: Ahead,
) -> bool:
    """Keep the answers about what is ahead and advance the only game by the first; whether it waits again."""
    for row in range(values.shape[0] - 1):
        value = mix_rollouts(rules, ahead.state, row, rollouts, float(values[row + 1]))
        keep(cache, ahead.keys[row], logits, row + 1, value)
    return advance_waiting(rules, tree, settings, rng, games, logits, values, cache, rollouts) == 1
