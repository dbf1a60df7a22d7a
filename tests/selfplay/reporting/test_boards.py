"""Pictures of boards against the positions that they show and the neighbour tables of their boards."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon

import games
from games import Position
from games.geometry import OFF
from selfplay.reporting.boards import centre_of, draw_on, drawing, look_of, svg
from tests.games.drawings import board, played

NAMES = (
    "connect4",
    "othello",
    "hex-7",
    "havannah-4",
    "y-5",
    "breakthrough-6x6",
    "amazons-5x5",
    "ataxx-holes",
    "go-7",
    "connect4-holes",
    "tictactoe-torus",
    "hexxagon",
    "domineering-5x5",
)


def some_position(name: str) -> Position:
    """A position after up to twelve random actions."""
    rng = np.random.default_rng(3)
    position = games.start(games.load(name))
    for _ in range(12):
        after = position.play(int(rng.choice(position.legal_actions)))
        if after.is_over:
            break
        position = after
    return position


def circles(position: Position, role: str) -> list[tuple[float, float]]:
    """Centres of the circles of a role in the SVG."""
    root = ElementTree.fromstring(svg(drawing(position)))
    return [
        (float(c.get("cx", "")), float(c.get("cy", "")))
        for c in root.iter("circle")
        if c.get("class") == role
    ]


@pytest.mark.parametrize("name", NAMES)
def test_there_are_as_many_stones_as_in_the_text(name: str) -> None:
    position = some_position(name)
    text = board(position) if not position.variant.is_hexagonal else str(position).rsplit("\n", 2)[0]
    assert len(circles(position, "first")) == text.count("x")
    assert len(circles(position, "second")) == text.count("o")


@pytest.mark.parametrize("name", NAMES)
def test_there_are_as_many_cells_as_on_the_board(name: str) -> None:
    position = some_position(name)
    root = ElementTree.fromstring(svg(drawing(position)))
    drawn = [p for p in root.iter("polygon") if p.get("class") == "cell"]
    on_board = games.start(position.variant).observation().planes[0, 0]
    assert len(drawn) == on_board.sum()


@pytest.mark.parametrize("name", [name for name in NAMES if games.load(name).board.wrap == "none"])
def test_neighbours_lie_one_step_apart(name: str) -> None:
    """Or a diagonal step where cells touch all eight around them."""
    variant = games.load(name)
    steps = {1.0} if variant.board.adjacent == 4 else {1.0, round(math.sqrt(2), 9)}
    table = variant.neighbors()[:, list(variant.touching)]
    for cell, near in enumerate(table):
        for other in near[near != OFF].tolist():
            assert round(math.dist(centre_of(variant, cell), centre_of(variant, other)), 9) in steps


@pytest.mark.parametrize("name", ["hex-7", "havannah-4", "y-5"])
def test_hexagonal_cells_that_do_not_touch_are_further_apart(name: str) -> None:
    variant = games.load(name)
    table = variant.neighbors()
    cells = [cell for cell in range(len(table)) if cell not in variant.hole_cells]
    for cell in cells:
        others = set(cells) - set(table[cell].tolist()) - {cell}
        assert min(math.dist(centre_of(variant, cell), centre_of(variant, o)) for o in others) > 1.7


def test_the_last_stone_is_marked() -> None:
    position = played(games.load("hex-7"), "a1 d4")
    (mark,) = circles(position, "last")
    assert circles(position, "second") == [mark]


def test_a_first_position_has_no_mark() -> None:
    assert circles(games.start(games.load("othello")), "last") == []


def test_the_cell_where_a_move_began_has_a_ring() -> None:
    position = played(games.load("breakthrough-6x6"), "a2 a3")
    picture = drawing(position, came_from=position.actions[:1])
    root = ElementTree.fromstring(svg(picture))
    (ring,) = [c for c in root.iter("circle") if c.get("class") == "from"]
    assert (ring.get("cx"), ring.get("cy")) == ("0", "4")  # a2 is in the fifth of six rows


def test_a_cell_that_was_shot_is_drawn_as_gone() -> None:
    position = played(games.load("amazons-5x5"), "")
    while not position.actions or position.is_half_made:
        position = position.play(position.legal_actions[0])
    root = ElementTree.fromstring(svg(drawing(position)))
    assert len([p for p in root.iter("polygon") if p.get("class") == "gone"]) == 1


@pytest.mark.parametrize("name", NAMES)
def test_everything_lies_within_the_picture(name: str) -> None:
    root = ElementTree.fromstring(svg(drawing(some_position(name))))
    left, top, width, height = map(float, root.get("viewBox", "").split())
    for x, y in [
        *((float(c.get("cx", "")), float(c.get("cy", ""))) for c in root.iter("circle")),
        *((float(t.get("x", "")), float(t.get("y", ""))) for t in root.iter("text")),
        *(tuple(map(float, p.split(","))) for e in root.iter("polygon") for p in e.get("points", "").split()),
    ]:
        assert left <= x <= left + width
        assert top <= y <= top + height


def test_columns_and_rows_are_named_as_in_notation() -> None:
    """A stone on b1 of Connect Four stands above the letter b, level with the number 1."""
    position = played(games.load("connect4"), "b")
    root = ElementTree.fromstring(svg(drawing(position)))
    places = {t.text: (float(t.get("x", "")), float(t.get("y", ""))) for t in root.iter("text")}
    ((x, y),) = circles(position, "first")
    assert x == places["b"][0]
    assert y == places["1"][1]


@pytest.mark.parametrize(
    ("name", "style"), [("go-7", "points"), ("connect4", "windows"), ("othello", "cells"), ("hex-7", "cells")]
)
def test_how_a_board_looks_follows_from_its_rules(name: str, style: str) -> None:
    assert look_of(games.load(name)).style == style


@pytest.mark.parametrize("name", ["othello", "y-5", "go-7"])
def test_matplotlib_draws_the_same_cells_and_stones(name: str) -> None:
    position = some_position(name)
    axes = Figure().add_axes((0, 0, 1, 1))
    draw_on(axes, drawing(position))
    stones = np.isin(position.state.cells, (1, 2)).sum()
    cells = games.start(position.variant).observation().planes[0, 0].sum()
    radii = [patch.radius for patch in axes.patches if isinstance(patch, Circle)]
    assert sum(radius > 0.3 for radius in radii) == stones
    assert sum(isinstance(patch, Polygon) for patch in axes.patches) == cells
