"""Positions as drawings: one rule a test."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import games
from games.encoding import PLANES
from games.errors import MoveError
from games.position import Position
from games.variant import Board
from tests.games.drawings import board, drawn, legal, played, variant

pytestmark = pytest.mark.kernels


def load_and_play(name: str, moves: str) -> Position:
    return played(games.load(name), moves)


def refusal(position: Position, text: str) -> str:
    """The one line that a move is refused with."""
    with pytest.raises(MoveError) as caught:
        position.play_text(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# What a person sees


def test_a_board_is_drawn_with_letters_numbers_and_the_last_move() -> None:
    assert str(load_and_play("connect3-4x4", "b b d")).splitlines() == [
        " 4  . . . .",
        " 3  . . . .",
        " 2  . o . .",
        " 1  . x .[x]",
        "    a b c d",
        "o (player 1) to move",
    ]


def test_the_end_says_who_won() -> None:
    assert str(load_and_play("tictactoe", "a1 a2 b1 b2 c1")).endswith("x (player 0) wins")
    assert str(load_and_play("tictactoe", "a1 a2 b1 b2 c3 c2")).endswith("o (player 1) wins")
    assert str(load_and_play("tictactoe", "b2 a1 c1 a3 a2 c2 b1 b3 c3")).endswith("draw")


def test_a1_is_the_lower_left_cell() -> None:
    assert board(load_and_play("tictactoe", "a1 c3 c1")) == drawn(
        """
        ..o
        ...
        x.x
        """
    )


def test_holes_are_drawn_as_holes() -> None:
    assert board(games.start(games.load("connect4-holes"))).splitlines()[3] == "..#.#.."


# Lines


def test_three_in_line_win_along_a_diagonal() -> None:
    position = load_and_play("tictactoe", "a1 a2 b2 a3 c3")
    assert position.is_over
    assert position.returns == (1, -1)
    assert position.legal_actions.size == 0


def test_in_misere_the_line_loses() -> None:
    assert load_and_play("tictactoe-misere", "a1 a2 b2 a3 c3").returns == (-1, 1)


def test_a_torus_line_runs_across_the_edge() -> None:
    torus = load_and_play("tictactoe-torus", "a2 a1 b1 b2 c3")
    assert board(torus) == drawn(
        """
        ..x
        xo.
        ox.
        """
    )
    assert torus.returns == (1, -1)
    assert not load_and_play("tictactoe", "a2 a1 b1 b2 c3").is_over


def test_a_cylinder_line_runs_round_the_back() -> None:
    assert load_and_play("connect4-cylinder", "f f g g a a b").returns == (1, -1)
    assert not load_and_play("connect4", "f f g g a a b").is_over


@pytest.mark.parametrize(
    ("wrap", "wins"), [("none", False), ("columns", False), ("rows", True), ("both", True)]
)
def test_only_wrapped_rows_let_a_line_through_the_floor(wrap: str, wins: bool) -> None:
    rules = variant(f"board = {{ rows = 4, columns = 4, wrap = '{wrap}' }}\nend = {{ line = 3 }}")
    assert played(rules, "a4 b1 a1 b3 a2").is_over == wins


def test_an_overline_wins_freestyle_gomoku_but_not_the_exact_one() -> None:
    moves = "a1 a3 b1 b3 c1 c3 e1 e3 f1 h8 d1"
    assert load_and_play("gomoku", moves).returns == (1, -1)
    six = load_and_play("gomoku-exact", moves)
    assert board(six).splitlines()[-1] == "xxxxxx" + 9 * "."
    assert not six.is_over


def test_exactly_five_win_the_exact_game() -> None:
    assert load_and_play("gomoku-exact", "a1 a3 b1 b3 c1 c3 e1 e3 d1").returns == (1, -1)


def test_an_overline_one_way_does_not_spoil_an_exact_line_another_way() -> None:
    cross = variant("board = { rows = 4, columns = 4 }\nend = { line = 3, exact = true }")
    position = played(cross, "a1 a4 b1 b3 d1 d4 c2 d3 c3 b4 c1")
    assert board(position) == drawn(
        """
        oo.o
        .oxo
        ..x.
        xxxx
        """
    )
    assert position.returns == (1, -1)


def test_a_full_ring_counts_each_cell_once() -> None:
    """Four cells round a cylinder are four in line, not more."""
    ring = variant("board = { rows = 2, columns = 4, wrap = 'columns' }\nend = { line = 4, exact = true }")
    assert played(ring, "a1 a2 b1 b2 c1 c2 d1").returns == (1, -1)


def test_a_full_board_without_a_line_is_a_draw() -> None:
    position = load_and_play("tictactoe", "b2 a1 c1 a3 a2 c2 b1 b3 c3")
    assert position.is_over
    assert position.returns == (0, 0)


def test_the_last_cell_can_still_win() -> None:
    position = load_and_play("tictactoe", "a1 a2 b1 b2 b3 a3 c2 c3 c1")
    assert board(position) == drawn(
        """
        oxo
        oox
        xxx
        """
    )
    assert position.returns == (1, -1)


def test_the_ply_cap_is_a_draw() -> None:
    capped = variant("board = { rows = 3, columns = 3 }\nend = { line = 3, ply_cap = 4 }")
    position = played(capped, "a1 a2 b1 c3")
    assert position.is_over
    assert position.returns == (0, 0)


def test_a_line_on_the_last_ply_of_the_cap_wins() -> None:
    capped = variant("board = { rows = 3, columns = 3 }\nend = { line = 3, ply_cap = 5 }")
    assert played(capped, "a1 a2 b1 b2 c1").returns == (1, -1)


# Gravity


@pytest.mark.parametrize(
    ("gravity", "moves", "expected"),
    [
        ("down", "b b a", "....\n....\n.o..\nxx.."),
        ("up", "b b a", "xx..\n.o..\n....\n...."),
        ("left", "2 2 1", "....\n....\nxo..\nx..."),
        ("right", "2 2 1", "....\n....\n..ox\n...x"),
    ],
)
def test_stones_fall_where_gravity_points(gravity: str, moves: str, expected: str) -> None:
    rules = variant(
        f"""
        board = {{ rows = 4, columns = 4 }}
        move = {{ kind = "drop", gravity = "{gravity}" }}
        end = {{ line = 4 }}
        """
    )
    assert board(played(rules, moves)) == expected


def test_a_full_lane_is_closed() -> None:
    full = load_and_play("connect4", "d d d d d d")
    assert legal(full) == {"a1", "b1", "c1", "e1", "f1", "g1"}
    assert "'d', which has none" in refusal(full, "d")


def test_a_hole_holds_stones_and_shelters_the_cells_below() -> None:
    start = games.start(games.load("connect4-holes"))
    assert legal(start) == {"a1", "b1", "c1", "c4", "d1", "e1", "e4", "f1", "g1"}


def test_a_lane_with_two_places_asks_which() -> None:
    start = games.start(games.load("connect4-holes"))
    assert "c4 or c1, got the lane 'c' alone" in refusal(start, "c")
    assert board(start.play_text("c4")).splitlines()[2] == "..x...."


def test_one_place_left_in_a_split_lane_is_unambiguous() -> None:
    position = load_and_play("connect4-holes", "c1 c2 c")
    assert position.action_text(position.last_action or 0) == "c4"


def test_a_floating_cell_is_refused_with_the_legal_ones() -> None:
    message = refusal(games.start(games.load("connect4")), "a2")
    assert message == (
        "connect4 after 0 actions: expected one of a1, b1, c1, d1, e1, f1, g1, got a2, which isn't legal here"
    )


# Turns


def test_connect6_turns_are_one_then_two_each() -> None:
    position = games.start(games.load("connect6-9x9"))
    seats = []
    for move in ("e5", "a1", "a2", "b1", "b2", "c1", "c2"):
        seats.append(position.to_play)
        position = position.play_text(move)
    assert seats == [0, 1, 1, 0, 0, 1, 1]


def test_the_status_line_counts_the_stones_left() -> None:
    two_left, one_left = load_and_play("connect6-9x9", "e5"), load_and_play("connect6-9x9", "e5 a1")
    assert str(two_left).endswith("o (player 1) to move, 2 stones left in this turn")
    assert str(one_left).endswith("o (player 1) to move, 1 stone left in this turn")


def test_the_first_of_two_stones_can_win() -> None:
    moves = "i9 a1 b1 i8 i7 c1 d1 i4 i2 e1 f1"
    position = load_and_play("connect6-9x9", moves)
    assert position.returns == (-1, 1)
    first_stone_wins = load_and_play("connect6-9x9", "i9 a1 b1 i8 i7 c1 d1 i4 i2 e1 h5 h1 h2 f1")
    assert first_stone_wins.is_over
    assert first_stone_wins.returns == (-1, 1)


def test_a_swap_changes_the_seats_and_not_the_stones() -> None:
    before = load_and_play("gomoku-swap", "h8")
    after = before.play_text("swap")
    assert (before.to_play, after.to_play) == (1, 0)
    assert board(after) == board(before)
    assert str(after).endswith("o (player 0) to move")


def test_after_a_swap_the_second_seat_wins_with_the_first_colour() -> None:
    position = load_and_play("gomoku-swap", "a1 swap a3 b1 b3 c1 c3 d1 d3 e1")
    assert position.returns == (-1, 1)
    assert str(position).endswith("x (player 1) wins")


def test_swapping_is_offered_once_and_only_after_the_first_turn() -> None:
    start = games.start(games.load("gomoku-swap"))
    assert "swap" not in legal(start)
    assert "swap" in legal(start.play_text("a1"))
    assert "swap" not in legal(start.play_text("a1").play_text("swap"))
    assert "swap" not in legal(start.play_text("a1").play_text("b1"))


def test_with_two_stones_in_the_first_turn_the_swap_waits_for_both() -> None:
    rules = variant(
        """
        board = { rows = 5, columns = 5 }
        turn = { swap = true, stones = 1, first_stones = 2 }
        end = { line = 5 }
        """
    )
    assert "swap" not in legal(played(rules, "a1"))
    assert "swap" in legal(played(rules, "a1 b1"))
    assert played(rules, "a1 b1 swap").to_play == 0


# Flips


def test_othello_opens_with_four_moves_and_a_flip() -> None:
    start = games.start(games.load("othello"))
    assert legal(start) == {"d6", "c5", "f4", "e3"}
    assert board(start.play_text("d6")).splitlines()[2:5] == ["...x....", "...xx...", "...xo..."]


def test_a_stone_that_flips_nothing_is_refused() -> None:
    assert "got a1, which isn't legal here" in refusal(games.start(games.load("othello")), "a1")


def test_flips_do_not_chain_through_flipped_stones() -> None:
    rules = variant(
        """
        board = { rows = 3, columns = 4, setup = { first = ["a1", "d3"], second = ["b1", "c2"] } }
        effect = { flip = true }
        end = { count = "stones" }
        """
    )
    assert board(played(rules, "c1")) == "...x\n..o.\nxxx."


def test_on_a_torus_lines_that_cross_are_enclosed_before_any_stone_flips() -> None:
    """From a1 two diagonals, up to e5 and down round the edge to f2, cross on d4."""
    rules = variant(
        """
        effect = { flip = true }
        end = { count = "stones" }

        [board]
        rows = 6
        columns = 6
        wrap = "both"
        setup = { first = ["e5", "f2"], second = ["b2", "c3", "d4", "b6", "c5", "e3"] }
        """
    )
    assert board(games.start(rules)) == drawn(
        """
        .o....
        ..o.x.
        ...o..
        ..o.o.
        .o...x
        ......
        """
    )
    assert board(played(rules, "a1")) == drawn(
        """
        .x....
        ..x.x.
        ...x..
        ..x.x.
        .x...x
        x.....
        """
    )


def test_flipped_stones_can_make_the_line() -> None:
    """The stone on a1 makes no line; the stone that it flips on b2 does, with b1 and b3."""
    rules = variant(
        """
        board = { rows = 3, columns = 3, setup = { first = ["b1", "b3", "c3"], second = ["b2"] } }
        effect = { flip = true }
        end = { line = 3 }
        """
    )
    position = played(rules, "a1")
    assert board(position) == ".xx\n.x.\nxx."
    assert position.returns == (1, -1)


def test_more_stones_win_a_full_board() -> None:
    rules = variant("board = { rows = 1, columns = 3 }\nend = { count = 'stones' }")
    assert played(rules, "a1 b1 c1").returns == (1, -1)


def test_who_cannot_move_passes_and_two_passes_end() -> None:
    rules = variant(
        """
        board = { rows = 1, columns = 5, setup = { first = ["a1"], second = ["b1"] } }
        move = { must_flip = true }
        turn = { passing = "stuck" }
        effect = { flip = true }
        end = { count = "stones" }
        """
    )
    position = played(rules, "c1")
    assert board(position) == "xxx.."
    assert legal(position) == {"pass"}
    assert not position.play_text("pass").is_over
    ended = position.play_text("pass").play_text("pass")
    assert ended.is_over
    assert ended.returns == (1, -1)


# Texts, and being a value


def test_texts_are_read_in_either_case_and_with_blanks_around() -> None:
    start = games.start(games.load("connect4"))
    assert start.play_text(" D1 ") == start.play_text("d") == start.play_text("D") == start.play_text("d1")


@pytest.mark.parametrize("text", ["", "z9", "d", "11", "a1a1", "ä1", "a-1", "swop", "\n"])
def test_nonsense_is_refused_in_one_line(text: str) -> None:
    assert "tictactoe after 0 actions: expected a cell from a1 to c3, got " in refusal(
        games.start(games.load("tictactoe")), text
    )


@pytest.mark.parametrize("action", [-1, 9, 10, 11, 1000])
def test_numbers_that_are_no_legal_action_are_refused(action: int) -> None:
    with pytest.raises(MoveError):
        games.start(games.load("tictactoe")).play(action)


def test_pass_and_swap_are_the_last_two_actions() -> None:
    rules = games.load("gomoku-swap")
    start = games.start(rules)
    assert start.action_text(games.pass_action(rules)) == "pass"
    assert start.action_text(games.swap_action(rules)) == "swap"
    assert (games.pass_action(rules), games.swap_action(rules)) == (225, 226)
    assert start.parse_action("PASS") == 225


def test_a_finished_game_takes_no_move() -> None:
    over = load_and_play("tictactoe", "a1 a2 b1 b2 c1")
    assert refusal(over, "c3") == "tictactoe after 5 actions: the game is over, got c3"


def test_legal_actions_and_mask_agree_and_ascend() -> None:
    position = load_and_play("connect4-holes", "a b c4 d")
    assert np.array_equal(np.flatnonzero(position.legal_mask), position.legal_actions)
    assert position.legal_mask.shape == (44,)


def test_playing_leaves_the_position_alone() -> None:
    start = games.start(games.load("tictactoe"))
    before = str(start)
    start.play_text("b2")
    assert str(start) == before
    assert start.actions == ()
    with pytest.raises(AttributeError):
        start.actions = (4,)  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        start.legal_actions[0] = 3


def test_positions_are_equal_by_rules_and_state() -> None:
    one, two = load_and_play("tictactoe", "a1 b2 c3"), load_and_play("tictactoe", "c3 b2 a1")
    assert one != two, "the last move is part of what is seen"
    assert load_and_play("tictactoe", "a1 b2 c3 a2") == load_and_play("tictactoe", "c3 b2 a1 a2")
    assert len({load_and_play("tictactoe", "a1 b2 c3 a2"), load_and_play("tictactoe", "c3 b2 a1 a2")}) == 1
    assert games.start(games.load("tictactoe")) != games.start(games.load("tictactoe-torus"))


def test_what_was_played_is_remembered() -> None:
    position = load_and_play("tictactoe", "a1 b2")
    assert (position.actions, position.last_action, position.ply) == ((6, 4), 4, 2)
    assert repr(position) == "<Position tictactoe: a1 b2>"


# What a network sees


def test_planes_are_seen_by_the_player_to_move() -> None:
    planes, legal_actions, _ = load_and_play("tictactoe", "a1 b2 c3").observation()
    on_board, own, opponent, legal_cells, *rest = planes[0].astype(int).tolist()
    assert on_board == [[1, 1, 1], [1, 1, 1], [1, 1, 1]]
    assert own == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert opponent == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    assert legal_cells == [[1, 1, 0], [1, 0, 1], [0, 1, 1]]
    assert not np.any(rest)
    assert legal_actions[0].astype(int).tolist() == [1, 1, 0, 1, 0, 1, 0, 1, 1, 0, 0]


def test_a_small_board_stands_at_the_top_left_of_the_canvas() -> None:
    small, large = load_and_play("tictactoe", "a1"), games.start(games.load("connect4"))
    planes, legal_actions, rules = games.observe([small, large])
    assert planes.shape == (2, len(PLANES), 6, 7)
    assert np.argwhere(planes[0, 2]).tolist() == [[2, 0]]
    assert planes[0, 0].sum() == 9
    assert np.flatnonzero(legal_actions[0]).tolist() == [0, 1, 2, 7, 8, 9, 15, 16]
    assert np.array_equal(rules[1], large.observation().rules[0])


def test_swap_is_the_last_action_of_every_canvas() -> None:
    large = variant("board = { rows = 19, columns = 19 }\nend = { line = 5 }")
    observation = games.observe([load_and_play("gomoku-swap", "a1"), games.start(large)])
    assert observation.legal.shape == (2, 363)
    assert observation.legal[0, 361:].tolist() == [False, True]


# Solved positions of others are positions here


def test_pons_positions_replay_and_full_columns_are_his(golden: Path) -> None:
    for line in (golden / "connect4_positions.jsonl").read_text().splitlines():
        case = json.loads(line)
        position = games.start(games.load("connect4"))
        for column in case["moves"]:
            position = position.play_text("abcdefg"[int(column) - 1])
        open_columns = {action % 7 for action in position.legal_actions.tolist()}
        assert open_columns == {column for column, score in enumerate(case["scores"]) if score is not None}
        assert not position.is_over


def test_positions_of_other_sizes_replay(golden: Path) -> None:
    """The c4 solver's positions are legal games that haven't ended, on boards of its three sizes."""
    sizes = set()
    for line in (golden / "connect4_sizes.jsonl").read_text().splitlines():
        case = json.loads(line)
        sizes.add((case["rows"], case["columns"]))
        rules = games.load("connect4").model_copy(
            update={"board": Board(rows=case["rows"], columns=case["columns"])}
        )
        position = games.start(rules)
        for column in case["moves"]:
            position = position.play_text("abcdefghij"[int(column)])
        assert not position.is_over
    assert sizes == {(6, 7), (5, 9), (6, 10)}


def test_pons_sees_a_loss_to_the_next_stone_where_there_is_one(golden: Path) -> None:
    """A loss scores the winner's stones minus 22, so the worst score means that the answer wins."""
    losing = 0
    for line in (golden / "connect4_positions.jsonl").read_text().splitlines():
        case = json.loads(line)
        position = games.start(games.load("connect4"))
        for column in case["moves"]:
            position = position.play_text("abcdefg"[int(column) - 1])
        for column, score in enumerate(case["scores"]):
            if score is not None:
                answered = position.play_text("abcdefg"[column])
                loses = any(answered.play(answer).returns != (0, 0) for answer in answered.legal_actions)
                worst = (position.ply + 1) // 2 + 1 - 22
                assert loses == (score == worst < 0), f"{answered}"
                losing += loses
    assert losing > 100
