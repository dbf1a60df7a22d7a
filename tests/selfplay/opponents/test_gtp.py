"""GTP engines: stand-ins with a script, and GNU Go itself where it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

import games
from games import Position, UserError, Variant
from selfplay.match import Forfeit
from selfplay.opponents.gtp import RECOMMENDED, GtpContestant, check_is_go, text_of, vertex
from selfplay.opponents.process import EngineError
from tests.games.parity import board_variant
from tests.selfplay.opponents.engines import GTP_PLAYER, installed, program
from tests.selfplay.opponents.playing import finish

GO = games.load("go-5")


def contestant(folder: Path, answers: str, variant: Variant = GO) -> GtpContestant:
    command = program(folder, GTP_PLAYER, answers, str(folder / "log"))
    return GtpContestant(command, variant, processes=1)


def told(folder: Path) -> list[str]:
    """What the stand-in was told after the handshake."""
    lines = (folder / "log").read_text().splitlines()
    return lines[lines.index("boardsize 5") + 1 :]


def after(*texts: str) -> Position:
    position = games.start(GO)
    for text in texts:
        position = position.play_text(text)
    return position


def test_only_what_is_new_is_told(tmp_path: Path) -> None:
    engine = contestant(tmp_path, "b2,pass")
    first = engine.choose_many([after("a1", "pass")])
    second = engine.choose_many([after("a1", "pass", "b2", "d4")])
    engine.close()
    assert [first, second] == [[after().parse_action("b2")], [25]]
    assert told(tmp_path) == [
        *["clear_board", "komi 24.5", "play black a1", "play white pass", "genmove black"],
        *["play white d4", "genmove black"],
    ]


def test_another_game_is_told_from_the_start(tmp_path: Path) -> None:
    engine = contestant(tmp_path, "b2,b2")
    engine.choose_many([after("a1", "d4")])
    engine.choose_many([after("a2", "d4")])
    engine.close()
    assert told(tmp_path)[5:] == [
        *["clear_board", "komi 24.5", "play black a2", "play white d4", "genmove black"]
    ]


def test_set_up_stones_are_played(tmp_path: Path) -> None:
    board = {"rows": 5, "columns": 5, "setup": {"first": ["b2"], "second": ["d4", "e5"]}}
    sections = GO.model_dump(include={"move", "turn", "effect", "end"}, exclude_defaults=True)
    variant = board_variant(board=board, **sections)
    engine = contestant(tmp_path, "a1", variant)
    engine.choose_many([games.start(variant)])
    engine.close()
    assert told(tmp_path)[2:5] == ["play black b2", "play white e5", "play white d4"]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ("resign", "resigned"),
        ("a1", "illegal move"),
        ("nonsense", "expected a point of the board, pass or resign, got 'nonsense'"),
        ("i1", "expected a point"),
        ("crash", "ended with exit code 5"),
    ],
)
def test_no_move_is_a_forfeit_with_its_reason(tmp_path: Path, answers: str, reason: str) -> None:
    engine = contestant(tmp_path, answers)
    (answer,) = engine.choose_many([after("a1")])
    engine.close()
    assert isinstance(answer, Forfeit)
    assert reason in answer.reason


def test_a_late_move_is_a_forfeit(tmp_path: Path) -> None:
    engine = contestant(tmp_path, "hang")
    engine._pool._seats[0].session._timeout = 0.3
    (answer,) = engine.choose_many([after()])
    engine.close()
    assert isinstance(answer, Forfeit)
    assert "within 0.3 s" in answer.reason


def test_a_refused_move_is_a_forfeit(tmp_path: Path) -> None:
    engine = contestant(tmp_path, "a1")
    (answer,) = engine.choose_many([after("c3")])
    engine.close()
    assert isinstance(answer, Forfeit)
    assert "to accept 'play black c3', got 'illegal move'" in answer.reason


def test_letters_leave_out_i() -> None:
    assert [vertex(cell, size=9)[0] for cell in range(9)] == list("abcdefghj")
    assert [text_of(f"{letter}1", size=9) for letter in "AHJ"] == ["a1", "h1", "i1"]


@pytest.mark.parametrize("name", ["go", "go-5", "go-7"])
def test_go_is_known(name: str) -> None:
    check_is_go(games.load(name))


@pytest.mark.parametrize("name", ["atari-go", "nogo", "go-hexagon", "hex-capture", "walking-go", "connect4"])
def test_its_relatives_are_not_go(name: str) -> None:
    with pytest.raises(UserError, match=f"expected a variant of Go .*, got {name}$"):
        check_is_go(games.load(name))


def test_a_program_that_speaks_no_gtp_is_refused(tmp_path: Path) -> None:
    source = "import sys\nfor line in sys.stdin: print('=' + line.split()[0], '1', end='\\n\\n', flush=True)"
    with pytest.raises(EngineError, match="expected an engine that speaks GTP 2"):
        GtpContestant(program(tmp_path, source), GO)


def gnugo() -> str:
    return RECOMMENDED.replace("gnugo", installed("gnugo"), 1) + " --level 1"


def test_gnu_go_plays_games_to_their_end() -> None:
    engine = GtpContestant(gnugo(), GO)
    assert finish(engine, GO, games=2) == []
    engine.close()


def test_gnu_go_captures_what_is_dead_before_it_passes() -> None:
    """A lone stone in its land, with the opponent passing: it goes off the board, as our count needs."""
    variant = games.load("go-5")
    engine = GtpContestant(gnugo(), variant)
    position = after(*["c3", "a1", "b2", "pass", "d2", "pass", "b4", "pass", "d4", "pass"])
    while not position.is_over:
        (answer,) = engine.choose_many([position])
        assert not isinstance(answer, Forfeit)
        position = position.play(answer)
        if not position.is_over:
            position = position.play_text("pass")
    engine.close()
    assert position.count_lead == 25 - variant.end.komi
