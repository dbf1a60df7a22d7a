"""Is one player stronger than another? A sequential test that stops as soon as the answer is clear."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

PAIR_POINTS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
"""Shares of the points that the two games of an opening can give."""

LEAST_PAIRS = 8
"""Openings before the test may stop: what it assumes holds for many."""

_UNSEEN = 1e-3
"""Openings with an outcome that hasn't come up yet, so that no outcome is impossible."""

_BISECTIONS = 60

Verdict = Literal["stronger", "not stronger"]


class Sprt(NamedTuple):
    """Wald's sequential probability ratio test between two differences of strength.

    The likelihood of each hypothesis is that of the best distribution over the results of an opening (a pair
    of games, `PAIR_POINTS`) that has the hypothesis' expected points: the generalised test for trials with
    more than two outcomes, as chess engines are tested by it (Van den Bergh, "A practical introduction to the
    GSPRT").

    elo0, elo1: the differences in Elo points; "stronger" says it is elo1 rather than elo0
    alpha: chance of "stronger" if the difference is elo0; beta: of "not stronger" if it is elo1
    """

    elo0: float = 0.0
    elo1: float = 35.0
    alpha: float = 0.05
    beta: float = 0.05

    def log_likelihood_ratio(self, pair_points: ArrayLike) -> float:
        """Log of how much likelier elo1 makes the openings' points than elo0; `pair_points` as in a match."""
        counts = pair_counts(pair_points)
        if not counts.any():
            return 0.0
        counts = np.where(counts == 0, _UNSEEN, counts)
        return float(
            counts @ np.log(_likeliest(counts, points_of_elo(self.elo1)))
            - counts @ np.log(_likeliest(counts, points_of_elo(self.elo0)))
        )

    def verdict(self, pair_points: ArrayLike) -> Verdict | None:
        """What the openings so far say; None as long as they don't say enough."""
        if np.size(pair_points) < LEAST_PAIRS:
            return None
        ratio = self.log_likelihood_ratio(pair_points)
        if ratio >= math.log((1 - self.beta) / self.alpha):
            return "stronger"
        return "not stronger" if ratio <= math.log(self.beta / (1 - self.alpha)) else None


def points_of_elo(elo: float) -> float:
    """Expected share of the points of a player who is so many Elo points stronger."""
    return float(1.0 / (1.0 + 10.0 ** (-elo / 400.0)))


def elo_of_points(points: float) -> float:
    """The inverse of `points_of_elo`; infinite at 0 and 1."""
    if points <= 0.0 or points >= 1.0:
        return math.copysign(math.inf, points - 0.5)
    return -400.0 * math.log10(1.0 / points - 1.0)


def pair_counts(pair_points: ArrayLike) -> NDArray[np.float64]:
    """float64 `[5]`: how many openings gave each of `PAIR_POINTS`."""
    index = np.rint(np.asarray(pair_points, np.float64) * 4).astype(np.int64)
    return np.bincount(index, minlength=len(PAIR_POINTS)).astype(np.float64)


def _likeliest(counts: NDArray[np.float64], points: float) -> NDArray[np.float64]:
    """The distribution over `PAIR_POINTS` with this mean under which the counts are likeliest.

    With a Lagrange multiplier x it is share / (1 + x (PAIR_POINTS - points)), where x makes the mean right;
    the mean falls as x grows, so x is found by bisection.
    """
    shares, distance = counts / counts.sum(), PAIR_POINTS - points
    low, high = -1.0 / distance.max(), -1.0 / distance.min()
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if (shares * distance / (1.0 + middle * distance)).sum() > 0:
            low = middle
        else:
            high = middle
    likeliest: NDArray[np.float64] = shares / (1.0 + (low + high) / 2 * distance)
    return likeliest
