"""The sequential test against its definition and in simulated matches."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from selfplay.sprt import LEAST_PAIRS, PAIR_POINTS, Sprt, elo_of_points, pair_counts, points_of_elo


def test_elo_points() -> None:
    """The usual table: 100 points are 64.0 %, 200 are 76.0 %, 400 are ten to one."""
    assert points_of_elo(100) == pytest.approx(0.640065, abs=1e-6)
    assert points_of_elo(200) == pytest.approx(0.759747, abs=1e-6)
    assert points_of_elo(-400) == pytest.approx(1 / 11)
    assert elo_of_points(points_of_elo(37.5)) == pytest.approx(37.5)
    assert elo_of_points(1.0) == math.inf
    assert elo_of_points(0.0) == -math.inf


def test_pairs_are_counted_by_their_points() -> None:
    assert pair_counts([0, 0.25, 0.25, 1, 0.5, 1, 1]).tolist() == [1, 2, 1, 0, 3]


def constrained_log_likelihood(counts: NDArray[np.float64], points: float) -> float:
    """The largest log-likelihood of a distribution with this mean, by a general-purpose optimiser."""
    constraints = [
        {"type": "eq", "fun": lambda p: p.sum() - 1},
        {"type": "eq", "fun": lambda p: p @ PAIR_POINTS - points},
    ]
    found = minimize(
        lambda p: -(counts @ np.log(p)) / counts.sum(),
        np.full(5, 0.2),
        bounds=[(1e-9, 1)] * 5,
        constraints=constraints,
        options={"ftol": 1e-14, "maxiter": 500},
    )
    return float(-found.fun * counts.sum())


@pytest.mark.parametrize("counts", [(10, 20, 40, 25, 15), (3, 5, 60, 30, 2), (1, 1, 1, 1, 30)])
def test_the_ratio_is_that_of_the_likeliest_distributions(counts: tuple[int, ...]) -> None:
    test = Sprt(elo0=0, elo1=50)
    expected = constrained_log_likelihood(np.array(counts, float), points_of_elo(50)) - (
        constrained_log_likelihood(np.array(counts, float), points_of_elo(0))
    )
    assert test.log_likelihood_ratio(np.repeat(PAIR_POINTS, counts)) == pytest.approx(expected, abs=1e-3)


def test_without_openings_nothing_is_known() -> None:
    assert Sprt().log_likelihood_ratio([]) == 0.0
    assert Sprt().verdict([]) is None


def test_a_few_openings_never_decide() -> None:
    assert Sprt(0, 100).verdict([1.0] * (LEAST_PAIRS - 1)) is None
    assert Sprt(0, 100).verdict([1.0] * 40) == "stronger"
    assert Sprt(0, 100).verdict([0.0] * 40) == "not stronger"


def verdicts(test: Sprt, elo: float, draws: float, matches: int, seed: int) -> list[str]:
    """What simulated matches end with, when the players truly differ by `elo`."""
    random, points = np.random.default_rng(seed), points_of_elo(elo)
    shares = [points - draws / 2, draws, 1 - points - draws / 2]
    ends = []
    for _ in range(matches):
        pairs = random.choice([1.0, 0.5, 0.0], p=shares, size=(4000, 2)).mean(axis=1)
        given = (test.verdict(pairs[:n]) for n in range(LEAST_PAIRS, 4001, 8))
        ends.append(next(verdict for verdict in given if verdict))
    return ends


@pytest.mark.parametrize("draws", [0.0, 0.4])
def test_error_rates_hold_in_simulation(draws: float) -> None:
    """5 % are allowed; in 300 matches 8 % would be 2.4 standard deviations too many."""
    test = Sprt(elo0=0, elo1=80, alpha=0.05, beta=0.05)
    assert verdicts(test, 0, draws, 300, seed=1).count("stronger") <= 0.08 * 300
    assert verdicts(test, 80, draws, 300, seed=2).count("not stronger") <= 0.08 * 300


def test_stricter_errors_take_longer() -> None:
    pairs = np.tile([0.5, 0.75, 0.5, 1.0, 0.25], 5)
    assert Sprt(0, 100, alpha=0.2, beta=0.2).verdict(pairs) == "stronger"
    assert Sprt(0, 100, alpha=0.001, beta=0.001).verdict(pairs) is None
