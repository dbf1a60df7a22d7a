"""OpenSpiel's MCTS on every variant that both know; that the rules agree is proven in tests/games."""

from __future__ import annotations

import random

import pytest

import games
from games import Position, UserError, swap_action
from selfplay.match import Forfeit
from selfplay.opponents import openspiel
from selfplay.opponents.openspiel import OpenSpielContestant, translate
from selfplay.opponents.process import EngineError
from tests.selfplay.opponents.playing import finish

KNOWN = {
    "tictactoe": "tic_tac_toe()",
    "tictactoe-misere": "misere(game=tic_tac_toe())",
    "tictactoe-torus": "gomoku(size=3,connect=3,wrap=True,anti=False)",
    "mnk-5-5-4": "mnk(m=5,n=5,k=4)",
    "connect3-4x4": "connect_four(rows=4,columns=4,x_in_row=3)",
    "connect4-9x5": "connect_four(rows=5,columns=9,x_in_row=4)",
    "othello": "othello()",
    "anti-othello": "misere(game=othello())",
    "hex-4": "hex(num_cols=4,num_rows=4)",
    "y-5": "y(board_size=5)",
    "havannah-4": "havannah(board_size=4)",
    "breakthrough-6x6": "breakthrough(rows=6,columns=6)",
    "clobber-4x5": "clobber(rows=4,columns=5)",
    "amazons-8x8": "amazons(board_size=8)",
    "go-5": "go(board_size=5,komi=24.5,max_game_length=75)",
}


def start(name: str) -> Position:
    return games.start(games.load(name))


@pytest.mark.parametrize(("name", "game"), KNOWN.items())
def test_a_variant_is_known_by_its_rules(name: str, game: str) -> None:
    renamed = games.load(name).model_copy(update={"name": "nameless"})
    assert translate(renamed).game == game


@pytest.mark.parametrize("name", ["ataxx", "konane", "breakthrough-5x5", "amazons-6x6", "gomoku-exact"])
def test_others_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"expected a variant that OpenSpiel knows .*, got {name}"):
        OpenSpielContestant("mcts:10", games.load(name))


@pytest.mark.parametrize(
    "name",
    [
        "connect3-4x4",
        "othello",
        "hex-4",
        "havannah-4",
        "breakthrough-6x6",
        "clobber-4x5",
        "amazons-8x8",
        "go-5",
    ],
)
def test_games_are_played_to_their_end(name: str) -> None:
    bot = OpenSpielContestant("mcts:5", games.load(name))
    assert finish(bot, games.load(name), games=2) == []
    bot.close()


def test_the_bot_takes_a_win_and_parries_one() -> None:
    bot = OpenSpielContestant("mcts:500", games.load("tictactoe"))
    wins, parries = start("tictactoe"), start("tictactoe")
    for text in ["a1", "a3", "b1", "b3"]:
        wins = wins.play_text(text)
    for text in ["a1", "b2", "b1"]:
        parries = parries.play_text(text)
    assert bot.choose_many([wins, parries]) == [wins.parse_action("c1")] * 2
    bot.close()


def test_breakthrough_is_turned_round() -> None:
    """Both stand a step before their goal, which lies at opposite sides."""
    bot = OpenSpielContestant("mcts:200", games.load("breakthrough-6x6"))
    position, chance = start("breakthrough-6x6"), random.Random(3)
    while not position.is_over:
        wins = [a for a in position.legal_actions.tolist() if any(_reaches(position, a))]
        if wins and not position.is_half_made:
            (answer,) = bot.choose_many([position])
            assert not isinstance(answer, Forfeit)
            (target,) = bot.choose_many([position.play(answer)])
            assert not isinstance(target, Forfeit)
            assert position.play(answer).play(target).is_over
            bot.close()
            return
        position = position.play(chance.choice(position.legal_actions.tolist()))
    raise AssertionError("no position with a win")


def _reaches(position: Position, origin: int) -> list[bool]:
    begun = position.play(origin)
    return [begun.play(target).is_over for target in begun.legal_actions.tolist()]


def test_a_first_stone_worth_having_is_taken_over() -> None:
    bot = OpenSpielContestant("mcts:2000", games.load("hex-3"))
    centre, corner = start("hex-3").play_text("b2"), start("hex-3").play_text("a3")
    taken, left = bot.choose_many([centre, corner])
    bot.close()
    assert (taken == swap_action(centre.variant), left == swap_action(corner.variant)) == (True, False)


def test_equal_positions_get_equal_answers() -> None:
    positions = [start("gomoku-9x9")] * 4
    bots = [OpenSpielContestant("mcts:20", games.load("gomoku-9x9"), seed=5, processes=n) for n in (1, 2)]
    answers = {answer for bot in bots for answer in bot.choose_many(positions)}
    for bot in bots:
        bot.close()
    assert len(answers) == 1


@pytest.mark.parametrize("spec", ["mcts", "mcts:0", "mcts:-3", "mcts:1e3", "alphabeta", "mcts:99999999999"])
def test_a_spec_needs_a_number(spec: str) -> None:
    with pytest.raises(EngineError, match="expected mcts:N with N from 1"):
        OpenSpielContestant(spec, games.load("connect4"))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openspiel, "find_spec", lambda _: None)
    with pytest.raises(UserError, match="pip install open_spiel"):
        OpenSpielContestant("mcts:10", games.load("connect4"))
