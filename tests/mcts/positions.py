"""Positions for tests."""

from __future__ import annotations

import random

import games
from games import Position


def after(name: str, moves: str = "") -> Position:
    """The position of a catalogue variant after moves as text."""
    position = games.start(games.load(name))
    for move in moves.split():
        position = position.play_text(move)
    return position


def random_position(name: str, plies: int, seed: int) -> Position:
    """An ongoing position after about so many random moves."""
    draw = random.Random(f"{name} {plies} {seed}")
    position = after(name)
    for _ in range(plies):
        following = position.play(draw.choice(position.legal_actions.tolist()))
        if following.is_over:
            break
        position = following
    return position
