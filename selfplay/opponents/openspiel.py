"""OpenSpiel's own tree search as an opponent, on the games that both know.

    OpenSpielContestant("mcts:1000", games.load("breakthrough"))

It is the C++ `MCTSBot` with random rollouts, the solver on, and uct_c 2. What OpenSpiel calls a variant is
derived from what the variant is, never from its name. OpenSpiel doesn't know the swap rule everywhere, so
it is always told the game without it; the bot takes the first stone over where its search says that the
stone is worth having.
"""

from __future__ import annotations

import re
import shlex
import sys
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from games import Position, Variant, swap_action
from games.notation import parse_cell
from games.variant import Board, Effect, End, Move, Turn
from selfplay.match import Forfeit
from selfplay.opponents.gtp import check_is_go
from selfplay.opponents.moves import choices_of, played
from selfplay.opponents.pool import EnginePool
from selfplay.opponents.process import EngineError, LineProcess

MOST_SIMULATIONS = 10_000_000

ANSWER_SECONDS = 600.0
"""Seconds that a search may take; a bot that takes longer is taken for stuck."""

KNOWN = "tic-tac-toe, m,n,k, connect four, hex, y, havannah, othello, breakthrough, clobber, amazons, go"

_SPEC = re.compile(r"mcts:(\d+)")


class OpenSpielContestant:
    """OpenSpiel's MCTS; satisfies `selfplay.match.Contestant`. Equal positions get equal answers.

    Attributes:
        name: what a person reads.
        variant: the only one that it is asked about.
    """

    def __init__(self, spec: str, variant: Variant, *, seed: int = 0, processes: int = 2) -> None:
        """Prepare the bots; their processes begin with the first question.

        Args:
            spec: `mcts:N`, N simulations a move.
            variant: what is played.
            seed: of the rollouts.
            processes: bots that think at once.

        Raises:
            EngineError: the spec makes no sense, or OpenSpiel is missing or doesn't know the variant.
        """
        match = _SPEC.fullmatch(spec.strip())
        if not match or not 1 <= int(match[1]) <= MOST_SIMULATIONS:
            raise EngineError(
                f"expected mcts:N with N from 1 to {MOST_SIMULATIONS} for OpenSpiel, got {spec!r}"
            )
        translation = translate(variant)
        if find_spec("pyspiel") is None:
            raise EngineError(
                "expected the package open_spiel (pip install open_spiel), which isn't installed"
            )
        simulations = int(match[1])
        self.variant = variant
        self.name = f"OpenSpiel mcts:{simulations}"
        self._pool = EnginePool(
            lambda stop: _Bot(translation, simulations, seed=seed, stop=stop), processes=processes
        )

    def choose_many(self, positions: Sequence[Position], /) -> list[int | Forfeit]:
        """The bot's action in each position, or why it has none."""
        return self._pool.choose_many(positions)

    def close(self) -> None:
        """End the processes; closing twice is fine."""
        self._pool.close()


class _Bot:
    """One process with a bot in it."""

    def __init__(
        self, translation: Translation, simulations: int, *, seed: int, stop: threading.Event
    ) -> None:
        self._translation, self._seed = translation, seed
        worker = Path(__file__).with_name("openspiel_worker.py")
        self._process = LineProcess(shlex.join([sys.executable, "-P", str(worker)]), stop=stop)
        try:
            self._ask(f"game {translation.game} {simulations}", "ready")
        except BaseException:
            self.close()
            raise

    def choose(self, position: Position) -> list[int] | Forfeit:
        """The bot's move as our actions; `EngineError` if it has none that is legal here."""
        seed = zlib.crc32(np.array([self._seed, *position.actions], np.int64).tobytes()) >> 1
        moves = self._translation.theirs(position)
        value_to_play, *ranked = self._ask(" ".join(["move", str(seed), *moves]), "answer").split()
        if position.legal_mask[swap_action(position.variant)] and float(value_to_play) < 0:
            return [swap_action(position.variant)]
        for answer in ranked:  # in go the best may repeat a position, which only we forbid
            action, _, text = answer.partition("/")
            choices = self._translation.ours(position, int(action), text)
            if choices:
                return choices
        raise EngineError(f"expected a legal move from OpenSpiel, got {' '.join(ranked)[:60]!r}")

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def _ask(self, line: str, expected: str) -> str:
        self._process.send(line, timeout=ANSWER_SECONDS)
        deadline = time.monotonic() + ANSWER_SECONDS
        answer = self._process.line(deadline=deadline, timeout=ANSWER_SECONDS)
        kind, _, rest = answer.partition(" ")
        if kind != expected:
            raise EngineError(f"expected OpenSpiel to answer {line[:60]!r}, got {answer!r}")
        return rest


# --- what OpenSpiel calls a variant -------------------------------------------------------------------------


class Translation(NamedTuple):
    """A variant in OpenSpiel's words.

    game: as `pyspiel.load_game` reads it
    theirs: what was played, one word an action
    ours: our choices for one of its actions and the action's text; none if the action isn't legal here
    """

    game: str
    theirs: Callable[[Position], list[str]]
    ours: Callable[[Position, int, str], list[int]]


def translate(variant: Variant) -> Translation:
    """A variant in OpenSpiel's words; raises `EngineError` if OpenSpiel doesn't know it."""
    if variant.turn.repeat == "allowed" and variant.turn.stones == variant.first_turn_stones == 1:
        for kind in (_placing, _dropping, _connecting, _othello, _breakthrough, _clobber, _amazons):
            translation = kind(variant)
            if translation is not None:
                return translation
    try:
        return _go(variant)
    except EngineError:
        raise EngineError(f"expected a variant that OpenSpiel knows ({KNOWN}), got {variant.name}") from None


def _placing(variant: Variant) -> Translation | None:
    """Stones placed anywhere, a line wins."""
    board, line, wrap = variant.board, variant.lines[0], variant.board.wrap
    if (
        variant.move != Move()
        or not _is_line_game(variant)
        or board != Board(rows=board.rows, columns=board.columns, wrap=wrap)
        or wrap not in ("none", "both")
        or (wrap == "both" and board.rows != board.columns)
    ):
        return None
    if wrap == "both":
        game = f"gomoku(size={board.rows},connect={line},wrap=True,anti={variant.end.misere})"
        return _by_cells(variant, game)
    game = f"mnk(m={board.columns},n={board.rows},k={line})"
    return _by_cells(variant, _misere(variant, "tic_tac_toe()" if _is_tictactoe(variant) else game))


def _dropping(variant: Variant) -> Translation | None:
    """Connect four on any board."""
    board = variant.board
    if (
        variant.move != Move(kind="drop")
        or not _is_line_game(variant)
        or board != Board(rows=board.rows, columns=board.columns)
        or variant.turn.swap
    ):
        return None
    size = f"rows={board.rows},columns={board.columns},x_in_row={variant.lines[0]}"
    return Translation(
        _misere(variant, f"connect_four({size})"),
        lambda position: [str(action % board.columns) for action in position.actions],
        lambda position, column, _: [
            int(action) for action in position.legal_actions if action % board.columns == column
        ],
    )


def _connecting(variant: Variant) -> Translation | None:
    """Hex, Y and Havannah."""
    board, end = variant.board, variant.end
    rows, columns = board.rows, board.columns
    plain = Board(rows=rows, columns=columns, cells="hex", shape=board.shape)
    if board != plain or variant.move != Move() or variant.effect != Effect() or not _is_plain_turn(variant):
        return None
    goal = tuple(set(sides) for sides in variant.connects)
    if end == End(connect=end.connect, misere=end.misere, ply_cap=end.ply_cap):
        if board.shape == "full" and goal == ({"top", "bottom"}, {"left", "right"}):
            return _by_cells(variant, _misere(variant, f"hex(num_cols={columns},num_rows={rows})"))
        if board.shape == "triangle" and goal == 2 * ({"top", "left", "diagonal"},):
            return _by_cells(variant, _misere(variant, f"y(board_size={rows})"))
    if board.shape == "hexagon" and end == End(fork=3, bridge=2, ring=True, ply_cap=end.ply_cap):
        leaning = [cell // columns * columns + columns - 1 - cell % columns for cell in range(rows * columns)]
        return _by_cells(variant, f"havannah(board_size={(rows + 1) // 2})", leaning)
    return None


def _othello(variant: Variant) -> Translation | None:
    """Othello on 8x8 from the usual four stones; OpenSpiel's ends where ours passes twice."""
    end = variant.end
    if (
        variant.board != Board(rows=8, columns=8, setup=variant.board.setup)
        or variant.setup_cells != _cells_of(8, ["e5", "d4"], ["d5", "e4"])
        or variant.move != Move(must_flip=True)
        or variant.effect != Effect(flip=True)
        or variant.turn != Turn(passing="stuck")
        or end != End(count="stones", eliminate=end.eliminate, misere=end.misere, ply_cap=end.ply_cap)
    ):
        return None
    return _by_cells(variant, _misere(variant, "othello()"))


def _breakthrough(variant: Variant) -> Translation | None:
    """Breakthrough: two rows of stones each from 6 rows on, else one; its first player is at the top."""
    board, end = variant.board, variant.end
    rows, columns = board.rows, board.columns
    depth = 2 if rows >= 6 else 1
    stones = (
        tuple(range((rows - depth) * columns, rows * columns)),
        tuple(range(depth * columns)),
    )
    if (
        board != Board(rows=rows, columns=columns, setup=board.setup)
        or variant.setup_cells != stones
        or {"forward", "forward-diagonal"} != set(variant.move.to_empty)
        or variant.move != Move(kind="step", to_empty=variant.move.to_empty, to_enemy=("forward-diagonal",))
        or not _is_plain(variant)
        or variant.reaches != ("top", "bottom")
        or end != End(reach=end.reach, eliminate=True, misere=end.misere, ply_cap=end.ply_cap)
    ):
        return None
    return _by_moves(_misere(variant, f"breakthrough(rows={rows},columns={columns})"), turned=rows)


def _clobber(variant: Variant) -> Translation | None:
    board, end = variant.board, variant.end
    rows, columns = board.rows, board.columns
    everything = [(row, column) for row in range(rows) for column in range(columns)]
    stones = tuple(
        tuple(row * columns + column for row, column in everything if (rows - 1 - row + column) % 2 == colour)
        for colour in range(2)
    )
    if (
        board != Board(rows=rows, columns=columns, setup=board.setup)
        or variant.setup_cells != stones
        or variant.move != Move(kind="step", to_enemy=("orthogonal",))
        or not _is_plain(variant)
        or end != End(stuck="loses", misere=end.misere, ply_cap=end.ply_cap)
    ):
        return None
    return _by_moves(_misere(variant, f"clobber(rows={rows},columns={columns})"), turned=0)


_AMAZONS = {
    6: (["a2", "f2", "b1", "e1"], ["a5", "f5", "b6", "e6"]),
    8: (["a3", "h3", "c1", "f1"], ["a6", "h6", "c8", "f8"]),
    10: (["a4", "j4", "d1", "g1"], ["a7", "j7", "d10", "g10"]),
}
"""Where OpenSpiel puts the amazons, by the board's size."""


def _amazons(variant: Variant) -> Translation | None:
    """Amazons; OpenSpiel asks for the same three cells one by one."""
    end, size = variant.end, variant.board.rows
    if (
        size not in _AMAZONS
        or variant.board != Board(rows=size, columns=size, setup=variant.board.setup)
        or variant.setup_cells != _cells_of(size, *_AMAZONS[size])
        or variant.move != Move(kind="slide", to_empty=("all",), shoot=True)
        or not _is_plain(variant)
        or end != End(stuck="loses", misere=end.misere, ply_cap=end.ply_cap)
    ):
        return None
    return _by_cells(variant, _misere(variant, f"amazons(board_size={size})"))


def _go(variant: Variant) -> Translation:
    """Go; OpenSpiel's rows run upwards, and a position that comes back ends its game."""
    check_is_go(variant)
    size = variant.board.rows
    if any(variant.setup_cells):
        raise EngineError(f"expected Go from the empty board for OpenSpiel, got {variant.name}")
    upwards = [(size - 1 - cell // size) * size + cell % size for cell in range(size * size)]
    game = f"go(board_size={size},komi={variant.end.komi},max_game_length={variant.ply_cap})"
    return _by_cells(variant, game, upwards)


def _by_cells(variant: Variant, game: str, cells: Sequence[int] | None = None) -> Translation:
    """A game whose actions are our cells and PASS, one by one.

    cells: OpenSpiel's number of each of our cells, and ours of each of its; default: the same
    """
    order = [*(cells or range(variant.n_actions - 2)), variant.n_actions - 2]
    swap = swap_action(variant)

    def theirs(position: Position) -> list[str]:
        return [str(order[action]) for action in position.actions if action != swap]

    def ours(position: Position, action: int, _: str) -> list[int]:
        known = action < len(order) and position.legal_mask[order[action]]
        return [order[action]] if known else []

    return Translation(game, theirs, ours)


def _by_moves(game: str, *, turned: int) -> Translation:
    """A game whose actions are whole moves, origin and target.

    turned: the number of rows where OpenSpiel's first player is at the top; 0 where at the bottom
    """

    def theirs(position: Position) -> list[str]:
        return ["-".join(_turned(text, turned) for text in move) for move in played(position)[0]]

    def ours(position: Position, _: int, text: str) -> list[int]:
        move = tuple(_turned(cell, turned) for cell in text.split("-"))
        begun = played(position)[1]
        return choices_of(position, move[len(begun) :]) if move[: len(begun)] == begun else []

    return Translation(game, theirs, ours)


def _turned(cell: str, rows: int) -> str:
    return f"{cell[0]}{rows + 1 - int(cell[1:])}" if rows else cell


def _misere(variant: Variant, game: str) -> str:
    return f"misere(game={game})" if variant.end.misere else game


def _is_tictactoe(variant: Variant) -> bool:
    return (variant.board.rows, variant.board.columns, variant.lines[0]) == (3, 3, 3)


def _is_line_game(variant: Variant) -> bool:
    """Whether a line, as long for both, is the only goal, and a full board a draw."""
    end, (first, second) = variant.end, variant.lines
    only_line = End(line=end.line, misere=end.misere, ply_cap=end.ply_cap)
    return end == only_line and first == second > 0 and variant.effect == Effect() and _is_plain_turn(variant)


def _is_plain_turn(variant: Variant) -> bool:
    return variant.turn == Turn(swap=variant.turn.swap, first_stones=variant.turn.first_stones)


def _is_plain(variant: Variant) -> bool:
    return variant.effect == Effect() and variant.turn == Turn(first_stones=variant.turn.first_stones)


def _cells_of(size: int, *names: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """Cells on a square board, ascending, for each list of names."""
    return tuple(tuple(sorted(parse_cell(name, rows=size, columns=size) for name in each)) for each in names)
