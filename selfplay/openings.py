"""Openings for matches: positions that differ, are about even, and are drawn by a seed.

Without them a match between two players who don't gamble is the same two games over and over.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from games import Position, UserError, Variant, start
from games.geometry import OFF
from games.state import ORIGIN, STONES_LEFT
from games.symmetry import symmetries
from mcts import RolloutEvaluator, SearchConfig, search

CANDIDATES = 4
"""Distinct positions that are drawn for each opening; the most even ones of them are taken."""

ATTEMPTS = 40
"""Draws in vain, beyond one for each candidate, before openings of so many plies count as used up."""

JUDGE = SearchConfig(method="puct", simulations=128, exploration=2.0, solve=True)
"""Plain tree search, which knows nothing of the players, says how even an opening is."""

_JUDGED_TOGETHER = 256

CanonicalKey = tuple[bytes, int, int, int]
"""What positions that are images of each other have in common."""


class Openings(NamedTuple):
    """What `draw_openings` found.

    positions: as many as were asked for; if there aren't that many, they come round again
    distinct: how many differ, images by symmetry not counted
    plies: random actions that lead to the longest of them
    bias: how far from even they are: the mean of the judge's value without its sign, 0 to 1
    """

    positions: tuple[Position, ...]
    distinct: int
    plies: int
    bias: float


def draw_openings(variant: Variant, number: int, *, plies: int | None = None, seed: int = 0) -> Openings:
    """Draw `number` openings, distinct up to symmetry as far as the variant has so many.

    A candidate is a position after random actions in which the game isn't over and no move is half-made. Of
    four times as many candidates as are needed those are taken to which plain tree search gives the values
    nearest to zero.

    Args:
        variant: what is played.
        number: openings, at least 1.
        plies: random actions that lead to each, a few more if a move would be half-made; by default as few
            as give enough candidates, at least 2.
        seed: of the random actions.

    Raises:
        UserError: every game is over after so many actions.
    """
    random = np.random.default_rng(seed)
    depths = range(2, max(3, variant.ply_cap // 2)) if plies is None else [plies]
    candidates: dict[CanonicalKey, Position] = {}
    for depth in depths:
        found = _candidates(variant, depth, CANDIDATES * number, random)
        if not found and candidates:
            break
        if len(found) > len(candidates):
            candidates = found
        if len(candidates) >= CANDIDATES * number:
            break
    if not candidates:
        raise UserError(f"{variant.name}: expected openings shorter than a game, got {depths[0]} plies")
    drawn = list(candidates.values())
    values = np.abs(_judge(drawn, seed))
    even = np.sort(np.argsort(values, kind="stable")[:number])
    chosen = [drawn[i] for i in even]
    return Openings(
        positions=tuple(chosen[i % len(chosen)] for i in range(number)),
        distinct=len(chosen),
        plies=max(position.ply for position in chosen),
        bias=float(values[even].mean()),
    )


def canonical_key(position: Position) -> CanonicalKey:
    """Equal for positions of a variant that are images of each other and have the same player to move."""
    cells, origin = position.state.cells[0], int(position.state.info[0, ORIGIN])
    images = (
        (cells[image.argsort()].tobytes(), OFF if origin == OFF else int(image[origin]))
        for image in symmetries(position.variant)[:, :-2]
    )
    return (*min(images), position.colour_to_move, int(position.state.info[0, STONES_LEFT]))


def _candidates(
    variant: Variant, plies: int, number: int, random: np.random.Generator
) -> dict[CanonicalKey, Position]:
    """Up to `number` positions after random actions, fewer if they repeat themselves."""
    found: dict[CanonicalKey, Position] = {}
    misses = 0
    while len(found) < number and misses < ATTEMPTS + number:
        position = _after_random_actions(variant, plies, random)
        key = None if position is None else canonical_key(position)
        if position is None or key is None or key in found:
            misses += 1
        else:
            found[key] = position
    return found


def _after_random_actions(variant: Variant, plies: int, random: np.random.Generator) -> Position | None:
    """A position after uniformly random actions and no half-made move; None if the game is over by then."""
    position = start(variant)
    while not position.is_over and (position.ply < plies or position.is_half_made):
        position = position.play(random.choice(position.legal_actions))
    return None if position.is_over else position


def _judge(positions: list[Position], seed: int) -> NDArray[np.float32]:
    """Plain tree search's values for the player to move: float32 `[B]`."""
    parts = [positions[i : i + _JUDGED_TOGETHER] for i in range(0, len(positions), _JUDGED_TOGETHER)]
    judge = RolloutEvaluator()
    return np.concatenate([search(part, judge, JUDGE, seed=seed).value_to_play for part in parts])
