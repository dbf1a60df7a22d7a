"""The pictures of docs/meta-learning.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, NullLocator

from benchmarks.meta_results import KIND_NAMES, Results
from selfplay.meta.split import KINDS
from selfplay.meta.study import Curve, mean_curve, strength_at
from selfplay.reporting.charts import style_of

_SIZE = (5.6, 3.6)
_PANEL, _COLUMNS = (2.5, 1.75), 3
_SHADED = 4
"""Arms up to which intervals are drawn."""


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
