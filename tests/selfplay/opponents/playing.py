"""Games of a contestant against random moves."""

from __future__ import annotations

import random

import numpy as np

import games as rules
from games import Position, Variant
from selfplay.match import Contestant, Forfeit

PASSES = 0.1
"""Share of the random moves that pass where they need not."""


def finish(contestant: Contestant, variant: Variant, *, games: int) -> list[str]:
    """Play games against random moves to their end, seats in turn; the reasons of forfeits."""
    positions = dict(enumerate([rules.start(variant)] * games))
    chance, reasons = random.Random(0), []
    while positions:
        turn = [game for game, position in positions.items() if position.to_play == game % 2]
        answers = contestant.choose_many([positions[game] for game in turn])
        chosen = dict(zip(turn, answers, strict=True))
        for game, position in list(positions.items()):
            actions = position.legal_actions.tolist()
            stones = [a for a in actions if a != rules.pass_action(variant)]
            drawn = chance.choice(stones if stones and chance.random() > PASSES else actions)
            answer = chosen.get(game, drawn)
            if isinstance(answer, Forfeit):
                reasons.append(answer.reason)
                del positions[game]
            else:
                positions[game] = position.play(answer)
                if positions[game].is_over:
                    del positions[game]
    return reasons


def after_random_actions(variant: Variant, plies: int, chance: np.random.Generator) -> Position | None:
    """A position after so many random actions that isn't over; None if a hundred games were all shorter."""
    for _ in range(100):
        position = rules.start(variant)
        while not position.is_over and position.ply < plies:
            position = position.play(int(chance.choice(position.legal_actions)))
        if not position.is_over:
            return position
    return None
