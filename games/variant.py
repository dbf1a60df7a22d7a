"""`Variant`: a rule variant as a person writes it, in TOML, checked before anything runs.

A variant is data. Every key has a default but the board's size and the goal; unknown keys are errors.
`Variant.digest` names the rules (not the title or the texts): two variants with equal rules share it.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tomli_w
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from games.encoding import MAX_SIZE
from games.errors import VariantError
from games.geometry import DIRECTION, OFF, OPPOSITE, neighbor_table
from games.notation import cell_name, parse_cell

Direction = Literal["down", "up", "left", "right"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Setup(_Section):
    """Stones on the board before the first move."""

    first: tuple[str, ...] = Field((), description="cells of the first colour, such as 'e4'", strict=False)
    second: tuple[str, ...] = Field((), description="cells of the second colour", strict=False)


class Board(_Section):
    """The cells and how they touch."""

    rows: int = Field(ge=1, le=MAX_SIZE, description="number of rows")
    columns: int = Field(ge=1, le=MAX_SIZE, description="number of columns")
    wrap: Literal["none", "columns", "rows", "both"] = Field(
        "none", description="'columns': left and right edge touch; 'rows': top and bottom; 'both': a torus"
    )
    holes: tuple[str, ...] = Field((), description="cells that are not part of the board", strict=False)
    setup: Setup = Field(default_factory=Setup, description="stones before the first move")


class Move(_Section):
    """What a player does with one choice."""

    kind: Literal["place", "drop"] = Field(
        "place", description="'place': on any empty cell; 'drop': on an empty cell that gravity holds"
    )
    gravity: Direction = Field("down", description="where stones fall, for kind 'drop'")
    must_flip: bool = Field(False, description="a stone may only be placed where it flips (Othello)")


class Turn(_Section):
    """How many choices a turn has, and what else may be chosen."""

    stones: int = Field(1, ge=1, le=4, description="stones a player places in one turn")
    first_stones: int | None = Field(
        None, ge=1, le=4, description="stones in the very first turn; default: the same as `stones`"
    )
    swap: bool = Field(False, description="after the first turn the second player may take it over")
    pass_when_stuck: bool = Field(False, description="who has no move passes; two passes end the game")


class Effect(_Section):
    """What a stone does to other stones."""

    flip: bool = Field(False, description="opposing lines that the new stone encloses change colour")


class End(_Section):
    """How the game ends."""

    line: int | None = Field(
        None, ge=2, description="a placed or flipped stone in a line of this many of its colour ends the game"
    )
    exact: bool = Field(False, description="longer lines don't count")
    misere: bool = Field(False, description="who reaches the goal loses")
    majority: bool = Field(False, description="when nobody can move, more stones are the goal")
    ply_cap: int | None = Field(None, ge=1, le=4096, description="after this many actions it is a draw")


class Variant(_Section):
    """One rule variant. Build it with `games.load`, `Variant.from_toml`, or directly."""

    name: str = Field("unnamed", description="short name, used in commands and file names")
    title: str = Field("", description="the name a person reads")
    rules: str = Field("", description="the rules in a sentence or two")
    source: str = Field("", description="where the rules come from")
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
            raise VariantError(f"{where or name}: not valid TOML: {error}") from None
        return cls.from_dict({"name": name, **data}, where=where or name)

    @classmethod
    def from_dict(cls, data: dict[str, Any], *, where: str) -> Variant:
        """Read one variant from parsed TOML; raises `VariantError` with one line."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise VariantError(f"{where}: {_one_line(error)}") from None

    @model_validator(mode="after")
    def _playable(self) -> Variant:
        _check_cells(self)
        _check_rules(self)
        return self

    @property
    def first_turn_stones(self) -> int:
        """Stones of the very first turn."""
        return self.turn.stones if self.turn.first_stones is None else self.turn.first_stones

    @property
    def hole_cells(self) -> frozenset[int]:
        """Cells that are not part of the board."""
        return frozenset(self._cells(self.board.holes))

    @property
    def setup_cells(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Cells of the first and of the second colour before the first move."""
        return self._cells(self.board.setup.first), self._cells(self.board.setup.second)

    @property
    def n_actions(self) -> int:
        """A = rows * columns + 2: cells, PASS, SWAP."""
        return self.board.rows * self.board.columns + 2

    @property
    def ply_cap(self) -> int:
        """Actions after which the game is a draw; there always is one."""
        if self.end.ply_cap is not None:
            return self.end.ply_cap
        cells = self.board.rows * self.board.columns
        return cells * (2 if self.turn.pass_when_stuck else 1) + self.turn.swap

    def neighbors(self, *, with_holes: bool = True) -> NDArray[np.int16]:
        """int16 `[C, 8]`: `games.geometry.neighbor_table` of the board, or as if it had no holes."""
        return neighbor_table(
            self.board.rows,
            self.board.columns,
            wraps_rows=self.board.wrap in ("rows", "both"),
            wraps_columns=self.board.wrap in ("columns", "both"),
            holes=self.hole_cells if with_holes else (),
        )

    @cached_property
    def digest(self) -> str:
        """16 hex digits that name the rules; equal exactly for equal rules."""
        rules = self.model_dump(include={"board", "move", "turn", "effect", "end"})
        rules["turn"]["first_stones"] = self.first_turn_stones
        rules["end"]["ply_cap"] = self.ply_cap
        rules["board"]["holes"] = sorted(self.hole_cells)
        rules["board"]["setup"] = [sorted(cells) for cells in self.setup_cells]
        if self.move.kind == "place":
            del rules["move"]["gravity"]
        return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()[:16]

    def to_toml(self) -> str:
        """The variant as TOML that `from_toml` reads back to an equal variant."""
        data = {"name": self.name, **self.model_dump(exclude_defaults=True, exclude_none=True)}
        return tomli_w.dumps(data)

    def _cells(self, names: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(parse_cell(name, rows=self.board.rows, columns=self.board.columns) for name in names)


def load_toml(path: Path) -> Variant:
    """Read one variant from a file; raises `VariantError` with one line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise VariantError(f"{path}: can't read the variant: {error}") from None
    return Variant.from_toml(text, name=path.stem, where=str(path))


def _check_cells(variant: Variant) -> None:
    """Holes and set-up lie on the board, without overlap, and leave room to play."""
    seen: dict[int, str] = {}
    board = variant.board
    groups = {"holes": board.holes, "setup.first": board.setup.first, "setup.second": board.setup.second}
    for key, names in groups.items():
        for name in names:
            try:
                cell = parse_cell(name, rows=board.rows, columns=board.columns)
            except ValueError as error:
                raise ValueError(f"board.{key}: {error}") from None
            if cell in seen:
                raise ValueError(f"board.{key}: {name} is already in board.{seen[cell]}")
            seen[cell] = key
    if len(seen) == board.rows * board.columns:
        raise ValueError("board: no empty cell is left to play on")


def _check_rules(variant: Variant) -> None:
    """Rules that contradict each other are refused with the reason."""
    board, move, turn, end = variant.board, variant.move, variant.turn, variant.end
    if end.line is None and not end.majority:
        raise ValueError("end: expected a goal (line = N or majority = true), got none")
    if end.exact and end.line is None:
        raise ValueError("end.exact: needs end.line")
    if move.must_flip and not variant.effect.flip:
        raise ValueError("move.must_flip: needs effect.flip = true")
    if move.must_flip and not all(variant.setup_cells):
        raise ValueError("move.must_flip: needs stones of both colours in board.setup, or nothing could flip")
    if move.must_flip and not turn.pass_when_stuck:
        raise ValueError("move.must_flip: needs turn.pass_when_stuck = true, or a player could have no move")
    if "gravity" in move.model_fields_set and move.kind != "drop":
        raise ValueError("move.gravity: needs move.kind = 'drop'")
    falls_along = "rows" if move.gravity in ("down", "up") else "columns"
    if move.kind == "drop" and board.wrap in (falls_along, "both"):
        raise ValueError(
            f"move.gravity: stones would fall {move.gravity} for ever on a board that wraps its {falls_along}"
        )
    if move.kind == "drop":
        _check_setup_is_held(variant)
    if end.line is not None and (longest := _longest_line(variant)) < end.line:
        raise ValueError(
            f"end.line: expected at most {longest}, the longest line on this board, got {end.line}"
        )
    if turn.swap and any(variant.setup_cells):
        raise ValueError("turn.swap: needs an empty board at the start")


def _check_setup_is_held(variant: Variant) -> None:
    """In drop games no stone of the set-up hangs over an empty cell."""
    below = variant.neighbors()[:, DIRECTION[variant.move.gravity]]
    stones = [cell for cells in variant.setup_cells for cell in cells]
    for cell in stones:
        if below[cell] != OFF and below[cell] not in stones:
            name = cell_name(cell, rows=variant.board.rows, columns=variant.board.columns)
            raise ValueError(
                f"board.setup: expected stones that gravity holds, got {name} over an empty cell"
            )


def _longest_line(variant: Variant) -> int:
    """Cells of the longest straight line; on wrapped boards each cell counts once."""
    table = variant.neighbors()
    longest = 1
    for direction in range(len(OPPOSITE)):
        for cell in range(table.shape[0]):
            length, here = 1, int(table[cell, direction])
            while here not in (OFF, cell):
                length, here = length + 1, int(table[here, direction])
            longest = max(longest, length)
    return longest


def _one_line(error: ValidationError) -> str:
    """The first problem of a pydantic error: where, what was expected, what was given."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{where}: unknown key{_did_you_mean(first['loc'])}"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error":
        return message
    if first["type"] == "missing":
        return f"{where}: {message[0].lower()}{message[1:]}"
    return f"{where}: {message[0].lower()}{message[1:]}, got {first['input']!r}"


def _did_you_mean(loc: tuple[int | str, ...]) -> str:
    """The keys that are known at the place of an unknown one."""
    model: type[BaseModel] = Variant
    for part in loc[:-1]:
        annotation = model.model_fields[str(part)].annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return f"; expected one of {', '.join(model.model_fields)}"
