"""`Position`: one position of one variant, immutable, for people and for code that isn't in a hurry.

    position = start(load("connect4")).play_text("d1")

Batches for search, self-play and networks come from `stack` (rules and states) and `observe` (planes).
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, SupportsIndex, TypeVar

import numpy as np
from numpy.typing import NDArray

from games import kernels
from games.compilation import announce_first_compile
from games.compiler import canvas_size, compile_rules, rules_of
from games.encoding import EXTRA_ACTIONS, Observation
from games.errors import MoveError, VariantError
from games.group_kernels import area_lead
from games.move_kernels import stones_lead
from games.notation import PASS_TEXT, SWAP_TEXT, cell_name, column_letter, parse_cell
from games.rules import HOLE, Rules
from games.state import (
    BEGIN,
    COLOUR,
    DRAW,
    FIRST_WINS,
    JUMPING,
    LAST,
    MOVING,
    ONGOING,
    ORIGIN,
    PHASE,
    PLY,
    SHOOTING,
    STATUS,
    STONES_LEFT,
    SWAPPED,
    TAKEN,
    TAKEN_BY_SECOND,
    VARIANT,
    State,
    copied,
    new_state,
)
from games.variant import Variant

_Array = TypeVar("_Array", bound=NDArray[np.generic])

_STONES = ".xo#"
"""How EMPTY, FIRST, SECOND and HOLE are drawn."""


def pass_action(variant: Variant) -> int:
    """The variant's own action PASS."""
    return variant.n_actions - EXTRA_ACTIONS


def swap_action(variant: Variant) -> int:
    """The variant's own action SWAP."""
    return pass_action(variant) + 1


def start(variant: Variant) -> Position:
    """The variant's first position; raises `VariantError` if the first player has no move there."""
    announce_first_compile()
    rules = rules_of(variant)
    state = new_state(rules, 1)
    kernels.reset(rules, state, 0, 0)
    position = Position(variant, rules, state, ())
    if position.is_over:
        raise VariantError(f"{variant.name}: expected a first move, but the first player has none")
    return position


class Placement(NamedTuple):
    """How a position was set up, see `games.set_up`.

    cells: what every cell of the canvas holds, EMPTY, FIRST, SECOND or HOLE
    to_play: the seat to move
    """

    cells: tuple[int, ...]
    to_play: int


@dataclass(frozen=True, eq=False, repr=False)
class Position:
    """One position; `play` returns the next one and leaves this one as it is. Begin with `games.start`
    or `games.set_up`.

    Actions are the variant's own: cells row by row from the top left, then PASS, then SWAP. Positions are
    equal when the variant's rules and the state are: the way there doesn't matter, but the number of actions
    and the last one do.

    Attributes:
        variant: the rules.
        rules: the compiled rules, one row; shared, not to be written.
        state: the state, one row; not to be written.
        actions: what was played so far, from `games.beginning(position)` on.
        placement: the stones from which the game began; None: the variant's own start.
    """

    variant: Variant
    rules: Rules
    state: State
    actions: tuple[int, ...]
    placement: Placement | None = None

    @cached_property
    def legal_actions(self) -> NDArray[np.int64]:
        """int64 `[n]`: the legal actions, ascending; empty when the game is over."""
        listed = np.empty(self.variant.n_actions + 1, np.int16)
        n_legal = kernels.list_legal(self.rules, self.state, 0, listed, 0)
        return _frozen(np.sort(listed[:n_legal]).astype(np.int64))

    @cached_property
    def legal_mask(self) -> NDArray[np.bool_]:
        """bool `[A]`: True where an action is legal."""
        mask = np.zeros(self.variant.n_actions, np.bool_)
        mask[self.legal_actions] = True
        return _frozen(mask)

    @property
    def colour_to_move(self) -> int:
        """0 or 1: whether the first or the second colour is placed next."""
        return int(self.state.info[0, COLOUR])

    @property
    def to_play(self) -> int:
        """0 or 1: the seat whose choice is next; after a swap the seats have changed colours."""
        return self.colour_to_move ^ int(self.state.info[0, SWAPPED])

    @property
    def is_over(self) -> bool:
        """Whether the game has ended."""
        return int(self.state.info[0, STATUS]) != ONGOING

    @property
    def returns(self) -> tuple[int, int]:
        """-1, 0 or 1 for seat 0 and seat 1; (0, 0) while the game goes on."""
        status = int(self.state.info[0, STATUS])
        if status in (ONGOING, DRAW):
            return 0, 0
        winner = (status - FIRST_WINS) ^ int(self.state.info[0, SWAPPED])
        return (1, -1) if winner == 0 else (-1, 1)

    @property
    def ply(self) -> int:
        """Actions played so far; for a position that was set up, those that it counts as."""
        return int(self.state.info[0, PLY])

    @property
    def is_half_made(self) -> bool:
        """Whether a move has begun and the same player chooses how it goes on."""
        return not self.is_over and int(self.state.info[0, PHASE]) != BEGIN

    @property
    def half_made(self) -> str:
        """What is still to choose in a move that has begun, such as `: a2 moves`; empty if none has."""
        if not self.is_half_made:
            return ""
        what = {MOVING: "moves", JUMPING: "may jump on", SHOOTING: "shoots"}[int(self.state.info[0, PHASE])]
        stop = ", or pass" if self.legal_mask[pass_action(self.variant)] else ""
        return f": {self._cell_name(int(self.state.info[0, ORIGIN]))} {what}{stop}"

    @property
    def captured(self) -> tuple[int, int]:
        """Stones that the first and the second colour have captured."""
        return int(self.state.info[0, TAKEN]), int(self.state.info[0, TAKEN_BY_SECOND])

    @property
    def count_lead(self) -> float | None:
        """What the first colour is ahead by if the game stopped here, komi included; None without a count."""
        end = self.variant.end
        if end.count == "none":
            return None
        by_area = end.count == "area"
        lead = (area_lead if by_area else stones_lead)(self.rules, self.state, 0, 0)
        return float(lead) - end.komi

    @property
    def last_action(self) -> int | None:
        """The action that led here; None at the start."""
        return self.actions[-1] if self.actions else None

    def play(self, action: SupportsIndex) -> Position:
        """The position after an action.

        Raises:
            MoveError: the game is over, or the action isn't legal here; one line.
        """
        chosen = operator.index(action)
        if not (0 <= chosen < self.variant.n_actions and self.legal_mask[chosen]):
            raise MoveError(self._refusal(chosen))
        state = copied(self.state)
        kernels.play(self.rules, state, 0, chosen)
        return Position(self.variant, self.rules, state, (*self.actions, chosen), self.placement)

    def play_text(self, text: str) -> Position:
        """The position after an action as text, or several such as `a2-a3`; `MoveError` as from `play`."""
        position = self
        for word in text.replace("-", " ").split() or [text]:
            position = position.play(position.parse_action(word))
        return position

    def action_text(self, action: SupportsIndex) -> str:
        """An action as text: a cell such as `d1`, `pass` or `swap`.

        Raises:
            MoveError: the variant has no such action.
        """
        chosen = operator.index(action)
        cells = pass_action(self.variant)
        if not 0 <= chosen < self.variant.n_actions:
            raise MoveError(f"{self._place}: expected an action from 0 to {cells + 1}, got {chosen}")
        if chosen >= cells:
            return PASS_TEXT if chosen == cells else SWAP_TEXT
        return self._cell_name(chosen)

    def parse_action(self, text: str) -> int:
        """The action that a text means: a cell, `pass`, `swap`, or in drop games the lane alone (`d`).

        Raises:
            MoveError: the text is no action of this board, or a lane that is full or has more than one cell
                to choose from; one line.
        """
        word = text.strip().lower()
        if word in (PASS_TEXT, SWAP_TEXT):
            return pass_action(self.variant) + (word == SWAP_TEXT)
        board = self.variant.board
        if self.variant.move.kind == "drop" and word in self._lane_names():
            return self._only_cell_of_lane(word)
        try:
            return parse_cell(word, rows=board.rows, columns=board.columns)
        except ValueError as error:
            raise MoveError(f"{self._place}: {error}") from None

    def observation(self) -> Observation:
        """What a network sees: a batch of one, on the board's own canvas."""
        return observe([self])

    def indent(self, row: int) -> str:
        """Each row of hexagonal cells lies half a cell further right than the one above."""
        return " " * row if self.variant.is_hexagonal else ""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Position):
            return NotImplemented
        return self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        played = " ".join(self.action_text(action) for action in self.actions)
        begun = "" if self.placement is None else "set up "
        return f"<Position {self.variant.name}: {begun}{played or 'start'}>"

    def __str__(self) -> str:
        rows, columns = self.variant.board.rows, self.variant.board.columns
        lines = [f"{rows - row:>2} {self.indent(row)}{self._drawn_row(row)}".rstrip() for row in range(rows)]
        letters = " ".join(column_letter(column) for column in range(columns))
        return "\n".join([*lines, f"    {self.indent(rows - 1)}{letters}", self._status_line()])

    @property
    def _key(self) -> tuple[str, bytes, bytes]:
        return self.variant.digest, self.state.cells.tobytes(), self.state.info.tobytes()

    @property
    def _place(self) -> str:
        """Where an error happened."""
        return f"{self.variant.name} after {self.ply} actions"

    def _refusal(self, action: int) -> str:
        """Why an action can't be played, in one line."""
        given = self.action_text(action)
        if self.is_over:
            return f"{self._place}: the game is over, got {given}"
        expected = self._texts(self.legal_actions)
        return f"{self._place}: expected one of {expected}, got {given}, which isn't legal here"

    def _texts(self, actions: NDArray[np.int64]) -> str:
        """A few actions as a person reads them."""
        shown = [self.action_text(action) for action in actions[:12]]
        return ", ".join([*shown, "…"] if len(actions) > len(shown) else shown)

    def _cell_name(self, cell: int) -> str:
        return cell_name(cell, rows=self.variant.board.rows, columns=self.variant.board.columns)

    @property
    def _falls_along_columns(self) -> bool:
        return self.variant.move.gravity in ("down", "up")

    def _lane_names(self) -> list[str]:
        """Names of a drop game's lanes: letters where stones fall along columns, else row numbers."""
        if self._falls_along_columns:
            return [column_letter(column) for column in range(self.variant.board.columns)]
        return [str(row + 1) for row in range(self.variant.board.rows)]

    def _only_cell_of_lane(self, lane: str) -> int:
        names = [self._cell_name(cell) for cell in range(pass_action(self.variant))]
        lanes = [name[0] if self._falls_along_columns else name[1:] for name in names]
        cells = self.legal_actions[self.legal_actions < len(names)].tolist()
        fitting = [int(cell) for cell in cells if lanes[cell] == lane]
        if len(fitting) == 1:
            return fitting[0]
        if not fitting:
            raise MoveError(f"{self._place}: expected a lane with a legal cell, got {lane!r}, which has none")
        choices = " or ".join(names[cell] for cell in fitting)
        raise MoveError(f"{self._place}: expected a cell, {choices}, got the lane {lane!r} alone")

    def _drawn_row(self, row: int) -> str:
        """One row of the board; the last stone stands in brackets."""
        columns = self.variant.board.columns
        last = int(self.state.info[0, LAST])
        outside = self.variant.cut_cells
        drawn = ""
        for cell in range(row * columns, (row + 1) * columns):
            before = "[" if cell == last else "]" if cell - 1 == last and cell % columns else " "
            drawn += before + (" " if cell in outside else _STONES[self.state.cells[0, cell]])
        return drawn + ("]" if last == (row + 1) * columns - 1 else "")

    def _status_line(self) -> str:
        if self.is_over:
            first, second = self.returns
            return "draw" if first == second else f"{self._side(0 if first > second else 1)} wins"
        line = f"{self._side(self.to_play)} to move"
        if self.variant.turn.stones > 1 or self.variant.first_turn_stones > 1:
            left = int(self.state.info[0, STONES_LEFT])
            things = "stone" if self.variant.places else "move"
            line += f", {left} {things}{'s' if left > 1 else ''} left in this turn"
        line += self.half_made
        if self.legal_mask[swap_action(self.variant)]:
            line += ", may swap"
        return line

    def _side(self, seat: int) -> str:
        """A seat with the stones it plays."""
        colour = seat ^ int(self.state.info[0, SWAPPED])
        return f"{_STONES[1 + colour]} (player {seat})"


def stack(positions: Sequence[Position]) -> tuple[Rules, State]:
    """Positions of any variants as one batch for the kernels.

    Returns:
        rules: the distinct variants, R rows, in the order of their digests; the canvas is the largest board.
        state: B rows, new arrays; `info[:, VARIANT]` is the row of the rules, cells behind a smaller board's
            own are HOLE.
    """
    if not positions:
        raise ValueError("expected at least one position, got none")
    variants = _distinct(positions)
    rules = _compiled(variants)
    row_of = {variant.digest: row for row, variant in enumerate(variants)}
    state = new_state(rules, len(positions))
    state.cells[:] = HOLE
    columns: list[NDArray[Any]] = list(state)
    for row, position in enumerate(positions):
        arrays: list[NDArray[Any]] = list(position.state)
        for own, column in zip(arrays, columns, strict=True):
            width = min(own.shape[1], column.shape[1])
            column[row, :width] = own[0, :width]
        state.info[row, VARIANT] = row_of[position.variant.digest]
    return rules, state


def observe(positions: Sequence[Position]) -> Observation:
    """What a network sees of positions of any variants, on the canvas of the largest board."""
    announce_first_compile()
    rules, state = stack(positions)
    seen = Observation.zeros(len(positions), canvas_size(_distinct(positions)))
    scratch = np.empty(seen.legal.shape[1] + 1, np.int16)
    kernels.observe_rows(rules, state, seen.cells, seen.legal, seen.rules, scratch)
    return seen


def _distinct(positions: Sequence[Position]) -> tuple[Variant, ...]:
    """The variants of some positions, each once, in the order of their digests."""
    by_digest = {position.variant.digest: position.variant for position in positions}
    return tuple(by_digest[digest] for digest in sorted(by_digest))


@lru_cache(maxsize=64)
def _compiled(variants: tuple[Variant, ...]) -> Rules:
    return rules_of(variants[0]) if len(variants) == 1 else compile_rules(variants)


def _frozen(array: _Array) -> _Array:
    array.flags.writeable = False
    return array
