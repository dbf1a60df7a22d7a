"""What Fairy-Stockfish knows of our variants, in its own language: a `variants.ini`, and its moves.

The section is derived from what a variant is, never from its name. Its boards have a1 at the lower left,
and white moves up and first, as our first colour does. Moves are written `P@a1` (a stone is placed), `a1a2`
(origin and target), `d1d7,d7g7` (and the cell that is shot), and a pass as the move of a stone to where it
stands.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from games import Position, Variant, start
from games.geometry import OFF, OPPOSITE
from games.notation import PASS_TEXT, cell_name
from games.rules import FIRST
from games.variant import Board, Effect, End, Move, Turn
from selfplay.opponents.moves import TextMove, played
from selfplay.opponents.process import EngineError

MOST_ROWS, MOST_COLUMNS = 10, 12

KNOWN = "stones placed, dropped or moved in lines, breakthrough, clobber, amazons, ataxx, othello"

_CELL = re.compile(r"[a-l]\d+")

WAYS = {
    "forward": ("f", "WR"),
    "forward-diagonal": ("f", "FB"),
    "sideways": ("s", "WR"),
    "backward": ("b", "WR"),
    "backward-diagonal": ("b", "FB"),
    "orthogonal": ("", "WR"),
    "diagonal": ("", "FB"),
    "all": ("", "KQ"),
}
"""A way in Betza's notation: its direction, and the piece that steps and the piece that slides."""

_STUCK = {"draw": "draw", "loses": "loss", "wins": "win"}

_PARENTS = {"mfWmfFcfF": "breakthrough", "cW": "clobber"}
"""Variants that lend their piece, by what it does: releases before 12 have no `customPiece1`."""


class Section(NamedTuple):
    """A variant as Fairy-Stockfish reads it.

    name: of the section; text: of the whole file
    """

    name: str
    text: str


def section(variant: Variant) -> Section:
    """A variant in the language of Fairy-Stockfish; raises `EngineError` if that can't say it."""
    lines = None if _is_beyond(variant) else _rules(variant)
    if lines is None:
        raise EngineError(f"expected a variant that Fairy-Stockfish knows ({KNOWN}), got {variant.name}")
    name = f"v{variant.digest}"
    board = variant.board
    size = [f"maxRank = {board.rows}", f"maxFile = {board.columns}", f"startFen = {_start(variant)} w 0 1"]
    common = [
        "castling = false",
        "doubleStep = false",
        "immobilityIllegal = false",
        "nMoveRule = 0",
        "nFoldRule = 0",
    ]
    parent, *said = lines
    return Section(name, "\n".join([f"[{name}{parent}]", *size, *common, *said, ""]))


def written_moves(position: Position) -> tuple[list[str], TextMove]:
    """The whole moves that led to a position as Fairy-Stockfish writes them, and the choices of one begun."""
    moves, begun = played(position)
    if not any(move == (PASS_TEXT,) for move in moves):
        return [written(move) for move in moves], begun
    return _with_passes(position, moves), begun


def written(move: TextMove) -> str:
    """A whole move, no pass, as Fairy-Stockfish writes it."""
    if len(move) == 1:
        return f"P@{move[0]}"
    origin, target, *shot = move
    return f"{origin}{target},{target}{shot[0]}" if shot else f"{origin}{target}"


def read(text: str) -> TextMove:
    """A move of Fairy-Stockfish as the texts of our choices; empty if it is no move."""
    cells = _CELL.findall(text)
    if len(cells) == 2 and cells[0] == cells[1]:
        return (PASS_TEXT,)
    if len(cells) == 4:
        origin, target, _, shot = cells
        return origin, target, shot
    return tuple(cells)


def _with_passes(position: Position, moves: list[TextMove]) -> list[str]:
    """The moves as written; who passes moves the stone nearest to a1, row by row, to where it stands."""
    here = start(position.variant)
    texts = []
    for move in moves:
        if move == (PASS_TEXT,):
            texts.append(2 * _nearest_own(here))
        else:
            texts.append(written(move))
        for text in move:
            here = here.play_text(text)
    return texts


def _nearest_own(position: Position) -> str:
    rows, columns = position.variant.board.rows, position.variant.board.columns
    own = FIRST + position.colour_to_move
    for row in range(rows - 1, -1, -1):
        for cell in range(row * columns, (row + 1) * columns):
            if position.state.cells[0, cell] == own:
                return cell_name(cell, rows=rows, columns=columns)
    return ""


# --- what can be said ---------------------------------------------------------------------------------------


def _is_beyond(variant: Variant) -> bool:
    """Whether the board or the turn is of a kind that Fairy-Stockfish has no word for."""
    board, turn = variant.board, variant.turn
    return (
        board.cells != "square"
        or board.wrap != "none"
        or board.rows > MOST_ROWS
        or board.columns > MOST_COLUMNS
        or turn.model_dump(exclude={"passing"}) != Turn().model_dump(exclude={"passing"})
        or variant.first_turn_stones != 1
        or variant.end.exact
    )


def _rules(variant: Variant) -> list[str] | None:
    """The lines that say moves and goals, for the first kind of game that the variant is."""
    for kind in (_lines_of_stones, _othello, _ataxx, _walking):
        said = kind(variant)
        if said is not None:
            return said
    return None


def _lines_of_stones(variant: Variant) -> list[str] | None:
    """Stones placed anywhere or dropped, a line wins."""
    move, end = variant.move, variant.end
    plain = Move(kind=move.kind, gravity=move.gravity)
    first, second = variant.lines
    goal = End(line=end.line, misere=end.misere, ply_cap=end.ply_cap)
    if (
        not variant.places
        or move != plain
        or (move.kind == "drop" and (move.gravity != "down" or variant.hole_cells))
        or not _is_plain(variant)
        or first != second
        or not first
        or end != goal
    ):
        return None
    said = ["", *_PLACING, f"connectN = {first}", "stalemateValue = draw"]
    said += ["enclosingDrop = top"] * (move.kind == "drop")
    return said + ["connectValue = loss"] * end.misere


_PLACING = ["immobile = p", "pieceDrops = true"]


def _othello(variant: Variant) -> list[str] | None:
    """Stones placed where they flip; more stones win. Both enclose before the first move."""
    end = variant.end
    filled = sorted({cell for cells in variant.setup_cells for cell in cells})
    if (
        variant.move != Move(must_flip=True)
        or variant.effect != Effect(flip=True)
        or variant.turn != Turn(passing="stuck")
        or end != End(count="stones", eliminate=end.eliminate, ply_cap=end.ply_cap)
        or not filled
        or _has_holes_between(variant)
    ):
        return None
    start = " ".join(_cell(variant, cell) for cell in filled)
    flips = ["enclosingDrop = reversi", f"enclosingDropStart = {start}", "flipEnclosedPieces = reversi"]
    return ["", *_PLACING, *flips, *_COUNTING]


def _has_holes_between(variant: Variant) -> bool:
    """Whether a hole has cells on two opposite sides: there Fairy-Stockfish encloses stones across it."""
    neighbors = variant.neighbors(with_holes=False)
    return any(
        all(cell != OFF and cell not in variant.hole_cells for cell in pair)
        for hole in variant.hole_cells - variant.cut_cells
        for pair in zip(neighbors[hole].tolist(), neighbors[hole, OPPOSITE].tolist(), strict=True)
    )


_COUNTING = [
    "stalemateValue = loss",
    "stalematePieceCount = true",
    "passOnStalemate = true",
    "materialCounting = unweighted",
    "adjudicateFullBoard = true",
]


def _ataxx(variant: Variant) -> list[str] | None:
    """Stones grow or jump two cells and change their neighbours' colour; more stones win."""
    end = variant.end
    if (
        variant.board.adjacent != 8
        or variant.move != Move(kind="clone")
        or variant.effect != Effect(infect=True)
        or variant.turn != Turn(passing="stuck")
        or end != End(count="stones", eliminate=True, ply_cap=end.ply_cap)
    ):
        return None
    spreads = ["pieceDrops = true", "freeDrops = true", "enclosingDrop = ataxx", "flipEnclosedPieces = ataxx"]
    return [":ataxx", *spreads, *_COUNTING]


def _walking(variant: Variant) -> list[str] | None:
    """Stones that step or slide, capture by replacement, or shoot."""
    move, end = variant.move, variant.end
    ways = Move(kind=move.kind, to_empty=move.to_empty, to_enemy=move.to_enemy, shoot=move.shoot)
    first, second = variant.lines
    reach = variant.reaches
    goals = End(line=end.line, reach=end.reach, eliminate=end.eliminate, stuck=end.stuck, ply_cap=end.ply_cap)
    if (
        move.kind not in ("step", "slide")
        or move != ways
        or (move.shoot and (move.to_enemy or move.kind == "step"))
        or not _is_plain(variant)
        or end != goals
        or first != second
        or reach not in ((None, None), ("top", "bottom"))
        or end.stuck not in _STUCK
    ):
        return None
    said = [*_piece(move), f"stalemateValue = {_STUCK[end.stuck]}"]
    said += _reaching(variant.board) if reach[0] else []
    said += [f"connectN = {first}"] * bool(first)
    said += ["extinctionValue = loss", "extinctionPieceTypes = p"] * end.eliminate
    return said + ["wallingRule = arrow", "arrowGating = true"] * move.shoot


def _piece(move: Move) -> list[str]:
    """The variant that lends its piece, or none and the piece as Betza writes it."""
    slides = move.kind == "slide"
    betza = "".join(
        mode + WAYS[way][0] + WAYS[way][1][slides]
        for mode, ways in (("m", move.to_empty), ("c", move.to_enemy))
        for way in ways
    )
    return [f":{_PARENTS[betza]}"] if betza in _PARENTS else ["", f"customPiece1 = p:{betza}"]


def _reaching(board: Board) -> list[str]:
    """The far rank as a goal, in the words of newer and of older releases."""
    return [
        "flagPiece = p",
        f"flagRegionWhite = *{board.rows}",
        "flagRegionBlack = *1",
        f"whiteFlag = *{board.rows}",
        "blackFlag = *1",
    ]


def _is_plain(variant: Variant) -> bool:
    """Nobody passes, and a move does nothing to other stones."""
    return variant.effect == Effect() and variant.turn.passing == "never"


def _start(variant: Variant) -> str:
    """The board before the first move: white in capitals, holes as stars, and stones enough in hand."""
    rows, columns = variant.board.rows, variant.board.columns
    first, second = variant.setup_cells
    letters = ["."] * (rows * columns)
    for cells, letter in ((first, "P"), (second, "p"), (sorted(variant.hole_cells), "*")):
        for cell in cells:
            letters[cell] = letter
    ranks = ["".join(letters[row * columns : (row + 1) * columns]) for row in range(rows)]
    drawn = "/".join(re.sub(r"\.+", lambda run: str(len(run[0])), rank) for rank in ranks)
    return drawn + (_hands(variant, letters.count(".")) if variant.places else "")


def _hands(variant: Variant, free: int) -> str:
    """Stones in hand: where players may be stuck one may place nearly all, else each places half."""
    each = free if variant.turn.passing == "stuck" else free // 2 + 1
    return f"[{'P' * each}{'p' * each}]"


def _cell(variant: Variant, cell: int) -> str:
    return cell_name(cell, rows=variant.board.rows, columns=variant.board.columns)
