"""Starting and resuming meta-trainings with a progress display: what `selfplay meta-train` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from games import AgentError, Variant
from models.growing import grown
from selfplay.config import read_settings
from selfplay.display import TrainingDisplay
from selfplay.meta.config import MetaTrainConfig
from selfplay.meta.folder import MetaFolder, games_of
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
    *,
    games: Path | None = None,
) -> dict[str, Any]:
    """Meta-train in a new folder; returns a summary. Raises `UserError` with one line.

    Args:
        run: the new folder.
        variants: default: the training part of the split.
        start: weights to begin with. They also give the network its shape, unless the configuration names
            a larger one, to which they then grow.
        config_file: a `config.toml`.
        settings: `key=value`, which win.
        games: a meta-training whose recorded games are learned from, too.
    """
    config = read_settings(MetaTrainConfig, config_file, settings)
    packed = None
    if start is not None:
        initial = _grown(Initialisation.load(start), config)
        config = config.model_copy(update={"network": initial.net.config})
        packed = initial.packed_as_it_is()
    variants = variants or load_split().train
    given = [] if games is None else games_of(games, variants)
    return _run(MetaFolder.create(run, config, variants, start=packed, games=given))


def _grown(initial: Initialisation, config: MetaTrainConfig) -> Initialisation:
    """With the network's sizes that a configuration names."""
    named = config.network.model_fields_set if "network" in config.model_fields_set else frozenset()
    wanted = initial.net.config.model_copy(update={key: getattr(config.network, key) for key in named})
    if wanted == initial.net.config:
        return initial
    try:
        return replace(initial, net=grown(initial.net, wanted, seed=config.seed))
    except ValueError as error:
        raise AgentError(f"{initial.name}: {error}") from None


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
