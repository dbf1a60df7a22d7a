"""Boards as text: read a position's board, and reach a drawn one."""

from __future__ import annotations

from textwrap import dedent

from games.position import Position, start
from games.variant import Variant


def variant(text: str) -> Variant:
    """A variant from TOML in a test."""
    return Variant.from_toml(dedent(text), name="drawn")


def played(rules: Variant, moves: str) -> Position:
    """The position after moves, separated by blanks."""
    position = start(rules)
    for move in moves.split():
        position = position.play_text(move)
    return position


def board(position: Position) -> str:
    """The board alone: one character a cell, one line a row, the top row first."""
    columns = position.variant.board.columns
    rows = str(position).splitlines()[: position.variant.board.rows]
    return "\n".join(row[3:].replace("[", " ").replace("]", " ").replace(" ", "")[:columns] for row in rows)


def drawn(text: str) -> str:
    """A drawing in a test, without its indentation."""
    return dedent(text).strip()


def legal(position: Position) -> set[str]:
    """Legal actions as text."""
    return {position.action_text(action) for action in position.legal_actions}
