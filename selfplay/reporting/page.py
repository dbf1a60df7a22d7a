"""The page: everything in one HTML file that loads nothing. Whatever comes from a run is escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment
from markupsafe import Markup

from games import Variant
from selfplay.config import TrainConfig
from selfplay.reporting import render
from selfplay.reporting.boards import drawing, svg
from selfplay.reporting.charts import Chart, style_of
from selfplay.reporting.data import Run
from selfplay.reporting.examples import Board, Example
from selfplay.reporting.openings import SIMULATIONS, Opening

_TEMPLATE = Path(__file__).with_name("page.html")
_NOTHING = "–"


class VariantPart(NamedTuple):
    """What is shown of one variant of one run: its opening tree if there is an agent, and example games."""

    run: Run
    name: str
    variant: Variant
    tree: Opening | None
    examples: Sequence[Example]


def page(
    runs: Sequence[Run],
    charts: Sequence[Chart],
    parts: Sequence[VariantPart],
    summaries: Sequence[dict[str, Any]],
    missing: Sequence[str],
) -> str:
    """The whole page as text."""
    names = ", ".join(dict.fromkeys(variant.name for run in runs for variant in run.variants))
    heading, columns, settings = _settings(runs)
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        title=" · ".join(run.label for run in runs),
        subtitle=f"Self-play learning of {names}",
        missing=missing,
        runs=[{"label": run.label, "colour": style_of(i)["color"]} for i, run in enumerate(runs)],
        facts=list(_facts(summaries)),
        settings_heading=heading,
        settings_columns=columns,
        settings=settings,
        sections=list(_sections(runs, charts)),
        simulations=SIMULATIONS,
        openings=[{"heading": _heading(part, runs), "root": _node(part.tree)} for part in parts if part.tree],
        examples=[
            {"heading": _heading(part, runs), "games": [_game(example) for example in part.examples]}
            for part in parts
            if part.examples
        ],
    )


def not_measured(run: Run) -> str:
    """The line for a run without `strength.json`."""
    return f"{run.label}: strength is not measured yet: selfplay report {run.path} --measure"


# --- tables -------------------------------------------------------------------------------------------------


def _facts(summaries: Sequence[dict[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """Rows of the table at the top: a name and a cell for each run; rows that no run fills are left out."""
    rows: Mapping[str, Callable[[dict[str, Any]], str]] = {
        "variants": lambda s: _shortened(", ".join(s["variants"])),
        "time": lambda s: f"{s['minutes']:.1f} min",
        "positions": lambda s: _count(s["positions"]),
        "games": lambda s: _count(s["games"]),
        "learning steps": lambda s: _count(s["steps"]),
        "positions a second": lambda s: _count(s["positions_per_second"]),
        "time spent learning": lambda s: _percent(s["learning_share"]),
        "policy loss at the end": lambda s: _decimal(s["policy_loss"]),
        "value loss at the end": lambda s: _decimal(s["value_loss"]),
        "value error, first quarter": lambda s: _error(s, "first"),
        "value error, last quarter": lambda s: _error(s, "last"),
        "value error, newest games": lambda s: _error(s, "newest"),
        "strength": _rating,
    }
    for name, cell in rows.items():
        cells = [cell(summary) for summary in summaries]
        if set(cells) != {_NOTHING}:
            yield name, cells


def _count(number: float | None) -> str:
    return _NOTHING if number is None else f"{number:,.0f}"


def _percent(share: float | None) -> str:
    return _NOTHING if share is None else f"{share:.0%}"


def _decimal(number: float | None) -> str:
    return _NOTHING if number is None else f"{number:.3f}"


def _error(summary: dict[str, Any], part: str) -> str:
    """Of what the search expected, beside that of always expecting the mean."""
    found = summary["calibration"][part]
    return f"{found['error']:.3f} (mean: {found['base_error']:.3f})" if found else _NOTHING


def _rating(summary: dict[str, Any]) -> str:
    """The last archived agent's, on the scale of the references."""
    points = summary["strength"] and summary["strength"]["points"]
    if not points:
        return _NOTHING
    last = points[-1]
    return f"{last['rating']:+.0f} Elo ({last['low']:+.0f} to {last['high']:+.0f})"


def _settings(runs: Sequence[Run]) -> tuple[str, list[str], list[tuple[str, list[str]]]]:
    """What differs between runs; of a single run what differs from the defaults."""
    flat = [dict(_flat(run.config.model_dump())) for run in runs]
    if len(runs) == 1:
        usual = dict(_flat(TrainConfig().model_dump()))
        rows = _differing([flat[0], usual])
        return "Settings that are not the default", [runs[0].label, "default"], rows
    return "Settings that differ", [run.label for run in runs], _differing(flat)


def _differing(columns: Sequence[dict[str, str]]) -> list[tuple[str, list[str]]]:
    keys = dict.fromkeys(key for column in columns for key in column)
    rows = [(key, [column.get(key, _NOTHING) for column in columns]) for key in keys]
    return [(key, cells) for key, cells in rows if len(set(cells)) > 1]


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Dotted keys with their values as text."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _NOTHING if value is None else str(value)


def _shortened(text: str, limit: int = 120) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


# --- pictures -----------------------------------------------------------------------------------------------


def _sections(runs: Sequence[Run], charts: Sequence[Chart]) -> Iterator[dict[str, Any]]:
    """Charts by section, in their order; strength is always one of them."""
    names = list(dict.fromkeys([*(chart.section for chart in charts), "Strength"]))
    names.sort(key=("Learning", "Strength", "Value", "Games", "Speed").index)
    for name in names:
        drawn = [_drawn(chart) for chart in charts if chart.section == name]
        notes = [not_measured(run) for run in runs if run.strength is None] if name == "Strength" else []
        yield {"name": name, "charts": drawn, "notes": notes}


def _drawn(chart: Chart) -> dict[str, Any]:
    element = render.svg(chart.figure, prefix=chart.name, title=chart.heading)
    return {"heading": chart.heading, "words": chart.words, "svg": Markup(element)}


def _heading(part: VariantPart, runs: Sequence[Run]) -> str:
    title = part.variant.title or part.name
    name = title if title == part.name else f"{title} ({part.name})"
    return f"{part.run.label}: {name}" if len(runs) > 1 else name


def _node(opening: Opening) -> dict[str, Any]:
    """A tree's position for the template."""
    return opening._asdict() | {
        "svg": Markup(svg(drawing(opening.position, came_from=opening.origin))),
        "replies": [_node(reply) for reply in opening.replies],
    }


def _game(example: Example) -> dict[str, Any]:
    return example._asdict() | {"boards": [_board(board) for board in example.boards]}


def _board(board: Board) -> dict[str, Any]:
    picture = svg(drawing(board.position, came_from=board.origin))
    return {"svg": Markup(picture), "move": board.move, "points": board.points}
