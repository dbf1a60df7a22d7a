"""GTP against its specification, and through our own GTP client and a public one."""

from __future__ import annotations

import re
import sys

import pytest

import games
from selfplay import Player, __version__
from selfplay.match import play_match
from selfplay.openings import draw_openings
from selfplay.opponents.gtp import GtpContestant
from selfplay.protocols.gtp import Gtp
from tests.selfplay.protocols.talk import Talk, hostile_lines, served


def go() -> Talk:
    return Talk(Gtp, "go-5")


def test_answers_have_the_form_of_the_specification() -> None:
    """Success and failure, with and without a number, ended by an empty line; comments don't count."""
    talk = go()
    assert talk("protocol_version") == "= 2\n\n"
    assert talk("17 version # what is it?") == f"=17 {__version__}\n\n"
    assert talk("# a comment", "") == ""
    assert talk("3 nonsense") == "?3 unknown command\n\n"
    assert talk("known_command genmove") == "= true\n\n"
    assert talk("known_command nonsense") == "= false\n\n"
    listed = talk("list_commands").removeprefix("= ").split()
    assert {"boardsize", "clear_board", "komi", "play", "genmove", "undo", "final_score"} <= set(listed)


def test_columns_have_gtps_letters_without_i_on_a_go_board_only() -> None:
    talk = Talk(Gtp, "go")
    assert talk("play b J5", "play w h5") == "= \n\n= \n\n"
    assert talk.game.position.actions == (4 * 9 + 8, 4 * 9 + 7)
    assert talk("play b i5").startswith("? illegal move: expected a point of the board")
    lines = Talk(Gtp, "gomoku-9x9")
    assert lines("play b i5") == "= \n\n"
    assert lines.game.position.actions == (4 * 9 + 8,)


def test_a_game_is_played_undone_and_scored() -> None:
    """On 5x5 the wall of c is black's, what is left of it too: 15 points to 10, less a komi of 2.5."""
    talk = go()
    assert talk("komi 2.5", "clear_board") == "= \n\n= \n\n"
    for row in range(1, 6):
        assert talk(f"play b c{row}", f"play w d{row}") == "= \n\n= \n\n"
    assert talk("final_score") == "= B+2.5\n\n"
    assert talk("undo", "undo") == "= \n\n= \n\n"
    assert talk.game.position.ply == 8
    assert "x to move" in talk("showboard").replace("(player 0) ", "")
    assert talk("clear_board", "undo").endswith("? cannot undo: this is the first position\n\n")


def test_illegal_moves_are_refused_and_change_nothing() -> None:
    talk = go()
    talk("play b c3")
    for line in ("play w c3", "play w z9", "play w c99", "play purple d4", "play w", "play w swap"):
        assert talk(line).startswith("? ")
        assert talk.game.position.ply == 1


def test_a_colour_may_move_twice_where_the_other_may_pass() -> None:
    """Handicap stones; in a game without passes it is refused."""
    talk = go()
    assert talk("play b c3", "play b d4") == "= \n\n= \n\n"
    assert [talk.game.position.variant.n_actions - 2, *talk.game.position.actions][1:] == [12, 25, 8]
    lines = Talk(Gtp, "gomoku-9x9")
    lines("play b c3")
    assert lines("play b d4") == "? illegal move: white is to move\n\n"


def test_generated_moves_are_legal_to_the_end_and_then_pass() -> None:
    talk = go()
    for ply in range(80):
        before = talk.game.position
        word = talk(f"genmove {'bw'[ply % 2]}").removeprefix("= ").strip()
        assert word
        if before.is_over:
            assert word == "pass"
            break
    assert talk.game.position.is_over
    assert re.fullmatch(r"= ([BW]\+[0-9.]+|0)\n\n", talk("final_score"))
    assert talk("kata-analyze") == "? the game is over\n\n"


def test_reg_genmove_leaves_the_board_alone() -> None:
    talk = go()
    assert talk("reg_genmove b").startswith("= ")
    assert talk.game.position.ply == 0
    assert talk("reg_genmove w") == "? the other colour is to move\n\n"


def test_moves_of_several_choices_are_one_word() -> None:
    talk = Talk(Gtp, "breakthrough-5x5")
    words = talk("selfplay-legal_moves").removeprefix("= ").split()
    assert "a2-a3" in words
    assert talk("play b a2-a3") == "= \n\n"
    assert talk("play w a4").startswith("? illegal move: expected a whole move")
    move = talk("genmove w").removeprefix("= ").strip()
    assert re.fullmatch(r"[a-e]\d-[a-e]\d", move)
    assert len(talk.game.moves()) == 2
    assert talk("undo", "undo") == "= \n\n= \n\n"
    assert talk.game.position.ply == 0
    assert talk("final_score").startswith("? cannot score")


def test_the_result_of_a_game_without_a_count() -> None:
    talk = Talk(Gtp, "tictactoe")
    assert talk("selfplay-result") == "= none\n\n"
    talk("play b a1", "play w b1", "play b a2", "play w b2", "play b a3")
    assert talk("selfplay-result", "final_score") == "= black\n\n= B+1\n\n"
    assert talk("genmove w") == "? the game is over\n\n"


def test_sizes_and_variants_are_chosen() -> None:
    talk = Talk(Gtp, "go")
    assert talk("boardsize 7") == "= \n\n"
    assert talk.game.variant.board.rows == 7
    assert talk("boardsize 26").startswith("? unacceptable size")
    assert talk("boardsize 0").startswith("? unacceptable size")
    assert talk("boardsize").startswith("? syntax error")
    assert talk.game.variant.board.rows == 7
    assert talk("selfplay-variant hex-5") == "= \n\n"
    assert "hex-5" in talk("selfplay-variants")
    assert talk("rectangular_boardsize 4 6") == "= \n\n"
    assert (talk.game.variant.board.columns, talk.game.variant.board.rows) == (4, 6)
    assert talk("selfplay-variant none").startswith("? expected one of selfplay-variants")
    for name in ("othello-6x6", "connect4-holes"):
        assert Talk(Gtp, name)("boardsize 9").startswith("? unacceptable size: the stones and holes")


def test_komi_counts_where_something_is_counted() -> None:
    talk = go()
    talk("play b c3")
    assert talk("komi -3.5", "komi 0") == "= \n\n= \n\n"
    assert talk.game.variant.end.komi == 0
    assert talk.game.position.ply == 1
    assert talk("komi much").startswith("? syntax error")
    assert talk("komi nan").startswith("? syntax error")
    assert talk("komi 0.3").startswith("? ")
    assert Talk(Gtp, "tictactoe")("komi 6.5") == "= \n\n"


def test_clocks_say_how_long_a_move_takes() -> None:
    talk = go()
    talk("time_settings 60 10 5")
    assert talk.game.seconds == pytest.approx(2.0)
    talk("time_left b 20 4")
    assert talk.game.seconds == pytest.approx(5.0)
    talk("time_left w 1 1")  # white's clock is no matter of black's move
    assert talk.game.seconds == pytest.approx(5.0)
    talk("time_settings 0 1 0")
    assert talk.game.seconds is None
    assert talk("time_settings 1").startswith("? syntax error")


def test_simulations_are_chosen() -> None:
    talk = go()
    assert talk("selfplay-simulations 20", "genmove b").startswith("= \n\n= ")
    assert talk.game.simulations == 20
    assert talk("selfplay-simulations 0").startswith("? ")


@pytest.mark.parametrize("line", ["kata-analyze b 1", "lz-analyze 1", "kata-analyze 1 ownership true"])
def test_an_analysis_streams_until_the_next_line(line: str) -> None:
    talk = go()
    talk(f"7 {line}")
    told = talk.until("info move")
    assert told.startswith("=7\ninfo move ")
    after = talk("8 name")
    assert after == "\n=8 selfplay\n\n" or after.endswith("\n\n=8 selfplay\n\n")
    block = "".join(talk.said)
    number = r"-?\d+(\.\d+)?"
    pattern = rf"info move \S+ visits \d+ utility {number} winrate {number} prior {number} order \d+ pv"
    pattern += r"( (?!info)\S+)+"
    first = block.split("\n")[1]
    assert re.fullmatch(f"{pattern}( {pattern})*", first)
    assert 0 < sum(map(int, re.findall(r"visits (\d+)", first))) <= 16


def test_whatever_is_typed_the_engine_answers_on() -> None:
    said = served(Gtp, "go-5", b"".join([*hostile_lines(), b"1 name\n"]))
    assert said.endswith("=1 selfplay\n\n")
    assert said.count("?") >= 4


def test_the_input_may_end_in_the_middle_of_an_analysis() -> None:
    assert served(Gtp, "go-5", b"kata-analyze 1\n").startswith("=\n")
    assert served(Gtp, "go-5", b"quit\nname\n") == "= \n\n"


def test_a_match_through_a_gtp_client_is_played_to_its_end() -> None:
    """Our engine as a process of its own; the client refuses every illegal move and every wrong form."""
    variant = games.load("go-5")
    command = f"{sys.executable} -m selfplay engine gtp --variant go-5 --agent mcts:8"
    engine = GtpContestant(command, variant, timeout=200.0, processes=1)
    try:
        assert engine.name == f"selfplay {__version__}"
        openings = draw_openings(variant, 1, seed=1).positions
        result = play_match(engine, Player.load("random"), openings)
    finally:
        engine.close()
    assert len(result.games) == 2
    assert not any(result.forfeits)
    assert result.points > 0.5
