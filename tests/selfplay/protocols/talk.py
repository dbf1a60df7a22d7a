"""A protocol's engine in this process: lines in, answers out."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence

import games
from games import Variant
from selfplay.player import Player
from selfplay.protocols.game import Game
from selfplay.protocols.lines import Engine, Output, serve

EngineOf = Callable[[Game, Output], Engine]


def quick(_variant: Variant) -> Player:
    return Player.load("mcts:12")


class Talk:
    """Speaks to an engine and notes what it says."""

    def __init__(
        self, engine_of: EngineOf, variant: str, player_of: Callable[[Variant], Player] = quick
    ) -> None:
        self.said: list[str] = []
        self.game = Game(games.load(variant), player_of)
        self.engine = engine_of(self.game, Output(self.said.append))

    def __call__(self, *lines: str) -> str:
        """What it says to some lines."""
        before = len(self.said)
        for line in lines:
            self.engine.answer(line)
        return "".join(self.said[before:])

    def until(self, word: str, *, seconds: float = 300.0) -> str:
        """Everything it has said, once a word is among it."""
        deadline = time.monotonic() + seconds
        while word not in "".join(self.said):
            assert time.monotonic() < deadline, self.said
            time.sleep(0.01)
        return "".join(self.said)


def served(engine_of: EngineOf, variant: str, source: bytes) -> str:
    """What an engine says to a whole input."""
    talk = Talk(engine_of, variant)
    serve(talk.engine, io.BytesIO(source))
    return "".join(talk.said)


def hostile_lines() -> Sequence[bytes]:
    """Lines that nobody types."""
    return (
        b"\x00\xff\xfe\x80\n",
        b"\n",
        b"   \t \n",
        b"A" * 200_000 + b"\n",
        "\u202e play b d4\n".encode(),
        b"99999999999999999999999999 name\n",
        b"play\n",
        b"-1 -1 -1\n",
        b"\x1b[2J\x07\n",
    )
