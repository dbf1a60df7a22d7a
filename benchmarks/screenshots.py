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
    moves: played at first, in the order in which both seats make them
    keys: pressed then
    size: columns and lines of the terminal
    """

    variant: str
    moves: str
    keys: Sequence[str] = ()
    agent: str | None = None
    size: tuple[int, int] = (80, 24)


SHOTS = {
    "connect4": Shot("connect4", "d d d d c e c b", ("a", "m")),
    "gomoku-9x9": Shot("gomoku-9x9", "e5 d4 f5 d5 d6 g4 e7 c5", ("a",)),
    "hex-7": Shot("hex-7", "d4 e3 c3 d3 d2 e2 b5 d5", ("a", "m", "m"), size=(100, 28)),
    "othello": Shot("othello", "e3 f3 g3 c5 f5 f4", size=(120, 40)),
    "breakthrough": Shot("breakthrough", "c2-c3 d7-d6 e2-e3 f7-f6 c3", size=(100, 28)),
    "havannah": Shot("havannah-5", "e5 d4 f5 f6 d6 g4 c6 b6", ("a",), size=(100, 28)),
    "amazons": Shot("amazons", "d1-d7-g7 g10-g8-c8 g1-g6-b6", size=(120, 40)),
    "connect6": Shot("connect6", "j10 k11 l10 i9 k9 j11 h8 l12 l8", agent="mcts:200", size=(120, 40)),
    "light": Shot("pente", "h8 i9 i8 g8 j8 k8 h9 h7", ("d", "a"), agent="mcts:500", size=(100, 28)),
    "choose": Shot("connect4", "", ("n", "h", "e", "x")),
    "help": Shot("connect4", "d d", ("question_mark",), size=(80, 32)),
    "setup": Shot("othello-6x6", "", ("e", "up", "up", "1")),
}


async def take(name: str, shot: Shot) -> None:
    """Write one picture."""
    app = SelfplayApp(games.load(shot.variant), Agents(shot.agent), pace=Pace(move=0.0, game=0.1))
    async with app.run_test(size=shot.size) as pilot:
        while app.game.loaded is None:
            await pilot.pause(0.05)
        app.game.session.seat(1, None)  # both sides' moves are given
        for move in shot.moves.split():
            app.game.session.play_text(move)
            position = app.game.session.position
            if not position.is_over:
                analysis = app.game.loaded.analyst.at_strength(32).analyse(position)
                app.game.session.note_value(position, analysis.value_to_play)
        app.game.session.seat(1, app.game.loaded.player)
        app.game.is_paused = True
        app.game.go_on()
        for key in shot.keys:
            await pilot.press(key)
        await pilot.pause(THINKING if "a" in shot.keys else 0.5)
        write_atomically(
            FOLDER / f"{name}.svg", app.export_screenshot(title=f"selfplay play {shot.variant}").encode()
        )


def main(names: Sequence[str]) -> None:
    """Write the pictures that are named, or all."""
    os.environ["COLORTERM"] = "truecolor"
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or SHOTS:
        asyncio.run(take(name, SHOTS[name]))
        print(FOLDER / f"{name}.svg")


if __name__ == "__main__":
    main(sys.argv[1:])
