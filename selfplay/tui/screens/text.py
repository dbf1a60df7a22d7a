"""Text to read: the keys, the rules."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from games import Variant
from selfplay.describe import describe
from selfplay.tui.keys import KEYS, MOVING
from selfplay.tui.texts import DIM


class TextScreen(ModalScreen[None]):
    """A text that scrolls where it is long."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,question_mark", "dismiss(None)", "Back")]

    def __init__(self, heading: str, text: Content) -> None:
        super().__init__()
        self._heading, self._text = heading, text

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._heading, classes="heading", markup=False)
            with VerticalScroll():
                yield Static(self._text)
            yield Static("esc: back", classes="note")

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()


def key_help() -> TextScreen:
    """All keys."""
    pairs = [*MOVING, *((key.shown, key.words) for key in KEYS)]
    lines = [Content.assemble((f"{shown:>7}  ", "bold"), words) for shown, words in pairs]
    return TextScreen("Keys", Content("\n").join(lines))


def rules_of(variant: Variant) -> TextScreen:
    """A variant's rules in words."""
    topics = [Content.assemble((f"{topic}  ", DIM), words) for topic, words in describe(variant).items()]
    title = Content(variant.rules)
    return TextScreen(
        variant.title or variant.name, Content("\n").join([title, *topics] if variant.rules else topics)
    )
