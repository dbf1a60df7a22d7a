"""Positions as pictures: one drawing of plain shapes, written as SVG or put onto matplotlib axes.

    svg(drawing(games.start(games.load("hex"))))

How a board looks follows from its rules' flags: lines and points where groups are surrounded, a frame with
round windows where stones fall, coloured sides where sides are connected, squares elsewhere. Lengths are in
steps between neighbouring cells, y downwards.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from games import Position, Variant
from games.geometry import OFF
from games.notation import column_letter
from games.rules import FIRST, HOLE, SECOND
from games.state import LAST

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_ROW_HEIGHT = math.sqrt(3) / 2
"""Of hexagonal cells whose centres lie one step apart."""

_MARGIN = 0.55
"""From the outermost centres to the edge of the picture; coordinates lie outside."""

_STONE, _MARK, _WINDOW = 0.4, 0.13, 0.41
"""Radii."""

_RIGHT, _DOWN = 2, 4
"""Columns of the neighbour table."""

_SQUARE_SIDES = {"top": (0,), "right": (2,), "bottom": (4,), "left": (6,)}
_HEX_SIDES = {"top": (0, 1), "right": (1, 2), "bottom": (4, 5), "left": (5, 6)}
"""Directions that lead off the board at a side."""

_SQUARE_EDGES = {0: (0, 1), 2: (1, 2), 4: (2, 3), 6: (3, 0)}
_HEX_EDGES = {0: (5, 0), 1: (0, 1), 2: (1, 2), 4: (2, 3), 5: (3, 4), 6: (4, 5)}
"""Corners of a cell's outline, as `_outline` lists them, between which a direction leaves it."""

Point = tuple[float, float]


class Look(NamedTuple):
    """Colours of a board.

    style: 'points' (stones on crossings), 'windows' (a frame with holes) or 'cells'
    cells: fills of neighbouring cells, the first that of a1; line: between them
    stones, names: colours of the first and the second player's stones, and what a person calls them
    mark: on the last stone
    """

    style: str
    cells: tuple[str, ...]
    line: str
    stones: tuple[str, str]
    names: tuple[str, str]
    mark: str


_BLACK, _WHITE = "#1f1f23", "#fbfaf5"
_BLACK_AND_WHITE = ((_BLACK, _WHITE), ("black", "white"), "#e4572e")
_POINTS = Look("points", ("#e3bd78",), "#6f5628", *_BLACK_AND_WHITE)
_GREEN = Look("cells", ("#4f9a6b",), "#2f6b47", *_BLACK_AND_WHITE)
_CHEQUERED = Look("cells", ("#d9bd94", "#f0dfc1"), "#a88a5c", *_BLACK_AND_WHITE)
_PLAIN = Look("cells", ("#eadfca",), "#a08c6c", *_BLACK_AND_WHITE)
_RED_AND_BLUE = ("#cf4b32", "#2c6fb0"), ("red", "blue"), "#ffffff"
_SIDES = Look("cells", ("#efe9dc",), "#9a9080", *_RED_AND_BLUE)
_FRAME = Look("windows", ("#3d6fa8",), "#335f92", ("#d94a35", "#f4c63d"), ("red", "yellow"), "#1f1f23")
_WINDOW_FILL = "#e6edf5"
_GONE = "#57504a"
"""A cell that was destroyed in the game."""


class Polygon(NamedTuple):
    """A filled outline; role says what it stands for: 'cell', 'board' or 'gone'."""

    role: str
    points: tuple[Point, ...]
    fill: str
    line: str


class Disc(NamedTuple):
    """A circle; role: 'window', 'first', 'second', 'last' or 'from'."""

    role: str
    centre: Point
    radius: float
    fill: str
    line: str


class Segment(NamedTuple):
    """A straight line."""

    start: Point
    end: Point
    colour: str
    width: float


class Label(NamedTuple):
    """A coordinate."""

    centre: Point
    text: str


Shape = Polygon | Disc | Segment | Label


class Drawing(NamedTuple):
    """A picture of a position.

    box: left, top, width, height in steps; shapes: back to front; text: the board for who can't see it
    """

    box: tuple[float, float, float, float]
    shapes: tuple[Shape, ...]
    text: str


def look_of(variant: Variant) -> Look:
    """How a variant's board looks, by the kind of its rules."""
    if variant.move.kind == "drop":
        return _FRAME
    if variant.effect.flip:
        return _GREEN
    if any(variant.connects) or variant.end.fork or variant.end.bridge or variant.end.ring:
        return _SIDES
    if not variant.places:
        return _PLAIN if variant.is_hexagonal else _CHEQUERED
    if _has_crossings(variant):
        return _POINTS
    return _PLAIN


def drawing(position: Position, *, came_from: Sequence[int] = ()) -> Drawing:
    """A position's picture, the last cell marked.

    came_from: cells where the last move began, marked with a ring
    """
    variant = position.variant
    look = look_of(variant)
    shapes = (
        *_board(variant, look),
        *_pieces(position, look),
        *_marks(position, look, came_from),
        *_coordinates(variant),
    )
    return Drawing(_box(variant), shapes, str(position))


def centre_of(variant: Variant, cell: int) -> Point:
    """Where a cell's centre lies, in steps from the first cell."""
    return _place(variant, *divmod(cell, variant.board.columns))


# --- shapes -------------------------------------------------------------------------------------------------


def _has_crossings(variant: Variant) -> bool:
    """Whether stones stand on crossings of lines: where groups are surrounded, or five lie in line."""
    surrounds = variant.effect.surround or variant.move.keeps_liberty or variant.move.captures_nothing
    return not variant.is_hexagonal and (surrounds or max(variant.lines) >= 5)


def _place(variant: Variant, row: int, column: int) -> Point:
    if variant.is_hexagonal:
        return column + row / 2, row * _ROW_HEIGHT
    return float(column), float(row)


def _cells(variant: Variant) -> list[int]:
    """Cells that are part of the board."""
    holes = variant.hole_cells
    return [cell for cell in range(variant.board.rows * variant.board.columns) if cell not in holes]


def _outline(variant: Variant, cell: int, scale: float = 1.0) -> tuple[Point, ...]:
    """Corners of a cell, clockwise: of a square from the upper left, of a hexagon from the top."""
    x, y = centre_of(variant, cell)
    if variant.is_hexagonal:
        turns = [math.radians(60 * corner - 90) for corner in range(6)]
        return tuple(
            (x + scale * math.cos(turn) / math.sqrt(3), y + scale * math.sin(turn) / math.sqrt(3))
            for turn in turns
        )
    half = scale / 2
    return (x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)


def _board(variant: Variant, look: Look) -> Iterator[Shape]:
    def fill_of(cell: int) -> str:
        row, column = divmod(cell, variant.board.columns)
        return look.cells[(variant.board.rows - 1 - row + column) % len(look.cells)]

    for cell in sorted(_cells(variant), key=fill_of):
        fill = fill_of(cell)
        line = fill if look.style == "points" else look.line
        yield Polygon("cell", _outline(variant, cell), fill, line)
    if look.style == "points":
        yield from _grid(variant, look)
    if look.style == "windows":
        for cell in _cells(variant):
            yield Disc("window", centre_of(variant, cell), _WINDOW, _WINDOW_FILL, look.line)
    if len(set(map(frozenset, variant.connects))) == 2:
        yield from _goals(variant, look)


def _grid(variant: Variant, look: Look) -> Iterator[Segment]:
    """Lines between neighbours; where edges touch each other, they run on beyond the edge."""
    table = variant.neighbors()
    for cell in _cells(variant):
        x, y = centre_of(variant, cell)
        for direction, (right, down) in ((_RIGHT, (1, 0)), (_DOWN, (0, 1))):
            near = int(table[cell, direction])
            if near == OFF:
                continue
            wraps = near <= cell
            reach = _MARGIN if wraps else 1.0
            yield Segment((x, y), (x + reach * right, y + reach * down), look.line, 0.04)
            if wraps:
                x2, y2 = centre_of(variant, near)
                yield Segment((x2, y2), (x2 - reach * right, y2 - reach * down), look.line, 0.04)


def _goals(variant: Variant, look: Look) -> Iterator[Segment]:
    """The sides that each colour connects, in its colour."""
    directions = _HEX_SIDES if variant.is_hexagonal else _SQUARE_SIDES
    edges = _HEX_EDGES if variant.is_hexagonal else _SQUARE_EDGES
    for colour, names in enumerate(variant.connects):
        for name in names:
            for cell in sorted(variant.sides[name]) if name in directions else ():
                corners = _outline(variant, cell)
                for direction in directions[name]:
                    first, second = edges[direction]
                    yield Segment(corners[first], corners[second], look.stones[colour], 0.14)


def _pieces(position: Position, look: Look) -> Iterator[Shape]:
    """Stones, and cells that were destroyed."""
    outline = "#00000066"
    for cell in _cells(position.variant):
        content, centre = int(position.state.cells[0, cell]), centre_of(position.variant, cell)
        if content == FIRST:
            yield Disc("first", centre, _STONE, look.stones[0], outline)
        elif content == SECOND:
            yield Disc("second", centre, _STONE, look.stones[1], outline)
        elif content == HOLE:
            yield Polygon("gone", _outline(position.variant, cell, 0.78), _GONE, _GONE)


def _marks(position: Position, look: Look, came_from: Sequence[int]) -> Iterator[Disc]:
    variant, last = position.variant, int(position.state.info[0, LAST])
    for cell in came_from:
        if cell != last:
            yield Disc("from", centre_of(variant, cell), 0.2, "none", look.mark)
    if position.actions and last != OFF:
        yield Disc("last", centre_of(variant, last), _MARK, look.mark, look.mark)


def _coordinates(variant: Variant) -> Iterator[Label]:
    """A letter below the lowest cell of each column, a number left of the first cell of each row."""
    rows, columns, outside = variant.board.rows, variant.board.columns, variant.cut_cells
    for column in range(columns):
        lowest = max(row for row in range(rows) if row * columns + column not in outside)
        yield Label(_place(variant, lowest + 1, column), column_letter(column))
    for row in range(rows):
        first = min(column for column in range(columns) if row * columns + column not in outside)
        yield Label(_place(variant, row, first - 1), str(rows - row))


def _box(variant: Variant) -> tuple[float, float, float, float]:
    """Room for all cells and coordinates."""
    centres = [centre_of(variant, cell) for cell in _cells(variant)]
    names = [label.centre for label in _coordinates(variant)]
    left = min([x - _MARGIN for x, _ in centres] + [x - 0.3 for x, _ in names])
    right = max([x + _MARGIN for x, _ in centres] + [x + 0.3 for x, _ in names])
    top = min([y - _MARGIN - 0.05 for _, y in centres] + [y - 0.3 for _, y in names])
    bottom = max([y + _MARGIN for _, y in centres] + [y + 0.3 for _, y in names])
    return left, top, right - left, bottom - top


# --- SVG ----------------------------------------------------------------------------------------------------


def svg(picture: Drawing) -> str:
    """A drawing as one `<svg>` element that needs no style sheet; coordinates take the colour of the text."""
    box = " ".join(_number(length) for length in picture.box)
    body = "".join(
        f"<g {style}>{''.join(map(_element, shapes))}</g>"
        for style, shapes in groupby(picture.shapes, _style)
    )
    attributes = f'class="board" role="img" aria-label="{escape(picture.text)}" viewBox="{box}"'
    return f'<svg {attributes} stroke-width=".04">{body}</svg>'


def _style(shape: Shape) -> str:
    """What neighbouring shapes share, written once."""
    if isinstance(shape, Segment):
        return f'stroke="{shape.colour}" stroke-width="{_number(shape.width)}" stroke-linecap="round"'
    if isinstance(shape, Label):
        place = 'text-anchor="middle" dominant-baseline="central"'
        return f'font-size=".36" {place} fill="currentColor" opacity=".65"'
    ring = ' stroke-width=".09"' if shape.fill == "none" else ""
    return f'fill="{shape.fill}" stroke="{shape.line}"{ring}'


def _element(shape: Shape) -> str:
    if isinstance(shape, Polygon):
        points = " ".join(f"{_number(x)},{_number(y)}" for x, y in shape.points)
        return f'<polygon class="{shape.role}" points="{points}"/>'
    if isinstance(shape, Disc):
        x, y = map(_number, shape.centre)
        return f'<circle class="{shape.role}" cx="{x}" cy="{y}" r="{_number(shape.radius)}"/>'
    if isinstance(shape, Segment):
        (x1, y1), (x2, y2) = (map(_number, end) for end in (shape.start, shape.end))
        return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'
    x, y = map(_number, shape.centre)
    return f'<text x="{x}" y="{y}">{escape(shape.text)}</text>'


def _number(length: float) -> str:
    """Two decimals at most, which is a tenth of a pixel."""
    return f"{length:.2f}".rstrip("0").rstrip(".")


# --- matplotlib ---------------------------------------------------------------------------------------------


def draw_on(axes: Axes, picture: Drawing) -> None:
    """Put a drawing onto axes of its own, which keep its proportions."""
    left, top, width, height = picture.box
    axes.set_xlim(left, left + width)
    axes.set_ylim(top + height, top)
    axes.set_aspect("equal")
    axes.set_anchor("S")
    axes.set_axis_off()
    points = _points_per_step(axes, picture)
    for order, shape in enumerate(picture.shapes):
        artist = _artist(shape, points)
        artist.set_zorder(1 + order * 1e-4)
        axes.add_artist(artist)


def _artist(shape: Shape, points: float) -> Artist:
    """A shape as matplotlib draws it; points: of a step."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Circle
    from matplotlib.patches import Polygon as Outline
    from matplotlib.text import Text

    if isinstance(shape, Polygon):
        return Outline(shape.points, facecolor=shape.fill, edgecolor=shape.line, linewidth=0.04 * points)
    if isinstance(shape, Disc):
        width = (0.09 if shape.fill == "none" else 0.04) * points
        return Circle(shape.centre, shape.radius, facecolor=shape.fill, edgecolor=shape.line, linewidth=width)
    if isinstance(shape, Segment):
        (x1, y1), (x2, y2) = shape.start, shape.end
        width = shape.width * points
        return Line2D([x1, x2], [y1, y2], color=shape.colour, linewidth=width, solid_capstyle="round")
    return Text(*shape.centre, shape.text, fontsize=0.36 * points, ha="center", va="center", color="#777777")


def _points_per_step(axes: Axes, picture: Drawing) -> float:
    """Size of a step on the page, in points, for lines and letters."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    inches_wide, inches_high = figure.get_size_inches()
    room = axes.get_position()
    _, _, width, height = picture.box
    return float(72 * min(room.width * inches_wide / width, room.height * inches_high / height))
