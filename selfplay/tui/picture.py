"""A board as lines of styled text: stones, marks, heat, coordinates and the sides that are goals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from games import Position, Variant, pass_action
from games.rules import EMPTY, FIRST, SECOND
from games.state import LAST, ORIGIN
from selfplay.tui.layout import BoardLayout, Scale, own_sides

LIGHT, DARK, MEDIUM = SHADES = ("light", "dark", "medium")
LAST_MOVE, CURSOR, CHOSEN, CHOICE, HEAT = "last", "cursor", "chosen", "choice", "heat"
"""Roles of backgrounds; HEAT is followed by a number from 1 to HEATS."""

STONES = ("empty", "first", "second", "hole")
"""Roles of what a cell holds."""

HINT, EDGE, PLAIN, NUMBER = "hint", "edge", "plain", "number"
HEATS = 5

_ART: dict[Scale, dict[str, tuple[str, ...]]] = {
    Scale(2, 1): {
        "empty": ("· ",),
        "first": ("● ",),
        "second": ("○ ",),
        "hole": ("▒▒",),
        "hint": ("• ",),
        "last first": ("◉ ",),
        "last second": ("◎ ",),
    },
    Scale(4, 2): {
        "empty": ("    ", "    "),
        "first": ("▗▄▄▖", "▝▀▀▘"),
        "second": ("╭──╮", "╰──╯"),
        "hole": ("▒▒▒▒", "▒▒▒▒"),
        "hint": (" ▗▖ ", " ▝▘ "),
        "last first": ("▗▄▄▖", "▝▀▀▘"),
        "last second": ("╭──╮", "╰──╯"),
    },
    Scale(6, 3): {
        "empty": ("      ", "      ", "      "),
        "first": (" ▗▄▄▖ ", " ████ ", " ▝▀▀▘ "),
        "second": (" ▗▄▄▖ ", " █  █ ", " ▝▀▀▘ "),
        "hole": ("▒▒▒▒▒▒", "▒▒▒▒▒▒", "▒▒▒▒▒▒"),
        "hint": ("      ", "  ▪▪  ", "      "),
        "last first": (" ▗▄▄▖ ", " ████ ", " ▝▀▀▘ "),
        "last second": (" ▗▄▄▖ ", " █  █ ", " ▝▀▀▘ "),
    },
}


_DOTS: dict[Scale, tuple[str, ...]] = {
    Scale(2, 1): ("· ",),
    Scale(4, 2): (" ▁▁ ", "    "),
    Scale(6, 3): ("      ", "  ··  ", "      "),
}


class Span(NamedTuple):
    """A piece of a line.

    text: what is written
    ink: the role of what is written; ground: that of what is behind it, or nothing
    """

    text: str
    ink: str
    ground: str = ""


@dataclass(frozen=True)
class View:
    """What is to be drawn.

    Attributes:
        variant: whose board it is.
        cells: what every cell of the canvas holds.
        last: the cell that was chosen last, if any.
        chosen: the cell of a stone whose move has begun.
        choices: cells that may be chosen.
        cursor: where a person points.
        heat: shares of cells, 0 to 1.
    """

    variant: Variant
    cells: Sequence[int]
    last: int | None = None
    chosen: int | None = None
    choices: frozenset[int] = frozenset()
    cursor: int | None = None
    heat: Mapping[int, float] = field(default_factory=dict)


def view_of(
    position: Position, *, hints: bool, cursor: int | None = None, heat: Mapping[int, float] | None = None
) -> View:
    """A position as it is to be drawn; hints: with the cells that may be chosen."""
    info, n_cells = position.state.info[0], pass_action(position.variant)
    legal = frozenset(action for action in position.legal_actions.tolist() if action < n_cells)
    last, origin = int(info[LAST]), int(info[ORIGIN])
    return View(
        variant=position.variant,
        cells=position.state.cells[0, :n_cells].tolist(),
        last=last if last >= 0 else None,
        chosen=origin if origin >= 0 else None,
        choices=legal if hints else frozenset(),
        cursor=cursor,
        heat=heat or {},
    )


def drawn(view: View, layout: BoardLayout, *, has_dots: bool = False) -> list[list[Span]]:
    """The board, line by line; lines may be shorter than the layout.

    has_dots: empty cells have a dot at every scale, for screens on which shades don't tell cells apart
    """
    canvas, painter = _Canvas(layout.size[1]), _Painter(view, layout.scale, has_dots=has_dots)
    for label in layout.labels:
        canvas.put(label.x, label.y, Span(label.text, EDGE))
    missing = view.variant.hole_cells
    for cell in layout.cells:
        if cell not in missing:
            x, y = layout.corner(cell)
            ink, ground = painter.ink(cell), painter.ground(cell)
            for line, text in enumerate(painter.art(cell)):
                canvas.put(x, y + line, Span(text, ink, ground))
    _frame(view, layout, canvas)
    return canvas.lines()


class _Canvas:
    """Spans put anywhere, read as lines."""

    def __init__(self, height: int) -> None:
        self._rows: list[dict[int, Span]] = [{} for _ in range(height)]

    def put(self, x: int, y: int, span: Span) -> None:
        self._rows[y][x] = span

    def lines(self) -> list[list[Span]]:
        return [_filled(row) for row in self._rows]


def _filled(row: Mapping[int, Span]) -> list[Span]:
    """Spans in order, with blanks between them."""
    line: list[Span] = []
    at = 0
    for x in sorted(row):
        if x > at:
            line.append(Span(" " * (x - at), PLAIN))
        line.append(row[x])
        at = x + len(row[x].text)
    return line


# --- cells --------------------------------------------------------------------------------------------------

_LEAST_SHARE = 0.005
"""A smaller share is no percent."""


class _Painter:
    """Paints cells of a view."""

    def __init__(self, view: View, scale: Scale, *, has_dots: bool) -> None:
        self._view, self._scale = view, scale
        self._art = _ART[scale]
        self._empty = _DOTS[scale] if has_dots else self._art["empty"]
        missing = view.variant.hole_cells
        empty = sum(content == EMPTY and cell not in missing for cell, content in enumerate(view.cells))
        self._hints = view.choices if len(view.choices) < empty else frozenset()  # all of them say nothing

    def art(self, cell: int) -> tuple[str, ...]:
        """The lines of a cell."""
        content = self._view.cells[cell]
        if content == EMPTY:
            if self._share(cell):
                return _number(self._share(cell), self._scale)
            return self._art[HINT] if cell in self._hints else self._empty
        name = STONES[content]
        is_last = cell == self._view.last and content in (FIRST, SECOND)
        return self._art[f"last {name}" if is_last else name]

    def ink(self, cell: int) -> str:
        """The role of what is drawn on a cell."""
        content = self._view.cells[cell]
        if content != EMPTY:
            return STONES[content]
        return NUMBER if self._share(cell) else HINT if cell in self._hints else STONES[EMPTY]

    def ground(self, cell: int) -> str:
        """The role of a cell's background, the most important one that applies."""
        view = self._view
        if cell == view.cursor:
            return CURSOR
        if cell == view.chosen:
            return CHOSEN
        if share := self._share(cell):
            return f"{HEAT}{min(HEATS, 1 + int(share * HEATS))}"
        if cell == view.last:
            return LAST_MOVE
        if cell in view.choices and view.cells[cell] in (FIRST, SECOND):
            return CHOICE
        return _shade(view.variant, cell)

    def _share(self, cell: int) -> float:
        """A cell's share of the heat; 0 where it is less than a percent."""
        share = self._view.heat.get(cell, 0.0)
        return share if share >= _LEAST_SHARE else 0.0


def _number(share: float, scale: Scale) -> tuple[str, ...]:
    """A share in percent, in the middle of a cell."""
    text = f"{min(99, round(100 * share)):>2}"
    middle = (scale.height - 1) // 2
    blank = " " * scale.width
    return tuple(text.center(scale.width) if line == middle else blank for line in range(scale.height))


def _shade(variant: Variant, cell: int) -> str:
    """Cells that touch along an edge differ: two shades do for squares, a1 being dark, three for hexagons."""
    row, column = divmod(cell, variant.board.columns)
    up = variant.board.rows - row
    return SHADES[(column + up) % 3] if variant.is_hexagonal else SHADES[(column + up) % 2]


# --- goals --------------------------------------------------------------------------------------------------


def _frame(view: View, layout: BoardLayout, canvas: _Canvas) -> None:
    """Draw the sides that one colour has to reach or connect and the other has not, in that colour."""
    scale = layout.scale
    for colour, sides in enumerate(own_sides(view.variant)):
        ink = STONES[FIRST + colour]
        for side in sides:
            for cell in view.variant.sides[side]:
                x, y = layout.corner(cell)
                if side == "top":
                    canvas.put(x, y - 1, Span("▄" * scale.width, ink))
                elif side == "bottom":
                    canvas.put(x, y + scale.height, Span("▀" * scale.width, ink))
                else:
                    at = x - 1 if side == "left" else x + scale.width
                    for line in range(scale.height):
                        canvas.put(at, y + line, Span("▐" if side == "left" else "▌", ink))
