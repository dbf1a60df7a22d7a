"""The exact solver against plain minimax over `Position`, and against other people's solvers."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import games
from games.position import Position
from games.solver import SolveProgress, Solver
from games.variant import Variant
from tests.games.drawings import played, variant
from tests.games.strategies import variants

pytestmark = pytest.mark.kernels

SLOW = bool(os.environ.get("SELFPLAY_SLOW"))
"""Set by `make verify`."""

EXAMPLES = int(os.environ.get("SELFPLAY_EXAMPLES", "50"))
"""Random games of random variants."""

MOST_POSITIONS = 800
"""What plain minimax may look at in one test."""

SMALL = {
    "lines": "board = { rows = 3, columns = 3 }\nend = { line = 3 }",
    "misère": "board = { rows = 3, columns = 3 }\nend = { line = 3, misere = true }",
    "torus": "board = { rows = 3, columns = 3, wrap = 'both' }\nend = { line = 3 }",
    "exact lines": "board = { rows = 2, columns = 5 }\nend = { line = 3, exact = true }",
    "drop": "board = { rows = 3, columns = 4 }\nmove = { kind = 'drop' }\nend = { line = 3 }",
    "drop sideways": """
        board = { rows = 3, columns = 4, holes = ['b2'] }
        move = { kind = 'drop', gravity = 'left' }
        end = { line = 3 }
        """,
    "two stones a turn": """
        board = { rows = 3, columns = 4 }
        turn = { stones = 2, first_stones = 1 }
        end = { line = 3 }
        """,
    "swap": "board = { rows = 2, columns = 4 }\nturn = { swap = true }\nend = { line = 3 }",
    "two stones, then swap": """
        board = { rows = 3, columns = 3 }
        turn = { first_stones = 2, swap = true }
        end = { line = 3, misere = true }
        """,
    "ply cap": "board = { rows = 3, columns = 4 }\nend = { line = 3, ply_cap = 6 }",
    "lines that differ": "board = { rows = 3, columns = 3 }\nend = { line = { first = 3, second = 2 } }",
    "othello": """
        board = { rows = 4, columns = 4, setup = { pattern = 'centre' } }
        move = { must_flip = true }
        turn = { passing = 'stuck' }
        effect = { flip = true }
        end = { count = 'stones' }
        """,
    "othello, lines": """
        board = { rows = 3, columns = 4, wrap = 'columns', setup = { first = ['b2'], second = ['c2'] } }
        effect = { flip = true }
        turn = { passing = 'stuck' }
        end = { count = 'stones', line = 4 }
        """,
    "hex": """
        board = { rows = 3, columns = 3, cells = 'hex' }
        end = { connect = { first = ['top', 'bottom'], second = ['left', 'right'] } }
        """,
    "no capture": """
        board = { rows = 3, columns = 3 }
        move = { keeps_liberty = true, captures_nothing = true }
        end = { stuck = 'loses' }
        """,
    "domineering": "board = { rows = 4, columns = 3 }\nmove = { domino = true }\nend = { stuck = 'wins' }",
    "clobber": """
        board = { rows = 3, columns = 4, setup = { pattern = 'checkerboard' } }
        move = { kind = 'step', to_enemy = ['orthogonal'] }
        end = { stuck = 'loses' }
        """,
    "breakthrough": """
        board = { rows = 4, columns = 3, setup = { pattern = 'rows', depth = 1 } }
        move = { kind = 'step', to_empty = ['forward', 'forward-diagonal'], to_enemy = ['forward-diagonal'] }
        end = { reach = { first = 'top', second = 'bottom' }, eliminate = true, stuck = 'loses' }
        """,
    "jumps straight on": """
        board = { rows = 4, columns = 4, setup = { pattern = 'checkerboard', empty = ['a1', 'b1'] } }
        move = { kind = 'step', over_enemy = ['orthogonal'], chain = 'straight' }
        end = { stuck = 'loses' }
        """,
    "jumps": """
        board = { rows = 4, columns = 4, setup = { first = ['a1', 'b1'], second = ['c4', 'd4'] } }
        move.kind = 'step'
        move.to_empty = ['orthogonal']
        move.over_enemy = ['all']
        move.chain = 'any'
        move.must_jump = true
        end = { eliminate = true, stuck = 'loses', ply_cap = 10 }
        """,
    "shots": """
        board = { rows = 3, columns = 3, setup = { first = ['a1'], second = ['c3'] } }
        move = { kind = 'slide', to_empty = ['all'], shoot = true }
        end = { stuck = 'loses' }
        """,
    "clones": """
        board = { rows = 3, columns = 4, setup = { pattern = 'corners' }, adjacent = 8 }
        move = { kind = 'clone' }
        turn = { passing = 'stuck' }
        effect = { infect = true }
        end = { count = 'stones', eliminate = true, ply_cap = 12 }
        """,
    "go with ko": """
        board = { rows = 2, columns = 4 }
        move = { keeps_liberty = true }
        turn = { passing = 'always', repeat = 'ko' }
        effect = { surround = true }
        end = { count = 'area', komi = 0.5, ply_cap = 12 }
        """,
    "go with superko": """
        board = { rows = 2, columns = 3 }
        move = { keeps_liberty = true }
        turn = { passing = 'always', repeat = 'superko' }
        effect = { surround = true }
        end = { count = 'area', ply_cap = 14 }
        """,
    "captured pairs": """
        board = { rows = 3, columns = 4, wrap = 'rows' }
        effect = { take_enclosed = 1 }
        end = { line = 3, capture = 2, ply_cap = 11 }
        """,
}
"""Every rule that a key has to tell apart, on boards that plain minimax can finish."""


class TooLarge(Exception):
    """Plain minimax would take too long."""


def minimax(position: Position) -> int:
    """Value for seat 0, by looking at everything."""
    looked = 0

    def value(here: Position) -> int:
        nonlocal looked
        looked += 1
        if looked > MOST_POSITIONS:
            raise TooLarge
        if here.is_over:
            return here.returns[0]
        answers = (value(here.play(action)) for action in here.legal_actions)
        return max(answers) if here.to_play == 0 else min(answers)

    return value(position)


def walk(start: Position, choices: list[int]) -> list[Position]:
    """A game that takes the given choices, as long as it goes on."""
    game = [start]
    for choice in choices:
        legal = game[-1].legal_actions
        if len(legal) == 0:
            break
        game.append(game[-1].play(legal[choice % len(legal)]))
    return game


def check_end_of_game(game: list[Position]) -> None:
    """Go back from the end of a game as far as minimax can follow; solver and minimax agree all the way."""
    solver = Solver(game[0].variant, memory=16)
    for position in reversed(game):
        try:
            expected = minimax(position)
        except TooLarge:
            return
        assert solver.value(position) == (expected if position.to_play == 0 else -expected), str(position)


CHOICES = st.lists(st.integers(0, 1 << 16), min_size=60, max_size=60)


@pytest.mark.parametrize("name", SMALL)
@settings(max_examples=10)
@given(choices=CHOICES)
def test_ends_of_games_have_the_value_that_minimax_finds(name: str, choices: list[int]) -> None:
    check_end_of_game(walk(games.start(variant(SMALL[name])), choices))


@settings(max_examples=EXAMPLES)
@given(rules=variants(), choices=CHOICES)
def test_ends_of_games_of_any_variant(rules: Variant, choices: list[int]) -> None:
    try:
        start = games.start(rules)
    except games.VariantError:
        assume(False)
    check_end_of_game(walk(start, choices))


def test_every_action_has_its_value() -> None:
    """x wins with b3 only; a2 and a1 lose to b3, c3 blocks nothing either."""
    position = played(variant(SMALL["lines"]), "b2 a3 b1 c3")
    values = {position.action_text(action): value for action, value in games.solve_actions(position).items()}
    assert values == {"b3": 1, "a2": -1, "c2": -1, "a1": -1, "c1": -1}
    assert games.solve(position) == 1


@pytest.mark.parametrize("name", SMALL)
@settings(max_examples=5)
@given(choices=CHOICES)
def test_the_end_of_a_game_is_solved_back_as_far_as_nodes_reach(name: str, choices: list[int]) -> None:
    solver = Solver(variant(SMALL[name]), memory=16)
    game = walk(games.start(solver.variant), choices)
    actions, firsts = np.array(game[-1].actions, np.int16), []
    for nodes in (1, 100, 20_000):
        first, values, best, choices = solver.solve_end(actions, nodes=nodes)
        firsts.append(first)
        for ply in range(max(first, len(actions) - 8), len(actions)):
            expected = solver.action_values(game[ply])
            assert values[ply] == max(expected.values())
            assert choices[ply] == len(expected)
            assert np.flatnonzero(best[ply]).tolist() == [a for a, v in expected.items() if v == values[ply]]
    assert firsts == sorted(firsts, reverse=True)


@pytest.mark.parametrize("name", SMALL)
@settings(max_examples=5)
@given(choices=CHOICES)
def test_the_best_actions_of_a_position_are_all_known_or_none(name: str, choices: list[int]) -> None:
    solver = Solver(variant(SMALL[name]), memory=16)
    for position in walk(games.start(solver.variant), choices)[-8:]:
        expected = solver.action_values(position)
        found = solver.best_actions(position, nodes=1_000_000)
        if position.is_over:
            assert found is None
            continue
        assert found is not None
        value_to_play, best = found
        assert value_to_play == max(expected.values())
        assert np.flatnonzero(best).tolist() == [a for a, v in expected.items() if v == value_to_play]


def test_best_actions_don_t_depend_on_what_was_solved_before() -> None:
    position = played(variant(SMALL["lines"]), "b2")
    solver = Solver(position.variant, memory=16)
    before = solver.nodes
    assert solver.best_actions(position, nodes=100_000) is not None
    needed = solver.nodes - before
    for nodes, is_known in ((needed - 1, False), (needed + 1, True)):
        assert (solver.best_actions(position, nodes=nodes) is not None) is is_known
    with pytest.raises(ValueError, match="expected a position of connect4, got"):
        Solver(games.load("connect4"), memory=1).best_actions(position, nodes=1)


def test_a_solver_that_forgot_visits_the_same_positions_again() -> None:
    position = played(variant(SMALL["lines"]), "b2")
    solver, visited = Solver(position.variant, memory=16), []
    for _ in range(2):
        before = solver.nodes
        solver.value(position)
        visited.append(solver.nodes - before)
        before = solver.nodes
        solver.value(position)
        assert solver.nodes - before < visited[-1]
        solver.forget()
    assert visited[0] == visited[1] > 0


def test_a_finished_game_has_its_result_and_no_actions() -> None:
    position = played(variant(SMALL["lines"]), "b2 a3 b1 c3 b3")
    assert position.is_over
    assert games.solve(position) == position.returns[position.to_play]
    assert games.solve_actions(position) == {}


def test_the_swap_takes_a_won_opening() -> None:
    """On 3x4 the first player wins, so whoever may swap after a good opening does."""
    rules = variant("board = { rows = 3, columns = 4 }\nturn = { swap = true }\nend = { line = 3 }")
    position = played(rules, "b2")
    assert games.solve_actions(position)[position.parse_action("swap")] == 1
    assert games.solve(position) == 1


def test_a_node_limit_ends_with_one_line() -> None:
    start = games.start(games.load("connect4"))
    with pytest.raises(
        games.SolveLimitError, match=r"connect4 after 0 actions: expected .* 1,000 nodes"
    ) as caught:
        games.solve(start, nodes=1000)
    assert "\n" not in str(caught.value)


def test_a_time_limit_ends_with_one_line() -> None:
    with pytest.raises(games.SolveLimitError, match=r"within 0\.05 s"):
        games.solve(games.start(games.load("gomoku")), seconds=0.05)


def test_progress_is_told_and_nodes_are_counted() -> None:
    told: list[SolveProgress] = []
    solver = Solver(variant(SMALL["two stones a turn"]), memory=1, progress=told.append)
    solver.value(games.start(solver.variant))
    assert told[-1].nodes == solver.nodes > 0
    assert 0 < told[-1].fill <= 1


def test_it_visits_the_same_positions_every_time() -> None:
    start = games.start(
        variant("board = { rows = 4, columns = 4 }\nmove = { kind = 'drop' }\nend = { line = 4 }")
    )
    counts = set()
    for _ in range(2):
        solver = Solver(start.variant)
        solver.value(start)
        counts.add(solver.nodes)
    assert len(counts) == 1


def test_a_table_that_is_much_too_small_is_right_all_the_same() -> None:
    """4x5 visits some 70,000 positions; then the table grows from its first size and overflows."""
    rules = variant("board = { rows = 4, columns = 5 }\nmove = { kind = 'drop' }\nend = { line = 4 }")
    solver = Solver(rules, memory=1)
    solver._search = solver._search._replace(table=solver._search.table[:512])
    solver._search.registers[3] = 3
    assert solver.value(games.start(rules)) == 0


def test_memory_is_checked() -> None:
    with pytest.raises(ValueError, match="at least 1 MiB, got 0"):
        Solver(games.load("tictactoe"), memory=0)


def test_another_variant_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a position of tictactoe, got connect4"):
        Solver(games.load("tictactoe")).value(games.start(games.load("connect4")))


@cache
def solved_elsewhere() -> dict[str, list[dict[str, Any]]]:
    """Positions on boards of other sizes from another solver's tests, by stage of the game."""
    path = Path(__file__).parents[1] / "golden" / "connect4_sizes.jsonl"
    rows: dict[str, list[dict[str, Any]]] = {}
    for line in path.read_text().splitlines():
        row = json.loads(line)
        rows.setdefault(row["stage"], []).append(row)
    return rows


@cache
def connect_four(rows: int, columns: int) -> Solver:
    rules = (
        f"board = {{ rows = {rows}, columns = {columns} }}\nmove = {{ kind = 'drop' }}\nend = {{ line = 4 }}"
    )
    return Solver(variant(rules), memory=64)


def check_stage(stage: str, *, every: int, nodes: int) -> int:
    """Hold the solver against every so many rows of a stage; how many were solved within `nodes`."""
    solved = 0
    for row in solved_elsewhere()[stage][::every]:
        solver = connect_four(row["rows"], row["columns"])
        moves = " ".join("abcdefghij"[int(column)] for column in row["moves"])
        try:
            value = solver.value(played(solver.variant, moves), nodes=nodes)
        except games.SolveLimitError:
            continue
        assert value == (row["score"] > 0) - (row["score"] < 0), row
        solved += 1
    return solved


def test_ends_of_connect_four_agree_with_another_solver() -> None:
    assert check_stage("endgame_L1", every=1, nodes=1_000_000) == 180


if SLOW:

    @pytest.mark.parametrize("stage", ["midgame_L1", "midgame_L2"])
    def test_most_middles_of_connect_four_agree_with_another_solver(stage: str) -> None:
        """Those that take more than some seconds are passed over."""
        assert check_stage(stage, every=3, nodes=5_000_000) >= 45
