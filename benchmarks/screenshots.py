"""Screenshots of the terminal app, one for each of a few variants, as SVG into docs/screenshots/.

python -m benchmarks.screenshots [NAME ...]
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import games
from models.format import write_atomically
from selfplay.tui.agents import Agents
from selfplay.tui.app import SelfplayApp
from selfplay.tui.playing import Pace

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
THINKING = 6.0
"""Seconds in which every analysis ends."""


class Shot(NamedTuple):
    """A picture.

    variant, agent: what is played, and by whom
    plies: actions that the agent plays against itself at first
    keys: pressed then
    size: columns and lines of the terminal
    """

    variant: str
    plies: int = 0
    keys: Sequence[str] = ()
    agent: str | None = None
    size: tuple[int, int] = (80, 24)


SHOTS = {
    "connect4": Shot("connect4", 12, ("a", "m")),
    "gomoku-9x9": Shot("gomoku-9x9", 10, ("a",)),
    "hex-7": Shot("hex-7", 10, ("a", "m", "m"), size=(100, 28)),
    "othello": Shot("othello", 14, size=(120, 40)),
    "breakthrough": Shot("breakthrough", 13, size=(100, 28)),
    "havannah": Shot("havannah-5", 14, ("a",), size=(100, 28)),
    "amazons": Shot("amazons", 12, size=(120, 40)),
    "connect6": Shot("connect6", 15, size=(120, 40)),
    "light": Shot("pente-13x13", 14, ("d", "a"), agent="mcts:500", size=(100, 28)),
    "choose": Shot("connect4", 0, ("n", "h", "e", "x")),
    "help": Shot("connect4", 4, ("question_mark",), size=(80, 32)),
    "setup": Shot("othello-6x6", 0, ("e", "up", "up", "1")),
}


async def take(name: str, shot: Shot) -> None:
    """Write one picture."""
    app = SelfplayApp(games.load(shot.variant), Agents(shot.agent), pace=Pace(move=0.0, game=0.1))
    async with app.run_test(size=shot.size) as pilot:
        while app.game.loaded is None:
            await pilot.pause(0.05)
        play(app, shot.plies)
        app.game.is_paused = True
        app.game.go_on()
        for key in shot.keys:
            await pilot.press(key)
        await pilot.pause(THINKING if "a" in shot.keys else 0.5)
        picture = app.export_screenshot(title=f"selfplay play {shot.variant}")
        write_atomically(FOLDER / f"{name}.svg", picture.encode())


def play(app: SelfplayApp, plies: int) -> None:
    """Let the agent play against itself, the person's seat included."""
    session, loaded = app.game.session, app.game.loaded
    assert loaded is not None
    while session.position.ply < plies and not session.result:
        analysis = loaded.players[0].analyse(session.position)
        session.note_value(session.position, analysis.value_to_play)
        session.play(analysis.action)


def main(names: Sequence[str]) -> None:
    """Write the pictures that are named, or all."""
    os.environ["COLORTERM"] = "truecolor"
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or SHOTS:
        asyncio.run(take(name, SHOTS[name]))
        print(FOLDER / f"{name}.svg")


if __name__ == "__main__":
    main(sys.argv[1:])
