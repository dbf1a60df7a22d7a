"""Numbers of a report, from recorded games and metrics. Only numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from selfplay.actor import Episode
from selfplay.reporting.data import Run, series

BINS = 11
"""Of equal width, over values from -1 to 1; an odd number, so that 0 lies in the middle of one."""

Z95 = 1.96


class Calibration(NamedTuple):
    """How what the search expected held against what happened; K bins, those without a position left out.

    centre: float `[K]`, of a bin; value, outcome: float `[K]`, means in it; -1 to 1 for the player to move
    low, high: float `[K]`, 95 % interval of the outcome, games taken as independent (not positions)
    share: float `[K]`, of all positions, sums to one; bin_games: int64 `[K]`, games they are from
    positions, games: how many
    error: mean squared difference of expected and real points (0, ½, 1), as Brier's score
    base_error: the same if the mean outcome were always expected
    gap: mean distance between a bin's value and outcome, in points, weighted by positions
    """

    centre: NDArray[np.float64]
    value: NDArray[np.float64]
    outcome: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    share: NDArray[np.float64]
    bin_games: NDArray[np.int64]
    positions: int
    games: int
    error: float
    base_error: float
    gap: float


class Outcomes(NamedTuple):
    """Finished games by result; first and second are seats."""

    first: int
    draws: int
    second: int

    @property
    def games(self) -> int:
        """All of them."""
        return sum(self)

    @property
    def shares(self) -> tuple[float, float, float]:
        """Of first, draws, second; zeros without a game."""
        games = max(1, self.games)
        return self.first / games, self.draws / games, self.second / games


def searched(episode: Episode) -> NDArray[np.bool_]:
    """bool `[T]`: plies that a search chose; what comes before the first of them was a random opening."""
    known = episode.recorded | (episode.value != 0)
    return np.logical_or.accumulate(known)


def calibration(episodes: Sequence[Episode]) -> Calibration | None:
    """Hold the searches' values against the games' results; None without a searched position."""
    value, outcome, game = _expected_and_real(episodes)
    if not len(value):
        return None
    place = np.clip(((value + 1) / 2 * BINS).astype(int), 0, BINS - 1)
    used = np.flatnonzero(np.bincount(place, minlength=BINS))
    means = [(value[place == b].mean(), outcome[place == b].mean()) for b in used]
    values, outcomes = np.array(means).T
    errors = np.array([_clustered_error(outcome[place == b], game[place == b]) for b in used])
    share = np.bincount(place, minlength=BINS)[used] / len(value)
    return Calibration(
        centre=(2 * used + 1) / BINS - 1,
        value=values,
        outcome=outcomes,
        low=np.maximum(-1.0, outcomes - Z95 * errors),
        high=np.minimum(1.0, outcomes + Z95 * errors),
        share=share,
        bin_games=np.array([len(np.unique(game[place == b])) for b in used]),
        positions=len(value),
        games=len(np.unique(game)),
        error=float(np.mean((value - outcome) ** 2) / 4),
        base_error=float(np.var(outcome) / 4),
        gap=float(np.sum(share * np.abs(values - outcomes)) / 2),
    )


def outcomes(episodes: Sequence[Episode]) -> Outcomes:
    """Count results by seat."""
    results = [episode.result for episode in episodes]
    return Outcomes(results.count(1), results.count(0), results.count(-1))


def lengths(episodes: Sequence[Episode]) -> NDArray[np.int64]:
    """int64 `[N]`: actions of each game."""
    return np.array([len(episode.actions) for episode in episodes], np.int64)


def smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Running mean over about a twentieth of the points around each; fewer at the ends."""
    half = len(values) // 40
    sums = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    start, stop = np.maximum(0, at - half), np.minimum(len(values), at + half + 1)
    smoothed: NDArray[np.float64] = (sums[stop] - sums[start]) / (stop - start)
    return smoothed


def by_variant(run: Run, episodes: Sequence[Episode]) -> dict[str, list[Episode]]:
    """Games by the name of their variant, in the run's order; equal names get a number."""
    names = [variant.name for variant in run.variants]
    return {
        name if names.count(name) == 1 else f"{name} ({index + 1})": [
            episode for episode in episodes if episode.variant == index
        ]
        for index, name in enumerate(names)
    }


def summary(run: Run) -> dict[str, Any]:
    """A run's numbers, fit for JSON."""
    last = run.rows[-1]
    games = run.games
    return {
        "run": str(run.path),
        "variants": [variant.name for variant in run.variants],
        "iterations": last["iteration"],
        "positions": last["positions"],
        "games": last.get("episodes"),
        "steps": last.get("steps"),
        "minutes": last["seconds"] / 60,
        "policy_loss": _late_mean(run, "policy_loss"),
        "value_loss": _late_mean(run, "value_loss"),
        "positions_per_second": last["positions"] / last["seconds"] if last["seconds"] else None,
        "evaluations_per_second": _late_mean(run, "evaluations_per_second"),
        "learning_share": _learning_share(run),
        "games_read": len(games.newest),
        "by_variant": {name: _facts(played) for name, played in by_variant(run, games.newest).items()},
        "calibration": {
            part: _calibration_facts(calibration(episodes))
            for part, episodes in (("newest", games.newest), ("first", games.first), ("last", games.last))
        },
        "strength": run.strength.model_dump() if run.strength else None,
        "missing": list(run.missing),
    }


def _expected_and_real(
    episodes: Sequence[Episode],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """`[N]` each: the search's value to play, outcome for the same player, number of the game."""
    values, outcomes_to_play, games = [np.zeros(0)], [np.zeros(0)], [np.zeros(0, np.int64)]
    for number, episode in enumerate(episodes):
        chosen = searched(episode)
        values.append(episode.value[chosen].astype(float))
        outcomes_to_play.append(np.where(episode.seat[chosen] == 0, episode.result, -episode.result))
        games.append(np.full(int(chosen.sum()), number))
    return np.concatenate(values), np.concatenate(outcomes_to_play), np.concatenate(games)


def _clustered_error(outcome: NDArray[np.float64], game: NDArray[np.int64]) -> float:
    """Standard error of a mean over positions, when positions of one game hang together; inf for one game."""
    names, cluster = np.unique(game, return_inverse=True)
    if len(names) < 2:
        return float("inf")
    residuals = np.bincount(cluster, weights=outcome - outcome.mean())
    spread = np.sum(residuals**2) * len(names) / (len(names) - 1)
    return float(np.sqrt(spread) / len(outcome))


def _late_mean(run: Run, key: str) -> float | None:
    """A metric's mean over the last tenth of its lines."""
    values = series(run, key).values
    return float(values[-max(1, len(values) // 10) :].mean()) if len(values) else None


def _learning_share(run: Run) -> float | None:
    """Share of the time that went into learning rather than playing."""
    play, learn = series(run, "play_seconds").values.sum(), series(run, "learn_seconds").values.sum()
    return float(learn / (play + learn)) if play + learn > 0 else None


def _facts(episodes: Sequence[Episode]) -> dict[str, Any]:
    plies, counts = lengths(episodes), outcomes(episodes)
    first, draws, second = counts.shares
    middle = (
        {"mean_plies": float(plies.mean()), "median_plies": float(np.median(plies))} if len(plies) else {}
    )
    return {"games": counts.games, "first_wins": first, "draws": draws, "second_wins": second, **middle}


def _calibration_facts(found: Calibration | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        key: value.tolist() if hasattr(value, "tolist") else value for key, value in found._asdict().items()
    }
