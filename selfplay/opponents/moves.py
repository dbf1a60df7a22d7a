"""Whole moves: what other engines play in one go and our players choose step by step."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from games import MoveError, Position, beginning
from selfplay.opponents.process import EngineError

TextMove = tuple[str, ...]
"""The choices of one whole move as texts, such as `("d1", "d7", "g7")`."""


def played(position: Position) -> tuple[list[TextMove], TextMove]:
    """The whole moves that led to a position, and the choices of the one that has begun (mostly none)."""
    moves: list[TextMove] = []
    begun: TextMove = ()
    here = beginning(position)
    for action in position.actions:
        begun = (*begun, here.action_text(action))
        here = here.play(action)
        if not here.is_half_made:
            moves.append(begun)
            begun = ()
    return moves, begun


def whole_moves(position: Position) -> Iterator[TextMove]:
    """Every whole move as texts, those of a half-made one from where it stands."""
    move = position.variant.move
    longest = 1 if position.variant.places else 2 + move.shoot
    yield from _completed(position, (), longest if move.chain == "none" else None)


def _completed(here: Position, begun: TextMove, longest: int | None) -> Iterator[TextMove]:
    """The whole moves that go on from the choices `begun`; one with `longest` choices is known to end."""
    for action in here.legal_actions.tolist():
        move = (*begun, here.action_text(action))
        after = None if len(move) == longest else here.play(action)
        if after is not None and after.is_half_made:
            yield from _completed(after, move, longest)
        else:
            yield move


def choices_of(position: Position, move: TextMove) -> list[int]:
    """A whole move, given as texts, as our actions.

    Raises:
        EngineError: the move isn't legal here, or isn't whole; one line.
    """
    line = [position]
    try:
        for text in move:
            line.append(line[-1].play(line[-1].parse_action(text)))
    except MoveError as error:
        raise EngineError(f"played {'-'.join(move)}, an illegal move: {error}") from None
    if line[-1].is_half_made or not move or any(not p.is_half_made for p in line[1:-1]):
        raise EngineError(f"played {'-'.join(move)!r}, which isn't one whole move")
    return [after.actions[-1] for _, after in pairwise(line)]
