"""`selfplay meta-tune`: the search for adaptation's settings, with its options, display and files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from selfplay.config import TrainConfig
    from selfplay.meta.initialisation import Initialisation
    from selfplay.meta.tune import Judged, Told, TuneConfig
    from selfplay.meta.validation import Examined

OUTPUT = Path("adapt.toml")


def meta_tune(
    start: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="INIT", help="Tune for this: .safetensors or a run. Default: the released one."
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The settings to write, as TOML.")
    ] = OUTPUT,
    trials: Annotated[int, typer.Option(min=1, help="Trials in all.")] = 40,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Begin no trial after this time. Default: no limit.")
    ] = None,
    positions: Annotated[int, typer.Option(min=8, help="Self-play positions of each adaptation.")] = 2_000,
    seeds: Annotated[int, typer.Option(min=1, help="Adaptations to each variant.")] = 2,
    threads: Annotated[int, typer.Option(min=1, help="Adaptations at a time.")] = 2,
    pruner: Annotated[
        str, typer.Option(help="How trials are given up: median, hyperband or none.")
    ] = "median",
    storage: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The search's journal. Default: beside the output, .journal."),
    ] = None,
    fixed: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Fix a setting instead of searching it; may be repeated."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="All trials. Default: beside the output, .json."),
    ] = None,
) -> None:
    """Find the settings of `adapt` on the validation variants. Ctrl-C ends; the same command goes on."""
    from models.format import write_atomically
    from selfplay.meta.adapt import released
    from selfplay.meta.initialisation import Initialisation
    from selfplay.meta.tune import held, settings_file, tune
    from selfplay.meta.validation import validation_exams

    settings: dict[str, Any] = {
        "trials": trials, "minutes": minutes, "positions": positions, "seeds": seeds, "seed": seed,
        "threads": threads, "pruner": pruner, "fixed": tuple(fixed or ()),
    }  # fmt: skip
    config = checked(settings)
    journal, trials_file = (
        given or output.with_suffix(suffix) for given, suffix in ((storage, ".journal"), (json_file, ".json"))
    )
    for path in (output, journal, trials_file):
        if not path.parent.is_dir():
            raise typer.BadParameter(f"expected a file in a folder that exists, got {path}")
    source = start or released()
    initial, exams = Initialisation.load(source), validation_exams()
    if not exams:
        raise typer.BadParameter("expected solved suites of validation variants, this build has none")
    names = [exam.variant.name for exam in exams]
    with TuneDisplay(f"tuning on {len(exams)} variants") as display:
        found = tune(
            judge(initial, exams, config), names, config, journal, source=digest(initial), tell=display
        )
    words = (
        "How a variant is learned from an initialisation: `selfplay adapt`'s defaults.\n"
        f"Found by `selfplay meta-tune`: area {found.score:.4f} with fresh seeds, {found.before:.4f} before."
    )
    write_atomically(output, settings_file(held(config) | found.settings, words).encode())
    report = {"source": source.name, **found.report}
    write_atomically(trials_file, (json.dumps(report, indent=1) + "\n").encode())
    typer.echo(f"Area under the curve {found.score:.4f}, before {found.before:.4f}: {output}, {trials_file}")


def checked(settings: dict[str, Any]) -> TuneConfig:
    """A search's configuration; raises `RunError` with one line."""
    from pydantic import ValidationError

    from games import RunError
    from selfplay.meta.tune import TuneConfig, defaults, searched, trial_config

    try:
        config = TuneConfig.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        raise RunError(f"--{first['loc'][0]}: {first['msg'].lower()}, got {first['input']!r}") from None
    knobs = searched(config)
    if not knobs:
        raise RunError("expected at least one setting to search, got all of them fixed")
    trial_config(defaults(knobs), config, seed=0)
    return config


def judge(initial: Initialisation, exams: Sequence[Examined], config: TuneConfig) -> Judged:
    """The area under the curve of an adaptation to one of the exams, of the bare policy."""
    import torch

    from selfplay.meta.adapt import rehearsed
    from selfplay.meta.curve import adaptation_curve
    from selfplay.meta.tune import area

    at = config.at()

    def judged(settings: TrainConfig, number: int) -> float:
        torch.set_num_threads(1)
        variant, suite = exams[number].variant, exams[number].suite
        known = rehearsed(initial, variant, settings.seed) if settings.selfplay.rehearsal else ()
        training = initial.training(settings, (variant, *known))
        points = adaptation_curve(training, suite, at=at, simulations=(0,))
        return area([(point.positions, point.kept_if_can_fail[0]) for point in points], at)

    return judged


def digest(initial: Initialisation) -> str:
    """Equal for equal weights."""
    import hashlib

    return hashlib.sha256(initial.packed_as_it_is()).hexdigest()[:16]


class TuneDisplay:
    """Says after each trial how it went, and on a terminal how far the search is."""

    def __init__(self, label: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:3.0f} %  {task.fields[left]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(label, total=1.0, left="starting …")

    def __enter__(self) -> TuneDisplay:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, told: Told) -> None:
        """Show a trial's line."""
        from selfplay.display import time_left
        from selfplay.loop import Progress

        left = time_left(Progress(told.share, told.seconds, {}))
        self._bar.update(self._task, completed=told.share, left=left)
        line = told.line if self._console.is_terminal else f"{told.line}; {left}"
        self._console.print(line, highlight=False, soft_wrap=True)
