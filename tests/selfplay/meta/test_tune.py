"""The search for adaptation's settings, on planted objectives whose best settings are known."""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path
from typing import Any

import pytest

from games import RunError
from selfplay.config import TrainConfig
from selfplay.meta.adapt import default_config
from selfplay.meta.tune import (
    KNOBS,
    Judged,
    TuneConfig,
    Tuned,
    area,
    defaults,
    searched,
    settings_file,
    trial_config,
    tune,
)
from selfplay.meta.tune_command import checked

RATE = "learner.learning_rate"
ONLY_THE_RATE = tuple(
    f"{knob.key}={value}" for knob in KNOBS if knob.key != RATE for value in [defaults([knob])[knob.key]]
)
BEST_RATE = 4e-4


def quality(config: TrainConfig) -> float:
    """1 at the best rate, less by the square of the distance in factors of e."""
    return 1.0 - math.log(config.learner.learning_rate / BEST_RATE) ** 2 / 10


class Planted:
    """Areas that are known, and what was asked for."""

    def __init__(self, worth: Any = lambda config, _number: quality(config)) -> None:
        self.asked: list[tuple[float, int, int]] = []
        self._worth = worth

    def __call__(self, config: TrainConfig, number: int) -> float:
        self.asked.append((config.learner.learning_rate, config.seed, number))
        return float(self._worth(config, number))


def search(judged: Judged, journal: Path, *, variants: int = 1, **changes: Any) -> Tuned:
    settings: dict[str, Any] = {"trials": 25, "seeds": 1, "threads": 1, "fixed": ONLY_THE_RATE} | changes
    names = [f"variant-{i}" for i in range(variants)]
    return tune(judged, names, TuneConfig(**settings), journal, source="init")


# --- the objective ------------------------------------------------------------------------------------------

AT = [0, 100, 200, 400]


def test_the_area_of_a_level_curve_is_its_height() -> None:
    assert area([(0, 0.1), (100, 0.6), (200, 0.6), (400, 0.6)], AT) == pytest.approx(0.6)


def test_the_area_of_an_even_rise_over_the_logarithm_is_half_way() -> None:
    """From 0.2 after 99 to 0.8 after 399 positions, which have equal ratios of 1 + positions."""
    assert area([(99, 0.2), (199, 0.5), (399, 0.8)], [0, 99, 199, 399]) == pytest.approx(0.5)


def test_who_is_measured_late_gains_nothing_by_it() -> None:
    """A point that comes at 400 instead of 100 positions doesn't count as strength after 100."""
    late = [(0, 0.0), (400, 0.6), (400, 0.6), (400, 0.6)]
    after_100 = 0.6 * math.log1p(100) / math.log1p(400)
    assert area(late, AT) == pytest.approx((after_100 + 0.6) / 2)


def test_unknown_strength_is_left_out() -> None:
    assert area([(0, 0.1), (100, math.nan), (200, 0.6), (400, 0.6)], [0, 200, 400]) == pytest.approx(0.6)
    assert math.isnan(area([(0, math.nan)], AT))


# --- the search ---------------------------------------------------------------------------------------------


def test_it_finds_the_best_rate(tmp_path: Path) -> None:
    found = search(Planted(), tmp_path / "journal")
    assert found.settings[RATE] == pytest.approx(BEST_RATE, rel=0.3)
    assert found.score > 0.99
    assert found.before == pytest.approx(quality(default_config()))


def test_the_defaults_are_tried_first_and_stay_if_nothing_is_better(tmp_path: Path) -> None:
    rate = default_config().learner.learning_rate
    planted = Planted(lambda config, _: float(config.learner.learning_rate == rate))
    found = search(planted, tmp_path / "journal", trials=6)
    assert planted.asked[0][0] == rate
    assert found.settings[RATE] == rate


def test_every_variant_and_seed_counts_and_the_choice_is_by_fresh_seeds(tmp_path: Path) -> None:
    planted = Planted()
    search(planted, tmp_path / "journal", variants=3, trials=1, seeds=2)
    assert [(seed, number) for _, seed, number in planted.asked] == [
        *((seed, number) for number in range(3) for seed in (0, 1)),
        *((seed, number) for number in range(3) for seed in (2, 3)),
    ]


def test_luck_with_the_first_seeds_is_seen_through(tmp_path: Path) -> None:
    """One rate looks best with the seeds of the search only."""
    rate = default_config().learner.learning_rate

    def lucky(config: TrainConfig, _number: int) -> float:
        honest = 0.5 if config.learner.learning_rate == rate else 0.3
        return honest + 0.5 * (config.seed == 0 and config.learner.learning_rate != rate)

    found = search(Planted(lucky), tmp_path / "journal", trials=4)
    assert (found.settings[RATE], found.score) == (rate, 0.5)
    assert max(trial["score"] for trial in found.report["trials"]) == pytest.approx(0.8)


def test_a_trial_under_the_median_is_given_up_after_the_variant_that_shows_it(tmp_path: Path) -> None:
    """The easy first variant, where everybody does well, doesn't save who lags behind in the second."""
    planted = Planted(lambda config, number: quality(config) + 10.0 * (number == 0))
    found = search(planted, tmp_path / "journal", variants=4, trials=25)
    given_up = [trial for trial in found.report["trials"] if trial["state"] == "pruned"]
    complete = [trial for trial in found.report["trials"] if trial["state"] == "complete"]
    assert given_up
    assert all(len(trial["areas"]) < 4 for trial in given_up)
    assert all(len(trial["areas"]) == 4 for trial in complete)
    assert max(t["areas"][1] for t in given_up) <= max(t["areas"][1] for t in complete)


def test_without_a_pruner_every_trial_meets_every_variant(tmp_path: Path) -> None:
    found = search(Planted(), tmp_path / "journal", variants=3, trials=12, pruner="none")
    assert [len(trial["areas"]) for trial in found.report["trials"]] == [3] * 12


def test_hyperband_gives_up_trials_as_well(tmp_path: Path) -> None:
    found = search(Planted(), tmp_path / "journal", variants=9, trials=20, pruner="hyperband")
    assert any(trial["state"] == "pruned" for trial in found.report["trials"])


# --- stopping and going on ----------------------------------------------------------------------------------


def test_a_stopped_search_goes_on(tmp_path: Path) -> None:
    calls = iter(range(100))

    def interrupted(config: TrainConfig, _number: int) -> float:
        if next(calls) == 7:
            raise KeyboardInterrupt
        return quality(config)

    with pytest.raises(KeyboardInterrupt):
        search(interrupted, tmp_path / "journal", trials=10)
    rest = Planted()
    found = search(rest, tmp_path / "journal", trials=10)
    states = [trial["state"] for trial in found.report["trials"]]
    assert states == ["complete"] * 7 + ["fail"] + ["complete"] * 3
    assert len([seed for _, seed, _ in rest.asked if seed == 0]) == 3


def test_a_finished_search_measures_nothing_again(tmp_path: Path) -> None:
    first = search(Planted(), tmp_path / "journal", trials=5)
    again = Planted()
    assert search(again, tmp_path / "journal", trials=5) == first
    assert again.asked == []


def test_a_search_does_not_draw_the_same_settings_again_when_it_goes_on(tmp_path: Path) -> None:
    search(Planted(), tmp_path / "journal", trials=4)
    found = search(Planted(), tmp_path / "journal", trials=8)
    rates = [trial["settings"][RATE] for trial in found.report["trials"]]
    assert len(set(rates)) == 8


def test_a_journal_of_another_search_is_one_line(tmp_path: Path) -> None:
    search(Planted(), tmp_path / "journal", trials=1)
    with pytest.raises(RunError, match="expected a search with equal positions; choose another --storage"):
        search(Planted(), tmp_path / "journal", trials=1, positions=77)


def test_a_file_that_is_no_journal_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("nonsense\nmore\n")
    with pytest.raises(RunError, match="expected the journal of a search"):
        search(Planted(), tmp_path / "journal", trials=1)


def test_no_trial_begins_after_the_time_is_over(tmp_path: Path) -> None:
    found = search(Planted(), tmp_path / "journal", trials=10**6, minutes=0.01)
    assert 0 < len(found.report["trials"]) < 10**6


# --- settings -----------------------------------------------------------------------------------------------


def test_a_trial_has_its_settings_and_nothing_that_ends_it_early() -> None:
    config = trial_config({RATE: 0.005}, TuneConfig(positions=123), seed=9)
    assert config.learner.learning_rate == 0.005
    assert (config.positions, config.seed, config.selfplay.threads) == (123, 9, 1)
    assert not config.stop.enabled


def test_a_fixed_setting_is_not_searched_and_holds() -> None:
    config = TuneConfig(fixed=("selfplay.simulations=8",))
    assert "selfplay.simulations" not in {knob.key for knob in searched(config)}
    assert trial_config({}, config, seed=0).selfplay.simulations == 8


def test_every_setting_that_is_searched_exists_and_its_range_is_allowed() -> None:
    for end in (0, 1):
        settings = {knob.key: (knob.low, knob.high)[end] for knob in KNOBS}
        config = trial_config(settings, TuneConfig(), seed=0).model_dump()
        for key, value in settings.items():
            section, name = key.split(".")
            assert config[section][name] == value, key


def test_the_file_holds_what_was_found_and_the_rest_as_it_was() -> None:
    text = settings_file({RATE: 0.00123456, "selfplay.games": 50}, "found\nby tests")
    config, before = TrainConfig.model_validate(tomllib.loads(text)), default_config()
    assert text.startswith("# found\n# by tests\n")
    assert config.learner.learning_rate == 0.00123
    assert config.selfplay.games == 50
    assert config.stop == before.stop
    assert config.learner.batch_size == before.learner.batch_size


def test_a_trial_is_measured_at_doubling_positions() -> None:
    assert TuneConfig(positions=4000).at() == [0, 500, 1000, 2000, 4000]


def test_the_report_is_json(tmp_path: Path) -> None:
    found = search(Planted(), tmp_path / "journal", trials=2)
    assert json.loads(json.dumps(found.report))["best"] == found.settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pruner": "never"}, r"--pruner: .*'median', 'hyperband' or 'none'.*got 'never'"),
        ({"fixed": ("learner.nonsense=1",)}, r"learner\.nonsense"),
        ({"fixed": tuple(f"{knob.key}=1" for knob in KNOBS)}, "expected at least one setting to search"),
    ],
)
def test_what_cannot_be_searched_is_one_line(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError, match=message):
        checked(settings)
