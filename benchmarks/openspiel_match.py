"""Play an agent against OpenSpiel's C++ MCTS at Connect Four.

    python benchmarks/openspiel_match.py models/zoo/connect4.onnx --simulations 64 --rollouts 1000 --games 400

Opponent: `MCTSBot` with random rollouts, solver on, uct_c 2. Openings are random plies, each played with both
colours.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path

import pyspiel

import games
from games import Position
from selfplay.match import play_match
from selfplay.player import Player


class OpenSpielMcts:
    """OpenSpiel's MCTS behind `Chooser`; every position is replayed into OpenSpiel move by move."""

    def __init__(self, rollouts: int, seed: int) -> None:
        self._game = pyspiel.load_game("connect_four")
        evaluator = pyspiel.RandomRolloutEvaluator(1, seed)
        self._bot = pyspiel.MCTSBot(self._game, evaluator, 2.0, rollouts, 1000, True, seed, False)

    def choose_many(self, positions: Sequence[Position]) -> list[int]:
        """The bot's move in each position."""
        return [self._choose(position) for position in positions]

    def _choose(self, position: Position) -> int:
        columns = position.variant.board.columns
        state = self._game.new_initial_state()
        for action in position.actions:
            state.apply_action(action % columns)
        column = self._bot.step(state)
        return next(int(action) for action in position.legal_actions if action % columns == column)


def main() -> None:
    """Run the match and print (or write) one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("agent")
    parser.add_argument("--simulations", type=int, default=64)
    parser.add_argument("--rollouts", type=int, default=1000)
    parser.add_argument("--games", type=int, default=400)
    parser.add_argument("--opening-plies", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    started = time.perf_counter()
    result = play_match(
        games.load("connect4"),
        Player.load(arguments.agent, simulations=arguments.simulations),
        OpenSpielMcts(arguments.rollouts, arguments.seed),
        games=arguments.games,
        opening_plies=arguments.opening_plies,
        seed=arguments.seed,
    )
    report = {
        "agent": arguments.agent,
        "simulations": arguments.simulations,
        "opponent": f"OpenSpiel MCTSBot, {arguments.rollouts} rollouts, solver on, uct_c 2",
        "opening_plies": arguments.opening_plies,
        "seed": arguments.seed,
        **result._asdict(),
        "points": result.points,
        "standard_error": result.standard_error,
        "seconds": time.perf_counter() - started,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    }
    text = json.dumps(report, indent=1)
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
