"""`Space`: which rule variants may be drawn, and how often; readable from TOML.

    rows = [5, 7]
    kinds = { place = 3, drop = 1 }
    goals = { line = 2, connect = 1 }
    misere = 0.2

Weights are relative: what isn't named has weight 0. Shares are probabilities. What doesn't fit together (a
ring on a square board) is never drawn, whatever its weight.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from games.encoding import MAX_SIZE
from games.errors import SpaceError

Preset = Literal["lines", "connecting", "placing", "stepping", "everything"]
Cells = Literal["square", "hex"]
Shape = Literal["full", "triangle", "hexagon"]
Wrap = Literal["none", "columns", "rows", "both"]
Kind = Literal["place", "drop", "step", "slide", "clone"]
Condition = Literal[
    "anywhere",
    "must_flip",
    "beside_own",
    "beside_enemy",
    "beside_any",
    "keeps_liberty",
    "captures_nothing",
    "domino",
]
Effect = Literal["none", "flip", "take_enclosed", "infect", "surround"]
Taking = Literal["nothing", "replace", "jump"]
Pattern = Literal["rows", "checkerboard", "corners"]
Goal = Literal[
    "line",
    "connect",
    "fork",
    "bridge",
    "ring",
    "reach",
    "capture",
    "eliminate",
    "stones",
    "area",
    "stuck",
]


def _some_weight(weights: Mapping[str, float]) -> Mapping[str, float]:
    if min(weights.values(), default=0) < 0 or not any(weights.values()):
        raise ValueError("expected weights of at least 0, one of them above 0")
    return weights


def _ordered(limits: tuple[int, int]) -> tuple[int, int]:
    if limits[0] > limits[1]:
        raise ValueError(f"expected the least and the most, got {limits[0]} and {limits[1]}")
    return limits


_Some = AfterValidator(_some_weight)
_Size = Annotated[int, Field(ge=2, le=MAX_SIZE)]
_Sizes = Annotated[tuple[_Size, _Size], Field(strict=False), AfterValidator(_ordered)]
_Lengths = Annotated[
    tuple[Annotated[int, Field(ge=2)], Annotated[int, Field(ge=2)]],
    Field(strict=False),
    AfterValidator(_ordered),
]
_Share = Annotated[float, Field(ge=0, le=1)]


class Space(BaseModel):
    """A described set of rule variants. Defaults are the preset 'everything'."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    rows: _Sizes = Field((4, 7), description="least and most rows")
    columns: _Sizes = Field((4, 7), description="least and most columns")
    equal_sides: _Share = Field(0.6, description="share of boards with as many rows as columns")
    cells: Annotated[dict[Cells, float], _Some] = Field(
        {"square": 3.0, "hex": 1.0}, description="weights of the cells' shapes"
    )
    shapes: Annotated[dict[Shape, float], _Some] = Field(
        {"full": 2.0, "triangle": 1.0, "hexagon": 1.0},
        description="weights of outlines, for hex cells",
    )
    wraps: Annotated[dict[Wrap, float], _Some] = Field(
        {"none": 6.0, "columns": 1.0, "rows": 1.0, "both": 1.0},
        description="weights of touching edges, for full boards",
    )
    touch_eight: _Share = Field(0.4, description="share of square boards whose cells touch eight others")
    holes: _Share = Field(0.15, description="share of boards with holes, which are placed symmetrically")
    max_holes: int = Field(4, ge=1, description="holes at most")
    kinds: Annotated[dict[Kind, float], _Some] = Field(
        {"place": 4.0, "drop": 2.0, "step": 3.0, "slide": 2.0, "clone": 1.0},
        description="weights of what a move does",
    )
    conditions: Annotated[dict[Condition, float], _Some] = Field(
        {
            "anywhere": 6.0,
            "must_flip": 2.0,
            "beside_own": 1.0,
            "beside_enemy": 1.0,
            "beside_any": 1.0,
            "keeps_liberty": 1.0,
            "captures_nothing": 1.0,
            "domino": 0.5,
        },
        description="weights of where stones may be placed",
    )
    effects: Annotated[dict[Effect, float], _Some] = Field(
        {
            "none": 4.0,
            "flip": 1.0,
            "take_enclosed": 1.0,
            "infect": 1.0,
            "surround": 1.0,
        },
        description="weights of what a move does to other stones",
    )
    takings: Annotated[dict[Taking, float], _Some] = Field(
        {"nothing": 1.0, "replace": 3.0, "jump": 2.0},
        description="weights of how stones that move capture",
    )
    patterns: Annotated[dict[Pattern, float], _Some] = Field(
        {"rows": 4.0, "checkerboard": 1.0, "corners": 1.0},
        description="weights of the set-up of stones that move",
    )
    shoot: _Share = Field(0.1, description="share of games of moving stones in which they shoot")
    goals: Annotated[dict[Goal, float], _Some] = Field(
        {
            "line": 4.0,
            "connect": 3.0,
            "fork": 0.5,
            "bridge": 0.5,
            "ring": 0.5,
            "reach": 3.0,
            "capture": 1.5,
            "eliminate": 1.0,
            "stones": 2.0,
            "area": 1.0,
            "stuck": 2.0,
        },
        description="weights of goals",
    )
    second_goal: _Share = Field(0.15, description="share of variants with a second goal beside the first")
    lines: _Lengths = Field((3, 6), description="least and most stones in a line")
    exact: _Share = Field(0.1, description="share of line goals where longer lines don't count")
    uneven: _Share = Field(0.05, description="share of line goals that differ by colour")
    misere: _Share = Field(0.1, description="share of variants where who reaches the goal loses")
    two_moves: _Share = Field(0.15, description="share of variants with two moves a turn, the first turn one")
    swap: _Share = Field(0.1, description="share of variants with the swap rule, where stones are placed")

    @classmethod
    def preset(cls, name: Preset) -> Space:
        """A space that ships: 'lines', 'connecting', 'placing', 'stepping' or 'everything'.

        Raises:
            SpaceError: no such preset; one line.
        """
        if name not in PRESETS:
            raise SpaceError(f"unknown preset {name!r}: expected one of {', '.join(PRESETS)}")
        return cls(**PRESETS[name])

    @classmethod
    def from_toml(cls, text: str, *, where: str = "space") -> Space:
        """Read a space; raises `SpaceError` with one line: the key, what was expected, what was given."""
        try:
            return cls.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise SpaceError(f"{where}: not valid TOML: {error}") from None
        except ValidationError as error:
            raise SpaceError(f"{where}: {_one_line(error)}") from None

    @classmethod
    def load(cls, name_or_path: str | Path) -> Space:
        """A preset by name, or a space of your own by the path of its TOML file.

        Raises:
            SpaceError: no such preset or file, or a space that can't be read; one line.
        """
        path = Path(name_or_path)
        if path.suffix != ".toml" and not path.exists():
            return cls.preset(str(name_or_path))  # type: ignore[arg-type]  # which is what it checks
        try:
            return cls.from_toml(path.read_text(encoding="utf-8"), where=str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise SpaceError(f"{path}: can't read the space: {error}") from None


PRESETS: dict[str, dict[str, Any]] = {
    "lines": {
        "kinds": {"place": 3.0, "drop": 2.0},
        "conditions": {"anywhere": 1.0},
        "effects": {"none": 1.0},
        "goals": {"line": 1.0},
        "second_goal": 0.0,
    },
    "connecting": {
        "kinds": {"place": 1.0},
        "cells": {"square": 1.0, "hex": 3.0},
        "wraps": {"none": 1.0},
        "conditions": {"anywhere": 4.0, "beside_own": 1.0, "beside_any": 1.0},
        "effects": {"none": 4.0, "flip": 1.0, "take_enclosed": 1.0, "infect": 1.0},
        "goals": {"connect": 4.0, "fork": 1.0, "bridge": 1.0, "ring": 1.0},
    },
    "placing": {"kinds": {"place": 4.0, "drop": 1.0}},
    "stepping": {"kinds": {"step": 3.0, "slide": 2.0, "clone": 1.0}},
    "everything": {},
}
"""What each preset changes."""


def _one_line(error: ValidationError) -> str:
    """The first problem of a pydantic error: where, what was expected, what was given."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{where}: unknown key; expected one of {', '.join(Space.model_fields)}"
    if first["type"] == "literal_error":
        return f"{where.removesuffix('.[key]')}: expected {first['ctx']['expected']}"
    message = first["msg"].removeprefix("Value error, ")
    given = "" if first["type"] == "value_error" else f", got {first['input']!r}"
    return f"{where}: {message[0].lower()}{message[1:]}{given}"
