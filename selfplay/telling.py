"""What people are told about a game: whose turn it is and what for, counts, results, chances, lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from games import Position, pass_action, swap_action
from games.rules import FIRST, SECOND
from games.state import STONES_LEFT
from mcts import DRAWN, LOSS, WIN
from selfplay.describe import stones
from selfplay.player import Analysis

_PROVEN = {WIN: "proven win", DRAWN: "proven draw", LOSS: "proven loss"}


def stone_of(position: Position, seat: int) -> int:
    """FIRST or SECOND: the stones that a seat plays; seats may have swapped."""
    return FIRST + (position.colour_to_move ^ (seat != position.to_play))


def turn_notes(position: Position) -> str:
    """What the seat to move has before it beyond an ordinary move, such as `, 2 stones to place`."""
    legal, notes = position.legal_mask, ""
    if (left := int(position.state.info[0, STONES_LEFT])) > 1:
        notes += f", {stones(left)} to place" if position.variant.places else f", {left} moves to make"
    notes += position.half_made
    if legal[swap_action(position.variant)]:
        notes += ", swap is allowed"
    if legal[pass_action(position.variant)] and not position.is_half_made:
        only = np.count_nonzero(legal) == 1
        notes += ", you can only pass" if only else ", pass is allowed"
    return notes


def count(position: Position, glyphs: Sequence[str]) -> str:
    """What each side has, by how much one leads, and what was captured, where that decides; may be empty.

    glyphs: how the stones of the first and the second colour are drawn
    """
    (first, second), end, parts = glyphs, position.variant.end, []
    if end.count == "stones":
        cells = position.state.cells[0]
        parts.append(
            f"{first} {np.count_nonzero(cells == FIRST)}, {second} {np.count_nonzero(cells == SECOND)}"
        )
    if (lead := position.count_lead) is not None and (end.count == "area" or end.komi):
        parts.append(f"{first if lead > 0 else second} leads by {abs(lead):g}" if lead else "level")
    if any(position.variant.captures):
        taken = position.captured
        parts.append(f"captured: {first} {taken[0]}, {second} {taken[1]}")
    return "  ".join(parts)


def win_chance(value_to_play: float) -> str:
    """A value from -1 to 1 as a chance to win in percent, a draw being half a win."""
    return f"{50 + 50 * value_to_play:.0f}%"


def chance(analysis: Analysis) -> str:
    """The chance to win with the action that is played, or the position's if that wasn't searched."""
    value = float(analysis.action_values[analysis.action])
    return win_chance(analysis.value_to_play if np.isnan(value) else value)


def proven(analysis: Analysis, action: int) -> str:
    """`proven win`, `proven draw` or `proven loss` of an action, for the seat to move; else empty."""
    return _PROVEN.get(int(analysis.proven[action]), "")


def line_moves(position: Position, actions: Sequence[int]) -> list[tuple[str, ...]]:
    """Actions in a row from a position on, as the choices of whole moves; the first and last may be parts."""
    moves: list[tuple[str, ...]] = [()]
    here = position
    for action in actions:
        moves[-1] = (*moves[-1], here.action_text(action))
        here = here.play(action)
        if not here.is_half_made:
            moves.append(())
    return [move for move in moves if move]


def line_text(position: Position, actions: Sequence[int]) -> str:
    """Actions in a row as a person reads them: `a2-a3 b4-b3`."""
    return " ".join("-".join(move) for move in line_moves(position, actions))
