"""Playtests: plain Monte Carlo tree search plays a variant against itself, to see what kind of game it is.

    print(playtest(load("connect4"), games=100, simulations=400))

No network and no knowledge of the game: what such players can't decide, or decide always for the same side,
says something about the rules. `Playtest` holds the facts, `degenerate` the judgement.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from games.compilation import announce_first_compile
from games.compiler import compile_rules
from games.errors import UserError, VariantError
from games.kernels import copy_row, list_legal, reset, seed_streams
from games.playtest_kernels import (
    ACTIONS,
    CAPPED,
    GAME,
    MOVES,
    N_RESULTS,
    N_ROWS,
    OPTIONS,
    POINTS,
    ROOT,
    Tree,
    best_edge,
    new_tree,
    play_on,
)
from games.position import Position
from games.rules import PLY_CAP, Rules
from games.variant import MAX_PLY_CAP, Variant

SLICE = 300_000
"""Actions between two looks at the world (progress, Ctrl-C): some tenths of a second."""

MIN_MOVES = 5.0
"""Mean length in moves under which a game is too short: tic-tac-toe, the shortest game that people play,
takes five moves at least."""

MIN_BRANCHING = 1.5
"""Mean number of legal actions under which there is nearly never a choice."""

MAX_DRAWS = 0.9
"""Share of draws above which nothing is decided. Tic-tac-toe itself is drawn that often by good players."""

MAX_FIRST_SHARE = 0.9
"""Share of the points above which one seat always wins, and less the other way round: a game that simple
search already wins from one side teaches little."""

MAX_CAPPED = 0.3
"""Share of games ended by the ply cap above which the cap, not the goal, ends the game."""

SURE_SHARE, SURE_GAMES = 0.97, 16
"""What random players must show, in how many games, before a variant is refused without a search."""

MAX_CAPPED_AT_RANDOM = 0.8
"""Share of games ended by the ply cap above which random players say enough: a search that looks ahead by
playing at random learns nothing from playouts that never end."""


_NO_SEEDS = np.zeros((1, N_ROWS), np.uint64)


@dataclass(frozen=True, slots=True)
class Playtest:
    """What was seen in `games` games.

    Attributes:
        simulations: of each seat a move; 0 played at random.
        first_share: points of seat 0 as a share of all points; a draw is half a point for each.
        draws: share of drawn games, those that hit the ply cap included.
        capped: share of games that the ply cap ended.
        actions: mean length in actions; shortest_actions, longest_actions: the extremes.
        moves: mean length in complete moves (stepping a stone takes two actions, but is one move); passes and
            swaps count as moves; shortest_moves, longest_moves: the extremes.
        branching: mean number of legal actions over all positions of all games.
    """

    games: int
    simulations: tuple[int, int]
    first_share: float
    draws: float
    capped: float
    actions: float
    shortest_actions: int
    longest_actions: int
    moves: float
    shortest_moves: int
    longest_moves: int
    branching: float


@dataclass(frozen=True, slots=True)
class Thought:
    """What a search thinks of a position.

    Attributes:
        action: the action it would play.
        visits: `{action: visits}` of every legal action.
        values: `{action: mean result}` in [-1, 1] for the seat to move, of every visited action.
    """

    action: int
    visits: dict[int, int]
    values: dict[int, float]


def playtest(
    variant: Variant,
    *,
    games: int = 50,
    simulations: int | tuple[int, int] = 200,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Playtest:
    """Let plain Monte Carlo tree search play a variant against itself.

    Args:
        variant: the rules.
        games: how many games; each has its own random stream, so the first ones of more games are the same.
        simulations: random playouts a move, for each seat if two numbers are given; 0 plays at random.
        seed: of everything random.
        progress: called with the number of games that were finished since the last call.

    Raises:
        UserError: not at least one game, or fewer than no simulations.
        VariantError: the first player has no move.
    """
    each = (simulations, simulations) if isinstance(simulations, int) else simulations
    _check_numbers(games, each)
    return _summary(results_of(variant, games, each, seed, progress), each)


def results_of(
    variant: Variant,
    games: int,
    simulations: tuple[int, int],
    seed: int,
    progress: Callable[[int], None] | None = None,
) -> NDArray[np.int32]:
    """int32 `[games, N_RESULTS]`: what `playtest` sums up, a row for each game."""
    announce_first_compile()
    rules, cap = _rules_with_room(variant)
    tree = new_tree(rules, max(simulations))
    _check_start(variant, rules, tree)
    results = np.zeros((games, N_RESULTS), np.int32)
    seeds = seed_streams(seed, games * N_ROWS).reshape(games, N_ROWS)
    game = 0
    while game < games:
        now = int(play_on(rules, tree, np.array(simulations, np.int32), cap, seeds, results, game, SLICE))
        if progress is not None and now > game:
            progress(now - game)
        game = now
    return results


def think(position: Position, *, simulations: int = 1000, seed: int = 0) -> Thought:
    """What plain Monte Carlo tree search thinks of a position that isn't over.

    Raises:
        UserError: the game is over, or there is not at least one simulation.
    """
    if position.is_over or simulations < 1:
        raise UserError(f"expected a position to play in and at least 1 simulation, got {simulations}")
    tree = new_tree(position.rules, simulations)
    copy_row(position.state, 0, tree.states, GAME)
    tree.rng[:] = seed_streams(seed, N_ROWS)
    begun = np.ones((1, N_RESULTS), np.int32)
    play_on(position.rules, tree, np.full(2, simulations, np.int32), MAX_PLY_CAP + 1, _NO_SEEDS, begun, 0, 1)
    root = slice(tree.first_edge[ROOT], tree.first_edge[ROOT] + tree.n_edges[ROOT])
    rows = zip(tree.action[root].tolist(), tree.visits[root].tolist(), tree.value[root].tolist(), strict=True)
    edges = sorted(rows)
    return Thought(
        action=int(tree.action[best_edge(tree)]),
        visits={action: visits for action, visits, _ in edges},
        values={action: value / visits for action, visits, value in edges if visits},
    )


def degenerate(playtest: Playtest) -> str | None:
    """Why a variant isn't worth playing, judged by a playtest; None if nothing speaks against it.

    Random players (no simulations) miss wins and defences, so theirs is only held against a variant where
    hardly any play could differ.
    """
    if max(playtest.simulations) == 0:
        return _hopeless(playtest)
    if playtest.branching < MIN_BRANCHING:
        return "no choice"
    if playtest.moves < MIN_MOVES:
        return "too short"
    if playtest.capped > MAX_CAPPED:
        return "ply cap"
    if playtest.draws > MAX_DRAWS:
        return "always drawn"
    return _one_sided(playtest, MAX_FIRST_SHARE)


def _hopeless(playtest: Playtest) -> str | None:
    if playtest.branching < MIN_BRANCHING:
        return "no choice"
    if playtest.longest_moves < MIN_MOVES:
        return "too short"
    if playtest.games < SURE_GAMES:
        return None
    if playtest.capped > MAX_CAPPED_AT_RANDOM:
        return "ply cap"
    if playtest.draws > SURE_SHARE:
        return "always drawn"
    return _one_sided(playtest, SURE_SHARE)


def _one_sided(playtest: Playtest, most: float) -> str | None:
    if playtest.first_share > most:
        return "first always wins"
    return "second always wins" if playtest.first_share < 1 - most else None


def _check_numbers(games: int, simulations: tuple[int, int]) -> None:
    if games < 1:
        raise UserError(f"games: expected at least 1, got {games}")
    if min(simulations) < 0:
        raise UserError(f"simulations: expected at least 0, got {min(simulations)}")


def _rules_with_room(variant: Variant) -> tuple[Rules, int]:
    """The compiled rules with a ply cap one higher, to tell who hits it from who draws; and the cap."""
    rules = compile_rules([variant])
    cap = int(rules.flags[0, PLY_CAP])
    rules.flags[0, PLY_CAP] = cap + 1
    return rules, cap


def _check_start(variant: Variant, rules: Rules, tree: Tree) -> None:
    reset(rules, tree.states, GAME, 0)
    if list_legal(rules, tree.states, GAME, tree.scratch, 0) == 0:
        raise VariantError(f"{variant.name}: expected a first move, got a start where nothing is legal")


def _summary(results: NDArray[np.int32], simulations: tuple[int, int]) -> Playtest:
    actions, moves, points = results[:, ACTIONS], results[:, MOVES], results[:, POINTS]
    return Playtest(
        games=len(results),
        simulations=simulations,
        first_share=float(points.mean()) / 2,
        draws=float((points == 1).mean()),
        capped=float(results[:, CAPPED].mean()),
        actions=float(actions.mean()),
        shortest_actions=int(actions.min()),
        longest_actions=int(actions.max()),
        moves=float(moves.mean()),
        shortest_moves=int(moves.min()),
        longest_moves=int(moves.max()),
        branching=float(results[:, OPTIONS].sum() / actions.sum()),
    )
