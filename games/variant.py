"""`Variant`: a rule variant as a person writes it, in TOML, checked before anything runs.

A variant is data. Every key has a default but the board's size and the goal; unknown keys are errors.
`Variant.digest` names the rules (not the title or the texts): two variants with equal rules share it.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

import numpy as np
import tomli_w
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from games.encoding import MAX_SIZE
from games.errors import VariantError
from games.geometry import cut_cells, neighbor_table, side_cells, touching_directions, way_directions
from games.notation import parse_block
from games.variant_errors import one_line, syntax_error

Direction = Literal["down", "up", "left", "right"]
Side = Literal["top", "bottom", "left", "right", "diagonal", "upper-left", "lower-right"]
Way = Literal[
    "forward",
    "forward-diagonal",
    "sideways",
    "backward",
    "backward-diagonal",
    "orthogonal",
    "diagonal",
    "all",
]
_T = TypeVar("_T")

MAX_PLY_CAP = 4096
"""The largest ply cap a variant may have."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ByColour(_Section, Generic[_T]):
    """A value for each colour, where the two differ; a colour that is left out has none."""

    first: _T | None = Field(None, description="for the first colour")
    second: _T | None = Field(None, description="for the second colour")


Sides = Annotated[tuple[Side, ...], Field(strict=False)]
Ways = Annotated[tuple[Way, ...], Field(strict=False)]
Names = Annotated[tuple[str, ...], Field(strict=False)]


class Setup(_Section):
    """Stones on the board before the first move."""

    first: Names = Field(
        (),
        description="cells of the first colour, such as 'e4', or blocks such as 'a1:h2'",
        examples=[["b2", "d2:f3"]],
    )
    second: Names = Field((), description="cells or blocks of the second colour", examples=[["e5"]])
    pattern: Literal["none", "checkerboard", "rows", "corners", "centre"] = Field(
        "none",
        description="'checkerboard': colours alternate, a1 is the first's; 'rows': the first's stones fill "
        "the lowest `depth` rows, the second's the highest; 'corners': the first has upper left and lower "
        "right, the second the other two; 'centre': two crossed stones each in the middle, as in Othello",
        examples=["centre"],
    )
    depth: int = Field(2, ge=1, description="rows that pattern 'rows' fills on each side", examples=[1])
    empty: Names = Field(
        (), description="cells or blocks that the pattern leaves empty", examples=[["c3", "d3"]]
    )


class Board(_Section):
    """The cells and how they touch."""

    rows: int = Field(ge=1, le=MAX_SIZE, description="number of rows", examples=[6])
    columns: int = Field(ge=1, le=MAX_SIZE, description="number of columns", examples=[7])
    cells: Literal["square", "hex"] = Field(
        "square",
        description="'square': lines run in 8 directions; 'hex': cells have 6 neighbours, lines 3 axes",
        examples=["hex"],
    )
    shape: Literal["full", "triangle", "hexagon"] = Field(
        "full",
        description="'full': every cell (a rhombus for hex cells); 'triangle': side = rows = columns, the "
        "upper left half; 'hexagon': rows = columns = 2 * side - 1; the last two are for hex cells",
        examples=["hexagon"],
    )
    adjacent: Literal[4, 8] = Field(
        4,
        description="square cells touch 4 or 8 others: for groups, connection, 'beside', infection, clones",
        examples=[8],
    )
    wrap: Literal["none", "columns", "rows", "both"] = Field(
        "none",
        description="'columns': left and right edge touch; 'rows': top and bottom; 'both': a torus",
        examples=["columns"],
    )
    holes: Names = Field(
        (),
        description="cells or blocks such as 'c3:d4' that are not part of the board",
        examples=[["a1", "c3:d4"]],
    )
    setup: Setup = Field(default_factory=Setup, description="stones before the first move")


class Move(_Section):
    """What a player does with one move."""

    kind: Literal["place", "drop", "step", "slide", "clone"] = Field(
        "place",
        description="'place': a stone on an empty cell; 'drop': on an empty cell that gravity holds; 'step': "
        "an own stone to a neighbouring cell; 'slide': an own stone any distance along a line of empty "
        "cells; 'clone': a new stone beside an own one, or an own stone jumps to a cell at distance two",
        examples=["drop"],
    )
    gravity: Direction = Field("down", description="where stones fall, for kind 'drop'", examples=["left"])
    must_flip: bool = Field(
        False, description="a stone may only be placed where it flips (Othello)", examples=[True]
    )
    beside: Literal["anywhere", "own", "enemy", "any"] = Field(
        "anywhere",
        description="a stone may only be placed touching such a stone, once there is one on the board",
        examples=["any"],
    )
    keeps_liberty: bool = Field(
        False,
        description="a placed stone's group must touch an empty cell after its captures (no suicide)",
        examples=[True],
    )
    captures_nothing: bool = Field(
        False,
        description="a stone may not take the last liberty of an opposing group (NoGo)",
        examples=[True],
    )
    domino: bool = Field(
        False,
        description="a stone covers two cells: the first colour's an upper and the one below, the second's a "
        "left and the one to its right; the move is named by the upper or left cell (Domineering)",
        examples=[True],
    )
    to_empty: Ways = Field(
        (),
        description="ways to an empty cell, for 'step' and 'slide'; forward is up for the first colour",
        examples=[["forward", "forward-diagonal"]],
    )
    to_enemy: Ways = Field(
        (),
        description="ways onto an opposing stone, which is captured by replacement",
        examples=[["forward-diagonal"]],
    )
    over_enemy: Ways = Field(
        (),
        description="ways to jump over a neighbouring opposing stone onto the empty cell behind; captures it",
        examples=[["orthogonal"]],
    )
    chain: Literal["none", "straight", "any"] = Field(
        "none",
        description="after a jump the same stone may jump on (or stop: pass), 'straight': in the same "
        "direction only",
        examples=["straight"],
    )
    must_jump: bool = Field(
        False,
        description="who can jump must, and must jump on while the chain goes on",
        examples=[True],
    )
    shoot: bool = Field(
        False,
        description="the moved stone then shoots any distance along `to_empty` ways over empty cells and "
        "destroys the cell it hits (Amazons)",
        examples=[True],
    )


class Turn(_Section):
    """How many moves a turn has, and what else may be chosen."""

    stones: int = Field(
        1,
        ge=1,
        le=4,
        description="stones a player places, or moves a player makes, in one turn",
        examples=[2],
    )
    first_stones: int | None = Field(
        None, ge=1, le=4, description="the same for the very first turn; default: `stones`", examples=[1]
    )
    swap: bool = Field(
        False, description="after the first turn the second player may take it over", examples=[True]
    )
    passing: Literal["never", "stuck", "always"] = Field(
        "never",
        description="when a player may pass ('stuck': only without another move); two passes in a row end "
        "the game",
        examples=["stuck"],
    )
    repeat: Literal["allowed", "ko", "superko"] = Field(
        "allowed",
        description="'ko': a single stone that took a single stone may not be taken back at once; 'superko': "
        "no placement may bring the board back to any earlier position",
        examples=["superko"],
    )


class Effect(_Section):
    """What a move does to other stones."""

    flip: bool = Field(
        False, description="opposing lines that the stone encloses change colour (Othello)", examples=[True]
    )
    take_enclosed: int | None = Field(
        None,
        ge=1,
        le=6,
        description="enclosed lines of exactly this many opposing stones are captured (Pente: 2)",
        examples=[2],
    )
    infect: bool = Field(
        False, description="opposing stones that touch the stone change colour (Ataxx)", examples=[True]
    )
    surround: bool = Field(
        False,
        description="groups that touch no empty cell are captured, the opponent's first (Go)",
        examples=[True],
    )


class End(_Section):
    """How the game ends. A goal is reached by the player who moves, at once; several may stand together."""

    line: int | ByColour[int] | None = Field(
        None,
        description="a placed, moved or flipped stone in a line of at least this many of its colour",
        examples=[5, {"first": 5, "second": 4}],
    )
    exact: bool = Field(False, description="longer lines don't count", examples=[True])
    connect: Sides | ByColour[Sides] | None = Field(
        None,
        description="a group that touches all these sides of the board",
        examples=[["top", "bottom"], {"first": ["top", "bottom"], "second": ["left", "right"]}],
    )
    fork: int | None = Field(
        None,
        ge=2,
        le=6,
        description="a group that touches this many sides, corners not counted (Havannah: 3)",
        examples=[3],
    )
    bridge: int | None = Field(
        None, ge=2, le=6, description="a group that touches this many corners (Havannah: 2)", examples=[2]
    )
    ring: bool = Field(
        False, description="a group that closes a ring around at least one cell (Havannah)", examples=[True]
    )
    reach: Side | ByColour[Side] | None = Field(
        None,
        description="a stone that moves onto this side of the board",
        examples=[{"first": "top", "second": "bottom"}],
    )
    capture: int | ByColour[int] | None = Field(
        None, description="this many captured stones, in the whole game", examples=[10]
    )
    eliminate: bool = Field(
        False, description="the opponent has no stone left, by capture or change of colour", examples=[True]
    )
    stuck: Literal["draw", "loses", "wins", "first", "second"] = Field(
        "draw",
        description="where nobody may pass: the player to move who can't 'loses', 'wins', or it is a 'draw'; "
        "'first', 'second': this colour wins when the game stops without a goal",
        examples=["loses"],
    )
    count: Literal["none", "stones", "area"] = Field(
        "none",
        description="when the game stops (nobody can move, or two passes) the goal is to have more 'stones', "
        "or more 'area': stones and empty regions that touch no other colour",
        examples=["area"],
    )
    komi: float = Field(
        0.0,
        ge=-400,
        le=400,
        multiple_of=0.5,
        description="added to the second colour's count",
        examples=[6.5],
    )
    misere: bool = Field(False, description="who reaches the goal loses", examples=[True])
    ply_cap: int | None = Field(
        None,
        ge=1,
        le=MAX_PLY_CAP,
        description="after this many actions it is a draw; default: 1 to 12 times the cells, by kind of move",
        examples=[200],
    )


class Variant(_Section):
    """One rule variant. Build it with `games.load`, `Variant.from_toml`, or directly."""

    name: str = Field(
        "unnamed",
        description="short name, used in file names; a file without it is called like the file",
        examples=["ring"],
    )
    title: str = Field("", description="the name a person reads", examples=["Ring"])
    rules: str = Field(
        "", description="the rules in a sentence or two", examples=["Drop a stone. Five in line win."]
    )
    source: str = Field("", description="where the rules come from", examples=["A. Friend, 2025"])
    board: Board
    move: Move = Field(default_factory=Move)
    turn: Turn = Field(default_factory=Turn)
    effect: Effect = Field(default_factory=Effect)
    end: End = Field(default_factory=End)

    @classmethod
    def from_toml(cls, text: str, *, name: str, where: str | None = None) -> Variant:
        """Read one variant.

        Args:
            text: TOML of one variant.
            name: used where the text has no `name`.
            where: what an error message calls the source; default: the name.

        Raises:
            VariantError: one line with the place, what was expected and what was given.
        """
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise VariantError(f"{where or name}: {syntax_error(error)}") from None
        except RecursionError:
            raise VariantError(f"{where or name}: expected TOML of a few levels, got too many") from None
        return cls.from_dict({"name": name, **data}, where=where or name, text=text)

    @classmethod
    def from_dict(cls, data: dict[str, Any], *, where: str, text: str = "") -> Variant:
        """Read one variant from parsed TOML; raises `VariantError` with one line.

        text: the TOML itself, so that the message can name the line
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise VariantError(f"{where}: {one_line(error, data, text, cls)}") from None

    @model_validator(mode="after")
    def _playable(self) -> Variant:
        from games.contradictions import check_variant

        check_variant(self)
        return self

    @property
    def first_turn_stones(self) -> int:
        """Stones of the very first turn."""
        return self.turn.stones if self.turn.first_stones is None else self.turn.first_stones

    @property
    def places(self) -> bool:
        """Whether a move puts a new stone on the board and nothing else (kinds 'place' and 'drop')."""
        return self.move.kind in ("place", "drop")

    @property
    def is_hexagonal(self) -> bool:
        """Whether cells have six neighbours."""
        return self.board.cells == "hex"

    @property
    def hole_cells(self) -> frozenset[int]:
        """Cells of the canvas that are not part of the board: holes, and what lies outside its shape."""
        return self.cut_cells | frozenset(self.cells_of(self.board.holes))

    @property
    def cut_cells(self) -> frozenset[int]:
        """Cells of the canvas outside the board's shape."""
        return cut_cells(self.board.shape, self.board.rows, self.board.columns)

    @property
    def setup_cells(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Cells of the first and of the second colour before the first move, ascending."""
        setup = self.board.setup
        first, second = pattern_cells(self)
        bare = set(self.cells_of(setup.empty)) | self.hole_cells
        return (
            tuple(sorted((first - bare) | set(self.cells_of(setup.first)))),
            tuple(sorted((second - bare) | set(self.cells_of(setup.second)))),
        )

    @property
    def sides(self) -> dict[str, frozenset[int]]:
        """The board's sides by name and their cells, corners included, holes taken out."""
        wrap = self.board.wrap
        sides = side_cells(
            self.board.shape,
            self.board.rows,
            self.board.columns,
            wraps_rows=wrap in ("rows", "both"),
            wraps_columns=wrap in ("columns", "both"),
        )
        return {name: cells - self.hole_cells for name, cells in sides.items()}

    @property
    def lines(self) -> tuple[int, int]:
        """Stones in a line that each colour needs; 0 where a line is no goal."""
        first, second = by_colour(self.end.line)
        return first or 0, second or 0

    @property
    def captures(self) -> tuple[int, int]:
        """Captured stones that each colour needs; 0 where captures are no goal."""
        first, second = by_colour(self.end.capture)
        return first or 0, second or 0

    @property
    def connects(self) -> tuple[tuple[Side, ...], tuple[Side, ...]]:
        """Sides that each colour has to connect; none where connection is no goal."""
        first, second = by_colour(self.end.connect)
        return first or (), second or ()

    @property
    def reaches(self) -> tuple[Side | None, Side | None]:
        """The side that each colour's stones try to move onto, if any."""
        return by_colour(self.end.reach)

    @property
    def n_actions(self) -> int:
        """A = rows * columns + 2: cells, PASS, SWAP."""
        return self.board.rows * self.board.columns + 2

    @property
    def removes(self) -> bool:
        """Whether stones can leave the board."""
        move, effect = self.move, self.effect
        return bool(move.to_enemy or move.over_enemy or effect.take_enclosed or effect.surround)

    @property
    def ply_cap(self) -> int:
        """Actions after which the game is a draw; there always is one."""
        if self.end.ply_cap is not None:
            return self.end.ply_cap
        cells = self.board.rows * self.board.columns
        if self.move.shoot:
            return min(MAX_PLY_CAP, 3 * cells)  # a shot takes one cell for each three choices
        if not self.places:
            return min(MAX_PLY_CAP, 8 * cells)
        if self.removes:
            return min(MAX_PLY_CAP, 3 * cells)
        return cells * (1 if self.turn.passing == "never" else 2) + self.turn.swap

    def neighbors(self, *, with_holes: bool = True) -> NDArray[np.int16]:
        """int16 `[C, 8]`: `games.geometry.neighbor_table` of the board, or of its shape without holes."""
        return neighbor_table(
            self.board.rows,
            self.board.columns,
            wraps_rows=self.board.wrap in ("rows", "both"),
            wraps_columns=self.board.wrap in ("columns", "both"),
            holes=self.hole_cells if with_holes else self.cut_cells,
            hexagonal=self.is_hexagonal,
        )

    @property
    def touching(self) -> tuple[int, ...]:
        """The directions in which cells touch."""
        return touching_directions(hexagonal=self.is_hexagonal, adjacent=self.board.adjacent)

    def directions(self, ways: Sequence[Way], colour: int) -> tuple[int, ...]:
        """The directions of some ways for colour 0 or 1, ascending."""
        each = (way_directions(way, hexagonal=self.is_hexagonal, colour=colour) for way in ways)
        return tuple(sorted({direction for directions in each for direction in directions}))

    def cells_of(self, names: Sequence[str]) -> tuple[int, ...]:
        """The cells of names such as `e4` and of blocks such as `a1:h2`, in order.

        Raises:
            ValueError: a name is no cell of this board; one line.
        """
        size = {"rows": self.board.rows, "columns": self.board.columns}
        return tuple(cell for name in names for cell in parse_block(name, **size))

    @cached_property
    def digest(self) -> str:
        """16 hex digits that name the rules; equal exactly for equal rules.

        Keys at their defaults are left out, so that a key which is added later changes no digest.
        """
        rules = self.model_dump(include={"move", "turn", "effect", "end"}, exclude_defaults=True)
        rules["board"] = self.board.model_dump(exclude={"holes", "setup"}, exclude_defaults=True)
        rules["board"] |= {"holes": sorted(self.hole_cells), "setup": self.setup_cells}
        rules["turn"] = rules.get("turn", {}) | {"first_stones": self.first_turn_stones}
        pairs: dict[str, object] = {"line": self.lines, "capture": self.captures, "reach": self.reaches}
        pairs["connect"] = tuple(sorted(sides) for sides in self.connects)
        rules["end"] = rules.get("end", {}) | pairs | {"ply_cap": self.ply_cap}
        for key in ("to_empty", "to_enemy", "over_enemy"):
            rules.setdefault("move", {})[key] = self.directions(getattr(self.move, key), 0)
        return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()[:16]

    def to_toml(self) -> str:
        """The variant as TOML that `from_toml` reads back to an equal variant."""
        data = {"name": self.name, **self.model_dump(exclude_defaults=True, exclude_none=True)}
        return tomli_w.dumps(data)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as TOML, because pickle doesn't find the classes that pydantic makes of `ByColour`."""
        return _unpickled, (self.to_toml(), self.name)


def _unpickled(text: str, name: str) -> Variant:
    return Variant.from_toml(text, name=name)


def by_colour(value: object) -> tuple[Any, Any]:
    """A value that may differ by colour, as a pair."""
    if isinstance(value, ByColour):
        return value.first, value.second
    return value, value


def pattern_cells(variant: Variant) -> tuple[set[int], set[int]]:
    """Cells that the set-up's pattern gives to the first and to the second colour, holes included."""
    setup, rows, columns = variant.board.setup, variant.board.rows, variant.board.columns
    everything = [(row, column) for row in range(rows) for column in range(columns)]
    middle = (rows // 2 - 1, columns // 2 - 1)
    corners = [(0, 0), (rows - 1, columns - 1), (0, columns - 1), (rows - 1, 0)]
    centre = [(middle[0] + 1, middle[1]), (middle[0], middle[1] + 1), middle, (middle[0] + 1, middle[1] + 1)]
    first, second = {
        "none": ([], []),
        "checkerboard": (
            [(r, c) for r, c in everything if (rows - 1 - r + c) % 2 == 0],
            [(r, c) for r, c in everything if (rows - 1 - r + c) % 2 == 1],
        ),
        "rows": (
            [(r, c) for r, c in everything if r >= rows - setup.depth],
            [(r, c) for r, c in everything if r < setup.depth],
        ),
        "corners": (corners[:2], corners[2:]),
        "centre": (centre[:2], centre[2:]),
    }[setup.pattern]
    return {r * columns + c for r, c in first}, {r * columns + c for r, c in second}


def load_toml(path: Path) -> Variant:
    """Read one variant from a file; raises `VariantError` with one line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise VariantError(f"{path}: can't read the variant: {error}") from None
    return Variant.from_toml(text, name=path.stem, where=str(path))
