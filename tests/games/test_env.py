"""The PettingZoo environment: PettingZoo's own tests, and what they don't look at."""

from __future__ import annotations

import numpy as np
import pytest
from pettingzoo.test import api_test, seed_test

import games
from games.aec import VariantEnv
from games.errors import MoveError

pytestmark = [
    pytest.mark.kernels,
    # api_test prefers plain arrays, but an action mask makes a dictionary, in PettingZoo's own classics too.
    pytest.mark.filterwarnings("ignore:Observation"),
]


def after(name: str, moves: str) -> VariantEnv:
    """An environment in which some moves have been played."""
    env = games.env(games.load(name))
    env.reset(seed=1)
    for move in moves.split():
        env.step(env.position.parse_action(move))
    return env


@pytest.mark.parametrize("name", games.names())
def test_pettingzoo_accepts_every_variant(name: str) -> None:
    api_test(games.env(games.load(name)), num_cycles=60)


@pytest.mark.parametrize("name", games.names())
def test_a_seed_repeats_every_variant(name: str) -> None:
    seed_test(lambda: games.env(games.load(name)), num_cycles=30)


@pytest.mark.parametrize("name", games.names())
def test_masked_random_play_ends_with_the_results_of_the_seats(name: str) -> None:
    env = games.env(games.load(name))
    env.reset(seed=7)
    totals = dict.fromkeys(env.possible_agents, 0)
    for agent in env.agent_iter():
        observation, reward, termination, truncation, _ = env.last()
        totals[agent] += reward
        ended = termination or truncation
        env.step(None if ended else int(env.action_space(agent).sample(observation["action_mask"])))
    assert env.position.is_over
    assert tuple(totals.values()) == env.position.returns
    assert env.agents == []


def test_the_same_agent_acts_twice_where_a_turn_has_two_stones() -> None:
    env = games.env(games.load("connect6-9x9"))
    env.reset()
    actors = []
    for action in range(0, 50, 10):
        actors.append(env.agent_selection)
        env.step(action)
    assert actors == ["player_0", "player_1", "player_1", "player_0", "player_0"]


def test_after_a_swap_the_first_agent_acts_again() -> None:
    assert after("gomoku-swap", "h8").agent_selection == "player_1"
    assert after("gomoku-swap", "h8 swap").agent_selection == "player_0"


def test_the_winner_gets_one_and_the_loser_minus_one() -> None:
    assert after("tictactoe", "a1 a2 b1 b2 c1").rewards == {"player_0": 1, "player_1": -1}
    assert after("tictactoe", "a1 a2 b1 b2 c3 c2").rewards == {"player_0": -1, "player_1": 1}
    assert after("gomoku-swap", "a1 swap a3 b1 b3 c1 c3 d1 d3 e1").rewards == {"player_0": -1, "player_1": 1}


def test_each_agent_sees_its_own_stones_first() -> None:
    env = after("tictactoe", "a1 b2 c3")
    first, second = (env.observe(agent) for agent in env.possible_agents)
    assert np.argwhere(first["observation"][:, :, 1]).tolist() == [[0, 2], [2, 0]]
    assert np.argwhere(second["observation"][:, :, 1]).tolist() == [[1, 1]]
    assert np.array_equal(first["observation"][:, :, 1], second["observation"][:, :, 2])


def test_only_who_acts_has_a_mask() -> None:
    env = after("tictactoe", "a1")
    assert env.observe("player_0")["action_mask"].tolist() == [0] * 11
    assert env.observe("player_1")["action_mask"].tolist() == [1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0]


def test_an_illegal_move_is_refused_and_changes_nothing() -> None:
    env = after("tictactoe", "b2")
    with pytest.raises(MoveError, match="got b2, which isn't legal here"):
        env.step(4)
    assert env.agent_selection == "player_1"
    env.step(0)
    assert env.agent_selection == "player_0"


def test_rendering_is_the_board(capsys: pytest.CaptureFixture[str]) -> None:
    text = games.env(games.load("tictactoe"), render_mode="ansi")
    text.reset()
    assert text.render() == str(games.start(games.load("tictactoe")))
    screen = games.env(games.load("tictactoe"), render_mode="human")
    screen.reset()
    screen.step(4)
    assert " 2  .[x]." in capsys.readouterr().out


def test_an_unknown_render_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="expected None or one of human, ansi, got 'rgb_array'"):
        games.env(games.load("tictactoe"), render_mode="rgb_array")
