"""The reference engine plays known games: facts from their rules, and counts that others published."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from games.variant import Variant
from tests.games.drawings import drawn
from tests.games.reference import ReferenceGame

GO = {
    "move": {"keeps_liberty": True},
    "turn": {"passing": "always", "repeat": "ko"},
    "effect": {"surround": True},
    "end": {"count": "area", "komi": 0.5},
}
NOGO = {"move": {"keeps_liberty": True, "captures_nothing": True}, "end": {"stuck": "loses"}}
HAVANNAH = {
    "board": {"rows": 5, "columns": 5, "cells": "hex", "shape": "hexagon"},
    "end": {"fork": 3, "bridge": 2, "ring": True},
}
AMAZONS = {"move": {"kind": "slide", "to_empty": ["all"], "shoot": True}, "end": {"stuck": "loses"}}
KONANE = {
    "move": {"kind": "step", "over_enemy": ["orthogonal"], "chain": "straight"},
    "end": {"stuck": "loses"},
}
DRAUGHTS = {
    "move": {
        "kind": "step",
        "to_empty": ["forward-diagonal"],
        "over_enemy": ["forward-diagonal"],
        "chain": "any",
        "must_jump": True,
    },
    "end": {"stuck": "loses"},
}
BREAKTHROUGH = {
    "move": {
        "kind": "step",
        "to_empty": ["forward", "forward-diagonal"],
        "to_enemy": ["forward-diagonal"],
    },
    "end": {"reach": {"first": "top", "second": "bottom"}, "eliminate": True},
}
ATAXX = {
    "board": {"adjacent": 8},
    "move": {"kind": "clone"},
    "turn": {"passing": "stuck"},
    "effect": {"infect": True},
    "end": {"count": "stones", "eliminate": True},
}
PENTE = {"effect": {"take_enclosed": 2}, "end": {"line": 5, "capture": 4}}
DOMINEERING = {"move": {"domino": True}, "end": {"stuck": "loses"}}
STONES = {"end": {"count": "stones"}}


def begin(rules: dict[str, Any], drawing: str = "", **more: dict[str, Any]) -> ReferenceGame:
    """A game that begins with a drawn board (x, o, `.` and `#` for a hole); `more` adds to the rules."""
    data = {section: dict(keys) for section, keys in rules.items()}
    for section, keys in more.items():
        data[section] = data.get(section, {}) | keys
    if drawing:
        data["board"] = data.get("board", {}) | read(drawing)
    return ReferenceGame(Variant.from_dict(data, where="drawn"))


def read(drawing: str) -> dict[str, Any]:
    """The board that a drawing shows."""
    rows = drawn(drawing).split("\n")
    cells = {
        f"{'abcdefghij'[c]}{len(rows) - r}": mark for r, row in enumerate(rows) for c, mark in enumerate(row)
    }
    found = {mark: [name for name, content in cells.items() if content == mark] for mark in "xo#"}
    return {
        "rows": len(rows),
        "columns": len(rows[0]),
        "setup": {"first": found["x"], "second": found["o"]},
        "holes": found["#"],
    }


def played(game: ReferenceGame, moves: str) -> ReferenceGame:
    """The game itself, after moves separated by blanks."""
    for move in moves.split():
        game.play(move)
    return game


def picture(game: ReferenceGame) -> str:
    """The board as it is drawn; `#` for what is no cell, `*` for what was shot."""
    board = game.variant.board
    marks = dict.fromkeys(game.table.empties(), ".") | game.table.stones
    marks |= dict.fromkeys(game.table.destroyed, "*")
    rows, columns = range(board.rows, 0, -1), range(1, board.columns + 1)
    return "\n".join("".join(marks.get((row, column), "#") for column in columns) for row in rows)


def names(text: str) -> set[str]:
    return set(text.split())


def count_games(game: ReferenceGame, depth: int) -> int:
    """How many sequences of `depth` complete moves there are."""
    if depth == 0:
        return 1
    total = 0
    for move in game.legal():
        after = branch(game)
        after.play(move)
        total += count_games(after, depth - (after.phase == "choose"))
    return total


def branch(game: ReferenceGame) -> ReferenceGame:
    """A second game at the same point."""
    other = copy.copy(game)
    other.table, other.captures = game.table.copy(), dict(game.captures)
    other.history, other.seen = list(game.history), set(game.seen)
    return other


# Numbers that others published


@pytest.mark.parametrize(("depth", "games"), [(1, 4), (2, 12), (3, 56), (4, 244)])
def test_othello_has_as_many_games_as_others_count(depth: int, games: int) -> None:
    """Perft of Othello: 4, 12, 56, 244, 1396, 8200."""
    board = {"rows": 8, "columns": 8, "setup": {"pattern": "centre"}}
    rules = {"move": {"must_flip": True}, "effect": {"flip": True}, "turn": {"passing": "stuck"}}
    assert count_games(begin(rules | STONES, board=board), depth) == games


@pytest.mark.parametrize(("depth", "games"), [(1, 16), (2, 256)])
def test_ataxx_has_as_many_games_as_others_count(depth: int, games: int) -> None:
    """Perft of Ataxx on 7 x 7: 16, 256, 6460, 155888."""
    board = {"rows": 7, "columns": 7, "adjacent": 8, "setup": {"pattern": "corners"}}
    assert count_games(begin(ATAXX, board=board), depth) == games


@pytest.mark.parametrize(("depth", "games"), [(1, 7), (2, 49), (3, 302), (4, 1469)])
def test_draughts_have_as_many_games_as_others_count(depth: int, games: int) -> None:
    """Perft of English draughts: 7, 49, 302, 1469, 7361; nobody is crowned so early."""
    drawing = """
        .o.o.o.o
        o.o.o.o.
        .o.o.o.o
        ........
        ........
        x.x.x.x.
        .x.x.x.x
        x.x.x.x.
        """
    assert count_games(begin(DRAUGHTS, drawing), depth) == games


def test_amazons_begins_with_2176_moves() -> None:
    setup = {"first": ["a4", "d1", "g1", "j4"], "second": ["a7", "d10", "g10", "j7"]}
    assert count_games(begin(AMAZONS, board={"rows": 10, "columns": 10, "setup": setup}), 1) == 2176


def test_breakthrough_begins_with_22_moves_for_each() -> None:
    board = {"rows": 8, "columns": 8, "setup": {"pattern": "rows"}}
    assert count_games(begin(BREAKTHROUGH, board=board), 2) == 22 * 22


# Boards


def test_setup_patterns_blocks_and_cells_left_empty() -> None:
    board = {"rows": 4, "columns": 4, "setup": {"pattern": "checkerboard", "empty": ["b2:c3"]}}
    assert picture(begin(STONES, board=board)) == "oxox\nx..o\no..x\nxoxo"
    board["setup"] = {"first": ["a1:b2"], "second": ["d4:c3"]}
    assert picture(begin(STONES, board=board)) == "..oo\n..oo\nxx..\nxx.."


def test_a_triangle_is_the_upper_left_and_a_hexagon_lacks_two_corners() -> None:
    triangle = {"rows": 3, "columns": 3, "cells": "hex", "shape": "triangle"}
    assert picture(begin(STONES, board=triangle)) == "...\n..#\n.##"
    assert picture(begin(HAVANNAH)) == "##...\n#....\n.....\n....#\n...##"


def test_a_hexagon_has_six_sides_and_six_corners() -> None:
    table = begin(HAVANNAH).table
    assert {len(side) for side in table.sides().values()} == {3}
    assert table.corners() == {(1, 1), (1, 3), (3, 5), (5, 5), (5, 3), (3, 1)}


def test_hex_cells_touch_up_right_but_not_up_left() -> None:
    table = begin(STONES, board={"rows": 3, "columns": 3, "cells": "hex"}).table
    assert table.touching((2, 2)) == {(3, 2), (3, 3), (2, 3), (1, 2), (1, 1), (2, 1)}


def test_a_line_round_a_cylinder_counts_each_cell_once() -> None:
    board = {"rows": 2, "columns": 3, "wrap": "columns"}
    game = begin({"end": {"line": 2, "exact": True}}, board=board)
    played(game, "a1 a2 c1")
    assert game.over
    full = begin({"end": {"line": 3, "exact": True}}, "xx.\n...", board={"wrap": "columns"})
    assert played(full, "c2").winner == "x"


# Go


def test_surrounded_stones_leave_the_board() -> None:
    game = begin(GO, ".ox.\nxox.\n.x..\n....")
    assert picture(played(game, "a4")) == "x.x.\nx.x.\n.x..\n...."


def test_suicide_is_refused_unless_it_captures() -> None:
    drawing = ".ox\noox\nxx."
    assert "a3" in begin(GO, drawing).legal()
    assert "a3" not in begin(GO, ".o.\no..\n...").legal()


def test_suicide_without_the_rule_loses_the_own_stones() -> None:
    game = begin({"effect": {"surround": True}, "end": {"count": "stones"}}, ".xo\nxo.\no..")
    assert picture(played(game, "a3")) == "..o\n.o.\no.."
    assert game.captures == {"x": 0, "o": 0}


def test_a_ko_may_be_taken_back_one_move_later() -> None:
    game = begin(GO, ".xo..\nx.xo.\n.xo..\n.....")
    played(game, "pass b3")
    assert picture(game) == ".xo..\nxo.o.\n.xo..\n....."
    assert "c3" not in game.legal()
    assert "c3" in played(game, "a1 e1").legal()


def test_taking_two_stones_or_with_two_is_no_ko() -> None:
    with_two = begin(GO, "o.x.\nx...")
    assert played(with_two, "b2").captures["x"] == 1
    assert with_two.ko is None
    two = begin(GO, "oo.o\nxxo.\n....")
    assert played(two, "c3").captures["x"] == 2
    assert two.ko is None


def test_superko_refuses_every_earlier_board() -> None:
    game = begin(GO, ".xo..\nx.xo.\n.xo..\n.....", turn={"repeat": "superko"})
    assert "c3" not in played(game, "pass b3").legal()
    single = {"turn": {"repeat": "superko", "passing": "always"}, "effect": {"surround": True}}
    assert "a3" not in begin(single | STONES, ".o.\no..\n...").legal()


def test_area_is_stones_and_what_only_they_touch() -> None:
    drawing = ".xo.\nxxo.\n.xo.\nx.o."
    game = played(begin(GO, drawing, end={"komi": 0.0}), "pass pass")
    assert (game.table.area("x"), game.table.area("o")) == (7, 8)
    assert (game.over, game.winner) == (True, "o")


def test_komi_decides_a_tie_and_an_equal_count_is_a_draw() -> None:
    drawing = ".x.o.\n.x.o."
    assert played(begin(GO, drawing), "pass pass").winner == "o"
    even = played(begin(GO, drawing, end={"komi": 0.0}), "pass pass")
    assert (even.over, even.winner) == (True, None)


def test_nogo_allows_neither_captures_nor_suicide() -> None:
    game = begin(NOGO, "ox.\n...\n.o.")
    assert "a2" not in game.legal()
    assert "c1" in game.legal()
    assert "a1" not in begin(NOGO, "...\no..\n.o.").legal()


# Hexagonal connection games


def test_hex_is_won_by_the_side_to_side_connection() -> None:
    sides = {"connect": {"first": ["top", "bottom"], "second": ["left", "right"]}}
    game = begin({"board": {"cells": "hex"}, "end": sides}, ".x.\n...\n.x.")
    assert played(game, "b2").winner == "x"
    bent = begin({"board": {"cells": "hex"}, "end": sides}, "..x\n...\nx..")
    assert played(bent, "b2").winner == "x"
    apart = begin({"board": {"cells": "hex"}, "end": sides}, "x..\n...\n..x")
    assert not played(apart, "b2").over


def test_y_is_won_by_a_group_on_all_three_sides() -> None:
    board = {"cells": "hex", "shape": "triangle", "rows": 3, "columns": 3, "setup": {"first": ["a2"]}}
    game = begin({"board": board, "end": {"connect": ["top", "left", "diagonal"]}})
    assert played(game, "a3 c3 b2").winner == "x"


def havannah(moves_of_x: str, moves_of_o: str) -> ReferenceGame:
    """x and o take turns; x moves last."""
    game, answers = begin(HAVANNAH), iter(moves_of_o.split())
    for move in moves_of_x.split():
        assert not game.over
        game.play(move)
        if not game.over:
            game.play(next(answers))
    return game


def test_a_bridge_joins_two_corners() -> None:
    assert havannah("a1 b1 c1", "c5 d4").winner == "x"


def test_a_fork_joins_three_sides_corners_not_counted() -> None:
    assert havannah("b1 b2 a2 c2 d2", "c4 d4 e5 b3").winner == "x"
    assert not havannah("a1 a2 b3 b4", "c4 d4 e5 d2").over


RING = "b2 c2 d3 d4 c4 b3"


def test_six_cells_round_one_are_a_ring_whatever_is_inside() -> None:
    far = "a1 e5 c1 a3 e3"
    assert havannah(RING, far).winner == "x"
    assert havannah(RING, "c3 " + far).winner == "x"


def test_a_solid_seven_is_a_ring_and_less_is_none() -> None:
    assert havannah("c3 " + RING, "a1 e5 c1 a3 e3 c5").winner == "x"
    assert not havannah("c3 b2 c2 d3 d4 c4", "a1 e5 c1 a3 e3 c5").over


def test_what_runs_along_the_edge_is_no_ring() -> None:
    game = begin({"board": {**HAVANNAH["board"], "setup": {"first": ["a1", "a2"]}}, "end": {"ring": True}})
    assert not played(game, "b2 e5 b1 e4 b3").over


# Games in which stones move


def test_amazons_shoot_from_where_they_land_even_back_to_where_they_were() -> None:
    game = begin(AMAZONS, "x..\n...\n..o")
    assert game.legal() == {"a3"}
    assert played(game, "a3").legal() == names("a2 a1 b2 b3 c3")
    assert played(game, "b2").legal() == names("a3 b3 c3 a2 c2 a1 b1")
    assert picture(played(game, "a3")) == "*..\n.x.\n..o"
    assert game.destroyed() == {"a3"}
    assert game.to_play() == 1


def test_an_amazon_that_is_walled_in_loses() -> None:
    game = begin(AMAZONS, "x.#\n##o")
    assert played(game, "a2 b2 a2").legal() == set()
    assert (game.over, game.winner) == (True, "x")


def test_konane_jumps_go_straight_on_or_stop() -> None:
    game = begin(KONANE, "xo.o.\n....o\n.....\n..x.o")
    assert game.legal() == {"a4"}
    assert played(game, "a4").legal() == {"c4"}
    assert played(game, "c4").legal() == {"e4", "pass"}
    played(game, "e4")
    assert picture(game) == "....x\n....o\n.....\n..x.o"
    assert game.captures["x"] == 2


def test_a_straight_chain_does_not_turn_and_any_chain_does() -> None:
    drawing = "..o\n...\n..o\nxo."
    straight = begin(KONANE, drawing)
    assert straight.legal() == {"a1"}
    assert played(straight, "a1 c1").phase == "choose"
    assert played(begin(KONANE, drawing, move={"chain": "any"}), "a1 c1").legal() == {"c3", "pass"}


def test_a_stone_may_stop_and_the_stop_is_no_pass() -> None:
    game = begin(KONANE | STONES, "xo.o.\n.....\n.o...", turn={"passing": "always"})
    played(game, "a3 c3 pass")
    assert (game.passes, game.to_play(), game.over) == (0, 1, False)
    assert played(game, "pass pass").over


def test_draughts_must_jump_and_jump_on() -> None:
    game = begin(DRAUGHTS, ".....\n...o.\n.....\n.o...\nx...x")
    assert game.legal() == {"a1"}
    assert played(game, "a1").legal() == {"c3"}
    assert played(game, "c3").legal() == {"e5"}


def test_breakthrough_takes_diagonally_only_and_wins_on_the_last_row() -> None:
    game = begin(BREAKTHROUGH, "...\noo.\nx..\n..x")
    assert played(game, "a2").legal() == names("b3")
    assert picture(played(game, "b3")) == "...\nox.\n...\n..x"
    assert played(game, "a3 a2 b3 c4").winner == "x"


def test_the_second_colour_goes_down() -> None:
    game = begin(BREAKTHROUGH, ".o.\n...\n...\n.x.")
    assert played(game, "b1 b2 b4").legal() == names("a3 b3 c3")


def test_a_slide_takes_the_first_stone_it_meets() -> None:
    rook = {"move": {"kind": "slide", "to_empty": ["orthogonal"], "to_enemy": ["orthogonal"]}}
    game = begin(rook | {"end": {"capture": 2}}, "o...\n....\no..o\nx.x.")
    assert played(game, "a1").legal() == names("a2 b1")
    assert "c4" in played(begin(rook | STONES, "o...\n....\no..o\nx.x."), "c1").legal()


def test_ataxx_stones_grow_or_jump_and_change_what_they_touch() -> None:
    drawing = "x...\n....\n..o.\n...."
    grown = played(begin(ATAXX, drawing), "b3")
    assert picture(grown) == "x...\n.x..\n..x.\n...."
    assert grown.winner == "x"
    jumped = played(begin(ATAXX, "x...\n....\n..o.\n....\n...o"), "a5 c4")
    assert picture(jumped) == "....\n..x.\n..x.\n....\n...o"


def test_a_clone_lands_at_one_or_exactly_two() -> None:
    game = begin(ATAXX, "x....\n.....\n.....\n....o")
    assert game.legal() == names("a4 b4 b3 a3")
    assert played(game, "a4").legal() == names("c4 c3 c2 b2 a2")


# Placing games


def test_pente_takes_pairs_only_and_by_the_mover_only() -> None:
    assert picture(played(begin(PENTE, ".oox.\n....."), "a2")) == "x..x.\n....."
    assert picture(played(begin(PENTE, ".ooox\n....."), "a2")) == "xooox\n....."
    assert picture(played(begin(PENTE, "o.xo.\n....."), "b2")) == "oxxo.\n....."


def test_four_captured_stones_win() -> None:
    game = begin(PENTE, ".oox.\no....\no....\nx....\n.....")
    assert played(game, "a5").captures["x"] == 4
    assert game.winner == "x"


def test_dominoes_stand_for_the_first_and_lie_for_the_second() -> None:
    game = begin(DOMINEERING, board={"rows": 2, "columns": 3})
    assert game.legal() == names("a2 b2 c2")
    assert played(game, "a2").legal() == names("b2 b1")
    assert picture(played(game, "b1")) == "x..\nxoo"
    assert (game.over, game.winner) == (True, "o")


def test_a_stone_beside_another_once_there_is_one() -> None:
    game = begin({"move": {"beside": "any"}} | STONES, board={"rows": 3, "columns": 3})
    assert len(game.legal()) == 9
    assert played(game, "a1").legal() == names("a2 b1")


def test_flipped_stones_make_lines_too() -> None:
    game = begin({"effect": {"flip": True}, "end": {"line": 3}}, "xo..\n.x..\n.x..")
    assert played(game, "c3").winner == "x"


# Turns and ends


def test_a_pass_gives_up_the_rest_of_the_turn() -> None:
    board = {"rows": 2, "columns": 3}
    game = begin(STONES, board=board, turn={"stones": 3, "passing": "always"})
    assert played(game, "a1").to_play() == 0
    assert played(game, "pass").to_play() == 1


def test_the_first_turn_may_be_shorter_and_swapped() -> None:
    board = {"rows": 2, "columns": 3}
    game = begin(STONES, board=board, turn={"stones": 2, "first_stones": 1, "swap": True})
    assert "swap" not in game.legal()
    assert "swap" in played(game, "a1").legal()
    assert played(game, "swap").to_play() == 0
    assert played(game, "a2 b1").to_play() == 1


@pytest.mark.parametrize(
    ("stuck", "winner"), [("loses", "o"), ("wins", "x"), ("first", "x"), ("second", "o")]
)
def test_what_it_means_to_be_stuck(stuck: str, winner: str) -> None:
    game = begin({"end": {"stuck": stuck}}, board={"rows": 1, "columns": 2})
    assert played(game, "a1 b1").winner == winner
    misere = begin({"end": {"stuck": stuck, "misere": True}}, board={"rows": 1, "columns": 2})
    assert played(misere, "a1 b1").winner != winner


def test_the_ply_cap_strikes_in_the_middle_of_a_move() -> None:
    game = begin(BREAKTHROUGH, board={"rows": 4, "columns": 2, "setup": {"pattern": "rows", "depth": 1}})
    capped = begin(BREAKTHROUGH, "o.\n..\n..\nx.", end={"ply_cap": 3})
    assert not played(game, "a1 a2 a4").over
    played(capped, "a1 a2 a4")
    assert (capped.over, capped.winner) == (True, None)
