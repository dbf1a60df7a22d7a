"""Go against OpenSpiel: captures, suicide, ko, positional superko, and the area of both.

OpenSpiel numbers points from the lowest row and forbids suicide and the ko point. It doesn't forbid to repeat
a position: the game is then over, without a winner. So our superko must forbid exactly those moves after
which OpenSpiel says so, and our simple ko none of them.
"""

from __future__ import annotations

import random

import pyspiel
import pytest

import games
from games.position import Position
from games.variant import Variant
from tests.games.parity import board_variant, legal, seeds

pytestmark = pytest.mark.kernels

SIZES = [(2, 0.5, 1.0), (3, 1.0, 1.0), (4, 2.0, 1.0), (5, 3.0, 0.75), (7, 9.0, 0.5), (9, 7.5, 0.25)]
"""Board size, komi, and the share of games played; a whole komi allows draws, small boards repeat most."""


def longest(size: int) -> int:
    """Moves after which both pass, to compare the score."""
    return 30 + 3 * size * size


def go(size: int, komi: float, repeat: str) -> Variant:
    return board_variant(
        board={"rows": size, "columns": size},
        move={"keeps_liberty": True},
        turn={"passing": "always", "repeat": repeat},
        effect={"surround": True},
        end={"count": "area", "komi": komi, "ply_cap": 2 * longest(size)},
    )


def openspiel_go(size: int, komi: float) -> pyspiel.State:
    parameters = f"board_size={size},komi={komi},max_game_length={2 * longest(size)}"
    return pyspiel.load_game(f"go({parameters})").new_initial_state()


def flipped(action: int, size: int) -> int:
    """OpenSpiel's rows run upwards; the action after the last point is to pass in both."""
    return action if action == size * size else (size - 1 - action // size) * size + action % size


def some_action(actions: list[int], size: int, chance: random.Random) -> int:
    """A random action that seldom passes, so that boards fill up and repeat."""
    stones = [action for action in actions if action != size * size]
    return chance.choice(stones) if stones and chance.random() < 0.97 else size * size


def repeats(theirs: pyspiel.State, action: int, size: int) -> bool:
    """Whether OpenSpiel knows the position after a move; no other single stone ends its game."""
    return action != size * size and theirs.child(action).is_terminal()


def assert_same_moves(position: Position, theirs: pyspiel.State, actions: list[int], size: int) -> None:
    assert legal(position) == sorted(flipped(action, size) for action in actions), f"{position}\n{theirs}"
    assert position.to_play == theirs.current_player()


def assert_same_score(position: Position, theirs: pyspiel.State, size: int) -> None:
    """Both pass until the game is over, and count."""
    while not theirs.is_terminal():
        assert not position.is_over, f"{position}\n{theirs}"
        position = position.play_text("pass")
        theirs.apply_action(size * size)
    assert position.is_over, f"{position}\n{theirs}"
    assert list(position.returns) == theirs.returns(), f"{position}\n{theirs}"


@pytest.mark.parametrize(("size", "komi", "share"), SIZES)
def test_superko(size: int, komi: float, share: float) -> None:
    for seed in seeds(share):
        chance = random.Random(seed)
        position, theirs = games.start(go(size, komi, "superko")), openspiel_go(size, komi)
        while not theirs.is_terminal() and position.ply < longest(size):
            actions = [a for a in theirs.legal_actions() if not repeats(theirs, a, size)]
            assert_same_moves(position, theirs, actions, size)
            action = some_action(actions, size, chance)
            position = position.play(flipped(action, size))
            theirs.apply_action(action)
        assert_same_score(position, theirs, size)


@pytest.mark.parametrize(("size", "komi", "share"), SIZES)
def test_ko(size: int, komi: float, share: float) -> None:
    """Until a position is repeated; there OpenSpiel stops and our simple ko goes on."""
    for seed in seeds(share):
        chance = random.Random(seed)
        position, theirs = games.start(go(size, komi, "ko")), openspiel_go(size, komi)
        repeated = False
        while not theirs.is_terminal() and position.ply < longest(size):
            assert_same_moves(position, theirs, theirs.legal_actions(), size)
            action = some_action(theirs.legal_actions(), size, chance)
            repeated = repeats(theirs, action, size)
            position = position.play(flipped(action, size))
            theirs.apply_action(action)
        if repeated:
            assert not position.is_over, f"{position}\n{theirs}"
        else:
            assert_same_score(position, theirs, size)
