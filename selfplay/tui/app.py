"""The terminal app: a game's screen in a theme that the terminal can show."""

from __future__ import annotations

from typing import ClassVar

from rich.console import Console
from textual.app import App
from textual.binding import BindingType

from games import Variant
from selfplay.clock import TimeControl
from selfplay.tui import colours
from selfplay.tui.agents import Agents
from selfplay.tui.game import GameScreen
from selfplay.tui.playing import Pace


class SelfplayApp(App[None]):
    """Plays any variant against an agent."""

    CSS_PATH = "app.tcss"
    TITLE = "selfplay"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(
        self,
        variant: Variant,
        agents: Agents,
        *,
        person: int | None = 0,
        control: TimeControl | None = None,
        pace: Pace = Pace(),  # noqa: B008  (frozen)
        chooses: bool = False,
    ) -> None:
        """Get ready.

        Args:
            variant: what is played first.
            agents: where agents come from.
            person: the seat of a person; None: agents play among themselves.
            control: the time of each seat.
            pace: how fast agents play before people's eyes.
            chooses: ask which variant at first.
        """
        self._has_sixteen_colours = _has_sixteen_colours()
        super().__init__()
        self.theme = colours.THEMES[self._has_sixteen_colours, True]
        self._chooses = chooses
        self._game = GameScreen(variant, agents, person=person, control=control, pace=pace)

    def on_mount(self) -> None:
        self.push_screen(self._game)
        if self._chooses:
            self._game.action_new()

    @property
    def game(self) -> GameScreen:
        """The game's screen."""
        return self._game

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The board's colours in this theme."""
        return colours.variables(self.current_theme)

    def action_toggle_dark(self) -> None:
        """Change between dark and light."""
        self.theme = colours.THEMES[self._has_sixteen_colours, not self.current_theme.dark]


def _has_sixteen_colours() -> bool:
    """Whether the terminal lacks more than sixteen colours."""
    return Console(force_terminal=True).color_system == "standard"
