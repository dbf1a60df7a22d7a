"""Levels: how strong an agent plays, from beginner to all that it has, under names that people choose by."""

from __future__ import annotations

from typing import NamedTuple

from games import AgentError
from selfplay.player import Player

PLAYOUTS_A_SIMULATION = 16
"""What plain tree search gets for each simulation that an agent with a network gets."""


class Level(NamedTuple):
    """A strength.

    name: what people say
    simulations: a move, for an agent with a network; 0: its policy alone
    temperature: moves are drawn from policy ** (1 / temperature); 0: always the best one
    words: what it is like
    """

    name: str
    simulations: int
    temperature: float
    words: str


LEVELS = (
    Level("beginner", 0, 2.5, "draws its moves from what it half remembers"),
    Level("human-like", 0, 1.0, "draws its moves from the policy, without a search"),
    Level("casual", 4, 0.5, "a glance ahead, and some slips"),
    Level("club", 16, 0.2, "a short search, few slips"),
    Level("strong", 64, 0.0, "the usual search"),
    Level("expert", 256, 0.0, "four times as long"),
    Level("full", 1600, 0.0, "all that patience allows"),
)
"""From weak to strong."""


def level(name: str) -> Level:
    """A level by its name; `AgentError` if there is none."""
    for each in LEVELS:
        if each.name == name:
            return each
    raise AgentError(f"expected a level, one of {', '.join(each.name for each in LEVELS)}, got {name!r}")


def at_level(player: Player, chosen: Level) -> Player:
    """The same agent at a level; what has no policy searches a little instead, more or less at random."""
    if not player.is_plain_search:
        return player.at_strength(chosen.simulations, chosen.temperature)
    return player.at_strength(max(1, chosen.simulations) * PLAYOUTS_A_SIMULATION, chosen.temperature)
