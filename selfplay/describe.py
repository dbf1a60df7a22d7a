"""A variant's rules in plain words, from its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from games import Variant
from games.notation import cell_name
from games.variant import Way

_WRAPS = {
    "columns": "The left and the right edge touch.",
    "rows": "The top and the bottom edge touch.",
    "both": "Opposite edges touch.",
}
_WAYS = {
    "forward": "straight forward",
    "forward-diagonal": "diagonally forward",
    "sideways": "sideways",
    "backward": "straight backward",
    "backward-diagonal": "diagonally backward",
    "orthogonal": "straight",
    "diagonal": "diagonally",
    "all": "in any direction",
}
_PLAYERS = ("first", "second")
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_FEW = 8
"""So many stones of a colour are listed one by one."""


def size(variant: Variant) -> str:
    """The board's size as a person writes it: rows × columns, or the cells of a side."""
    board = variant.board
    if board.shape == "triangle":
        return f"triangle {board.rows}"
    if board.shape == "hexagon":
        return f"hexagon {(board.rows + 1) // 2}"
    return f"{board.rows}×{board.columns}{' hex' if variant.is_hexagonal else ''}"


def listing(names: Sequence[str], *, most: int = 4) -> str:
    """Names for a line of text; of many, some and how many more."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"


def describe(variant: Variant) -> dict[str, str]:
    """The rules in sentences, by topic: board, set-up, move, effect, turn, goal, draw.

    A topic about which there is nothing to say is left out.
    """
    topics = {
        "board": _board(variant),
        "set-up": _setup(variant),
        "move": _move(variant),
        "effect": _effect(variant),
        "turn": _turn(variant),
        "goal": _goal(variant),
        "draw": _draw(variant),
    }
    sentences = {topic: " ".join(each) for topic, each in topics.items()}
    return {topic: text for topic, text in sentences.items() if text}


def stones(count: int) -> str:
    """A number of stones, fit for a sentence."""
    return "1 stone" if count == 1 else f"{count} stones"


# --- before the game ----------------------------------------------------------------------------------------


def _board(variant: Variant) -> Iterator[str]:
    board = variant.board
    if board.shape == "triangle":
        yield f"A triangle of hexagonal cells, {_number(board.rows)} on each side."
    elif board.shape == "hexagon":
        yield f"A hexagon of hexagonal cells, {_number((board.rows + 1) // 2)} on each side."
    else:
        kind = "hexagonal" if variant.is_hexagonal else "square"
        yield f"{board.rows} rows and {board.columns} columns of {kind} cells."
    if board.wrap != "none":
        yield _WRAPS[board.wrap]
    if board.holes:
        yield f"No cells at {', '.join(board.holes)}."
    if board.adjacent == 8:
        yield "Cells touch all eight around them."


def _setup(variant: Variant) -> Iterator[str]:
    if not any(variant.setup_cells):
        return
    if max(map(len, variant.setup_cells)) <= _FEW:
        yield f"{_named_stones(variant, *variant.setup_cells)}."
        return
    setup = variant.board.setup
    yield from _pattern(variant)
    listed = _named_stones(variant, variant.cells_of(setup.first), variant.cells_of(setup.second))
    if listed:
        yield f"{listed}."
    if setup.empty:
        yield f"Empty at first: {', '.join(setup.empty)}."


def _named_stones(variant: Variant, first: Sequence[int], second: Sequence[int]) -> str:
    texts = []
    for player, mark, cells in zip(_PLAYERS, "xo", (first, second), strict=True):
        if cells:
            names = (
                cell_name(cell, rows=variant.board.rows, columns=variant.board.columns) for cell in cells
            )
            texts.append(f"{player} ({mark}) has {', '.join(sorted(names))}")
    return _capital("; ".join(texts))


def _pattern(variant: Variant) -> Iterator[str]:
    setup = variant.board.setup
    rows = "row" if setup.depth == 1 else f"{_number(setup.depth)} rows"
    text = {
        "checkerboard": "Stones of both players fill the board like a chessboard's fields; first has a1.",
        "rows": f"The lowest {rows} are first's, the highest {rows} second's.",
    }.get(setup.pattern)
    if text is not None:
        yield text.replace("row are", "row is")


# --- a move -------------------------------------------------------------------------------------------------


def _move(variant: Variant) -> Iterator[str]:
    move = variant.move
    if move.domino:
        yield "Lay a domino on two empty cells: first's stand upright, second's lie."
        yield "The move is named by the upper or left cell."
    elif move.kind == "place":
        yield "Put a stone on an empty cell."
    elif move.kind == "drop":
        pull = move.gravity if move.gravity in ("up", "down") else f"to the {move.gravity}"
        floor = "the edge, a hole or another stone" if variant.hole_cells else "the edge or another stone"
        yield f"Put a stone where gravity, which pulls {pull}, holds it: on {floor}."
    elif move.kind == "clone":
        yield "Put a new stone on an empty cell that touches one of yours."
        yield "Or move a stone of yours to an empty cell at distance two, whatever lies between."
    else:
        yield from _walking(variant)
    yield from _conditions(variant)


def _conditions(variant: Variant) -> Iterator[str]:
    """What a placed stone must fulfil."""
    move = variant.move
    if move.must_flip:
        yield "It must flip at least one stone."
    if move.beside != "anywhere":
        kind = {"own": "a stone of yours", "enemy": "an opposing stone", "any": "another stone"}[move.beside]
        yield f"It must touch {kind}, once there is one on the board."
    if move.keeps_liberty:
        yield "Its group must touch an empty cell afterwards."
    if move.captures_nothing:
        yield "No opposing group may be left without an empty cell that it touches."
    if variant.turn.repeat == "ko":
        yield "A stone that took a single stone may not be taken back at once (ko)."
    if variant.turn.repeat == "superko":
        yield "No position of stones may come up twice."


def _walking(variant: Variant) -> Iterator[str]:
    """Kinds 'step' and 'slide'."""
    move = variant.move
    far, first = ("any distance ", "the first ") if move.kind == "slide" else ("one step ", "an ")
    line = " in line" if move.kind == "slide" else ""
    parts = []
    if move.to_empty and set(move.to_empty) == set(move.to_enemy):
        parts.append(
            f"{far}{_ways(variant, move.to_empty)} to an empty cell or onto {first}opposing stone{line}, "
            "which is captured"
        )
    else:
        if move.to_empty:
            parts.append(f"{far}{_ways(variant, move.to_empty)} to an empty cell")
        if move.to_enemy:
            onto = f"onto {first}opposing stone{line}, which is captured"
            parts.append(f"{'' if move.to_empty else far}{_ways(variant, move.to_enemy)} {onto}")
    if move.over_enemy:
        over = "over an opposing stone to the empty cell behind it, which captures the stone"
        parts.append(f"{_ways(variant, move.over_enemy)} {over}")
    steps = move.to_empty or move.to_enemy
    yield f"{'Move' if steps else 'Jump with'} a stone of yours {', or '.join(parts)}."
    yield from _walking_on(variant)


def _walking_on(variant: Variant) -> Iterator[str]:
    """What follows a step or a jump, and what the words mean."""
    move = variant.move
    if move.chain != "none":
        same = " in the same direction" if move.chain == "straight" else ""
        yield f"After a jump the stone {'must' if move.must_jump else 'may'} jump on{same} if it can."
    if move.must_jump:
        yield "Who can jump must jump."
    if move.shoot:
        ways = _ways(variant, move.to_empty)
        yield f"Then the stone shoots any distance {ways} over empty cells, and the cell it hits is gone."
    if any("ward" in way for way in (*move.to_empty, *move.to_enemy, *move.over_enemy)):
        yield "Forward is up for first and down for second."


def _ways(variant: Variant, ways: Sequence[Way]) -> str:
    """Ways in words; hexagonal cells have two ways forward, and none of them is straight."""
    words = [_WAYS[way].removeprefix("straight " if variant.is_hexagonal else "") for way in ways]
    return _or(list(dict.fromkeys(words)))


def _effect(variant: Variant) -> Iterator[str]:
    effect = variant.effect
    stone = {"step": "the moved stone", "slide": "the moved stone", "clone": "the new or moved stone"}.get(
        variant.move.kind, "the new stone"
    )
    if effect.take_enclosed is not None:
        line = (
            f"exactly {_number(effect.take_enclosed)} opposing stone{'s' if effect.take_enclosed > 1 else ''}"
        )
        yield f"Lines of {line} between {stone} and another of yours are captured."
    if effect.flip:
        yield f"Opposing stones in line between {stone} and another of yours change colour."
    if effect.infect:
        yield f"Opposing stones that touch {stone} change colour."
    if effect.surround:
        yield "Groups that touch no empty cell are captured, opposing ones first."


# --- turns --------------------------------------------------------------------------------------------------


def _turn(variant: Variant) -> Iterator[str]:
    turn = variant.turn
    unit = "move" if variant.move.domino or not variant.places else "stone"
    text = f"{_number(turn.stones)} {unit}{'' if turn.stones == 1 else 's'} a turn"
    if variant.first_turn_stones != turn.stones:
        text += f", {_number(variant.first_turn_stones)} in the very first"
    yield f"{_capital(text)}."
    if turn.swap:
        yield "After the first turn the second player may take it over instead of moving."
    if turn.passing == "stuck":
        yield "Who has no move passes."
    if turn.passing == "always":
        yield "A player may pass."


# --- the end ------------------------------------------------------------------------------------------------


def _goal(variant: Variant) -> Iterator[str]:
    """Goals on the board, then what decides when the game stops."""
    verb = "loses" if variant.end.misere else "wins"
    first, second = (list(_goals(variant, colour)) for colour in (0, 1))
    if first and first == second:
        yield f"A player {verb} with {_or(first)}."
    else:
        for player, goals in zip(_PLAYERS, (first, second), strict=True):
            if goals:
                yield f"{_capital(player)} {verb} with {_or(goals)}."
    yield from _when_it_stops(variant)


def _goals(variant: Variant, colour: int) -> Iterator[str]:
    """What ends the game at once, each fit to follow 'wins with'."""
    end = variant.end
    line, capture = variant.lines[colour], variant.captures[colour]
    connect, reach = variant.connects[colour], variant.reaches[colour]
    if line:
        yield f"exactly {line} in line" if end.exact else f"{line} or more in line"
    if connect:
        yield f"a group that touches the {_and(connect)} side{'s' if len(connect) > 1 else ''}"
    if end.fork is not None:
        yield f"a group that touches {_number(end.fork)} sides, corners not counted"
    if end.bridge is not None:
        yield f"a group that touches {_number(end.bridge)} corners"
    if end.ring:
        yield "a ring around at least one cell"
    if reach is not None:
        yield f"a stone that moves onto the {reach} side"
    if capture:
        yield f"{_stones(capture)} captured"
    if end.eliminate:
        yield "no opposing stone left"


def _when_it_stops(variant: Variant) -> Iterator[str]:
    end = variant.end
    when = _or(list(_stops(variant)))
    if end.count != "none":
        verb = "loses" if end.misere else "wins"
        also = "also " if any(_goals(variant, 0)) or any(_goals(variant, 1)) else ""
        yield f"The game {also}stops {when}; who then has more {end.count} {verb}."
        if end.count == "area":
            yield "Area is stones and empty regions that touch one player's stones only."
        if end.komi:
            yield f"Second's count is raised by {end.komi:g}."
    elif end.stuck in ("loses", "wins"):
        verb = {"loses": "wins", "wins": "loses"}[end.stuck] if end.misere else end.stuck
        yield f"A player who has no move {verb}."
    elif end.stuck in _PLAYERS:
        winner = _PLAYERS[(end.stuck == "second") != end.misere]
        yield f"If the game stops {when} before that, {winner} wins."


def _stops(variant: Variant) -> Iterator[str]:
    """When a game stops that nobody has won, each fit to follow 'stops'."""
    move, turn = variant.move, variant.turn
    fills = variant.places and not (move.domino or move.keeps_liberty)
    is_bound = move.domino or move.keeps_liberty or move.captures_nothing or move.beside != "anywhere"
    if turn.passing != "never":
        yield "after two passes in a row"
    if fills or move.kind == "clone":
        yield "when no cell is empty"
    if turn.passing == "never" and (is_bound or not variant.places or turn.repeat != "allowed"):
        yield "when the player to move has no move"


def _draw(variant: Variant) -> Iterator[str]:
    end = variant.end
    reasons = []
    if end.count != "none" and end.komi == int(end.komi):
        reasons.append(f"equal numbers of {end.count}" if end.count == "stones" else "equal area")
    if end.count == "none" and end.stuck == "draw":
        reasons.append(f"nobody has won {_or(list(_stops(variant)))}")
    if reasons:
        yield f"{_capital(_or(reasons))}."
    if end.ply_cap is not None or variant.removes or not variant.places:
        yield f"{'Also' if reasons else 'The game is drawn'} after {variant.ply_cap} actions."


# --- words --------------------------------------------------------------------------------------------------


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def _stones(count: int) -> str:
    return f"{_number(count)} stone{'' if count == 1 else 's'}"


def _or(parts: Sequence[str]) -> str:
    return _listed(parts, "or")


def _and(parts: Sequence[str]) -> str:
    return _listed(parts, "and")


def _listed(parts: Sequence[str], word: str) -> str:
    """Parts as a sentence lists them; commas within a part ask for one before the last."""
    if len(parts) < 2:
        return "".join(parts)
    comma = "," if any("," in part for part in parts) else ""
    return f"{', '.join(parts[:-1])}{comma} {word} {parts[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
