"""What commands share: options, the JSON they write, a progress bar. Imports what it needs when it runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer


def in_a_folder(path: Path | None) -> Path | None:
    """An output's folder exists, so that a long computation doesn't end with nowhere to write."""
    if path is not None and path.is_dir():
        raise typer.BadParameter(f"expected a file to write, got the folder {path}")
    if path is not None and not path.parent.is_dir():
        raise typer.BadParameter(f"expected a file in a folder that exists, got {path}")
    return path


JsonOption = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Write the result as JSON, too.", callback=in_a_folder),
]
"""`--json FILE`, for commands that compute a result; `write_json` writes it."""


ThreadsOption = Annotated[int, typer.Option(min=1, help="Cores that work at a time.")]
"""`--threads N`, for commands that search many positions at once."""

MinutesOption = Annotated[float | None, typer.Option(min=0.01, help="Stop after this time.")]
PositionsOption = Annotated[
    int | None, typer.Option(min=1, help="Stop after this many self-play positions; reproducible to the bit.")
]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")]
ConfigOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A config.toml, such as another run's.")
]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="A setting, such as learner.learning_rate=1e-3; may be repeated."
    ),
]
SeedOption = Annotated[int | None, typer.Option(min=0, help="Of everything random. Default: 0.")]
"""What every command that trains takes; `changes` turns them into settings."""


def changes(settings: list[str] | None, **budget: Any) -> list[str]:
    """Settings as `KEY=VALUE`, those of options that were given included."""
    return [*(settings or []), *(f"{key}={value}" for key, value in budget.items() if value is not None)]


def write_json(path: Path | None, result: dict[str, Any]) -> None:
    """Write a result where `--json` says, a file whole or not at all; nothing without it."""
    from models.format import write_atomically

    if path is not None:
        write_atomically(path, (json.dumps(result, indent=2) + "\n").encode())


@contextmanager
def progress_bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr with an estimate of what is left; call the result with what was just done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.advance(task, done)
