"""docs/meta-learning.md from planted results: figures, verdicts, pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import meta_report
from benchmarks.meta_algorithms import PHASES, RUNS
from benchmarks.meta_report import goals, write
from benchmarks.meta_results import Results
from games import UserError
from selfplay.config import read_settings
from selfplay.meta.algorithms.config import MetaLearningConfig
from selfplay.meta.config import MetaTrainConfig
from selfplay.meta.plan import Plan
from tests.selfplay.meta.planted_study import PLAN, doubling, plant, plant_minutes, plant_zero_shot

PNG = b"\x89PNG\r\n"
FASTER, THAN_CONTROL, NEVER_WORSE, MINUTES, KNOWN, NEW, STEP = range(7)


def verdicts(folder: Path, plan: Plan = PLAN) -> list[str]:
    return [goal.verdict for goal in goals(Results.read(folder, plan))]


def page(folder: Path, tmp_path: Path) -> str:
    output = tmp_path / "docs" / "meta-learning.md"
    output.parent.mkdir(exist_ok=True)
    write(Results.read(folder, PLAN), output)
    return output.read_text(encoding="utf-8")


def cells(text: str, first: str, heading: str) -> list[str]:
    """The row of a table under a heading that begins with a cell."""
    lines = text[text.index(heading) :].splitlines()
    row = next(line for line in lines if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_speed_ups_that_were_planted_are_reported(tmp_path: Path) -> None:
    text = page(plant(tmp_path), tmp_path)
    fast = cells(text, "**fast**", "### All test variants")
    joint = cells(text, "joint", "### All test variants")
    assert (fast[1], fast[2], fast[4], fast[5]) == ("7", "16.0x (16.0 to 16.0)", "0", "0")
    assert joint[2] == "4.0x (4.0 to 4.0)"


def test_strengths_that_were_planted_are_reported(tmp_path: Path) -> None:
    """0.3 at once, 0.3 + 0.05 log2(33) in the end; at 64 simulations 0.1 more."""
    text = page(plant(tmp_path), tmp_path)
    scratch = cells(text, "scratch", "### All test variants")
    assert (scratch[6], scratch[-2]) == ("30.0", f"{100 * doubling('scratch', '', 0, 16000):.1f}")
    searched = cells(text, "scratch", "### With 64 simulations")
    assert (searched[6], searched[-2]) == ("40.0", f"{100 * doubling('scratch', '', 0, 16000) + 10:.1f}")


def test_every_kind_has_a_table_of_its_own_variants(tmp_path: Path) -> None:
    text = page(plant(tmp_path), tmp_path)
    assert cells(text, "joint", "### Unseen combinations")[1] == "2"
    assert "7: 3 unseen parameters, 2 unseen combinations, 2 unseen mechanisms" in text


def test_what_is_fast_enough_is_reached(tmp_path: Path) -> None:
    found = verdicts(plant(tmp_path))
    assert found[FASTER] == "**reached**"
    assert found[THAN_CONTROL] == "**reached**"
    assert found[MINUTES:] == ["not measured"] * 4


def test_what_is_too_slow_is_missed(tmp_path: Path) -> None:
    joint = PLAN.model_copy(update={"shipped": "joint"})
    found = verdicts(plant(tmp_path), joint)
    assert found[FASTER] == "**missed**"
    assert found[THAN_CONTROL] == "**missed**"


def test_an_interval_that_reaches_to_the_other_side_is_said(tmp_path: Path) -> None:
    """In one variant of seven the arm is hardly faster than scratch."""

    def mixed(arm: str, variant: str, seed: int, positions: float) -> float:
        slow = arm == "fast" and variant == "parameters-0"
        return doubling("scratch" if slow else arm, variant, seed, positions)

    found = goals(Results.read(plant(tmp_path, mixed), PLAN))[FASTER]
    assert found.measured is not None
    assert found.measured.value == pytest.approx(16 ** (6 / 7), rel=1e-3)
    assert found.verdict == "**reached**, not for sure"


def test_a_variant_that_falls_back_is_named(tmp_path: Path) -> None:
    def falling(arm: str, variant: str, seed: int, positions: float) -> float:
        lost = 0.3 if arm == "fast" and variant == "mechanisms-1" and positions == 16000 else 0.0
        return doubling(arm, variant, seed, positions) - lost + 0.004 * seed

    folder = plant(tmp_path, falling)
    found = goals(Results.read(folder, PLAN))[NEVER_WORSE]
    assert found.verdict == "**missed**"
    assert "worse in 1 of 7: mechanisms-1" in found.text
    assert "(more than noise)" in cells(page(folder, tmp_path), "mechanisms-1", "variant by variant")[6]


def test_never_worse_is_reached_where_nobody_falls_back(tmp_path: Path) -> None:
    folder = plant(tmp_path, lambda *at: doubling(*at) + 0.004 * at[2])
    assert verdicts(folder)[NEVER_WORSE] == "**reached**"


def test_one_seed_says_nothing_about_noise(tmp_path: Path) -> None:
    found = goals(Results.read(plant(tmp_path, seeds=1), PLAN))[NEVER_WORSE]
    assert (found.verdict, found.text) == ("not measured", "one seed: the noise isn't known")


def test_what_is_never_reached_is_marked(tmp_path: Path) -> None:
    def hopeless(arm: str, variant: str, seed: int, positions: float) -> float:
        return 0.3 if (arm, variant) == ("fast", "parameters-0") else doubling(arm, variant, seed, positions)

    text = page(plant(tmp_path, hopeless), tmp_path)
    assert cells(text, "parameters-0", "variant by variant")[7] == "0.5x (never)"
    assert cells(text, "**fast**", "### All test variants")[5] == "1"


def test_zero_shot_points_are_held_against_what_is_wanted_by_kind(tmp_path: Path) -> None:
    plant(tmp_path)
    plant_zero_shot(tmp_path, {"parameters": 0.9, "combinations": 0.8, "mechanisms": 0.4})
    found = verdicts(tmp_path)
    assert (found[KNOWN], found[NEW]) == ("**reached**", "**missed**")
    section = "## Without any adaptation"
    assert cells(page(tmp_path, tmp_path), "fast", section)[3] == "40.0 % (40 to 40), 2 variants"


def test_perfect_play_is_told_beside_the_shipped_arm_in_the_same_variants(tmp_path: Path) -> None:
    """Solved are the parameters alone; the other kinds' worse points of the shipped arm stay out."""
    plant(tmp_path)
    plant_zero_shot(tmp_path, {"parameters": 0.5, "combinations": 0.3, "mechanisms": 0.1})
    plant_zero_shot(tmp_path, {"parameters": 0.75}, arm="perfect")
    text = page(tmp_path, tmp_path)
    assert "takes 75.0 % (75 to 75) in the 3 variants" in text
    assert "fast takes 50.0 % (50 to 50) there" in text


def test_five_minutes_are_held_against_what_is_wanted(tmp_path: Path) -> None:
    plant(tmp_path)
    plant_minutes(tmp_path, 0.97)
    assert verdicts(tmp_path)[MINUTES] == "**reached**"
    text = page(tmp_path, tmp_path)
    assert cells(text, "fast", "## In minutes")[4] == "97.0 % (97 to 97), 7 variants"
    assert cells(text, "parameters-0", "## In minutes")[3:] == ["0", "12,345", "4.8", "97.0", "87.0"]


def test_the_step_on_a_gpu_is_read_from_its_file(tmp_path: Path) -> None:
    plant(tmp_path)
    measured = {"device": "cuda", "maml": {"speedup": 7.5}, "fomaml": {"speedup": 4}}
    (tmp_path / "step.json").write_text(json.dumps({"meta": measured}))
    assert verdicts(tmp_path)[STEP] == "**missed**"
    (tmp_path / "step.json").write_text(json.dumps({"meta": measured | {"device": "cpu"}}))
    assert verdicts(tmp_path)[STEP] == "not measured"


def test_every_picture_that_the_page_shows_is_there(tmp_path: Path) -> None:
    text = page(plant(tmp_path), tmp_path)
    shown = [part.split(")")[0] for part in text.split("](")[1:]]
    assert len(shown) == 7
    for name in shown:
        assert (tmp_path / "docs" / name).read_bytes().startswith(PNG), name


def test_equal_results_make_an_equal_page(tmp_path: Path) -> None:
    folder = plant(tmp_path)
    first = page(folder, tmp_path)
    pictures = {p.name: p.read_bytes() for p in (tmp_path / "docs" / "meta-learning").iterdir()}
    assert page(folder, tmp_path) == first
    assert {p.name: p.read_bytes() for p in (tmp_path / "docs" / "meta-learning").iterdir()} == pictures


def test_scratch_alone_makes_a_page_as_well(tmp_path: Path) -> None:
    plant(tmp_path)
    alone = Plan.model_validate({"arms": {"scratch": {}}})
    lines = (tmp_path / "curves.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "curves.jsonl").write_text("".join(line for line in lines if '"scratch", "algo' in line))
    output = tmp_path / "page.md"
    write(Results.read(tmp_path, alone), output)
    assert "| scratch |" in output.read_text()


def test_algorithms_at_equal_compute_have_a_section_of_their_own(tmp_path: Path) -> None:
    results = Results.read(plant(tmp_path / "long"), PLAN)
    short = plant(tmp_path / "short", lambda *given: 0.5 * doubling(*given))
    (short / "phase-fast.json").write_text('{"config": {"minutes": 6}}')
    write(results, tmp_path / "page.md", Results.read(short, PLAN))
    text = (tmp_path / "page.md").read_text()
    assert "for 6 minutes" in text
    assert cells(text, "scratch", "### All, after a phase of each")[6] == "15.0"
    assert cells(text, "scratch", "### All test variants")[6] == "30.0"
    write(results, tmp_path / "page.md", Results.read(tmp_path / "nothing", PLAN))
    assert "equal compute" not in (tmp_path / "page.md").read_text()


def test_without_results_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected measured curves"):
        write(Results.read(tmp_path, PLAN), tmp_path / "page.md")


def test_the_committed_plan_can_be_read() -> None:
    assert meta_report.read_plan(meta_report.PLAN).scratch == "scratch"


def test_every_phase_is_an_arm_and_can_be_configured() -> None:
    arms = meta_report.read_plan(meta_report.ALGORITHMS).arms
    assert list(arms) == ["scratch", *PHASES]
    for name, settings in PHASES.items():
        assert arms[name].init == RUNS / name
        assert (
            read_settings(MetaTrainConfig, None, settings).learning != MetaLearningConfig() or name == "joint"
        )
