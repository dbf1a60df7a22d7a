"""Colours of boards and stones, for dark and light screens and for terminals with sixteen colours."""

from __future__ import annotations

from textual.theme import Theme

_NAMES = (
    "stone-first",
    "stone-second",
    "cell-light",
    "cell-dark",
    "cell-medium",
    "cell-last",
    "cell-cursor",
    "cell-chosen",
    "cell-choice",
    "cell-heat1",
    "cell-heat2",
    "cell-heat3",
    "cell-heat4",
    "cell-heat5",
    "cell-dot",
    "cell-hint",
    "cell-hole",
    "cell-number",
    "cell-edge",
)

_DARK = (
    *("#ff6b5e", "#5ec8ff"),
    *("#2a2e38", "#1f222a", "#252830", "#5a4a1e", "#4d5a78", "#2f6b3c", "#2c3f33"),
    *("#2f2a4a", "#453a72", "#5d4a9c", "#7658c2", "#8f68e8"),
    *("#565c6b", "#8fd694", "#7d8496", "#f2f2f2", "#8a90a0"),
)
_LIGHT = (
    *("#c0271a", "#0b62a8"),
    *("#efe9dc", "#ddd4c0", "#e6dfd0", "#f5d77a", "#a9c4ef", "#9fdcaa", "#cfe8d2"),
    *("#e6dcf7", "#d3c2f2", "#bda4ec", "#a686e4", "#9069db"),
    *("#a79f8d", "#1e7a34", "#8d8676", "#1a1a1a", "#6b6558"),
)
_PLAIN_CELLS = ("ansi_default",) * 3
"""With sixteen colours shades would be glaring: cells have dots instead."""

_SIXTEEN_DARK = (
    *("ansi_bright_red", "ansi_bright_cyan", *_PLAIN_CELLS),
    *("ansi_blue", "ansi_white", "ansi_green", "ansi_bright_black"),
    *("ansi_default", "ansi_blue", "ansi_blue", "ansi_magenta", "ansi_magenta"),
    *("ansi_bright_black", "ansi_bright_green", "ansi_white", "ansi_bright_white", "ansi_white"),
)
_SIXTEEN_LIGHT = (
    *("ansi_red", "ansi_blue", *_PLAIN_CELLS),
    *("ansi_bright_yellow", "ansi_bright_cyan", "ansi_bright_green", "ansi_white"),
    *("ansi_default", "ansi_bright_cyan", "ansi_bright_cyan", "ansi_bright_magenta", "ansi_bright_magenta"),
    *("ansi_bright_black", "ansi_green", "ansi_bright_black", "ansi_black", "ansi_bright_black"),
)

THEMES = {
    (False, True): "textual-dark",
    (False, False): "textual-light",
    (True, True): "ansi-dark",
    (True, False): "ansi-light",
}
"""Names of themes, by whether there are only sixteen colours and whether the screen is dark."""


def variables(theme: Theme) -> dict[str, str]:
    """Colours by their names in the style sheet."""
    if theme.ansi:
        colours = _SIXTEEN_DARK if theme.dark else _SIXTEEN_LIGHT
    else:
        colours = _DARK if theme.dark else _LIGHT
    return dict(zip(_NAMES, colours, strict=True))
