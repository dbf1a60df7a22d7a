"""What we tell Fairy-Stockfish is what we play: moves, end and result agree in random games."""

from __future__ import annotations

import random

import pyffish
import pytest

import games
from games import Position, Variant
from selfplay.opponents import fairy
from selfplay.opponents.moves import TextMove, whole_moves
from selfplay.opponents.process import EngineError
from tests.games.parity import ASKED, play_all

KNOWN = [
    "tictactoe",
    "tictactoe-misere",
    "mnk-5-5-4",
    "connect3-4x4",
    "connect4",
    "connect4-9x5",
    "connect4-10x6",
    "connect4-misere",
    "connect5-7x8",
    "gomoku-9x9",
    "othello",
    "othello-6x6",
    "othello-4x4",
    "othello-10x10",
    "othello-88",
    "breakthrough",
    "breakthrough-6x6",
    "breakthrough-5x5",
    "hexapawn",
    "hexapawn-4x4",
    "clobber",
    "clobber-4x5",
    "clobber-6x6",
    "clobber-8x8",
    "amazons-5x5",
    "amazons-6x6",
    "amazons-8x8",
    "amazons",
    "ataxx",
    "ataxx-5x5",
    "ataxx-holes",
]

SLOW_TO_LIST, FEW, MANY = 300, 4, 40
"""Legal moves from which a position is slow to compare, and the moves of a game then and otherwise."""

SMALL = 36
"""Cells of the boards that are compared every time; `make verify` compares all."""


def compared() -> list[str]:
    boards = {name: games.load(name).board for name in KNOWN}
    return [name for name, board in boards.items() if ASKED or board.rows * board.columns <= SMALL]


def known(variant: Variant) -> bool:
    try:
        fairy.section(variant)
    except EngineError:
        return False
    return True


def test_the_catalogue_says_which_variants_are_known() -> None:
    assert {name for name in games.names() if known(games.load(name))} == set(KNOWN)


def test_a_variant_is_known_by_its_rules_not_by_its_name() -> None:
    renamed = games.load("connect4").model_copy(update={"name": "go"})
    assert fairy.section(renamed) == fairy.section(games.load("connect4"))


@pytest.mark.parametrize("name", compared())
def test_games_agree(name: str) -> None:
    variant = games.load(name)
    section = fairy.section(variant)
    pyffish.load_variant_config(section.text)
    position, chance = games.start(variant), random.Random(name)
    for _ in range(FEW if len(list(whole_moves(position))) > SLOW_TO_LIST else MANY):
        moves = sorted(whole_moves(position))
        if moves != [("pass",)]:  # where both are stuck Fairy-Stockfish has ended, and we pass twice
            assert set(moves) == set(map(fairy.read, legal(section, position))), str(position)
        position = play_all(position, chance.choice(moves))
        if position.is_over:
            assert result(section, position) == position.returns, str(position)
            break


def legal(section: fairy.Section, position: Position) -> list[str]:
    moves, _ = fairy.written_moves(position)
    return pyffish.legal_moves(section.name, pyffish.start_fen(section.name), moves)


def result(section: fairy.Section, position: Position) -> tuple[int, int]:
    moves, _ = fairy.written_moves(position)
    start = pyffish.start_fen(section.name)
    over, value = pyffish.is_immediate_game_end(section.name, start, moves)
    if not over:
        assert not pyffish.legal_moves(section.name, start, moves)
        value = pyffish.game_result(section.name, start, moves)
    sign = (value > 0) - (value < 0)
    return (sign, -sign) if len(moves) % 2 == 0 else (-sign, sign)


@pytest.mark.parametrize(
    ("move", "text"),
    [(("d1",), "P@d1"), (("a2", "b3"), "a2b3"), (("d1", "d7", "g7"), "d1d7,d7g7"), (("j10", "a1"), "j10a1")],
)
def test_moves_are_written_and_read(move: TextMove, text: str) -> None:
    assert (fairy.written(move), fairy.read(text)) == (text, move)


def test_a_pass_moves_the_stone_nearest_to_a1() -> None:
    """Othello on 4x4, where the second player gets stuck."""
    variant = games.load("othello-4x4")
    section = fairy.section(variant)
    pyffish.load_variant_config(section.text)
    for seed in range(50):
        position, chance = games.start(variant), random.Random(seed)
        while not position.is_over and position.legal_actions.tolist() != [16]:
            position = position.play(chance.choice(position.legal_actions.tolist()))
        if not position.is_over and position.play_text("pass").legal_actions.tolist() != [16]:
            passed = position.play_text("pass")
            assert fairy.written_moves(passed)[0][-1:] == legal(section, position)
            return
    raise AssertionError("no game with a pass")


@pytest.mark.parametrize("text", ["", "(none)", "0000", "resign"])
def test_what_is_no_move_reads_as_none(text: str) -> None:
    assert fairy.read(text) == ()
