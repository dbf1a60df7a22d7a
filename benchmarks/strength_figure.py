"""Draw what an hour from nothing came to on the way: docs/strength.png.

    python -m benchmarks.strength_figure

Left, errors on Connect Four's solved positions; right, points of the other games against plain tree search.
All from the files that `benchmarks.strength` wrote.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.strength import FIRST_OPPONENT, OPPONENTS, RESULTS, SIMULATIONS, SUITES, read_report
from selfplay.reporting.charts import style_of
from selfplay.reporting.render import house_style, png

PICTURE = Path(__file__).parents[1] / "docs" / "strength.png"
HARDEST = "beginning-hard"


def main() -> None:
    """Read, draw, write."""
    with house_style():
        figure = Figure(figsize=(9.0, 3.6), layout="constrained")
        errors, points = figure.subplots(1, 2)
        _errors(errors, _report("connect4")["curve"])
        for index, game in enumerate(name for name in OPPONENTS if name not in SUITES):
            if rows := _report(game).get("curve"):
                shares = [100 * row["points"] for row in rows]
                points.plot(_minutes(rows), shares, marker="o", ms=3.5, label=game, **style_of(index))
        points.set(xlabel="minutes", ylabel=f"% of points against {FIRST_OPPONENT}", ylim=(0, 102))
        points.set_xlim(left=0)
        points.legend(loc="lower right")
        PICTURE.write_bytes(png(figure))
    print(PICTURE)


def _errors(axes: Axes, rows: list[dict[str, Any]]) -> None:
    """Connect Four: the policy alone, searched, and searched on the hardest set."""
    lines = (
        ("policy alone, mean of six sets", "0", "mean"),
        (f"{SIMULATIONS} simulations, mean of six sets", str(SIMULATIONS), "mean"),
        (f"{SIMULATIONS} simulations, hardest set", str(SIMULATIONS), HARDEST),
    )
    for index, (label, simulations, name) in enumerate(lines):
        shares = [100 * row["errors"][simulations][name] for row in rows]
        axes.plot(_minutes(rows), shares, marker="o", ms=3.5, label=label, **style_of(index))
    axes.set(xlabel="minutes", ylabel="% of moves that lose value, connect4")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper right")


def _minutes(rows: list[dict[str, Any]]) -> list[float]:
    return [row["seconds"] / 60 for row in rows]


def _report(game: str) -> dict[str, Any]:
    return read_report(RESULTS / f"{game}.json")


if __name__ == "__main__":
    main()
