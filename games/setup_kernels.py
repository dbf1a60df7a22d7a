"""Positions from placed stones: what the engine keeps beside them, and whether a goal is on the board."""

from __future__ import annotations

from games.compilation import inlined, kernel
from games.entry_kernels import BEGIN_GAME, SETTLE, special
from games.geometry import OFF
from games.group_kernels import borders_reach_goal, rebuild_groups
from games.line_kernels import makes_line
from games.rules import (
    CAPTURES_NOTHING,
    FIRST,
    HAS_GROUPS,
    IS_PLAIN,
    KIND,
    LINE,
    N_SCAN,
    REACH,
    REPEAT,
    RING,
    SECOND,
    STEP,
    SUPERKO,
    SURROUNDS,
    Rules,
)
from games.state import BORDER_BITS, PLY, VARIANT, State

NOTHING, GOAL_REACHED, NO_LIBERTY = range(3)
"""What is wrong with stones on a board."""


@kernel
def settle_stones(rules: Rules, state: State, row: int) -> int:
    """Find the groups of stones that were put on a board by hand; what is wrong with them, and where.

    Returns:
        NOTHING, else the kind of fault + 4 * a cell where it is.
    """
    variant = state.info[row, VARIANT]
    if rules.flags[variant, HAS_GROUPS]:
        for own in (FIRST, SECOND):
            if rebuild_groups(rules, state, row, variant, own) and rules.flags[variant, RING]:
                return GOAL_REACHED + 4 * _first_stone(rules, state, row, variant, own)
    for i in range(rules.flags[variant, N_SCAN]):
        cell = rules.scan[variant, i]
        own = state.cells[row, cell]
        if own == FIRST or own == SECOND:
            if _has_goal(rules, state, row, variant, cell, own):
                return GOAL_REACHED + 4 * cell
            if _is_choked(rules, state, row, variant, cell):
                return NO_LIBERTY + 4 * cell
    return NOTHING


@kernel
def begin_from_stones(rules: Rules, state: State, row: int) -> None:
    """Prepare groups and history of stones put on a board by hand, and see whether the game is over.

    The board counts as the one at every ply so far.
    """
    variant = state.info[row, VARIANT]
    if rules.flags[variant, IS_PLAIN]:
        return
    special(rules, state, row, BEGIN_GAME, 0, rules.scan[variant])
    special(rules, state, row, SETTLE, 0, rules.scan[variant])
    if rules.flags[variant, REPEAT] == SUPERKO:
        now = state.info[row, PLY]
        for ply in range(now):
            state.history[row, ply] = state.history[row, now]


@inlined
def _first_stone(rules: Rules, state: State, row: int, variant: int, own: int) -> int:
    """Some stone of a colour."""
    for i in range(rules.flags[variant, N_SCAN]):
        if state.cells[row, rules.scan[variant, i]] == own:
            return int(rules.scan[variant, i])
    return int(OFF)


@inlined
def _has_goal(rules: Rules, state: State, row: int, variant: int, cell: int, own: int) -> bool:
    """Whether a stone is part of a goal of its colour: a line, a connection, the far side."""
    flags, colour = rules.flags, own - FIRST
    if flags[variant, LINE + colour] and makes_line(rules, state.cells, row, variant, cell, own):
        return True
    if flags[variant, KIND] >= STEP and rules.borders[variant, cell] & flags[variant, REACH + colour] != 0:
        return True
    if not flags[variant, HAS_GROUPS] or state.heads[row, cell] != cell:
        return False
    return borders_reach_goal(rules, variant, colour, state.members[row, cell] & BORDER_BITS)


@inlined
def _is_choked(rules: Rules, state: State, row: int, variant: int, cell: int) -> bool:
    """Whether a stone's group touches no empty cell where such groups leave the board or never come to be."""
    needs_air = rules.flags[variant, SURROUNDS] or rules.flags[variant, CAPTURES_NOTHING]
    return needs_air and state.liberties[row, state.heads[row, cell]] == 0
