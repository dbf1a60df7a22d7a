"""The kernels play the rules: move by move they agree with a slow engine written from the rules' text."""

from __future__ import annotations

import os
import random
import zlib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import games
from games import kernels
from games.compiler import compile_rules
from games.encoding import EXTRA_ACTIONS
from games.position import Position
from games.rules import HOLE, MAX_LEGAL, N_CELLS
from games.setup_kernels import begin_from_stones
from games.state import ONGOING, PLY, STATUS, VARIANT, new_state
from games.variant import Variant
from tests.games.reference import ReferenceGame
from tests.games.strategies import (
    any_variant,
    cloning_variants,
    flipping_variants,
    jumping_variants,
    placing_variants,
    variants,
    walking_variants,
)

pytestmark = pytest.mark.kernels

EXAMPLES = int(os.environ.get("SELFPLAY_EXAMPLES", "25" if os.environ.get("NUMBA_BOUNDSCHECK") else "100"))
"""Variants that each test draws: few with bounds checks, and `make verify` draws many more."""


def stones(position: Position) -> dict[str, str]:
    """Stones by the name of their cell, read from the state."""
    letters = {1: "x", 2: "o"}
    cells = enumerate(position.state.cells[0].tolist())
    return {position.action_text(cell): letters[content] for cell, content in cells if content in letters}


def destroyed(position: Position) -> set[str]:
    """Cells that were shot: no cells any more, though the board began with them."""
    n_cells = position.variant.board.rows * position.variant.board.columns
    cells = enumerate(position.state.cells[0, :n_cells].tolist())
    gone = {cell for cell, content in cells if content == HOLE} - position.variant.hole_cells
    return {position.action_text(cell) for cell in gone}


def assert_same(position: Position, reference: ReferenceGame) -> None:
    """Both engines see the same board, moves, player and result."""
    legal = {position.action_text(action) for action in position.legal_actions}
    assert legal == reference.legal(), f"{position}\n{reference.history}"
    assert stones(position) == reference.board(), f"{position}\n{reference.history}"
    assert destroyed(position) == reference.destroyed(), f"{position}\n{reference.history}"
    assert position.is_over == reference.over, f"{position}\n{reference.history}"
    assert position.returns == reference.returns(), f"{position}\n{reference.history}"
    assert position.is_over or position.to_play == reference.to_play(), f"{position}\n{reference.history}"


def play_both(variant: Variant, seed: int) -> Position:
    """One random game on both engines, compared after every move."""
    chance = random.Random(seed)
    position, reference = games.start(variant), ReferenceGame(variant)
    assert_same(position, reference)
    while not reference.over:
        moves = sorted(reference.legal())
        move = "swap" if "swap" in moves and chance.random() < 0.5 else chance.choice(moves)
        reference.play(move)
        position = position.play_text(move)
        assert_same(position, reference)
    seats = tuple(kernels.value_for_seat(position.state, 0, seat) for seat in (0, 1))
    assert seats == reference.returns()
    return position


@pytest.mark.parametrize("name", games.names())
def test_catalogue_is_played_as_the_reference_plays_it(name: str) -> None:
    variant = games.load(name)
    repeats = max(1, min(20, 100_000 // (variant.ply_cap * variant.n_actions)))
    for seed in range(repeats):
        play_both(variant, zlib.crc32(f"{name} {seed}".encode()))


def play_three(variant: Variant, seed: int) -> None:
    """Three random games on both engines."""
    for game in range(3):
        play_both(variant, seed + game)


@settings(max_examples=EXAMPLES)
@given(variants(), st.integers(0, 2**32))
def test_any_line_variant_is_played_as_the_reference_plays_it(variant: Variant, seed: int) -> None:
    play_three(variant, seed)


@settings(max_examples=EXAMPLES // 2)
@given(flipping_variants(), st.integers(0, 2**32))
def test_any_flipping_variant_is_played_as_the_reference_plays_it(variant: Variant, seed: int) -> None:
    play_three(variant, seed)


KO_AND_SWAP = Variant.from_dict(
    {
        "name": "ko-and-swap",
        "board": {"rows": 1, "columns": 2},
        "turn": {"first_stones": 3, "swap": True, "passing": "always", "repeat": "ko"},
        "effect": {"surround": True},
        "end": {"count": "stones", "ply_cap": 20},
    },
    where="test",
)
"""A stone is taken, then the players change places: the ko is over, for a move came between."""


LONG_ROW = Variant.from_dict(
    {
        "name": "long-row",
        "board": {"rows": 1, "columns": 9},
        "turn": {"passing": "always", "repeat": "ko"},
        "effect": {"surround": True},
        "end": {"count": "stones", "ply_cap": 60},
    },
    where="test",
)
"""Each of nine cells is a corner; where they got into groups' sizes, a ko near the right end went unseen."""


@settings(max_examples=EXAMPLES)
@example(KO_AND_SWAP, 0)
@example(LONG_ROW, 0)
@given(placing_variants(), st.integers(0, 2**32))
def test_any_placing_variant_is_played_as_the_reference_plays_it(variant: Variant, seed: int) -> None:
    play_three(variant, seed)


@settings(max_examples=EXAMPLES)
@given(walking_variants(), st.integers(0, 2**32))
def test_any_walking_variant_is_played_as_the_reference_plays_it(variant: Variant, seed: int) -> None:
    play_three(variant, seed)


@settings(max_examples=EXAMPLES // 2)
@given(jumping_variants(), st.integers(0, 2**32))
def test_any_jumping_variant_is_played_as_the_reference_plays_it(variant: Variant, seed: int) -> None:
    play_three(variant, seed)


@settings(max_examples=EXAMPLES // 2)
@given(cloning_variants(), st.integers(0, 2**32))
def test_any_cloning_variant_is_played_as_the_reference_plays_it(variant: Variant, seed: int) -> None:
    play_three(variant, seed)


@settings(max_examples=EXAMPLES // 5)
@given(st.lists(any_variant(), min_size=2, max_size=4), st.integers(0, 2**32))
def test_a_batch_of_mixed_variants_plays_like_each_alone(mixed: list[Variant], seed: int) -> None:
    """Rows of several variants on one canvas take the same course as each variant by itself."""
    rules = compile_rules(mixed)
    state = new_state(rules, len(mixed))
    listed = np.empty(rules.canvas.shape[1] + 1, np.int16)
    chance = random.Random(seed)
    for row, variant in enumerate(mixed):
        kernels.reset(rules, state, row, row)
        position = games.start(variant)
        while not position.is_over:
            n_legal = kernels.list_legal(rules, state, row, listed, 0)
            assert sorted(listed[:n_legal]) == position.legal_actions.tolist()
            action = chance.choice(position.legal_actions.tolist())
            kernels.play(rules, state, row, action)
            position = position.play(action)
        assert kernels.list_legal(rules, state, row, listed, 0) == 0
        assert state.info[row, 1:].tolist() == position.state.info[0, 1:].tolist()


@pytest.mark.parametrize("name", games.names())
def test_random_playouts_are_legal_games(name: str) -> None:
    """What the playout kernel plays, the reference can end at the same ply."""
    variant = games.load(name)
    rules = compile_rules([variant])
    state = new_state(rules, 1)
    streams = kernels.seed_streams(3, 1)
    scratch = np.empty(rules.flags[0, MAX_LEGAL] + 1, np.int16)
    kernels.reset(rules, state, 0, 0)
    plies = kernels.playout(rules, state, 0, streams, scratch)
    assert 1 <= plies == state.info[0, PLY] <= variant.ply_cap
    assert state.info[0, STATUS] != ONGOING


def test_a_long_game_beside_superko_leaves_the_history_of_others_alone() -> None:
    """The history's columns are for games of the superko variant, which are over sooner."""
    small_go = """
        board = { rows = 3, columns = 3 }
        turn = { passing = "always", repeat = "superko" }
        effect = { surround = true }
        end = { count = "area" }
        """
    rules = compile_rules([Variant.from_toml(small_go, name="small-go"), games.load("breakthrough")])
    state, copies = new_state(rules, 2), new_state(rules, 2)
    state.history[:], copies.history[:] = 1, 2
    scratch = np.empty(rules.flags[:, MAX_LEGAL].max() + 1, np.int16)
    kernels.reset(rules, state, 0, 1)
    kernels.playout(rules, state, 0, kernels.seed_streams(3, 1), scratch)
    assert state.info[0, PLY] >= state.history.shape[1] > 1

    kernels.copy_row(state, 0, copies, 0)
    assert (copies.history[1] == 2).all()
    begin_from_stones(rules, state, 0)
    assert (state.history == 1).all()


def test_playouts_depend_on_their_seed_only() -> None:
    variant = games.load("connect4")
    rules = compile_rules([variant])
    scratch = np.empty(variant.n_actions + 1, np.int16)
    ends = []
    for seed in (5, 5, 6):
        state = new_state(rules, 1)
        kernels.reset(rules, state, 0, 0)
        kernels.playout(rules, state, 0, kernels.seed_streams(seed, 1), scratch)
        ends.append(state.cells.tobytes())
    assert ends[0] == ends[1] != ends[2]


def test_stacked_rows_hold_their_variant_and_no_board_behind_their_cells() -> None:
    small, large = games.start(games.load("tictactoe")), games.start(games.load("connect4"))
    rules, state = games.stack([small, large.play_text("d"), small.play_text("b2")])
    assert state.cells.shape == (3, 42)
    assert rules.canvas.shape == (2, 42 + EXTRA_ACTIONS)
    assert (state.cells[[0, 2], 9:] == HOLE).all()
    n_cells = rules.flags[state.info[:, VARIANT], N_CELLS]
    assert n_cells.tolist() == [9, 42, 9]
    assert state.cells[2, :9].tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0]
