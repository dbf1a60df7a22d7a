"""The agent's openings: the first moves it searches most, how it judges them, how often they were played."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

import games
from games import Position, Variant
from selfplay.actor import Episode
from selfplay.player import Analysis, Player
from selfplay.reporting.statistics import searched

SIMULATIONS = 64
"""Of the searches behind the tree."""

WIDTHS = (3, 2, 1)
"""Moves shown after each board, level by level."""

_HEAD = 24
"""Actions of recorded games that are compared; three moves have no more."""


class Opening(NamedTuple):
    """A position of the tree.

    text: the move that led here, such as `d1` or `a2-a3`; empty at the root
    origin: cells in which that move began
    policy: the agent's preference for the move, 0 to 1
    points: what the search expects of the first seat, 0 (loses) to 1 (wins)
    played, reached: recorded games that made this move, out of those where a search chose here
    """

    position: Position
    text: str
    origin: tuple[int, ...]
    policy: float
    points: float
    played: int
    reached: int
    replies: tuple[Opening, ...]

    def walk(self) -> Iterator[Opening]:
        """This position and all below it, each before its replies."""
        yield self
        for reply in self.replies:
            yield from reply.walk()


class _Move(NamedTuple):
    """A whole move: all choices of it, and how likely the agent makes them."""

    position: Position
    policy: float


def opening_tree(player: Player, variant: Variant, episodes: Sequence[Episode]) -> Opening:
    """The most searched first moves of a variant; `episodes` are recorded games of it."""
    heads = _Heads(episodes)
    return _grown(player, heads, _Move(games.start(variant), 1.0), None, WIDTHS)


class _Heads:
    """The first actions of recorded games."""

    def __init__(self, episodes: Sequence[Episode]) -> None:
        self._games = [(tuple(e.actions[:_HEAD].tolist()), _first_searched(e)) for e in episodes]

    def count(self, before: tuple[int, ...], after: tuple[int, ...]) -> tuple[int, int]:
        """Games that played `after`, and those in which a search chose what follows `before`."""
        chosen = [
            actions
            for actions, first in self._games
            if len(actions) > len(before) >= first and actions[: len(before)] == before
        ]
        return sum(actions[: len(after)] == after for actions in chosen), len(chosen)


def _first_searched(episode: Episode) -> int:
    """Actions of the random opening."""
    return int(len(episode.actions) - np.count_nonzero(searched(episode)))


def _grown(
    player: Player, heads: _Heads, move: _Move, before: Position | None, widths: tuple[int, ...]
) -> Opening:
    position = move.position
    analysis = None if position.is_over else player.analyse(position)
    replies = _moves(player, position, analysis, widths[0]) if analysis and widths else ()
    start = len(before.actions) if before else 0
    choices = position.actions[start:]
    played, reached = heads.count(position.actions[:start], position.actions) if before else (0, 0)
    return Opening(
        position=position,
        text="-".join(position.action_text(action) for action in choices),
        origin=choices[:-1],
        policy=move.policy,
        points=_points_of_first(position, analysis),
        played=played,
        reached=reached,
        replies=tuple(_grown(player, heads, reply, position, widths[1:]) for reply in replies),
    )


def _moves(player: Player, position: Position, analysis: Analysis, width: int) -> Iterator[_Move]:
    """The most searched moves, a move of several choices completed by its best ones."""
    for action in analysis.ranked(width):
        if analysis.visits[action] == 0 and action != analysis.action:
            continue
        after, policy = position.play(action), float(analysis.policy[action])
        while after.is_half_made:
            choice = player.analyse(after)
            policy *= float(choice.policy[choice.action])
            after = after.play(choice.action)
        yield _Move(after, policy)


def _points_of_first(position: Position, analysis: Analysis | None) -> float:
    if analysis is None:
        return (1 + position.returns[0]) / 2
    value = analysis.value_to_play
    return (1 + (value if position.to_play == 0 else -value)) / 2
