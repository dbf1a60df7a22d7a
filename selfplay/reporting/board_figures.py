"""Opening trees and example games as matplotlib figures, for PNGs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from selfplay.reporting.boards import draw_on, drawing
from selfplay.reporting.examples import BOARDS, Board, Example
from selfplay.reporting.openings import Opening

_WIDTH, _HEIGHT = 2.1, 2.5
"""Inches for a board and its words."""

_WORDS = 0.24
"""Share of the height below a board."""


def tree_figure(root: Opening, title: str) -> Figure:
    """A tree from left to right: boards with their moves, lines between them."""
    placed = list(_placed(root, 0, 0.0))
    columns = 1 + max(column for column, _, _, _ in placed)
    rows = _leaves(root)
    figure = Figure(figsize=(_WIDTH * 1.2 * columns, _HEIGHT * rows + 0.4))
    figure.suptitle(title, fontsize=12)
    high = rows * _HEIGHT / (rows * _HEIGHT + 0.4)
    for column, row, opening, parent_row in placed:
        x, y = (column + 0.08) / columns, high * (1 - (row + 1) / rows)
        box = (x, y + high * _WORDS / rows, 0.82 / columns, high * (1 - _WORDS) * 0.94 / rows)
        if parent_row is not None:
            height = high * (1 - (row + 0.5) / rows), high * (1 - (parent_row + 0.5) / rows)
            line = Line2D(
                [x, x - 0.16 / columns], height, color="#8a8f98", linewidth=1.2, transform=figure.transFigure
            )
            figure.add_artist(line)
        draw_on(figure.add_axes(box), drawing(opening.position, came_from=opening.origin))
        words = (
            f"{opening.text}: first {opening.points:.0%}\npolicy {opening.policy:.0%}" if column else "start"
        )
        if column and opening.reached:
            words += f", played {opening.played / opening.reached:.0%}"
        figure.text(
            x + 0.41 / columns, y + high * (_WORDS - 0.02) / rows, words, ha="center", va="top", fontsize=9
        )
    return figure


def games_figure(examples: Sequence[Example], title: str) -> Figure:
    """A row of boards for each game."""
    rows = len(examples)
    figure = Figure(figsize=(_WIDTH * (BOARDS - 1), _HEIGHT * rows + 0.4))
    figure.suptitle(title, fontsize=12)
    high = rows * _HEIGHT / (rows * _HEIGHT + 0.4)
    for row, example in enumerate(examples):
        for column, board in enumerate(example.boards):
            x, y = (column + 0.05) / (BOARDS - 1), high * (1 - (row + 1) / rows)
            box = (x, y + high * 0.2 / rows, 0.9 / (BOARDS - 1), high * 0.72 / rows)
            draw_on(figure.add_axes(box), drawing(board.position, came_from=board.origin))
            middle = x + 0.45 / (BOARDS - 1)
            figure.text(middle, y + high * 0.18 / rows, _words(board), ha="center", va="top", fontsize=9)
        top = high * (1 - row / rows) - high * 0.02 / rows
        figure.text(
            0.01, top, f"{example.kind}: {example.plies} plies, {example.result}", va="top", fontsize=10
        )
    return figure


def _words(board: Board) -> str:
    return board.move if board.points is None else f"{board.move}\nfirst {board.points:.0%}"


def _leaves(opening: Opening) -> int:
    return sum(map(_leaves, opening.replies)) or 1


def _placed(
    opening: Opening, column: int, top: float, parent_row: float | None = None
) -> Iterator[tuple[int, float, Opening, float | None]]:
    """Column and row of each position, in the middle of its replies, and its parent's row."""
    row = top + (_leaves(opening) - 1) / 2
    yield column, row, opening, parent_row
    for reply in opening.replies:
        yield from _placed(reply, column + 1, top, row)
        top += _leaves(reply)
