"""What the panels say, as styled text from the state of a game."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from textual.content import Content

from games import Position
from games.rules import FIRST, SECOND
from mcts import DRAWN, LOSS, WIN
from selfplay import telling
from selfplay.opponents.moves import played
from selfplay.player import Analysis
from selfplay.session import Session

GLYPHS = {FIRST: "●", SECOND: "○"}
INK = {FIRST: "bold $stone-first", SECOND: "bold $stone-second"}
DIM = "dim"

MOVES_SHOWN = 5
"""Actions that the analysis lists."""

_BARS = " ▁▂▃▄▅▆▇█"

_PROVEN = {WIN: "wins", DRAWN: "draws", LOSS: "loses"}


def stone(content: int) -> Content:
    """A stone, as the panels show it."""
    return Content.styled(GLYPHS[content], INK[content])


def players(session: Session, width: int) -> Content:
    """Both seats: stone, name, clock; a mark at the one to move. Below, counts where they decide."""
    lines = [_seat_line(session, seat, width) for seat in (0, 1)]
    counts = telling.count(session.position, [GLYPHS[FIRST], GLYPHS[SECOND]])
    return Content("\n").join([*lines, *([Content(f"  {counts}")] if counts else [])])


def _seat_line(session: Session, seat: int, width: int) -> Content:
    position, player = session.position, session.seats[seat]
    to_move = not session.result and position.to_play == seat
    name, clock = "you" if player is None else player.name, session.clock.text(seat)
    room = max(4, width - len(clock) - 5)
    name = name if len(name) <= room else f"{name[: room - 1]}…"
    weight = "bold" if to_move else ""
    mark = ("▸ " if to_move else "  ", weight)
    return Content.assemble(
        mark, stone(telling.stone_of(position, seat)), (f" {name:<{room}} ", weight), (clock, weight)
    )


def status(session: Session, *, thinks: bool, paused: bool) -> Content:
    """One line: the result, or whose turn it is and what for."""
    position = session.position
    if session.result is not None:
        return Content.styled(_result_words(session), "bold")
    player = session.seats[position.to_play]
    who = "Your move" if player is None else player.name
    doing = "" if player is None else " is paused" if paused else " thinks …" if thinks else ""
    shown = stone(telling.stone_of(position, position.to_play))
    return Content.assemble(shown, f" {who}{doing}{telling.turn_notes(position)}")


def _result_words(session: Session) -> str:
    result = session.result
    assert result is not None
    if result.winner is None:
        return "Draw."
    why = {"board": "", "resignation": " by resignation", "time": " on time"}[result.reason]
    if session.people == [result.winner]:
        return f"You win{why}."
    player = session.seats[result.winner]
    glyph = GLYPHS[telling.stone_of(session.position, result.winner)]
    return f"{glyph} {'' if player is None else f'{player.name} '}wins{why}."


def moves(position: Position) -> Content:
    """The moves so far, numbered."""
    whole, begun = played(position)
    words = ["-".join(move) for move in whole] + ([f"{'-'.join(begun)}-…"] if begun else [])
    if not words:
        return Content.styled("no moves yet", DIM)
    parts: list[tuple[str, str]] = []
    for number, word in enumerate(words, 1):
        parts += [(f"{number}.", DIM), (word, "bold" if number == len(words) else ""), ("  ", "")]
    return Content.assemble(*parts)


def outlook(session: Session) -> Content:
    """The chances of both seats in words, as far as anybody has looked."""
    known = [value for value in session.values_of_first() if value is not None]
    if not known:
        return Content.styled("Win chance –", DIM)
    parts: list[Content | str] = ["Win chance "]
    for seat, own in ((0, known[-1]), (1, -known[-1])):
        parts += [stone(telling.stone_of(session.position, seat)), f" {telling.win_chance(own)}  "]
    return Content.assemble(*parts)


def chart(chances: Sequence[float | None], width: int, height: int = 2) -> Content:
    """Chances from 0 to 1 as bars, one for each position, or for some where there are too many."""
    if len(chances) > width:
        chances = [chances[round(i * (len(chances) - 1) / (width - 1))] for i in range(width)]
    rows = ["".join(_bar(chance, row, height) for chance in chances) for row in reversed(range(height))]
    return Content.styled("\n".join(rows), "$stone-first")


def _bar(chance: float | None, row: int, height: int) -> str:
    """The part of a bar in a row, counted from the lowest."""
    if chance is None:
        return " "
    filled = max(1, round(8 * height * chance)) - 8 * row
    return _BARS[min(8, max(0, filled))]


def analysis(position: Position, found: Analysis | None, *, is_on: bool) -> Content:
    """The best actions with visits, policy, chance and what is proven, and the principal variation."""
    if found is None:
        return Content.styled("looking …" if is_on else "a: live analysis", DIM)
    lines = [Content.styled("move   visits policy chance", DIM)]
    for action in found.ranked(MOVES_SHOWN):
        weight = "bold" if action == found.action else ""
        lines.append(Content.styled(_action_line(position, found, action), weight))
    if found.simulations:
        text = telling.line_text(position, found.line)
        lines.append(Content.assemble(("expects ", DIM), text))
    return Content("\n").join(lines)


def _action_line(position: Position, found: Analysis, action: int) -> str:
    value = float(found.action_values[action])
    known = _PROVEN.get(int(found.proven[action]), "")
    chance = known or ("–" if np.isnan(value) else telling.win_chance(value))
    name, visits, share = position.action_text(action), int(found.visits[action]), found.policy[action]
    return f"{name:<5} {visits:>7} {share:>6.0%} {chance:>6}"
