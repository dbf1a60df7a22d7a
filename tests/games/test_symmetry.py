"""Symmetries of boards whose groups are known from geometry."""

from __future__ import annotations

import numpy as np
import pytest

import games
from games.compiler import compile_rules
from games.symmetry import MAX_SYMMETRIES, canvas_symmetries, symmetries
from tests.games.drawings import variant


def count(board: str, more: str = "") -> int:
    return len(symmetries(variant(f"board = {{ {board} }}\nend = {{ line = 2 }}\n{more}")))


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("tictactoe", 8),  # the square's dihedral group
        ("connect4", 2),  # left and right
        ("connect4-sideways", 2),  # up and down
        ("tictactoe-torus", 72),  # nine shifts, eight turns and reflections
        ("connect4-cylinder", 14),  # seven shifts, one reflection
        ("connect4-holes", 2),  # the holes c3 and e3 mirror each other
        ("othello", 4),  # the four stones in the middle keep both diagonals
    ],
)
def test_catalogue_has_the_groups_of_its_boards(name: str, order: int) -> None:
    assert len(symmetries(games.load(name))) == order


def test_a_rectangle_turns_by_half() -> None:
    assert count("rows = 3, columns = 4") == 4


def test_a_hole_off_centre_breaks_symmetry() -> None:
    assert count("rows = 3, columns = 3, holes = ['b2']") == 8
    assert count("rows = 3, columns = 3, holes = ['a1']") == 2
    assert count("rows = 3, columns = 3, holes = ['b1']") == 2
    assert count("rows = 3, columns = 4, holes = ['a1']") == 1


def test_a_stone_on_the_board_breaks_symmetry_by_its_colour() -> None:
    assert count("rows = 3, columns = 3, setup = { first = ['a1', 'c1'] }") == 2
    assert count("rows = 3, columns = 3, setup = { first = ['a1'], second = ['c1'] }") == 1


@pytest.mark.parametrize(
    ("gravity", "image"), [("down", "c3"), ("up", "c3"), ("left", "a1"), ("right", "a1")]
)
def test_gravity_keeps_one_reflection(gravity: str, image: str) -> None:
    """Where stones fall along columns, left and right may change places; else up and down."""
    rules = variant(
        f"""
        board = {{ rows = 3, columns = 3 }}
        move = {{ kind = "drop", gravity = "{gravity}" }}
        end = {{ line = 3 }}
        """
    )
    found = symmetries(rules)
    position = games.start(rules)
    assert len(found) == 2
    assert found[1, position.parse_action("a3")] == position.parse_action(image)


def test_an_oblong_torus_shifts_and_turns_by_half() -> None:
    assert count("rows = 3, columns = 5, wrap = 'both'") == 3 * 5 * 4


def test_a_square_cylinder_has_a_seam_and_no_quarter_turns() -> None:
    """Four shifts, left and right, up and down; a quarter turn would move the seam."""
    assert count("rows = 4, columns = 4, wrap = 'columns'") == 4 * 2 * 2
    assert count("rows = 4, columns = 4, wrap = 'rows'") == 4 * 2 * 2


def test_a_row_of_cells_counts_each_permutation_once() -> None:
    assert count("rows = 1, columns = 5") == 2


def test_the_identity_comes_first_and_pass_and_swap_stay() -> None:
    for name in games.names():
        found = symmetries(games.load(name))
        n_actions = found.shape[1]
        assert found[0].tolist() == list(range(n_actions))
        assert (found[:, -2:] == [n_actions - 2, n_actions - 1]).all()


def test_they_are_a_group() -> None:
    for name in ("tictactoe", "tictactoe-torus", "connect4-cylinder", "othello-6x6"):
        found = symmetries(games.load(name))
        known = {tuple(perm) for perm in found.tolist()}
        assert len(known) == len(found)
        assert all(tuple(one[other]) in known for one in found for other in found)


def test_tables_for_kernels_are_padded_with_the_identity() -> None:
    mixed = [games.load("tictactoe"), games.load("connect4")]
    table = canvas_symmetries(compile_rules(mixed), mixed)
    assert table.count.tolist() == [8, 2]
    assert table.perm.shape == (2, 8, 44)
    assert table.perm.dtype == np.int16
    assert (table.perm[1, 2:] == np.arange(44)).all()
    assert (table.perm[0, :, 11:] == np.arange(11, 44)).all()
    assert (table.perm[0, :, :11] == symmetries(mixed[0])).all()


def test_tables_keep_turns_and_reflections_of_a_torus_first() -> None:
    torus = games.load("tictactoe-torus")
    table = canvas_symmetries(compile_rules([torus]), [torus])
    flat = {tuple(perm) for perm in symmetries(games.load("tictactoe")).tolist()}
    assert table.count.tolist() == [MAX_SYMMETRIES]
    assert {tuple(perm) for perm in table.perm[0, :8].tolist()} == flat
    assert len({tuple(perm) for perm in table.perm[0].tolist()}) == MAX_SYMMETRIES
