"""The board as a widget: draws a `View`, moves a cursor, and says which cell was chosen."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from selfplay.tui import picture
from selfplay.tui.layout import fitting
from selfplay.tui.picture import HEATS, Span, View

_GROUNDS = (
    *picture.SHADES,
    picture.LAST_MOVE,
    picture.CURSOR,
    picture.CHOSEN,
    picture.CHOICE,
    *(f"{picture.HEAT}{i}" for i in range(1, HEATS + 1)),
)
_INKS = (*picture.STONES, picture.HINT, picture.EDGE, picture.NUMBER)


class BoardWidget(ScrollView, can_focus=True):
    """A board of any size and shape, as large as fits; it scrolls where even the smallest doesn't.

    Attributes:
        view: what is drawn, without the cursor.
        cursor: the cell that keys point at.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"board--{role}" for role in (*_GROUNDS, *_INKS)}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1, 0)", "Up", show=False),
        Binding("down", "move(1, 0)", "Down", show=False),
        Binding("left", "move(0, -1)", "Left", show=False),
        Binding("right", "move(0, 1)", "Right", show=False),
        Binding("enter,space", "choose", "Play", show=False),
    ]

    class Chosen(Message):
        """A person chose a cell.

        cell: of the canvas
        """

        def __init__(self, cell: int) -> None:
            self.cell = cell
            super().__init__()

    def __init__(self, view: View, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.view = view
        self.cursor: int | None = None
        self._pointed = False
        self._layout = fitting(view.variant, 0, 0)
        self._strips: list[Strip] = []

    def show(self, view: View) -> None:
        """Draw another view."""
        if view.variant is not self.view.variant:
            self.cursor = None
        self.view = view
        self._draw_anew()

    # --- drawing --------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """A line of the window on the board."""
        left, top = self.scroll_offset
        blank = self.rich_style
        x, above = self._offset()
        line = y + top - above
        if not 0 <= line < len(self._strips):
            return Strip.blank(self.size.width, blank)
        strip = self._strips[line].crop(left, left + self.size.width - x)
        return Strip.join([Strip.blank(x, blank), strip]).adjust_cell_length(self.size.width, blank)

    def notify_style_update(self) -> None:
        """Colours have changed."""
        super().notify_style_update()
        if self.is_mounted:
            self._draw_anew()

    def on_resize(self) -> None:
        self._draw_anew()

    def on_mount(self) -> None:
        self._draw_anew()

    def on_focus(self) -> None:
        self._draw_anew()

    def on_blur(self) -> None:
        self._draw_anew()

    def _draw_anew(self) -> None:
        size = self.container_size if self.container_size.area else self.size
        self._layout = fitting(self.view.variant, size.width, size.height)
        self.virtual_size = Size(*self._layout.size)
        cursor = self.cursor if self._pointed and self.has_focus else None
        view, has_dots = replace(self.view, cursor=cursor), self.app.current_theme.ansi
        lines = picture.drawn(view, self._layout, has_dots=has_dots)
        styles: dict[tuple[str, str], Style] = {}
        self._strips = [Strip([self._segment(span, styles) for span in line]) for line in lines]
        self.refresh()

    def _segment(self, span: Span, styles: dict[tuple[str, str], Style]) -> Segment:
        key = (span.ink, span.ground)
        if key not in styles:
            style = self.rich_style
            for role in (span.ground, span.ink):
                if role and role != picture.PLAIN:
                    style += self.get_component_rich_style(f"board--{role}", partial=True)
            styles[key] = style
        return Segment(span.text, styles[key])

    def _offset(self) -> tuple[int, int]:
        """Blank columns and lines that put a small board into the middle."""
        width, height = self._layout.size
        return max(0, (self.size.width - width) // 2), max(0, (self.size.height - height) // 2)

    # --- pointing -------------------------------------------------------------------------------------------

    def action_move(self, down: int, right: int) -> None:
        """Move the cursor by a cell; the first key only shows it."""
        if self.cursor is None or not self._pointed:
            self.cursor = self._first_cursor() if self.cursor is None else self.cursor
            self._pointed = True
        else:
            self.cursor = self._layout.neighbor(self.cursor, down, right)
        self._show_cursor()

    def action_choose(self) -> None:
        """Choose the cell under the cursor."""
        if self.cursor is None or not self._pointed:
            self.action_move(0, 0)
        else:
            self.post_message(self.Chosen(self.cursor))

    def point_at(self, cell: int) -> None:
        """Show the cursor at a cell."""
        self.cursor, self._pointed = cell, True
        self._show_cursor()

    def on_click(self, event: events.Click) -> None:
        """Choose the cell under the mouse."""
        x, above = self._offset()
        left, top = self.scroll_offset
        cell = self._layout.cell_at(event.x - x + left, event.y - above + top)
        if cell is not None and cell not in self.view.variant.hole_cells:
            self.cursor, self._pointed = cell, False
            self.post_message(self.Chosen(cell))

    def place_of(self, cell: int) -> tuple[int, int]:
        """Column and line of the widget at which a cell's middle is drawn."""
        (x, y), (left, top) = self._layout.corner(cell), self.scroll_offset
        (right, down), scale = self._offset(), self._layout.scale
        return x + right - left + scale.width // 2, y + down - top + (scale.height - 1) // 2

    def _first_cursor(self) -> int:
        """Where pointing begins: the last move, or the middle of the board."""
        if self.view.last is not None:
            return self.view.last
        if self.view.choices:
            return sorted(self.view.choices)[len(self.view.choices) // 2]
        cells = [cell for cell in self._layout.cells if cell not in self.view.variant.hole_cells]
        return cells[len(cells) // 2]

    def _show_cursor(self) -> None:
        self._draw_anew()
        if self.cursor is not None:
            region = Region(*self._layout.corner(self.cursor), *self._layout.scale)
            self.scroll_to_region(region.grow((1, 2, 1, 2)), animate=False, force=True)
