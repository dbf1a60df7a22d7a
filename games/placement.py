"""`set_up`: positions from placed stones, for people who want to look at one or go on from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from games import kernels
from games.compilation import announce_first_compile
from games.compiler import rules_of
from games.errors import PositionError
from games.geometry import OFF
from games.notation import cell_name
from games.position import Placement, Position, pass_action, start
from games.rules import ELIMINATE, EMPTY, FIRST, HOLE, KIND, SECOND, SLIDE, STEP, STONES, SWAP_RULE, Rules
from games.setup_kernels import GOAL_REACHED, NO_LIBERTY, begin_from_stones, settle_stones
from games.state import COLOUR, EMPTIES, PLY, STONES_LEFT, State, new_state
from games.variant import Variant

_WRONG = {
    GOAL_REACHED: "expected a game that goes on, but the stone on {cell} has reached a goal",
    NO_LIBERTY: "expected groups that touch an empty cell, but that of {cell} touches none",
}
_COLOURS = ("first", "second")


def set_up(variant: Variant, stones: Mapping[int, int] | Sequence[int], *, to_play: int) -> Position:
    """A position from placed stones, at the beginning of an ordinary turn.

    Nothing is captured so far, nobody may swap, and the board counts as the only one there has been. How the
    stones came there isn't asked; a goal that is on the board counts as reached.

    Args:
        variant: the rules.
        stones: what a cell holds, EMPTY, FIRST, SECOND or, where stones shoot, HOLE; a cell that a mapping
            leaves out is empty, a sequence has all of them. Cells that the board lacks may be HOLE or EMPTY.
        to_play: 0 or 1, the seat to move, which has the first or the second colour.

    Raises:
        PositionError: the rules allow no such position, or the game is over with it; one line.
    """
    announce_first_compile()
    if to_play not in (0, 1):
        raise PositionError(f"{variant.name}: expected seat 0 or 1 to play, got {to_play!r}")
    cells = _read(variant, stones)
    rules = rules_of(variant)
    _check_stones(variant, rules, cells)
    position = _placed(variant, rules, cells, to_play)
    _check_goes_on(position)
    return position


def beginning(position: Position) -> Position:
    """The position from which a position's `actions` were played."""
    if position.placement is None:
        return start(position.variant)
    return set_up(position.variant, position.placement.cells, to_play=position.placement.to_play)


def _read(variant: Variant, stones: Mapping[int, int] | Sequence[int]) -> NDArray[np.int8]:
    """int8 `[C]`: what every cell holds; the board's own holes are HOLE."""
    n_cells = pass_action(variant)
    if not isinstance(stones, Mapping):
        if len(stones) != n_cells:
            raise PositionError(f"{variant.name}: expected {n_cells} cells, got {len(stones)}")
        stones = dict(enumerate(stones))
    cells = np.zeros(n_cells, np.int8)
    missing = variant.hole_cells
    for cell, content in stones.items():
        if not 0 <= cell < n_cells:
            raise PositionError(f"{variant.name}: expected cells from 0 to {n_cells - 1}, got {cell}")
        if content not in (EMPTY, FIRST, SECOND, HOLE):
            raise PositionError(f"{_at(variant, cell)}: expected 0 to 3 for what a cell holds, got {content}")
        if cell in missing and content in (FIRST, SECOND):
            raise PositionError(
                f"{_at(variant, cell)}: expected stones on the board, got one where no cell is"
            )
        if content == HOLE and cell not in missing and not variant.move.shoot:
            raise PositionError(
                f"{_at(variant, cell)}: expected a cell of the board, got a hole; nothing shoots"
            )
        cells[cell] = content
    cells[sorted(missing)] = HOLE
    return cells


def _check_stones(variant: Variant, rules: Rules, cells: NDArray[np.int8]) -> None:
    """Refuse stones that float, and numbers of stones that no game of these rules comes to."""
    if variant.move.kind == "drop" and not variant.removes:
        _check_held(variant, rules, cells)
    if rules.flags[0, KIND] in (STEP, SLIDE):
        _check_not_more(variant, cells)
    elif variant.places and not variant.removes:
        bare = [cell for side in variant.setup_cells for cell in side if cells[cell] == EMPTY]
        if bare:
            raise PositionError(
                f"{_at(variant, bare[0])}: expected the stone of the start, which can't leave, got none"
            )


def _check_held(variant: Variant, rules: Rules, cells: NDArray[np.int8]) -> None:
    for cell in np.flatnonzero((cells == FIRST) | (cells == SECOND)).tolist():
        support = int(rules.support[0, cell])
        if support != OFF and cells[support] == EMPTY:
            raise PositionError(
                f"{_at(variant, cell)}: expected a stone that gravity holds, got one over an empty cell"
            )


def _check_not_more(variant: Variant, cells: NDArray[np.int8]) -> None:
    """Stones that only move don't get more; where they change colour, together they don't."""
    had = [len(side) for side in variant.setup_cells]
    have = [int(np.count_nonzero(cells == colour)) for colour in (FIRST, SECOND)]
    if variant.effect.flip or variant.effect.infect:
        if sum(have) > sum(had):
            raise PositionError(f"{variant.name}: expected at most {sum(had)} stones, got {sum(have)}")
        return
    for name, most, got in zip(_COLOURS, had, have, strict=True):
        if got > most:
            raise PositionError(
                f"{variant.name}: expected at most {most} stones of the {name} colour, got {got}"
            )


def _placed(variant: Variant, rules: Rules, cells: NDArray[np.int8], to_play: int) -> Position:
    """The position with these stones, which may be over."""
    state = new_state(rules, 1)
    kernels.reset(rules, state, 0, 0)
    state.cells[0, : len(cells)] = cells
    info = state.info[0]
    info[EMPTIES] = np.count_nonzero(cells == EMPTY)
    info[COLOUR] = to_play
    info[STONES_LEFT] = rules.flags[0, STONES]
    info[PLY] = _plies(variant, rules, cells)
    _check_settled(variant, rules, state)
    begin_from_stones(rules, state, 0)
    return Position(variant, rules, state, (), Placement(tuple(cells.tolist()), to_play))


def _plies(variant: Variant, rules: Rules, cells: NDArray[np.int8]) -> int:
    """How many actions count as played: one for each stone that was placed, and too many for a swap."""
    placed = 0
    if variant.places:
        stones = int(np.count_nonzero((cells == FIRST) | (cells == SECOND)))
        placed = max(0, stones - sum(map(len, variant.setup_cells))) // (2 if variant.move.domino else 1)
    if rules.flags[0, SWAP_RULE]:
        placed = max(placed, variant.first_turn_stones + 1)
    return min(placed, variant.ply_cap - 1)


def _check_settled(variant: Variant, rules: Rules, state: State) -> None:
    wrong = settle_stones(rules, state, 0)
    if wrong:
        cell, kind = divmod(wrong, 4)
        name = cell_name(cell, rows=variant.board.rows, columns=variant.board.columns)
        raise PositionError(f"{variant.name}: {_WRONG[kind].format(cell=name)}")


def _check_goes_on(position: Position) -> None:
    """Refuse positions in which the game is over, or nobody has anything but to pass."""
    variant = position.variant
    _check_both_are_there(position)
    if position.is_over or (not position.state.info[0, EMPTIES] and variant.places):
        raise PositionError(f"{variant.name}: expected a game that goes on, but with these stones it is over")
    if _can_only_pass(position):
        assert position.placement is not None
        other = _placed(
            variant, position.rules, np.array(position.placement.cells, np.int8), 1 - position.to_play
        )
        if other.is_over or _can_only_pass(other):
            raise PositionError(f"{variant.name}: expected a game that goes on, but nobody has a move")


def _check_both_are_there(position: Position) -> None:
    """Where stones only move and the goal is to take them all, a colour without any has lost."""
    variant, flags = position.variant, position.rules.flags
    if flags[0, ELIMINATE] and flags[0, KIND] >= STEP:
        for colour, name in zip((FIRST, SECOND), _COLOURS, strict=True):
            if not np.any(position.state.cells == colour):
                raise PositionError(
                    f"{variant.name}: expected stones of both colours, got none of the {name}"
                )


def _can_only_pass(position: Position) -> bool:
    return bool(position.legal_actions.tolist() == [pass_action(position.variant)])


def _at(variant: Variant, cell: int) -> str:
    """Where an error is."""
    return f"{variant.name}: {cell_name(cell, rows=variant.board.rows, columns=variant.board.columns)}"
