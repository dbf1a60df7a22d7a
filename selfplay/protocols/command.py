"""`selfplay engine`: an agent that other programs play with."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Literal

import games
from games import Variant
from selfplay.play import default_agent, opponent
from selfplay.player import Player
from selfplay.protocols.game import Game
from selfplay.protocols.gomocup import Gomocup
from selfplay.protocols.gtp import Gtp
from selfplay.protocols.lines import Engine, Output, serve
from selfplay.protocols.uci import Uci

ProtocolName = Literal["gtp", "uci", "gomocup"]

USUAL = {"gtp": "go", "uci": "breakthrough", "gomocup": "gomoku"}
"""What is played if nothing is said."""

_ENGINES: dict[str, Callable[[Game, Output], Engine]] = {"gtp": Gtp, "uci": Uci, "gomocup": Gomocup}


def run_engine(
    protocol: ProtocolName,
    variant: str | None,
    agent: str | None,
    source: BinaryIO,
    *,
    simulations: int | None,
    seed: int,
    ponder: bool,
    write: Callable[[str], object],
) -> None:
    """Answer the lines of `source` until they end.

    Args:
        protocol: what is spoken.
        variant: a name or a TOML file; default: see `USUAL`.
        agent: as `Player.load` takes it; default: what ships for each variant.
        source: lines of bytes.
        simulations: a move, where no clock decides.
        seed: of everything random.
        ponder: think in the other one's time as well (in UCI a GUI says when).
        write: takes whole answers.

    Raises:
        UserError: no such variant or agent, or a variant that the protocol has no words for.
    """

    def player_of(rules: Variant) -> Player:
        if agent is not None:
            return opponent(agent, simulations=simulations, seed=seed)
        return default_agent(rules, typed=rules.name, simulations=simulations, seed=seed)[0]

    game = Game(games.load(variant or USUAL[protocol]), player_of, ponders=ponder)
    serve(_ENGINES[protocol](game, Output(write)), source)
