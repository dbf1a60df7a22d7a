"""UCI: whole games through a client, and what may go wrong."""

from __future__ import annotations

import re
import sys

import pytest
from chess.engine import SimpleEngine

import games
from games import start
from selfplay.opponents.fairy import read, written
from selfplay.opponents.moves import choices_of, whole_moves
from selfplay.protocols.uci import Uci, centipawns, variant_names
from tests.selfplay.protocols.talk import Talk, hostile_lines, served


def bestmove(talk: Talk, *lines: str) -> str:
    """The move that the engine answers with."""
    talk.said.clear()
    talk(*lines)
    found = re.search(r"bestmove (\S+)\n", talk.until("bestmove"))
    assert found
    return found[1]


def test_it_introduces_itself_with_its_variants() -> None:
    talk = Talk(Uci, "breakthrough-5x5")
    told = talk("uci")
    assert told.startswith("id name selfplay")
    assert told.endswith("uciok\n")
    option = re.search(r"option name UCI_Variant type combo default breakthrough-5x5((?: var \S+)+)\n", told)
    assert option
    assert {"breakthrough", "amazons", "othello"} <= set(option[1].split()[1::2])
    assert talk("isready", "ucinewgame", "isready") == "readyok\nreadyok\n"


@pytest.mark.parametrize("name", ["breakthrough-5x5", "connect4", "amazons-5x5", "othello-4x4"])
def test_its_moves_are_legal_from_the_start_to_the_end(name: str) -> None:
    """Every move of a game, as Fairy-Stockfish writes it, is one of the legal ones."""
    talk = Talk(Uci, "tictactoe")
    talk(f"setoption name UCI_Variant value {name}", "setoption name Simulations value 8")
    position, moves = start(games.load(name)), list[str]()
    for _ in range(120):
        if position.is_over:
            break
        moves.append(bestmove(talk, f"position startpos moves {' '.join(moves)}", "go"))
        for choice in choices_of(position, read(moves[-1])):
            position = position.play(choice)
    assert position.is_over
    assert bestmove(talk, f"position startpos moves {' '.join(moves)}", "go") == "(none)"


def test_how_long_it_thinks_is_told() -> None:
    talk = Talk(Uci, "breakthrough-5x5")
    bestmove(talk, "position startpos", "go nodes 40")
    nodes = [int(n) for n in re.findall(r"nodes (\d+)", "".join(talk.said))]
    assert max(nodes) == 40
    for limits in ("movetime 60", "wtime 900 btime 900 winc 10", "depth 3", "nodes 0"):
        assert bestmove(talk, f"go {limits}")


def test_an_infinite_search_ends_when_it_is_told_to() -> None:
    talk = Talk(Uci, "breakthrough-5x5")
    talk("position startpos", "go infinite")
    talk.until("info depth")
    assert talk("isready").startswith("readyok") or "readyok" in talk.until("readyok")
    assert "bestmove" not in "".join(talk.said)
    assert "bestmove" in talk("stop")
    assert talk("stop") == ""


def test_lines_have_the_form_of_the_specification() -> None:
    talk = Talk(Uci, "connect4")
    bestmove(talk, "position startpos", "go nodes 16")
    line = next(line for line in talk.said if line.startswith("info"))
    assert re.fullmatch(
        r"info depth \d+ nodes \d+ score cp -?\d+ time \d+ nps \d+( pv( P@\S+)+)? string \S+\n", line
    )


def test_centipawns_are_those_of_leela() -> None:
    """Odd, rising, and finite at the ends."""
    values = [-1.0, -0.5, 0.0, 0.5, 1.0]
    pawns = [centipawns(value) for value in values]
    assert pawns == sorted(pawns)
    assert [-p for p in pawns[::-1]] == pawns
    assert pawns[3] == 90 * 0.9929 // 1 + 0 or 85 < pawns[3] < 95


def test_what_cannot_be_done_is_said_and_changes_nothing() -> None:
    talk = Talk(Uci, "breakthrough-5x5")
    talk("position startpos moves a2a3")
    for line in (
        "position startpos moves a2a9",
        "position startpos moves a2a3 a2a3",
        "position startpos moves zzz",
        "position here",
        "position fen 8/8/8/8 w 0 1",
        "setoption name UCI_Variant value chess",
        "setoption name Simulations value many",
        "setoption name Simulations value 99999999999999",
    ):
        assert talk(line).startswith("info string error: expected") or "illegal move" in talk.said[-1]
    assert talk("setoption name Hash value 16", "setoption", "nonsense", "joho isready") == "readyok\n"
    reply = bestmove(talk, "go nodes 8")
    position = start(games.load("breakthrough-5x5")).play_text("a2-a3")
    assert reply in [written(move) for move in whole_moves(position)]


def test_the_variants_start_may_be_given_as_fen() -> None:
    talk = Talk(Uci, "breakthrough-5x5")
    assert talk("position fen ppppp/ppppp/5/PPPPP/PPPPP w 0 1 moves a2a3") == ""
    assert bestmove(talk, "go nodes 8")


def test_every_variant_of_the_list_can_be_chosen() -> None:
    names = variant_names()
    assert len(names) > 20
    talk = Talk(Uci, "breakthrough-5x5")
    for name in names[::7]:
        assert talk(f"setoption name UCI_Variant value {name}") == ""
        assert talk.game.variant.name == name


def test_whatever_is_typed_the_engine_answers_on() -> None:
    said = served(Uci, "breakthrough-5x5", b"".join([*hostile_lines(), b"isready\nquit\nisready\n"]))
    assert said.endswith("readyok\n")
    assert said.count("readyok") == 1
    assert "line too long" in said


def test_a_public_client_library_understands_it() -> None:
    """python-chess' reader of UCI: introduction, options, pings, and a quiet end."""
    command = [sys.executable, "-m", "selfplay", "engine", "uci", "--agent", "mcts:8"]
    with SimpleEngine.popen_uci(command, timeout=200) as engine:
        assert engine.id["name"].startswith("selfplay")
        assert "breakthrough" in engine.options["UCI_Variant"].var
        simulations = engine.options["Simulations"]
        assert (simulations.type, simulations.min) == ("spin", 1)
        engine.configure({"Simulations": 16})
        engine.ping()
