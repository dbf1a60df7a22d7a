"""UCI engines: stand-ins that go wrong in every way, and Fairy-Stockfish itself where it is installed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

import games
from games import Position, UserError
from selfplay.match import Forfeit
from selfplay.opponents.process import EngineError
from selfplay.opponents.uci import DEFAULT_SEARCH, UciContestant, split_command
from tests.selfplay.opponents.engines import FAIRY_PLAYER, installed, program
from tests.selfplay.opponents.playing import finish


def contestant(folder: Path, mode: str, name: str = "tictactoe") -> UciContestant:
    return UciContestant(program(folder, FAIRY_PLAYER, mode), games.load(name), processes=1)


def reason(engine: UciContestant, position: Position) -> str:
    (answer,) = engine.choose_many([position])
    assert isinstance(answer, Forfeit)
    return answer.reason


def start(name: str = "tictactoe") -> Position:
    return games.start(games.load(name))


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        ("fairy", ("fairy", [], DEFAULT_SEARCH)),
        ("fairy -x; go nodes 7", ("fairy -x", [], "go nodes 7")),
        ("fairy; setoption A ;go depth 3;", ("fairy", ["setoption A"], "go depth 3")),
    ],
)
def test_a_command_has_parts(command: str, parts: tuple[str, list[str], str]) -> None:
    assert split_command(command) == parts


@pytest.mark.parametrize("name", ["connect3-4x4", "amazons-5x5", "othello-4x4"])
def test_games_are_played_to_their_end(tmp_path: Path, name: str) -> None:
    engine = contestant(tmp_path, "well", name)
    assert finish(engine, games.load(name), games=2) == []
    engine.close()


def test_the_name_says_who_and_how(tmp_path: Path) -> None:
    engine = contestant(tmp_path, "well")
    assert engine.name == f"Stand-in, {DEFAULT_SEARCH}"
    engine.close()


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("crash", "ended with exit code 3"),
        ("illegal", "illegal move"),
        ("endless", "bytes without an end"),
    ],
)
def test_what_goes_wrong_is_the_reason(tmp_path: Path, mode: str, expected: str) -> None:
    engine = contestant(tmp_path, mode)
    assert expected in reason(engine, start())
    engine.close()


def test_a_late_move_is_a_forfeit(tmp_path: Path) -> None:
    engine = contestant(tmp_path, "hang")
    engine._pool._seats[0].session._timeout = 0.3
    assert "within 0.3 s, got none" in reason(engine, start())
    engine.close()


@pytest.mark.parametrize("mode", ["chatter", "binary"])
def test_noise_before_a_move_does_no_harm(tmp_path: Path, mode: str) -> None:
    engine = contestant(tmp_path, mode)
    (answer,) = engine.choose_many([start()])
    assert answer in start().legal_actions
    engine.close()


def test_an_engine_that_dies_at_the_handshake_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="ended with exit code 1"):
        contestant(tmp_path, "no handshake")


def test_an_engine_with_other_rules_is_refused(tmp_path: Path) -> None:
    """It plays to three in line where four are needed."""
    with pytest.raises(EngineError, match="expected a variant that Stand-in knows"):
        contestant(tmp_path, "other rules", "mnk-5-5-4")


def test_a_program_that_speaks_no_uci_is_refused(tmp_path: Path) -> None:
    source = "import sys\nfor line in sys.stdin: print('uciok', flush=True)"
    with pytest.raises(EngineError, match="option VariantPath"):
        UciContestant(program(tmp_path, source), games.load("connect4"))


def test_an_unknown_variant_is_refused_before_anything_starts() -> None:
    with pytest.raises(UserError, match=r"that Fairy-Stockfish knows .*, got hex-5"):
        UciContestant("no-such-engine", games.load("hex-5"))


@pytest.mark.parametrize("mode", ["well", "no handshake"])
def test_no_file_is_left_behind(tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    try:
        contestant(tmp_path, mode).close()
    except EngineError:
        assert mode == "no handshake"
    assert list(tmp_path.glob("*.ini")) == []


def test_a_half_made_move_is_gone_on_with(tmp_path: Path) -> None:
    """One that the engine didn't begin: it may only search what goes on from there."""
    engine = contestant(tmp_path, "well", "hexapawn")
    begun = start("hexapawn").play_text("c1")
    (answer,) = engine.choose_many([begun])
    assert not isinstance(answer, Forfeit)
    assert begun.action_text(answer) == "c2"
    engine.close()


@pytest.mark.parametrize("name", ["breakthrough-5x5", "clobber-4x5", "mnk-5-5-4"])
def test_fairy_stockfish_plays(name: str) -> None:
    engine = UciContestant(f"{installed('fairy-stockfish')}; go nodes 200", games.load(name))
    assert finish(engine, games.load(name), games=2) == []
    engine.close()


def test_fairy_stockfish_takes_a_win_at_once() -> None:
    engine = UciContestant(f"{installed('fairy-stockfish')}; go nodes 200", games.load("tictactoe"))
    position = start("tictactoe").play_text("a1").play_text("a3").play_text("b1").play_text("b3")
    assert engine.choose_many([position]) == [position.parse_action("c1")]
    engine.close()
