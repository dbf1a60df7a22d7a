"""Exact play beside a search: held against the solver's own word for every action."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import games
from games import AgentError, Position, Variant
from games.solver import Solver
from mcts import LOSS, UNPROVEN, WIN
from selfplay import Player
from selfplay.exact import MOST_CHOICES, limited_to
from selfplay.levels import at_level, level
from selfplay.opponents import load_player
from selfplay.player import MAX_SOLVER_NODES
from tests.selfplay.agents import export_agent
from tests.selfplay.opponents.playing import after_random_actions

NODES = 300_000
LATE = {
    "tictactoe": 2,
    "connect4": 24,
    "othello-6x6": 22,
    "hex-5": 12,
    "breakthrough-5x5": 26,
    "clobber-4x5": 9,
    "tictactoe-misere": 2,
}
"""Variants, and after how many random moves their positions are within the solver's reach."""


@pytest.fixture(scope="module", params=LATE)
def variant(request: pytest.FixtureRequest) -> Variant:
    return games.load(request.param)


@pytest.fixture(scope="module")
def agent(variant: Variant, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that knows nothing, so that its search makes mistakes."""
    return export_agent(tmp_path_factory.mktemp("agents") / "agent.onnx", variant)


@pytest.fixture(scope="module")
def late(variant: Variant) -> list[Position]:
    """Different positions near the end."""
    chance = np.random.default_rng(3)
    found = (after_random_actions(variant, LATE[variant.name], chance) for _ in range(24))
    return list({position: None for position in found if position is not None})


def mistakes(values: dict[int, int]) -> set[int]:
    """Actions that give value away."""
    return {action for action in values if values[action] < max(values.values())}


def test_what_the_solver_knows_overrules_the_search(
    variant: Variant, agent: Path, late: list[Position]
) -> None:
    solver, exact = Solver(variant, memory=8), Player.load(agent, simulations=4, solver_nodes=NODES)
    for position in late:
        values, analysis = solver.action_values(position), exact.analyse(position)
        best = max(values.values())
        assert analysis.value_to_play == values[analysis.action] == analysis.proven[analysis.action] == best
        assert analysis.policy.sum() == pytest.approx(1, abs=1e-5)
        for action, value in values.items():
            proven = analysis.proven[action]
            assert proven == value or (proven == UNPROVEN and (value < best or best == WIN))
            if proven != UNPROVEN:
                assert analysis.action_values[action] == value
        if best > LOSS:
            assert not any(analysis.policy[action] for action in mistakes(values))


def test_a_search_alone_makes_mistakes_in_these_positions(agent: Path, late: list[Position]) -> None:
    """Else the test above would say nothing."""
    plain, exact = (Player.load(agent, simulations=4, solver_nodes=nodes) for nodes in (0, NODES))
    assert plain.choose_many(late) != exact.choose_many(late)


def test_without_enough_nodes_the_search_decides_alone(agent: Path, late: list[Position]) -> None:
    plain, hurried = (Player.load(agent, simulations=4, solver_nodes=nodes) for nodes in (0, 1))
    for one, other in zip(plain.analyse_many(late), hurried.analyse_many(late), strict=True):
        if one.value_to_play != other.value_to_play:  # one position was enough to know it
            assert np.abs(other.value_to_play) == 1
            continue
        for field, value in one._asdict().items():
            np.testing.assert_array_equal(value, getattr(other, field), err_msg=field)


def test_answers_are_the_same_alone_in_a_batch_and_by_several_threads(
    agent: Path, late: list[Position]
) -> None:
    alone, together = (Player.load(agent, simulations=4, solver_nodes=200) for _ in range(2))
    shared = Player.load(agent, simulations=4, solver_nodes=200, threads=2)
    many = [*late, *late[::-1]]
    expected = [alone.choose(position) for position in many]
    assert together.choose_many(many) == expected
    assert shared.choose_many(many) == expected


def test_a_stream_ends_with_the_truth(variant: Variant, agent: Path, late: list[Position]) -> None:
    *_, last = Player.load(agent, solver_nodes=NODES).stream(late[0], simulations=40)
    assert last.value_to_play == max(Solver(variant, memory=8).action_values(late[0]).values())


@pytest.fixture(scope="module")
def reversi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_agent(tmp_path_factory.mktemp("reversi") / "agent.onnx", games.load("othello-6x6"))


@pytest.fixture(scope="module")
def ends() -> list[Position]:
    chance = np.random.default_rng(4)
    found = (after_random_actions(games.load("othello-6x6"), 24, chance) for _ in range(24))
    return [position for position in found if position is not None]


def test_who_means_to_be_weak_is(reversi: Path, ends: list[Position]) -> None:
    """The policy alone, drawn moves and low levels are what they say; strong levels are exact."""
    plain, exact = (Player.load(reversi, solver_nodes=nodes) for nodes in (0, NODES))
    for name in ("beginner", "human-like", "club"):
        one, other = at_level(plain, level(name)), at_level(exact, level(name))
        assert one.choose_many(ends) == other.choose_many(ends)
    assert at_level(plain, level("strong")).choose_many(ends) != at_level(exact, level("strong")).choose_many(
        ends
    )


def test_pondering_changes_no_answer(reversi: Path, ends: list[Position]) -> None:
    one, other = (Player.load(reversi, simulations=8, solver_nodes=NODES) for _ in range(2))
    other.ponder(ends[0])
    assert one.choose(ends[0]) == other.choose(ends[0])


def test_positions_with_many_moves_are_left_to_the_search(tmp_path: Path) -> None:
    start = games.start(games.load("hex-5"))
    assert len(start.legal_actions) > MOST_CHOICES
    agent = export_agent(tmp_path / "agent.onnx", start.variant)
    analysis = Player.load(agent, simulations=4, solver_nodes=10_000_000).analyse(start)
    assert abs(analysis.value_to_play) < 1  # the solver would know that the first player wins


def test_a_players_name_can_say_it(reversi: Path) -> None:
    assert load_player(f"{reversi}@16+500").solver_nodes == 500
    assert load_player(f"{reversi}@16+500").simulations == 16
    assert load_player(f"{reversi}@16").solver_nodes == 0
    with pytest.raises(AgentError, match=rf"expected 0 to {MAX_SOLVER_NODES} solver nodes, got 1000000000"):
        load_player(f"{reversi}@16+1000000000")
    with pytest.raises(AgentError, match=r"got .*agent\.onnx@16\+'"):
        load_player(f"{reversi}@16+")


def test_a_policy_is_limited_to_some_actions() -> None:
    allowed = np.array([True, False, True, False])
    some = limited_to(allowed, np.array([0.25, 0.5, 0.25, 0.0], np.float32))
    none = limited_to(allowed, np.array([0.0, 0.5, 0.0, 0.5], np.float16))
    assert some.tolist() == none.tolist() == [0.5, 0, 0.5, 0]
    assert [str(each.dtype) for each in (some, none)] == ["float32", "float16"]
