"""Perfect play, held against values that were published and against random play."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import games
from games import Position, Variant
from games.solver import Solver
from selfplay import Player
from selfplay.match import Contestant, Forfeit
from selfplay.opponents.solver import SolverContestant
from tests.selfplay.opponents.playing import after_random_actions

TICTACTOE = games.load("tictactoe")
FIRST_PLAYERS = {"first": 1, "draw": 0, "second": -1}


def mnk(rows: int, columns: int, line: int, *, misere: bool = False) -> Variant:
    rules = {"board": {"rows": rows, "columns": columns}, "end": {"line": line, "misere": misere}}
    return Variant.from_dict({"name": f"{rows}x{columns}", **rules}, where="test")


def drop(rows: int, columns: int) -> Variant:
    rules = {
        "board": {"rows": rows, "columns": columns},
        "move": {"kind": "drop"},
        "end": {"line": 4},
    }
    return Variant.from_dict({"name": f"drop {rows}x{columns}", **rules}, where="test")


def played_out(position: Position, *seats: Contestant | Player) -> Position:
    """The end of a game; seats: who plays seat 0 and seat 1."""
    while not position.is_over:
        (action,) = seats[position.to_play].choose_many([position])
        assert not isinstance(action, Forfeit), action
        position = position.play(action)
    return position


@pytest.mark.parametrize("row", range(4))
def test_two_solvers_reach_the_published_value_of_a_line_game(golden: Path, row: int) -> None:
    published = json.loads((golden / "theory.json").read_text())["rows"][row]
    rules = mnk(published["rows"], published["columns"], published["line"])
    first, second = (SolverContestant(rules, seed=seed) for seed in (1, 2))
    for _ in range(3):
        assert played_out(games.start(rules), first, second).returns[0] == FIRST_PLAYERS[published["value"]]


@pytest.mark.parametrize("size", ["4x4", "4x5", "4x6", "5x4", "5x5"])
def test_two_solvers_reach_the_published_value_of_connect_four(golden: Path, size: str) -> None:
    rows = json.loads((golden / "theory.json").read_text())["rows"]
    (published,) = [row for row in rows if row["game"] == "connect four"]
    rules = drop(*map(int, size.split("x")))
    first, second = (SolverContestant(rules, seed=seed) for seed in (1, 2))
    value = FIRST_PLAYERS[published["by_rows_columns"][size]]
    assert played_out(games.start(rules), first, second).returns[0] == value


@pytest.mark.parametrize("name", ["tictactoe-misere", "connect3-4x4", "hexapawn-4x4", "othello-4x4", "hex-4"])
def test_it_gets_at_least_what_a_position_is_worth_against_random_play(name: str) -> None:
    rules, random = games.load(name), np.random.default_rng(3)
    truth, solver, opponent = Solver(rules), SolverContestant(rules, seed=1), Player.load("random", seed=2)
    for game in range(20):
        position = after_random_actions(rules, game % 4, random)
        assert position is not None
        seats = (solver, opponent) if position.to_play == 0 else (opponent, solver)
        mover = position.to_play
        assert played_out(position, *seats).returns[mover] >= truth.value(position)


def test_a_position_that_takes_too_long_is_forfeited() -> None:
    rules = games.load("gomoku")
    solver = SolverContestant(rules, seconds=0.05, memory=64)
    assert solver.choose_many([games.start(rules)]) == [Forfeit("not solved within 0.05 s")]


def test_the_others_are_answered_all_the_same() -> None:
    """gomoku-9x9 from the start and one stone before a line."""
    rules = games.load("gomoku-9x9")
    easy = games.start(rules)
    for move in ("a1", "a9", "b1", "b9", "c1", "c9", "d1", "i9"):
        easy = easy.play_text(move)
    solver = SolverContestant(rules, seconds=5.0, memory=64)
    hard, answer = solver.choose_many([games.start(rules), easy])
    assert isinstance(hard, Forfeit)
    assert answer == easy.parse_action("e1")


def test_the_seed_draws_among_the_actions_that_keep_the_value() -> None:
    """Every opening of tic-tac-toe draws."""
    starts = [games.start(TICTACTOE)] * 60
    chosen = SolverContestant(TICTACTOE, seed=1).choose_many(starts)
    assert set(chosen) == set(range(9))
    assert chosen == SolverContestant(TICTACTOE, seed=1).choose_many(starts)


def test_positions_of_another_variant_are_refused() -> None:
    with pytest.raises(games.AgentError, match="expected a position of tictactoe, got connect4"):
        SolverContestant(TICTACTOE).choose_many([games.start(games.load("connect4"))])


@pytest.mark.parametrize(("seconds", "memory"), [(0.0, 64), (1.0, 0)])
def test_limits_that_make_no_sense_are_refused(seconds: float, memory: int) -> None:
    with pytest.raises(games.AgentError, match="expected more than 0 s and at least 1 MiB"):
        SolverContestant(TICTACTOE, seconds=seconds, memory=memory)
