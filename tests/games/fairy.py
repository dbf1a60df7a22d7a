"""Fairy-Stockfish as an opponent in comparisons: one game of one of its variants, its boards in our words.

Its boards have a1 at the lower left and white moves up and first, as our first colour does. Moves are written
`P@a1` (a stone placed), `a1a2` (origin and target), `d1d7,d7g7` (and the cell that is shot), a pass `a1a1`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pyffish

from games.notation import cell_name

TextMove = tuple[str, ...]

_REPLAYED, _REMEMBERED = 24, 2
"""Moves after which a game is told from a later position; two passes have to be remembered as moves."""

_CELL = re.compile(r"[a-l]\d+")


@dataclass
class FairyGame:
    """One game of Fairy-Stockfish; it is told a position and the moves since then."""

    variant: str
    start: str = ""
    moves: list[str] = field(default_factory=list)
    ply: int = 0

    def __post_init__(self) -> None:
        self.start = self.start or pyffish.start_fen(self.variant)

    @property
    def legal(self) -> dict[TextMove, str]:
        """Its legal moves by the texts of our choices."""
        written = pyffish.legal_moves(self.variant, self.start, self.moves)
        return {in_our_words(move): move for move in written}

    def play(self, move: str) -> None:
        """Play a move as Fairy-Stockfish writes it."""
        self.moves.append(move)
        self.ply += 1
        if len(self.moves) > _REPLAYED:
            older = self.moves[:-_REMEMBERED]
            self.start = pyffish.get_fen(self.variant, self.start, older)
            self.moves = self.moves[-_REMEMBERED:]

    def returns(self, legal: dict[TextMove, str]) -> tuple[int, int] | None:
        """-1, 0 or 1 for white and black; None while the game goes on.

        Args:
            legal: its legal moves; without any the game is over.
        """
        over, value = pyffish.is_immediate_game_end(self.variant, self.start, self.moves)
        if not over and legal:
            return None
        if not over:
            value = pyffish.game_result(self.variant, self.start, self.moves)
        sign = (value > 0) - (value < 0)
        return (sign, -sign) if self.ply % 2 == 0 else (-sign, sign)

    def __str__(self) -> str:
        return pyffish.get_fen(self.variant, self.start, self.moves)


def in_our_words(move: str) -> TextMove:
    """A move of Fairy-Stockfish as the texts of our choices."""
    cells = _CELL.findall(move)
    if len(cells) == 2 and cells[0] == cells[1]:
        return ("pass",)
    if "," in move:
        origin, target, _, shot = cells
        return origin, target, shot
    return tuple(cells)


def board_of(variant: str) -> dict[str, object]:
    """Size, holes and set-up of one of its variants as our `board` section."""
    ranks = pyffish.start_fen(variant).split()[0].split("[")[0].split("/")
    drawn = [re.sub(r"\d+", lambda run: "." * int(run[0]), rank) for rank in ranks]
    rows, columns = len(drawn), len(drawn[0])
    named: dict[str, list[str]] = {"first": [], "second": [], "holes": []}
    for cell, letter in enumerate("".join(drawn)):
        kind = "holes" if letter == "*" else "first" if letter.isupper() else "second"
        if letter != ".":
            named[kind].append(cell_name(cell, rows=rows, columns=columns))
    setup = {"first": named["first"], "second": named["second"]}
    return {"rows": rows, "columns": columns, "holes": named["holes"], "setup": setup}
