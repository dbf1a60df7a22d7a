"""Speed-ups, strengths and differences of planted curves, whose answers are known by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from games import UserError
from selfplay.meta.study import (
    PENALTY,
    Curve,
    Factor,
    append_row,
    curves_by_kind,
    differences,
    envelope,
    factor,
    mean_curve,
    reach,
    read_rows,
    speed_up,
    strength_after,
    strength_at,
)

AT = (0, 500, 1000, 2000, 4000, 8000, 16000)


def curve(*strength: float, at: tuple[int, ...] = AT) -> Curve:
    return Curve(np.array(at[: len(strength)], float), np.array(strength))


def learner(speed: float, *, noise: float = 0.0, seed: int = 0) -> Curve:
    """Strength grows by 0.1 whenever positions double, `speed` times as fast as from scratch."""
    positions = np.array(AT, float)
    shift = np.random.default_rng(seed).normal(0, noise, len(AT)) if noise else 0.0
    return Curve(positions, 0.1 * np.log2(1.0 + positions * speed / 500) + shift)


SCRATCH = curve(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


# --- one curve ----------------------------------------------------------------------------------------------


def test_positions_at_a_measured_strength_are_those_of_the_point() -> None:
    assert reach(SCRATCH, 0.5) == pytest.approx((4000.0, "measured"))


def test_between_two_points_strength_grows_with_the_logarithm() -> None:
    """Half-way from 0.5 to 0.6 lies the geometric mean of 4000 and 8000."""
    assert reach(SCRATCH, 0.55).positions == pytest.approx(math.sqrt(4000 * 8000))


def test_what_is_reached_by_the_first_point_counts_as_the_first_point() -> None:
    assert reach(SCRATCH, 0.15) == (500.0, "at the first point")
    assert reach(SCRATCH, 0.05) == (500.0, "at the first point")


def test_what_is_never_reached_counts_as_two_budgets() -> None:
    assert reach(SCRATCH, 0.8) == (PENALTY * 16000, "never")


def test_a_strength_once_shown_counts_from_then_on() -> None:
    falling = curve(0.1, 0.2, 0.6, 0.3, 0.5)
    assert envelope(falling).strength.tolist() == [0.1, 0.2, 0.6, 0.6, 0.6]
    assert reach(falling, 0.6) == pytest.approx((1000.0, "measured"))


def test_seeds_are_averaged_point_by_point() -> None:
    later = SCRATCH._replace(positions=SCRATCH.positions + 100, strength=SCRATCH.strength + 0.2)
    mean = mean_curve([SCRATCH, later])
    assert mean.positions.tolist() == [x + 50 for x in AT]
    assert mean.strength == pytest.approx(SCRATCH.strength + 0.1)


@pytest.mark.parametrize(("positions", "expected"), [(0, 0.1), (2000, 0.4), (16000, 0.7), (10**6, 0.7)])
def test_strength_after_so_many_positions(positions: float, expected: float) -> None:
    assert strength_after(SCRATCH, positions) == pytest.approx(expected)


# --- factors ------------------------------------------------------------------------------------------------


def test_an_arm_that_needs_a_quarter_is_four_times_as_fast() -> None:
    arm = curve(0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    assert factor(arm, SCRATCH, None, 16000) == (pytest.approx(4.0), "=")


def test_an_arm_that_was_there_at_once_is_at_least_so_fast() -> None:
    arm = curve(*[0.9] * 7)
    assert factor(arm, SCRATCH, None, 16000) == Factor(32.0, ">=")


def test_an_arm_that_never_gets_there_counts_as_half_as_fast() -> None:
    arm = curve(*[0.4] * 7)
    assert factor(arm, SCRATCH, None, 16000) == Factor(1 / PENALTY, "never")


def test_scratch_that_stands_still_flatters_unless_it_is_the_baseline() -> None:
    """Scratch has all it will ever have after 1000 positions, and the arm needs as many."""
    stopped = curve(0.1, 0.2, 0.5, 0.5, 0.5, 0.5, 0.5)
    arm = curve(0.1, 0.3, *[0.5] * 5)
    assert factor(arm, stopped, None, 16000).value == pytest.approx(16.0)
    assert factor(arm, stopped, stopped, 16000).value == pytest.approx(1.0)


def test_a_dip_of_scratch_at_its_end_does_not_lower_the_bar() -> None:
    dipping = curve(0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.6)
    arm = curve(0.1, 0.2, 0.4, 0.6, 0.7, 0.7, 0.7)
    assert factor(arm, dipping, None, 16000).value == pytest.approx(4.0)


def test_against_a_control_the_bar_stays_that_of_scratch() -> None:
    """Scratch has 0.7 after 16000; the control needs 8000 for it, the arm 2000."""
    control = curve(0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
    arm = curve(0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    assert factor(arm, SCRATCH, control, 16000) == (pytest.approx(4.0), "=")


def test_two_that_were_there_at_once_cannot_be_told_apart() -> None:
    arm = curve(*[0.9] * 7)
    assert factor(arm, SCRATCH, arm, 16000) == Factor(1.0, "?")


# --- many variants ------------------------------------------------------------------------------------------


def test_the_mean_speed_up_is_geometric() -> None:
    twice = curve(0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
    eight_times = curve(0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    found = speed_up({"a": [twice], "b": [eight_times]}, {"a": [SCRATCH], "b": [SCRATCH]}, after=16000)
    assert found.factors["a"].value == pytest.approx(2.0)
    assert found.factors["b"].value == pytest.approx(8.0)
    assert found.mean.value == pytest.approx(4.0)
    assert found.median == pytest.approx(5.0)


def test_the_interval_of_two_variants_spans_them() -> None:
    """With one seed only variants are drawn: the mean is 2, 4 or 8 times, each end one time in four."""
    arms = {"a": [curve(0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)], "b": [curve(0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)]}
    found = speed_up(arms, {"a": [SCRATCH], "b": [SCRATCH]}, after=16000)
    assert (found.mean.low, found.mean.high) == pytest.approx((2.0, 8.0))


def test_the_interval_of_a_speed_up_holds_the_truth_as_often_as_it_says() -> None:
    """Variants of different speeds around 5, noisy seeds; with 12 variants a little under 95 %."""
    covered = 0
    for trial in range(40):
        random = np.random.default_rng(trial)
        speeds = np.exp(random.normal(math.log(5.0), 0.5, 12))
        arm = {
            str(i): [learner(speed, noise=0.01, seed=1000 * trial + 10 * i + s) for s in range(3)]
            for i, speed in enumerate(speeds)
        }
        scratch = {
            str(i): [learner(1.0, noise=0.01, seed=7 + 10 * i + s) for s in range(3)] for i in range(12)
        }
        mean = speed_up(arm, scratch, after=16000, seed=trial).mean
        covered += mean.low <= 5.0 <= mean.high
    assert covered >= 33


def test_with_scratch_as_its_own_baseline_both_have_the_same_seeds() -> None:
    """Whatever seeds are drawn, scratch needs all its positions for its end; the arm is there at once."""
    seeds = [curve(*(SCRATCH.strength + shift)) for shift in (0.0, 0.1, 0.2)]
    scratch = {"a": seeds}
    found = speed_up({"a": [curve(*[0.95] * 7)]}, scratch, scratch, after=16000)
    assert (found.mean.low, found.mean.value, found.mean.high) == pytest.approx((32.0, 32.0, 32.0))


def test_only_variants_that_both_have_are_compared() -> None:
    found = speed_up({"a": [SCRATCH], "b": [SCRATCH]}, {"b": [SCRATCH], "c": [SCRATCH]}, after=16000)
    assert list(found.factors) == ["b"]


def test_every_variant_counts_the_same_whatever_its_seeds() -> None:
    low, high = curve(*[0.2] * 7), curve(*[0.8] * 7)
    found = strength_at({"a": [low, low, low], "b": [high]}, 1000)
    assert found.value == pytest.approx(0.5)
    assert (found.low, found.high) == pytest.approx((0.2, 0.8))


def test_equal_strength_is_no_difference() -> None:
    noisy = {"a": [learner(1, noise=0.05, seed=s) for s in range(3)]}
    found = differences(noisy, noisy, after=16000)
    assert found.by_variant == {"a": 0.0}
    assert found.worse == ()


def test_a_variant_that_falls_back_by_more_than_noise_is_named() -> None:
    """Ends differ between seeds by 0.01, so that the noise of a difference is 1.96 * 0.01 * sqrt(2 / 2)."""

    def ends(*values: float) -> list[Curve]:
        return [curve(0.0, value, at=(0, 100)) for value in values]

    arm = {"a": ends(0.9, 0.9 + 0.01 * math.sqrt(2)), "b": ends(0.6, 0.6 + 0.01 * math.sqrt(2))}
    scratch = {"a": ends(0.9, 0.9 + 0.01 * math.sqrt(2)), "b": ends(0.7, 0.7 + 0.01 * math.sqrt(2))}
    found = differences(arm, scratch, after=100)
    assert found.noise == pytest.approx({"a": 1.959964 * 0.01, "b": 1.959964 * 0.01})
    assert found.worse == ("b",)
    assert found.mean.value == pytest.approx(-0.05)


def test_what_is_measured_otherwise_has_noise_of_its_own() -> None:
    def ends(mean: float, spread: float) -> list[Curve]:
        return [curve(0.0, mean + sign * spread / math.sqrt(2), at=(0, 100)) for sign in (-1, 1)]

    arm = {"solved": ends(0.5, 0.01), "match": ends(0.5, 0.2)}
    scratch = {"solved": ends(0.6, 0.01), "match": ends(0.6, 0.2)}
    found = differences(arm, scratch, after=100, measures={"solved": "suite", "match": "match"})
    assert found.noise == pytest.approx({"solved": 1.959964 * 0.01, "match": 1.959964 * 0.2})
    assert found.worse == ("solved",)


def test_with_one_seed_the_noise_is_unknown_and_nobody_is_worse() -> None:
    found = differences({"a": [curve(0.1, 0.2)]}, {"a": [curve(0.1, 0.9)]}, after=500)
    assert math.isnan(found.noise["a"])
    assert found.worse == ()


# --- rows ---------------------------------------------------------------------------------------------------


def row(arm: str, variant: str, *strength: float | None) -> dict[str, object]:
    points = [
        {"at": at, "positions": at, "strength": {"0": value}} for at, value in zip(AT, strength, strict=False)
    ]
    return {"arm": arm, "variant": variant, "kind": "parameters", "seed": 0, "points": points}


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rows.jsonl"
    append_row(path, row("a", "x", 0.1))
    append_row(path, row("a", "y", 0.2))
    assert read_rows(path) == [row("a", "x", 0.1), row("a", "y", 0.2)]


def test_a_line_that_was_cut_short_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    append_row(path, row("a", "x", 0.1))
    with path.open("a") as file:
        file.write('{"arm": "a", "var')
    assert read_rows(path) == [row("a", "x", 0.1)]
    append_row(path, row("a", "y", 0.2))
    assert [r["variant"] for r in read_rows(path)] == ["x", "y"]


@pytest.mark.parametrize("line", ["nonsense", "[1]", '{"arm": "a"}'])
def test_a_line_that_is_no_row_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "rows.jsonl"
    append_row(path, row("a", "x", 0.1))
    with path.open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(UserError, match=r"rows\.jsonl, line 2: expected a row of a study"):
        read_rows(path)


def test_curves_of_an_arm_come_by_kind_and_variant_one_a_seed() -> None:
    rows = [row("a", "x", 0.1, 0.2), row("b", "x", 0.3, 0.4), row("a", "x", 0.5, 0.6)]
    found = curves_by_kind(rows, "a", 0)
    assert [c.strength.tolist() for c in found["parameters"]["x"]] == [[0.1, 0.2], [0.5, 0.6]]


def test_a_curve_of_unknown_strength_is_left_out() -> None:
    assert curves_by_kind([row("a", "x", 0.1, None)], "a", 0) == {}
    assert curves_by_kind([row("a", "x", 0.1)], "a", 64) == {}
