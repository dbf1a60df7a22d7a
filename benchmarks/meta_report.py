"""Rebuild docs/meta-learning.md and its pictures from what `benchmarks/meta_study.py` measured.

    python -m benchmarks.meta_report

Every figure comes from the committed results; the words around them are templates in this file.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.meta_figures import figures
from benchmarks.meta_results import KIND_NAMES, Results
from games import UserError
from models.format import write_atomically
from selfplay.meta.plan import read_plan
from selfplay.meta.split import KINDS
from selfplay.meta.study import (
    PENALTY,
    Differences,
    Estimate,
    Factor,
    Row,
    SpeedUp,
    mean_curve,
    mean_over,
    strength_after,
    strength_at,
)
from selfplay.reporting.render import house_style, png

HERE = Path(__file__).parent
RESULTS, PLAN = HERE / "results" / "meta", HERE / "meta_arms.toml"
ALGORITHMS = HERE / "meta_algorithms.toml"
OUTPUT = HERE.parent / "docs" / "meta-learning.md"

SOON = (1_000, 5_000)
"""Positions after which the tables show strength, beside none and all."""

FASTER_THAN_SCRATCH, FASTER_THAN_CONTROL = 10.0, 1.5
KEPT_IN_MINUTES = 0.95
ZERO_SHOT_KNOWN, ZERO_SHOT_NEW = 0.75, 0.5
STEP_FACTOR = 5.0
WANTED_MINUTES = 5.0
"""What is wanted."""

BY_CHANCE = 0.025
"""Share of variants that fall below a 95 % interval though nothing differs."""


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
        algorithms = Results.read(arguments.results / "algorithms", read_plan(ALGORITHMS))
        write(results, arguments.output, algorithms)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    print(arguments.output)


def write(results: Results, output: Path, algorithms: Results | None = None) -> None:
    """Write the page, and the pictures into a folder of its name; raises `UserError` without any curve.

    algorithms: short curves of many algorithms, beside the long ones of a few arms
    """
    if not results.curves:
        raise UserError("expected measured curves (benchmarks/meta_study.py writes them), got none")
    pictures = output.with_suffix("")
    pictures.mkdir(parents=True, exist_ok=True)
    drawn = {}
    with house_style():
        for name, figure in figures(results):
            write_atomically(pictures / f"{name}.png", png(figure))
            drawn[name] = f"{pictures.name}/{name}.png"
    write_atomically(output, page(results, drawn, algorithms).encode())


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
- Each arm learned each variant by self-play alone ({seeds}), on one thread, with `adapt`'s settings
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
python benchmarks/meta_study.py --plan benchmarks/meta_arms.toml --only scratch --only joint --only plain \\
    --at 0 250 500 1000 2000 5000 10000 --games 20 --seeds 3 --set selfplay.solver_nodes=100
python benchmarks/meta_study.py --plan benchmarks/meta_arms.toml --zero-shot --only joint --only solver \\
    --games 20 --seeds 1 --simulations 64
python benchmarks/meta_study.py --plan benchmarks/meta_arms.toml --minutes 5 --only joint --solved --seeds 1
python -m benchmarks.meta_algorithms
python benchmarks/meta_study.py --plan benchmarks/meta_algorithms.toml \\
    --results benchmarks/results/meta/algorithms --at 0 500 1000 2000 --games 20 --seeds 1 --solved \\
    --most-cells 20
make meta-report
```

What is there isn't measured again. The rows: `curves.jsonl`, `zero_shot.jsonl` and `minutes.jsonl` in
`benchmarks/results/meta/`."""


def page(results: Results, pictures: Mapping[str, str], algorithms: Results | None = None) -> str:
    """The page as Markdown; pictures: paths by name; algorithms: as of `write`."""
    parts = [
        INTRODUCTION.format(tests=_tests(results)),
        "## What is wanted, and what was reached",
        _shipped_line(results),
        wanted_table(results),
        _method(results),
        *_arm_sections(results, pictures),
        *_algorithm_sections(algorithms),
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
    suites, matches = (
        {row["variant"] for row in rows if row["measure"] == kind} for kind in ("suite", "match")
    )
    played = f"; in {len(matches)} others it is the share of points against `mcts:1000` from even openings"
    named = [f"{arm} ({next(row['algorithm'] for row in rows if row['arm'] == arm)})" for arm in results.arms]
    return METHOD.format(
        arms=", ".join(named),
        seeds=_seeds(results),
        search="/".join(str(s) for s in sorted({row["simulations"] for row in rows})),
        budget=f"{results.budget:,.0f}",
        suites=f"{len(suites)} variants",
        matches=played if matches else "",
        penalty=PENALTY,
    )


def _seeds(results: Results) -> str:
    """How many seeds; by arm, where they differ."""
    counts = {arm: len({r["seed"] for r in results.curves if r["arm"] == arm}) for arm in results.arms}
    words = {arm: "one seed" if count == 1 else f"{count} seeds" for arm, count in counts.items()}
    if len(set(words.values())) == 1:
        return next(iter(words.values()))
    return ", ".join(f"{arm} {said}" for arm, said in words.items())


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
        _never_worse_goal(results, arm),
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


def _never_worse_goal(results: Results, arm: str | None) -> Goal:
    """However many simulations it plays with."""
    what = "at the full budget never worse than scratch by more than noise, on any variant"
    found = {
        number: behind
        for number in results.simulations
        if arm is not None and (behind := results.behind(arm, None, number)) is not None
    }
    if not found:
        return Goal(what, 0, None, "")
    if any(math.isnan(noise) for behind in found.values() for noise in behind.noise.values()):
        return Goal(what, 0, None, "one seed: the noise isn't known")
    text = "; ".join(f"{_mode(number)}: {_behind(behind)}" for number, behind in found.items())
    value = -float(max(len(behind.worse) for behind in found.values()))
    return Goal(what, 0, Estimate(value, value, value), text)


def _behind(found: Differences) -> str:
    """Where an arm falls back, and by how much."""
    worse = ", ".join(f"{name} ({100 * found.by_variant[name]:+.1f})" for name in found.worse)
    number = len(found.by_variant)
    noise = " or ".join(f"±{100 * noise:.1f}" for noise in sorted(set(found.noise.values())))
    return (
        f"worse in {len(found.worse)} of {number}{': ' + worse if worse else ''}, where"
        f" {BY_CHANCE * number:.1f} would be by chance; noise {noise}, in the mean {_points(found.mean)}"
    )


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
    text = ", ".join(f"{name} {value:.1f}x" for name, value in factors.items())
    if not factors or results.step["device"] == "cpu":
        return Goal(what, STEP_FACTOR, None, f"no GPU was at hand; on one CPU core {text}" if factors else "")
    least = min(factors.values())
    return Goal(what, STEP_FACTOR, Estimate(least, least, least), text)


# --- sections -----------------------------------------------------------------------------------------------


def _arm_sections(results: Results, pictures: Mapping[str, str]) -> Iterator[str]:
    policy, *others = results.simulations
    yield "## Arms by test kind"
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


PHASES_EXPLAINED = (
    "Each algorithm went on from the released initialisation for {minutes:g} minutes on the same two cores, "
    "joint training as well, which is the control (`python -m benchmarks.meta_algorithms`); then each "
    "variant was learned with {budget:,.0f} positions. Equal compute isn't equal convergence: an algorithm "
    "with an inner loop takes fewer outer steps in that time. {mode}."
)


def _algorithm_sections(algorithms: Results | None) -> Iterator[str]:
    if algorithms is None or not algorithms.curves:
        return
    yield "## Algorithms at equal compute"
    policy = algorithms.simulations[0]
    mode = _mode(policy).capitalize()
    yield PHASES_EXPLAINED.format(minutes=algorithms.phase_minutes, budget=algorithms.budget, mode=mode)
    for kind in (None, *KINDS):
        if table := algorithm_table(algorithms, kind, policy):
            yield f"### {'All' if kind is None else KIND_NAMES[kind].capitalize()}, after a phase of each"
            yield table


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
        "games a seed from even openings, each played with both colours." + _perfect_play(results)
    )
    yield _kind_table(results.zero_shot, arms, lambda row: row["strength"].get("64"))
    values = {arm: _by_variant(results.zero_shot, lambda r: r["strength"].get("64"), arm) for arm in arms}
    kinds = {row["variant"]: row["kind"] for row in results.zero_shot}
    rows = [
        (name, kind, *(_percent(float(np.mean(values[a].get(name, [math.nan])))) for a in arms))
        for name, kind in kinds.items()
    ]
    yield _table(("variant", "kind", *arms), rows)


def _perfect_play(results: Results) -> str:
    """What the exact solver takes, beside the shipped arm in the same variants."""
    solver = next((name for name, arm in results.plan.arms.items() if arm.player == "solver"), None)
    perfect, shipped = (
        _by_variant(
            [row for row in results.zero_shot if row["arm"] == name], lambda r: r["strength"].get("64")
        )
        for name in (solver, results.shipped)
    )
    both = perfect.keys() & shipped.keys()
    if not both:
        return ""
    means = [_share(mean_over({name: side[name] for name in both})) for side in (perfect, shipped)]
    return (
        f" On small boards perfect play isn't far above tree search: the exact solver takes {means[0]} in the"
        f" {len(both)} variants in which it is quick enough, {results.shipped} takes {means[1]} there."
    )


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
