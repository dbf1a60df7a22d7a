"""A variant's rules in plain words, from its parameters."""

from __future__ import annotations

from collections.abc import Iterator

from games import Variant

_WRAPS = {
    "none": "",
    "columns": "; the left and the right edge touch",
    "rows": "; the top and the bottom edge touch",
    "both": "; opposite edges touch",
}


def size(variant: Variant) -> str:
    """The board's size as a person writes it: rows × columns."""
    return f"{variant.board.rows}×{variant.board.columns}"


def describe(variant: Variant) -> dict[str, str]:
    """The rules by topic: board, move, turn, goal, draw."""
    return {
        "board": _board(variant),
        "move": _move(variant),
        "turn": _turn(variant),
        "goal": "; ".join(_goals(variant)),
        "draw": _draw(variant),
    }


def stones(count: int) -> str:
    """A number of stones, in words fit for a sentence."""
    return "1 stone" if count == 1 else f"{count} stones"


def _board(variant: Variant) -> str:
    board = variant.board
    text = f"{board.rows} rows, {board.columns} columns{_WRAPS[board.wrap]}"
    if board.holes:
        text += f"; no cells at {', '.join(board.holes)}"
    if any(variant.setup_cells):
        text += "; stones stand on it before the first move"
    return text


def _move(variant: Variant) -> str:
    falls = {"down": "falls down", "up": "rises"}.get(
        variant.move.gravity, f"slides to the {variant.move.gravity}"
    )
    text = "a stone on an empty cell" if variant.move.kind == "place" else f"a stone, which {falls}"
    if variant.effect.flip:
        text += "; opposing stones it encloses in line change colour"
    if variant.move.must_flip:
        text += "; only where some do"
    return text


def _turn(variant: Variant) -> str:
    text = stones(variant.turn.stones)
    if variant.first_turn_stones != variant.turn.stones:
        text += f" (the very first: {stones(variant.first_turn_stones)})"
    if variant.turn.swap:
        text += "; after the first turn the second player may take it over"
    if variant.turn.passing == "stuck":
        text += "; who has no move passes, and two passes end the game"
    return text


def _goals(variant: Variant) -> Iterator[str]:
    end = variant.end
    verb = "loses" if end.misere else "wins"
    if end.line is not None:
        yield f"{'exactly ' if end.exact else ''}{end.line} {'' if end.exact else 'or more '}in line {verb}"
    if end.count == "stones":
        yield f"at the end, the player with more stones {verb}"


def _draw(variant: Variant) -> str:
    nobody = "equal numbers of stones" if variant.end.count == "stones" else "no cell left"
    cap = variant.end.ply_cap
    return nobody if cap is None else f"{nobody}, or {cap} moves played"
