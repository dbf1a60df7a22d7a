"""From run folders to a page, PNGs and numbers: what `selfplay report` does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from games import RunError, UserError, Variant
from models.format import write_atomically
from selfplay.player import Player
from selfplay.reporting import render
from selfplay.reporting.board_figures import games_figure, tree_figure
from selfplay.reporting.charts import BUILDERS, MOST_VARIANTS, Chart, file_name
from selfplay.reporting.data import Run, read_runs
from selfplay.reporting.examples import Example, choose_examples
from selfplay.reporting.openings import SIMULATIONS, Opening, opening_tree
from selfplay.reporting.page import VariantPart, not_measured, page
from selfplay.reporting.statistics import by_variant, summary
from selfplay.run import disk_errors

__all__ = ["Written", "output_file", "read_runs", "steps", "write_report"]


class Written(NamedTuple):
    """What a report left: page: the HTML file; pictures: PNGs; missing: lines; result: numbers for JSON."""

    page: Path
    pictures: tuple[Path, ...]
    missing: tuple[str, ...]
    result: dict[str, Any]


def output_file(runs: Sequence[Path], output: Path | None) -> Path:
    """Where the page is written: a file that is named `.html`, or `report.html` in a folder.

    By default the folder is the run's own, or the current one for several runs. Raises `RunError` if the
    folder can't be there.
    """
    if output is None:
        return (runs[0] if len(runs) == 1 else Path()) / "report.html"
    if output.suffix.lower() in (".html", ".htm"):
        if output.is_dir():
            raise RunError(
                f"{output}: expected a file or another folder to write, got a folder named like a page"
            )
        if not output.parent.is_dir():
            raise RunError(f"{output}: expected a file in a folder that exists")
        return output
    if output.exists() and not output.is_dir():
        raise RunError(f"{output}: expected a folder or a file that ends in .html")
    if not output.parent.is_dir():
        raise RunError(f"{output}: expected a folder in one that exists")
    return output / "report.html"


def steps(runs: Sequence[Run]) -> int:
    """How often `write_report` tells its progress."""
    return len(BUILDERS) + sum(min(len(run.variants), MOST_VARIANTS) for run in runs) + 1


def write_report(
    runs: Sequence[Run], target: Path, *, progress: Callable[[int], object] = lambda _: None
) -> Written:
    """Write the page, and PNGs into the folder beside it that is named like it; raises `RunError`."""
    with render.house_style():
        charts: list[Chart] = []
        for build in BUILDERS:
            charts += build(runs)
            progress(1)
        missing = [f"{run.label}: {line}" if len(runs) > 1 else line for run in runs for line in run.missing]
        parts = []
        for part, complaints in _parts(runs):
            parts.append(part)
            missing += complaints
            progress(1)
        missing += _left_out(runs)
        numbers = [summary(run) for run in runs]
        text = page(runs, charts, parts, numbers, missing)
        pictures = _write(target, text, charts, parts, several=len(runs) > 1)
        progress(1)
    unmeasured = [not_measured(run) for run in runs if run.strength is None]
    result = {"report": str(target), "pictures": [str(path) for path in pictures], "runs": numbers}
    return Written(target, tuple(pictures), (*missing, *unmeasured), result)


def _parts(runs: Sequence[Run]) -> Iterator[tuple[VariantPart, list[str]]]:
    """Opening tree and example games of each run's first variants, with what went wrong."""
    for run in runs:
        player, complaints = _player(run)
        games = by_variant(run, run.games.newest)
        for variant, (name, played) in list(zip(run.variants, games.items(), strict=True))[:MOST_VARIANTS]:
            tree, examples = _part(player, variant, played, complaints)
            yield VariantPart(run, name, variant, tree, examples), complaints
            complaints = []


def _player(run: Run) -> tuple[Player | None, list[str]]:
    """The run's agent; None, with the reason, if its file is damaged."""
    if run.agent is None:
        return None, []
    try:
        return Player.load(run.agent, simulations=SIMULATIONS), []
    except UserError as error:
        return None, [f"no opening tree: {error}"]


def _part(
    player: Player | None, variant: Variant, played: Sequence[Any], complaints: list[str]
) -> tuple[Opening | None, list[Example]]:
    tree, examples = None, []
    try:
        examples = choose_examples(variant, played)
    except UserError as error:
        complaints.append(f"no example games of {variant.name}: {error}")
    try:
        tree = opening_tree(player, variant, played) if player else None
    except UserError as error:
        complaints.append(f"no opening tree of {variant.name}: {error}")
    return tree, examples


def _left_out(runs: Sequence[Run]) -> list[str]:
    return [
        f"{run.label}: openings and examples of the first {MOST_VARIANTS} of {len(run.variants)} variants"
        for run in runs
        if len(run.variants) > MOST_VARIANTS
    ]


def _write(
    target: Path, text: str, charts: Sequence[Chart], parts: Sequence[VariantPart], *, several: bool
) -> list[Path]:
    """Every file appears at once, whole; the page last."""
    folder = target.with_suffix("")
    with disk_errors(target):
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for name, data in _pngs(charts, parts, several=several):
            written.append(folder / f"{name}.png")
            write_atomically(written[-1], data)
        write_atomically(target, text.encode())
    return written


def _pngs(
    charts: Sequence[Chart], parts: Sequence[VariantPart], *, several: bool
) -> Iterator[tuple[str, bytes]]:
    for chart in charts:
        chart.figure.suptitle(chart.heading, fontsize=12)
        yield chart.name, render.png(chart.figure)
    for part in parts:
        label = f"{part.run.label}: {part.name}" if several else part.name
        title = f"{label} (first: points that the search expects for the first player)"
        if part.tree:
            yield file_name(f"openings-{label}"), render.png(tree_figure(part.tree, f"Openings: {title}"))
        if part.examples:
            yield file_name(f"games-{label}"), render.png(games_figure(part.examples, f"Games: {title}"))
