"""Selection: which edge a simulation follows, at the root and below, for both searches."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from games.compilation import inlined, kernel
from games.number_kernels import uniform
from games.rules import MAX_LEGAL, Rules
from games.state import VARIANT
from mcts.config import GUMBEL, Settings
from mcts.tree_kernels import (
    DRAWN,
    F0,
    F1,
    F32_MAX,
    F32_TINY,
    NONE,
    UNPROVEN,
    Tree,
    edge_value,
    is_lost,
    is_proven,
    swap_edges,
)

_EPSILON = np.float32(1e-8)
_BARRED = np.float32(-1.0)
"""Prior of an unvisited action whose result is proven: behind all others."""

_EXP_LOWEST = np.float32(-87.0)
_LOG2_E, _LN2_HIGH, _LN2_LOW = np.float32(1.44269504), np.float32(0.693359375), np.float32(-2.12194440e-4)
_EXP_5, _EXP_4, _EXP_3 = np.float32(1.9875691500e-4), np.float32(1.3981999507e-3), np.float32(8.3334519073e-3)
_EXP_2, _EXP_1, _EXP_0 = np.float32(4.1665795894e-2), np.float32(1.6666665459e-1), np.float32(5.0000001201e-1)
_HALF = np.float32(0.5)
_FLOAT_BIAS, _FLOAT_SHIFT = np.int32(127), np.int32(23)


@inlined
def exp32(x: np.float32) -> np.float32:
    """e^x for x <= 0 to within a few units in the last place, zero below -87 (Cephes' `expf`).

    Plain arithmetic, so that a loop over it becomes vector code, and the same bits come out on every machine.
    """
    clamped = max(x, _EXP_LOWEST)
    power = np.floor(clamped * _LOG2_E + _HALF)
    r = clamped - power * _LN2_HIGH - power * _LN2_LOW
    p = ((((_EXP_5 * r + _EXP_4) * r + _EXP_3) * r + _EXP_2) * r + _EXP_1) * r + _EXP_0
    scale = np.int32((np.int32(power) + _FLOAT_BIAS) << _FLOAT_SHIFT).view(np.float32)
    return (p * r * r + r + F1) * scale if x >= _EXP_LOWEST else F0


@inlined
def select(
    rules: Rules, tree: Tree, settings: Settings, rng: NDArray[np.uint64], game: int, node: int
) -> int:
    """The edge that a simulation follows from an expanded, unproven node."""
    if tree.opened[node] == 0:
        _rank_edges(tree, settings, rng, game, node)
        return tree.first_edge[node]
    if settings.method != GUMBEL:
        edge = _select_puct(tree, settings, node)
    elif tree.parent[node] == NONE:
        edge = _select_candidate(rules, tree, settings, game, node)
    else:
        edge = select_improved(rules, tree, settings, node)
    return max(edge, tree.first_edge[node])  # nothing compares to an evaluator's NaN: still an edge


@inlined
def _rank_edges(tree: Tree, settings: Settings, rng: NDArray[np.uint64], game: int, node: int) -> None:
    """At a node's first visit: turn logits into priors, draw a root's noise, put the best edge first.

    Most nodes are never visited again after their evaluation, so this waits until it is needed.
    """
    is_root = tree.parent[node] == NONE
    if settings.solve:
        _bar(tree, node, tree.logit, -F32_MAX, DRAWN)
    _set_priors(tree, node)
    if is_root and settings.method == GUMBEL:
        _draw_candidates(tree, settings, rng, game, node)
        return
    if is_root and settings.dirichlet_fraction > 0.0:
        _mix_dirichlet(tree, settings, rng, game, node)
    if settings.solve:
        _bar(tree, node, tree.prior, _BARRED, UNPROVEN)
    bring_best_forward(tree, settings, node)


@inlined
def _bar(tree: Tree, node: int, column: NDArray[np.float32], mark: np.float32, below: int) -> None:
    """Mark a new node's actions whose proven value lies below another, in its logits or priors."""
    first = tree.first_edge[node]
    for edge in range(first, first + tree.n_edges[node]):
        if tree.proven[edge] < below:
            column[edge] = mark


@inlined
def _set_priors(tree: Tree, node: int) -> None:
    """Softmax over a node's logits, which are shifted to have their maximum at zero."""
    first, end = tree.first_edge[node], tree.first_edge[node] + tree.n_edges[node]
    logit, prior, order = tree.logit[first:end], tree.prior[first:end], tree.order[first:end]
    top = -F32_MAX
    for i in range(logit.shape[0]):
        top = max(top, logit[i])
    for i in range(logit.shape[0]):
        order[i] = i
        logit[i] -= top
        prior[i] = exp32(logit[i])
    total = F0
    for i in range(prior.shape[0]):
        total += prior[i]
    for i in range(prior.shape[0]):
        prior[i] /= total


@inlined
def bring_best_forward(tree: Tree, settings: Settings, node: int) -> None:
    """Put the unvisited edge with the highest prior (ties: the first listed) behind the visited ones."""
    place = tree.first_edge[node] + tree.opened[node]
    end = tree.first_edge[node] + tree.n_edges[node]
    prior, order = tree.prior[place:end], tree.order[place:end]
    best = 0
    top, rank = prior[0], order[0]
    for i in range(1, prior.shape[0]):
        if prior[i] >= top and (prior[i] > top or order[i] < rank):
            best, top, rank = i, prior[i], order[i]
    if best != 0:
        swap_edges(tree, settings, place, place + best)


@inlined
def _draw_candidates(tree: Tree, settings: Settings, rng: NDArray[np.uint64], game: int, root: int) -> None:
    """Gumbel-top-k: the first max_considered edges by noise + logit, highest first (ties: first listed)."""
    first, n = tree.first_edge[root], tree.n_edges[root]
    noise, logit = tree.noise[first : first + n], tree.logit[first : first + n]
    for i in range(n):
        noise[i] = 0.0
        if settings.gumbel_scale > 0.0:
            noise[i] = -settings.gumbel_scale * math.log(-math.log(uniform(rng, game)))
    candidates = min(n, settings.considered.shape[1] - 1)
    for i in range(1, n):
        place = min(i, candidates - 1)
        if i >= candidates:
            if noise[i] + logit[i] <= noise[place] + logit[place]:
                continue
            _swap_noisy(tree, settings, first + i, first + place)
        while place > 0 and noise[place] + logit[place] > noise[place - 1] + logit[place - 1]:
            _swap_noisy(tree, settings, first + place, first + place - 1)
            place -= 1


@inlined
def _swap_noisy(tree: Tree, settings: Settings, a: int, b: int) -> None:
    """Exchange two unvisited edges with their noise."""
    swap_edges(tree, settings, a, b)
    tree.noise[a], tree.noise[b] = tree.noise[b], tree.noise[a]


@inlined
def _mix_dirichlet(tree: Tree, settings: Settings, rng: NDArray[np.uint64], game: int, root: int) -> None:
    """Mix Dirichlet noise into the priors of a root's actions (Silver et al., 2018)."""
    first, end = tree.first_edge[root], tree.first_edge[root] + tree.n_edges[root]
    total, n = 0.0, 0
    for edge in range(first, end):
        tree.noise[edge] = 0.0
        if not is_lost(tree, settings, edge):
            tree.noise[edge] = gamma(rng, game, settings.dirichlet_alpha)
            total += tree.noise[edge]
            n += 1
    for edge in range(first, end):
        if not is_lost(tree, settings, edge):
            share = tree.noise[edge] / total if total > 0.0 else 1.0 / n
            tree.prior[edge] += settings.dirichlet_fraction * (share - tree.prior[edge])


@kernel
def gamma(rng: NDArray[np.uint64], row: int, shape: float) -> float:
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


class Completion(NamedTuple):
    """What a node's visited edges say about all of them: see `complete`."""

    low: np.float32
    spread: np.float32
    scale: np.float32
    mixed: np.float32
    sum_visits: np.float32


@inlined
def complete(rules: Rules, tree: Tree, settings: Settings, node: int) -> Completion:
    """Completed Q-values (Danihelka et al., section 4 and appendix D): sigma(q) = scale * (q - low) / spread.

    Unvisited actions take the mixed value: the node's evaluation and the prior-weighted mean of the visited
    ones. Values are rescaled to [0, 1] by the smallest and largest of the variant's action space, where each
    action that is not visited counts with the mixed value.
    """
    first, visited = tree.first_edge[node], 0
    sum_visits, most_visits, sum_prior, weighted = F0, F0, F0, F0
    low, high = F32_MAX, -F32_MAX
    for edge in range(first, first + tree.opened[node]):
        if is_lost(tree, settings, edge):
            continue
        visited += 1
        q = edge_value(tree, settings, edge)
        visits = np.float32(tree.visits[edge])
        prior = max(tree.prior[edge], F32_TINY)
        sum_visits += visits
        most_visits = max(most_visits, visits)
        sum_prior += prior
        weighted += prior * q
        low, high = min(low, q), max(high, q)
    mixed = tree.raw_value[node]
    if visited > 0:
        mixed = (mixed + sum_visits * (weighted / sum_prior)) / (sum_visits + F1)
    if visited < rules.flags[tree.nodes.info[node, VARIANT], MAX_LEGAL]:
        low, high = min(low, mixed), max(high, mixed)
    scale = (np.float32(settings.visit_offset) + most_visits) * np.float32(settings.value_scale)
    return Completion(low, max(high - low, _EPSILON), scale, mixed, sum_visits)


@inlined
def sigma(completion: Completion, q: np.float32) -> np.float32:
    """The paper's sigma: what a value adds to a logit."""
    return completion.scale * ((q - completion.low) / completion.spread)


@inlined
def noisy_score(
    tree: Tree, settings: Settings, completion: Completion, edge: int, visited: bool
) -> np.float32:
    """A root action's noise + logit + sigma(q) (Danihelka et al., algorithm 1)."""
    q = edge_value(tree, settings, edge) if visited else completion.mixed
    return tree.noise[edge] + tree.logit[edge] + sigma(completion, q)


@inlined
def _select_candidate(rules: Rules, tree: Tree, settings: Settings, game: int, root: int) -> int:
    """Sequential halving: of the candidates with the schedule's number of visits the best one."""
    candidates = min(tree.n_edges[root], settings.considered.shape[1] - 1)
    visits = settings.considered[tree.budget[game], candidates, tree.spent[game] - 1]
    if settings.solve:
        return _select_unproven_candidate(rules, tree, settings, root, candidates, visits)
    first, unvisited = tree.first_edge[root], tree.first_edge[root] + tree.opened[root]
    if visits == 0:
        return unvisited  # candidates lie in the order of their scores
    completion = complete(rules, tree, settings, root)
    best, best_score = NONE, -F32_MAX
    for edge in range(first, unvisited):
        if tree.visits[edge] != visits:
            continue
        score = noisy_score(tree, settings, completion, edge, True)
        if score > best_score or (score == best_score and tree.order[edge] < tree.order[best]):
            best, best_score = edge, score
    return best


@inlined
def _select_unproven_candidate(
    rules: Rules, tree: Tree, settings: Settings, root: int, candidates: int, visits: int
) -> int:
    """`_select_candidate` where more visits to a proven action would tell nothing.

    A candidate that is proven leaves its simulations to the best of the others; without any other, the
    actions that weren't candidates take over.
    """
    completion = complete(rules, tree, settings, root)
    first, unvisited = tree.first_edge[root], tree.first_edge[root] + tree.opened[root]
    considered = first + max(candidates, tree.opened[root])
    best, best_choice, best_score = NONE, 3, -F32_MAX
    for edge in range(first, first + tree.n_edges[root]):
        if tree.proven[edge] != UNPROVEN:
            continue
        seen = tree.visits[edge] if edge < unvisited else 0
        choice = 2 if edge >= considered else (0 if seen == visits else 1)
        score = noisy_score(tree, settings, completion, edge, edge < unvisited)
        ahead = score > best_score or (score == best_score and tree.order[edge] < tree.order[best])
        if choice < best_choice or (choice == best_choice and ahead):
            best, best_choice, best_score = edge, choice, score
    return best


@inlined
def _has_unvisited(tree: Tree, settings: Settings, node: int) -> bool:
    """Whether there is an unvisited edge to try; the first one is proven only if all are."""
    opened = tree.opened[node]
    return opened < tree.n_edges[node] and not is_proven(tree, settings, tree.first_edge[node] + opened)


@inlined
def select_improved(rules: Rules, tree: Tree, settings: Settings, node: int) -> int:
    """The action whose visits lag most behind the improved policy (Danihelka et al., equation 14)."""
    first, unvisited = tree.first_edge[node], tree.first_edge[node] + tree.opened[node]
    completion = complete(rules, tree, settings, node)
    has_unvisited = _has_unvisited(tree, settings, node)
    mixed = sigma(completion, completion.mixed)
    top = mixed if has_unvisited else -F32_MAX
    for edge in range(first, unvisited):
        if not is_lost(tree, settings, edge):
            top = max(top, sigma(completion, edge_value(tree, settings, edge)))
    total, visited_prior = F0, F0
    for edge in range(first, unvisited):
        visited_prior += tree.prior[edge]
        if not is_lost(tree, settings, edge):
            total += tree.prior[edge] * exp32(sigma(completion, edge_value(tree, settings, edge)) - top)
    if has_unvisited:
        total += max(F0, F1 - visited_prior) * exp32(mixed - top)
    best, best_score = NONE, -F32_MAX
    for edge in range(first, unvisited):
        if is_proven(tree, settings, edge):
            continue
        weight = tree.prior[edge] * exp32(sigma(completion, edge_value(tree, settings, edge)) - top)
        score = weight / total - np.float32(tree.visits[edge]) / (F1 + completion.sum_visits)
        if score > best_score or (score == best_score and tree.order[edge] < tree.order[best]):
            best, best_score = edge, score
    if has_unvisited:
        score = tree.prior[unvisited] * exp32(mixed - top) / total
        if score > best_score or (score == best_score and tree.order[unvisited] < tree.order[best]):
            best = unvisited
    return best


@inlined
def _select_puct(tree: Tree, settings: Settings, node: int) -> int:
    """Highest q + c(N) * prior * sqrt(N) / (1 + n) (Silver et al., 2018).

    An unvisited action has the node's mean as q.
    """
    first, unvisited = tree.first_edge[node], tree.first_edge[node] + tree.opened[node]
    visits = 0.0
    total = float(tree.raw_value[node])
    for edge in range(first, unvisited):
        if not is_lost(tree, settings, edge):
            visits += tree.visits[edge]
            total += tree.visits[edge] * float(edge_value(tree, settings, edge))
    c = settings.exploration + math.log(
        (visits + settings.exploration_base + 1.0) / settings.exploration_base
    )
    reach = c * math.sqrt(max(visits, 1.0))
    best, best_score = NONE, -np.inf
    for edge in range(first, unvisited):
        if is_proven(tree, settings, edge):
            continue
        score = edge_value(tree, settings, edge) + reach * tree.prior[edge] / (1.0 + tree.visits[edge])
        if score > best_score or (score == best_score and tree.order[edge] < tree.order[best]):
            best, best_score = edge, score
    if _has_unvisited(tree, settings, node):
        score = total / (visits + 1.0) + reach * tree.prior[unvisited]
        if score > best_score or (score == best_score and tree.order[unvisited] < tree.order[best]):
            best = unvisited
    return best
