"""The game's screen as people steer it: what each key does."""

from __future__ import annotations

from itertools import chain, count
from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType
from textual.widgets import Input

from games import Position, Variant, start
from selfplay import record
from selfplay.clock import TimeControl
from selfplay.levels import LEVELS, level
from selfplay.record import RecordError
from selfplay.tui.keys import bindings
from selfplay.tui.playing import GamePlay
from selfplay.tui.screens.ask import AskScreen, PickScreen
from selfplay.tui.screens.choose import ChooseScreen
from selfplay.tui.screens.setup import SetupScreen
from selfplay.tui.screens.text import key_help, rules_of

_HEATS = {"off": "policy", "policy": "visits", "visits": "off"}


class GameScreen(GamePlay):
    """The screen of a game; `selfplay.tui.keys` names its actions."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]
    AUTO_FOCUS = "BoardWidget"

    _resigns = False

    def action_help(self) -> None:
        """Show all keys."""
        self.app.push_screen(key_help())

    def action_rules(self) -> None:
        """Show the rules in words."""
        self.app.push_screen(rules_of(self.session.variant))

    def action_type_move(self) -> None:
        """Open the line for typed moves."""
        line = self.query_one("#typed", Input)
        line.add_class("-open")
        line.focus()

    def action_cancel(self) -> None:
        """Close the typed line, or give up a move that has begun."""
        if self.query_one("#typed", Input).has_class("-open"):
            self.close_typed()
        elif self.session.position.is_half_made and self.session.agent_to_move is None:
            self.session.undo()
            self.go_on()

    # --- moves back and forth -------------------------------------------------------------------------------

    def action_undo(self) -> None:
        """Take back."""
        if self.session.undo():
            self.is_paused = self.is_watching
            self.go_on()
        else:
            self.say("There is no move to take back.")

    def action_redo(self) -> None:
        """Play again what was taken back."""
        if self.session.redo():
            self.go_on()
        else:
            self.say("There is no move to play again.")

    def action_pause(self) -> None:
        """Pause the agents, or let them go on."""
        self.is_paused = not self.is_paused
        self.go_on()

    def action_step(self) -> None:
        """One move of an agent while paused."""
        if self.is_paused:
            self.step()
        else:
            self.say("p pauses the agents; then . plays one move.")

    # --- thoughts -------------------------------------------------------------------------------------------

    def action_hint(self) -> None:
        """What the agent would play."""
        self.ask_for_hint()

    def action_analysis(self) -> None:
        """Live analysis on and off."""
        self.is_analysing = not self.is_analysing
        if not self.thinks:
            self.go_on()
        self.say(f"Live analysis is {'on' if self.is_analysing else 'off'}.")

    def action_heat(self) -> None:
        """The next kind of heat map; it needs the analysis."""
        self.heat = _HEATS[self.heat]  # type: ignore[assignment]
        if self.heat != "off" and not self.is_analysing and not self.is_watching:
            self.is_analysing = True
            if not self.thinks:
                self.go_on()
        self.show_board()
        what = {"off": "no numbers", "policy": "the policy in percent", "visits": "the visits in percent"}
        self.say(f"On the board: {what[self.heat]}.")

    def action_legal(self) -> None:
        """Marks of legal moves on and off."""
        self.shows_legal = not self.shows_legal
        self.show_board()
        self.say(f"Legal moves are {'marked' if self.shows_legal else 'not marked'}.")

    # --- seats ----------------------------------------------------------------------------------------------

    def action_sides(self) -> None:
        """Change seats."""
        self.session.swap_sides()
        self.go_on()

    def action_take_over(self) -> None:
        """Let the agent play in the person's seat, or take it back."""
        if self.loaded is None:
            return
        people = self.session.people
        if people:
            seat = people[-1]
            self.session.seat(seat, self.agents.at_level(self.loaded.players[seat]))
        else:
            self.session.seat(self.session.position.to_play, None)
            self.is_paused = False
        self.go_on()
        self.say("The agent plays in your place; t: take it back." if people else "You play.")

    def action_resign(self) -> None:
        """Give up, if pressed twice."""
        if self.session.result or not self.session.people:
            return
        if not self._resigns:
            self._resigns = True
            self.set_timer(3.0, self._forget_resigning)
            self.say("Press x once more to resign.")
            return
        self._resigns = False
        people, to_play = self.session.people, self.session.position.to_play
        self.session.resign(to_play if to_play in people else people[0])
        self.go_on()

    def _forget_resigning(self) -> None:
        self._resigns = False

    def action_level(self) -> None:
        """Choose how strong the agents play."""
        current = self.agents.level
        choices = [(each.name, each.words) for each in LEVELS]
        screen = PickScreen("How strong?", choices, current="strong" if current is None else current.name)
        self.app.push_screen(screen, self._take_level)

    def _take_level(self, name: str | None) -> None:
        if name is not None:
            self.agents.level = level(name)
            self.reseat()

    # --- games ----------------------------------------------------------------------------------------------

    def action_again(self) -> None:
        """The same game again."""
        self.begin_again()

    def action_new(self) -> None:
        """Choose what to play."""
        self.app.push_screen(ChooseScreen(), self._take_variant)

    def _take_variant(self, variant: Variant | None) -> None:
        if variant is not None:
            with self.told():
                self.begin(start(variant))

    def action_clock(self) -> None:
        """Begin with clocks."""
        note = "Minutes for a game, and seconds that each move adds."
        screen = AskScreen("Clocks, such as 5+3", note=note, value=str(self.session.clock.control or "5+3"))
        self.app.push_screen(screen, self._take_control)

    def _take_control(self, text: str | None) -> None:
        if text:
            with self.told():
                self.begin(start(self.session.variant), control=TimeControl.parse(text))

    def action_edit(self) -> None:
        """Set up a position."""
        self.app.push_screen(SetupScreen(self.session.position), self._take_position)

    def _take_position(self, position: Position | None) -> None:
        if position is not None:
            self.begin(position)

    def action_save(self) -> None:
        """Write the game into a file."""
        screen = AskScreen("Save the game as", value=str(self._file or fresh_name(self.session.variant)))
        self.app.push_screen(screen, self._save)

    def _save(self, path: str | None) -> None:
        if path:
            with self.told():
                file = Path(path).expanduser()
                if file.exists() and file != self._file:
                    raise RecordError(
                        f"{path}: expected a new file, or the one of this game; this one exists"
                    )
                self.session.save(file)
                self._file = file
                self.say(f"Saved as {path}.")

    def action_open(self) -> None:
        """Go on with a game from a file."""
        screen = AskScreen("Go on with the game in the file", value=str(self._file or ""))
        self.app.push_screen(screen, self._open)

    def _open(self, path: str | None) -> None:
        if path:
            with self.told():
                file = Path(path).expanduser()
                self.begin(record.load(file).position)
                self._file, self.is_paused = file, False

    # --- the screen -----------------------------------------------------------------------------------------

    def action_dark(self) -> None:
        """Dark or light."""
        self.app.action_toggle_dark()

    def action_quit(self) -> None:
        """Leave."""
        self.app.exit()


def fresh_name(variant: Variant) -> Path:
    """A name for a game's file that isn't taken, in the current folder."""
    names = (Path(f"{variant.name}{suffix}.game.toml") for suffix in chain([""], (f"-{n}" for n in count(2))))
    return next(name for name in names if not name.exists())
