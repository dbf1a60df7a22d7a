"""Starting and resuming runs with a progress display: what `selfplay train` does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from games import Variant
from selfplay.config import read_config
from selfplay.describe import listing
from selfplay.display import TrainingDisplay
from selfplay.export import export_agent
from selfplay.loop import FirstLesson, train
from selfplay.run import RunFolder


def start_training(
    variants: Sequence[Variant], run: Path, config_file: Path | None, settings: Sequence[str]
) -> dict[str, Any]:
    """Train in a new run folder; returns a summary. Raises `RunError` with one line."""
    return run_training(RunFolder.create(run, read_config(config_file, settings), variants))


def resume_training(run: Path, settings: Sequence[str]) -> dict[str, Any]:
    """Go on with a run; settings, such as a larger budget, change its configuration for good."""
    folder = RunFolder.open(run)
    if settings:
        folder.reconfigure(read_config(None, settings, base=folder.config))
    return run_training(folder)


def run_training(folder: RunFolder, *, first_lesson: FirstLesson | None = None) -> dict[str, Any]:
    """Train in a folder that is held, export the agent into it, and let the folder go."""
    names = listing([variant.name for variant in folder.variants])
    console = Console(stderr=True)
    try:
        with TrainingDisplay(console, f"learning {names}") as display:
            training = train(folder, display, tell=display.tell, first_lesson=first_lesson)
        export_agent(folder.path, folder.path / "agent.onnx")
    finally:
        folder.close()
    return {
        "run": str(folder.path),
        "variants": [variant.name for variant in folder.variants],
        "positions": training.replay.recorded,
        "episodes": training.episodes_played,
        "steps": training.learner.steps,
        "seconds": training.seconds,
        "config": folder.config.model_dump(exclude_none=True),
    }
