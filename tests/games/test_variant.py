"""A variant is checked before anything runs: bad input is one line with the place, expected and got."""

from __future__ import annotations

import pickle
import re
from inspect import getsource as source_of
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

import games
from games import catalogue, contradictions
from games.errors import UserError, VariantError
from games.variant import Variant
from tests.games.strategies import variants

BOARD = "board = { rows = 6, columns = 7 }\n"
HEX = "board = { rows = 5, columns = 5, cells = 'hex' }\n"
ROWS = "board = { rows = 6, columns = 6, setup = { pattern = 'rows' } }\n"
STEP = "move = { kind = 'step', to_empty = ['all'] }\n"
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


# What is refused, and the one line that says why. A contradiction names the key to change.

VALUES = [
    (
        "board = { rows = 40, columns = 40 }\nend = { line = 5 }",
        "line 1: board.rows: expected at most 19, got 40",
    ),
    (
        "board = { rows = 3, columns = 0 }\n" + THREE,
        "line 1: board.columns: expected at least 1, got 0",
    ),
    (
        "board = { rows = 3.0, columns = 3 }\n" + THREE,
        "line 1: board.rows: expected a whole number, got 3.0",
    ),
    (
        "board = { rows = '3', columns = 3 }\n" + THREE,
        "line 1: board.rows: expected a whole number, got '3'",
    ),
    (
        "board = { rows = true, columns = 3 }\n" + THREE,
        "line 1: board.rows: expected a whole number, got true",
    ),
    (
        "board = { rows = 3 }\n" + THREE,
        "line 1: board.columns: this key is required",
    ),
    (
        "board = 3\n" + THREE,
        "line 1: board: expected a table, got 3",
    ),
    (
        LINE,
        "board: this key is required",
    ),
    (
        "board = { rows = 3, columns = 3, wrap = 'torus' }\n" + THREE,
        "line 1: board.wrap: expected 'none', 'columns', 'rows' or 'both', got 'torus'",
    ),
    (
        "board = { rows = 3, columns = 3, holes = 'a1' }\n" + THREE,
        "line 1: board.holes: expected a list, got 'a1'",
    ),
    (
        "[board]\nrows = 3\ncolumns = 3\nholes = [\n  'a1',\n  2,\n]\n[end]\nline = 3",
        "line 6: board.holes: expected a text in quotes, got 2",
    ),
    (
        BOARD + LINE + "turn = { stones = 5 }",
        "line 3: turn.stones: expected at most 4, got 5",
    ),
    (
        BOARD + LINE + "turn = { swap = 'yes' }",
        "line 3: turn.swap: expected true or false, got 'yes'",
    ),
    (
        BOARD + LINE + "move = { kind = 'fly' }",
        "line 3: move.kind: expected 'place', 'drop', 'step', 'slide' or 'clone', got 'fly'",
    ),
    (
        BOARD + "end = { line = '4' }",
        "line 2: end.line: expected a whole number, or { first = ..., second = ... }, got '4'",
    ),
    (
        BOARD + "end = { line = { first = '4' } }",
        "line 2: end.line.first: expected a whole number, got '4'",
    ),
    (
        BOARD + "[end]\nconnect = [\n  'top',\n  'botom',\n]",
        "line 5: end.connect: expected 'top', 'bottom', 'left', 'right', 'diagonal', "
        "'upper-left' or 'lower-right', got 'botom'",
    ),
    (
        BOARD + "end = { connect = 'top' }",
        "line 2: end.connect: expected a list, or { first = ..., second = ... }, got 'top'",
    ),
    (
        BOARD + "end = { connect = { first = ['top', 'up'] } }",
        "line 2: end.connect.first: expected 'top', 'bottom', 'left', 'right', 'diagonal', "
        "'upper-left' or 'lower-right', got 'up'",
    ),
    (
        BOARD + "end = { reach = 'up' }",
        "line 2: end.reach: expected 'top', 'bottom', 'left', 'right', 'diagonal', "
        "'upper-left' or 'lower-right', or { first = ..., second = ... }, got 'up'",
    ),
    (
        BOARD + "end = { line = 4, fork = 1 }",
        "line 2: end.fork: expected at least 2, got 1",
    ),
    (
        BOARD + "end = { count = 'area', komi = 0.3 }",
        "line 2: end.komi: expected a multiple of 0.5, got 0.3",
    ),
    (
        BOARD + "end = { line = 4, ply_cap = 0 }",
        "line 2: end.ply_cap: expected at least 1, got 0",
    ),
]

UNKNOWN_KEYS = [
    (
        BOARD + LINE + "moves = { kind = 'drop' }",
        "line 3: moves: unknown key; did you mean move?",
    ),
    (
        BOARD + LINE + "move = { kind = 'drop', gravitiy = 'up' }",
        "line 3: move.gravitiy: unknown key; did you mean gravity?",
    ),
    (
        BOARD + LINE + "gravity = 'up'",
        "line 3: gravity: unknown key; it belongs to move",
    ),
    (
        BOARD + "[end]\nline = 4\nholes = ['a1']",
        "line 4: end.holes: unknown key; it belongs to board",
    ),
    (
        BOARD + "end = { line = { frist = 4 } }",
        "line 2: end.line.frist: unknown key; did you mean first?",
    ),
    (
        BOARD + LINE + "turn = { xyz = 1 }",
        "line 3: turn.xyz: unknown key; expected one of stones, first_stones, swap, passing, repeat",
    ),
    (
        "rows = 6\ncolumns = 7\n" + LINE,
        "line 1: rows: unknown key; it belongs to board",
    ),
]

BOARDS = [
    (
        "board = { rows = 5, columns = 5, shape = 'triangle' }\n" + LINE,
        "line 1: board.shape: 'triangle' needs board.cells = 'hex'",
    ),
    (
        "[board]\nrows = 5\ncolumns = 5\ncells = 'hex'\nshape = 'hexagon'\nwrap = 'rows'\n[end]\nline = 3",
        "line 6: board.wrap: a hexagon has no edges that could touch",
    ),
    (
        "board = { rows = 5, columns = 6, cells = 'hex', shape = 'triangle' }\n" + LINE,
        "line 1: board.rows: a triangle needs as many rows as columns, got 5 x 6",
    ),
    (
        "board = { rows = 6, columns = 6, cells = 'hex', shape = 'hexagon' }\n" + LINE,
        "line 1: board.rows: a hexagon needs 2 * side - 1 rows and columns, got 6",
    ),
    (
        "board = { rows = 5, columns = 5, cells = 'hex', adjacent = 8 }\n" + LINE,
        "line 1: board.adjacent: cells = 'hex' always touch 6 others",
    ),
    (
        "board = { rows = 3, columns = 3, holes = ['d1'] }\n" + THREE,
        "line 1: board.holes: expected a cell from a1 to c3, got 'd1', which is off the board",
    ),
    (
        "board = { rows = 3, columns = 3, holes = ['a0'] }\n" + THREE,
        "line 1: board.holes: expected a cell from a1 to c3, got 'a0', which is off the board",
    ),
    (
        "board = { rows = 3, columns = 3, holes = ['middle'] }\n" + THREE,
        "line 1: board.holes: expected a cell from a1 to c3, got 'middle'",
    ),
    (
        "board = { rows = 3, columns = 3, holes = ['a1:'] }\n" + THREE,
        "line 1: board.holes: expected a cell from a1 to c3, got ''",
    ),
    (
        "board = { rows = 3, columns = 3, setup = { second = ['a4'] } }\n" + THREE,
        "line 1: board.setup.second: expected a cell from a1 to c3, got 'a4', which is off the board",
    ),
    (
        "board = { rows = 3, columns = 3, holes = ['b2', 'B2'] }\n" + THREE,
        "line 1: board.holes: b2 is already in board.holes",
    ),
    (
        "board = { rows = 3, columns = 3, holes = ['b2'], setup = { first = ['b2'] } }\n" + THREE,
        "line 1: board.setup.first: b2 is already in board.holes",
    ),
    (
        "board = { rows = 3, columns = 3, setup = { first = ['b2'], second = ['b2'] } }\n" + THREE,
        "line 1: board.setup.second: b2 is already in board.setup.first",
    ),
    (
        "board = { rows = 5, columns = 5, cells = 'hex', shape = 'triangle', holes = ['e1'] }\n" + THREE,
        "line 1: board.holes: e1 is cut off by board.shape",
    ),
    (
        "board = { rows = 4, columns = 4, setup = { empty = ['b2'] } }\n" + THREE,
        "line 1: board.setup.empty: needs board.setup.pattern",
    ),
    (
        "board = { rows = 4, columns = 4, setup = { pattern = 'corners', depth = 1 } }\n" + THREE,
        "line 1: board.setup.depth: needs board.setup.pattern = 'rows'",
    ),
    (
        "board = { rows = 3, columns = 4, setup = { pattern = 'rows' } }\n" + THREE,
        "line 1: board.setup.depth: 2 x 2 rows overlap on 3 rows",
    ),
    (
        "board = { rows = 1, columns = 4, setup = { pattern = 'centre' } }\n" + THREE,
        "line 1: board.setup.pattern: 'centre' needs two rows and columns",
    ),
    (
        (
            "board = { rows = 5, columns = 5, cells = 'hex', shape = 'hexagon', setup = { pattern "
            "= 'corners' } }\n" + THREE
        ),
        "line 1: board.setup.pattern: 'corners' needs board.shape = 'full', got 'hexagon'",
    ),
    (
        "board = { rows = 4, columns = 4, setup = { pattern = 'centre', first = ['b2'] } }\n" + THREE,
        "line 1: board.setup.first: b2 already has a stone of board.setup.pattern",
    ),
    (
        "board = { rows = 1, columns = 1, holes = ['a1'] }\nend = { count = 'stones' }",
        "line 1: board.holes: no cell is left to play on",
    ),
    (
        "board = { rows = 4, columns = 4, setup = { pattern = 'checkerboard' } }\n" + THREE,
        "line 1: board: no empty cell is left to play on",
    ),
]

MOVES = [
    (
        BOARD + LINE + "move = { gravity = 'up' }",
        "line 3: move.gravity: needs move.kind = 'drop', got 'place'",
    ),
    (
        BOARD + LINE + "move = { kind = 'clone', must_flip = true }",
        "line 3: move.must_flip: needs move.kind = 'place' or 'drop', got 'clone'",
    ),
    (
        BOARD + LINE + "move = { kind = 'drop', beside = 'own' }",
        "line 3: move.beside: needs move.kind = 'place', got 'drop'",
    ),
    (
        BOARD + LINE + "move = { kind = 'step', keeps_liberty = true }",
        "line 3: move.keeps_liberty: needs move.kind = 'place' or 'drop', got 'step'",
    ),
    (
        BOARD + LINE + "move = { kind = 'slide', captures_nothing = true }",
        "line 3: move.captures_nothing: needs move.kind = 'place' or 'drop', got 'slide'",
    ),
    (
        BOARD + LINE + "move = { kind = 'drop', domino = true }",
        "line 3: move.domino: needs move.kind = 'place', got 'drop'",
    ),
    (
        BOARD + LINE + "move = { to_empty = ['all'] }",
        "line 3: move.to_empty: needs move.kind = 'step' or 'slide', got 'place'",
    ),
    (
        BOARD + LINE + "move = { kind = 'drop', to_enemy = ['all'] }",
        "line 3: move.to_enemy: needs move.kind = 'step' or 'slide', got 'drop'",
    ),
    (
        BOARD + LINE + "move = { kind = 'clone', over_enemy = ['all'] }",
        "line 3: move.over_enemy: needs move.kind = 'step' or 'slide', got 'clone'",
    ),
    (
        BOARD + LINE + "move = { chain = 'any' }",
        "line 3: move.chain: needs move.kind = 'step' or 'slide', got 'place'",
    ),
    (
        BOARD + LINE + "move = { must_jump = true }",
        "line 3: move.must_jump: needs move.kind = 'step' or 'slide', got 'place'",
    ),
    (
        BOARD + LINE + "move = { shoot = true }",
        "line 3: move.shoot: needs move.kind = 'step' or 'slide', got 'place'",
    ),
    (
        BOARD + LINE + "move = { must_flip = true }",
        "line 3: move.must_flip: needs effect.flip = true",
    ),
    (
        BOARD + LINE + "effect = { flip = true }\nmove = { must_flip = true }",
        "line 4: move.must_flip: needs stones of both colours in board.setup, or nothing could flip",
    ),
    (
        "board = { rows = 6, columns = 7, setup = { pattern = 'centre' } }\nend = { line = 4 "
        "}\neffect = { flip = true }\nmove = { must_flip = true }",
        "line 4: move.must_flip: needs turn.passing = 'stuck' or 'always', or a player could have no move",
    ),
    (
        BOARD + LINE + "move = { domino = true, beside = 'own' }",
        "line 3: move.domino: can't be combined with effects or other conditions on the move",
    ),
    (
        BOARD + LINE + "move = { domino = true }\neffect = { infect = true }",
        "line 3: move.domino: can't be combined with effects or other conditions on the move",
    ),
    (
        HEX + "end = { line = 4 }\nmove = { domino = true }",
        "line 3: move.domino: needs square cells",
    ),
    (
        "board = { rows = 4, columns = 4, wrap = 'rows' }\nmove = { kind = 'drop' }\n" + THREE,
        "line 2: move.gravity: stones would fall down for ever on a board that wraps its rows",
    ),
    (
        (
            "board = { rows = 4, columns = 4, wrap = 'both' }\nmove = { kind = 'drop', gravity = "
            "'left' }\n" + THREE
        ),
        "line 2: move.gravity: stones would fall left for ever on a board that wraps its columns",
    ),
    (
        BOARD + LINE + "move = { kind = 'drop' }\neffect = { surround = true }",
        "line 3: move.kind: 'drop' with captures: stones that leave the board would leave others hanging",
    ),
    (
        ("board = { rows = 4, columns = 4, setup = { first = ['b2'] } }\nmove = { kind = 'drop' }\n" + THREE),
        "line 1: board.setup: expected stones that gravity holds, got b2 over an empty cell",
    ),
    (
        BOARD + "move = { kind = 'step', to_empty = ['all'] }\n" + LINE,
        "line 2: move.kind: 'step' needs stones of both colours in board.setup",
    ),
    (
        ROWS + "move = { kind = 'slide' }\n" + LINE,
        "line 2: move.kind: 'slide' needs move.to_empty, move.to_enemy or move.over_enemy",
    ),
    (
        (
            "board = { rows = 6, columns = 6, cells = 'hex', setup = { pattern = 'rows' } }\nmove "
            "= { kind = 'step', to_empty = ['diagonal'] }\n" + LINE
        ),
        "line 2: move.to_empty: hex cells have no way 'diagonal'",
    ),
    (
        ROWS + "move = { kind = 'step', to_empty = ['all'], chain = 'any' }\n" + LINE,
        "line 2: move.chain: needs move.over_enemy",
    ),
    (
        ROWS + "move = { kind = 'step', to_empty = ['all'], must_jump = true }\n" + LINE,
        "line 2: move.must_jump: needs move.over_enemy",
    ),
    (
        ROWS + "move = { kind = 'step', to_enemy = ['all'], shoot = true }\n" + LINE,
        "line 2: move.shoot: needs move.to_empty, the ways a shot flies",
    ),
    (
        ROWS + "move = { kind = 'step', to_empty = ['all'], over_enemy = ['all'], shoot = true }\n" + LINE,
        "line 2: move.shoot: can't be combined with move.over_enemy",
    ),
]

TURNS = [
    (
        ROWS + STEP + "end = { line = 4 }\nturn = { swap = true }",
        "line 4: turn.swap: needs move.kind 'place' or 'drop', got 'step'",
    ),
    (
        ("board = { rows = 4, columns = 4, setup = { first = ['b2'] } }\nturn = { swap = true }\n" + THREE),
        "line 2: turn.swap: needs an empty board at the start",
    ),
    (
        BOARD + LINE + "turn = { repeat = 'ko' }",
        "line 3: turn.repeat: 'ko' needs move.kind = 'place' and effect.surround = true, or "
        "nothing comes back",
    ),
    (
        ROWS + STEP + "end = { line = 4 }\neffect = { surround = true }\nturn = { repeat = 'superko' }",
        "line 5: turn.repeat: 'superko' needs move.kind = 'place' and effect.surround = true, "
        "or nothing comes back",
    ),
    (
        BOARD + "turn = { passing = 'stuck' }\nend = { stuck = 'loses' }",
        "line 3: end.stuck: 'loses' needs turn.passing = 'never', or nobody is ever stuck",
    ),
]

EFFECTS = [
    (
        "board = { rows = 3, columns = 3, setup = { first = ['b1', 'a2'], second = ['a1'] } }\n"
        "effect = { surround = true }\nend = { line = 3 }",
        "line 1: board.setup: expected groups that touch an empty cell, got a1 in one that doesn't",
    ),
    (
        "board = { rows = 3, columns = 4, wrap = 'columns', setup = { first = ['a1'], second = ['b1'] } }\n"
        "move = { kind = 'step', over_enemy = ['orthogonal'] }\nend = { stuck = 'loses' }",
        "line 2: move.over_enemy: jumps both ways round would land on the same cell where 4 columns wrap",
    ),
    (
        BOARD + LINE + "move = { captures_nothing = true }\neffect = { surround = true }",
        "line 3: move.captures_nothing: nothing would ever be captured with effect.surround",
    ),
    (
        BOARD + LINE + "move = { keeps_liberty = true }\neffect = { flip = true }",
        "line 3: move.keeps_liberty: can't be combined with effect.flip, effect.infect or "
        "effect.take_enclosed",
    ),
    (
        "board = { rows = 5, columns = 5, setup = { pattern = 'corners' } }\nmove = { kind = "
        "'clone' }\n[effect]\ntake_enclosed = 2\n[end]\nline = 4",
        "line 4: effect.take_enclosed: needs a move.kind other than 'clone'",
    ),
    (
        "board = { rows = 3, columns = 4 }\nend = { line = 3 }\neffect = { take_enclosed = 3 }",
        "line 3: effect.take_enclosed: expected at most 2, so that an own stone fits at both "
        "ends of the longest line, got 3",
    ),
]

GOALS = [
    (
        BOARD,
        "end: expected a goal (line, connect, fork, bridge, ring, reach, capture, eliminate, "
        "count or stuck), got none",
    ),
    (
        BOARD + "end = {}",
        "line 2: end: expected a goal (line, connect, fork, bridge, ring, reach, capture, "
        "eliminate, count or stuck), got none",
    ),
    (
        BOARD + "end = { line = 1 }",
        "line 2: end.line: expected at least 2, got 1",
    ),
    (
        BOARD + "end = { line = { second = 0 } }",
        "line 2: end.line: expected at least 2, got 0",
    ),
    (
        BOARD + "effect = { surround = true }\nend = { capture = 0 }",
        "line 3: end.capture: expected at least 1, got 0",
    ),
    (
        BOARD + "end = { line = {} }",
        "line 2: end.line: expected a goal for at least one colour, got none",
    ),
    (
        BOARD + "end = { line = 4, connect = [] }",
        "line 2: end.connect: expected a goal for at least one colour, got none",
    ),
    (
        BOARD + "end = { count = 'stones', exact = true }",
        "line 2: end.exact: needs end.line",
    ),
    (
        BOARD + "end = { line = 4, komi = 0.5 }",
        "line 2: end.komi: needs end.count",
    ),
    (
        BOARD + "end = { count = 'area', stuck = 'loses' }",
        "line 2: end.stuck: 'loses' contradicts end.count, which decides when the game stops",
    ),
    (
        "board = { rows = 3, columns = 3 }\n" + LINE,
        "line 2: end.line: expected at most 3, the longest line on this board, got 4",
    ),
    (
        "board = { rows = 3, columns = 3, holes = ['a2', 'b2', 'c2', 'b1', 'b3'] }\nend = { line = 2 }",
        "line 2: end.line: expected at most 1, the longest line on this board, got 2",
    ),
    (
        "board = { rows = 3, columns = 3, wrap = 'both' }\n" + LINE,
        "line 2: end.line: expected at most 3, the longest line on this board, got 4",
    ),
    (
        BOARD + "end = { capture = 3 }",
        "line 2: end.capture: needs captures: move.to_enemy, move.over_enemy, "
        "effect.take_enclosed or effect.surround",
    ),
    (
        BOARD + "end = { eliminate = true }",
        "line 2: end.eliminate: needs captures or changes of colour (effect.flip or effect.infect)",
    ),
    (
        (
            "board = { rows = 6, columns = 6, setup = { pattern = 'corners' } }\nmove = { kind = "
            "'step', to_empty = ['all'] }\n" + THREE
        ),
        "line 3: end.line: expected at most 2, the stones that first has, got 3",
    ),
    (
        "board = { rows = 6, columns = 6, setup = { pattern = 'corners' } }\nmove = { kind = "
        "'step', to_enemy = ['all'] }\nend = { capture = 3 }",
        "line 3: end.capture: expected at most 2, the stones that first can capture, got 3",
    ),
    (
        "board = { rows = 5, columns = 5, wrap = 'rows' }\nend = { connect = ['top', 'bottom'] }",
        "line 2: end.connect: expected sides of this board (right, left), got 'top'",
    ),
    (
        BOARD + "end = { connect = ['top', 'top'] }",
        "line 2: end.connect: expected at least two sides, got top, top",
    ),
    (
        "board = { rows = 3, columns = 3, holes = ['a2', 'b2', 'c2'] }\nend = { connect = "
        "['top', 'bottom'] }",
        "line 2: end.connect: holes cut top from bottom",
    ),
    (
        "board = { rows = 5, columns = 5, cells = 'hex', shape = 'triangle' }\nend = { fork = 4 }",
        "line 2: end.fork: the board has 3 sides with cells that are no corners, got 4",
    ),
    (
        "board = { rows = 2, columns = 2, cells = 'hex' }\nend = { fork = 2 }",
        "line 2: end.fork: the board has 0 sides with cells that are no corners, got 2",
    ),
    (
        "board = { rows = 5, columns = 5, wrap = 'columns' }\nend = { bridge = 2 }",
        "line 2: end.bridge: the board has 0 corners, got 2",
    ),
    (
        "board = { rows = 1, columns = 7 }\nend = { bridge = 2 }",
        "line 2: end.bridge: the board has 7 corners, expected at most 6",
    ),
    (
        BOARD + "end = { ring = true }",
        "line 2: end.ring: needs hex cells on a board without holes and wrapping",
    ),
    (
        "board = { rows = 2, columns = 5, cells = 'hex' }\nend = { ring = true }",
        "line 2: end.ring: no cell of this board has six neighbours",
    ),
    (
        "board = { rows = 5, columns = 5, cells = 'hex', setup = { pattern = 'rows', depth = 1 "
        "} }\nmove = { kind = 'slide', to_empty = ['all'], shoot = true }\nend = { ring = true "
        "}",
        "line 3: end.ring: can't be combined with move.shoot",
    ),
    (
        BOARD + "end = { reach = 'top' }",
        "line 2: end.reach: needs stones that move, with a move.kind such as 'step'",
    ),
    (
        "board = { rows = 5, columns = 5, wrap = 'rows', setup = { pattern = 'rows', depth = 1 "
        "} }\nmove = { kind = 'step', to_empty = ['all'] }\nend = { reach = 'top' }",
        "line 3: end.reach: expected a side of this board (right, left), got 'top'",
    ),
    (
        ROWS + "move = { kind = 'step', to_empty = ['forward'] }\nend = { reach = 'top' }",
        "line 3: end.reach: no stone of second can ever move onto the top side with these ways",
    ),
]


@pytest.mark.parametrize(("text", "message"), VALUES)
def test_values_of_the_wrong_kind_are_refused(text: str, message: str) -> None:
    assert refusal(text) == message


@pytest.mark.parametrize(("text", "message"), UNKNOWN_KEYS)
def test_unknown_keys_are_refused_with_what_may_have_been_meant(text: str, message: str) -> None:
    assert refusal(text) == message


@pytest.mark.parametrize(("text", "message"), BOARDS + MOVES + TURNS + EFFECTS + GOALS)
def test_rules_that_contradict_each_other_are_refused(text: str, message: str) -> None:
    assert refusal(text) == message


def test_every_check_of_contradictions_has_a_row() -> None:
    """The rows' keys are those that `games.contradictions` names, so that none is forgotten."""
    checked = set(re.findall(r'"((?:board|move|turn|effect|end)\.[a-z_.]+)"', source_of(contradictions)))
    rows = BOARDS + MOVES + TURNS + EFFECTS + GOALS
    assert checked <= {message.split(": ")[1] for _, message in rows}


def test_an_error_without_a_text_names_no_line() -> None:
    with pytest.raises(VariantError, match=r"^drawn: board\.rows: expected at least 1, got 0$"):
        Variant.from_dict({"board": {"rows": 0, "columns": 3}, "end": {"line": 3}}, where="drawn")


def test_broken_toml_is_refused_with_its_line() -> None:
    assert refusal("title = 'one'\nrows = = 3") == "line 2: not valid TOML: Invalid value (column 8)"
    assert refusal("board = { rows = 3,").startswith("not valid TOML: ")
    assert refusal("title = 'one'\ntitle = 'two'\n").startswith("line 2: not valid TOML: ")


def test_a_refused_file_is_named_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "ring.toml"
    path.write_text(
        "# a comment\n[board]\nrows = 6\ncolumns = 8\n\n[move]\ngravity = 'up'\n\n[end]\nline = 5\n"
    )
    with pytest.raises(VariantError) as caught:
        games.load(path)
    assert str(caught.value) == f"{path}: line 7: move.gravity: needs move.kind = 'drop', got 'place'"


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


def test_every_file_of_the_catalogue_is_a_family_that_is_listed() -> None:
    files = Path(catalogue.__file__).parent.glob("*.toml")
    assert {file.stem for file in files} == set(catalogue.FAMILIES)
    assert [name for names in catalogue.families().values() for name in names] == games.names()


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


@pytest.mark.parametrize("name", games.names())
def test_a_pickled_variant_is_the_same(name: str) -> None:
    variant = games.load(name)
    again = pickle.loads(pickle.dumps(variant))
    assert again == variant
    assert again.digest == variant.digest


CHANGES: list[dict[str, Any]] = [
    {"board": {"rows": 5, "columns": 7}},
    {"board": {"rows": 6, "columns": 7, "cells": "hex"}},
    {"board": {"rows": 6, "columns": 7, "adjacent": 8}},
    {"board": {"rows": 6, "columns": 7, "wrap": "columns"}},
    {"board": {"rows": 6, "columns": 7, "holes": ["a1"]}},
    {"board": {"rows": 6, "columns": 7, "setup": {"first": ["a1"]}}},
    {"board": {"rows": 6, "columns": 7, "setup": {"second": ["a1"]}}},
    {"move": {"kind": "place"}},
    {"move": {"kind": "place", "beside": "any"}},
    {"move": {"kind": "place", "domino": True}},
    {"move": {"kind": "drop", "gravity": "up"}},
    {"move": {"kind": "drop", "keeps_liberty": True}},
    {"move": {"kind": "drop", "captures_nothing": True}},
    {"turn": {"stones": 2}},
    {"turn": {"first_stones": 2}},
    {"turn": {"swap": True}},
    {"turn": {"passing": "stuck"}},
    {"turn": {"passing": "always"}},
    {"effect": {"flip": True}},
    {"effect": {"infect": True}},
    {"end": {"line": 5}},
    {"end": {"line": {"first": 4}}},
    {"end": {"line": {"first": 4, "second": 5}}},
    {"end": {"line": 4, "connect": ["top", "bottom"]}},
    {"end": {"line": 4, "connect": {"first": ["top", "bottom"]}}},
    {"end": {"line": 4, "fork": 3}},
    {"end": {"line": 4, "bridge": 2}},
    {"end": {"line": 4, "exact": True}},
    {"end": {"line": 4, "misere": True}},
    {"end": {"line": 4, "stuck": "loses"}},
    {"end": {"line": 4, "count": "stones"}},
    {"end": {"line": 4, "count": "area"}},
    {"end": {"line": 4, "count": "area", "komi": 0.5}},
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
        BOARD + "turn = { passing = 'never', repeat = 'allowed' }\n",
    ],
)
def test_the_same_rules_in_other_words_are_the_same_digest(same: str) -> None:
    move = "move = { kind = 'drop', gravity = 'down' }\n"
    assert read(same + move + LINE).digest == games.load("connect4").digest


def test_order_and_case_of_cells_do_not_matter_to_the_digest() -> None:
    one = read("board = { rows = 3, columns = 3, holes = ['a1', 'c3'] }\nend = { line = 2 }")
    two = read("board = { rows = 3, columns = 3, holes = ['C3', 'A1'] }\nend = { line = 2 }")
    assert one.digest == two.digest


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("line = 4", "line = { first = 4, second = 4 }"),
        ("connect = ['top', 'left']", "connect = ['left', 'top']"),
        ("count = 'stones'", "count = 'stones'\nstuck = 'draw'"),
    ],
)
def test_the_same_goal_in_other_words_is_the_same_digest(one: str, two: str) -> None:
    assert read(f"{BOARD}[end]\n{one}").digest == read(f"{BOARD}[end]\n{two}").digest


def test_a_pattern_is_the_same_as_its_cells() -> None:
    pattern = "board = { rows = 4, columns = 4, setup = { pattern = 'centre' } }\n"
    cells = "board = { rows = 4, columns = 4, setup = { first = ['b2', 'c3'], second = ['b3', 'c2'] } }\n"
    assert read(pattern + THREE).digest == read(cells + THREE).digest


def test_a_variant_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        games.load("connect4").board.rows = 7  # type: ignore[misc]
