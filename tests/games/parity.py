"""What comparisons with other engines share: how many games, variants in a line, whole moves.

Another engine only answers: a random move is drawn, both play it, both are asked again.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

from games.position import Position
from games.variant import Variant

ASKED = os.environ.get("SELFPLAY_PARITY_GAMES")
"""Random games that every comparison plays; not set: `FEW`, or a share of them where one takes long."""

FEW = 4 if os.environ.get("NUMBA_BOUNDSCHECK") == "1" else 40

LONGEST = 4096
"""A ply cap that no compared game reaches: ours is a draw, which others don't know."""


def seeds(share: float = 1.0) -> range:
    """One seed a game; `share` of `FEW` games, unless a number is asked for."""
    return range(int(ASKED) if ASKED else math.ceil(FEW * share))


def board_variant(**sections: object) -> Variant:
    """A variant from its TOML sections."""
    return Variant.from_dict({"name": "compared", **sections}, where="compared")


def walking_variant(**sections: dict[str, object]) -> Variant:
    """The same, where stones walk for ever if nobody stops them."""
    return board_variant(**{**sections, "end": {"ply_cap": LONGEST, **sections["end"]}})


def legal(position: Position) -> list[int]:
    """The legal actions, ascending."""
    return position.legal_actions.tolist()


def texts(position: Position) -> list[str]:
    """The legal actions as text."""
    return [position.action_text(action) for action in legal(position)]


def play_all(position: Position, move: tuple[str, ...]) -> Position:
    """The position after all choices of a whole move."""
    for text in move:
        position = position.play_text(text)
    return position


def whole_moves(position: Position) -> set[tuple[str, ...]]:
    """Every whole move as the texts of its choices; for variants with one move a turn."""
    return set(_completed(position, ()))


def _completed(here: Position, begun: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The whole moves that go on from the choices `begun`, which led here."""
    for action in legal(here):
        move = (*begun, here.action_text(action))
        if len(move) == _most_choices(here.variant):
            yield move
            continue
        after = here.play(action)
        if _is_complete(here, after):
            yield move
        else:
            yield from _completed(after, move)


def _most_choices(variant: Variant) -> int:
    """Choices of the longest whole move; it needn't be played to know that it ends there."""
    if variant.places:
        return 1
    return 2 + variant.move.shoot if variant.move.chain == "none" else LONGEST


def _is_complete(before: Position, after: Position) -> bool:
    return after.is_over or after.colour_to_move != before.colour_to_move
