"""Ask for a line of text, or for one of a few things."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

CLOSE: list[BindingType] = [Binding("escape", "dismiss(None)", "Back")]


class AskScreen(ModalScreen[str | None]):
    """A line of text; None if the person thinks better of it."""

    BINDINGS: ClassVar[list[BindingType]] = CLOSE

    def __init__(self, heading: str, *, note: str = "", value: str = "") -> None:
        super().__init__()
        self._heading, self._note, self._value = heading, note, value

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._heading, classes="heading", markup=False)
            yield Input(self._value, id="answer")
            yield Static(f"{self._note}  (esc: back)", classes="note", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip())


class PickScreen(ModalScreen[str | None]):
    """One of a few things, by its name; None if the person thinks better of it."""

    BINDINGS: ClassVar[list[BindingType]] = CLOSE

    def __init__(
        self, heading: str, choices: Sequence[tuple[str, str]], *, current: str | None = None
    ) -> None:
        """choices: names, and words about each."""
        super().__init__()
        self._heading, self._choices, self._current = heading, choices, current

    def compose(self) -> ComposeResult:
        wide = max(len(name) for name, _ in self._choices)
        with Vertical(classes="dialog"):
            yield Static(self._heading, classes="heading", markup=False)
            yield OptionList(
                *(Option(f"{name:<{wide}}  {words}", id=name) for name, words in self._choices), markup=False
            )
            yield Static("enter: choose, esc: back", classes="note")

    def on_mount(self) -> None:
        names = [name for name, _ in self._choices]
        options = self.query_one(OptionList)
        options.highlighted = names.index(self._current) if self._current in names else 0
        options.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)
