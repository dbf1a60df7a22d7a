"""Processes are replaced, games stay where they are known, and a match with a broken engine ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

import games
from games import Position
from selfplay.match import Forfeit
from selfplay.opponents.moves import choices_of
from selfplay.opponents.pool import MOST_RESTARTS, EnginePool
from selfplay.opponents.process import EngineError

Choose = Callable[[Position], "list[int] | Forfeit"]


class Scripted:
    """A session that does what a function says, and counts."""

    begun = 0

    def __init__(self, choose: Choose) -> None:
        type(self).begun += 1
        self.number = type(self).begun
        self.asked: list[Position] = []
        self._choose = choose

    def choose(self, position: Position) -> list[int] | Forfeit:
        self.asked.append(position)
        return self._choose(position)

    def close(self) -> None:
        pass


@pytest.fixture
def sessions() -> list[Scripted]:
    Scripted.begun = 0
    return []


def pool(sessions: list[Scripted], choose: Choose, *, processes: int = 1) -> EnginePool:
    def begin(_: threading.Event) -> Scripted:
        sessions.append(Scripted(choose))
        return sessions[-1]

    return EnginePool(begin, processes=processes)


def crash(_: Position) -> list[int]:
    raise EngineError("it crashed")


def first_legal(position: Position) -> list[int]:
    return [int(position.legal_actions[0])]


def one_after_the_other(answers: Iterator[Choose]) -> Choose:
    def choose(position: Position) -> list[int] | Forfeit:
        answer = next(answers)
        return answer(position)

    return choose


@pytest.fixture
def start() -> Position:
    return games.start(games.load("connect4"))


def test_a_crash_forfeits_one_game_and_the_next_has_a_new_process(
    sessions: list[Scripted], start: Position
) -> None:
    answers: Iterator[Choose] = iter([crash, first_legal])
    engine = pool(sessions, one_after_the_other(answers))
    assert engine.choose_many([start, start]) == [Forfeit("it crashed"), start.legal_actions[0]]
    assert len(sessions) == 2
    engine.close()


def test_an_engine_that_always_crashes_is_given_up(sessions: list[Scripted], start: Position) -> None:
    engine = pool(sessions, crash)
    answers = engine.choose_many([start] * 20)
    assert len(sessions) == 1 + MOST_RESTARTS
    assert answers[-1] == Forfeit("given up after 3 restarts in a row: it crashed")
    assert engine.choose_many([start]) == [answers[-1]]
    engine.close()


def test_good_answers_in_between_keep_an_engine_in_use(sessions: list[Scripted], start: Position) -> None:
    answers: Iterator[Choose] = iter([crash, crash, first_legal] * 4)
    engine = pool(sessions, one_after_the_other(answers))
    given = engine.choose_many([start] * 12)
    assert [isinstance(answer, Forfeit) for answer in given] == [True, True, False] * 4
    engine.close()


def test_to_resign_is_no_failure(sessions: list[Scripted], start: Position) -> None:
    engine = pool(sessions, lambda _: Forfeit("resigned"))
    assert engine.choose_many([start] * 9) == [Forfeit("resigned")] * 9
    assert len(sessions) == 1
    engine.close()


def test_the_rest_of_a_move_needs_no_engine(sessions: list[Scripted]) -> None:
    position = games.start(games.load("amazons"))
    engine = pool(sessions, lambda here: choices_of(here, ("d1", "d7", "g7")))
    played = []
    for _ in range(3):
        (answer,) = engine.choose_many([position])
        assert not isinstance(answer, Forfeit)
        played.append(position.action_text(answer))
        position = position.play(answer)
    assert played == ["d1", "d7", "g7"]
    assert len(sessions[0].asked) == 1
    engine.close()


def test_the_only_move_needs_no_engine(sessions: list[Scripted]) -> None:
    position = games.start(games.load("tictactoe"))
    for text in ["a1", "b2", "c3", "a3", "c1", "b1", "b3", "c2"]:
        position = position.play_text(text)
    engine = pool(sessions, crash)
    assert engine.choose_many([position]) == [position.parse_action("a2")]
    engine.close()


def test_games_stay_with_the_process_that_knows_them(sessions: list[Scripted]) -> None:
    start = games.start(games.load("gomoku-9x9"))
    engine = pool(sessions, first_legal, processes=2)
    line = [start.play(column) for column in start.legal_actions[40:44]]
    for _ in range(3):
        answers = engine.choose_many(line)
        after = [here.play(a) for here, a in zip(line, answers, strict=True) if not isinstance(a, Forfeit)]
        line = [here.play(here.legal_actions[-1]) for here in after]
    heads = [{here.actions[0] for here in session.asked} for session in sessions]
    assert len(heads) == 2
    assert not heads[0] & heads[1]
    engine.close()


def test_a_closed_pool_forfeits(sessions: list[Scripted], start: Position) -> None:
    engine = pool(sessions, first_legal)
    engine.close()
    engine.close()
    assert engine.choose_many([start]) == [Forfeit("the engine was closed")]


def test_an_interruption_comes_through(sessions: list[Scripted], start: Position) -> None:
    def interrupted(_: Position) -> list[int]:
        raise KeyboardInterrupt

    engine = pool(sessions, interrupted)
    with pytest.raises(KeyboardInterrupt):
        engine.choose_many([start])
    assert isinstance(engine.choose_many([start])[0], Forfeit)


@pytest.mark.parametrize("processes", [0, -1, 1000])
def test_a_pool_has_a_sensible_size(sessions: list[Scripted], processes: int) -> None:
    with pytest.raises(EngineError, match="expected 1 to 64 processes"):
        pool(sessions, crash, processes=processes)
