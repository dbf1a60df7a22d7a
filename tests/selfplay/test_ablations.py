"""Ablations: what a plan says, rows that are there, the table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import games
from benchmarks.ablations import __main__ as ablations
from games import UserError
from games.solver import Solver
from selfplay.config import read_config
from selfplay.openings import canonical_key
from selfplay.suite import read_suite

GOLDEN = Path(__file__).parents[1] / "golden" / "connect4_positions.jsonl"
PLANS = sorted(Path(ablations.__file__).parent.glob("*.toml"))


def row(arm: str, seed: int, policy: float, searched: float) -> dict[str, Any]:
    errors = {"0": {"easy": 0.0, "mean": policy}, "64": {"easy": 0.0, "hard": 0.5, "mean": searched}}
    return {"arm": arm, "seed": seed, "positions": 1000, "steps": 5, "errors": errors}


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.stem)
def test_every_arm_of_a_committed_plan_can_be_configured(plan: Path) -> None:
    arms = ablations.read_arms(plan)
    assert next(iter(arms)) == "base"
    configs = {name: read_config(None, settings) for name, settings in arms.items()}
    assert len({config.model_dump_json() for config in configs.values()}) == len(arms)


def test_a_plan_that_is_none_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text("arms = 3")
    with pytest.raises(UserError, match="expected base settings and arms as TOML") as caught:
        ablations.read_arms(tmp_path / "plan.toml")
    assert "\n" not in str(caught.value)


def test_what_is_there_is_not_measured_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[list[str]] = []
    folders: list[Path] = []

    def judged(settings: list[str], run: Path) -> dict[str, Any]:
        asked.append(settings)
        folders.append(run)
        return {"positions": 1, "steps": 1, "errors": {}}

    monkeypatch.setattr(ablations, "judged", judged)
    arms, results = {"base": [], "other": ["learner.batch_size=64"]}, tmp_path / "rows.jsonl"
    assert len(list(ablations.measure(arms, 1.0, 1, results))) == 2
    assert asked == [["minutes=1.0", "seed=0"], ["learner.batch_size=64", "minutes=1.0", "seed=0"]]
    assert [(r["arm"], r["seed"]) for r in ablations.measure(arms, 1.0, 2, results)] == [
        ("base", 1),
        ("other", 1),
    ]
    assert len(list(ablations.measure(arms, 2.0, 1, results))) == 2  # other minutes
    assert len([json.loads(text) for text in results.read_text().splitlines()]) == 6
    assert len({folder.name for folder in folders}) == 6
    assert len({folder.parent for folder in folders}) == 6  # each is gone once it is measured
    folders.clear()
    list(ablations.measure(arms, 3.0, 1, results, tmp_path / "kept"))
    assert {folder.parent for folder in folders} == {tmp_path / "kept"}


def test_the_table_holds_means_over_seeds() -> None:
    text = ablations.table([row("base", 0, 0.1, 0.04), row("base", 1, 0.2, 0.06), row("x", 0, 0.3, 0.01)])
    assert "| base | 2 | 1,000 | 15.0 % | 5.0 % | 50.0 % |" in text
    assert "| x | 1 | 1,000 | 30.0 % | 1.0 % | 50.0 % |" in text


def test_rows_of_another_plan_are_left_out() -> None:
    mine, other, unknown = (
        row("base", 0, 0.1, 0.1) | {"settings": ["a=1"]},
        row("base", 0, 0.2, 0.2) | {"settings": ["a=2"]},
        row("x", 0, 0.3, 0.3) | {"settings": ["a=1"]},
    )
    assert ablations.rows_of({"base": ["a=1"]}, [mine, other, unknown]) == [mine]


def test_what_ablations_look_at_leaves_room_for_mistakes_and_is_not_golden() -> None:
    variant = games.load(ablations.VARIANT)
    suite = read_suite(ablations.SUITE, variant)
    golden = read_suite(GOLDEN, variant)
    assert {name: sum(p.set == name for p in suite) for name in {p.set for p in suite}} == dict.fromkeys(
        ("random-early", "random-middle", "good-early", "good-middle"), 1000
    )
    assert all(len(set(solved.values.values())) > 1 for solved in suite)
    keys = {canonical_key(solved.position) for solved in suite}
    assert len(keys) == len(suite)
    assert keys.isdisjoint(canonical_key(solved.position) for solved in golden)


def test_an_outside_engine_s_scores_are_our_solver_s_values() -> None:
    variant = games.load(ablations.VARIANT)
    solver = Solver(variant)
    late = [solved for solved in read_suite(ablations.SUITE, variant) if solved.position.ply >= 23]
    assert len(late) >= 20
    for solved in late:
        assert solver.action_values(solved.position) == solved.values
