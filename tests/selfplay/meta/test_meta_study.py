"""The study's rows with a tiny network and budget: measured once, resumed, comparable."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import games
from benchmarks import meta_study
from benchmarks.meta_study import Job, Settings, conditions, exam_variants, measured, run, unmeasured
from games import UserError
from games.solver import Solver
from mcts.config import NO_MIXING
from models import NetworkConfig, PolicyValueNet, load_checkpoint, save_checkpoint
from selfplay.match import Forfeit, play_match
from selfplay.meta.measuring import match_measure, suite_measure
from selfplay.meta.plan import Arm, Plan, plan_of, read_plan
from selfplay.meta.study import append_row, read_rows
from selfplay.openings import draw_openings
from selfplay.opponents import load_contestant
from selfplay.opponents.network import network_player
from selfplay.opponents.solver import SolverContestant
from selfplay.player import Player
from selfplay.suite import SolvedPosition

NET = NetworkConfig(blocks=1, channels=8, policy_hidden=4, value_hidden=8, rule_hidden=8)
KIND, VARIANT = min(exam_variants(), key=lambda found: found[1].board.rows * found[1].board.columns)
TICTACTOE = games.load("tictactoe")
QUICK = Settings(
    at=(0, 40, 80),
    simulations=(0, 2),
    games=4,
    rollouts=4,
    settings=(
        "device=cpu",
        "selfplay.games=8",
        "selfplay.advances=16",
        "selfplay.simulations=4",
        "learner.batch_size=32",
        "learner.first_positions=16",
        "checkpoint_seconds=100",
        "stop.enabled=false",
    ),
)


@pytest.fixture(autouse=True)
def no_suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variants are measured by matches unless a test makes a suite."""
    monkeypatch.setattr("selfplay.meta.validation.suite_file", lambda v: tmp_path / f"{v.name}.jsonl")
    meta_study._suite_digest.cache_clear()


@pytest.fixture
def init(tmp_path: Path) -> Path:
    """Fresh weights of the tiny network as a file."""
    torch.manual_seed(5)
    save_checkpoint(tmp_path / "init.safetensors", PolicyValueNet(NET), metadata={})
    return tmp_path / "init.safetensors"


def job(init: Path | None, *, network: Path | None = None, seed: int = 0, how: Settings = QUICK) -> Job:
    return Job("arm", Arm(init=init), network, VARIANT.name, KIND, seed, how)


# --- what is measured ---------------------------------------------------------------------------------------


def test_a_curve_has_a_point_for_each_number_of_positions(init: Path) -> None:
    row = measured(job(init))
    assert [point["at"] for point in row["points"]] == [0, 40, 80]
    assert row["points"][0]["positions"] == row["points"][0]["steps"] == 0
    assert all(point["positions"] >= point["at"] for point in row["points"])
    assert row["points"][-1]["steps"] > 0
    assert all(set(point["strength"]) == {"0", "2"} for point in row["points"])
    assert (row["measure"], row["kind"], row["digest"]) == ("match", KIND, VARIANT.digest)


def test_equal_jobs_give_equal_points(init: Path) -> None:
    def strengths(row: dict[str, Any]) -> list[Any]:
        return [(point["positions"], point["strength"]) for point in row["points"]]

    assert strengths(measured(job(init))) == strengths(measured(job(init)))


def test_fresh_weights_have_the_network_of_the_others_and_differ_by_seed(init: Path) -> None:
    configs = [meta_study._config(job(None, network=init, seed=seed)) for seed in (0, 1)]
    assert [config.network for config in configs] == [NET, NET]
    assert [config.seed for config in configs] == [0, 1]


def test_an_initialisation_that_is_what_scratch_begins_with_learns_like_scratch(init: Path) -> None:
    """Arms differ by nothing but their weights."""
    torch.manual_seed(0)
    save_checkpoint(init, PolicyValueNet(NET), metadata={})
    fresh, given = (measured(job(path, network=init))["points"] for path in (None, init))
    for ours, theirs in zip(fresh, given, strict=True):
        assert ours | {"seconds": 0} == theirs | {"seconds": 0}


def test_all_arms_learn_under_equal_settings(init: Path) -> None:
    fresh, given = (meta_study._config(job(path, network=init)) for path in (None, init))
    assert fresh.learner == given.learner
    assert fresh.selfplay == given.selfplay
    assert fresh.positions == given.positions == 80
    assert (fresh.selfplay.threads, fresh.selfplay.rehearsal, fresh.stop.enabled) == (1, 0.0, False)


def test_zero_shot_is_a_match_of_the_weights_as_they_are(init: Path) -> None:
    how = Settings(simulations=(2,), games=4, rollouts=4, zero_shot=True)
    row = measured(job(init, how=how))
    expected = play_match(
        network_player(load_checkpoint(init)[0].state_dict(), NET, 2, variants=[VARIANT]),
        Player.load("mcts:4"),
        draw_openings(VARIANT, 2).positions,
    )
    assert row["strength"]["2"] == pytest.approx(expected.points)


def test_a_player_is_measured_in_the_same_match() -> None:
    """Tree search against itself: the openings are even, and each is played with both colours."""
    how = Settings(simulations=(2,), games=4, rollouts=4, zero_shot=True)
    row = measured(replace(job(None, how=how), arm=Arm(player="mcts:4")))
    expected = play_match(
        load_contestant("mcts:4", VARIANT), Player.load("mcts:4"), draw_openings(VARIANT, 2).positions
    )
    assert row["strength"]["2"] == pytest.approx(expected.points)
    assert (row["algorithm"], row["init"]) == ("mcts:4", None)


def test_a_player_that_gives_up_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    tired = Forfeit("out of time")
    monkeypatch.setattr(SolverContestant, "choose_many", lambda _, positions: [tired] * len(positions))
    how = Settings(simulations=(2,), games=2, rollouts=4, zero_shot=True)
    with pytest.raises(UserError, match=r"^arm in .*: expected moves, got out of time$"):
        measured(replace(job(None, how=how), arm=Arm(player="solver")))


def test_after_minutes_what_adapt_left_is_measured(init: Path) -> None:
    known = [{"name": v.name, "digest": v.digest, "toml": v.to_toml()} for v in [TICTACTOE]]
    save_checkpoint(init, PolicyValueNet(NET), metadata={"variants": known})
    how = Settings(simulations=(0,), games=2, rollouts=2, minutes=0.02, settings=QUICK.settings)
    row = measured(job(init, how=how))
    assert row["positions"] > 0
    assert row["seconds"] >= 1.0
    assert 0.0 <= row["strength"]["0"] <= 1.0


def test_points_are_those_of_the_network_not_of_its_opponent() -> None:
    weights = PolicyValueNet(NET).state_dict()
    measure = match_measure(TICTACTOE, (0,), games=8, rollouts=2)
    first = measure(weights, NET, NO_MIXING)["strength"]["0"]
    agent, opponent = network_player(weights, NET, 0, variants=[TICTACTOE]), Player.load("mcts:2")
    second = play_match(opponent, agent, draw_openings(TICTACTOE, 4).positions).points
    assert first is not None
    assert first + second == pytest.approx(1.0)


def test_strength_counts_the_positions_in_which_a_mistake_is_possible() -> None:
    """A search sees the move that wins at once; in the other position nothing is left to do wrong."""
    solver = Solver(TICTACTOE)
    suite = []
    for line, moves in enumerate(("a1 b2 b1 a2", "a1 b2 c3 a3 c1 b1 b3 c2"), 1):
        position = games.start(TICTACTOE)
        for move in moves.split():
            position = position.play_text(move)
        values = {int(a): float(v) for a, v in solver.action_values(position).items()}
        suite.append(SolvedPosition(position, values, "all", line, True))
    assert [len(set(solved.scores.values())) > 1 for solved in suite] == [True, False]
    weights = PolicyValueNet(NET).state_dict()
    assert suite_measure(TICTACTOE, suite, (64,))(weights, NET, NO_MIXING) == {
        "strength": {"64": 1.0},
        "kept": {"64": 1.0},
    }
    assert suite_measure(TICTACTOE, suite[1:], (0,))(weights, NET, NO_MIXING)["strength"] == {"0": None}


# --- resuming -----------------------------------------------------------------------------------------------


def test_rows_that_are_there_are_not_measured_again(init: Path, tmp_path: Path) -> None:
    jobs = [job(init, seed=seed) for seed in (0, 1)]
    path = tmp_path / "rows.jsonl"
    append_row(path, measured(jobs[0]))
    assert unmeasured(jobs, read_rows(path), path) == [jobs[1]]


def test_a_name_stands_for_one_initialisation_only(init: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    row = {"arm": "arm", "variant": VARIANT.name, "digest": VARIANT.digest, "seed": 0}
    append_row(path, row | {"conditions": "other"})
    with pytest.raises(UserError, match="expected the arm arm under another name"):
        unmeasured([job(init)], read_rows(path), path)


def test_conditions_tell_apart_what_cannot_be_compared(init: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    torch.manual_seed(6)
    save_checkpoint(other, PolicyValueNet(NET), metadata={})
    longer = Settings(at=(0, 40, 80, 160), simulations=QUICK.simulations, settings=QUICK.settings)
    faster = Settings(at=QUICK.at, simulations=QUICK.simulations, settings=("learner.learning_rate=1e-2",))
    jobs = [job(init), job(other), job(None, network=init), job(init, how=longer), job(init, how=faster)]
    assert len({conditions(each) for each in jobs}) == len(jobs)
    same = replace(QUICK, settings=(*QUICK.settings, "gate.enabled=false"))
    assert conditions(job(init)) == conditions(job(init, seed=1)) == conditions(job(init, how=same))


def test_two_processes_measure_what_one_does(init: Path, tmp_path: Path) -> None:
    """In processes of their own, without this test's fixtures: zero-shot needs no suite."""
    how = Settings(simulations=(2,), games=2, rollouts=4, zero_shot=True)
    jobs = [job(init, how=how, seed=seed) for seed in (0, 1)]
    run(jobs, tmp_path / "rows.jsonl", processes=2)
    rows = {row["seed"]: row["strength"] for row in read_rows(tmp_path / "rows.jsonl")}
    assert rows == {each.seed: measured(each)["strength"] for each in jobs}


# --- plans and options --------------------------------------------------------------------------------------


def options(**changes: Any) -> argparse.Namespace:
    settings: dict[str, Any] = {
        "at": [0, 40], "simulations": [0], "games": 2, "rollouts": 2, "minutes": None, "zero_shot": False,
        "set": [], "network": None, "seeds": 2, "variant": [], "only": [],
        "most_cells": meta_study.MOST_CELLS, "solved": False,
    }  # fmt: skip
    return argparse.Namespace(**(settings | changes))


def test_every_seed_of_everything_comes_before_the_next(init: Path) -> None:
    jobs = list(meta_study._jobs(plan_of([f"a={init}"]), options()))
    number = len(exam_variants())
    assert len(jobs) == 2 * 2 * number
    assert [each.seed for each in jobs] == [0] * (2 * number) + [1] * (2 * number)
    assert {each.network for each in jobs if each.name == "scratch"} == {init}


def test_without_adaptation_there_is_nothing_to_measure_of_scratch(init: Path) -> None:
    for changes in ({"zero_shot": True}, {"minutes": 5.0}):
        jobs = meta_study._jobs(plan_of([f"a={init}"]), options(**changes))
        assert {each.name for each in jobs} == {"a"}


def test_a_player_takes_part_in_zero_shot_play_only_on_boards_it_is_quick_on() -> None:
    plan = Plan(arms={"scratch": Arm(), "solver": Arm(player="solver", most_cells=12)})
    assert {each.name for each in meta_study._jobs(plan, options())} == {"scratch"}
    jobs = list(meta_study._jobs(plan, options(zero_shot=True, seeds=1)))
    small = [variant.name for _, variant in exam_variants() if meta_study._cells(variant) <= 12]
    assert [(each.name, each.variant) for each in jobs] == [("solver", name) for name in small]


def test_small_and_solved_variants_are_measured_if_asked_for(init: Path, tmp_path: Path) -> None:
    plan, names = plan_of([f"a={init}"]), {variant.name: variant for _, variant in exam_variants()}
    small = {each.variant for each in meta_study._jobs(plan, options(most_cells=20))}
    assert small == {name for name, variant in names.items() if meta_study._cells(variant) <= 20}
    (tmp_path / "hex-5.jsonl").touch()
    assert {each.variant for each in meta_study._jobs(plan, options(solved=True))} == {"hex-5"}


def test_a_variant_that_is_no_test_is_one_line(init: Path) -> None:
    with pytest.raises(UserError, match="expected a test variant such as"):
        list(meta_study._jobs(plan_of([f"a={init}"]), options(variant=["chess"])))


def test_some_arms_of_a_plan_are_measured(init: Path) -> None:
    plan = plan_of([f"a={init}", f"b={init}"])
    assert {each.name for each in meta_study._jobs(plan, options(only=["b"]))} == {"b"}
    with pytest.raises(UserError, match="--only: expected one of the arms scratch, a, b, got c"):
        list(meta_study._jobs(plan, options(only=["c"])))


def test_arms_of_the_command_line_make_a_plan() -> None:
    plan = plan_of(["joint=a.safetensors", "best=b.safetensors"])
    assert list(plan.arms) == ["scratch", "joint", "best"]
    assert (plan.scratch, plan.shipped) == ("scratch", "best")
    assert plan.arms["joint"].init == Path("a.safetensors")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "expected a plan of arms as TOML"),
        ("[arms.scratch]\nrate = 1", r"arms\.scratch\.rate: extra inputs"),
        ('shipped = "x"\n[arms.scratch]', "expected shipped to be one of the arms scratch, got x"),
        ('[arms.scratch]\ninit = "x"', "expected the arm scratch without an init"),
        (
            '[arms.scratch]\n[arms.a]\ninit = "x"\nplayer = "y"',
            "expected an init or a player, got both x and y",
        ),
        ("[arms.other]", "expected scratch to be one of the arms other"),
    ],
)
def test_a_plan_that_makes_no_sense_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "plan.toml").write_text(text)
    with pytest.raises(UserError, match=f"(?i){message}") as caught:
        read_plan(tmp_path / "plan.toml")
    assert "\n" not in str(caught.value)
