"""`Player`: the same answers alone and in a batch, in the variant's own actions, and refusals in one line."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

import games
from games import AgentError, MoveError, Observation, Position, Variant
from mcts import SearchConfig, search, uniform_evaluator
from mcts.config import Mixing
from models import OnnxEvaluator
from selfplay import Player
from selfplay.known import KnownVariants
from selfplay.player import STREAM_BEGIN, Analysis, search_config
from selfplay.sight import Sight
from tests.selfplay.agents import export_agent


def position(name: str, *moves: str) -> Position:
    """A variant's position after some moves."""
    reached = games.start(games.load(name))
    for move in moves:
        reached = reached.play_text(move)
    return reached


MIXED = [
    position("connect4", "d", "d", "c"),
    position("tictactoe", "a1", "b2"),
    position("connect3-4x4", "a"),
    position("othello-6x6"),
    position("connect4-holes", "a"),
]
"""Boards of four sizes; none but the Othello board fills its own canvas alone."""

WIN_IN_ONE = position("connect4", "d", "a", "d", "a", "d", "b")
"""d4 makes four in line."""


# --- networks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("simulations", [0, 16])
def test_a_batch_of_mixed_variants_is_answered_like_each_position_alone(
    connect4_agent: Path, simulations: int
) -> None:
    player = Player.load(connect4_agent, simulations=simulations)
    assert player.choose_many(MIXED) == [player.choose(one) for one in MIXED]


@pytest.mark.parametrize("agent", ["random", "mcts:20", "network"])
def test_every_choice_is_legal(connect4_agent: Path, agent: str) -> None:
    player = Player.load(connect4_agent if agent == "network" else agent)
    for one, action in zip(MIXED, player.choose_many(MIXED), strict=True):
        assert action in one.legal_actions


def test_without_simulations_the_policy_is_the_networks(connect4_agent: Path) -> None:
    one = position("connect4", "d", "c")
    logits, value_to_play = OnnxEvaluator(connect4_agent)(one.observation())
    legal = np.exp(logits[0, one.legal_actions])
    analysis = Player.load(connect4_agent, simulations=0).analyse(one)
    np.testing.assert_allclose(analysis.policy[one.legal_actions], legal / legal.sum(), rtol=1e-5)
    assert analysis.action == one.legal_actions[legal.argmax()]
    assert analysis.value_to_play == pytest.approx(value_to_play[0])
    assert analysis.visits.sum() == 0
    assert np.isnan(analysis.action_values).all()


def test_an_analysis_is_about_the_own_actions_of_the_board(connect4_agent: Path) -> None:
    player = Player.load(connect4_agent, simulations=24)
    for one in MIXED:
        analysis = player.analyse(one)
        for array in (analysis.visits, analysis.policy, analysis.action_values):
            assert array.shape == (one.variant.n_actions,)
        illegal = np.flatnonzero(one.legal_mask == 0)
        assert not analysis.policy[illegal].any()
        assert not analysis.visits[illegal].any()
        assert analysis.policy.sum() == pytest.approx(1)
        assert analysis.simulations == 24
        assert analysis.ranked(3)[0] == analysis.action


def same_analysis(one: Analysis, other: Analysis) -> bool:
    return (one.action, one.simulations, one.value_to_play, one.win_draw_loss) == (
        other.action,
        other.simulations,
        other.value_to_play,
        other.win_draw_loss,
    ) and all(np.array_equal(one[i], other[i], equal_nan=True) for i in (1, 2, 3))


def test_a_stream_grows_to_what_an_analysis_says(connect4_agent: Path) -> None:
    """Evaluations are remembered from one analysis to the next, and that changes nothing."""
    player = Player.load(connect4_agent, simulations=100)
    analyses = list(player.stream(MIXED[0]))
    assert [analysis.simulations for analysis in analyses] == [16, 32, 64, 100]
    assert [a.simulations for a in player.stream(MIXED[0], simulations=16)] == [16]
    assert same_analysis(analyses[-1], Player.load(connect4_agent, simulations=100).analyse(MIXED[0]))
    again = Player.load(connect4_agent, simulations=32).analyse(MIXED[0])
    assert same_analysis(analyses[1], again)


def test_a_stream_ends_when_its_time_is_over(connect4_agent: Path) -> None:
    player = Player.load(connect4_agent)
    player.analyse(MIXED[0])  # everything is compiled
    began = time.perf_counter()
    analyses = list(player.stream(MIXED[0], seconds=0.5))
    assert 0.05 < time.perf_counter() - began < 1.0
    assert analyses[-1].simulations > 64
    assert len(list(player.stream(MIXED[0], seconds=0.0))) == 1
    assert player.choose(MIXED[0], seconds=0.0) == analyses[0].action


@pytest.mark.parametrize("agent", ["random", "policy"])
def test_without_a_search_a_stream_is_one_analysis(connect4_agent: Path, agent: str) -> None:
    player = Player.load(agent) if agent == "random" else Player.load(connect4_agent, simulations=0)
    (analysis,) = player.stream(MIXED[0], seconds=10)
    assert analysis.simulations == 0


def test_a_finished_game_has_no_stream(connect4_agent: Path) -> None:
    over = WIN_IN_ONE.play_text("d")
    with pytest.raises(MoveError, match="the game is over"):
        next(Player.load(connect4_agent).stream(over))


def test_threads_may_share_a_player(connect4_agent: Path) -> None:
    player = Player.load(connect4_agent, simulations=24)
    alone = [player.choose(one) for one in MIXED]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            assert list(pool.map(player.choose, MIXED)) == alone


def test_equal_positions_get_equal_answers(connect4_agent: Path) -> None:
    player = Player.load(connect4_agent, simulations=16)
    assert len({player.choose(MIXED[0]) for _ in range(5)}) == 1


def test_temperature_brings_variety_that_a_seed_repeats(connect4_agent: Path) -> None:
    def chosen(seed: int) -> list[int]:
        player = Player.load(connect4_agent, simulations=0, temperature=5.0, seed=seed)
        return player.choose_many([MIXED[0]] * 30)

    assert len(set(chosen(1))) > 1
    assert chosen(1) == chosen(1)
    assert chosen(1) != chosen(2)


def test_an_agent_knows_what_it_was_trained_for(connect4_agent: Path) -> None:
    player = Player.load(connect4_agent)
    assert player.trained_for(games.load("connect4"))
    assert not player.trained_for(games.load("connect4-misere"))
    assert [variant.name for variant in player.variants or ()] == ["connect4"]


def test_an_agent_without_wrapping_refuses_a_cylinder_and_one_with_it_plays(
    connect4_agent: Path, tmp_path: Path
) -> None:
    cylinder = games.load("connect4-cylinder")
    with pytest.raises(AgentError, match="wrap"):
        Player.load(connect4_agent).check_plays(cylinder)
    Player.load(export_agent(tmp_path / "wraps.onnx", cylinder, wraps=True)).check_plays(cylinder)


# --- players without a network ------------------------------------------------------------------------------


def test_a_tree_search_takes_the_win_and_stops_the_loss() -> None:
    player = Player.load("mcts:200")
    assert WIN_IN_ONE.action_text(player.choose(WIN_IN_ONE)) == "d4"
    threatened = position("connect4", "d", "a", "d", "a", "d")
    assert threatened.action_text(player.choose(threatened)) == "d4"


def test_a_proven_win_is_worth_one() -> None:
    assert Player.load("mcts:50").analyse(WIN_IN_ONE).value_to_play == 1


def test_random_is_spread_evenly() -> None:
    start = position("connect4")
    chosen = Player.load("random", seed=3).choose_many([start] * 7000)
    counts = np.bincount(chosen, minlength=42)[start.legal_actions]
    assert counts.sum() == 7000
    assert (np.abs(counts - 1000) < 150).all()  # five standard deviations


def test_what_was_not_trained_plays_all_variants_alike() -> None:
    assert Player.load("mcts").trained_for(games.load("othello"))
    assert Player.load("mcts").simulations == 1000


class Draws:
    """An evaluator for which a draw is as likely as not."""

    def __call__(self, observation: Observation, /) -> tuple[np.ndarray, np.ndarray]:
        batch = len(observation.legal)
        return np.zeros(observation.legal.shape, np.float32), np.full(batch, 0.3, np.float32)

    def win_draw_loss(self, observation: Observation, /) -> np.ndarray:
        return np.tile(np.array([0.4, 0.5, 0.1], np.float32), (len(observation.legal), 1))


def test_shares_of_win_draw_loss_come_from_an_evaluator_that_tells_draws() -> None:
    shares = Player(Draws(), SearchConfig(simulations=4), name="draws").analyse(MIXED[0]).win_draw_loss
    assert shares == pytest.approx((0.4, 0.5, 0.1))
    assert Player.load("mcts:4").analyse(MIXED[0]).win_draw_loss is None


def test_any_number_of_positions_is_answered() -> None:
    player = Player.load("random")
    assert player.choose_many([]) == []
    assert len(player.choose_many([MIXED[0]] * 600)) == 600


# --- refusals -----------------------------------------------------------------------------------------------


def test_threads_share_the_positions_and_change_no_answer(connect4_agent: Path) -> None:
    positions = [position("connect4", *moves) for moves in product("abcdefg", repeat=2)]
    alone, shared = (Player.load(connect4_agent, simulations=8, threads=threads) for threads in (1, 3))
    assert alone.choose_many(positions) == shared.choose_many(positions)
    shared.close()


def test_a_forced_move_asks_nobody() -> None:
    """The last free cell of a drawn game."""
    last = position("tictactoe", "a3", "b3", "c3", "b2", "a2", "c2", "b1", "a1")
    player = Player(never_asked, SearchConfig(simulations=8), name="never")
    assert last.action_text(player.choose(last)) == "c1"


def never_asked(_observation: Observation) -> NoReturn:
    raise AssertionError


def test_a_finished_game_asks_for_no_move() -> None:
    over = WIN_IN_ONE.play_text("d4")
    with pytest.raises(MoveError, match="the game is over"):
        Player.load("mcts:5").choose(over)


@pytest.mark.parametrize("agent", ["mcts:", "mcts:x", "mcts:0", "mcts:-3", "mcts:30001", "mcts:٣", "nobody"])
def test_a_name_that_makes_no_sense_is_refused(agent: str) -> None:
    with pytest.raises(AgentError, match=r"expected .*, got") as caught:
        Player.load(agent)
    assert "\n" not in str(caught.value)


def test_simulations_are_for_networks(connect4_agent: Path) -> None:
    for agent in ("random", "mcts:20"):
        with pytest.raises(AgentError, match=r"expected simulations .* only, got 5"):
            Player.load(agent, simulations=5)
    with pytest.raises(AgentError, match="expected 0 to 30000 simulations, got 30001"):
        Player.load(connect4_agent, simulations=30001)


def test_metadata_that_names_no_variants_properly_is_refused(connect4_agent: Path, tmp_path: Path) -> None:
    import onnx

    model = onnx.load(connect4_agent)
    for entry in model.metadata_props:
        entry.value = "[{}]" if entry.key == "variants" else entry.value
    onnx.save(model, tmp_path / "odd.onnx")
    with pytest.raises(AgentError, match="expected variants with name, digest, toml"):
        Player.load(tmp_path / "odd.onnx")


def test_variants_are_read_when_they_are_asked_for() -> None:
    """An agent of hundreds of them is there at once, and says what is wrong with one when it matters."""
    connect4 = games.load("connect4")
    entries = [*KnownVariants([connect4]).entries(), {"name": "odd", "digest": "12", "toml": "board = 3"}]
    known = KnownVariants.read(entries, "agent.onnx")
    assert known.names == ["connect4", "odd"]
    assert known.entries() == entries
    assert known.knows(connect4)
    assert not known.knows(games.load("tictactoe"))
    assert known[0] == connect4
    assert known[:1] == [connect4]
    with pytest.raises(AgentError, match=r"agent.onnx: expected variants that can be played, got .*board"):
        list(known)


# --- playouts -----------------------------------------------------------------------------------------------


def test_an_agent_mixes_in_the_playouts_that_its_file_asks_for(tmp_path: Path) -> None:
    connect4, here = games.load("connect4"), position("connect4", "d", "d", "c")
    found = []
    for share in (0.0, 0.4):
        training = Mixing(8, share).metadata()
        player = Player.load(
            export_agent(tmp_path / f"{share}.onnx", connect4, training=training), simulations=12
        )
        config = SearchConfig(simulations=12, gumbel_scale=0.0, solve=True, rollouts=8, rollout_share=share)
        own = search([here], OnnxEvaluator(tmp_path / f"{share}.onnx"), config)
        analysis = player.analyse(here)
        assert analysis.value_to_play == own.value_to_play[0]
        assert analysis.visits.sum() == 12
        found.append(analysis.value_to_play)
    assert found[0] != found[1]


@pytest.mark.parametrize(
    "training", ['{"rollouts": -1}', '{"rollouts": 5, "rollout_share": 2}', '{"rollouts": "x"}', "7", "{"]
)
def test_playouts_that_make_no_sense_are_refused(connect4_agent: Path, tmp_path: Path, training: str) -> None:
    import onnx

    model = onnx.load(connect4_agent)
    for entry in model.metadata_props:
        entry.value = training if entry.key == "training" else entry.value
    onnx.save(model, tmp_path / "odd.onnx")
    with pytest.raises(AgentError, match="expected how many playouts to mix in") as caught:
        Player.load(tmp_path / "odd.onnx")
    assert "\n" not in str(caught.value)


def looking(monkeypatch: pytest.MonkeyPatch, sights: dict[str, Sight]) -> list[str]:
    """Looks find what is planted; returns the names of the variants looked at, as they are."""
    looked: list[str] = []

    def look(variant: Variant, *_: object, **__: object) -> Sight:
        looked.append(variant.name)
        return sights[variant.name]

    monkeypatch.setattr("selfplay.sight.look", look)
    return looked


def test_a_first_look_is_taken_once_and_only_where_the_file_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = looking(monkeypatch, {p.variant.name: Sight(0.5, understood=True) for p in MIXED})
    connect4 = games.load("connect4")
    for fitted, expected in ((True, {"tictactoe"}), (False, {"tictactoe", "connect4"})):
        training = Mixing(4, 0.5, fitted=fitted).metadata()
        player = Player.load(
            export_agent(tmp_path / "agent.onnx", connect4, training=training), simulations=4
        )
        for _ in range(2):
            player.choose_many(MIXED[:2])
        assert (set(looked), len(looked)) == (expected, len(expected))
        looked.clear()
    without = Player.load(export_agent(tmp_path / "none.onnx", connect4), simulations=4)
    without.choose_many(MIXED[:2])
    assert looked == []


def test_variants_that_look_different_are_answered_as_each_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sights = {p.variant.name: Sight(i / 5, understood=i != 2) for i, p in enumerate(MIXED)}
    looking(monkeypatch, sights)
    training = Mixing(4, 0.5).metadata()
    agent = export_agent(tmp_path / "agent.onnx", games.load("gomoku"), training=training)
    together = Player.load(agent, simulations=12).analyse_many(MIXED)
    for here, analysis in zip(MIXED, together, strict=True):
        alone = Player.load(agent, simulations=12).analyse(here)
        assert alone.value_to_play == analysis.value_to_play
        np.testing.assert_array_equal(alone.visits, analysis.visits)


@pytest.mark.parametrize("sight", [Sight(0.5, understood=False), Sight(0.9, understood=True)])
def test_where_the_network_guides_little_as_many_playouts_do_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sight: Sight
) -> None:
    looking(monkeypatch, {"tictactoe": sight})
    agent = export_agent(tmp_path / "agent.onnx", games.load("connect4"), training=Mixing(50, 0.5).metadata())
    player, here = Player.load(agent, simulations=40), position("tictactoe", "a1", "b2")
    assert not player.guides(here.variant)
    assert player.guides(games.load("connect4"))
    analysis, expected = player.analyse(here), Player.load("mcts:2000").analyse(here)
    assert (analysis.win_draw_loss, analysis.simulations) == (None, 2000)
    np.testing.assert_array_equal(analysis.visits, expected.visits)
    assert analysis.value_to_play == expected.value_to_play


class Slow:
    """An evaluator that takes its time, and counts."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, observation: Observation) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self.asked += len(observation.legal)
        time.sleep(0.002)
        return uniform_evaluator(observation)


def test_a_stream_stops_in_the_middle_of_an_analysis_but_not_before_the_first() -> None:
    player, stopped = Player(Slow(), search_config(20_000), name="slow"), threading.Event()
    here = position("connect4")
    seen = []
    for analysis in player.stream(here, stopped=stopped):
        seen.append(analysis.simulations)
        threading.Timer(0.05, stopped.set).start()
        if len(seen) > 50:
            pytest.fail("it goes on and on")
    assert seen[0] == STREAM_BEGIN
    assert seen[-1] < 20_000


def test_what_was_pondered_about_is_not_asked_again() -> None:
    here = position("connect4", "d")
    fresh, pondered = Slow(), Slow()
    config = search_config(64)
    alone = Player(fresh, config, name="fresh")
    player = Player(pondered, config, name="pondered")
    player.ponder(here)
    time.sleep(0.5)
    player.stop_pondering()
    before = pondered.asked
    assert before > 0
    time.sleep(0.1)
    assert pondered.asked == before
    assert player.analyse(here).visits.tolist() == alone.analyse(here).visits.tolist()
    assert pondered.asked - before < fresh.asked / 2


def test_a_question_ends_pondering() -> None:
    evaluator = Slow()
    player, here = Player(evaluator, search_config(8), name="p"), position("connect4")
    player.ponder(here)
    player.choose(here)
    asked = evaluator.asked
    time.sleep(0.1)
    assert evaluator.asked == asked
