"""A game as a text that a person can read: its rules, who played, every move. A TOML file.

format = "selfplay-game"
version = 1
players = ["me", "connect4.onnx"]
result = "x (player 0) wins"
moves = "d1 d2 c1"

[setup]                        # where the game didn't begin with the variant's own start
to_play = 0
first = ["a1"]
second = ["b2"]

[variant]
...
"""

from __future__ import annotations

import textwrap
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import tomli_w

from games import MoveError, Position, PositionError, UserError, Variant, set_up, start
from games.notation import cell_name, parse_block
from games.position import Placement
from games.rules import FIRST, HOLE, SECOND
from models.format import write_atomically
from selfplay.opponents.moves import played

FORMAT, VERSION = "selfplay-game", 1
MOST_BYTES = 2**20
"""Size of a file that is looked into."""

_WIDTH = 100
_UNFINISHED = "unfinished"


class RecordError(UserError):
    """A file that is no record of a game; one line."""


class Record(NamedTuple):
    """A game.

    position: where it stands, with all its actions
    players: their names, by seat
    """

    position: Position
    players: tuple[str, str]


def to_text(record: Record) -> str:
    """A game as TOML."""
    position = record.position
    moves, begun = played(position)
    words = ["-".join(move) for move in moves] + (["-".join(begun)] if begun else [])
    variant = position.variant
    rules = {"name": variant.name, **variant.model_dump(exclude_defaults=True, exclude_none=True)}
    data: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "players": list(record.players),
        "result": str(position).splitlines()[-1] if position.is_over else _UNFINISHED,
        "moves": "\n".join(textwrap.wrap(" ".join(words), _WIDTH, break_on_hyphens=False)),
        "variant": rules,
    }
    if position.placement is not None:
        data["setup"] = _setup_table(variant, position.placement)
    return tomli_w.dumps(data, multiline_strings=True)


def from_text(text: str, where: object) -> Record:
    """The inverse of `to_text`; `RecordError` or `VariantError` in one line that names `where`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecordError(f"{where}: expected a game as TOML, got {error}") from None
    kind = (data.get("format"), data.get("version"))
    if kind != (FORMAT, VERSION):
        raise RecordError(
            f'{where}: expected format = "{FORMAT}" and version = {VERSION}, got {kind[0]!r} and {kind[1]!r}'
        )
    players, moves, rules = data.get("players"), data.get("moves"), data.get("variant")
    if not (isinstance(players, list) and len(players) == 2 and all(isinstance(p, str) for p in players)):
        raise RecordError(f"{where}: expected the names of two players, got {players!r}")
    if not isinstance(moves, str) or not isinstance(rules, dict):
        raise RecordError(f"{where}: expected moves as a text and a table [variant]")
    position = _begun(Variant.from_dict(rules, where=str(where)), data.get("setup"), where)
    for number, word in enumerate(moves.split(), 1):
        try:
            position = position.play_text(word)
        except MoveError as error:
            raise RecordError(f"{where}: move {number}: {error}") from None
    return Record(position, (players[0], players[1]))


_CONTENTS = {"first": FIRST, "second": SECOND, "shot": HOLE}
"""Keys of [setup] that name cells, and what these cells hold."""


def _setup_table(variant: Variant, placement: Placement) -> dict[str, Any]:
    """How a position was set up, as a table."""
    rows, columns = variant.board.rows, variant.board.columns
    table: dict[str, Any] = {"to_play": placement.to_play}
    for key, content in _CONTENTS.items():
        held = (cell for cell, here in enumerate(placement.cells) if here == content)
        names = [
            cell_name(cell, rows=rows, columns=columns) for cell in held if cell not in variant.hole_cells
        ]
        if names:
            table[key] = names
    return table


def _begun(variant: Variant, setup: object, where: object) -> Position:
    """The position from which a recorded game was played."""
    if setup is None:
        return start(variant)
    if not isinstance(setup, dict) or not set(setup) <= {"to_play", *_CONTENTS}:
        raise RecordError(f"{where}: expected [setup] with to_play, {', '.join(_CONTENTS)}, got {setup!r}")
    cells: dict[int, int] = {}
    for key, content in _CONTENTS.items():
        cells |= dict.fromkeys(_cells_of(variant, setup.get(key, []), f"{where}: setup.{key}"), content)
    try:
        return set_up(variant, cells, to_play=setup.get("to_play", 0))
    except PositionError as error:
        raise RecordError(f"{where}: setup: {error}") from None


def _cells_of(variant: Variant, names: object, where: str) -> list[int]:
    """Cells by their names, or blocks such as a1:b2."""
    if not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise RecordError(f"{where}: expected a list of cells, got {names!r}")
    board = variant.board
    try:
        return [cell for name in names for cell in parse_block(name, rows=board.rows, columns=board.columns)]
    except ValueError as error:
        raise RecordError(f"{where}: {error}") from None


def save(path: Path, record: Record) -> None:
    """Write a game, whole or not at all."""
    write_atomically(path, to_text(record).encode())


def load(path: Path) -> Record:
    """Read a game; raises `RecordError`, `VariantError` or `OSError`."""
    if path.stat().st_size > MOST_BYTES:
        raise RecordError(f"{path}: expected a game of at most {MOST_BYTES >> 20} MiB, got a larger file")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RecordError(f"{path}: expected a game as text, got {error}") from None
    return from_text(text, path)
