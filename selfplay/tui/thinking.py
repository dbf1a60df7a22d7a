"""Agents think in threads; what they find comes back as messages to the screen that asked."""

from __future__ import annotations

from collections.abc import Iterator

from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker, get_current_worker

from games import Position
from selfplay.player import Analysis, Player

ANALYSIS_SECONDS = 4.0
"""After which a live analysis ends; no search of it takes longer than half of that."""

GROUP = "thinking"


class Thought(Message):
    """What an agent found so far.

    analysis: None where there was nothing to choose
    action: what it would play
    is_final: nothing better follows; is_move: the agent plays it
    """

    def __init__(
        self, position: Position, analysis: Analysis | None, action: int, *, is_final: bool, is_move: bool
    ) -> None:
        self.position = position
        self.analysis = analysis
        self.action = action
        self.is_final = is_final
        self.is_move = is_move
        super().__init__()


class Trouble(Message):
    """An agent can't go on; one line says why."""

    def __init__(self, line: str) -> None:
        self.line = line
        super().__init__()


class Thinker:
    """Lets one agent at a time think, in a thread; who thought before stops soon and isn't heard any more."""

    def __init__(self, screen: Screen[None]) -> None:
        self._screen = screen
        self._worker: Worker[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether an agent thinks."""
        return self._worker is not None and not self._worker.is_finished and not self._worker.is_cancelled

    def stop(self) -> None:
        """Let nobody think."""
        if self._worker is not None:
            self._worker.cancel()
            self._worker = None

    def choose(self, player: Player, position: Position, seconds: float | None) -> None:
        """Let the agent to move find its move, in `seconds` if its simulations take longer."""
        self._start(player, position, player.simulations, seconds, is_move=True)

    def analyse(self, player: Player, position: Position, *, simulations: int | None = None) -> None:
        """Let an agent look at a position for a while, or until it has spent its simulations."""
        self._start(player, position, simulations, ANALYSIS_SECONDS, is_move=False)

    def _start(
        self,
        player: Player,
        position: Position,
        simulations: int | None,
        seconds: float | None,
        *,
        is_move: bool,
    ) -> None:
        self.stop()

        def work() -> None:
            worker = get_current_worker()
            try:
                for thought in _thoughts(player, position, simulations, seconds, is_move=is_move):
                    if worker.is_cancelled:
                        return
                    self._screen.post_message(thought)
            except ValueError as error:  # a `UserError`, or an evaluator's answer that is no answer
                self._screen.post_message(Trouble(str(error)))

        self._worker = self._screen.run_worker(work, group=GROUP, thread=True, exclusive=True)


def _thoughts(
    player: Player, position: Position, simulations: int | None, seconds: float | None, *, is_move: bool
) -> Iterator[Thought]:
    """What a player finds; a move that is the only one needs no thought."""
    if is_move and len(position.legal_actions) == 1:
        yield Thought(position, None, int(position.legal_actions[0]), is_final=True, is_move=True)
        return
    last: Analysis | None = None
    for last in player.stream(position, simulations=simulations, seconds=seconds):
        yield Thought(position, last, last.action, is_final=False, is_move=is_move)
    assert last is not None
    yield Thought(position, last, last.action, is_final=True, is_move=is_move)
