"""How good are an agent's moves in positions whose truth is known?"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from games import Variant
from selfplay.opponents import load_player
from selfplay.player import Analysis, Player
from selfplay.suite import SolvedPosition, sign_of
from selfplay.versions import versions

BATCH = 256
"""Positions that a player is asked about at once."""

RESAMPLES = 1000
"""Of the positions, for a bootstrap interval."""

MEAN = "mean of sets"

VALUE_NAMES = {1: "won", 0: "drawn", -1: "lost"}
"""Positions by what they are worth to the player to move."""


class Estimate(NamedTuple):
    """A mean over positions and its bootstrap interval of 95 %; NaN where no position counts."""

    mean: float
    low: float
    high: float


class Score(NamedTuple):
    """How a player does on some positions. Shares are from 0 to 1.

    positions: how many
    can_fail: in how many of them a mistake is possible: not every move keeps the value
    value_preserving: moves that keep the position's value (a win stays a win, a draw a draw)
    value_preserving_if_can_fail: the same over the positions in which a mistake is possible
    optimal: moves with the best score
    regret: mean of the best move's game value less the chosen one's, 0 to 2
    value_error: mean distance of what the player thinks of the position from its value, 0 to 2
    value_sign: positions with a winner in which the player thinks so, too
    """

    positions: int
    can_fail: int
    value_preserving: Estimate
    value_preserving_if_can_fail: Estimate
    optimal: Estimate
    regret: Estimate
    value_error: Estimate
    value_sign: Estimate

    def report(self) -> dict[str, Any]:
        """As JSON: means by name, the intervals beside them; None where no position counts."""
        estimates = {name: value for name, value in self._asdict().items() if isinstance(value, Estimate)}
        return {
            "positions": self.positions,
            "can_fail": self.can_fail,
            **{name: _number(estimate.mean) for name, estimate in estimates.items()},
            "intervals": {
                name: [_number(estimate.low), _number(estimate.high)] for name, estimate in estimates.items()
            },
        }


class Evaluation(NamedTuple):
    """A player's scores on a suite.

    sets: by the set's name, in the suite's order
    mean: over the sets, each counting the same
    by_value: by what the positions are worth, see `VALUE_NAMES`; those that occur, sets put together
    """

    sets: dict[str, Score]
    mean: Score
    by_value: dict[str, Score]
    seconds: float

    def report(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "sets": {name: score.report() for name, score in self.sets.items()},
            "mean": self.mean.report(),
            "by_value": {name: score.report() for name, score in self.by_value.items()},
            "seconds": round(self.seconds, 3),
        }


# --- players ------------------------------------------------------------------------------------------------


def load_players(
    agent: str, simulations: Sequence[int] = (), *, seed: int = 0, threads: int = 1
) -> list[Player]:
    """The same agent once for each number of simulations, without repetition; `AgentError` as `load_player`.

    simulations: for networks; none given: 0, the policy alone, and the default
    """
    load = partial(load_player, agent, seed=seed, threads=threads)
    if simulations:
        return [load(simulations=number) for number in dict.fromkeys(simulations)]
    player = load()
    return [load(simulations=0), player] if player.variants is not None and "@" not in agent else [player]


def evaluate_player(
    player: Player,
    variant: Variant,
    suite: Sequence[SolvedPosition],
    *,
    progress: Callable[[int], None] | None = None,
) -> Evaluation:
    """Score a player's moves on solved positions.

    Args:
        player: asked for its moves in batches.
        variant: of the suite's positions.
        suite: solved positions, at least one.
        progress: called with the number of positions that were just done.

    Raises:
        AgentError: the player can't play this variant's board.
    """
    began = time.perf_counter()
    player.check_plays(variant)
    marks: list[_Marks] = []
    for first in range(0, len(suite), BATCH):
        batch = suite[first : first + BATCH]
        analyses = player.analyse_many([solved.position for solved in batch])
        marks += [_mark(solved, analysis) for solved, analysis in zip(batch, analyses, strict=True)]
        if progress:
            progress(len(batch))
    sets = _grouped((solved.set for solved in suite), marks)
    worth = [VALUE_NAMES[max(solved.values.values())] for solved in suite]
    by_value = _grouped(worth, marks)
    return Evaluation(
        sets={name: _score([rows]) for name, rows in sets.items()},
        mean=_score(list(sets.values())),
        by_value={name: _score([by_value[name]]) for name in VALUE_NAMES.values() if name in by_value},
        seconds=time.perf_counter() - began,
    )


class _Marks(NamedTuple):
    """What one move and one opinion are worth; means of these are what `Score` is computed from."""

    preserving: float
    optimal: float
    regret: float
    value_error: float
    can_fail: float
    preserving_and_can_fail: float
    decided: float
    decided_and_right_sign: float


def _mark(solved: SolvedPosition, analysis: Analysis) -> _Marks:
    values, action = solved.values, analysis.action
    best = max(values.values())
    preserving, can_fail = values[action] == best, min(values.values()) < best
    return _Marks(
        preserving=preserving,
        optimal=solved.scores[action] == max(solved.scores.values()),
        regret=best - values[action],
        value_error=abs(analysis.value_to_play - best),
        can_fail=can_fail,
        preserving_and_can_fail=preserving and can_fail,
        decided=best != 0,
        decided_and_right_sign=best != 0 and sign_of(analysis.value_to_play) == best,
    )


def _grouped(names: Iterable[str], marks: Sequence[_Marks]) -> dict[str, NDArray[np.float64]]:
    """float64 `[N, marks]` by name, in the order in which the names come up."""
    groups: dict[str, list[_Marks]] = {}
    for name, mark in zip(names, marks, strict=True):
        groups.setdefault(name, []).append(mark)
    return {name: np.array(rows, np.float64) for name, rows in groups.items()}


def _score(groups: Sequence[NDArray[np.float64]]) -> Score:
    """The score over groups of marks `[N, marks]`, each group counting the same, with bootstrap intervals.

    Positions are drawn anew within their groups (percentile bootstrap: Efron 1979), always the same draws.
    """
    random = np.random.default_rng(0)
    means = _mean_of_known(np.array([_measures(rows.mean(axis=0)) for rows in groups]))
    resampled = _mean_of_known(np.array([_measures(_redrawn(rows, random)) for rows in groups]))
    return Score(
        sum(len(rows) for rows in groups),
        round(sum(rows[:, _Marks._fields.index("can_fail")].sum() for rows in groups)),
        *(_estimate(mean, column) for mean, column in zip(means, resampled.T, strict=True)),
    )


def _redrawn(rows: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """float64 `[RESAMPLES, marks]`: means over as many rows, drawn with replacement."""
    n = len(rows)
    weights = np.full(n, 1 / n)
    return np.array([random.multinomial(n, weights) @ rows / n for _ in range(RESAMPLES)])


def _measures(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64 `[..., 6]`: `Score`'s estimates, in its order, from the means of the marks `[..., marks]`."""
    mean = _Marks(*np.moveaxis(means, -1, 0))
    with np.errstate(invalid="ignore"):
        return np.stack(
            [
                mean.preserving,
                np.divide(mean.preserving_and_can_fail, mean.can_fail),
                mean.optimal,
                mean.regret,
                mean.value_error,
                np.divide(mean.decided_and_right_sign, mean.decided),
            ],
            axis=-1,
        )


def _mean_of_known(measured: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the first axis without NaN; NaN where nothing else is."""
    known = np.isfinite(measured)
    count = known.sum(axis=0)
    total = np.where(known, measured, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _estimate(mean: float, resampled: NDArray[np.float64]) -> Estimate:
    known = resampled[np.isfinite(resampled)]
    if not len(known):
        return Estimate(math.nan, math.nan, math.nan)
    low, high = np.quantile(known, (0.025, 0.975)).tolist()
    return Estimate(float(mean), low, high)


def report(evaluations: Sequence[tuple[Player, Evaluation]], variant: Variant) -> dict[str, Any]:
    """Evaluations of one agent as JSON, by the number of simulations."""
    return {
        "agent": evaluations[0][0].name,
        "variant": {"name": variant.name, "digest": variant.digest},
        "simulations": {str(player.simulations): evaluation.report() for player, evaluation in evaluations},
        "versions": versions(),
    }


def table(evaluation: Evaluation) -> Iterable[str]:
    """An evaluation as lines for a person, the first one the heading; brackets hold 95 % intervals."""
    rows = {**evaluation.sets, MEAN: evaluation.mean, **evaluation.by_value}
    width = max(len(name) for name in rows)
    yield f"{'set':<{width}}  {'  '.join(_COLUMNS)}"
    for name, score in rows.items():
        kept = score.value_preserving
        cells = (
            str(score.positions),
            _percent(kept),
            f"[{100 * kept.low:.1f}, {100 * kept.high:.1f}]",
            f"{_percent(score.value_preserving_if_can_fail)} of {score.can_fail:3}",
            f"{score.regret.mean:.3f}",
            _percent(score.optimal),
            f"{score.value_error.mean:.3f}",
        )
        aligned = (f"{cell:>{len(column)}}" for cell, column in zip(cells, _COLUMNS, strict=True))
        yield f"{name:<{width}}  {'  '.join(aligned)}"


_COLUMNS = (
    "positions",
    "keeps the value",
    "          95 %",
    "if it can fail",
    "regret",
    "best score",
    "value off by",
)


def _percent(estimate: Estimate) -> str:
    return "-" if math.isnan(estimate.mean) else f"{estimate.mean:.1%}"


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
