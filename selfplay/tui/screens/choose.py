"""Choose what to play: any variant of the catalogue, or a TOML file."""

from __future__ import annotations

from functools import cache
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

import games
from games import UserError, Variant
from games.catalogue import families
from selfplay.describe import describe, size
from selfplay.tui.screens.ask import CLOSE


class ChooseScreen(ModalScreen[Variant | None]):
    """A variant; None if the person thinks better of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *CLOSE,
        Binding("down", "move(1)", "Down", show=False, priority=True),
        Binding("up", "move(-1)", "Up", show=False, priority=True),
    ]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(
                "Play which game? Type a part of its name, or the path of a TOML file.", classes="heading"
            )
            yield Input(id="wanted")
            yield OptionList(markup=False)
            yield Static("", classes="note", markup=False)

    def on_mount(self) -> None:
        self._list("")
        self.query_one(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._list(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        options = self.query_one(OptionList)
        wanted = event.value.strip()
        if wanted in games.names() or not options.option_count or wanted.endswith(".toml"):
            self._take(wanted)
        elif options.highlighted is not None:
            self._take(str(options.get_option_at_index(options.highlighted).id))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self._take(str(event.option.id))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        variant = _catalogue()[str(event.option.id)][0]
        self._say(variant.rules or " ".join(describe(variant).values()))

    def action_move(self, step: int) -> None:
        """Go through the list while the line keeps the keys."""
        options = self.query_one(OptionList)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def _list(self, wanted: str) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        word = wanted.strip().lower()
        for name, (_, line) in _catalogue().items():
            if word in line.lower():
                options.add_option(Option(line, id=name))
        if options.option_count:
            options.highlighted = 0
        else:
            self._say("No name of the catalogue; enter reads it as a file.")

    def _take(self, name: str) -> None:
        try:
            self.dismiss(games.load(name))
        except UserError as error:
            self._say(str(error))
        except OSError as error:
            self._say(f"{error.filename}: {error.strerror}")

    def _say(self, text: str) -> None:
        self.query_one(".note", Static).update(text)


@cache
def _catalogue() -> dict[str, tuple[Variant, str]]:
    """Every variant and its line, by name, in the order of the families."""
    variants = {name: games.load(name) for names in families().values() for name in names}
    wide = max(map(len, variants))
    return {
        name: (variant, f"{name:<{wide}}  {variant.title}, {size(variant)}")
        for name, variant in variants.items()
    }
