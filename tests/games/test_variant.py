"""A variant is checked before anything runs: bad input is one line with the place, expected and got."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

import games
from games.errors import UserError, VariantError
from games.variant import Variant
from tests.games.strategies import variants

BOARD = "board = { rows = 6, columns = 7 }\n"
LINE = "end = { line = 4 }\n"
THREE = "end = { line = 3 }\n"


def refusal(text: str) -> str:
    """The one line that a variant's text is refused with."""
    with pytest.raises(VariantError) as caught:
        Variant.from_toml(text, name="mine")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("mine: ")
    return message.removeprefix("mine: ")


def read(text: str) -> Variant:
    return Variant.from_toml(text, name="mine")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "board = { rows = 3, columns = 3 }\n" + LINE,
            "end.line: expected at most 3, the longest line on this board, got 4",
        ),
        (
            "board = { rows = 3, columns = 3, holes = ['a2', 'b2', 'c2', 'b1', 'b3'] }\nend = { line = 2 }",
            "end.line: expected at most 1, the longest line on this board, got 2",
        ),
        (
            "board = { rows = 3, columns = 3, wrap = 'both' }\n" + LINE,
            "end.line: expected at most 3, the longest line on this board, got 4",
        ),
        (
            "board = { rows = 3, columns = 3, holes = ['d1'] }\n" + THREE,
            "board.holes: expected a cell from a1 to c3, got 'd1', which is off the board",
        ),
        (
            "board = { rows = 3, columns = 3, holes = ['a0'] }\n" + THREE,
            "board.holes: expected a cell from a1 to c3, got 'a0', which is off the board",
        ),
        (
            "board = { rows = 3, columns = 3, holes = ['middle'] }\n" + THREE,
            "board.holes: expected a cell from a1 to c3, got 'middle'",
        ),
        (
            "board = { rows = 3, columns = 3, setup = { second = ['a4'] } }\n" + THREE,
            "board.setup.second: expected a cell from a1 to c3, got 'a4', which is off the board",
        ),
        (
            "board = { rows = 3, columns = 3, holes = ['b2', 'B2'] }\n" + THREE,
            "board.holes: B2 is already in board.holes",
        ),
        (
            "board = { rows = 3, columns = 3, holes = ['b2'], setup = { first = ['b2'] } }\n" + THREE,
            "board.setup.first: b2 is already in board.holes",
        ),
        (
            "board = { rows = 3, columns = 3, setup = { first = ['b2'], second = ['b2'] } }\n" + THREE,
            "board.setup.second: b2 is already in board.setup.first",
        ),
        (
            "board = { rows = 1, columns = 1, holes = ['a1'] }\nend = { majority = true }",
            "board: no empty cell is left to play on",
        ),
        (
            "board = { rows = 40, columns = 40 }\nend = { line = 5 }",
            "board.rows: input should be less than or equal to 19, got 40",
        ),
        (
            "board = { rows = 3, columns = 0 }\n" + THREE,
            "board.columns: input should be greater than or equal to 1, got 0",
        ),
        (
            "board = { rows = 3.0, columns = 3 }\n" + THREE,
            "board.rows: input should be a valid integer, got 3.0",
        ),
        (
            "board = { rows = '3', columns = 3 }\n" + THREE,
            "board.rows: input should be a valid integer, got '3'",
        ),
        (
            "board = { rows = true, columns = 3 }\n" + THREE,
            "board.rows: input should be a valid integer, got True",
        ),
        ("board = { rows = 3 }\n" + THREE, "board.columns: field required"),
        ("board = 3\n" + THREE, "board: input should be a valid dictionary or instance of Board, got 3"),
        (LINE, "board: field required"),
        (BOARD, "end: expected a goal (line = N or majority = true), got none"),
        (BOARD + "end = {}", "end: expected a goal (line = N or majority = true), got none"),
        (BOARD + "end = { line = 1 }", "end.line: input should be greater than or equal to 2, got 1"),
        (BOARD + "end = { majority = true, exact = true }", "end.exact: needs end.line"),
        (
            BOARD + "end = { line = 4, ply_cap = 0 }",
            "end.ply_cap: input should be greater than or equal to 1, got 0",
        ),
        (
            BOARD + LINE + "moves = { kind = 'drop' }",
            "moves: unknown key; expected one of name, title, rules, source, board, move, turn, effect, end",
        ),
        (
            BOARD + LINE + "move = { kind = 'drop', gravitiy = 'up' }",
            "move.gravitiy: unknown key; expected one of kind, gravity, must_flip",
        ),
        (
            BOARD + LINE + "move = { kind = 'slide' }",
            "move.kind: input should be 'place' or 'drop', got 'slide'",
        ),
        (BOARD + LINE + "move = { gravity = 'up' }", "move.gravity: needs move.kind = 'drop'"),
        (
            BOARD + LINE + "turn = { stones = 5 }",
            "turn.stones: input should be less than or equal to 4, got 5",
        ),
        (BOARD + LINE + "turn = { swap = 'yes' }", "turn.swap: input should be a valid boolean, got 'yes'"),
        (BOARD + LINE + "move = { must_flip = true }", "move.must_flip: needs effect.flip = true"),
        (
            "board = { rows = 3, columns = 3, wrap = 'torus' }\n" + THREE,
            "board.wrap: input should be 'none', 'columns', 'rows' or 'both', got 'torus'",
        ),
        (
            "board = { rows = 4, columns = 4, wrap = 'rows' }\nmove = { kind = 'drop' }\n" + THREE,
            "move.gravity: stones would fall down for ever on a board that wraps its rows",
        ),
        (
            "board = { rows = 4, columns = 4, wrap = 'both' }\nmove = { kind = 'drop', gravity = 'left' }\n"
            + THREE,
            "move.gravity: stones would fall left for ever on a board that wraps its columns",
        ),
        (
            "board = { rows = 4, columns = 4, setup = { first = ['b2'] } }\nmove = { kind = 'drop' }\n"
            + THREE,
            "board.setup: expected stones that gravity holds, got b2 over an empty cell",
        ),
        (
            "board = { rows = 4, columns = 4, setup = { first = ['b2'] } }\nturn = { swap = true }\n" + THREE,
            "turn.swap: needs an empty board at the start",
        ),
    ],
)
def test_what_cannot_be_played_is_refused(text: str, message: str) -> None:
    assert refusal(text) == message


def test_broken_toml_is_refused_with_its_place() -> None:
    assert refusal("board = { rows = 3,").startswith("not valid TOML: ")
    assert "line 2" in refusal("title = 'one'\nrows = = 3")
    assert refusal("title = 'one'\ntitle = 'two'").startswith("not valid TOML: ")


def test_a_stone_must_be_able_to_flip_before_it_has_to() -> None:
    bare = BOARD + "effect = { flip = true }\nmove = { must_flip = true }\nend = { majority = true }"
    assert refusal(bare) == (
        "move.must_flip: needs stones of both colours in board.setup, or nothing could flip"
    )
    stuck = bare.replace("7 }", "7, setup = { first = ['a1'], second = ['a2'] } }")
    assert refusal(stuck) == (
        "move.must_flip: needs turn.pass_when_stuck = true, or a player could have no move"
    )


def test_every_refusal_is_a_user_error() -> None:
    assert issubclass(VariantError, UserError)


def test_unknown_name_says_what_is_close() -> None:
    with pytest.raises(VariantError, match=r"unknown variant 'conect4'.*close: connect4"):
        games.load("conect4")


def test_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(VariantError, match=r"mine\.toml: can't read the variant"):
        games.load(tmp_path / "mine.toml")


def test_file_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(VariantError, match="can't read the variant"):
        games.load(path)


def test_a_file_is_loaded_and_named_after_itself(tmp_path: Path) -> None:
    path = tmp_path / "corner.toml"
    path.write_text("board = { rows = 3, columns = 3, holes = ['a1'] }\nend = { line = 3 }")
    variant = games.load(str(path))
    assert (variant.name, variant.board.holes) == ("corner", ("a1",))


def test_catalogue_has_every_name_once() -> None:
    names = games.names()
    assert len(set(names)) == len(names)
    assert {"tictactoe", "connect4", "othello", "gomoku"} <= set(names)


@pytest.mark.parametrize("name", games.names())
def test_catalogue_entries_say_what_they_are(name: str) -> None:
    variant = games.load(name)
    assert variant.name == name
    assert variant.title
    assert variant.rules
    assert variant.source


def test_catalogue_entries_are_different_games() -> None:
    assert len({games.load(name).digest for name in games.names()}) == len(games.names())


@given(variants())
def test_toml_round_trip_keeps_the_variant(variant: Variant) -> None:
    again = Variant.from_toml(variant.to_toml(), name="elsewhere")
    assert again == variant
    assert again.digest == variant.digest


CHANGES: list[dict[str, Any]] = [
    {"board": {"rows": 5, "columns": 7}},
    {"board": {"rows": 6, "columns": 7, "wrap": "columns"}},
    {"board": {"rows": 6, "columns": 7, "holes": ["a1"]}},
    {"board": {"rows": 6, "columns": 7, "setup": {"first": ["a1"]}}},
    {"board": {"rows": 6, "columns": 7, "setup": {"second": ["a1"]}}},
    {"move": {"kind": "place"}},
    {"move": {"kind": "drop", "gravity": "up"}},
    {"turn": {"stones": 2}},
    {"turn": {"first_stones": 2}},
    {"turn": {"swap": True}},
    {"turn": {"pass_when_stuck": True}},
    {"effect": {"flip": True}},
    {"end": {"line": 5}},
    {"end": {"line": 4, "exact": True}},
    {"end": {"line": 4, "misere": True}},
    {"end": {"line": 4, "majority": True}},
    {"end": {"line": 4, "ply_cap": 41}},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_another_rule_is_another_digest(change: dict[str, Any]) -> None:
    connect4 = {"board": {"rows": 6, "columns": 7}, "move": {"kind": "drop"}, "end": {"line": 4}}
    changed = Variant.from_dict({**connect4, **change}, where="changed")
    assert changed.digest != Variant.from_dict(connect4, where="connect4").digest


@pytest.mark.parametrize(
    "same",
    [
        "title = 'Vier gewinnt'\n" + BOARD,
        "board = { columns = 7, rows = 6 }\n",
        "board = { rows = 6, columns = 7, wrap = 'none', holes = [] }\n",
        BOARD + "turn = { stones = 1, first_stones = 1 }\n",
    ],
)
def test_the_same_rules_in_other_words_are_the_same_digest(same: str) -> None:
    move = "move = { kind = 'drop', gravity = 'down' }\n"
    assert read(same + move + LINE).digest == games.load("connect4").digest


def test_order_and_case_of_cells_do_not_matter_to_the_digest() -> None:
    one = read("board = { rows = 3, columns = 3, holes = ['a1', 'c3'] }\nend = { line = 2 }")
    two = read("board = { rows = 3, columns = 3, holes = ['C3', 'A1'] }\nend = { line = 2 }")
    assert one.digest == two.digest


def test_a_variant_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        games.load("connect4").board.rows = 7  # type: ignore[misc]
