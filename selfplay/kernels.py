"""Self-play kernels: games that search, move, finish and restart inside one call per network batch.

And training batches, rebuilt from recorded actions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from games.compilation import inlined, kernel
from games.kernels import list_legal, observe_row, play, reset, seat_to_play, value_for_seat
from games.number_kernels import as_int, uniform
from games.rules import FIRST, N_CELLS, SECOND, Rules
from games.state import ONGOING, PLY, STATUS, SWAPPED, VARIANT, State
from mcts.cache_kernels import Cache, is_in_use, keep, position_key, slot_of
from mcts.config import Settings
from mcts.kernels import (
    NONE,
    UNPROVEN,
    Tree,
    advance,
    best_edge,
    observe_leaf,
    plant,
    policy_surprise,
    policy_value,
    write_policy,
)
from mcts.rollout_kernels import Rollouts, mix_rollouts

FULL, SHORT = 0, 1
"""Indices of `Settings.budgets`: full searches are recorded as training targets, short ones only move on.

Short are those of forced moves, and where games are exact anyway (`Plan.exact_from`).
"""

NEVER = 1 << 30
"""A ply that no game reaches."""


class Games(NamedTuple):
    """B games in progress, each with two records: the one being written and the one last finished.

    state: the current positions
    key: uint64 `[B]`: cache key of the leaf that waits for the network
    row: int32 `[B]`: where in the batch for the network its position stands; equal positions share a row
    active: int8 `[B]`: which record (0 or 1) is being written
    finished: bool `[B]`: the other record holds a finished game that nobody has collected yet
    actions: int16 `[2B, T]`, own actions; policy: float32 `[2B, T, A]`, own actions
    value: float32 `[2B, T]`, to play, of the search's policy, 0 without a search; seat: int8 `[2B, T]`
    recorded: bool `[2B, T]`: searched in full, so a training target
    surprise: float32 `[2B, T]`, nats: how far the search's policy is from the network's, where recorded
    plies: int16 `[2B]`; result: int8 `[2B]`, for seat 0; variant: int16 `[2B]`
    counts: int64 `[4]`: moves, full searches, simulations, evaluations by the network
    """

    state: State
    key: NDArray[np.uint64]
    row: NDArray[np.int32]
    active: NDArray[np.int8]
    finished: NDArray[np.bool_]
    actions: NDArray[np.int16]
    policy: NDArray[np.float32]
    value: NDArray[np.float32]
    seat: NDArray[np.int8]
    recorded: NDArray[np.bool_]
    surprise: NDArray[np.float32]
    plies: NDArray[np.int16]
    result: NDArray[np.int8]
    variant: NDArray[np.int16]
    counts: NDArray[np.int64]


MOVES, FULL_SEARCHES, SIMULATIONS, EVALUATIONS = range(4)
"""Indices of `Games.counts`."""


class Plan(NamedTuple):
    """How games are played; see `selfplay.config.SelfPlayConfig`.

    weights: float64 `[R]`: cumulative probability of each variant for the next game
    exact_from: int32 `[R]`: the ply of each variant from which on its games are exact anyway, or NEVER
    """

    opening_share: float
    opening_plies: int
    sampled_plies: int
    weights: NDArray[np.float64]
    exact_from: NDArray[np.int32]


@kernel
def begin_game(
    rules: Rules, games: Games, plan: Plan, rng: NDArray[np.uint64], game: int, out: NDArray[np.int16]
) -> None:
    """Start a game of a variant drawn by weight, in some games after random opening moves.

    A random opening that ends the game is thrown away. `out` is scratch for legal actions.
    """
    draw = uniform(rng, game)
    variant = 0
    while variant + 1 < plan.weights.shape[0] and draw > plan.weights[variant]:
        variant += 1
    reset(rules, games.state, game, variant)
    record = 2 * game + games.active[game]
    games.variant[record] = variant
    if plan.opening_plies == 0 or uniform(rng, game) >= plan.opening_share:
        return
    plies = 1 + int(uniform(rng, game) * plan.opening_plies)
    for ply in range(plies):
        n = list_legal(rules, games.state, game, out, 0)
        action = as_int(out[int(uniform(rng, game) * n)])
        _record_move(games, game, record, ply, action)
        play(rules, games.state, game, action)
        if games.state.info[game, STATUS] != ONGOING:
            reset(rules, games.state, game, variant)
            return


@inlined
def _record_move(games: Games, game: int, record: int, ply: int, action: int) -> None:
    games.actions[record, ply] = action
    games.value[record, ply] = 0.0
    games.seat[record, ply] = seat_to_play(games.state, game)
    games.recorded[record, ply] = False


@kernel
def _choose_action(
    rules: Rules, games: Games, tree: Tree, settings: Settings, plan: Plan, rng: NDArray[np.uint64], game: int
) -> int:
    """The search's action; in the first plies after a full search one drawn from its policy."""
    edge = best_edge(rules, tree, settings, game)
    ply = games.state.info[game, PLY]
    record = 2 * game + games.active[game]
    if ply >= plan.sampled_plies or not games.recorded[record, ply]:
        return int(tree.action[edge])
    draw = uniform(rng, game)
    for action in range(games.policy.shape[2]):
        draw -= games.policy[record, ply, action]
        if draw < 0.0:
            return action
    return int(tree.action[edge])


@kernel
def _move(
    rules: Rules,
    games: Games,
    tree: Tree,
    settings: Settings,
    plan: Plan,
    rng: NDArray[np.uint64],
    game: int,
    out: NDArray[np.int16],
) -> None:
    """Record the finished search, play its action, and start a new game if this one is over."""
    ply = games.state.info[game, PLY]
    record = 2 * game + games.active[game]
    full = tree.budget[game] == FULL
    write_policy(rules, tree, settings, game, games.policy[record], ply, False)
    if full:
        games.surprise[record, ply] = policy_surprise(tree, game, games.policy[record], ply)
    games.value[record, ply] = policy_value(tree, settings, game, games.policy[record], ply)
    games.seat[record, ply] = seat_to_play(games.state, game)
    games.recorded[record, ply] = full
    games.counts[MOVES] += 1
    games.counts[FULL_SEARCHES] += full
    games.counts[SIMULATIONS] += tree.spent[game]
    action = _choose_action(rules, games, tree, settings, plan, rng, game)
    games.actions[record, ply] = action
    play(rules, games.state, game, action)
    if games.state.info[game, STATUS] != ONGOING:
        games.plies[record] = games.state.info[game, PLY]
        games.result[record] = np.int8(value_for_seat(games.state, game, 0))
        games.finished[game] = True
        games.active[game] = 1 - games.active[game]
        begin_game(rules, games, plan, rng, game, out)


@kernel
def begin_search(rules: Rules, games: Games, tree: Tree, settings: Settings, plan: Plan, game: int) -> bool:
    """Plant the tree at the game's position with one of the budgets; whether it needs an evaluation.

    It doesn't where the result is proven (the search is over) or only one move is legal (nothing to learn).
    """
    is_exact = games.state.info[game, PLY] >= plan.exact_from[games.state.info[game, VARIANT]]
    tree.budget[game] = SHORT if is_exact else FULL
    plant(rules, tree, settings, game, games.state, game)
    root = as_int(tree.leaf[game])
    forced = tree.n_edges[root] == 1
    if forced:
        tree.budget[game] = SHORT
    if forced or tree.node_proven[root] != UNPROVEN:
        tree.raw_value[root] = 0.0
        for edge in range(tree.first_edge[root], tree.first_edge[root] + tree.n_edges[root]):
            tree.prior[edge] = 1.0
            tree.logit[edge] = 0.0
            tree.noise[edge] = 0.0
        return False
    return True


@kernel
def _walk_on(
    rules: Rules,
    games: Games,
    tree: Tree,
    settings: Settings,
    plan: Plan,
    cache: Cache,
    rng: NDArray[np.uint64],
    game: int,
    needs: bool,
    out: NDArray[np.int16],
) -> None:
    """Search, move and restart until a position has to go to the network.

    Once a game has finished, the next position goes to the network even if that could be saved, so that no
    second game can finish before the first is collected.
    """
    cached = is_in_use(cache)
    while True:
        if not needs:
            _move(rules, games, tree, settings, plan, rng, game, out)
            needs = begin_search(rules, games, tree, settings, plan, game) or games.finished[game]
            continue
        key = position_key(rules, tree.nodes, as_int(tree.leaf[game]))
        slot = slot_of(cache, key) if cached else 0
        if games.finished[game] or not cached or cache.keys[slot] != key:
            games.key[game] = key
            return
        cache.hits[0] += 1
        needs = advance(rules, tree, settings, rng, game, cache.logits, float(cache.values[slot]), slot)


@kernel
def start_games(
    rules: Rules,
    games: Games,
    tree: Tree,
    settings: Settings,
    plan: Plan,
    rng: NDArray[np.uint64],
    out: NDArray[np.int16],
) -> None:
    """Begin every game; each row then waits for the evaluation of its root."""
    for game in range(games.active.shape[0]):
        begin_game(rules, games, plan, rng, game, out)
        begin_search(rules, games, tree, settings, plan, game)
        games.key[game] = position_key(rules, tree.nodes, as_int(tree.leaf[game]))


@kernel
def advance_games(
    rules: Rules,
    games: Games,
    tree: Tree,
    settings: Settings,
    plan: Plan,
    cache: Cache,
    rng: NDArray[np.uint64],
    logits: NDArray[np.float32],
    values: NDArray[np.float32],
    rollouts: Rollouts,
    out: NDArray[np.int16],
) -> None:
    """Take the evaluations of `observe_games`' rows and walk every game on to its next one.

    Logits `[N, A]`, values `[N]`; playouts are mixed into the values.
    """
    cached = is_in_use(cache)
    games.counts[EVALUATIONS] += values.shape[0]
    for game in range(games.active.shape[0]):
        games.finished[game] = False
        row, key = as_int(games.row[game]), games.key[game]
        slot = slot_of(cache, key) if cached else 0
        if cached and cache.keys[slot] == key:  # by a game before, in the same row
            value = float(cache.values[slot])
        else:
            value = mix_rollouts(rules, tree.nodes, as_int(tree.leaf[game]), rollouts, float(values[row]))
            if cached:
                keep(cache, key, logits, row, value)
        needs = advance(rules, tree, settings, rng, game, logits, value, row)
        _walk_on(rules, games, tree, settings, plan, cache, rng, game, needs, out)


@kernel
def observe_games(
    rules: Rules,
    games: Games,
    tree: Tree,
    places: NDArray[np.int32],
    planes: NDArray[np.float32],
    legal: NDArray[np.bool_],
    features: NDArray[np.float32],
) -> int:
    """Observe the different positions that wait, row by row; how many they are.

    places: int32 `[P]`, scratch: P is a power of two and more than the games
    """
    rows = 0
    places[:] = NONE
    for game in range(tree.leaf.shape[0]):
        key = games.key[game]
        place = int(np.int64(key >> np.uint64(1))) & (places.shape[0] - 1)
        while places[place] != NONE and games.key[places[place]] != key:
            place = (place + 1) & (places.shape[0] - 1)
        if places[place] != NONE:
            games.row[game] = games.row[places[place]]
            continue
        places[place] = game
        games.row[game] = rows
        observe_leaf(rules, tree, game, planes, legal, features, rows)
        rows += 1
    return rows


@kernel
def observe_samples(
    rules: Rules,
    actions: NDArray[np.int16],
    plies: NDArray[np.int16],
    variant: NDArray[np.int16],
    symmetry: NDArray[np.int32],
    permutations: NDArray[np.int32],
    state: State,
    out: NDArray[np.int16],
    planes: NDArray[np.float32],
    legal: NDArray[np.bool_],
    features: NDArray[np.float32],
    targets: NDArray[np.int32],
) -> None:
    """Rebuild the observations of recorded positions by replaying their games, each through a symmetry.

    Args:
        actions: int16 `[B, T]`; plies: int16 `[B]`, how many of them lead to the position.
        variant: int16 `[B]`.
        symmetry: int32 `[B]`: which of the variant's symmetries to look through.
        permutations: int32 `[R, K, C + 2]`: where a symmetry takes an own action.
        state: a row of scratch; out: scratch for legal actions.
        planes, legal, features: the observation to fill.
        targets: int32 `[B, C + 2]`: filled with the canvas action of each own action under the symmetry.
    """
    for row in range(plies.shape[0]):
        v, here = as_int(variant[row]), as_int(0)
        reset(rules, state, here, v)
        for ply in range(plies[row]):
            play(rules, state, here, as_int(permutations[v, symmetry[row], actions[row, ply]]))
        observe_row(rules, state, here, out, planes, legal, features, row)
        for action in range(rules.flags[v, N_CELLS] + 2):
            targets[row, action] = rules.canvas[v, permutations[v, symmetry[row], action]]


@kernel
def final_owners(
    rules: Rules,
    actions: NDArray[np.int16],
    lengths: NDArray[np.int16],
    plies: NDArray[np.int16],
    variant: NDArray[np.int16],
    symmetry: NDArray[np.int32],
    permutations: NDArray[np.int32],
    state: State,
    owners: NDArray[np.int64],
) -> None:
    """Whose stones the board holds at the end of recorded games, for the player to move in a position.

    Args:
        actions: int16 `[B, T]`, whole games; lengths: int16 `[B]`, their plies.
        plies, variant, symmetry, permutations, state: as of `observe_samples`.
        owners: int64 `[B, H * W]`, zeros: 1 is put for a stone of the player to move, 2 for the other's.
    """
    for row in range(plies.shape[0]):
        v, here, seat = as_int(variant[row]), as_int(0), 0
        reset(rules, state, here, v)
        for ply in range(lengths[row]):
            if ply == plies[row]:
                seat = seat_to_play(state, here)
            play(rules, state, here, as_int(permutations[v, symmetry[row], actions[row, ply]]))
        own = FIRST + (seat ^ state.info[here, SWAPPED])
        for cell in range(rules.flags[v, N_CELLS]):
            stone = state.cells[here, cell]
            if stone == FIRST or stone == SECOND:
                owners[row, rules.canvas[v, cell]] = 1 if stone == own else 2


@kernel
def replay_rows(
    rules: Rules,
    actions: NDArray[np.int16],
    plies: NDArray[np.int16],
    variant: NDArray[np.int16],
    state: State,
) -> None:
    """Rebuild recorded positions as the rows of a state; arguments as of `observe_samples`."""
    for row in range(plies.shape[0]):
        reset(rules, state, row, as_int(variant[row]))
        for ply in range(plies[row]):
            play(rules, state, row, as_int(actions[row, ply]))
