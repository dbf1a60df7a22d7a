"""Tournaments and duels: who plays whom from what, what is told, and what is written down."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import games
from games import AgentError, Position
from selfplay.arena import Encounter, Watcher, play_duel, play_tournament, unique_names
from selfplay.cli import app
from selfplay.match import Contestant, Forfeit
from selfplay.openings import draw_openings
from selfplay.opponents import load_contestant
from selfplay.sprt import Sprt
from tests.selfplay import tiny_run
from tests.selfplay.agents import export_agent
from tests.selfplay.opponents.engines import GTP_PLAYER, program

TICTACTOE = games.load("tictactoe")


class Named:
    """Plays the lowest or the highest legal action."""

    def __init__(self, name: str, *, highest: bool = False, faint: bool = False) -> None:
        self.name, self._which, self._faint = name, -1 if highest else 0, faint

    def choose_many(self, positions: Sequence[Position], /) -> list[int | Forfeit]:
        return [Forfeit("fainted") if self._faint else int(p.legal_actions[self._which]) for p in positions]

    def close(self) -> None:
        """Nothing to let go of."""


def arena(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["arena", *arguments])


# --- tournaments --------------------------------------------------------------------------------------------


def test_everyone_plays_everyone_from_the_same_openings() -> None:
    players = [Named("a"), Named("b", highest=True), Named("c")]
    openings = draw_openings(TICTACTOE, 5)
    tournament = play_tournament(TICTACTOE, players, openings)
    assert [(e.first, e.second) for e in tournament.encounters] == list(combinations(range(3), 2))
    for encounter in tournament.encounters:
        begun = [game.position.actions[: game.opening_plies] for game in encounter.result.games]
        assert begun == [opening.actions for opening in openings.positions for _ in range(2)]


def test_equal_players_are_rated_equal_and_the_fainting_one_far_below() -> None:
    players = [Named("a"), Named("twin of a"), Named("c", faint=True)]
    ratings = play_tournament(TICTACTOE, players, draw_openings(TICTACTOE, 12)).ratings
    assert ratings.ratings[0] == pytest.approx(ratings.ratings[1], abs=1)
    assert ratings.high[2] < ratings.low[0]
    assert ratings.superiority[0, 2] > 0.99


def test_players_of_one_name_are_numbered() -> None:
    twins: list[Contestant] = [Named("x"), Named("y"), Named("x")]
    assert unique_names(twins) == ("x #1", "y", "x #2")


def test_who_watches_hears_of_every_pairing() -> None:
    ended: list[Encounter] = []
    shares: list[float] = []
    watcher = Watcher(moves=lambda number, share: shares.append(number + share), ended=ended.append)
    players = [Named("a"), Named("b"), Named("c")]
    play_tournament(TICTACTOE, players, draw_openings(TICTACTOE, 2), watcher=watcher)
    assert len(ended) == 3
    assert shares[-1] == 3.0
    assert shares == sorted(shares)


# --- duels --------------------------------------------------------------------------------------------------


def test_a_duel_stops_as_soon_as_it_knows() -> None:
    openings = draw_openings(games.load("connect4"), 200)
    duel = play_duel(Named("a"), Named("fainting", faint=True), openings, Sprt(0, 200))
    assert duel.verdict == "stronger"
    assert len(duel.encounter.result.games) == 32  # one round of 16 openings is enough
    other = play_duel(Named("fainting", faint=True), Named("a"), openings, Sprt(0, 200))
    assert other.verdict == "not stronger"


def test_equal_players_leave_a_duel_with_close_hypotheses_open() -> None:
    openings = draw_openings(TICTACTOE, 12)
    duel = play_duel(Named("a"), Named("b"), openings, Sprt(0, 5))
    assert duel.verdict is None
    assert [game.opening for game in duel.encounter.result.games] == [i for i in range(12) for _ in (0, 1)]


# --- players by name ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("random", "random"),
        ("mcts:20", "mcts:20"),
        ("alphabeta:2", "alphabeta:2"),
        ("solver", "solver"),
        ("openspiel:mcts:10", "OpenSpiel mcts:10"),
    ],
)
def test_players_come_by_their_names_and_play(spec: str, name: str) -> None:
    player = load_contestant(spec, TICTACTOE)
    try:
        assert player.name == name
        start = games.start(TICTACTOE)
        (action,) = player.choose_many([start])
        assert action in start.legal_actions
    finally:
        player.close()


def test_files_may_say_their_simulations(connect4_agent: Path) -> None:
    variant = games.load("connect4")
    for spec, simulations in (
        (f"{connect4_agent}@5", 5),
        (f"{connect4_agent}@0", 0),
        (str(connect4_agent), 7),
    ):
        player: Any = load_contestant(spec, variant, simulations=7)
        assert player.simulations == simulations


def test_a_run_folder_plays_its_latest_agent(tmp_path: Path) -> None:
    tiny_run.main(tmp_path / "run")
    variant = games.load("connect3-4x4")
    run: Any = load_contestant(f"{tmp_path / 'run'}@3", variant)
    checkpoint: Any = load_contestant(f"{max((tmp_path / 'run' / 'agents').iterdir())}@3", variant, threads=2)
    assert run.simulations == 3
    openings = draw_openings(variant, 20).positions
    assert run.choose_many(openings) == checkpoint.choose_many(openings)
    checkpoint.close()


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("nobody", "got 'nobody'"),
        ("alphabeta:0", "expected alphabeta:DEPTH with a depth of at least 1, got 'alphabeta:0'"),
        ("alphabeta", "expected alphabeta:DEPTH"),
        ("mcts:x", "expected mcts:N"),
        ("gtp:gnugo", "tictactoe"),
        ("uci:/no/such/engine", "/no/such/engine"),
    ],
)
def test_names_that_make_no_sense_are_one_line(spec: str, told: str) -> None:
    with pytest.raises(games.UserError, match=told) as caught:
        load_contestant(spec, TICTACTOE)
    assert "\n" not in str(caught.value)


# --- the command --------------------------------------------------------------------------------------------


def test_players_may_follow_one_option(tmp_path: Path) -> None:
    """As in `--players A B C --games N`; everything is in the JSON and the records."""
    result = arena(
        "tictactoe", "--players", "solver", "mcts:30", "random", "--games", "8", "--seed", "3",
        "--json", str(tmp_path / "a.json"), "--records", str(tmp_path / "games.jsonl"),
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    told = json.loads((tmp_path / "a.json").read_text())
    assert told["players"] == ["solver", "mcts:30", "random"]
    assert [(p["first"], p["second"]) for p in told["pairings"]] == [
        ("solver", "mcts:30"),
        ("solver", "random"),
        ("mcts:30", "random"),
    ]
    assert all(p["wins"] + p["draws"] + p["losses"] == 8 == p["games"] for p in told["pairings"])
    assert {row["player"] for row in told["ratings"]} == {"solver", "mcts:30", "random"}
    records = [json.loads(line) for line in (tmp_path / "games.jsonl").read_text().splitlines()]
    assert len(records) == 24
    wins = sum(r["winner"] == "solver" and "random" in r["seats"] for r in records)
    assert wins == told["pairings"][1]["wins"]


def test_records_replay_to_the_results_they_tell(tmp_path: Path) -> None:
    arena("connect3-4x4", "--players", "mcts:5", "random", "--games", "6", "--records", str(tmp_path / "g"))
    for line in (tmp_path / "g").read_text().splitlines():
        record = json.loads(line)
        position = games.start(games.load(record["variant"]))
        for move in record["moves"].split():
            position = position.play_text(move)
        assert position.is_over
        winner = None if position.returns == (0, 0) else record["seats"][position.returns.index(1)]
        assert winner == record["winner"]


def test_a_test_between_two_players_is_told(tmp_path: Path) -> None:
    result = arena(
        "connect4", "mcts:60", "random", "--sprt", "0", "100", "--games", "400",
        "--json", str(tmp_path / "a.json"),
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "mcts:60 is stronger than random" in result.output
    told = json.loads((tmp_path / "a.json").read_text())
    assert told["sprt"]["verdict"] == "stronger"
    assert told["pairings"][0]["games"] < 400


def test_an_engine_that_crashes_forfeits_and_the_match_goes_on(tmp_path: Path) -> None:
    """A GTP engine that shakes hands and dies at its first move."""
    engine = f"gtp:{program(tmp_path, GTP_PLAYER, 'crash', str(tmp_path / 'log'))}"
    result = arena(
        "go-5", "--players", "random", engine, "mcts:2", "--games", "4", "--json", str(tmp_path / "a")
    )
    assert result.exit_code == 0, result.output
    told = json.loads((tmp_path / "a").read_text())
    for pairing in told["pairings"]:
        given_up = sum(sum(reasons.values()) for reasons in pairing["forfeits"].values())
        assert given_up == (4 if "Stand-in" in pairing["first"] + pairing["second"] else 0)
    assert told["pairings"][0]["wins"] == 4
    assert "forfeited" in result.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["tictactoe", "random"], "expected at least two players, got 1"),
        (["tictactoe"], "expected at least two players, got 0"),
        (["tictactoe", "random", "mcts:1", "random", "--sprt", "0", "10"], "expected two players, got 3"),
        (
            ["tictactoe", "random", "mcts:1", "--sprt", "10", "0"],
            "expected a smaller and a larger difference",
        ),
        (["tictactoe", "random", "mcts:1", "--anchor", "solver"], "--anchor: expected one of the players"),
        (["nowhere", "random", "mcts:1"], "nowhere"),
        (["tictactoe", "random", "mcts:1", "--opening-plies", "9"], "expected openings shorter than a game"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_exit_code_2(arguments: list[str], told: str) -> None:
    result = arena(*arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_an_agent_that_cant_play_the_board_is_refused(tmp_path: Path) -> None:
    agent = export_agent(tmp_path / "flat.onnx", games.load("connect4"))
    with pytest.raises(AgentError, match="wrap"):
        load_contestant(str(agent), games.load("connect4-cylinder"))
