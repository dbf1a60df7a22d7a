"""What training shows: a bar with an estimate on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from selfplay import loop

SECONDS_BETWEEN_LINES = 15.0
"""Where there is no terminal."""


class TrainingDisplay:
    """An observer of a run that keeps one bar up to date."""

    def __init__(self, console: Console, label: str) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:3.0f} %  {task.fields[left]}  {task.fields[facts]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(label, total=1.0, left="starting …", facts="")
        self._label = label
        self._last_line = float("-inf")

    def __enter__(self) -> TrainingDisplay:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def tell(self, line: str) -> None:
        """Say something once, above the bar."""
        self._console.print(line, highlight=False, soft_wrap=True)

    def __call__(self, progress: loop.Progress) -> None:
        """Show how far the run is."""
        left, facts = time_left(progress), _facts(progress.row)
        self._bar.update(self._task, completed=progress.share, left=left, facts=facts)
        now = time.monotonic()
        last = progress.share >= 1.0
        if not self._console.is_terminal and (last or now - self._last_line >= SECONDS_BETWEEN_LINES):
            self._last_line = now
            self._console.print(
                f"{self._label}: {progress.share:4.0%}, {left}, {facts}", highlight=False, soft_wrap=True
            )


def time_left(progress: loop.Progress) -> str:
    """An estimate from how long the share so far took."""
    if progress.share <= 0.0:
        return "just begun"
    seconds = progress.seconds * (1.0 - progress.share) / progress.share
    return f"{int(seconds // 60)}:{int(seconds % 60):02d} left"


def _facts(row: dict[str, Any]) -> str:
    facts = [f"{row['positions']:,} positions ({row['positions_per_second']:.0f}/s)"]
    if "policy_loss" in row:
        facts.append(f"loss {row['policy_loss']:.3f} policy, {row['value_loss']:.3f} value")
    if "query_loss" in row:
        facts.append(f"loss {row['query_loss']:.3f} of {row['variants_met']} variants")
    return ", ".join(facts)
