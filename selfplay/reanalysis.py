"""Recorded games searched once more, with the weights of today (MuZero, arXiv:1911.08265, appendix H).

A game keeps its moves and its result; policies and values become those of the new searches. It then enters
the replay window beside the games that are new.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from games.rules import Rules
from games.state import new_state
from mcts.config import SearchConfig
from mcts.search import Evaluator, policy_value_to_play, search_state
from selfplay.actor import Episode
from selfplay.kernels import replay_rows
from selfplay.replay import action_rows

BATCH = 128
"""Positions that are searched together."""


def reanalysed(
    rules: Rules,
    canvas: tuple[int, int],
    episodes: Sequence[Episode],
    evaluator: Evaluator,
    search: SearchConfig,
    *,
    seed: int,
) -> list[Episode]:
    """The games with new policies and values where they learn from a search; exact ends stay as they are.

    rules, canvas: of the variants that the games' rows count in
    """
    again = [
        episode._replace(policy=episode.policy.copy(), value=episode.value.copy()) for episode in episodes
    ]
    places = [(i, ply) for i, episode in enumerate(again) for ply in _searched(episode)]
    for first in range(0, len(places), BATCH):
        chunk = places[first : first + BATCH]
        games = [again[i] for i, _ in chunk]
        plies = np.array([ply for _, ply in chunk], np.int16)
        state = new_state(rules, len(chunk))
        variant = np.array([game.variant for game in games], np.int16)
        replay_rows(rules, action_rows(rules, games, plies), plies, variant, state)
        result = search_state(rules, state, canvas, evaluator, search, seed=seed + first)
        values = policy_value_to_play(result)
        for row, (game, ply) in enumerate(zip(games, plies.tolist(), strict=True)):
            own = rules.canvas[game.variant, : game.policy.shape[1]]
            game.policy[ply] = result.policy[row, own]
            game.value[ply] = values[row]
    return again


def _searched(episode: Episode) -> list[int]:
    """Plies that learn from a search."""
    plies: NDArray[np.int64] = np.flatnonzero(episode.recorded[: episode.exact])
    found: list[int] = plies.tolist()
    return found
