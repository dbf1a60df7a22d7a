"""Hypothesis strategies: any variant that the schema allows, on boards small enough to play through."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from games.errors import VariantError
from games.notation import cell_name
from games.variant import Variant

FLAG = st.booleans()


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
        data["end"] |= {"line": None, "exact": False, "majority": True}
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
    goals = [{"majority": True}, {"line": 3}, {"line": 3, "majority": True}, {"line": 3, "exact": True}]
    data = {
        "board": {"rows": rows, "columns": columns, "wrap": wrap, "setup": setup},
        "move": {"must_flip": draw(FLAG)},
        "turn": {"pass_when_stuck": True, "stones": draw(st.integers(1, 2))},
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
    turn |= {"swap": draw(FLAG), "pass_when_stuck": draw(FLAG)}
    if draw(FLAG):
        turn["first_stones"] = draw(st.integers(1, 4))
    return turn


@st.composite
def ends(draw: st.DrawFn) -> dict[str, Any]:
    """A line, a majority, or both, turned round or not, capped or not."""
    end: dict[str, Any] = {"misere": draw(FLAG), "majority": draw(FLAG)}
    if draw(FLAG) or not end["majority"]:
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
        turn["pass_when_stuck"] = data["effect"]["flip"] = True
    else:
        move["must_flip"] = False
    if setup["first"] or setup["second"]:
        turn["swap"] = False
