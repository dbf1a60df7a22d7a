"""`docs/variants.md`, written from the schema: `python -m games.variant_docs > docs/variants.md`.

Descriptions, defaults and examples come from the fields of `games.variant`; what an example needs beside it
stands in `NEEDS`. So the page can't say what the program doesn't.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, get_args

from games.catalogue import families, load
from games.variant import Side, Variant, Way

BASE = {"board": {"rows": 6, "columns": 7}, "end": {"line": 4}}
"""What every example is added to."""

_ROWS: dict[str, Any] = {"move.kind": "step", "board.setup.pattern": "rows"}
_HEX: dict[str, Any] = {"board.cells": "hex", "board.rows": 7, "board.columns": 7}

NEEDS: dict[str, dict[str, Any]] = {
    "board.shape": _HEX,
    "board.setup.depth": {"board.setup.pattern": "rows"},
    "board.setup.empty": {"board.setup.pattern": "checkerboard"},
    "move.gravity": {"move.kind": "drop"},
    "move.must_flip": {
        "effect.flip": True,
        "board.setup.pattern": "centre",
        "turn.passing": "stuck",
    },
    "move.keeps_liberty": {"effect.surround": True},
    "move.to_empty": _ROWS,
    "move.to_enemy": _ROWS,
    "move.over_enemy": _ROWS,
    "move.chain": _ROWS | {"move.over_enemy": ["orthogonal"]},
    "move.must_jump": _ROWS | {"move.over_enemy": ["orthogonal"]},
    "move.shoot": {"move.kind": "slide", "move.to_empty": ["all"], "board.setup.pattern": "rows"},
    "turn.first_stones": {"turn.stones": 2},
    "turn.repeat": {"effect.surround": True},
    "end.ring": {"board.cells": "hex"},
    "end.reach": _ROWS | {"move.to_empty": ["forward"]},
    "end.capture": {"effect.take_enclosed": 2},
    "end.eliminate": {"effect.infect": True},
    "end.komi": {"end.count": "area"},
}
"""What a key's example needs beside it, by dotted key."""

_SECTIONS = {
    "": "What the variant is called",
    "board": "`board`: the cells",
    "board.setup": "`board.setup`: stones before the first move",
    "move": "`move`: one move",
    "turn": "`turn`: whose move it is",
    "effect": "`effect`: what a move does to others",
    "end": "`end`: how the game ends",
}

_INTRODUCTION = """\
# Variants

<!-- Written by `python -m games.variant_docs > docs/variants.md`; change that module or the schema. -->

A variant is a TOML file: the board, the move, the turn, what a move does to other stones, the end. Nothing
else has to be written, compiled or registered: what the file says is played, searched and learned by the
same engine, search and network as the games that ship.

## A variant of your own

1. Write it. Only the size of the board and a goal are required; every other key has a default.

   ```toml
   # ring.toml: Connect Four on a cylinder, two stones a turn, five in line
   title = "Ring"
   board = { rows = 6, columns = 8, wrap = "columns" }
   move = { kind = "drop" }
   turn = { stones = 2, first_stones = 1 }
   end = { line = 5 }
   ```

2. Read what you wrote, in plain words and with the board.

   ```sh
   selfplay variants show ring.toml
   ```

3. Play it, at once: without a trained agent, plain tree search is the opponent.

   ```sh
   selfplay play ring.toml
   ```

4. Hold the engine's promises against it, and let an agent learn it.

   ```sh
   selfplay variants check ring.toml
   selfplay train ring.toml --minutes 10 --run runs/ring
   selfplay play ring.toml --agent runs/ring/agent.onnx
   ```

What can't be played is refused with one line that names the file, the line and the key:

```text
ring.toml: line 4: move.gravity: needs move.kind = 'drop', got 'place'
```

Inline tables and sections mean the same, as everywhere in TOML: `board = { rows = 6, columns = 7 }` in one
line, or `[board]` with a line for each key. The next file is a race with captures on hexagonal cells.

```toml
title = "Hexagonal race"
[board]
rows = 7
columns = 7
cells = "hex"
shape = "hexagon"
setup = { pattern = "rows" }
[move]
kind = "step"
to_empty = ["forward"]
to_enemy = ["forward"]
[end]
reach = { first = "top", second = "bottom" }
stuck = "loses"
```

## How a game goes

Cells are named by a letter for the column, from the left, and a number for the row, from the bottom: `a1`
is the lower left. A block is two cells with a colon, such as `a1:c2`. On hexagonal boards each row lies
half a cell further right than the one above it; a cell touches those left and right of it, above and above
right, below and below left.

The first player has x and moves first, the second has o. A move is made; then its effects follow, in this
order: what was jumped or replaced is gone, enclosed lines are captured, enclosed lines change colour,
neighbours change colour, surrounded groups are captured. Then goals are looked at: whoever has just moved
and reached one wins at once, or loses if `misere` is set.

The game also stops after two passes in a row, when there is no empty cell left (moves that place, drop or
clone), or when the player to move has no move and may not pass. Then `count` or `stuck` decides. Without
either it is a draw.

## Every key

Each example is a whole variant together with `board = { rows = 6, columns = 7 }`, `end = { line = 4 }` and
what stands behind "with". Some values may differ by colour: `line = 5` means both, and
`line = { first = 5, second = 4 }` each; a colour that is left out has no such goal.
"""

_WAYS = """\
## Ways

For `to_empty`, `to_enemy` and `over_enemy`. Forward is up for the first player and down for the second.

| way | on square cells | on hexagonal cells |
|---|---|---|
| `forward` | straight ahead | ahead, two directions |
| `forward-diagonal` | ahead to the left and to the right | |
| `sideways` | left and right | left and right |
| `backward` | straight back | back, two directions |
| `backward-diagonal` | back to the left and to the right | |
| `orthogonal` | the four straight directions | |
| `diagonal` | the four diagonal directions | |
| `all` | all eight | all six |

## Sides

For `connect` and `reach`. Edges that touch because the board wraps are no sides; a corner cell lies on two.

| shape | sides |
|---|---|
| `full` | top, right, bottom, left |
| `triangle` | top, diagonal, left |
| `hexagon` | top, right, lower-right, bottom, left, upper-left |
"""


class Key(NamedTuple):
    """One key of the schema.

    name: dotted, such as `board.rows`
    kind: what values it takes, in words
    default: as TOML, or how there comes to be a value
    """

    name: str
    kind: str
    default: str
    description: str
    examples: list[Any]


def keys() -> Iterator[Key]:
    """Every key that holds a value, section by section."""
    schema = Variant.model_json_schema()
    for section in _SECTIONS:
        table = _table(schema, section)
        required = table.get("required", [])
        for name, field in table["properties"].items():
            if _section_of(schema, field) is None:
                dotted = f"{section}.{name}" if section else name
                default = "required" if name in required else _default(field["default"])
                yield Key(dotted, _kind(field), default, field["description"], field["examples"])


def examples() -> Iterator[tuple[str, str]]:
    """A key's name and a whole variant's TOML, for each example on the page."""
    for key in keys():
        for example in key.examples:
            yield key.name, _variant_with({**NEEDS.get(key.name, {}), key.name: example})


def page() -> str:
    """The text of `docs/variants.md`."""
    parts = [_INTRODUCTION]
    for section, heading in _SECTIONS.items():
        rows = [_row(key) for key in keys() if key.name.rpartition(".")[0] == section]
        head = ["| key | value | default | meaning | example |", "|---|---|---|---|---|"]
        parts.append("\n".join([f"### {heading}", "", *head, *rows, ""]))
    parts.append(_WAYS)
    parts.append(_catalogue())
    return "\n".join(parts)


def _table(schema: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    """A section's part of the JSON schema."""
    table = schema
    for name in filter(None, section.split(".")):
        table = schema["$defs"][_section_of(schema, table["properties"][name])]
    return table


def _section_of(schema: Mapping[str, Any], field: Mapping[str, Any]) -> str | None:
    """The definition that a field refers to, if the field is a section."""
    name = str(field.get("$ref", "")).rpartition("/")[2]
    return name if name in schema["$defs"] else None


def _kind(field: Mapping[str, Any]) -> str:
    """What values a field takes, in words."""
    forms = [form for form in field.get("anyOf", [field]) if form.get("type") != "null"]
    by_colour = [form for form in forms if "$ref" in form]
    (plain,) = (form for form in forms if form not in by_colour)
    return f"{_plain_kind(plain)}{', may differ by colour' if by_colour else ''}"


def _plain_kind(form: Mapping[str, Any]) -> str:
    if form.get("type") == "array":
        kind = _plain_kind(form["items"])
        return "list of cells or blocks" if kind == "text" else f"list of {kind.replace(']', 's]')}"
    if "enum" in form:
        values = tuple(form["enum"])
        groups = {get_args(Way): "[way](#ways)", get_args(Side): "[side](#sides)"}
        return groups.get(values) or _listed(values)
    word = {"boolean": "true or false", "integer": "whole number", "number": "number", "string": "text"}
    limits = [form[limit] for limit in ("minimum", "maximum") if limit in form]
    text = {2: "{0:g} to {1:g}", 1: "from {0:g}", 0: ""}[len(limits)].format(*limits)
    return ", ".join(filter(None, (word[form["type"]], text)))


def _default(value: object) -> str:
    if value is None:
        return "none"
    return f"`{_toml(value)}`"


def _row(key: Key) -> str:
    shown = "<br>".join(f"`{key.name.rpartition('.')[2]} = {_toml(example)}`" for example in key.examples)
    needs = NEEDS.get(key.name, {})
    if needs:
        shown += f" with {', '.join(f'`{name} = {_toml(value)}`' for name, value in needs.items())}"
    cells = (f"`{key.name.rpartition('.')[2]}`", key.kind, key.default, key.description, shown)
    return f"| {' | '.join(cells)} |"


def _variant_with(values: Mapping[str, Any]) -> str:
    """TOML of the base with some dotted keys set."""
    base = {f"{section}.{key}": value for section, table in BASE.items() for key, value in table.items()}
    return "\n".join(f"{key} = {_toml(value)}" for key, value in {**base, **values}.items())


def _toml(value: Any) -> str:
    """A value in one line of TOML."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {_toml(each)}' for key, each in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)


def _listed(values: Iterable[object]) -> str:
    return ", ".join(f"`{_toml(value)}`" for value in values)


def _catalogue() -> str:
    """Every variant that ships, by family."""
    lines = ["## What ships", "", f"{sum(map(len, families().values()))} variants, by family.", ""]
    for heading, names in families().items():
        lines += [f"### {heading}", "", "| name | title | rules | source |", "|---|---|---|---|"]
        for variant in map(load, names):
            lines.append(f"| `{variant.name}` | {variant.title} | {variant.rules} | {variant.source} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(page())
