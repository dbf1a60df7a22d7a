"""What a study of initialisations says: speed-ups, strengths and differences, each with how sure one can be.

A study measures arms (an initialisation, or learning from scratch) on variants, with several seeds. A curve
is the strength after so many self-play positions. How many positions an arm needs to become that strong is
read off the mean of its seeds' curves, made monotone: what it once was it counts as from then on. Between
two measured points strength is taken to grow evenly with the logarithm of positions.

Two cases can't be read off. An arm that is that strong at the first measured point needs at most so many
positions: they are counted, so its speed-up is understated. An arm that never gets there within the budget
counts as if it needed `PENALTY` budgets (PAR2, as solvers are compared: Balint et al., SAT competitions).
Imports without torch.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from games import UserError
from selfplay.match import Z_95

PENALTY = 2.0
"""Budgets that a strength costs which isn't reached within one."""

REPLICATES = 2000
"""Of a bootstrap over variants."""

SEED_DRAWS = 100
"""Draws of a variant's seeds, from which a bootstrap takes one."""

_ENOUGH = 1e-9
"""Strengths that differ by less are equal."""

_Array = NDArray[np.float64]


class Curve(NamedTuple):
    """How strong one seed's agent was on the way.

    positions: float64 `[T]`, rising, of self-play; the first may be 0
    strength: float64 `[T]`, higher is better
    """

    positions: _Array
    strength: _Array


Curves = Mapping[str, Sequence[Curve]]
"""An arm: by variant, one curve a seed; all are measured at the same number of points."""


class Estimate(NamedTuple):
    """A figure and the bounds of its 95 % interval; NaN where there is nothing to compute it from."""

    value: float
    low: float
    high: float


Certainty = Literal["measured", "at the first point", "never"]


class Reach(NamedTuple):
    """Positions needed for a strength, and how that was found out."""

    positions: float
    certainty: Certainty


class Factor(NamedTuple):
    """How many times fewer positions an arm needs than a baseline does in one variant.

    value: baseline's positions per arm's
    bound: "=" as measured; ">=" the arm was there by the first point, so it is at least so many; "never": one
        of the two didn't get there and counts with the penalty; "?": both were there by the first point
    """

    value: float
    bound: Literal["=", ">=", "never", "?"]


class SpeedUp(NamedTuple):
    """Factors by variant and their geometric mean; the interval is over variants and seeds."""

    factors: Mapping[str, Factor]
    mean: Estimate

    def count(self, bound: str) -> int:
        """Variants whose factor has this bound."""
        return sum(factor.bound == bound for factor in self.factors.values())

    @property
    def median(self) -> float:
        """Hardly moved by what couldn't be read off."""
        return float(np.median([factor.value for factor in self.factors.values()]))


class Differences(NamedTuple):
    """An arm's strength less another's, in the end.

    by_variant: means over seeds
    noise: half of a 95 % interval by variant; the spread between seeds is taken to be alike in all variants
        that are measured alike; NaN if each of those has but one seed
    mean: over variants
    """

    by_variant: Mapping[str, float]
    noise: Mapping[str, float]
    mean: Estimate

    @property
    def worse(self) -> tuple[str, ...]:
        """Variants in which the arm falls back by more than noise."""
        return tuple(name for name, value in self.by_variant.items() if value < -self.noise[name])


# --- one variant --------------------------------------------------------------------------------------------


def mean_curve(curves: Sequence[Curve]) -> Curve:
    """The mean over seeds, point by point."""
    return Curve(
        np.mean([curve.positions for curve in curves], axis=0),
        np.mean([curve.strength for curve in curves], axis=0),
    )


def envelope(curve: Curve) -> Curve:
    """The best strength so far."""
    return curve._replace(strength=np.maximum.accumulate(curve.strength))


def strength_after(curve: Curve, positions: float) -> float:
    """Strength after so many positions, between points by the logarithm; outside them the nearest."""
    return float(np.interp(np.log1p(positions), np.log1p(curve.positions), curve.strength))


def reach(curve: Curve, strength: float) -> Reach:
    """How many positions a strength costs, see above."""
    positions, how = _needed(Curve(*(part[None] for part in curve)), np.array([strength]))
    return Reach(float(positions[0]), _CERTAINTIES[int(how[0])])


_CERTAINTIES: tuple[Certainty, ...] = get_args(Certainty)


def _needed(curves: Curve, strength: _Array) -> tuple[_Array, NDArray[np.int64]]:
    """`reach` of many curves `[K, T]` for a strength `[K]` each: positions, and how they were found out."""
    positions, best = curves.positions, np.maximum.accumulate(curves.strength, axis=1)
    there = best >= strength[:, None] - _ENOUGH
    rows, first = np.arange(len(positions)), there.argmax(axis=1)
    before = np.maximum(first - 1, 0)
    at_once = (first == 0) | (positions[rows, before] <= 0)
    earliest = positions[rows, (positions > 0).argmax(axis=1)]
    low, high = (
        np.log(np.maximum(1.0, positions[rows, before])),
        np.log(np.maximum(1.0, positions[rows, first])),
    )
    rise = best[rows, first] - best[rows, before]
    share = np.clip((strength - best[rows, before]) / np.where(rise > 0, rise, 1.0), 0.0, 1.0)
    between = np.exp(low + share * (high - low))
    never = ~there.any(axis=1)
    found = np.where(never, PENALTY * positions[:, -1], np.where(at_once, earliest, between))
    return found, np.where(never, 2, np.where(at_once, 1, 0))


def factor(arm: Curve, scratch: Curve, baseline: Curve | None, after: float) -> Factor:
    """How many times fewer positions than the baseline, for what scratch reaches within `after` positions.

    Without a baseline it is `after` itself, whether or not scratch was as strong earlier.
    """
    target = strength_after(envelope(scratch), after)
    needed = reach(arm, target)
    other = Reach(after, "measured") if baseline is None else reach(baseline, target)
    return Factor(other.positions / needed.positions, _bound(needed, other))


def _bound(arm: Reach, baseline: Reach) -> Literal["=", ">=", "never", "?"]:
    if "never" in (arm.certainty, baseline.certainty):
        return "never"
    if arm.certainty == "at the first point":
        return "?" if baseline.certainty == "at the first point" else ">="
    return "=" if baseline.certainty == "measured" else "?"


# --- many variants ------------------------------------------------------------------------------------------


def speed_up(
    arm: Curves, scratch: Curves, baseline: Curves | None = None, *, after: float, seed: int = 0
) -> SpeedUp:
    """An arm's speed-up over the variants that all of them have.

    Args:
        arm, scratch: curves.
        baseline: what the arm is held against; default: `after` positions, what scratch was given. Scratch as
            a baseline counts only the positions until it was that strong: never more, less if it stood still.
        after: positions of scratch that set the strength to reach.
        seed: of the bootstrap.
    """
    names = shared(arm, scratch, *([] if baseline is None else [baseline]))
    random = np.random.default_rng(seed)
    factors, logs = {}, []
    for name in names:
        parts = [arm[name], scratch[name], *([] if baseline is None else [baseline[name]])]
        factors[name] = _factor_of(parts, after)
        drawn = {id(part): _redrawn(part, random) for part in parts}  # scratch as a baseline: the same seeds
        logs.append(_drawn_logs([drawn[id(part)] for part in parts], after))
    value = _mean([math.log(found.value) for found in factors.values()])
    low, high = _interval(np.array(logs), random)
    return SpeedUp(factors, Estimate(*(math.exp(x) for x in (value, low, high))))


def strength_at(arm: Curves, positions: float, *, names: Sequence[str] | None = None) -> Estimate:
    """Mean strength over variants after so many positions, each variant counting the same."""
    random = np.random.default_rng(0)
    chosen = list(arm) if names is None else names
    values = [[strength_after(curve, positions) for curve in arm[name]] for name in chosen]
    draws = [_seed_means(seeds, random) for seeds in values]
    return Estimate(_mean([_mean(seeds) for seeds in values]), *_interval(np.array(draws), random))


def differences(
    arm: Curves, other: Curves, *, after: float, measures: Mapping[str, str] | None = None
) -> Differences:
    """How much stronger an arm is than another after so many positions, over the variants both have.

    measures: by variant, what its strength is measured by; default: all are measured alike
    """
    random = np.random.default_rng(0)
    pairs = {
        name: [np.array([strength_after(curve, after) for curve in side[name]]) for side in (arm, other)]
        for name in shared(arm, other)
    }
    values = {name: float(a.mean() - b.mean()) for name, (a, b) in pairs.items()}
    draws = [_seed_means(a, random) - _seed_means(b, random) for a, b in pairs.values()]
    mean = Estimate(_mean(list(values.values())), *_interval(np.array(draws), random))
    how = {name: "" if measures is None else measures[name] for name in pairs}
    noise = {
        measure: _noise([pair for name, pair in pairs.items() if how[name] == measure])
        for measure in set(how.values())
    }
    return Differences(values, {name: noise[how[name]] for name in pairs}, mean)


def shared(*arms: Curves) -> list[str]:
    """The variants that all arms have, in the first one's order."""
    return [name for name in arms[0] if all(name in other for other in arms[1:])]


def mean_over(values: Mapping[str, Sequence[float]]) -> Estimate:
    """Mean over variants of the means over seeds, with its interval over both."""
    random = np.random.default_rng(0)
    draws = [_seed_means(seeds, random) for seeds in values.values()]
    return Estimate(_mean([_mean(seeds) for seeds in values.values()]), *_interval(np.array(draws), random))


def _factor_of(parts: Sequence[Sequence[Curve]], after: float) -> Factor:
    arm, scratch, *rest = (mean_curve(curves) for curves in parts)
    return factor(arm, scratch, rest[0] if rest else None, after)


def _drawn_logs(parts: Sequence[Curve], after: float) -> _Array:
    """float64 `[SEED_DRAWS]`: logarithms of `factor`; parts: arm, scratch, baseline `[SEED_DRAWS, T]`."""
    arm, scratch, *rest = parts
    best = scratch._replace(strength=np.maximum.accumulate(scratch.strength, axis=1))
    targets = np.array([strength_after(Curve(*row), after) for row in zip(*best, strict=True)])
    baseline = _needed(rest[0], targets)[0] if rest else np.full(len(targets), after)
    logs: _Array = np.log(baseline / _needed(arm, targets)[0])
    return logs


def _redrawn(curves: Sequence[Curve], random: np.random.Generator) -> Curve:
    """Mean curves `[SEED_DRAWS, T]` over seeds drawn with replacement."""
    which = random.integers(len(curves), size=(SEED_DRAWS, len(curves)))
    return Curve(*(np.array(part)[which].mean(axis=1) for part in zip(*curves, strict=True)))


def _seed_means(values: Sequence[float] | _Array, random: np.random.Generator) -> _Array:
    """float64 `[SEED_DRAWS]`: means over seeds drawn with replacement."""
    array = np.asarray(values, np.float64)
    drawn: _Array = array[random.integers(len(array), size=(SEED_DRAWS, len(array)))].mean(axis=1)
    return drawn


def _interval(draws: _Array, random: np.random.Generator) -> tuple[float, float]:
    """Bounds of the mean over variants, from `[variants, SEED_DRAWS]`; percentile bootstrap (Efron 1979)."""
    if not draws.size:
        return math.nan, math.nan
    variants, seeds = draws.shape
    which = random.integers(variants, size=(REPLICATES, variants))
    means = draws[which, random.integers(seeds, size=which.shape)].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975)).tolist()
    return low, high


def _noise(pairs: Sequence[Sequence[_Array]]) -> float:
    """Half of a 95 % interval of a difference of two means of seeds, the spread pooled over all variants."""
    sides = [seeds for pair in pairs for seeds in pair]
    freedom = sum(len(seeds) - 1 for seeds in sides)
    if freedom == 0:
        return math.nan
    variance = sum(float(((seeds - seeds.mean()) ** 2).sum()) for seeds in sides) / freedom
    least = min(min(len(a), len(b)) for a, b in pairs)
    return Z_95 * math.sqrt(variance * 2.0 / least)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else math.nan


# --- files --------------------------------------------------------------------------------------------------

Row = dict[str, Any]
"""What a study measured of an arm in a variant with a seed, as `benchmarks/meta_study.py` writes it."""


def read_rows(path: Path) -> list[Row]:
    """The rows of a file, none if there is no file; a last line that was cut short doesn't count.

    Raises:
        UserError: a line isn't a row; one line that names it.
    """
    if not path.exists():
        return []
    *lines, _unfinished = path.read_text(encoding="utf-8").split("\n")
    return list(_rows(lines, path))


def append_row(path: Path, row: Row) -> None:
    """Add a row, in the place of a last line that was cut short."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(row, ensure_ascii=False).encode() + b"\n"
    with path.open("ab+") as file:
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.write(line)


def curves_by_kind(rows: Sequence[Row], arm: str, simulations: int) -> dict[str, dict[str, list[Curve]]]:
    """An arm's curves by kind and variant, its strength that with so many simulations a move."""
    found: dict[str, dict[str, list[Curve]]] = {}
    for row in rows:
        if row["arm"] != arm or any(_strength(point, simulations) is None for point in row["points"]):
            continue
        curve = Curve(
            np.array([point["positions"] for point in row["points"]], np.float64),
            np.array([_strength(point, simulations) for point in row["points"]], np.float64),
        )
        found.setdefault(row["kind"], {}).setdefault(row["variant"], []).append(curve)
    return found


def _strength(point: Mapping[str, Any], simulations: int) -> float | None:
    value: float | None = point["strength"].get(str(simulations))
    return value


def _rows(lines: Sequence[str], path: Path) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            yield {**row, "arm": str(row["arm"]), "variant": str(row["variant"])}
        except (ValueError, KeyError, TypeError):
            raise UserError(f"{path}, line {number}: expected a row of a study, got {line[:40]!r}") from None
