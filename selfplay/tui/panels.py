"""The game's screen as it looks: board, players, chances, analysis, moves, a line for what goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from games import Position, pass_action
from selfplay.player import Analysis
from selfplay.session import Session
from selfplay.tui import texts
from selfplay.tui.board import BoardWidget
from selfplay.tui.picture import view_of

HeatKind = Literal["off", "policy", "visits"]

NARROW, TINY = 90, 56
"""Columns under which the panels get fewer of them, and none."""


class GameView(Screen[None]):
    """Shows a session.

    Attributes:
        session: the game.
        found: the newest analysis of the current position, if there is one.
        heat: what the board's colours tell.
        shows_legal: whether legal moves are marked.
        is_analysing: whether positions are analysed while a person is to move.
        is_paused: whether agents wait.
        thinks: whether an agent thinks about its move.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.found: Analysis | None = None
        self.heat: HeatKind = "off"
        self.shows_legal = True
        self.is_analysing = False
        self.is_paused = False
        self.thinks = False
        self._said = ""
        self._players_shown = Content("")

    def compose(self) -> ComposeResult:
        yield Static("", id="title", markup=False)
        with Horizontal(id="table"):
            yield BoardWidget(view_of(self.session.position, hints=self.shows_legal), id="board")
            with Vertical(id="side"):
                yield Static("", id="players")
                yield Static("", id="outlook")
                yield Static("", id="chances")
                yield Static("", id="analysis")
                with VerticalScroll(id="record", can_focus=False):
                    yield Static("", id="moves")
        yield Static("", id="status")
        yield Input(
            id="typed", placeholder="a move such as d1 or a2-a3, pass, swap; enter plays it, esc goes back"
        )
        yield Footer(show_command_palette=False, compact=True)

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width < NARROW, "-narrow")
        self.set_class(event.size.width < TINY, "-tiny")

    # --- showing --------------------------------------------------------------------------------------------

    def show_game(self) -> None:
        """Show everything as it is now."""
        self.show_board()
        self.show_players()
        self.show_thoughts()
        self.query_one("#moves", Static).update(texts.moves(self.session.position))
        self.query_one("#record", VerticalScroll).scroll_end(animate=False)
        self.show_status()

    def show_board(self) -> None:
        """Show the board with its marks."""
        position = self.session.position
        hints = self.shows_legal and self.session.agent_to_move is None
        heat = heat_of(position, self.found, self.heat)
        self.query_one(BoardWidget).show(view_of(position, hints=hints, heat=heat))

    def show_players(self) -> None:
        """Show names and clocks."""
        panel = self.query_one("#players", Static)
        text = texts.players(self.session, max(20, panel.size.width))
        if not text.is_same(self._players_shown):
            self._players_shown = text
            panel.update(text)

    def show_thoughts(self) -> None:
        """Show how the chances went, and the analysis of the position."""
        self.query_one("#outlook", Static).update(texts.outlook(self.session))
        chart = self.query_one("#chances", Static)
        chart.update(texts.chart(chances(self.session), max(20, chart.size.width)))
        position = self.session.position
        is_on = (self.is_analysing or self.thinks) and not position.is_over
        self.query_one("#analysis", Static).update(texts.analysis(position, self.found, is_on=is_on))

    def show_status(self) -> None:
        """Show whose turn it is, or what was said last."""
        line = self.query_one("#status", Static)
        if self._said:
            line.update(Content(self._said))
        else:
            line.update(texts.status(self.session, thinks=self.thinks, paused=self.is_paused))

    def show_title(self, level: str) -> None:
        """Show what is played, and how strong the agents are."""
        variant = self.session.variant
        title = variant.title or variant.name
        named = title if title.lower() == variant.name else f"{title} ({variant.name})"
        self.query_one("#title", Static).update(f"{named}{f' · {level}' if level else ''}")

    def say(self, line: str, *, is_wrong: bool = False) -> None:
        """Say something in the status line, until the next move."""
        self._said = " ".join(line.split())
        self.query_one("#status", Static).set_class(is_wrong, "-wrong")
        self.show_status()

    def say_nothing(self) -> None:
        """Let the status line say whose turn it is."""
        self.say("")


def heat_of(position: Position, found: Analysis | None, kind: HeatKind) -> Mapping[int, float]:
    """Shares of cells in the policy or the visits of an analysis."""
    if found is None or kind == "off":
        return {}
    total = max(1, int(found.visits.sum()))
    shares = found.policy if kind == "policy" or not found.simulations else found.visits / total
    cells = np.flatnonzero(shares[: pass_action(position.variant)] > 0).tolist()
    return {cell: float(shares[cell]) for cell in cells}


def chances(session: Session) -> list[float | None]:
    """The first seat's chance to win over the game, gaps filled with what was known before."""
    known: list[float | None] = []
    for value in session.values_of_first():
        before = known[-1] if known else None
        known.append(before if value is None else 0.5 + 0.5 * value)
    return known
