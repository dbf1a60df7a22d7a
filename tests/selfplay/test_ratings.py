"""Ratings against closed forms, another maximiser, and tournaments whose truth is planted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from selfplay.ratings import ELO, Pairing, fit, pair_results, rate

Array = NDArray[np.float64]


def chances(difference: float, v: float) -> Array:
    """Davidson's win, draw and loss for two players whose ratings differ by so many Elo points."""
    strength = 10 ** (difference / 400)
    weights = np.array([math.sqrt(strength), v, 1 / math.sqrt(strength)])
    return weights / weights.sum()


def tournament(elos: Array, v: float, openings: int, random: np.random.Generator) -> list[Pairing]:
    """Every pairing's results, drawn from the model."""
    pairings = []
    for i in range(len(elos)):
        for j in range(i + 1, len(elos)):
            results = random.choice([1, 0, -1], p=chances(elos[i] - elos[j], v), size=2 * openings)
            pairings.append(Pairing(i, j, pair_results(results)))
    return pairings


def test_results_are_counted_by_opening() -> None:
    counted = pair_results([1, 1, 1, -1, 0, 0, -1, 0])
    assert counted.tolist() == [[2, 0, 0], [1, 0, 1], [0, 2, 0], [0, 1, 1]]


def test_two_players_without_draws_have_their_odds() -> None:
    """Firth's estimate for a share is (wins + 1/2) / (games + 1): here 60.5 to 20.5."""
    results = [1, 1] * 25 + [1, -1] * 10 + [-1, -1] * 5
    rated = rate(2, [Pairing(0, 1, pair_results(results))], replicates=10)
    assert rated.ratings[0] - rated.ratings[1] == pytest.approx(400 * math.log10(60.5 / 20.5), abs=0.01)
    assert rated.ratings.sum() == pytest.approx(0)
    assert rated.draw_share < 0.001


def test_equal_players_draw_as_often_as_they_did() -> None:
    rated = rate(2, [Pairing(0, 1, pair_results([1, -1] * 300 + [0, 0] * 100))], replicates=10)
    assert rated.draw_share == pytest.approx(0.25, abs=0.002)
    assert rated.ratings == pytest.approx([0, 0], abs=1e-6)


def test_the_fit_is_the_maximum_that_scipy_finds() -> None:
    """With many games the penalty doesn't matter; scipy maximises the likelihood as it is written down."""
    elos, random = np.array([-150.0, -20.0, 60.0, 110.0]), np.random.default_rng(1)
    pairings = tournament(elos, 0.6, 20_000, random)
    ends = np.array([(p.first, p.second) for p in pairings])
    counts = np.stack([p.openings.sum(axis=0) for p in pairings])

    def loss(parameters: Array) -> float:
        strengths, log_v = np.append(parameters[:3], -parameters[:3].sum()), parameters[3]
        return (
            -sum(
                float(n @ np.log(chances(ELO * (strengths[i] - strengths[j]), math.exp(log_v))))
                for (i, j), n in zip(ends, counts, strict=True)
            )
            / counts.sum()
        )

    best = minimize(loss, np.zeros(4), method="BFGS", tol=1e-9).x
    ours = fit(4, ends, counts[None])
    assert ours.strengths[0, :3] == pytest.approx(best[:3], abs=2e-4)
    assert ours.log_draws[0] == pytest.approx(best[3], abs=2e-4)


def test_doubt_is_shared_out_by_leverage() -> None:
    """P - 1 even games in all, and little for a pairing whose result was clear before."""
    elos, random = np.array([-600.0, 0.0, 600.0]), np.random.default_rng(2)
    pairings = tournament(elos, 1e-6, 200, random)
    ends = np.array([(p.first, p.second) for p in pairings])
    doubt = fit(3, ends, np.stack([p.openings.sum(axis=0) for p in pairings])[None]).doubt[0]
    assert doubt.sum() == pytest.approx(2, abs=0.01)
    between_extremes = ends.tolist().index([0, 2])
    assert doubt[between_extremes] < 0.1 * np.delete(doubt, between_extremes).min()


def test_a_clean_sweep_has_a_rating_and_a_wide_interval() -> None:
    rated = rate(2, [Pairing(0, 1, pair_results([1, 1] * 50))])
    difference = rated.ratings[0] - rated.ratings[1]
    assert difference == pytest.approx(400 * math.log10(100.5 / 0.5), abs=0.1)
    assert rated.low[0] < 0.8 * rated.ratings[0]
    assert rated.superiority[0, 1] > 0.99


def test_an_anchor_is_zero_and_its_own_interval_empty() -> None:
    pairings = tournament(np.array([0.0, 100.0, 200.0]), 0.3, 50, np.random.default_rng(3))
    free, anchored = rate(3, pairings), rate(3, pairings, anchor=1)
    assert (anchored.ratings[1], anchored.low[1], anchored.high[1]) == (0, 0, 0)
    assert anchored.ratings - anchored.ratings[0] == pytest.approx(free.ratings - free.ratings[0])


def test_superiority_of_equal_players_is_even() -> None:
    rated = rate(2, [Pairing(0, 1, pair_results([1, -1, -1, 1, 1, 1, -1, -1] * 10))])
    assert rated.superiority[0, 1] == pytest.approx(0.5, abs=0.05)
    assert rated.superiority[0, 1] + rated.superiority[1, 0] == pytest.approx(1)


def test_superiority_is_as_sure_as_the_normal_approximation() -> None:
    """60 points of 100 without draws: 2.04 standard deviations ahead, a chance of 97.9 %."""
    results = np.random.default_rng(4).permutation([1] * 60 + [-1] * 40)
    pairs = pair_results(results)
    error = (pairs @ [1, 0.5, 0] / 2).std() / math.sqrt(50)
    expected = 0.5 * (1 + math.erf(0.1 / error / math.sqrt(2)))
    assert rate(2, [Pairing(0, 1, pairs)]).superiority[0, 1] == pytest.approx(expected, abs=0.02)


def test_games_of_an_opening_that_always_agree_count_half() -> None:
    """Pairs that are 2:0 or 0:2 tell as much as single games: the interval is wider by the root of two."""
    random = np.random.default_rng(5)
    single = random.permutation([1] * 110 + [-1] * 90)
    alone = rate(2, [Pairing(0, 1, pair_results(single))])
    twice = rate(2, [Pairing(0, 1, pair_results(np.repeat(single[:100], 2)))])
    width = (twice.high[0] - twice.low[0]) / (alone.high[0] - alone.low[0])
    assert 1.2 < width < 1.65


@pytest.mark.parametrize(
    ("elos", "v", "openings"),
    [((-120, 0, 120), 0.4, 50), ((-500, 0, 500), 0.1, 100)],
    ids=["close", "far apart"],
)
def test_intervals_hold_the_planted_strengths(elos: tuple[float, ...], v: float, openings: int) -> None:
    """In 1,000 tournaments, 95 % intervals cover 93 to 97 %."""
    truth, random = np.array(elos, np.float64), np.random.default_rng(6)
    held = []
    for seed in range(1000):
        rated = rate(len(truth), tournament(truth, v, openings, random), replicates=200, seed=seed)
        held.append((rated.low <= truth) & (truth <= rated.high))
    assert 0.93 <= np.mean(held) <= 0.97
