"""Drafting: draw the rules of a variant from a `Space`, part by part, so that the parts fit together.

A draft is a variant's data as TOML would hold it. It may still be refused (a hole under a stone, a line
longer than its board): `games.sampling` then draws again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from games.geometry import cut_cells
from games.notation import cell_name
from games.sampling.space import Space

Draft = dict[str, dict[str, Any]]
_T = TypeVar("_T")

_SQUARE_WAYS = (
    ("forward",),
    ("forward-diagonal",),
    ("forward", "forward-diagonal"),
    ("forward", "sideways"),
    ("orthogonal",),
    ("diagonal",),
    ("all",),
)
_HEX_WAYS = (("forward",), ("forward", "sideways"), ("all",))
"""Ways that stones may go, from one to all; each holds a way forward."""

_CROSSED = {"first": ["top", "bottom"], "second": ["left", "right"]}
_SIDES_OF = {
    "full": [["top", "bottom"], ["left", "right"]],
    "triangle": [["top", "diagonal", "left"]],
    "hexagon": [["top", "bottom"], ["upper-left", "lower-right"], ["top", "right", "bottom"]],
}
_CAPTURES = (2, 8)
"""Least and most captured stones that win."""


class NothingFits(ValueError):
    """No option with a weight fits what was drawn before."""


class Dice:
    """Random choices from one stream; only `random()` is used, which all numpy versions draw alike."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)

    def chance(self, share: float) -> bool:
        """True in a share of all cases."""
        return bool(self._generator.random() < share)

    def between(self, least: int, most: int) -> int:
        """A whole number from `least` to `most`."""
        return least + int(self._generator.random() * (most - least + 1))

    def one_of(self, options: Sequence[_T]) -> _T:
        """Each option is as likely."""
        return options[self.between(0, len(options) - 1)]

    def pick(self, weights: Mapping[Any, float], among: Collection[str] | None = None) -> str:
        """An option by its weight, of those in `among` if given; raises `NothingFits`."""
        known = sorted(key for key in weights if among is None or key in among)
        total = sum(weights[key] for key in known)
        if not total > 0:
            raise NothingFits(f"none of {', '.join(sorted(weights))} fits what was drawn before")
        point = self._generator.random() * total
        for key in known:
            point -= weights[key]
            if point < 0:
                return str(key)
        return str(next(key for key in reversed(known) if weights[key]))


def draft(space: Space, dice: Dice) -> Draft:
    """The data of one variant; raises `NothingFits` where the draws lead to a dead end."""
    kind = dice.pick(space.kinds)
    data: Draft = {
        "board": _draw_board(space, dice, kind),
        "move": {"kind": kind},
        "turn": {},
        "effect": {},
        "end": {},
    }
    {"place": _draw_placing, "drop": _draw_dropping, "clone": _draw_cloning}.get(kind, _draw_walking)(
        space, dice, data
    )
    if kind not in ("place", "drop"):  # half of the default, since small boards are decided sooner
        data["end"]["ply_cap"] = 4 * data["board"]["rows"] * data["board"]["columns"]
    _draw_goals(space, dice, data)
    _draw_turn(space, dice, data)
    return {section: values for section, values in data.items() if values}


# --- board --------------------------------------------------------------------------------------------------


def _draw_board(space: Space, dice: Dice, kind: str) -> dict[str, Any]:
    rows = dice.between(*space.rows)
    columns = rows if dice.chance(space.equal_sides) else dice.between(*space.columns)
    board: dict[str, Any] = {"rows": rows, "columns": columns, "cells": dice.pick(space.cells)}
    shape = "full"
    if board["cells"] == "hex":
        shape = dice.pick(space.shapes)
    if shape != "full":
        board |= {"shape": shape, "columns": rows}
    if shape == "hexagon" and rows % 2 == 0:
        raise NothingFits("a hexagon needs an odd number of rows")
    if shape == "full":
        board["wrap"] = dice.pick(space.wraps, ("none", "columns", "rows") if kind == "drop" else None)
    if board["cells"] == "square" and dice.chance(space.touch_eight):
        board["adjacent"] = 8
    if shape != "triangle" and dice.chance(space.holes):
        board["holes"] = _draw_holes(space, dice, board)
    return board


def _draw_holes(space: Space, dice: Dice, board: dict[str, Any]) -> list[str]:
    """Names of holes: each cell and the one that a half turn carries it to."""
    rows, columns = board["rows"], board["columns"]
    cut = cut_cells(board.get("shape", "full"), rows, columns)
    inside = [cell for cell in range(rows * columns) if cell not in cut]
    cells: set[int] = set()
    for _ in range(dice.between(1, max(1, space.max_holes // 2))):
        cell = dice.one_of(inside)
        pair = {cell, rows * columns - 1 - cell}
        cells |= pair if len(cells | pair) <= space.max_holes else set()
    return [cell_name(cell, rows=rows, columns=columns) for cell in sorted(cells)]


# --- moves --------------------------------------------------------------------------------------------------


def _draw_placing(space: Space, dice: Dice, data: Draft) -> None:
    move, effect = data["move"], data["effect"]
    condition = dice.pick(space.conditions)
    calm = condition in ("captures_nothing", "domino")
    fitting = ("none",) if calm else ("none", "surround") if condition == "keeps_liberty" else None
    if condition == "must_flip":
        fitting = ("flip",)
    chosen = dice.pick(space.effects, fitting)
    _set_effect(dice, effect, chosen)
    if condition.startswith("beside"):
        move["beside"] = condition.removeprefix("beside_")
    elif condition != "anywhere":
        move[condition] = True
    if condition == "must_flip" or (chosen == "flip" and dice.chance(0.5)):
        data["board"]["setup"] = {"pattern": "centre"}
    if effect.get("surround"):
        move["keeps_liberty"] = True
        data["turn"]["repeat"] = dice.one_of(("ko", "superko"))


def _draw_dropping(space: Space, dice: Dice, data: Draft) -> None:
    upright = ("down", "up") if data["board"].get("wrap") != "rows" else ()
    level = ("left", "right") if data["board"].get("wrap") != "columns" else ()
    data["move"]["gravity"] = "down" if upright and dice.chance(0.7) else dice.one_of((*upright, *level))
    _set_effect(dice, data["effect"], dice.pick(space.effects, ("none", "flip", "infect")))


def _draw_cloning(space: Space, dice: Dice, data: Draft) -> None:
    data["board"]["setup"] = _draw_setup(space, dice, data, ("corners", "rows"))
    _set_effect(dice, data["effect"], dice.pick(space.effects, ("flip", "infect")))


def _draw_walking(space: Space, dice: Dice, data: Draft) -> None:
    """Stones that step or slide."""
    move, board = data["move"], data["board"]
    if board.get("shape") == "triangle":
        raise NothingFits("stones that move start the same for both colours, which no triangle allows")
    taking = dice.pick(space.takings)
    ways = _HEX_WAYS if board["cells"] == "hex" else _SQUARE_WAYS
    board["setup"] = _draw_setup(space, dice, data, None)
    if taking == "nothing" or board["setup"]["pattern"] != "checkerboard" or dice.chance(0.5):
        move["to_empty"] = list(dice.one_of(ways))
    if taking == "replace":
        move["to_enemy"] = list(dice.one_of(ways))
    if taking == "jump":
        move |= {"over_enemy": list(dice.one_of(ways)), "must_jump": dice.chance(0.3)}
        move["chain"] = dice.one_of(("none", "straight", "any"))
    if "to_empty" in move and taking != "jump" and dice.chance(space.shoot):
        move["shoot"] = True
    if taking == "nothing":
        _set_effect(dice, data["effect"], dice.pick(space.effects))


def _draw_setup(space: Space, dice: Dice, data: Draft, fitting: Collection[str] | None) -> dict[str, Any]:
    """Stones to move with; some are left out of a checkerboard unless they can capture at once."""
    pattern = dice.pick(space.patterns, fitting)
    setup: dict[str, Any] = {"pattern": pattern}
    rows, columns = data["board"]["rows"], data["board"]["columns"]
    if pattern == "rows":
        setup["depth"] = dice.between(1, max(1, min(2, (rows - 2) // 2)))
    if pattern == "checkerboard" and (rows > 2 and columns > 2):
        middle = (rows // 2 * columns + columns // 2, (rows - 1 - rows // 2) * columns + (columns - 1) // 2)
        names = {cell_name(cell, rows=rows, columns=columns) for cell in middle}
        setup["empty"] = sorted(names - set(data["board"].get("holes", ())))
    return {key: value for key, value in setup.items() if value}


def _set_effect(dice: Dice, effect: dict[str, Any], chosen: str) -> None:
    if chosen == "take_enclosed":
        effect["take_enclosed"] = dice.one_of((1, 2, 2))
    elif chosen != "none":
        effect[chosen] = True


# --- goals and turns ----------------------------------------------------------------------------------------


def _draw_goals(space: Space, dice: Dice, data: Draft) -> None:
    possible = _possible_goals(data)
    first = dice.pick(space.goals, possible)
    _set_goal(space, dice, data, first)
    compatible = _beside(first, possible)
    if any(weight for goal, weight in space.goals.items() if goal in compatible) and dice.chance(
        space.second_goal
    ):
        _set_goal(space, dice, data, dice.pick(space.goals, compatible))
    end = data["end"]
    if data["move"]["kind"] in ("step", "slide") and "count" not in end:
        end.setdefault("stuck", "loses")
    if dice.chance(space.misere):
        end["misere"] = True


def _beside(goal: str, possible: Collection[str]) -> list[str]:
    """Goals that may stand beside another: only one of them looks at the board when the game stops."""
    last = ("stones", "area", "stuck")
    return [other for other in possible if other != goal and not (goal in last and other in last)]


def _possible_goals(data: Draft) -> list[str]:
    """Goals that the board and the moves allow to be reached."""
    board, move, effect = data["board"], data["move"], data["effect"]
    placing = move["kind"] in ("place", "drop")
    flat, hexagonal = board.get("wrap", "none") == "none", board["cells"] == "hex"
    removes = bool({"to_enemy", "over_enemy"} & move.keys() or {"take_enclosed", "surround"} & effect.keys())
    changes = removes or bool({"flip", "infect"} & effect.keys())
    narrows = {"beside", "keeps_liberty", "captures_nothing", "domino"} & move.keys() and not effect
    allowed = {
        "line": True,
        "connect": flat,
        "fork": flat and hexagonal,
        "bridge": flat and hexagonal,
        "ring": flat and hexagonal and not board.get("holes") and not move.get("shoot"),
        "reach": flat and not placing,
        "capture": removes,
        "eliminate": changes,
        "stones": changes or move["kind"] == "clone",
        "area": bool(effect.get("surround")) and move["kind"] == "place",
        "stuck": bool(narrows) or not placing,
    }
    return [goal for goal, possible in allowed.items() if possible]


def _set_goal(space: Space, dice: Dice, data: Draft, goal: str) -> None:
    end, board = data["end"], data["board"]
    if goal == "line":
        end |= _draw_line(space, dice, board)
    elif goal == "connect":
        end["connect"] = _draw_sides(dice, board)
    elif goal == "fork":
        end["fork"] = 3
    elif goal == "bridge":
        end["bridge"] = 2
    elif goal == "reach":
        end["reach"] = {"first": "top", "second": "bottom"}
    elif goal == "capture":
        end["capture"] = dice.between(*_CAPTURES)
    elif goal in ("stones", "area"):
        end["count"] = goal
        if dice.chance(0.5):
            end["komi"] = 0.5 * dice.one_of((1, 1, 3, 7) if goal == "area" else (1,))
    elif goal == "stuck":
        end["stuck"] = "loses" if dice.chance(0.8) else "wins"
    else:
        end[goal] = True


def _draw_line(space: Space, dice: Dice, board: dict[str, Any]) -> dict[str, Any]:
    least, most = space.lines
    length = dice.between(least, max(least, min(most, max(board["rows"], board["columns"]))))
    end: dict[str, Any] = {"line": length}
    if dice.chance(space.exact):
        end["exact"] = True
    if dice.chance(space.uneven):
        end["line"] = {"first": length + 1, "second": length}
    return end


def _draw_sides(dice: Dice, board: dict[str, Any]) -> Any:
    """Sides to connect: for each colour its own pair, or the same for both."""
    shape = board.get("shape", "full")
    if shape == "full" and dice.chance(0.6):
        return _CROSSED
    return dice.one_of(_SIDES_OF[shape])


def _draw_turn(space: Space, dice: Dice, data: Draft) -> None:
    turn, move, end = data["turn"], data["move"], data["end"]
    if end.get("count") == "area":
        turn["passing"] = "always"
    elif move.get("must_flip") or ("count" in end and move["kind"] != "drop"):
        turn["passing"] = "stuck"
    if dice.chance(space.two_moves):
        turn |= {"stones": 2, "first_stones": 1}
    placing = move["kind"] in ("place", "drop")
    if placing and "setup" not in data["board"] and dice.chance(space.swap):
        turn["swap"] = True
