"""The app in a test: keys in, words out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input, Static

import games
from games import Position
from selfplay.clock import TimeControl
from selfplay.tui.agents import Agents
from selfplay.tui.app import SelfplayApp
from selfplay.tui.board import BoardWidget
from selfplay.tui.game import GameScreen
from selfplay.tui.playing import Pace

FAST = Pace(move=0.0, game=0.05)
PATIENCE = 240.0
"""Seconds that a test waits for what must come: kernels may have to be compiled first."""


class Driver:
    """Hands on the keys of an app that runs."""

    def __init__(self, app: SelfplayApp, pilot: Pilot[None]) -> None:
        self.app, self._pilot = app, pilot

    @property
    def game(self) -> GameScreen:
        return self.app.game

    @property
    def position(self) -> Position:
        return self.game.session.position

    @property
    def played(self) -> list[str]:
        first = games.beginning(self.position)
        return [first.action_text(action) for action in self.position.actions]

    @property
    def board(self) -> BoardWidget:
        return self.game.query_one("#board", BoardWidget)

    def text(self, panel: str) -> str:
        """What a panel of the game's screen says."""
        return str(self.game.query_one(panel, Static).render())

    def on_top(self, panel: str) -> str:
        """What a panel of the topmost screen says."""
        return str(self.app.screen.query_one(panel, Static).render())

    async def press(self, *keys: str) -> None:
        await self._pilot.press(*keys)
        await self._pilot.pause()

    async def type(self, text: str) -> None:
        """Put a line into the field that has the keys, and enter."""
        field = self.app.focused
        assert isinstance(field, Input)
        field.value = text
        await self.press("enter")

    async def move(self, text: str) -> None:
        """Type a move."""
        await self.press("slash")
        await self.type(text)

    async def click(self, cell: str) -> None:
        """Click the middle of a cell of the board."""
        x, y = self.board.place_of(self.position.parse_action(cell))
        await self._pilot.click(self.board, offset=(x, y))
        await self._pilot.pause()

    async def until(self, happens: Callable[[], object]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(PATIENCE):
            while not happens():
                await self._pilot.pause(0.01)

    async def my_turn(self) -> None:
        """Wait until the agent is loaded and has moved."""
        session = self.game.session
        await self.until(lambda: self.game.loaded and (session.result or not session.agent_to_move))


def drive(
    steps: Callable[[Driver], Awaitable[None]],
    variant: str = "tictactoe",
    agent: str = "random",
    *,
    person: int | None = 0,
    control: TimeControl | None = None,
    run: Path | None = None,
    against: str | None = None,
    size: tuple[int, int] = (80, 24),
) -> None:
    """Run the app and do some steps in it."""

    async def main() -> None:
        agents = Agents(
            None if run else agent, seed=1, run=run, against=against, simulations=0 if run else None
        )
        app = SelfplayApp(games.load(variant), agents, person=person, control=control, pace=FAST)
        async with app.run_test(size=size) as pilot:
            driver = Driver(app, pilot)
            await pilot.pause()
            if run is None:
                await driver.my_turn()
            await steps(driver)

    asyncio.run(main())
