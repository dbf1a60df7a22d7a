"""Plain Monte Carlo tree search (UCT: Kocsis & Szepesvári, ECML 2006) that plays games against itself.

One tree in flat arrays, one random playout a simulation. Nodes don't hold positions: a simulation starts at a
copy of the root and plays its way down, which costs less than its playout. Values are kept by seat, since the
same player may act several times in a row.
"""

from __future__ import annotations

import math
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from games.compilation import inlined, kernel, shared
from games.kernels import (
    copy_row,
    list_legal,
    play,
    playout,
    reset,
    seat_to_play,
    value_for_seat,
)
from games.number_kernels import as_int, uniform
from games.rules import MAX_LEGAL, N_CELLS, Rules
from games.state import COLOUR, ONGOING, PLY, STATUS, STONES_LEFT, State, new_state

NONE = -1
"""No node."""

ROOT = 0
"""The tree's first node."""

N_ROWS = 2
GAME, SCRATCH = (cast(int, np.int64(row)) for row in range(N_ROWS))
"""Rows of the states: the position that is searched, and the one that a simulation plays on. They are numpy's
numbers, since numba compiles a function again for each plain number that it is called with."""

POINTS, ACTIONS, MOVES, OPTIONS, CAPPED, N_RESULTS = range(6)
"""Columns of the results, a row for each game: seat 0's points (2 a win, 1 a draw), actions and moves played,
the sum of the legal actions over all of its positions, and whether the ply cap ended it."""

EXPLORATION = 1.4
"""UCT's constant for values in [-1, 1]: about sqrt(2), as for UCB1 on twice the range it was proven for."""


class Tree(NamedTuple):
    """One search tree of N nodes and E edges, and room to work.

    states: two positions, see GAME and SCRATCH
    first_edge, n_edges, opened, total: int32 `[N]`: a node's edges, how many of them have been visited, and
        their visits together
    action: int16 `[E]`; visits, child: int32 `[E]`; value: float32 `[E]`, the sum of the results as the seat
        that chooses the edge sees them
    path, path_seat: int32 `[N]`: the edges of one simulation and who chose them
    used: int64 `[2]`: nodes and edges in use
    rng: uint64 `[2]`: random streams of the search and of its playouts
    scratch: int16 `[A]`: legal actions of a playout
    """

    states: State
    first_edge: NDArray[np.int32]
    n_edges: NDArray[np.int32]
    opened: NDArray[np.int32]
    total: NDArray[np.int32]
    action: NDArray[np.int16]
    visits: NDArray[np.int32]
    child: NDArray[np.int32]
    value: NDArray[np.float32]
    path: NDArray[np.int32]
    path_seat: NDArray[np.int32]
    used: NDArray[np.int64]
    rng: NDArray[np.uint64]
    scratch: NDArray[np.int16]


def new_tree(rules: Rules, simulations: int) -> Tree:
    """Room for a search of up to `simulations` simulations of any of the compiled variants."""
    most = int(rules.flags[:, MAX_LEGAL].max())
    nodes = simulations + 2
    edges = (simulations + 1) * most + 1
    return Tree(
        states=new_state(rules, N_ROWS),
        first_edge=np.zeros(nodes, np.int32),
        n_edges=np.zeros(nodes, np.int32),
        opened=np.zeros(nodes, np.int32),
        total=np.zeros(nodes, np.int32),
        action=np.zeros(edges, np.int16),
        visits=np.zeros(edges, np.int32),
        child=np.zeros(edges, np.int32),
        value=np.zeros(edges, np.float32),
        path=np.zeros(nodes, np.int32),
        path_seat=np.zeros(nodes, np.int32),
        used=np.zeros(2, np.int64),
        rng=np.zeros(N_ROWS, np.uint64),
        scratch=np.zeros(most + 1, np.int16),
    )


@kernel
def play_on(
    rules: Rules,
    tree: Tree,
    simulations: NDArray[np.int32],
    cap: int,
    seeds: NDArray[np.uint64],
    results: NDArray[np.int32],
    game: int,
    plies: int,
) -> int:
    """Play games of variant 0 from where the state stands, until all are over or `plies` are played.

    Args:
        tree: GAME holds the position of the game in progress.
        simulations: int32 `[2]` a move for each seat; 0 plays at random.
        cap: actions after which a game counts as capped; the rules' own cap lies above it.
        seeds: uint64 `[games, N_ROWS]`, where the random streams of each game begin.
        results: int32 `[games, N_RESULTS]`, zero where a game hasn't begun.
        game: the game in progress.
        plies: about how many actions to play, those of playouts included.

    Returns:
        the game that is now in progress; the number of games when all are over. The tree is the last
        action's.
    """
    while game < results.shape[0] and plies > 0:
        if results[game, ACTIONS] == 0:
            reset(rules, tree.states, GAME, 0)
            tree.rng[GAME], tree.rng[SCRATCH] = seeds[game, GAME], seeds[game, SCRATCH]
        plies -= _take_action(rules, tree, simulations, results, game)
        if tree.states.info[GAME, STATUS] != ONGOING or tree.states.info[GAME, PLY] >= cap:
            _note_result(tree, results, game)
            game += 1
    return game


@inlined
def _take_action(
    rules: Rules,
    tree: Tree,
    simulations: NDArray[np.int32],
    results: NDArray[np.int32],
    game: int,
) -> int:
    """Choose and play one action in the game in progress; the number of actions played to that end."""
    states = tree.states
    budget = simulations[seat_to_play(states, GAME)]
    plies = 1 + _search(rules, tree, budget)
    chosen = as_int(tree.action[best_edge(tree)])
    colour, left = states.info[GAME, COLOUR], states.info[GAME, STONES_LEFT]
    _play(rules, states, GAME, chosen)
    now = states.info[GAME]
    half = now[COLOUR] == colour and now[STONES_LEFT] == left and now[STATUS] == ONGOING
    results[game, ACTIONS] += 1
    results[game, MOVES] += not half or chosen > rules.flags[0, N_CELLS]  # a swap is a move of its own
    results[game, OPTIONS] += tree.n_edges[ROOT]
    return plies


@inlined
def _note_result(tree: Tree, results: NDArray[np.int32], game: int) -> None:
    if tree.states.info[GAME, STATUS] == ONGOING:
        results[game, CAPPED] = 1
        results[game, POINTS] = 1
    else:
        results[game, POINTS] = 1 + value_for_seat(tree.states, GAME, 0)


@inlined
def _search(rules: Rules, tree: Tree, simulations: int) -> int:
    """Search the position in GAME; the root's edges then hold visits and values.

    An only legal action isn't thought about. Returns the number of actions played.
    """
    tree.used[0], tree.used[1] = 0, 0
    _open_node(rules, tree, GAME)
    plies = 0
    if tree.n_edges[ROOT] > 1:
        for _ in range(simulations):
            plies += _simulate(rules, tree)
    return plies


@shared
def best_edge(tree: Tree) -> int:
    """The root's edge with the most visits, of those the one with the best value; the order is random."""
    best = tree.first_edge[ROOT]
    for edge in range(best + 1, best + tree.n_edges[ROOT]):
        more = tree.visits[edge] - tree.visits[best]
        if more > 0 or (more == 0 and tree.value[edge] > tree.value[best]):
            best = edge
    return best


@kernel
def _open_node(rules: Rules, tree: Tree, row: int) -> int:
    """A new node for the position in a row, its legal actions in random order."""
    node, first = tree.used[0], tree.used[1]
    n_edges = list_legal(rules, tree.states, row, tree.action, first)
    for i in range(n_edges):
        other = i + int(uniform(tree.rng, GAME) * (n_edges - i))
        a, b = first + i, first + other
        tree.action[a], tree.action[b] = tree.action[b], tree.action[a]
        tree.visits[a] = 0
        tree.child[a] = NONE
        tree.value[a] = 0.0
    tree.first_edge[node] = first
    tree.n_edges[node] = n_edges
    tree.opened[node] = 0
    tree.total[node] = 0
    tree.used[0] = node + 1
    tree.used[1] = first + n_edges
    return node


@inlined
def _simulate(rules: Rules, tree: Tree) -> int:
    """Walk down, open one node, play at random to the end, and note the result on the way."""
    states = tree.states
    copy_row(states, GAME, states, SCRATCH)
    node, depth, plies = ROOT, 0, 0
    while node != NONE:
        edge = _select(tree, node)
        tree.total[node] += 1
        tree.path[depth] = edge
        tree.path_seat[depth] = seat_to_play(states, SCRATCH)
        depth += 1
        _play(rules, states, SCRATCH, as_int(tree.action[edge]))
        node = tree.child[edge]
        if states.info[SCRATCH, STATUS] == ONGOING and node == NONE:
            tree.child[edge] = _open_node(rules, tree, SCRATCH)
            plies = playout(rules, states, SCRATCH, tree.rng, tree.scratch)
    first_value = value_for_seat(states, SCRATCH, 0)
    for i in range(depth):
        edge = tree.path[i]
        tree.visits[edge] += 1
        tree.value[edge] += first_value if tree.path_seat[i] == 0 else -first_value
    return depth + plies


@kernel
def _play(rules: Rules, states: State, row: int, action: int) -> None:
    """The engine's `play`, compiled once for all that call it here: playouts take the time, not this call."""
    play(rules, states, row, action)


@inlined
def _select(tree: Tree, node: int) -> int:
    """The next unvisited edge, or the one with the highest upper confidence bound."""
    first = tree.first_edge[node]
    if tree.opened[node] < tree.n_edges[node]:
        tree.opened[node] += 1
        return first + tree.opened[node] - 1
    log_total = math.log(tree.total[node])
    best, best_bound = first, -np.inf
    for edge in range(first, first + tree.n_edges[node]):
        visits = tree.visits[edge]
        bound = tree.value[edge] / visits + EXPLORATION * math.sqrt(log_total / visits)
        if bound > best_bound:
            best, best_bound = edge, bound
    return best
