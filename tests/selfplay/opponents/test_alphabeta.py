"""Alpha-beta against plain negamax in Python, wins counted by hand, and depth against depth."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable
from itertools import pairwise, product

import numpy as np
import pytest

import games
from games import Position, Variant
from games.alphabeta_kernels import MOST_JUDGED, WON
from games.geometry import OFF
from games.state import COLOUR, copied
from selfplay.match import play_match
from selfplay.openings import draw_openings
from selfplay.opponents.alphabeta import AlphaBetaContestant, judgement_of
from tests.selfplay.opponents.playing import after_random_actions

TICTACTOE = games.load("tictactoe")
CONNECT4 = games.load("connect4")
CROSS, RING = 1, 2

pytestmark = pytest.mark.kernels


def variant(**rules: object) -> Variant:
    return Variant.from_dict({"name": "small", **rules}, where="test")


TWO_A_TURN = variant(
    board={"rows": 4, "columns": 4}, turn={"stones": 2, "first_stones": 1, "swap": True}, end={"line": 3}
)
UNLIKE_LINES = variant(board={"rows": 4, "columns": 4}, end={"line": {"first": 4, "second": 3}})
CAPTURES = variant(
    board={"rows": 4, "columns": 4}, effect={"take_enclosed": 2}, end={"line": 4, "capture": 4}
)


# --- judgements, written once more --------------------------------------------------------------------------


def lead(position: Position) -> int:
    """Stones of x less those of o."""
    cells = position.state.cells[0]
    return int(np.sum(cells == CROSS)) - int(np.sum(cells == RING))


def open_lines(position: Position) -> int:
    """Every straight line on a plain board, looked at cell by cell."""
    rows, columns = position.variant.board.rows, position.variant.board.columns
    board = position.state.cells[0].reshape(rows, columns)
    total = 0
    starts = [(row, column) for row in range(rows) for column in range(columns)]
    for other, length, sign in zip((RING, CROSS), position.variant.lines, (1, -1), strict=True):
        for (row, column), (down, right) in product(starts, ((0, 1), (1, 0), (1, 1), (1, -1))):
            places = [(row + i * down, column + i * right) for i in range(length)]
            if all(0 <= r < rows and 0 <= c < columns for r, c in places):
                line = [int(board[place]) for place in places]
                if other not in line:
                    total += sign * (256_000 // 4 ** line.count(0))
    return total


def more_choice(position: Position) -> int:
    """Actions of x less those of o; none are counted in the middle of a move."""
    if position.is_half_made:
        return 0
    counts = []
    for colour in (0, 1):
        state = copied(position.state)
        state.info[0, COLOUR] = colour
        counts.append(len(Position(position.variant, position.rules, state, ()).legal_actions))
    return counts[0] - counts[1]


def advance(position: Position) -> int:
    """Breakthrough: x wants the top row, o the bottom row."""
    rows, columns = position.variant.board.rows, position.variant.board.columns
    share = 200_000 // (2 * columns if rows > 4 else columns)
    total = 0
    for cell, content in enumerate(position.state.cells[0]):
        row = cell // columns
        if content == CROSS:
            total += int(share * (1 - row / (rows - 1)))
        elif content == RING:
            total -= int(share * (row / (rows - 1)))
    return total


def needed(position: Position, own: int) -> int:
    """Dijkstra from one side of hex to the other; at most 12."""
    sides = position.variant.sides
    source, target = (sides[name] for name in position.variant.connects[own - CROSS])
    content, near = position.state.cells[0], position.variant.neighbors()
    cost = {CROSS: 1000, RING: 1000, own: 0, 0: 1}
    queue, seen = [(cost[int(content[cell])], cell) for cell in source], set()
    heapq.heapify(queue)
    while queue:
        distance, cell = heapq.heappop(queue)
        if cell in target:
            return min(12, distance)
        if cell not in seen:
            seen.add(cell)
            for other in (int(n) for n in near[cell] if n != OFF):
                heapq.heappush(queue, (distance + cost[int(content[other])], other))
    return 12


def area(position: Position) -> int:
    assert position.count_lead is not None
    return int(32_000 * position.count_lead)


JUDGED: dict[str, tuple[Variant, Callable[[Position], int]]] = {
    "lines": (games.load("connect3-4x4"), open_lines),
    "misere": (games.load("tictactoe-misere"), lambda p: -open_lines(p)),
    "two stones a turn, swap": (TWO_A_TURN, open_lines),
    "unlike lines": (UNLIKE_LINES, open_lines),
    "captures": (
        CAPTURES,
        lambda p: 50_000 * lead(p) + open_lines(p) + 100_000 * (p.captured[0] - p.captured[1]),
    ),
    "counted stones": (games.load("othello-4x4"), lambda p: 50_000 * lead(p) + 12_500 * more_choice(p)),
    "area": (games.load("go-5"), area),
    "two choices a move": (
        games.load("breakthrough-5x5"),
        lambda p: 32_000 * lead(p) + advance(p),
    ),
    "stuck loses": (
        games.load("clobber-4x5"),
        lambda p: 40_000 * lead(p) + 10_000 * more_choice(p),
    ),
    "three choices a move": (games.load("amazons-5x5"), lambda p: 8_000 * more_choice(p)),
    "connecting": (games.load("hex-4"), lambda p: 50_000 * (needed(p, RING) - needed(p, CROSS))),
}


def negamax(position: Position, depth: int, judge: Callable[[Position], int], below: int = 0) -> int:
    """The value for the player to move, without any cut."""
    if position.is_over:
        return position.returns[position.to_play] * (WON - below)
    if depth == 0:
        lead_of_first = max(-MOST_JUDGED, min(MOST_JUDGED, judge(position)))
        return lead_of_first if position.colour_to_move == 0 else -lead_of_first
    return max(action_values(position, depth, judge, below).values())


def action_values(
    position: Position, depth: int, judge: Callable[[Position], int], below: int = 0
) -> dict[int, int]:
    values = {}
    for action in position.legal_actions.tolist():
        after = position.play(action)
        value = negamax(after, depth - 1, judge, below + 1)
        values[action] = value if after.to_play == position.to_play else -value
    return values


def some_positions(rules: Variant, number: int) -> Iterable[Position]:
    """Positions of random games, from the first on."""
    random = np.random.default_rng(5)
    for plies in np.linspace(0, 9, number).astype(int):
        position = after_random_actions(rules, int(plies), random)
        if position is None:
            return
        yield position


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("what", JUDGED)
def test_values_and_best_actions_are_those_of_plain_negamax(what: str, depth: int) -> None:
    rules, judge = JUDGED[what]
    few = depth == 3 and rules.board.rows > 4
    contestant = AlphaBetaContestant(depth, rules, threads=1)
    for position in some_positions(rules, 2 if few else 4):
        values = action_values(position, depth, judge)
        found = contestant.look(position)
        assert found.value_to_play == max(values.values()), position
        assert found.best == [action for action, value in values.items() if value == found.value_to_play]
    contestant.close()


# --- wins and losses ----------------------------------------------------------------------------------------


def after(rules: Variant, moves: str) -> Position:
    position = games.start(rules)
    for move in moves.split():
        position = position.play_text(move)
    return position


def look(position: Position, depth: int) -> tuple[int, list[str]]:
    contestant = AlphaBetaContestant(depth, position.variant)
    value, best, _ = contestant.look(position)
    contestant.close()
    return value, [position.action_text(action) for action in best]


def test_a_line_at_once_is_won_one_action_away() -> None:
    """x holds a1 and b1."""
    assert look(after(TICTACTOE, "a1 a3 b1 b3"), 5) == (WON - 1, ["c1"])


def test_a_double_threat_is_won_three_actions_away_and_not_seen_before() -> None:
    """x a1, o b1, x b2, o c3: a2 threatens c2 and a3, a3 threatens a2 and c1."""
    position = after(TICTACTOE, "a1 b1 b2 c3")
    assert look(position, 3) == (WON - 3, ["a3", "a2"])
    assert abs(look(position, 2)[0]) <= MOST_JUDGED


def test_the_later_loss_is_chosen() -> None:
    """x has c1, d1 and e1, open at both ends: o loses anyway, two actions later if it stops one of them."""
    position = after(CONNECT4, "c1 c2 d1 d2")
    assert look(position, 3) == (WON - 3, ["b1", "e1"])
    lost = position.play_text("e1")
    assert look(lost, 4)[0] == -(WON - 2)


def test_a_whole_game_has_the_value_that_is_known() -> None:
    """Tic-tac-toe is drawn, and so is its misère (tests/golden/theory.json)."""
    assert look(games.start(TICTACTOE), 9)[0] == 0
    assert look(games.start(games.load("tictactoe-misere")), 9)[0] == 0


def test_hexapawn_is_lost_for_the_beginner() -> None:
    """Gardner 1962; a move is two choices."""
    value, _ = look(games.start(games.load("hexapawn")), 20)
    assert value < -MOST_JUDGED


@pytest.mark.parametrize(
    ("name", "deep", "shallow"), [("connect4", 4, 1), ("breakthrough-5x5", 6, 2), ("othello-6x6", 4, 1)]
)
def test_deeper_beats_shallower(name: str, deep: int, shallow: int) -> None:
    rules = games.load(name)
    first, second = AlphaBetaContestant(deep, rules), AlphaBetaContestant(shallow, rules)
    result = play_match(first, second, draw_openings(rules, 15, plies=2, seed=7).positions)
    first.close()
    second.close()
    assert result.interval[0] > 0.5


# --- as a contestant ----------------------------------------------------------------------------------------


def choices(positions: list[Position], *, seed: int, threads: int = 2) -> list[int]:
    contestant = AlphaBetaContestant(2, positions[0].variant, seed=seed, threads=threads)
    chosen = contestant.choose_many(positions)
    contestant.close()
    return chosen


def test_the_seed_breaks_ties_and_nothing_else_does() -> None:
    """Dominoes on an empty torus: all cells are alike."""
    positions = [games.start(games.load("domino-torus"))] * 20
    first = choices(positions, seed=1)
    assert first == choices(positions, seed=1, threads=4)
    assert first != choices(positions, seed=2)
    assert len(set(first)) > 10


def test_its_name_says_the_depth() -> None:
    assert AlphaBetaContestant(3, TICTACTOE).name == "alphabeta:3"


@pytest.mark.parametrize("depth", [0, -1, 65])
def test_a_depth_that_makes_no_sense_is_refused(depth: int) -> None:
    with pytest.raises(games.AgentError, match=f"DEPTH from 1 to 64, got {depth}$"):
        AlphaBetaContestant(depth, TICTACTOE)


def test_positions_of_another_variant_are_refused() -> None:
    with pytest.raises(games.AgentError, match="expected a position of tictactoe, got connect4"):
        AlphaBetaContestant(1, TICTACTOE).choose_many([games.start(CONNECT4)])


def test_a_search_under_way_ends_when_it_is_closed() -> None:
    """Twenty actions of gomoku would take for ever."""
    from threading import Timer

    rules = games.load("gomoku")
    contestant = AlphaBetaContestant(20, rules)
    Timer(0.5, contestant.close).start()
    began = time.perf_counter()
    with pytest.raises(RuntimeError, match="closed"):
        contestant.choose_many([games.start(rules)])
    assert time.perf_counter() - began < 20


@pytest.mark.parametrize("name", games.names())
def test_judgements_lie_between_loss_and_win_and_are_nothing_to_nobody(name: str) -> None:
    """Depth 1 after some random actions, on every variant of the catalogue."""
    rules = games.load(name)
    contestant = AlphaBetaContestant(1, rules, threads=1)
    for position in some_positions(rules, 3):
        value, best, _ = contestant.look(position)
        assert abs(value) <= MOST_JUDGED or abs(value) == WON - 1
        assert set(best) <= set(position.legal_actions.tolist())
    contestant.close()
    assert all(a >= b for a, b in pairwise(np.abs(judgement_of(rules).missing)))
