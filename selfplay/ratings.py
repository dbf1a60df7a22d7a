"""Ratings from matches: the Bradley-Terry model with draws, and how sure one can be of them.

Davidson (1970), "On extending the Bradley-Terry model to accommodate ties": players of strengths a and b win,
draw and lose in the proportion sqrt(a / b) : v : sqrt(b / a). A rating in Elo points is 400 log10 of a
strength.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

ELO = 400.0 / math.log(10.0)
"""Elo points in a factor of e."""

REPLICATES = 1000
"""Samples of the bootstrap."""

_PAIR_TYPES = np.array([(2, 0, 0), (1, 1, 0), (1, 0, 1), (0, 2, 0), (0, 1, 1), (0, 0, 2)], np.float64)
"""Wins, draws and losses that the two games of an opening can give."""

_EVEN_TYPE, _EVEN = 2, np.array([0.5, 0.0, 0.5])

_STEPS, _LONGEST_STEP, _ENOUGH = 100, 2.0, 1e-6
_DRAW_RANGE = 12.0
"""Bounds of the log of v, for tournaments without a draw or with nothing else."""


class Pairing(NamedTuple):
    """Results between two players.

    first, second: indices of players
    openings: float64 `[N, 3]`: the first player's wins, draws and losses in the two games of each opening
    """

    first: int
    second: int
    openings: NDArray[np.float64]


class Ratings(NamedTuple):
    """Ratings of P players in Elo points.

    ratings, low, high: float64 `[P]`: the likeliest, and the bounds of the interval
    superiority: float64 `[P, P]`: how likely player i is stronger than player j
    draw_share: how often equal players draw, by the model
    """

    ratings: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    superiority: NDArray[np.float64]
    draw_share: float


def rate(
    players: int,
    pairings: Sequence[Pairing],
    *,
    anchor: int | None = None,
    confidence: float = 0.95,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Ratings:
    """The likeliest ratings, and intervals by a bootstrap over openings.

    The two games of an opening are drawn together, since they have much in common. To what a pairing is drawn
    from an even pair of games is added, so that a clean sweep leaves some doubt.

    Args:
        players: P; each must be connected to all others through pairings.
        pairings: who played whom and how it went.
        anchor: the player whose rating is zero; by default the mean is.
        confidence: of the intervals.
        replicates: samples of the bootstrap.
        seed: of the bootstrap.
    """
    random = np.random.default_rng(seed)
    ends = np.array([(pairing.first, pairing.second) for pairing in pairings])
    counts = np.stack([pairing.openings.sum(axis=0) for pairing in pairings])[None]
    likeliest = fit(players, ends, counts)
    doubts = likeliest.doubt[0].tolist()
    drawn = [_resampled(p, doubt, replicates, random) for p, doubt in zip(pairings, doubts, strict=True)]
    strengths = likeliest.strengths
    samples = fit(players, ends, np.stack(drawn, axis=1)).strengths
    zero = strengths.mean(axis=1) if anchor is None else strengths[:, anchor]
    zeros = samples.mean(axis=1) if anchor is None else samples[:, anchor]
    ratings, spread = ELO * (strengths[0] - zero[0]), ELO * (samples - zeros[:, None])
    tail = (1.0 - confidence) / 2
    low, high = np.quantile(spread, [tail, 1.0 - tail], axis=0)
    ahead = samples[:, :, None] - samples[:, None, :]
    superiority = ((ahead > 0) + 0.5 * (ahead == 0)).mean(axis=0)
    v = math.exp(likeliest.log_draws[0])
    return Ratings(ratings, np.minimum(low, ratings), np.maximum(high, ratings), superiority, v / (2.0 + v))


def pair_results(results: ArrayLike) -> NDArray[np.float64]:
    """Results of games, 1, 0 or -1, those of an opening side by side, as `Pairing.openings` counts them."""
    pairs = np.asarray(results).reshape(-1, 2)
    return np.stack([(pairs == sign).sum(axis=1) for sign in (1, 0, -1)], axis=1).astype(np.float64)


class Fit(NamedTuple):
    """The likeliest parameters of R tournaments.

    strengths: float64 `[R, P]`, logs, with mean zero; log_draws: float64 `[R]`, log of v
    doubt: float64 `[R, M]`: games of even outcome that stand for each pairing's doubt
    """

    strengths: NDArray[np.float64]
    log_draws: NDArray[np.float64]
    doubt: NDArray[np.float64]


def fit(players: int, ends: NDArray[np.int64], counts: NDArray[np.float64]) -> Fit:
    """Maximum likelihood for many tournaments with the same pairings at once, by Newton's method.

    The log-likelihood is concave in the logs of strengths and of v, which are its parameters. It is penalised
    as Firth (1993), "Bias reduction of maximum likelihood estimates", does it for logistic models: a pairing
    is taken to have had so many even games besides as it has leverage on the ratings, P - 1 in all. So a
    player who won every game has a rating, too.

    Args:
        players: P.
        ends: int64 `[M, 2]`: first and second player of each pairing.
        counts: float64 `[R, M, 3]`: the first player's wins, draws and losses.
    """
    slopes = _slopes(players, ends)
    parameters = np.zeros((len(counts), players + 1))
    games, doubt = counts.sum(axis=2), np.zeros(counts.shape[:2])
    for _ in range(_STEPS):
        shares = _shares(parameters, slopes)
        with_doubt = counts + doubt[:, :, None] * _EVEN
        total = with_doubt.sum(axis=2)
        gradient = np.einsum("rmo,mop->rp", with_doubt - total[:, :, None] * shares, slopes)
        information = _information(shares, slopes)
        curvature = _summed(total, information)
        curvature[:, :players, :players] += 1.0  # strengths only count up to a constant
        step = np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0]
        step *= np.minimum(1.0, _LONGEST_STEP / np.maximum(np.abs(step).max(axis=1), 1e-12))[:, None]
        before, before_doubt = parameters, doubt
        parameters = parameters + step
        parameters[:, -1] = parameters[:, -1].clip(-_DRAW_RANGE, _DRAW_RANGE)
        own = information[:, :, :players, :players]
        covariance = np.linalg.inv(_summed(games, own) + 1.0)
        doubt = games * np.einsum("rmpq,rqp->rm", own, covariance)
        if max(np.abs(parameters - before).max(), np.abs(doubt - before_doubt).max()) < _ENOUGH:
            break
    strengths = parameters[:, :players]
    return Fit(strengths - strengths.mean(axis=1, keepdims=True), parameters[:, -1], doubt)


def _summed(games: NDArray[np.float64], information: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64 `[R, K, K]`: what all games together tell of K parameters, with a trace of a prior."""
    summed: NDArray[np.float64] = np.einsum("rm,rmpq->rpq", games, information)
    return summed + 1e-9 * np.eye(summed.shape[1])


def _information(shares: NDArray[np.float64], slopes: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64 `[R, M, P + 1, P + 1]`: what one game of each pairing tells of the parameters (Fisher)."""
    mean = np.einsum("rmo,mop->rmp", shares, slopes)
    square = np.einsum("rmo,mop,moq->rmpq", shares, slopes, slopes, optimize=True)
    information: NDArray[np.float64] = square - mean[:, :, :, None] * mean[:, :, None, :]
    return information


def _slopes(players: int, ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """float64 `[M, 3, P + 1]`: how the logit of a win, draw, loss grows with each parameter, v's log last."""
    slopes = np.zeros((len(ends), 3, players + 1))
    rows = np.arange(len(ends))
    for outcome, sign in ((0, 0.5), (2, -0.5)):
        slopes[rows, outcome, ends[:, 0]] = sign
        slopes[rows, outcome, ends[:, 1]] = -sign
    slopes[:, 1, players] = 1.0
    return slopes


def _shares(parameters: NDArray[np.float64], slopes: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64 `[R, M, 3]`: the model's chances of a win, draw and loss."""
    logits = np.einsum("rp,mop->rmo", parameters, slopes)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    shares: NDArray[np.float64] = weights / weights.sum(axis=2, keepdims=True)
    return shares


def _resampled(
    pairing: Pairing, doubt: float, replicates: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """float64 `[replicates, 3]`: wins, draws and losses over openings drawn with replacement.

    `doubt` is how often an even pair lies among them.
    """
    same = (pairing.openings[:, None, :] == _PAIR_TYPES).all(axis=2)
    types = same.sum(axis=0).astype(np.float64)
    types[_EVEN_TYPE] += doubt
    drawn = random.multinomial(len(pairing.openings), types / types.sum(), size=replicates)
    totals: NDArray[np.float64] = drawn @ _PAIR_TYPES
    return totals
