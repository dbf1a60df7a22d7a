"""Rebuild docs/meta-learning.md and its pictures from what `benchmarks/meta_study.py` measured.

    python benchmarks/meta_report.py

Every figure comes from the committed results; the words around them are templates in this file.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, NullLocator

from games import UserError
from models.format import write_atomically
from selfplay.meta.plan import Plan, read_plan
from selfplay.meta.split import KINDS
from selfplay.meta.study import (
    PENALTY,
    Curve,
    Differences,
    Estimate,
    Factor,
    Row,
    SpeedUp,
    curves_by_kind,
    differences,
    mean_curve,
    mean_over,
    read_rows,
    speed_up,
    strength_after,
    strength_at,
)
from selfplay.reporting.charts import style_of
from selfplay.reporting.render import house_style, png

HERE = Path(__file__).parent
RESULTS, PLAN = HERE / "results" / "meta", HERE / "meta_arms.toml"
OUTPUT = HERE.parent / "docs" / "meta-learning.md"

KIND_NAMES = {
    "parameters": "unseen parameters",
    "combinations": "unseen combinations",
    "mechanisms": "unseen mechanisms",
}

SOON = (1_000, 5_000)
"""Positions after which the tables show strength, beside none and all."""

FASTER_THAN_SCRATCH, FASTER_THAN_CONTROL = 10.0, 1.5
KEPT_IN_MINUTES = 0.95
ZERO_SHOT_KNOWN, ZERO_SHOT_NEW = 0.75, 0.5
STEP_FACTOR = 5.0
WANTED_MINUTES = 5.0
"""What is wanted."""

_SIZE = (5.6, 3.6)
_PANEL, _COLUMNS = (2.5, 1.75), 3
_SHADED = 4
"""Arms up to which intervals are drawn."""


@dataclass(frozen=True)
class Results:
    """Everything that was measured, by what it is for."""

    plan: Plan
    curves: Sequence[Row]
    zero_shot: Sequence[Row]
    minutes: Sequence[Row]
    step: Mapping[str, Any]
    _kept: dict[Any, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def read(cls, folder: Path, plan: Plan) -> Results:
        """From the study's folder; what isn't there is empty."""
        step = folder / "step.json"
        return cls(
            plan,
            *(read_rows(folder / f"{name}.jsonl") for name in ("curves", "zero_shot", "minutes")),
            json.loads(step.read_text(encoding="utf-8")) if step.exists() else {},
        )

    @cached_property
    def budget(self) -> float:
        """Positions of every curve's last point."""
        return float(max(row["points"][-1]["at"] for row in self.curves))

    @cached_property
    def simulations(self) -> list[int]:
        """Those that curves were measured with, the fewest first."""
        found = {int(number) for row in self.curves for number in row["points"][0]["strength"]}
        return sorted(found)

    @cached_property
    def arms(self) -> list[str]:
        """Arms with curves, scratch last."""
        there = {row["arm"] for row in self.curves}
        scratch = self.plan.scratch
        return [a for a in self.plan.arms if a in there and a != scratch] + [scratch] * (scratch in there)

    @property
    def shipped(self) -> str | None:
        """The arm that is held against what is wanted."""
        return self.plan.shipped

    def of(self, arm: str, kind: str | None, simulations: int) -> dict[str, list[Curve]]:
        """An arm's curves by variant, of one kind or of all."""
        key = (arm, simulations)
        if key not in self._kept:
            self._kept[key] = curves_by_kind(self.curves, arm, simulations)
        found: dict[str, dict[str, list[Curve]]] = self._kept[key]
        kinds = KINDS if kind is None else (kind,)
        return {name: curves for k in kinds for name, curves in found.get(k, {}).items()}

    def faster(
        self, arm: str, kind: str | None, simulations: int, *, baseline: str | None = None
    ) -> SpeedUp | None:
        """An arm's speed-up at the full budget; None if there is no variant to compare in."""
        mine, scratch = (self.of(name, kind, simulations) for name in (arm, self.plan.scratch))
        other = None if baseline is None else self.of(baseline, kind, simulations)
        if not mine.keys() & scratch.keys() & (mine if other is None else other).keys():
            return None
        key = ("faster", arm, kind, simulations, baseline)
        if key not in self._kept:
            self._kept[key] = speed_up(mine, scratch, other, after=self.budget)
        found: SpeedUp = self._kept[key]
        return found

    def behind(self, arm: str, kind: str | None, simulations: int) -> Differences | None:
        """An arm's strength less that of scratch at the full budget."""
        mine, scratch = (self.of(name, kind, simulations) for name in (arm, self.plan.scratch))
        return differences(mine, scratch, after=self.budget) if mine.keys() & scratch.keys() else None


def main() -> None:
    """Write the page and its pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--plan", type=Path, default=PLAN)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    try:
        results = Results.read(arguments.results, read_plan(arguments.plan))
        write(results, arguments.output)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    print(arguments.output)


def write(results: Results, output: Path) -> None:
    """Write the page, and the pictures into a folder of its name; raises `UserError` without any curve."""
    if not results.curves:
        raise UserError("expected measured curves (benchmarks/meta_study.py writes them), got none")
    pictures = output.with_suffix("")
    pictures.mkdir(parents=True, exist_ok=True)
    drawn = {}
    with house_style():
        for name, figure in figures(results):
            write_atomically(pictures / f"{name}.png", png(figure))
            drawn[name] = f"{pictures.name}/{name}.png"
    write_atomically(output, page(results, drawn).encode())


# --- the page -----------------------------------------------------------------------------------------------

INTRODUCTION = """# Learning to learn: what was measured

`make meta-report` writes this page from `benchmarks/results/meta/`; every figure is computed from the
rows there.

An agent for rules that nobody trained it on doesn't begin from nothing: it starts from an initialisation
that many other variants have shaped. The test variants ({tests}) were never learned from, neither in
training nor in choosing settings. They are of three kinds: families of the training in a size, length or
shape not seen there (parameters), mechanisms together that the training holds only apart (combinations),
and mechanisms that the training doesn't hold at all (mechanisms)."""

METHOD = """## How it was measured

- Arms: {arms}.
- Each arm learned each variant by self-play alone, {seeds}, on one thread, with `adapt`'s settings
  ({search} simulations a move) and a learning rate that falls over the whole budget of **{budget}
  positions**. Rehearsal and the early end are off. The rate's schedule is made for the full budget:
  strength after fewer positions is that of a run on its way, not of one that ends there.
- Strength is the share of moves that keep the game's value, over solved positions in which a mistake is
  possible ({suites}){matches}. Unless it says otherwise the policy plays alone, without a search.
- *Speed-up*: the positions that scratch was given, divided by those the arm needs to become as strong as
  scratch was at its best by then. Strength between measured points runs evenly with the logarithm of
  positions, and counts as held from then on (monotone envelope of the mean over seeds). Where an arm was
  that strong by its first measured point, that point counts, so the speed-up is at least so large (≥).
  Where it never got there it counts as {penalty:g} budgets (never). *Strict* speed-up counts for scratch,
  too, only the positions until it was that strong: where scratch stood still early, the plain one
  flatters.
- Means over variants are geometric for speed-ups, otherwise arithmetic; brackets hold 95 % intervals of a
  bootstrap over variants and seeds."""

FOOTER = """## Measure again

```sh
python benchmarks/meta_study.py --plan benchmarks/meta_arms.toml
python benchmarks/meta_study.py --plan benchmarks/meta_arms.toml --zero-shot
python benchmarks/meta_study.py --plan benchmarks/meta_arms.toml --minutes 5
make meta-report
```

What is there isn't measured again. The rows: `curves.jsonl`, `zero_shot.jsonl` and `minutes.jsonl` in
`benchmarks/results/meta/`."""


def page(results: Results, pictures: Mapping[str, str]) -> str:
    """The page as Markdown; pictures: paths by name."""
    parts = [
        INTRODUCTION.format(tests=_tests(results)),
        "## What is wanted, and what was reached",
        _shipped_line(results),
        wanted_table(results),
        _method(results),
        *_algorithm_sections(results, pictures),
        *_variant_sections(results, pictures),
        *_zero_shot_section(results),
        *_minutes_section(results),
        FOOTER,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _tests(results: Results) -> str:
    counts = {kind: len({r["variant"] for r in results.curves if r["kind"] == kind}) for kind in KINDS}
    named = ", ".join(f"{count} {KIND_NAMES[kind]}" for kind, count in counts.items() if count)
    return f"{sum(counts.values())}: {named}"


def _shipped_line(results: Results) -> str:
    if results.shipped is None:
        return ""
    return (
        f"Held against what is wanted: **{results.shipped}**. Control: {results.plan.control or 'none'}. An"
        " interval that reaches to the other side is noted."
    )


def _method(results: Results) -> str:
    rows = results.curves
    seeds = len({row["seed"] for row in rows})
    suites, matches = (
        {row["variant"] for row in rows if row["measure"] == kind} for kind in ("suite", "match")
    )
    played = f"; in {len(matches)} others it is the share of points against `mcts:1000` from even openings"
    named = [f"{arm} ({next(row['algorithm'] for row in rows if row['arm'] == arm)})" for arm in results.arms]
    return METHOD.format(
        arms=", ".join(named),
        seeds="one seed" if seeds == 1 else f"{seeds} seeds",
        search="/".join(str(s) for s in sorted({row["simulations"] for row in rows})),
        budget=f"{results.budget:,.0f}",
        suites=f"{len(suites)} variants",
        matches=played if matches else "",
        penalty=PENALTY,
    )


# --- wanted and reached -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Goal:
    """A figure that is wanted. measured: None if there is nothing to compute it from; text: as shown."""

    what: str
    least: float
    measured: Estimate | None
    text: str

    @property
    def verdict(self) -> str:
        """Reached or missed, and whether the interval leaves doubt."""
        if self.measured is None or math.isnan(self.measured.value):
            return "not measured"
        reached = self.measured.value >= self.least
        doubt = self.measured.low < self.least if reached else self.measured.high >= self.least
        return ("**reached**" if reached else "**missed**") + (", not for sure" if doubt else "")


def wanted_table(results: Results) -> str:
    """Goals, figures and verdicts."""
    rows = [(goal.what, goal.text, goal.verdict) for goal in goals(results)]
    return _table(("wanted", "measured", ""), rows)


def goals(results: Results) -> list[Goal]:
    """All figures that are wanted, in the order of importance."""
    policy = results.simulations[0]
    arm = results.shipped if results.shipped in results.arms else None
    return [
        _faster_goal(results, arm, policy),
        _control_goal(results, arm, policy),
        _never_worse_goal(results, arm, policy),
        _minutes_goal(results),
        _zero_shot_goal(results, ("parameters", "combinations"), ZERO_SHOT_KNOWN),
        _zero_shot_goal(results, ("mechanisms",), ZERO_SHOT_NEW),
        _step_goal(results),
    ]


def _faster_goal(results: Results, arm: str | None, simulations: int) -> Goal:
    what = f"speed-up over scratch, positions: ≥ {FASTER_THAN_SCRATCH:g}"
    found = None if arm is None else results.faster(arm, None, simulations)
    if arm is None or found is None:
        return Goal(what, FASTER_THAN_SCRATCH, None, "")
    strict = results.faster(arm, None, simulations, baseline=results.plan.scratch)
    text = f"{_times(found.mean)}; median {found.median:.1f}; {_bounds(found)}"
    if strict is not None:
        text += f"; strict {_times(strict.mean)}"
    return Goal(what, FASTER_THAN_SCRATCH, found.mean, text)


def _control_goal(results: Results, arm: str | None, simulations: int) -> Goal:
    control = results.plan.control
    what = f"speed-up over plain multi-task learning and fine-tuning: ≥ {FASTER_THAN_CONTROL:g}"
    if arm is not None and arm == control:
        return Goal(what, FASTER_THAN_CONTROL, Estimate(1.0, 1.0, 1.0), "it is the control itself")
    found = (
        None if arm is None or control is None else results.faster(arm, None, simulations, baseline=control)
    )
    if found is None:
        return Goal(what, FASTER_THAN_CONTROL, None, "")
    text = f"{_times(found.mean)}; median {found.median:.1f}; {_bounds(found)}"
    return Goal(what, FASTER_THAN_CONTROL, found.mean, text)


def _never_worse_goal(results: Results, arm: str | None, simulations: int) -> Goal:
    what = "at the full budget never worse than scratch by more than noise, on any variant"
    found = None if arm is None else results.behind(arm, None, simulations)
    if found is None or math.isnan(found.noise):
        return Goal(what, 0, None, "" if found is None else "one seed: the noise isn't known")
    worse = [f"{name} ({100 * found.by_variant[name]:+.1f})" for name in found.worse]
    text = (
        f"worse in {len(worse)} of {len(found.by_variant)}{': ' + ', '.join(worse) if worse else ''}; noise ±"
        f"{100 * found.noise:.1f}, in the mean {_points(found.mean)}"
    )
    value = -float(len(worse))
    return Goal(what, 0, Estimate(value, value, value), text)


def _minutes_goal(results: Results) -> Goal:
    what = f"5 minutes of `adapt`, moves that keep the value at 64 simulations: ≥ {KEPT_IN_MINUTES:.0%}"
    given = [r for r in results.minutes if r["arm"] == results.shipped and r["minutes"] == WANTED_MINUTES]
    rows = [r for r in given if r["measure"] == "suite"]
    return _share_goal(what, KEPT_IN_MINUTES, rows, "kept")


def _zero_shot_goal(results: Results, kinds: Sequence[str], least: float) -> Goal:
    what = (
        f"zero-shot points against `mcts:1000`, {' and '.join(KIND_NAMES[k] for k in kinds)}: ≥ {least:.0%}"
    )
    rows = [r for r in results.zero_shot if r["arm"] == results.shipped and r["kind"] in kinds]
    return _share_goal(what, least, rows, "strength")


def _share_goal(what: str, least: float, rows: Sequence[Row], key: str) -> Goal:
    values = _by_variant(rows, lambda row: row[key].get("64"))
    if not values:
        return Goal(what, least, None, "")
    mean = mean_over(values)
    return Goal(what, least, mean, f"{_share(mean)}, {len(values)} variants")


def _step_goal(results: Results) -> Goal:
    what = f"task-batched step on a GPU beside a loop over 16 tasks: ≥ {STEP_FACTOR:g}x"
    factors = {
        name: part["speedup"]
        for name, part in results.step.items()
        if isinstance(part, dict) and "speedup" in part
    }
    if not factors or results.step.get("device") == "cpu":
        return Goal(what, STEP_FACTOR, None, "")
    least = min(factors.values())
    text = ", ".join(f"{name} {value:.1f}x" for name, value in factors.items())
    return Goal(what, STEP_FACTOR, Estimate(least, least, least), text)


# --- sections -----------------------------------------------------------------------------------------------


def _algorithm_sections(results: Results, pictures: Mapping[str, str]) -> Iterator[str]:
    policy, *others = results.simulations
    yield "## Algorithms by test kind"
    yield f"{_mode(policy).capitalize()}. {COLUMNS_EXPLAINED}"
    for kind in (None, *KINDS):
        if table := algorithm_table(results, kind, policy):
            yield f"### {'All test variants' if kind is None else KIND_NAMES[kind].capitalize()}"
            if kind is not None and f"curves-{kind}" in pictures:
                yield f"![Strength over positions, {KIND_NAMES[kind]}]({pictures[f'curves-{kind}']})"
            yield table
    for simulations in others:
        yield f"### With {simulations} simulations a move, all test variants"
        yield algorithm_table(results, None, simulations)


COLUMNS_EXPLAINED = (
    "Strength is in per cent, after so many positions of self-play; the last column is the difference from "
    "scratch at the end. ≥ and never: variants whose speed-up couldn't be read off, see above."
)


def algorithm_table(results: Results, kind: str | None, simulations: int) -> str:
    """Arms by speed-up and by strength on the way; empty if there are no curves of this kind."""
    soon = [positions for positions in SOON if positions < results.budget]
    heads = (
        "algorithm", "variants", "speed-up", "strict", "≥", "never", "none",
        *(f"{positions / 1000:g}k" for positions in soon), f"{results.budget / 1000:g}k", "against scratch",
    )  # fmt: skip
    rows = [_algorithm_row(results, arm, kind, simulations, soon) for arm in results.arms]
    return _table(heads, [row for row in rows if row]) if any(rows) else ""


def _algorithm_row(
    results: Results, arm: str, kind: str | None, simulations: int, soon: Sequence[int]
) -> tuple[str, ...]:
    curves = results.of(arm, kind, simulations)
    if not curves:
        return ()
    name = f"**{arm}**" if arm == results.shipped else arm
    strengths = [_percent(strength_at(curves, at).value) for at in (0, *soon, results.budget)]
    found = results.faster(arm, kind, simulations)
    strict = results.faster(arm, kind, simulations, baseline=results.plan.scratch)
    behind = results.behind(arm, kind, simulations)
    if arm == results.plan.scratch or found is None or strict is None or behind is None:
        return (name, str(len(curves)), "", "", "", "", *strengths, "")
    speed = (_times(found.mean), _times(strict.mean), str(found.count(">=")), str(found.count("never")))
    return (name, str(len(curves)), *speed, *strengths, _points(behind.mean))


def _variant_sections(results: Results, pictures: Mapping[str, str]) -> Iterator[str]:
    arm, scratch = results.shipped, results.plan.scratch
    if arm not in results.arms or scratch not in results.arms:
        return
    policy = results.simulations[0]
    yield f"## {arm} beside scratch, variant by variant"
    if "speed-up" in pictures:
        yield f"![Speed-up in each variant]({pictures['speed-up']})"
    yield variant_table(results, arm, policy)
    for kind in KINDS:
        if f"variants-{kind}" in pictures:
            yield f"![Every variant, {KIND_NAMES[kind]}]({pictures[f'variants-{kind}']})"


def variant_table(results: Results, arm: str, simulations: int) -> str:
    """Strength in the end and speed-up in each variant."""
    mine, scratch = (results.of(name, None, simulations) for name in (arm, results.plan.scratch))
    found, behind = results.faster(arm, None, simulations), results.behind(arm, None, simulations)
    if found is None or behind is None:
        return ""
    about = {row["variant"]: row for row in results.curves}
    rows = []
    for name, factor in found.factors.items():
        ends = (strength_after(mean_curve(side[name]), results.budget) for side in (scratch, mine))
        worse = " (more than noise)" if name in behind.worse else ""
        rows.append(
            (
                name,
                str(about[name]["kind"]),
                "solved" if about[name]["measure"] == "suite" else "match",
                _percent(strength_after(mean_curve(mine[name]), 0)),
                *(_percent(end) for end in ends),
                f"{100 * behind.by_variant[name]:+.1f}{worse}",
                _factor(factor),
            )
        )
    heads = ("variant", "kind", "measured by", f"{arm} at once", "scratch in the end", f"{arm} in the end")
    return _table((*heads, "difference", "speed-up"), rows)


def _zero_shot_section(results: Results) -> Iterator[str]:
    if not results.zero_shot:
        return
    arms = [arm for arm in results.plan.arms if any(row["arm"] == arm for row in results.zero_shot)]
    games, rollouts = (results.zero_shot[0][key] for key in ("games", "rollouts"))
    yield "## Without any adaptation"
    yield (
        f"Points at 64 simulations against plain tree search with {rollouts:,} playouts a move, {games} "
        "games a seed from even openings, each played with both colours."
    )
    yield _kind_table(results.zero_shot, arms, lambda row: row["strength"].get("64"))
    values = {arm: _by_variant(results.zero_shot, lambda r: r["strength"].get("64"), arm) for arm in arms}
    kinds = {row["variant"]: row["kind"] for row in results.zero_shot}
    rows = [
        (name, kind, *(_percent(float(np.mean(values[a].get(name, [math.nan])))) for a in arms))
        for name, kind in kinds.items()
    ]
    yield _table(("variant", "kind", *arms), rows)


def _minutes_section(results: Results) -> Iterator[str]:
    if not results.minutes:
        return
    arms = [arm for arm in results.plan.arms if any(row["arm"] == arm for row in results.minutes)]
    yield "## In minutes"
    yield (
        f"`selfplay adapt` for {results.minutes[0]['minutes']:g} minutes on the whole machine, or "
        "less where it ended by itself; 64 simulations a move. Moves that keep the value, over all solved "
        "positions, and over those in which a mistake is possible; variants that aren't solved: points."
    )
    solved = [row for row in results.minutes if row["measure"] == "suite"]
    if solved:
        yield _kind_table(solved, arms, lambda row: row["kept"].get("64"))
    rows = [
        (
            row["variant"], row["kind"], row["arm"], str(row["seed"]), f"{row['positions']:,}",
            f"{row['seconds'] / 60:.1f}", _percent(row.get("kept", {}).get("64")),
            _percent(row["strength"].get("64")),
        )
        for row in results.minutes
    ]  # fmt: skip
    heads = ("variant", "kind", "algorithm", "seed", "positions", "minutes", "keeps the value")
    yield _table((*heads, "where a mistake is possible, or points"), rows)


def _kind_table(rows: Sequence[Row], arms: Sequence[str], value: Callable[[Row], float | None]) -> str:
    """Means by arm and kind."""
    cells = []
    for arm in arms:
        line = [arm]
        for kind in (*KINDS, None):
            found = _by_variant([r for r in rows if kind in (None, r["kind"])], value, arm)
            line.append(f"{_share(mean_over(found))}, {len(found)} variants" if found else "")
        cells.append(tuple(line))
    return _table(("algorithm", *KIND_NAMES.values(), "all"), cells)


def _by_variant(
    rows: Sequence[Row], value: Callable[[Row], float | None], arm: str | None = None
) -> dict[str, list[float]]:
    """Known values by variant, one a seed."""
    found: dict[str, list[float]] = {}
    for row in rows:
        number = value(row)
        if number is not None and arm in (None, row["arm"]):
            found.setdefault(row["variant"], []).append(number)
    return found


# --- pictures -----------------------------------------------------------------------------------------------


def figures(results: Results) -> Iterator[tuple[str, Figure]]:
    """Names and pictures; built and drawn within `house_style`."""
    policy = results.simulations[0]
    for kind in KINDS:
        if any(results.of(arm, kind, policy) for arm in results.arms):
            yield f"curves-{kind}", _mean_figure(results, kind, policy)
            yield f"variants-{kind}", _panels(results, kind, policy)
    if results.shipped in results.arms and results.plan.scratch in results.arms:
        yield "speed-up", _speed_figure(results, str(results.shipped), policy)


def _mean_figure(results: Results, kind: str, simulations: int) -> Figure:
    """Strength over positions, the mean of a kind's variants; shades: intervals."""
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.subplots()
    shared = _shared(results, kind, simulations)
    for index, arm in enumerate(results.arms):
        curves = results.of(arm, kind, simulations)
        if not curves:
            continue
        at = _points_of(curves)
        found = [strength_at(curves, x, names=shared or None) for x in at]
        axes.plot(at, [e.value for e in found], marker="o", ms=3.5, label=arm, **_look(results, arm, index))
        if len(results.arms) <= _SHADED:
            shade = {"color": style_of(index)["color"], "alpha": 0.12, "linewidth": 0}
            axes.fill_between(at, [e.low for e in found], [e.high for e in found], **shade)
    _positions_axis(axes, results)
    axes.set_ylabel("strength, policy alone" if simulations == 0 else f"strength, {simulations} simulations")
    axes.legend(loc="lower right")
    return figure


def _panels(results: Results, kind: str, simulations: int) -> Figure:
    """A small picture of every variant with the arms that matter most; faint: single seeds."""
    names = list(dict.fromkeys(n for arm in results.arms for n in results.of(arm, kind, simulations)))
    arms = [(i, a) for i, a in enumerate(results.arms) if len(results.arms) <= _SHADED or a in _main(results)]
    rows = -(-len(names) // _COLUMNS)
    size = (_PANEL[0] * _COLUMNS, _PANEL[1] * rows + 0.5)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(rows, _COLUMNS, squeeze=False)
    for place, (axes, name) in enumerate(zip(grid.flat, names, strict=False)):
        for index, arm in arms:
            _panel(axes, results.of(arm, kind, simulations).get(name, []), _look(results, arm, index))
        axes.set_title(name if len(name) <= 34 else f"{name[:33]}…", fontsize=7.5)
        axes.tick_params(labelsize=7.5)
        _positions_axis(axes, results)
        axes.set_xlabel("positions" if place + _COLUMNS >= len(names) else "", fontsize=7.5)
    for axes in grid.flat[len(names) :]:
        axes.set_visible(False)
    handles = [Line2D([], [], label=arm, **_look(results, arm, index)) for index, arm in arms]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(4, len(handles)))
    return figure


def _main(results: Results) -> tuple[str | None, ...]:
    plan = results.plan
    return (plan.scratch, plan.control, plan.shipped)


def _panel(axes: Axes, curves: Sequence[Curve], look: Mapping[str, Any]) -> None:
    if not curves:
        return
    if len(curves) > 1:
        for curve in curves:
            axes.plot(curve.positions, curve.strength, **{**look, "linewidth": 0.7, "alpha": 0.35})
    axes.plot(*mean_curve(curves), **{**look, "linewidth": 1.5})


def _speed_figure(results: Results, arm: str, simulations: int) -> Figure:
    """Speed-up in each variant, by kind; open marks: bounds, crosses: never reached."""
    found = {kind: results.faster(arm, kind, simulations) for kind in KINDS}
    rows = [(kind, n, f) for kind, each in found.items() if each for n, f in each.factors.items()]
    figure = Figure(figsize=(7.0, 1.2 + 0.2 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for row, (kind, _, factor) in enumerate(rows):
        colour = style_of(KINDS.index(kind))["color"]
        mark = "x" if factor.bound == "never" else ">" if factor.bound == ">=" else "o"
        axes.plot(factor.value, row, mark, color=colour, ms=5)
    axes.set_yticks(range(len(rows)), [name for _, name, _ in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.axvline(1.0, color="#8a8f98", linewidth=1.2)
    axes.set_xlabel(f"times fewer positions than scratch ({arm})")
    handles = [
        Line2D([], [], color=style_of(i)["color"], marker="o", ls="", label=KIND_NAMES[kind])
        for i, kind in enumerate(KINDS)
        if found[kind]
    ]
    marks = ((">", "at least so many"), ("x", "one of the two never got there"))
    handles += [Line2D([], [], color="#8a8f98", marker=mark, ls="", label=text) for mark, text in marks]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _look(results: Results, arm: str, index: int) -> dict[str, Any]:
    """Colour and dashes of an arm; scratch is dotted."""
    return style_of(index) | ({"linestyle": ":"} if arm == results.plan.scratch else {})


def _positions_axis(axes: Axes, results: Results) -> None:
    """Logarithmic, with room for no position at all."""
    first = min(p["at"] for p in results.curves[0]["points"] if p["at"] > 0)
    axes.set_xscale("symlog", linthresh=first, linscale=0.4)
    ticks = [0.0] + [10.0**n for n in range(1, 9) if first <= 10.0**n <= results.budget]
    axes.set_xticks([*ticks, results.budget] if results.budget / ticks[-1] > 2 else ticks)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set_xlabel("positions")


def _shared(results: Results, kind: str, simulations: int) -> list[str]:
    """Variants that every arm with curves of this kind has: only those can be compared in a mean."""
    parts = [results.of(arm, kind, simulations) for arm in results.arms]
    there = [part for part in parts if part]
    return [name for name in there[0] if all(name in part for part in there)]


def _points_of(curves: Mapping[str, Sequence[Curve]]) -> list[float]:
    """Positions at which an arm is drawn: the mean of its curves' points."""
    return np.mean([curve.positions for seeds in curves.values() for curve in seeds], axis=0).tolist()


# --- words --------------------------------------------------------------------------------------------------


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _mode(simulations: int) -> str:
    return f"{simulations} simulations a move" if simulations else "the policy plays alone"


def _times(value: Estimate) -> str:
    return f"{value.value:.1f}x ({value.low:.1f} to {value.high:.1f})"


def _factor(factor: Factor) -> str:
    text = f"{factor.value:.1f}x" if factor.value >= 0.1 else f"{factor.value:.2f}x"
    return {"=": text, ">=": f"≥ {text}", "never": f"{text} (never)", "?": f"{text} (both at once)"}[
        factor.bound
    ]


def _bounds(found: SpeedUp) -> str:
    least, never = found.count(">="), found.count("never")
    return f"of {len(found.factors)} variants {least} at least so many, {never} never reached"


def _share(value: Estimate) -> str:
    return f"{100 * value.value:.1f} % ({100 * value.low:.0f} to {100 * value.high:.0f})"


def _points(value: Estimate) -> str:
    return f"{100 * value.value:+.1f} ({100 * value.low:+.1f} to {100 * value.high:+.1f})"


def _percent(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{100 * value:.1f}"


if __name__ == "__main__":
    main()
