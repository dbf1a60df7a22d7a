"""Example games: a short, a median and a long one of the newest, as boards every few plies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

import games
from games import Position, UserError, Variant
from games.state import SWAPPED
from selfplay.actor import Episode
from selfplay.reporting.boards import look_of
from selfplay.reporting.statistics import lengths, searched

NEWEST = 200
"""Games that examples are chosen from."""

BOARDS = 8
"""Most boards of a game."""


class Board(NamedTuple):
    """A position of a game.

    move: number of plies and the move that led here
    origin: cells in which that move began
    points: what the search expected here of the first seat, 0 to 1; None where nothing was searched
    """

    position: Position
    move: str
    origin: tuple[int, ...]
    points: float | None


class Example(NamedTuple):
    """A game; kind: 'short', 'median' or 'long'; result: in words; random_plies: of its opening."""

    kind: str
    plies: int
    result: str
    random_plies: int
    boards: tuple[Board, ...]


def choose_examples(variant: Variant, episodes: Sequence[Episode]) -> list[Example]:
    """Examples from games of a variant, oldest first; `UserError` if one breaks the rules."""
    newest = list(episodes[-NEWEST:])
    if not newest:
        return []
    order = np.argsort(lengths(newest), kind="stable").tolist()
    chosen = {order[0]: "short", order[len(order) // 2]: "median", order[-1]: "long"}
    return [_example(variant, newest[index], kind) for index, kind in chosen.items()]


def side(position: Position, seat: int) -> str:
    """A seat with the colour it plays, such as `first player (red)`."""
    colour = seat ^ int(position.state.info[0, SWAPPED])
    return f"{('first', 'second')[seat]} player ({look_of(position.variant).names[colour]})"


def _example(variant: Variant, episode: Episode, kind: str) -> Example:
    positions = _replayed(variant, episode)
    whole = [position for position in positions if not position.is_half_made]
    shown = np.unique(np.linspace(0, len(whole) - 1, BOARDS).round().astype(int)).tolist()
    return Example(
        kind=kind,
        plies=len(episode.actions),
        result=_result(whole[-1]),
        random_plies=len(episode.actions) - int(np.count_nonzero(searched(episode))),
        boards=tuple(_board(whole, index, episode) for index in shown if index > 0),
    )


def _replayed(variant: Variant, episode: Episode) -> list[Position]:
    """All positions of a game; `UserError` if it doesn't fit the rules."""
    positions = [games.start(variant)]
    for action in episode.actions.tolist():
        positions.append(positions[-1].play(action))
    if not positions[-1].is_over or positions[-1].returns[0] != episode.result:
        raise UserError(
            f"{variant.name}: expected a game that ends with {episode.result:+d}, got another end"
        )
    return positions


def _board(whole: Sequence[Position], index: int, episode: Episode) -> Board:
    """A position after a whole move."""
    position, before = whole[index], whole[index - 1]
    choices = position.actions[before.ply :]
    move = "-".join(position.action_text(action) for action in choices)
    cells = position.variant.n_actions - 2
    return Board(
        position=position,
        move=f"{position.ply}. {move}",
        origin=tuple(action for action in choices[:-1] if action < cells),
        points=_expected(position, episode),
    )


def _expected(position: Position, episode: Episode) -> float | None:
    """What the search thought of the first seat's chances, or how the game ended."""
    if position.is_over:
        return (1 + position.returns[0]) / 2
    ply = position.ply
    if not searched(episode)[ply]:
        return None
    value = float(episode.value[ply])
    return (1 + (value if episode.seat[ply] == 0 else -value)) / 2


def _result(position: Position) -> str:
    first, second = position.returns
    return "draw" if first == second else f"{side(position, 0 if first > second else 1)} wins"
