"""Gomocup's protocol: the transcripts of its description, and what may go wrong."""

from __future__ import annotations

import re

import pytest

from selfplay.protocols.gomocup import Gomocup
from selfplay.protocols.lines import ProtocolError
from tests.selfplay.protocols.talk import Talk, hostile_lines, served

MOVE = re.compile(r"(\d+),(\d+)\n")


def gomocup(size: int = 9) -> Talk:
    talk = Talk(Gomocup, "gomoku-9x9")
    assert talk(f"START {size}") == "OK\n"
    return talk


def cell(answer: str, size: int = 9) -> int:
    found = MOVE.fullmatch(answer)
    assert found, answer
    column, row = map(int, found.groups())
    return row * size + column


def test_begin_and_turn_answer_with_a_move() -> None:
    talk = gomocup()
    first = cell(talk("BEGIN"))
    assert talk.game.position.actions == (first,)
    free = 0 if first != 0 else 1
    answer = cell(talk(f"TURN {free},0"))
    assert talk.game.position.actions == (first, free, answer)


def test_start_chooses_the_size() -> None:
    talk = gomocup(20 - 1)
    assert talk.game.variant.board.rows == 19
    assert talk("START 15") == "OK\n"
    assert talk.game.variant.board.rows == 15
    assert talk("START 4").startswith("ERROR expected a board of 5 to 19")
    assert talk("START 100000").startswith("ERROR")
    assert talk("RECTSTART 12,7") == "OK\n"
    assert (talk.game.variant.board.columns, talk.game.variant.board.rows) == (12, 7)


@pytest.mark.parametrize(("stones", "colour"), [(("1", "2"), 0), (("2",), 1), ((), 0), (("2", "1", "2"), 1)])
def test_a_board_says_whose_stones_are_whose(stones: tuple[str, ...], colour: int) -> None:
    """Who has as many as the other, moves as the first colour; the order of the lines doesn't matter."""
    talk = gomocup()
    lines = [f"{3 + i},{4 - i},{who}" for i, who in enumerate(stones)]
    assert talk("BOARD", *lines) == ""
    answer = cell(talk("DONE"))
    position = talk.game.position
    assert position.ply == len(stones) + 1
    own = [(4 - i) * 9 + 3 + i for i, who in enumerate(stones) if who == "1"]
    for at in (*own, answer):
        assert position.state.cells[0, at] == 1 + colour


def test_it_wins_when_it_can() -> None:
    """Four of its own in a row, open at one end."""
    talk = gomocup()
    own = [f"{x},0,1" for x in range(4)]
    other = [f"{x},5,2" for x in (0, 2, 4, 6)]
    assert talk("BOARD", *own, *other, "DONE") == "4,0\n"
    assert talk.game.position.is_over
    assert talk("TURN 8,8").startswith("ERROR")


def test_takeback_restart_and_about() -> None:
    talk = gomocup()
    talk("BOARD", "4,4,1", "5,5,2", "DONE")
    last = talk.said[-1].strip()
    assert talk("TAKEBACK 8,8").startswith("ERROR expected the last move")
    assert talk(f"TAKEBACK {last}") == "OK\n"
    assert talk.game.position.ply == 2
    assert talk("RESTART") == "OK\n"
    assert talk.game.position.ply == 0
    assert re.search(r'name="\w+", version="[\d.]+", author="\w+", country="', talk("ABOUT"))


def test_times_and_the_rule_come_by_info() -> None:
    talk = gomocup()
    assert talk("INFO timeout_turn 50", "INFO time_left 900", "INFO folder /tmp", "INFO max_memory x") == ""
    talk("BEGIN")
    assert talk.game.seconds == pytest.approx(0.8 * 0.03)
    talk("RESTART", "INFO rule 1")
    assert talk.game.variant.end.exact
    talk("INFO rule 0")
    assert not talk.game.variant.end.exact


def test_what_cannot_be_done_is_an_error_or_unknown() -> None:
    talk = gomocup()
    assert talk("TURN 9,9").startswith("ERROR expected a cell of the board")
    assert talk("TURN a,b").startswith("ERROR expected 2 numbers")
    talk("BEGIN")
    assert talk("BEGIN").startswith("ERROR expected BEGIN on an empty board")
    assert talk("SWAP2BOARD") == "UNKNOWN command SWAP2BOARD\n"
    assert talk("BOARD", "1,1,1", "2,2,3").startswith("ERROR expected x,y,1")
    assert talk("BOARD", "1,1,1", "2,2,1", "3,3,1", "DONE").startswith("ERROR expected as many stones")
    assert talk("BOARD", "1,1,1", "1,1,2", "DONE").startswith("ERROR illegal move")
    with pytest.raises(ProtocolError, match="expected a game of lines"):
        Talk(Gomocup, "go-5")


def test_whatever_is_typed_the_engine_answers_on() -> None:
    said = served(Gomocup, "gomoku-9x9", b"".join([*hostile_lines(), b"START 9\nEND\nBEGIN\n"]))
    assert said.endswith("OK\n")
    assert "ERROR line too long" in said
