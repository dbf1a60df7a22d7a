"""Plain search against itself: what it must find, what it must draw, and what a playtest counts."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import games
from games import playtest as module
from games.playtest import Playtest, degenerate, playtest, results_of, think
from games.position import Position
from tests.games.drawings import played, variant

pytestmark = pytest.mark.kernels

STEPPING = """
board = { rows = 5, columns = 4, setup = { pattern = "rows", depth = 1 } }
move = { kind = "step", to_empty = ["forward", "forward-diagonal"], to_enemy = ["forward-diagonal"] }
end = { reach = { first = "top", second = "bottom" }, stuck = "loses" }
"""


def minimax(position: Position) -> int:
    """Value for seat 0, by nothing but looking at every game."""
    known: dict[bytes, int] = {}

    def value(here: Position) -> int:
        if here.is_over:
            return here.returns[0]
        key = here.state.cells.tobytes() + here.state.info.tobytes()
        if key not in known:
            answers = [value(here.play(action)) for action in here.legal_actions]
            known[key] = max(answers) if here.to_play == 0 else min(answers)
        return known[key]

    return value(position)


# --- the search ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "moves", "win"),
    [
        ("tictactoe", "a1 a2 b1 c3", "c1"),
        ("tictactoe", "a1 b2 a3 a2 c3", "c2"),
        ("connect4", "a b a b a b", "a4"),
        ("connect4", "a b a b c b c", "b4"),
        ("connect6-9x9", "a1 a9 b9 c1 d1 c9 d9 e1 g7 e9", "f9"),
    ],
)
def test_a_win_in_one_is_found(name: str, moves: str, win: str) -> None:
    position = played(games.load(name), moves)
    thought = think(position, simulations=1000)
    assert position.action_text(thought.action) == win
    assert thought.values[thought.action] == 1.0


def test_two_stones_in_one_turn_are_seen_as_one_player() -> None:
    """The same seat acts twice: with two stones in line and two to place, the line of four is made now."""
    rules = variant(
        "board = { rows = 4, columns = 4 }\nturn = { stones = 2, first_stones = 1 }\nend = { line = 4 }"
    )
    position = played(rules, "d4 a1 b1 d3 c3")
    for _ in range(2):
        position = position.play(think(position, simulations=2000).action)
    assert position.returns == (-1, 1)


def test_a_move_that_loses_at_once_is_avoided_in_misere() -> None:
    position = played(games.load("tictactoe-misere"), "a1 b2 b1 c3 a2 b3")
    loses = {position.parse_action(text) for text in ("c1", "a3")}
    assert think(position, simulations=500).action not in loses


@pytest.mark.parametrize("name", ["tictactoe", "tictactoe-misere", "tictactoe-torus"])
@pytest.mark.parametrize("seed", range(6))
def test_late_positions_are_played_as_minimax_says(name: str, seed: int) -> None:
    position = games.start(games.load(name))
    random = np.random.default_rng(seed)
    for _ in range(3):
        position = position.play(int(random.choice(position.legal_actions)))
    thought = think(position, simulations=20_000, seed=seed)
    assert minimax(position.play(thought.action)) == minimax(position)


def test_root_values_approach_minimax() -> None:
    """At many simulations nearly all visits go to best replies, so the best move's mean is near its value."""
    position = played(games.load("tictactoe"), "b2 b1")  # an edge answer to the centre loses
    thought = think(position, simulations=50_000)
    assert minimax(position) == 1
    assert thought.values[thought.action] > 0.9


def test_only_legal_moves_have_visits() -> None:
    position = played(games.load("connect4"), "a a a a a a")
    thought = think(position, simulations=70)
    assert list(thought.visits) == position.legal_actions.tolist()
    assert sum(thought.visits.values()) == 70


# --- strength -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["connect4", "mnk-5-5-4", "othello-6x6"])
def test_search_beats_random_play_with_either_colour(name: str) -> None:
    assert playtest(games.load(name), games=20, simulations=(150, 0)).first_share > 0.9
    assert playtest(games.load(name), games=20, simulations=(0, 150)).first_share < 0.1


def test_more_simulations_beat_fewer() -> None:
    assert playtest(games.load("connect4"), games=20, simulations=(400, 20)).first_share > 0.75
    assert playtest(games.load("connect4"), games=20, simulations=(20, 400)).first_share < 0.25


def test_tictactoe_is_mostly_drawn_by_good_players() -> None:
    """Its value is a draw; so is misère's from the centre, the first player's only opening that draws."""
    assert playtest(games.load("tictactoe"), games=20, simulations=3000).draws > 0.8
    centre = played(games.load("tictactoe-misere"), "b2")
    thought = think(centre, simulations=30_000)
    assert abs(thought.values[thought.action]) < 0.2


# --- what is counted ----------------------------------------------------------------------------------------


def test_a_game_of_fixed_length_is_counted_exactly() -> None:
    """On nine cells the first places five stones and has more; 9, 8, ... 1 cells to choose from."""
    seen = playtest(variant("board = { rows = 3, columns = 3 }\nend = { count = 'stones' }"), games=4)
    assert seen == Playtest(
        games=4,
        simulations=(200, 200),
        first_share=1.0,
        draws=0.0,
        capped=0.0,
        actions=9.0,
        shortest_actions=9,
        longest_actions=9,
        moves=9.0,
        shortest_moves=9,
        longest_moves=9,
        branching=5.0,
    )


def test_a_step_is_one_move_of_two_actions() -> None:
    seen = playtest(variant(STEPPING), games=10, simulations=20)
    assert seen.actions == 2 * seen.moves
    assert seen.shortest_actions == 2 * seen.shortest_moves


def test_a_swap_is_a_move() -> None:
    rules = variant("board = { rows = 3, columns = 3 }\nturn = { swap = true }\nend = { line = 3 }")
    results = results_of(rules, 30, (0, 0), seed=0)
    assert (results[:, module.ACTIONS] == results[:, module.MOVES]).all()
    assert results[:, module.ACTIONS].max() == 10


def test_each_stone_of_a_turn_is_a_move() -> None:
    results = results_of(games.load("connect6-9x9"), 5, (0, 0), seed=0)
    assert (results[:, module.ACTIONS] == results[:, module.MOVES]).all()


def test_the_ply_cap_is_told_from_a_full_board() -> None:
    assert playtest(games.load("tictactoe"), games=10, simulations=2000).capped == 0.0
    seen = playtest(variant("board = { rows = 3, columns = 3 }\nend = { line = 3, ply_cap = 4 }"), games=5)
    assert (seen.capped, seen.draws, seen.longest_actions) == (1.0, 1.0, 4)


def test_points_are_the_first_seats() -> None:
    rules = variant("board = { rows = 3, columns = 3 }\nend = { count = 'stones', misere = true }")
    assert playtest(rules, games=3, simulations=0).first_share == 0.0


# --- determinism --------------------------------------------------------------------------------------------


def test_the_seed_decides_everything() -> None:
    connect4 = games.load("connect4")
    first = results_of(connect4, 6, (30, 30), seed=1)
    assert np.array_equal(first, results_of(connect4, 6, (30, 30), seed=1))
    assert not np.array_equal(first, results_of(connect4, 6, (30, 30), seed=2))


def test_slices_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    connect4 = games.load("connect4")
    whole = results_of(connect4, 4, (30, 30), seed=1)
    monkeypatch.setattr(module, "SLICE", 1)
    finished: list[int] = []
    sliced = results_of(connect4, 4, (30, 30), seed=1, progress=finished.append)
    assert np.array_equal(whole, sliced)
    assert finished == [1, 1, 1, 1]


def test_more_games_begin_with_the_same_ones() -> None:
    connect4 = games.load("connect4")
    few = results_of(connect4, 3, (30, 30), seed=5)
    assert np.array_equal(few, results_of(connect4, 6, (30, 30), seed=5)[:3])


# --- judgement ----------------------------------------------------------------------------------------------


@cache
def seen_of(text: str) -> Playtest:
    return playtest(variant(text), games=24, simulations=100)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("board = { rows = 5, columns = 5 }\nend = { line = 2 }", "too short"),
        ("board = { rows = 5, columns = 5 }\nend = { line = 5 }", "always drawn"),
        ("board = { rows = 5, columns = 5 }\nend = { count = 'stones' }", "first always wins"),
        (
            "board = { rows = 5, columns = 5 }\nend = { count = 'stones', misere = true }",
            "second always wins",
        ),
        ("board = { rows = 9, columns = 1 }\nmove = { kind = 'drop' }\nend = { line = 2 }", "no choice"),
        (
            """
            board = { rows = 6, columns = 6, setup = { pattern = "corners" } }
            move = { kind = "slide", to_empty = ["all"] }
            end = { stuck = "loses", ply_cap = 40 }
            """,
            "ply cap",
        ),
    ],
)
def test_degenerate_variants_are_named(text: str, reason: str) -> None:
    assert degenerate(seen_of(text)) == reason


@pytest.mark.parametrize("name", ["connect4", "mnk-5-5-4", "othello-6x6"])
def test_played_games_are_not_degenerate(name: str) -> None:
    assert degenerate(playtest(games.load(name), games=24, simulations=100)) is None


def test_random_players_alone_refuse_only_the_hopeless() -> None:
    """Random tic-tac-toe is rarely drawn, which says little; a board that nobody can win says all."""
    assert degenerate(playtest(games.load("tictactoe"), games=32, simulations=0)) is None
    drawn = variant("board = { rows = 2, columns = 6 }\nend = { line = 6 }")
    assert degenerate(playtest(drawn, games=32, simulations=0)) == "always drawn"


# --- refusals -----------------------------------------------------------------------------------------------


def test_what_can_not_be_played_is_refused() -> None:
    tictactoe = games.load("tictactoe")
    with pytest.raises(games.UserError, match="games: expected at least 1, got 0"):
        playtest(tictactoe, games=0)
    with pytest.raises(games.UserError, match="simulations: expected at least 0, got -1"):
        playtest(tictactoe, simulations=(5, -1))
    with pytest.raises(games.UserError, match="at least 1 simulation"):
        think(games.start(tictactoe), simulations=0)
    stuck = variant("board = { rows = 1, columns = 5 }\nmove = { domino = true }\nend = { stuck = 'loses' }")
    with pytest.raises(games.VariantError, match="expected a first move"):
        playtest(stuck)
