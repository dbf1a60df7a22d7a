"""Every key of the game's screen, once: for bindings, the footer and the help."""

from __future__ import annotations

from typing import NamedTuple

from textual.binding import Binding


class Key(NamedTuple):
    """A key.

    key: as Textual names it, several separated by commas; shown: as people name it
    action: of the game's screen
    label: in the footer, or nothing; words: in the help
    """

    key: str
    shown: str
    action: str
    label: str
    words: str


KEYS = (
    Key("question_mark,f1", "?", "help", "Help", "this help"),
    Key("slash,colon", "/", "type_move", "Type", "type a move such as d1, a2-a3, pass or swap"),
    Key("u", "u", "undo", "Undo", "take your last move back"),
    Key("r", "r", "redo", "", "play again what was taken back"),
    Key("h", "h", "hint", "Hint", "what the agent would play in your place"),
    Key("a", "a", "analysis", "Analysis", "live analysis on and off"),
    Key("m", "m", "heat", "Map", "on the board: nothing, the policy, the visits"),
    Key("l", "l", "legal", "", "marks of legal moves on and off"),
    Key("n", "n", "new", "New", "another game: choose any variant, or a TOML file"),
    Key("g", "g", "again", "", "the same game again"),
    Key("v", "v", "level", "Level", "how strong the agent plays"),
    Key("s", "s", "sides", "", "swap sides with the agent"),
    Key("t", "t", "take_over", "", "let the agent take over your seat, or take it back"),
    Key("x", "x", "resign", "", "give the game up (twice)"),
    Key("c", "c", "clock", "", "begin a game with clocks, such as 5+3"),
    Key("e", "e", "edit", "", "set up a position"),
    Key("w", "w", "save", "", "write the game into a file"),
    Key("o", "o", "open", "", "go on with a game from a file"),
    Key("p", "p", "pause", "", "pause the agents, or let them go on"),
    Key("full_stop", ".", "step", "", "while paused: one move of an agent"),
    Key("i", "i", "rules", "", "the rules of this game in words"),
    Key("d", "d", "dark", "", "dark or light colours"),
    Key("escape", "esc", "cancel", "", "give up a move that has begun"),
    Key("q", "q", "quit", "Quit", "leave"),
)

MOVING = (
    ("arrows", "move the cursor on the board"),
    ("enter", "play that cell; a stone that moves first, then where it goes"),
    ("mouse", "the same with a click"),
)
"""What the board itself understands."""


def bindings() -> list[Binding]:
    """The keys as bindings, those with a label in the footer."""
    return [
        Binding(key.key, key.action, key.label or key.words, show=bool(key.label), key_display=key.shown)
        for key in KEYS
    ]
