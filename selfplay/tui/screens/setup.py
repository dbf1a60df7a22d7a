"""Set up a position: put stones on the board, say who is to move, play on from there."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from games import Position, PositionError, pass_action, set_up, start
from games.rules import EMPTY, FIRST, HOLE, SECOND
from selfplay.tui.board import BoardWidget
from selfplay.tui.picture import View
from selfplay.tui.texts import stone

_KEYS = {"0": EMPTY, "1": FIRST, "2": SECOND, "3": HOLE}


class SetupScreen(ModalScreen[Position | None]):
    """A position; None if the person thinks better of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        *(Binding(key, f"put({content})", "Put", show=False) for key, content in _KEYS.items()),
        Binding("t", "turn", "Turn"),
        Binding("c", "clear", "Clear"),
        Binding("b", "beginning", "Beginning"),
        Binding("p", "done", "Play"),
    ]

    def __init__(self, position: Position) -> None:
        super().__init__()
        self._variant = position.variant
        self._cells = position.state.cells[0, : pass_action(position.variant)].tolist()
        self._to_play = position.colour_to_move

    def compose(self) -> ComposeResult:
        shot = ", 3 a shot cell" if self._variant.move.shoot else ""
        with Vertical(classes="dialog"):
            yield Static(f"Set up a position of {self._variant.name}", classes="heading", markup=False)
            yield BoardWidget(self._view(), id="setup")
            yield Static("", id="turn")
            yield Static("", id="wrong", classes="wrong", markup=False)
            yield Static(
                f"enter or click: next stone; 1 ● 2 ○ 0 empty{shot}; t: other side to move;"
                " c: clear; b: the beginning; p: play from here; esc: back",
                classes="note",
            )

    def on_mount(self) -> None:
        self._show()
        self.query_one(BoardWidget).focus()

    def on_board_widget_chosen(self, message: BoardWidget.Chosen) -> None:
        """The next content of a cell."""
        order = [EMPTY, FIRST, SECOND, *([HOLE] if self._variant.move.shoot else [])]
        now = self._cells[message.cell]
        self._cells[message.cell] = order[(order.index(now) + 1) % len(order)]
        self._show()

    def action_put(self, content: int) -> None:
        """Put something on the cell under the cursor."""
        cell = self.query_one(BoardWidget).cursor
        if cell is not None and (content != HOLE or self._variant.move.shoot):
            self._cells[cell] = content
            self._show()

    def action_turn(self) -> None:
        """Let the other side be to move."""
        self._to_play = 1 - self._to_play
        self._show()

    def action_clear(self) -> None:
        """Take every stone off."""
        missing = self._variant.hole_cells
        self._cells = [HOLE if cell in missing else EMPTY for cell in range(len(self._cells))]
        self._show()

    def action_beginning(self) -> None:
        """The variant's own beginning."""
        self._cells = start(self._variant).state.cells[0, : len(self._cells)].tolist()
        self._show()

    def action_done(self) -> None:
        """Play from here, if a game can go on."""
        try:
            self.dismiss(set_up(self._variant, self._cells, to_play=self._to_play))
        except PositionError as error:
            self.query_one("#wrong", Static).update(str(error))

    def _view(self) -> View:
        return View(self._variant, self._cells)

    def _show(self) -> None:
        self.query_one(BoardWidget).show(self._view())
        turn = Content.assemble("To move: ", stone(FIRST + self._to_play))
        self.query_one("#turn", Static).update(turn)
        self.query_one("#wrong", Static).update("")
