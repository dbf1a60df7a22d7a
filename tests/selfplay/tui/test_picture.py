"""Boards as they are drawn: shapes, shifts, marks, goals; and which cell is where."""

from __future__ import annotations

import pytest

import games
from games import Position
from selfplay.tui import picture
from selfplay.tui.layout import SCALES, BoardLayout, fitting
from selfplay.tui.picture import Span, drawn, view_of
from tests.games.drawings import drawn as expected
from tests.games.drawings import played

LARGE, MEDIUM, SMALL = SCALES


def shown(position: Position, **marks: object) -> str:
    """The board at the smallest scale, as text."""
    view = view_of(position, **{"hints": False, **marks})  # type: ignore[arg-type]
    layout = BoardLayout(position.variant, SMALL)
    return "\n".join("".join(span.text for span in line).rstrip() for line in drawn(view, layout))


def span_of(position: Position, cell: str, **marks: object) -> Span:
    """How a cell is drawn at the smallest scale."""
    view = view_of(position, **{"hints": False, **marks})  # type: ignore[arg-type]
    layout = BoardLayout(position.variant, SMALL)
    x, y = layout.corner(position.parse_action(cell))
    at = 0
    for span in drawn(view, layout)[y]:
        if at == x:
            return span
        at += len(span.text)
    raise AssertionError(f"nothing is drawn at {cell}")


def test_a_square_board() -> None:
    assert shown(played(games.load("tictactoe"), "b2 a1")) == (
        " 3  · · ·\n"
        " 2  · ● ·\n"
        " 1  ◎ · ·\n"
        "    a b c"
    )  # fmt: skip


def test_hexagonal_rows_are_shifted_and_goals_have_their_colours_frame() -> None:
    position = played(games.load("hex-3"), "a1 b2")
    assert expected(shown(position)) == expected("""
            ▄▄▄▄▄▄
         3 ▐· · · ▌
          2 ▐· ◎ · ▌
           1 ▐● · · ▌
              ▀▀▀▀▀▀
               a b c
    """)
    layout = BoardLayout(position.variant, SMALL)
    top, second = drawn(view_of(position, hints=False), layout)[:2]
    assert top[-1].ink == "first"
    assert second[-1] == Span("▌", "second")


def test_a_hexagon_has_its_letters_where_its_columns_end() -> None:
    assert expected(shown(games.start(games.load("havannah-4")))) == expected("""
            7  · · · ·
           6  · · · · ·
          5  · · · · · ·
         4  · · · · · · ·
          3  · · · · · · g
           2  · · · · · f
            1  · · · · e
                a b c d
    """)


def test_every_catalogue_board_fits_its_layout_at_every_scale() -> None:
    for name in games.names():
        position = games.start(games.load(name))
        for scale in SCALES:
            layout = BoardLayout(position.variant, scale)
            lines = drawn(view_of(position, hints=True), layout)
            assert len(lines) == layout.size[1]
            assert max(sum(len(span.text) for span in line) for line in lines) <= layout.size[0]


def test_every_point_of_a_cell_belongs_to_it_and_to_no_other() -> None:
    for name in ("connect4", "hex-5", "havannah-4", "y-5", "amazons-5x5"):
        variant = games.load(name)
        for scale in SCALES:
            layout = BoardLayout(variant, scale)
            found = [layout.cell_at(x, y) for y in range(layout.size[1]) for x in range(layout.size[0])]
            for cell in layout.cells:
                x, y = layout.corner(cell)
                assert layout.cell_at(x, y) == cell
                assert found.count(cell) == scale.width * scale.height
            assert layout.cell_at(-1, 0) is None
            assert layout.cell_at(0, 999) is None


@pytest.mark.parametrize(
    ("name", "width", "height", "scale"),
    [
        ("connect4", 48, 21, LARGE),
        ("othello", 48, 21, MEDIUM),
        ("gomoku", 48, 21, SMALL),
        ("connect6", 48, 21, SMALL),
        ("connect6", 10, 5, SMALL),
        ("othello", 200, 60, LARGE),
    ],
)
def test_a_board_is_as_large_as_fits(name: str, width: int, height: int, scale: object) -> None:
    assert fitting(games.load(name), width, height).scale == scale


def test_keys_go_where_the_eye_does() -> None:
    variant = games.load("hex-5")
    layout = BoardLayout(variant, SMALL)
    cell = games.start(variant).parse_action
    assert layout.neighbor(cell("c3"), 0, 1) == cell("d3")
    assert layout.neighbor(cell("c3"), 1, 0) in (cell("b2"), cell("c2"))
    assert layout.neighbor(cell("a1"), 1, 0) == cell("a1")
    assert layout.neighbor(cell("a1"), 0, -1) == cell("a1")


def test_marks() -> None:
    position = played(games.load("breakthrough-5x5"), "b2")
    assert span_of(position, "b2").ground == picture.CHOSEN
    assert span_of(position, "b3", hints=True) == Span("• ", picture.HINT, picture.LIGHT)
    assert span_of(position, "d3", hints=True).ink == "empty"
    cursor = position.parse_action("d3")
    assert span_of(position, "d3", cursor=cursor).ground == picture.CURSOR
    after = position.play_text("b3")
    assert span_of(after, "b3") == Span("◉ ", "first", picture.LAST_MOVE)
    assert span_of(after, "d4", hints=True).ground == picture.CHOICE


def test_heat_is_a_number_and_a_shade() -> None:
    position = games.start(games.load("tictactoe"))
    heat = {position.parse_action("b2"): 0.63, position.parse_action("a1"): 1.0, 0: 0.001}
    assert span_of(position, "b2", heat=heat) == Span("63", picture.NUMBER, f"{picture.HEAT}4")
    assert span_of(position, "a1", heat=heat) == Span("99", picture.NUMBER, f"{picture.HEAT}5")
    assert span_of(position, "a3", heat=heat).text == "· "


def test_holes_and_shot_cells_differ() -> None:
    holes = games.start(games.load("connect4-holes"))
    hole = min(holes.variant.hole_cells)
    layout = BoardLayout(holes.variant, SMALL)
    x, y = layout.corner(hole)
    line = "".join(span.text for span in drawn(view_of(holes, hints=False), layout)[y])
    assert line[x : x + 2] == "  "
    amazons = games.load("amazons-5x5")
    first = games.start(amazons)
    for _ in range(3):
        first = first.play(first.legal_actions[0])
    shot = first.action_text(first.actions[-1])
    assert span_of(first, shot).text == "▒▒"
