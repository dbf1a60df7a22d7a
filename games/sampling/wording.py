"""A title and a few sentences for a variant that nobody named."""

from __future__ import annotations

from games.variant import Variant

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_KINDS = {
    "place": "Place a stone on an empty cell",
    "drop": "Drop a stone, which falls {gravity}",
    "step": "Move a stone to a neighbouring cell",
    "slide": "Move a stone along a line of empty cells",
    "clone": "Put a stone beside one of yours, or move one to a cell at distance two",
}
_BESIDE = {"own": "your own", "enemy": "the opponent's", "any": "any"}
_WRAPS = {"columns": "the left and right edge touch", "rows": "the top and bottom edge touch"}


def title_of(variant: Variant) -> str:
    """A title such as `Four in line on 5×6`."""
    board = variant.board
    cells = " hexagons" if variant.is_hexagonal else ""
    goal = _goals(variant)[0]
    return f"{goal[0].upper()}{goal[1:]} on {board.rows}×{board.columns}{cells}"


def rules_of(variant: Variant) -> str:
    """The rules in a few sentences; `selfplay variants show` says everything."""
    verb = "loses" if variant.end.misere else "wins"
    goals = f"Whoever has {' or '.join(_goals(variant))} {verb}"
    return " ".join(f"{part}." for part in (*_board(variant), _move(variant), *_extras(variant), goals))


def _board(variant: Variant) -> list[str]:
    board, parts = variant.board, []
    if board.shape != "full":
        parts.append(f"The board is a {board.shape}")
    if board.wrap != "none":
        touching = _WRAPS.get(board.wrap, "opposite edges touch")
        parts.append(touching[0].upper() + touching[1:])
    return parts


def _move(variant: Variant) -> str:
    move = variant.move
    text = _KINDS[move.kind].format(gravity=move.gravity)
    if move.domino:
        text = "Place a domino on two empty cells, the first player upright, the second level"
    for ways, words in (
        (move.to_empty, "to empty cells"),
        (move.to_enemy, "onto opposing stones"),
        (move.over_enemy, "jumping over opposing stones"),
    ):
        if ways:
            text += f", {words} {' or '.join(ways)}"
    if move.beside != "anywhere":
        text += f", beside {_BESIDE[move.beside]} stones once there are some"
    return text


def _extras(variant: Variant) -> list[str]:
    """Sentences for what isn't always so."""
    move, turn, effect = variant.move, variant.turn, variant.effect
    said = {
        "A stone must flip some": move.must_flip,
        "A placed stone's group must touch an empty cell": move.keeps_liberty,
        "Nothing may be captured": move.captures_nothing,
        "Who can jump must": move.must_jump,
        "The stone may jump on": move.chain != "none",
        "The stone then shoots a cell": move.shoot,
        "Enclosed lines change colour": effect.flip,
        f"Enclosed lines of {_number(effect.take_enclosed or 0)} are captured": effect.take_enclosed,
        "Opposing stones that it touches change colour": effect.infect,
        "Groups that touch no empty cell are captured": effect.surround,
        f"A turn has {_number(turn.stones)} moves": turn.stones > 1,
        "The second player may swap": turn.swap,
        "Who can't move passes": turn.passing == "stuck",
        "Passing is allowed": turn.passing == "always",
    }
    return [sentence for sentence, holds in said.items() if holds]


def _goals(variant: Variant) -> list[str]:
    end, goals = variant.end, []
    if any(variant.lines):
        exactly = "exactly " if end.exact else ""
        goals.append(f"{exactly}{_each(variant.lines)} in line")
    if any(variant.connects):
        first, second = (" and ".join(sides) for sides in variant.connects)
        goals.append(
            f"a group from {first}" if first == second else f"a group from {first} (second: {second})"
        )
    if end.fork:
        goals.append(f"a group at {_number(end.fork)} sides")
    if end.bridge:
        goals.append(f"a group at {_number(end.bridge)} corners")
    if end.ring:
        goals.append("a closed ring")
    if any(variant.reaches):
        first, second = (side or "no side" for side in variant.reaches)
        goals.append(f"a stone at the {first}" + (f" (second: {second})" if first != second else ""))
    if any(variant.captures):
        goals.append(f"{_each(variant.captures)} captured stones")
    if end.eliminate:
        goals.append("no opposing stone left")
    if end.count != "none":
        goals.append(f"more {end.count} at the end")
    if end.stuck != "draw":
        goals.append({"loses": "the last move", "wins": "no move"}.get(end.stuck, f"the stop ({end.stuck})"))
    return goals


def _each(numbers: tuple[int, int]) -> str:
    first, second = (_number(number) for number in numbers)
    return first if first == second else f"{first} (second: {second})"


def _number(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)
