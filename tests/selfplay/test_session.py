"""The game without a screen: back and forth, seats, clocks, results, chances, files."""

from __future__ import annotations

from pathlib import Path

import pytest

import games
from games import MoveError, UserError
from mcts import LOSS, UNPROVEN, WIN
from selfplay.clock import Clock, TimeControl
from selfplay.levels import LEVELS, at_level, level
from selfplay.player import Player
from selfplay.session import Result, Session
from selfplay.telling import line_text, proven
from tests.games.drawings import played

CONNECT4 = games.load("connect4")
RANDOM = Player.load("random")


class Time:
    """Seconds that go by when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def moves(session: Session) -> str:
    return line_text(games.beginning(session.position), session.position.actions)


def after(session: Session, text: str) -> Session:
    for move in text.split():
        session.play_text(move)
    return session


def test_people_take_back_one_move_and_play_it_again() -> None:
    session = after(Session(CONNECT4), "d c")
    assert session.undo()
    assert moves(session) == "d1"
    assert session.redo()
    assert moves(session) == "d1 c1"
    assert not session.redo()
    assert session.undo()
    after(session, "a")
    assert not session.redo(), "what was played since replaces what was taken back"


def test_a_person_takes_back_the_agents_answer_as_well() -> None:
    session = after(Session(CONNECT4, (None, RANDOM)), "d c a b")
    assert session.undo()
    assert moves(session) == "d1 c1"
    assert session.redo()
    assert moves(session) == "d1 c1 a1 b1"
    assert session.undo()
    assert session.undo()
    assert not session.undo()


def test_a_whole_move_is_taken_back_and_half_of_one_is_given_up() -> None:
    session = Session(games.load("breakthrough-5x5"))
    after(session, "a2-a3 b4-b3 a3")
    assert session.position.is_half_made
    session.undo()
    assert moves(session) == "a2-a3 b4-b3"
    session.undo()
    assert moves(session) == "a2-a3"
    session.redo()
    assert moves(session) == "a2-a3 b4-b3"


def test_a_move_is_played_whole_or_not_at_all() -> None:
    session = Session(games.load("breakthrough-5x5"))
    with pytest.raises(MoveError):
        session.play_text("a2-a5")
    assert session.position.actions == ()


def test_seats() -> None:
    session = Session(CONNECT4, (None, RANDOM))
    assert (session.people, session.agent_to_move) == ([0], None)
    session.swap_sides()
    assert (session.people, session.agent_to_move, session.names) == ([1], RANDOM, ("random", "me"))
    session.seat(0, None)
    assert session.people == [0, 1]


def test_who_resigns_has_lost_until_it_is_taken_back() -> None:
    session = after(Session(CONNECT4), "d")
    session.resign(1)
    assert session.result == Result(0, "resignation")
    with pytest.raises(MoveError, match="connect4: the game is over"):
        session.play_text("d")
    assert session.undo()
    assert session.result is None
    assert moves(session) == "d1"


def test_the_board_decides() -> None:
    assert after(Session(CONNECT4), "a b a b a b a").result == Result(0, "board")
    assert after(Session(games.load("tictactoe")), "a1 b1 c1 a2 b2 c2 b3 a3 c3").result is not None


def test_a_clock_counts_down_for_the_seat_to_move_and_adds_the_increment() -> None:
    now = Time()
    session = Session(CONNECT4, control=TimeControl(60, 5), now=now)
    session.tick()
    now.now = 10
    assert (session.clock.left(0), session.clock.left(1)) == (50, 60)
    session.play_text("d")
    session.tick()
    now.now = 13
    assert (session.clock.left(0), session.clock.left(1)) == (55, 57)
    session.tick(paused=True)
    now.now = 100
    assert session.clock.left(1) == 57
    assert session.seconds_for_move(1) == 57 / 30 + 4


def test_a_flag_that_falls_loses() -> None:
    now = Time()
    session = Session(CONNECT4, control=TimeControl(60), now=now)
    session.tick()
    now.now = 61
    session.tick()
    assert session.result == Result(1, "time")
    assert session.undo(), "one may go on without clocks"
    session.play_text("d")
    assert session.result is None


def test_without_a_time_control_clocks_count_up() -> None:
    now = Time()
    clock = Clock(None, now)
    clock.run(0)
    now.now = 3725
    assert clock.text(0) == "1:02:05"
    assert clock.text(1) == "0:00"
    assert clock.flagged() is None


@pytest.mark.parametrize(("text", "control"), [("5", (300, 0)), ("0.5+2", (30, 2)), ("3+0.5", (180, 0.5))])
def test_time_controls_are_minutes_and_seconds(text: str, control: tuple[float, float]) -> None:
    assert TimeControl.parse(text) == control


@pytest.mark.parametrize("text", ["", "0", "-1", "five", "5+x", "nan", "inf", "5+-1", "1e9"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"such as 5 or 5\+3"):
        TimeControl.parse(text)


def test_values_are_those_of_the_first_seat_and_come_back_with_the_moves() -> None:
    session = Session(games.load("tictactoe"))
    session.note_value(session.position, 0.5)
    session.play_text("a1")
    session.note_value(session.position, 0.25)
    assert session.values_of_first() == [0.5, -0.25]
    session.undo()
    assert session.values_of_first() == [0.5]
    session.redo()
    assert session.values_of_first() == [0.5, -0.25]
    after(session, "a2 b1 b2 c1")
    assert session.values_of_first() == [0.5, -0.25, None, None, None, 1.0]


def test_a_game_of_any_variant_is_loaded(tmp_path: Path) -> None:
    after(Session(games.load("hex-5")), "a1 b2 c3").save(tmp_path / "game.toml")
    session = Session(CONNECT4)
    session.load(tmp_path / "game.toml")
    assert session.variant.name == "hex-5"
    assert moves(session) == "a1 b2 c3"
    assert session.undo()


def test_a_position_that_was_set_up_is_the_beginning() -> None:
    session = Session(CONNECT4)
    session.begin(games.set_up(games.load("tictactoe"), {0: 1, 1: 2}, to_play=0))
    session.play_text("c3")
    session.undo()
    assert not session.undo()
    assert session.position.legal_actions.tolist() == [2, 3, 4, 5, 6, 7, 8]


# --- strength -----------------------------------------------------------------------------------------------


def test_levels_have_names() -> None:
    assert [each.name for each in LEVELS if each.simulations == 0] == ["beginner", "human-like"]
    with pytest.raises(UserError, match=r"expected a level, one of beginner, .* got 'wizard'"):
        level("wizard")


def test_an_agent_without_a_policy_searches_at_every_level() -> None:
    player = Player.load("mcts:50")
    spent = [at_level(player, each).simulations for each in LEVELS]
    assert spent == sorted(spent)
    assert spent[0] > 0
    assert player.simulations == 50, "the agent itself stays as it was"


def test_a_level_draws_from_the_policy(connect4_agent: Path) -> None:
    player = at_level(Player.load(connect4_agent), level("beginner"))
    position = games.start(CONNECT4)
    assert len({player.choose(position) for _ in range(40)}) > 3
    assert player.analyse(position).simulations == 0


# --- what a search says besides -----------------------------------------------------------------------------


def test_a_win_in_one_is_proven_and_ends_the_line() -> None:
    position = played(CONNECT4, "d1 a1 d2 a2 d3 b1")
    analysis = Player.load("mcts:200").analyse(position)
    assert line_text(position, analysis.line) == "d4"
    assert analysis.proven[analysis.action] == WIN
    assert proven(analysis, analysis.action) == "proven win"
    illegal = position.parse_action("a1")
    assert analysis.proven[illegal] == UNPROVEN
    assert analysis.line_after(illegal) == (illegal,)


def test_a_lost_position_is_proven_and_its_line_loses() -> None:
    """x has three in a row with both ends free; whatever o plays, x plays an end."""
    position = played(CONNECT4, "c1 c2 d1 d2 e1")
    analysis = Player.load("mcts:2000").analyse(position)
    legal = position.legal_actions
    assert set(analysis.proven[legal].tolist()) == {LOSS}
    end = position
    for action in analysis.line:
        end = end.play(action)
    assert end.is_over
    assert end.returns == (1, -1)
    assert end.ply == position.ply + 2


def test_every_line_can_be_played() -> None:
    for name in ("breakthrough-5x5", "othello-6x6", "gomoku-swap"):
        position = games.start(games.load(name))
        analysis = Player.load("mcts:300").analyse(position)
        for action in position.legal_actions.tolist():
            here = position
            for step in analysis.line_after(action):
                here = here.play(step)
