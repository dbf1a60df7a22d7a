"""The curriculum against planted learning curves."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from games import RunError
from selfplay.meta.curriculum import Curriculum, CurriculumConfig

MASTERED, IMPROVING, HOPELESS, FORGETTING = range(4)
CURVES: dict[int, Callable[[int], float]] = {
    MASTERED: lambda _: 0.95,
    IMPROVING: lambda n: min(0.9, 0.1 + 0.01 * n),
    HOPELESS: lambda _: 0.1,
    FORGETTING: lambda n: max(0.2, 0.9 - 0.01 * n),
}
NOISE = 0.02


def _played(rounds: int, *, config: CurriculumConfig | None = None) -> tuple[Curriculum, np.ndarray]:
    """A curriculum after rounds of two draws each, and how often each of four tasks was drawn."""
    rng = np.random.default_rng(3)
    curriculum, drawn = Curriculum(4, config), np.zeros(4, int)
    for _ in range(rounds):
        for index in curriculum.draw(rng, 2).tolist():
            score = CURVES[index](int(drawn[index])) + NOISE * float(rng.standard_normal())
            curriculum.report(index, score)
            drawn[index] += 1
    return curriculum, drawn


def test_a_task_that_improves_is_drawn_more_than_a_mastered_one() -> None:
    _, drawn = _played(60)
    assert drawn[IMPROVING] > 1.3 * drawn[MASTERED]


def test_a_task_that_improves_is_drawn_more_than_a_hopeless_one() -> None:
    _, drawn = _played(60)
    assert drawn[IMPROVING] > 1.3 * drawn[HOPELESS]


def test_a_task_that_is_being_forgotten_comes_back() -> None:
    curriculum, _ = _played(60)
    assert curriculum.probabilities()[FORGETTING] > 2 * curriculum.probabilities()[MASTERED]


def test_what_has_been_learned_is_drawn_no_more_than_what_always_was_known() -> None:
    curriculum = Curriculum(2)
    for n in range(400):
        curriculum.report(0, min(0.9, 0.01 * n))
        curriculum.report(1, 0.9)
    assert curriculum.probabilities() == pytest.approx([0.5, 0.5], abs=1e-3)


def test_a_hopeless_task_keeps_its_floor() -> None:
    curriculum = Curriculum(10, CurriculumConfig(floor=0.4, noise=0.0))
    for n in range(50):
        for index in range(10):
            curriculum.report(index, 0.01 * n if index else 0.0)
    assert curriculum.probabilities()[0] == pytest.approx(0.04)


def test_the_floor_holds_over_many_draws() -> None:
    curriculum, rng = Curriculum(2, CurriculumConfig(floor=0.2, noise=0.0)), np.random.default_rng(0)
    for n in range(20):
        curriculum.report(0, 0.0)
        curriculum.report(1, float(n))
    drawn = sum(curriculum.draw(rng, 1)[0] == 0 for _ in range(4000))
    assert drawn == pytest.approx(400, abs=5 * (4000 * 0.1 * 0.9) ** 0.5)


def test_unknown_tasks_are_drawn_alike() -> None:
    assert Curriculum(5).probabilities() == pytest.approx([0.2] * 5)


def test_an_unknown_task_counts_as_the_one_that_progresses_most() -> None:
    curriculum = Curriculum(3, CurriculumConfig(floor=0.0, noise=0.0))
    for score in (0.0, 1.0):
        curriculum.report(0, score)
    for score in (1.0, 1.0):
        curriculum.report(1, score)
    assert curriculum.probabilities() == pytest.approx([0.5, 0.0, 0.5])


def test_progress_is_the_distance_of_the_two_averages() -> None:
    curriculum = Curriculum(1, CurriculumConfig(fast=0.5, slow=0.1))
    for score in (0.0, 1.0, 1.0):
        curriculum.report(0, score)
    assert curriculum.progress() == pytest.approx([0.75 - 0.19])


def test_draws_are_distinct() -> None:
    rng = np.random.default_rng(1)
    curriculum, _ = _played(30)
    assert all(len(set(curriculum.draw(rng, 4).tolist())) == 4 for _ in range(50))


def test_tasks_without_a_chance_come_last() -> None:
    curriculum = Curriculum(2, CurriculumConfig(floor=0.0, noise=0.0))
    for score in (0.0, 1.0):
        curriculum.report(0, score)
        curriculum.report(1, 0.5)
    assert all(curriculum.draw(np.random.default_rng(seed), 2).tolist() == [0, 1] for seed in range(50))


def test_a_restored_curriculum_goes_on_alike() -> None:
    curriculum, _ = _played(30)
    again = Curriculum(4)
    again.restore(json.loads(json.dumps(curriculum.state())))
    for either in (curriculum, again):
        either.report(2, 0.7)
    assert (curriculum.draw(np.random.default_rng(5), 3) == again.draw(np.random.default_rng(5), 3)).all()
    assert (curriculum.probabilities() == again.probabilities()).all()


def test_a_state_of_other_tasks_is_refused() -> None:
    with pytest.raises(RunError, match="expected the state of 4 tasks, got one of 3"):
        Curriculum(4).restore(Curriculum(3).state())


@pytest.mark.parametrize(
    ("state", "line"),
    [
        ({"fast": [0.0], "slow": [0.0]}, "curriculum: reports: Field required"),
        ({"reports": [1], "fast": [float("nan")], "slow": [0.0]}, "curriculum: fast.0: .*finite"),
        ({"reports": [-1], "fast": [0.0], "slow": [0.0]}, "curriculum: reports.0: .*, got -1"),
    ],
)
def test_a_broken_state_is_refused(state: dict[str, object], line: str) -> None:
    with pytest.raises(RunError, match=line):
        Curriculum(1).restore(state)


def test_a_refused_state_changes_nothing() -> None:
    curriculum, _ = _played(30)
    before = curriculum.state()
    with pytest.raises(RunError):
        curriculum.restore(Curriculum(3).state())
    assert curriculum.state() == before


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match="expected a finite number"):
        Curriculum(1).report(0, score)


@pytest.mark.parametrize("index", [-1, 2])
def test_a_task_that_is_not_there_is_refused(index: int) -> None:
    with pytest.raises(ValueError, match="expected a task from 0 to 1"):
        Curriculum(2).report(index, 0.5)


def test_more_draws_than_tasks_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 0 to 2 tasks, got 3"):
        Curriculum(2).draw(np.random.default_rng(0), 3)


def test_an_average_that_is_not_faster_is_refused() -> None:
    with pytest.raises(ValueError, match="expected more than slow"):
        CurriculumConfig(fast=0.1, slow=0.1)
