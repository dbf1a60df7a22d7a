"""Example games and opening trees against scripted games and the agent's own searches."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import games
from games import UserError
from selfplay import Player
from selfplay.actor import Episode
from selfplay.reporting.examples import choose_examples, side
from selfplay.reporting.openings import WIDTHS, Opening, opening_tree
from tests.games.drawings import played
from tests.selfplay.agents import export_agent
from tests.selfplay.reporting.scripted import DRAWN, O_WINS, TICTACTOE, X_WINS, episode, random_episode

STEPS = games.load("hexapawn")


@pytest.fixture(scope="module")
def player(tmp_path_factory: pytest.TempPathFactory) -> Player:
    path = export_agent(tmp_path_factory.mktemp("agents") / "agent.onnx", TICTACTOE, STEPS)
    return Player.load(path, simulations=16)


@functools.cache
def tree(player: Player, name: str = "tictactoe") -> Opening:
    return opening_tree(player, games.load(name), [])


# --- examples -----------------------------------------------------------------------------------------------


def test_a_short_a_median_and_a_long_game_are_shown() -> None:
    chosen = choose_examples(TICTACTOE, [episode(DRAWN), episode(X_WINS), episode(O_WINS)])
    assert [(example.kind, example.plies) for example in chosen] == [("short", 5), ("median", 6), ("long", 9)]


def test_results_name_the_player_and_the_colour() -> None:
    chosen = choose_examples(TICTACTOE, [episode(DRAWN), episode(X_WINS), episode(O_WINS)])
    results = {example.plies: example.result for example in chosen}
    assert results == {5: "first player (black) wins", 6: "second player (white) wins", 9: "draw"}


def test_a_player_who_swapped_has_the_other_colour() -> None:
    position = played(games.load("hex-5"), "c3 swap")
    assert side(position, 1) == "second player (red)"


def test_one_game_is_shown_once() -> None:
    assert len(choose_examples(TICTACTOE, [episode(X_WINS)])) == 1


def test_the_boards_are_those_of_the_game() -> None:
    (example,) = choose_examples(TICTACTOE, [episode(X_WINS)])
    assert [board.move for board in example.boards] == ["1. a1", "2. a2", "3. b1", "4. b2", "5. c1"]
    assert [board.position for board in example.boards] == [
        played(TICTACTOE, " ".join(X_WINS.split()[:plies])) for plies in range(1, 6)
    ]


def test_a_long_game_shows_a_few_boards_and_its_end() -> None:
    rng = np.random.default_rng(0)
    othello = games.load("othello-6x6")
    (example,) = choose_examples(othello, [random_episode(rng, othello)])
    assert len(example.boards) <= 8
    assert example.boards[-1].position.is_over


def test_a_step_is_shown_as_a_whole_move() -> None:
    (example,) = choose_examples(STEPS, [episode("a1 a2 b3 a2 b1 a2 c3 c2", rules=STEPS)])
    assert example.boards[0].move == "2. a1-a2"
    assert [example.boards[0].position.action_text(cell) for cell in example.boards[0].origin] == ["a1"]


def test_expectations_are_the_first_players_points() -> None:
    """Before o's move o's value is -0.5, so x expects three quarters of a point."""
    (example,) = choose_examples(TICTACTOE, [episode(X_WINS, random_plies=1, values=[-0.5, 0.5, 0, 1])])
    assert [board.points for board in example.boards] == [0.75, 0.75, 0.5, 1.0, 1.0]


def test_a_random_opening_has_no_expectations() -> None:
    (example,) = choose_examples(TICTACTOE, [episode(X_WINS, random_plies=3)])
    assert [board.points for board in example.boards] == [None, None, 0.5, 0.5, 1.0]
    assert example.random_plies == 3


@pytest.mark.parametrize(
    "broken",
    [episode(X_WINS)._replace(result=-1), episode(X_WINS)._replace(actions=np.zeros(5, np.int16))],
    ids=["another result", "the same cell again and again"],
)
def test_a_game_that_breaks_the_rules_is_refused(broken: Episode) -> None:
    with pytest.raises(UserError, match=r"tictactoe.*expected"):
        choose_examples(TICTACTOE, [broken])


# --- openings -----------------------------------------------------------------------------------------------


def test_the_tree_shows_what_the_search_prefers(player: Player) -> None:
    root = games.start(TICTACTOE)
    analysis = player.analyse(root)
    shown = [reply.position.actions for reply in tree(player).replies]
    assert shown == [(action,) for action in analysis.ranked(WIDTHS[0])]
    most = sorted(analysis.visits.tolist(), reverse=True)[: WIDTHS[0]]
    assert sorted(analysis.visits[actions[0]] for actions in shown) == sorted(most)


def test_policies_and_points_are_those_of_the_search(player: Player) -> None:
    root = games.start(TICTACTOE)
    for reply in tree(player).replies:
        action = reply.position.actions[0]
        assert reply.policy == pytest.approx(player.analyse(root).policy[action])
        value_of_second = player.analyse(root.play(action)).value_to_play
        assert reply.points == pytest.approx((1 - value_of_second) / 2)


def test_a_move_of_two_choices_is_one_branch(player: Player) -> None:
    """From the start of hexapawn each of three pawns can only step ahead."""
    texts = {reply.text for reply in tree(player, "hexapawn").replies}
    assert texts == {"a1-a2", "b1-b2", "c1-c2"}


def test_a_game_that_is_over_is_worth_its_result(player: Player) -> None:
    over = [opening for opening in tree(player, "hexapawn").walk() if opening.position.is_over]
    assert all(opening.points == (1 + opening.position.returns[0]) / 2 for opening in over)
    assert all(not opening.replies for opening in over)


def test_moves_are_counted_in_the_recorded_games(player: Player) -> None:
    """Four games searched from the start, one began at random: it counts nowhere at the first move."""
    recorded = [episode(X_WINS), episode(X_WINS), episode(O_WINS), episode(DRAWN)]
    recorded.append(episode(X_WINS, random_plies=1))
    root = opening_tree(player, TICTACTOE, recorded)
    corner = played(TICTACTOE, "a1")
    for reply in root.replies:
        expected = {"a1": 3, "b2": 1}.get(reply.text, 0)
        assert (reply.text, reply.played, reply.reached) == (reply.text, expected, 4)
        for answer in reply.replies if reply.position == corner else ():
            assert (answer.played, answer.reached) == (4 if answer.text == "a2" else 0, 4)
