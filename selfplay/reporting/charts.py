"""The report's charts: one figure a question, all runs in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from selfplay.reporting.data import Run, Series, cache_shares, series
from selfplay.reporting.statistics import (
    Calibration,
    by_variant,
    calibration,
    lengths,
    outcomes,
    smooth,
)
from selfplay.reporting.strength_file import Strength

COLOURS = ("#2f86c9", "#e07b00", "#159e73", "#c665a0", "#8c7ae6", "#a58f00", "#45b1d8", "#c44e52")
"""Of runs, in order: told apart by colour-blind eyes, on light and on dark."""

_DASHES = ("-", "--", "-.", ":")
"""Where there are more runs than colours."""

_SIZE = (5.2, 3.3)
"""Inches: letters stay readable where a telephone scales it down."""

_FIRST, _DRAW, _SECOND = "#2f86c9", "#9aa0a8", "#e07b00"

MOST_VARIANTS = 6
"""Variants with charts, openings and examples of their own."""

SURE = 10
"""Games from which on a group of positions is drawn in the calibration."""

FEW = 12
"""Points of a curve up to which each is marked."""

_BINS = 30
"""Of a histogram of lengths, at most."""


class Chart(NamedTuple):
    """A figure with its words; name: of its file; section: of the page; words: plain text, how to read it."""

    name: str
    section: str
    heading: str
    words: str
    figure: Figure


Build = Callable[[Sequence[Run]], Iterator[Chart]]


def style_of(index: int) -> dict[str, Any]:
    """Colour and dashes of a run."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": _DASHES[index // len(COLOURS) % len(_DASHES)],
    }


def file_name(text: str) -> str:
    """A text as part of a file's name."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-.") or "unnamed"


# --- learning -----------------------------------------------------------------------------------------------


def learning(runs: Sequence[Run]) -> Iterator[Chart]:
    """Losses over positions."""
    tail = (
        "Lower is better; faint: each iteration, bold: running mean. Gaps at the start: nothing learned yet."
    )
    for key, heading, words in (
        (
            "policy_loss",
            "Policy loss",
            "How far the network's move preferences are from the search's, in nats.",
        ),
        ("value_loss", "Value loss", "Surprise at the games' results (win, draw, loss), in nats."),
    ):
        found = [series(run, key) for run in runs]
        if any(len(each.values) for each in found):
            figure = _curves(runs, found, f"{heading.lower()} (nats)")
            yield Chart(key.replace("_", "-"), "Learning", heading, f"{words} {tail}", figure)


# --- strength -----------------------------------------------------------------------------------------------


def strength(runs: Sequence[Run]) -> Iterator[Chart]:
    """Ratings and solved positions over positions and time, of the runs that were measured."""
    measured = [(index, run.label, run.strength) for index, run in enumerate(runs) if run.strength]
    if not measured:
        return
    words = (
        "Rating of the agents kept along the way, in Elo points with 95 % intervals; 100 points more are 64 %"
        " of the points in a match. Dotted: fixed opponents on the same scale."
    )
    for by in ("positions", "minutes"):
        figure, axes = _figure()
        for index, label, found in measured:
            if found.points:
                _rating(axes, found, by, index, label)
        _references(axes, [found for _, _, found in measured])
        _finish(axes, by, "rating (Elo)", legend=len(measured) > 1)
        yield Chart(f"strength-{by}", "Strength", f"Strength over {by}", words, figure)
    yield from _solved(measured)


def _solved(measured: Sequence[tuple[int, str, Strength]]) -> Iterator[Chart]:
    """Scores on solved positions."""
    with_suite = [(index, label, found.suite) for index, label, found in measured if found.suite]
    if not with_suite:
        return
    for key, axis, heading, words in (
        ("value_preserving", "share of positions", "Moves that keep the solved value",
         "Share of solved positions in which the agent's move keeps win, draw or loss; higher is better."),
        ("regret", "regret", "Regret on solved positions",
         "What the agent's moves give away against best play, on average; lower is better."),
    ):  # fmt: skip
        figure, axes = _figure()
        for index, label, suite in with_suite:
            for simulations in sorted({point.simulations for point in suite.points}):
                points = [point for point in suite.points if point.simulations == simulations]
                x = [point.positions for point in points]
                look = style_of(index) | {"linestyle": "-" if simulations else ":"}
                name = f"{simulations} simulations" if simulations else "policy alone"
                if len(measured) > 1:
                    name = f"{label}, {name}"
                axes.plot(
                    x, [getattr(p, key) for p in points], marker="o", ms=3, label=_legible(name), **look
                )
                if key == "value_preserving":
                    axes.fill_between(
                        x, [p.low for p in points], [p.high for p in points], color=look["color"], alpha=0.15
                    )
        _finish(axes, "positions", axis, legend=True)
        yield Chart(f"solved-{key.replace('_', '-')}", "Strength", heading, words, figure)


def _rating(axes: Axes, found: Strength, by: str, index: int, label: str) -> None:
    x = [point.positions if by == "positions" else point.seconds / 60 for point in found.points]
    axes.plot(x, [p.rating for p in found.points], marker="o", ms=4, label=_legible(label), **style_of(index))
    low, high = [p.low for p in found.points], [p.high for p in found.points]
    axes.fill_between(x, low, high, color=style_of(index)["color"], alpha=0.18, linewidth=0)


def _references(axes: Axes, measured: Sequence[Strength]) -> None:
    """Fixed opponents as level lines; equal names of several runs once."""
    for name, rating in {r.name: r.rating for found in measured for r in found.references}.items():
        axes.axhline(rating, color="#8a8f98", linestyle=":", linewidth=1.4)
        axes.annotate(
            name, (1, rating), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=8
        )


# --- value --------------------------------------------------------------------------------------------------


def value(runs: Sequence[Run]) -> Iterator[Chart]:
    """What the search expected against what happened."""
    parts = _calibrated(runs)
    if not parts:
        return
    figure = Figure(figsize=(_SIZE[0], _SIZE[1] + 0.9), layout="constrained")
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    axes.plot([-1, 1], [-1, 1], color="#8a8f98", linestyle=":", linewidth=1.4)
    width = 0.16 / len(parts)
    for number, (index, label, found) in enumerate(parts):
        sure = found.bin_games >= SURE
        errors = np.array([found.outcome - found.low, found.high - found.outcome])[:, sure]
        text = _legible(f"{label}: error {found.error:.3f}")
        axes.errorbar(
            found.value[sure],
            found.outcome[sure],
            np.maximum(errors, 0),
            marker="o",
            ms=4,
            capsize=2,
            label=text,
            **style_of(index),
        )
        shift = (number - (len(parts) - 1) / 2) * width
        below.bar(found.centre + shift, found.share, width=width, color=style_of(index)["color"])
    axes.set_ylabel("mean result")
    figure.legend(loc="outside lower center", ncols=2)
    below.set_ylabel("share")
    below.set_xlabel("search's value for the player to move")
    words = (
        "Recorded positions in groups by the value that the search gave them, against how their games "
        "ended for the same player (win 1, loss -1). On the dotted line the agent knows how sure to be; "
        "below it is too hopeful. Bars: 95 % intervals; groups out of fewer than ten games are left out. "
        "Below: how many positions are in a group. Error: mean squared, in points."
    )
    yield Chart("value-calibration", "Value", "What it expects, and what happens", words, figure)


def _calibrated(runs: Sequence[Run]) -> list[tuple[int, str, Calibration]]:
    """A single run's first and last quarter if it has them; otherwise each run's newest games."""
    if len(runs) == 1 and runs[0].games.first:
        named = [(0, "first quarter", runs[0].games.first), (1, "last quarter", runs[0].games.last)]
    else:
        named = [(index, run.label, run.games.newest) for index, run in enumerate(runs)]
    found = [(index, label, calibration(episodes)) for index, label, episodes in named]
    return [(index, label, each) for index, label, each in found if each and (each.bin_games >= SURE).any()]


# --- games --------------------------------------------------------------------------------------------------


def played(runs: Sequence[Run]) -> Iterator[Chart]:
    """Results by seat and lengths."""
    yield from _results_over_time(runs)
    yield from _results_by_variant(runs)
    found = [series(run, "mean_plies") for run in runs]
    if any(len(each.values) for each in found):
        words = "Mean number of actions in a finished game; faint: each iteration, bold: running mean."
        yield Chart("game-length", "Games", "Game length over the run", words, _curves(runs, found, "plies"))
    yield from _length_histograms(runs)


def _results_over_time(runs: Sequence[Run]) -> Iterator[Chart]:
    if len(runs) > 1:
        found = [_points_of_first(run) for run in runs]
        if any(len(each.values) for each in found):
            figure = _curves(runs, found, "points of the first player")
            words = "Share of the points that the first player makes, a draw half a point; ½ is fair."
            yield Chart("results", "Games", "How much moving first is worth", words, figure)
        return
    wins, draws = series(runs[0], "first_wins"), series(runs[0], "draws")
    if not len(wins.values):
        return
    figure, axes = _figure()
    first, drawn = smooth(wins.values), smooth(draws.values)
    stack = [first, drawn, 1 - first - drawn]
    axes.stackplot(
        wins.positions, stack, colors=(_FIRST, _DRAW, _SECOND),
        labels=("first player wins", "draw", "second player wins"), alpha=0.85,
    )  # fmt: skip
    axes.set_ylim(0, 1)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.17), ncols=3, columnspacing=1, handlelength=1)
    _finish(axes, "positions", "share of games", legend=False)
    words = "Results of self-play by seat, a running mean. By default half the games begin with random moves."
    yield Chart("results", "Games", "Results over the run", words, figure)


def _results_by_variant(runs: Sequence[Run]) -> Iterator[Chart]:
    named = [
        (f"{run.label}: {name}" if len(runs) > 1 else name, outcomes(episodes))
        for run in runs
        for name, episodes in by_variant(run, run.games.newest).items()
        if episodes
    ][: 4 * MOST_VARIANTS]
    if not named:
        return
    figure = Figure(figsize=(_SIZE[0], 1.1 + 0.42 * len(named)), layout="constrained")
    axes = figure.subplots()
    for row, (_, found) in enumerate(named):
        left = 0.0
        for share, colour in zip(found.shares, (_FIRST, _DRAW, _SECOND), strict=True):
            axes.barh(row, share, left=left, color=colour, height=0.68)
            if share >= 0.07:
                axes.text(
                    left + share / 2, row, f"{share:.0%}", ha="center", va="center", color="white", fontsize=9
                )
            left += share
    axes.set_yticks(range(len(named)), [_shortened(f"{name} ({found.games})") for name, found in named])
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    axes.tick_params(left=False)
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of games")
    words = "The newest games (how many in brackets): blue the first player, grey a draw, orange the second."
    yield Chart("results-by-variant", "Games", "Results of the newest games", words, figure)


def _points_of_first(run: Run) -> Series:
    wins, draws = series(run, "first_wins"), series(run, "draws")
    return wins._replace(values=wins.values + draws.values / 2)


def _length_histograms(runs: Sequence[Run]) -> Iterator[Chart]:
    """One for each of the first few variants."""
    names = list(dict.fromkeys(name for run in runs for name in by_variant(run, [])))
    for name in names[:MOST_VARIANTS]:
        plies = [lengths(by_variant(run, run.games.newest).get(name, [])) for run in runs]
        if not any(map(len, plies)):
            continue
        figure, axes = _figure()
        edges = _edges(np.concatenate(plies))
        for index, (run, counts) in enumerate(zip(runs, plies, strict=True)):
            if len(counts):
                weights = np.full(len(counts), 1 / len(counts))
                kind: Literal["step", "stepfilled"] = "stepfilled" if len(runs) == 1 else "step"
                look: dict[str, Any] = {"color": style_of(index)["color"], "linewidth": 1.8, "alpha": 0.85}
                axes.hist(
                    counts, edges.tolist(), weights=weights, histtype=kind, label=_legible(run.label), **look
                )
        _finish(axes, "plies", "share of games", legend=len(runs) > 1)
        words = "How many actions the newest games took; a long tail far from the rest often means shuffling."
        yield Chart(f"length-{file_name(name)}", "Games", f"Game length: {name}", words, figure)


def _edges(plies: NDArray[np.int64]) -> NDArray[np.float64]:
    """Bins of whole plies, all equally wide, their borders between numbers."""
    low, high = int(plies.min()), int(plies.max())
    width = -(-(high - low + 1) // _BINS)
    return np.arange(low, high + 1 + width, width).astype(np.float64) - 0.5


# --- speed --------------------------------------------------------------------------------------------------


def speed(runs: Sequence[Run]) -> Iterator[Chart]:
    """Throughput over time."""
    faint = "Faint: each iteration, bold: running mean."
    for name, heading, axis, words, of in (
        ("positions-per-second", "Positions played a second", "positions/s",
         "Moves chosen a second, learning time included.", lambda run: series(run, "positions_per_second")),
        ("evaluations-per-second", "Network evaluations a second", "evaluations/s",
         "Positions that the network judged a second, while playing.",
         lambda run: series(run, "evaluations_per_second")),
        ("cache-share", "Evaluations from memory", "share",
         "Share of the evaluations that the cache answered, without the network.", cache_shares),
        ("learning-time", "Time spent learning", "share",
         "Share of each iteration that goes into learning; the rest is playing.", _learning_shares),
    ):  # fmt: skip
        found = [of(run) for run in runs]
        if any(len(each.values) for each in found):
            figure = _curves(runs, found, axis, by="minutes", from_zero=True)
            yield Chart(name, "Speed", heading, f"{words} {faint}", figure)


def _learning_shares(run: Run) -> Series:
    play, learn = series(run, "play_seconds"), series(run, "learn_seconds")
    return play._replace(values=learn.values / np.maximum(play.values + learn.values, 1e-9))


BUILDERS: tuple[Build, ...] = (learning, strength, value, played, speed)
"""All charts, in the page's order."""


# --- what charts share --------------------------------------------------------------------------------------


def _figure() -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE, layout="constrained")
    return figure, figure.subplots()


def _curves(
    runs: Sequence[Run],
    found: Sequence[Series],
    axis: str,
    *,
    by: str = "positions",
    from_zero: bool = False,
) -> Figure:
    """A metric of every run, faint as it is and bold as a running mean."""
    figure, axes = _figure()
    for index, (run, each) in enumerate(zip(runs, found, strict=True)):
        if not len(each.values):
            continue
        x = each.positions if by == "positions" else each.minutes
        look = style_of(index)
        axes.plot(x, each.values, linewidth=0.8, alpha=0.35, color=look["color"])
        marker: dict[str, Any] = {"marker": "o", "ms": 3} if len(x) <= FEW else {}
        axes.plot(x, smooth(each.values), label=_legible(run.label), **look, **marker)
    if from_zero:
        axes.set_ylim(bottom=0)
    _finish(axes, by, axis, legend=len(runs) > 1)
    return figure


def _finish(axes: Axes, by: str, axis: str, *, legend: bool) -> None:
    from matplotlib.ticker import EngFormatter

    axes.set_xlabel(by)
    axes.set_ylabel(axis)
    if by == "positions":
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    if legend and axes.get_legend_handles_labels()[0]:
        axes.legend()


def _legible(label: str) -> str:
    """A label that a legend doesn't drop: matplotlib hides those that begin with an underscore."""
    text = _shortened(label)
    return f" {text}" if text.startswith("_") else text


def _shortened(text: str, limit: int = 40) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
