"""Hypothesis strategies: any variant that the schema allows, on boards small enough to play through.

Variants are drawn key by key and then repaired: what the schema refuses is taken out again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from games.errors import VariantError
from games.notation import cell_name
from games.variant import Board, Variant
from tests.games.reference import ReferenceGame
from tests.games.reference_board import HEX_WAYS, SQUARE_WAYS, inside_the_shape, name_of

FLAG = st.booleans()
RARELY = st.sampled_from([False, False, False, True])
PASSING = st.sampled_from(["never", "stuck", "always"])
KINDS_OF_BOARD = ["square", "square", "square", "rhombus", "triangle", "hexagon"]
PATTERNS = ["none", "none", "rows", "checkerboard", "corners", "centre"]
SIDES = {
    "full": ["top", "right", "bottom", "left"],
    "triangle": ["top", "diagonal", "left"],
    "hexagon": ["top", "right", "lower-right", "bottom", "left", "upper-left"],
}
GOALS = ["line", "connect", "fork", "bridge", "ring", "reach", "capture", "eliminate", "count", "stuck"]


def any_variant() -> st.SearchStrategy[Variant]:
    """A valid variant of any kind."""
    return st.one_of(
        variants(),
        flipping_variants(),
        placing_variants(),
        walking_variants(),
        jumping_variants(),
        cloning_variants(),
    )


# Lines and flips


@st.composite
def variants(draw: st.DrawFn) -> Variant:
    """A valid variant on at most 6 x 7 cells; rules that contradict each other on a board are taken out."""
    data = {section: draw(strategy()) for section, strategy in SECTIONS.items()}
    data["effect"] = {"flip": draw(FLAG)}
    _settle(data["board"], data["move"])
    _reconcile(data)
    try:
        return Variant.from_dict(data, where="drawn")
    except VariantError as error:
        if "longest line on this board" not in str(error):
            raise
        data["end"] |= {"line": None, "exact": False, "count": "stones"}
        return Variant.from_dict(data, where="drawn")


@st.composite
def flipping_variants(draw: st.DrawFn) -> Variant:
    """Othello's relatives: any wrapping and goal, four stones in the middle of the board."""
    rows, columns = draw(st.integers(3, 5)), draw(st.integers(4, 6))
    middle = [
        cell_name(row * columns + column, rows=rows, columns=columns) for row in (1, 2) for column in (1, 2)
    ]
    colours = draw(st.lists(FLAG, min_size=4, max_size=4).filter(lambda drawn: any(drawn) and not all(drawn)))
    setup: dict[str, list[str]] = {"first": [], "second": []}
    for name, is_first in zip(middle, colours, strict=True):
        setup["first" if is_first else "second"].append(name)
    wrap = draw(st.sampled_from(["none", "columns", "rows", "both", "both"]))
    goals = [{"count": "stones"}, {"line": 3}, {"line": 3, "count": "stones"}, {"line": 3, "exact": True}]
    data = {
        "board": {"rows": rows, "columns": columns, "wrap": wrap, "setup": setup},
        "move": {"must_flip": draw(FLAG)},
        "turn": {"passing": "stuck", "stones": draw(st.integers(1, 2))},
        "effect": {"flip": True},
        "end": {**draw(st.sampled_from(goals)), "misere": draw(FLAG)},
    }
    return Variant.from_dict(data, where="drawn")


@st.composite
def boards(draw: st.DrawFn) -> dict[str, Any]:
    """Any size up to 6 x 7, any wrapping, a few holes, a few stones."""
    rows, columns = draw(st.integers(2, 6)), draw(st.integers(2, 7))
    names = [cell_name(cell, rows=rows, columns=columns) for cell in range(rows * columns)]
    special = draw(st.lists(st.sampled_from(names), unique=True, max_size=min(8, len(names) // 2)))
    cut = sorted(draw(st.tuples(*[st.integers(0, len(special))] * 2)))
    return {
        "rows": rows,
        "columns": columns,
        "wrap": draw(st.sampled_from(["none", "columns", "rows", "both"])),
        "holes": special[: cut[0]],
        "setup": {"first": special[cut[0] : cut[1]], "second": special[cut[1] :]},
    }


@st.composite
def moves(draw: st.DrawFn) -> dict[str, Any]:
    """Place or drop, with or without an obligation to flip."""
    must_flip = draw(st.sampled_from([False, False, True]))
    if draw(FLAG):
        return {"kind": "place", "must_flip": must_flip}
    gravity = draw(st.sampled_from(["down", "up", "left", "right"]))
    return {"kind": "drop", "gravity": gravity, "must_flip": must_flip}


@st.composite
def turns(draw: st.DrawFn) -> dict[str, Any]:
    """Any number of stones, with or without swap and pass."""
    turn: dict[str, Any] = {"stones": draw(st.integers(1, 3))}
    turn |= {"swap": draw(FLAG), "passing": draw(PASSING)}
    if draw(FLAG):
        turn["first_stones"] = draw(st.integers(1, 4))
    return turn


@st.composite
def ends(draw: st.DrawFn) -> dict[str, Any]:
    """A line, more stones, or both, turned round or not, capped or not."""
    end: dict[str, Any] = {"misere": draw(FLAG), "count": draw(st.sampled_from(["none", "stones"]))}
    if draw(FLAG) or end["count"] == "none":
        end |= {"line": draw(st.integers(2, 5)), "exact": draw(FLAG)}
    if draw(st.integers(0, 4)) == 0:
        end["ply_cap"] = draw(st.integers(1, 30))
    return end


SECTIONS = {"board": boards, "move": moves, "turn": turns, "end": ends}


def _settle(board: dict[str, Any], move: dict[str, Any]) -> None:
    """In drop games nothing falls round the board for ever, and stones of the set-up lie on the floor."""
    if move["kind"] != "drop":
        return
    gravity = move["gravity"]
    if board["wrap"] != "none":
        board["wrap"] = "columns" if gravity in ("up", "down") else "rows"
    fallen: set[str] = set(board["holes"])
    for colour in ("first", "second"):
        landed = {_floor(name, board, gravity) for name in board["setup"][colour]} - fallen
        board["setup"][colour] = sorted(landed)
        fallen |= landed


def _floor(name: str, board: dict[str, Any], gravity: str) -> str:
    """The cell at the edge towards which a stone falls."""
    edges = {
        "down": f"{name[0]}1",
        "up": f"{name[0]}{board['rows']}",
        "left": f"a{name[1:]}",
        "right": f"{'abcdefg'[board['columns'] - 1]}{name[1:]}",
    }
    return edges[gravity]


def _reconcile(data: dict[str, Any]) -> None:
    """Take out rules that need others."""
    board, move, turn = data["board"], data["move"], data["turn"]
    setup = board["setup"]
    if move["must_flip"] and setup["first"] and setup["second"]:
        data["effect"]["flip"] = True
        turn["passing"] = "stuck" if turn["passing"] == "never" else turn["passing"]
    else:
        move["must_flip"] = False
    if setup["first"] or setup["second"]:
        turn["swap"] = False


# The whole rule space


@st.composite
def placing_variants(draw: st.DrawFn) -> Variant:
    """Kinds 'place' and 'drop': conditions, captures, groups, dominoes, repetition, every goal."""
    theme = draw(st.sampled_from(["free", "free", "groups", "no capture", "domino", "must flip", "drop"]))
    board = draw(any_boards(["square"] if theme == "domino" else KINDS_OF_BOARD))
    move: dict[str, Any] = {"kind": "drop" if theme == "drop" else "place"}
    effect: dict[str, Any] = {}
    turn = draw(any_turns()) | {"swap": draw(FLAG)}
    must_flip = theme == "must flip"
    if theme == "domino":
        move["domino"] = True
    elif theme == "groups":
        effect["surround"] = True
        move["keeps_liberty"] = draw(FLAG)
        turn["repeat"] = draw(st.sampled_from(["allowed", "ko", "ko", "superko"]))
    elif theme == "no capture":
        move |= {"captures_nothing": draw(FLAG), "keeps_liberty": draw(FLAG)}
    else:
        effect = draw(any_effects())
        effect |= {"flip": True} if must_flip else {}
    if must_flip or draw(RARELY):
        board["setup"] = draw(any_setups(board))
    if must_flip:
        move["must_flip"] = True
        turn["passing"] = draw(st.sampled_from(["stuck", "always"]))
    if theme == "drop":
        falls = draw(
            st.sampled_from([("columns", "down"), ("columns", "up"), ("rows", "left"), ("rows", "right")])
        )
        move["gravity"] = falls[1]
        board |= {"wrap": falls[0]} if board.get("wrap", "none") != "none" else {}
        effect = {key: effect[key] for key in ("flip", "infect") if key in effect}
    elif theme != "domino" and draw(RARELY):
        move["beside"] = draw(st.sampled_from(["own", "enemy", "any"]))
    end = draw(any_ends(board, without=["reach"]))
    if effect.keys() & {"surround", "take_enclosed"} or draw(RARELY):
        end["ply_cap"] = draw(st.integers(20, 100))
    return playable({"board": board, "move": move, "turn": turn, "effect": effect, "end": end})


@st.composite
def walking_variants(draw: st.DrawFn) -> Variant:
    """Kinds 'step' and 'slide': every way to go, captures, jumps, chains, shots, effects, every goal."""
    board, jumps = draw(any_boards()), draw(FLAG)
    board["setup"] = draw(any_setups(board, ["checkerboard", "rows", "none"] if jumps else PATTERNS))
    known = sorted(HEX_WAYS if "cells" in board else SQUARE_WAYS)
    ways = st.just(["all"]) | st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True)
    move: dict[str, Any] = {"kind": draw(st.sampled_from(["step", "slide"]))}
    if draw(FLAG) or not jumps:
        move["to_empty"] = draw(ways)
    if draw(FLAG):
        move["to_enemy"] = draw(ways)
    if jumps:
        move |= {"over_enemy": draw(ways), "must_jump": draw(RARELY)}
        move["chain"] = draw(st.sampled_from(["none", "straight", "any", "any"]))
    elif draw(FLAG):
        move["shoot"] = True
    effect = draw(any_effects()) if draw(FLAG) else {}
    end = draw(any_ends(board)) | {"ply_cap": draw(st.integers(20, 120))}
    return playable({"board": board, "move": move, "turn": draw(any_turns()), "effect": effect, "end": end})


@st.composite
def jumping_variants(draw: st.DrawFn) -> Variant:
    """Konane's and draughts' relatives: crowded boards with gaps, so that jumps and chains come up often."""
    board: dict[str, Any] = {"rows": draw(st.integers(4, 6)), "columns": draw(st.integers(4, 7))}
    board |= draw(st.sampled_from([{}, {}, {"cells": "hex"}, {"wrap": "columns"}, {"wrap": "both"}]))
    free = draw(st.permutations(cells_of(board)))
    third = len(free) // 3
    patterns = {
        "checkerboard": {"pattern": "checkerboard", "empty": free[: third + 2]},
        "mixed": {"first": free[:third], "second": free[third : 2 * third]},
    }
    board["setup"] = patterns[draw(st.sampled_from(sorted(patterns)))]
    known = (
        ["all", "forward", "sideways"] if "cells" in board else ["all", "orthogonal", "diagonal", "forward"]
    )
    move: dict[str, Any] = {
        "kind": draw(st.sampled_from(["step", "slide"])),
        "over_enemy": [draw(st.sampled_from(["all", *known]))],
        "chain": draw(st.sampled_from(["straight", "any", "any", "none"])),
        "must_jump": draw(FLAG),
    }
    move |= {"to_empty": [draw(st.sampled_from(known))]} if draw(FLAG) else {}
    without = ["line", "connect", "fork", "bridge", "ring"]
    end = draw(any_ends(board, without)) | {"ply_cap": draw(st.integers(40, 120))}
    effect = draw(any_effects()) if draw(RARELY) else {}
    return playable({"board": board, "move": move, "turn": draw(any_turns()), "effect": effect, "end": end})


@st.composite
def cloning_variants(draw: st.DrawFn) -> Variant:
    """Kind 'clone': Ataxx's relatives on any board, with any effects and goals."""
    board = draw(any_boards())
    board["setup"] = draw(any_setups(board))
    effect = {"infect": draw(st.sampled_from([True, True, False]))} | draw(any_effects())
    end = draw(any_ends(board)) | {"ply_cap": draw(st.integers(20, 120))}
    effect.pop("take_enclosed", None)
    turn = draw(any_turns())
    return playable({"board": board, "move": {"kind": "clone"}, "turn": turn, "effect": effect, "end": end})


@st.composite
def any_boards(draw: st.DrawFn, kinds: list[str] = KINDS_OF_BOARD) -> dict[str, Any]:
    """Cells of any kind and shape, with a few holes and no stones."""
    kind = draw(st.sampled_from(kinds))
    if kind in ("square", "rhombus"):
        board: dict[str, Any] = {"rows": draw(st.integers(1, 6)), "columns": draw(st.integers(2, 7))}
        board["wrap"] = draw(st.sampled_from(["none", "none", "columns", "rows", "both"]))
    else:
        side = draw(st.integers(3, 6) if kind == "triangle" else st.sampled_from([3, 5, 5]))
        board = {"rows": side, "columns": side, "shape": kind}
    if kind != "square":
        board["cells"] = "hex"
    elif draw(FLAG):
        board["adjacent"] = 8
    if draw(RARELY):
        board["holes"] = draw(st.lists(st.sampled_from(cells_of(board)), unique=True, max_size=3))
    return board


@st.composite
def any_setups(draw: st.DrawFn, board: dict[str, Any], patterns: Sequence[str] = PATTERNS) -> dict[str, Any]:
    """Stones of both colours: a pattern with cells left out, or anywhere."""
    free = sorted(set(cells_of(board)) - set(board.get("holes", [])))
    assume(len(free) > 2)
    pattern = draw(st.sampled_from([p for p in patterns if p != "corners" or "shape" not in board]))
    if pattern == "none" or board["rows"] == 1:
        mixed = draw(st.permutations(free))
        first = draw(st.integers(1, max(1, len(free) // 3)))
        second = draw(st.integers(1, max(1, len(free) // 3)))
        return {"first": mixed[:first], "second": mixed[first : first + second]}
    setup: dict[str, Any] = {"pattern": pattern}
    if pattern == "rows":
        setup["depth"] = draw(st.integers(1, min(2, board["rows"] // 2)))
    if pattern == "checkerboard" or draw(RARELY):
        cell = st.sampled_from(free)
        setup["empty"] = draw(st.lists(cell | st.tuples(cell, cell).map(":".join), min_size=1, max_size=6))
    return setup


@st.composite
def any_turns(draw: st.DrawFn) -> dict[str, Any]:
    """One move or several, with or without pass."""
    turn: dict[str, Any] = {"stones": draw(st.sampled_from([1, 1, 1, 2, 3])), "passing": draw(PASSING)}
    if draw(RARELY):
        turn["first_stones"] = draw(st.integers(1, 4))
    return turn


def any_effects() -> st.SearchStrategy[dict[str, Any]]:
    """Each effect or not."""
    lengths = st.integers(1, 3)
    effects = {
        "flip": st.just(True),
        "infect": st.just(True),
        "surround": st.just(True),
        "take_enclosed": lengths,
    }
    return st.sets(st.sampled_from(sorted(effects)), max_size=3).flatmap(
        lambda keys: st.fixed_dictionaries({key: effects[key] for key in sorted(keys)})
    )


@st.composite
def any_ends(draw: st.DrawFn, board: dict[str, Any], without: Sequence[str] = ()) -> dict[str, Any]:
    """Up to four goals, some for each colour its own."""
    side = st.sampled_from(SIDES[board.get("shape", "full")])
    values = {
        "line": by_colour(st.sampled_from([2, 3, 3, 4, 4, 5, 5])),
        "connect": by_colour(st.lists(side, min_size=2, max_size=3, unique=True)),
        "fork": st.integers(2, 4),
        "bridge": st.integers(2, 3),
        "ring": st.just(True),
        "reach": by_colour(side),
        "capture": by_colour(st.integers(1, 5)),
        "eliminate": st.just(True),
        "count": st.sampled_from(["stones", "area"]),
        "stuck": st.sampled_from(["loses", "wins", "first", "second"]),
    }
    whole_hex = "cells" in board and board.get("wrap", "none") == "none" and not board.get("holes")
    known = [goal for goal in GOALS if goal not in without and (goal != "ring" or whole_hex)]
    most = draw(st.sampled_from([1, 1, 2, 4]))
    goals = draw(st.lists(st.sampled_from(known), unique=True, min_size=1, max_size=most))
    end: dict[str, Any] = {goal: draw(values[goal]) for goal in goals}
    if "line" in end and draw(RARELY):
        end["exact"] = True
    if "count" in end and draw(FLAG):
        end["komi"] = draw(st.integers(-6, 6)) / 2
    if draw(RARELY):
        end["misere"] = True
    return end


def by_colour(value: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A value for both colours, one for each, or one for a single colour."""
    each = st.fixed_dictionaries({"first": value, "second": value})
    return st.one_of(
        value, each, value.map(lambda only: {"first": only}), value.map(lambda only: {"second": only})
    )


def cells_of(board: dict[str, Any]) -> list[str]:
    """Names of the cells of a drawn board, holes included."""
    shape = {key: board[key] for key in ("rows", "columns", "cells", "shape") if key in board}
    return sorted(name_of(square) for square in inside_the_shape(Board(**shape)))


def playable(data: dict[str, Any]) -> Variant:
    """The drawn variant without the keys that the schema refuses; nobody is stuck or done at its start."""
    if data["end"].get("stuck") in ("loses", "wins") and not data["move"].get("must_flip"):
        data["turn"]["passing"] = "never"
    while True:
        try:
            variant = Variant.from_dict(data, where="drawn")
        except VariantError as error:
            _strike(data, key=str(error).split(": ")[1])
            continue
        game = ReferenceGame(variant)
        assume(game.legal() and not _is_decided(game))
        return variant


def _strike(data: dict[str, Any], *, key: str) -> None:
    """Take out the key that an error names, or give a variant without goals one."""
    if key == "end":
        data["end"]["count"] = "stones"
        return
    section, _, rest = key.partition(".")
    assume(rest in data[section] and key != "move.kind")
    del data[section][rest]


def _is_decided(game: ReferenceGame) -> bool:
    """Whether a set-up for placing games already has a group that reaches a goal."""
    groups = {colour: game.table.regions(game.table.of(colour)) for colour in "xo"}
    done = False
    for game.colour in "ox":
        done |= any(game.is_goal(group) for group in groups[game.colour])
    return done and game.variant.move.kind in ("place", "drop")
