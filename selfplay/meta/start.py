"""Starting and resuming meta-trainings with a progress display: what `selfplay meta-train` does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from games import Variant
from selfplay.config import read_settings
from selfplay.display import TrainingDisplay
from selfplay.meta.config import MetaTrainConfig
from selfplay.meta.folder import MetaFolder
from selfplay.meta.initialisation import Initialisation
from selfplay.meta.split import load_split
from selfplay.meta.training import meta_train
from selfplay.meta.validation import judge_by, validation_exams


def start_meta_training(
    run: Path,
    variants: Sequence[Variant] | None,
    start: Path | None,
    config_file: Path | None,
    settings: Sequence[str],
) -> dict[str, Any]:
    """Meta-train in a new folder; returns a summary. Raises `UserError` with one line.

    variants: default: the training part of the split; start: weights to begin with, which also give the
    network its shape
    """
    config = read_settings(MetaTrainConfig, config_file, settings)
    packed = None
    if start is not None:
        initial = Initialisation.load(start)
        config = config.model_copy(update={"network": initial.net.config})
        packed = initial.packed_as_it_is()
    folder = MetaFolder.create(run, config, variants or load_split().train, start=packed)
    return _run(folder)


def resume_meta_training(run: Path, settings: Sequence[str]) -> dict[str, Any]:
    """Go on with a meta-training; settings change its configuration for good."""
    folder = MetaFolder.open(run)
    if settings:
        folder.reconfigure(read_settings(MetaTrainConfig, None, settings, base=folder.config))
    return _run(folder)


def _run(folder: MetaFolder) -> dict[str, Any]:
    judge = judge_by(validation_exams(), threads=folder.config.selfplay.threads)
    try:
        with TrainingDisplay(
            Console(stderr=True), f"meta-learning {len(folder.variants)} variants"
        ) as display:
            training = meta_train(folder, display, judge, tell=display.tell)
    finally:
        folder.close()
    return {
        "run": str(folder.path),
        "variants": len(folder.variants),
        "positions": training.recorded,
        "steps": training.algorithm.steps,
        "seconds": training.seconds,
        "validation": training.validated[-1] if training.validated else None,
        "config": folder.config.model_dump(exclude_none=True),
    }
