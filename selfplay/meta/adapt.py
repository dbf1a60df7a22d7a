"""Adapting an initialisation to one variant by self-play: what `selfplay adapt` does.

It is a training run that starts from given weights. A share of its games is played in variants that the
initialisation knows, so that nothing is forgotten, and it may end by itself once its agent doesn't improve.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from games import AgentError, Variant
from models.format import zoo_file
from selfplay.config import TrainConfig, read_config
from selfplay.meta.initialisation import Initialisation
from selfplay.run import START, RunFolder
from selfplay.training import run_training

SETTINGS = "adapt.toml"
"""The settings beside this module, as `selfplay meta-tune` found them."""

REHEARSED = 12
"""Known variants whose games are mixed in."""


def default_config() -> TrainConfig:
    """The settings of adaptation."""
    text = resources.files("selfplay.meta").joinpath(SETTINGS).read_text(encoding="utf-8")
    return TrainConfig.model_validate(tomllib.loads(text))


def released() -> Path:
    """The initialisation that ships with the package; raises `AgentError` if this build has none."""
    path = zoo_file("meta.safetensors")
    if not path.exists():
        raise AgentError(f"expected an initialisation (--from INIT), this build ships none at {path}")
    return path


def start_adaptation(
    variant: Variant,
    source: Path,
    run: Path,
    *,
    config: Path | None,
    settings: Sequence[str],
    tell: Callable[[str], object] = lambda _: None,
) -> dict[str, Any]:
    """Adapt in a new run folder; returns a summary. Raises `UserError` with one line."""
    initial = Initialisation.load(source)
    chosen = initial.configure(read_config(config, settings, base=default_config()))
    variants = (variant, *(rehearsed(initial, variant, chosen.seed) if chosen.selfplay.rehearsal else ()))
    if doubted := initial.doubts(variant, seed=chosen.seed):
        tell(f"{initial.name} misjudges {variant.name}, so policy and value start anew.")
    packed = initial.packed(variant, doubted=doubted, seed=chosen.seed)
    folder = RunFolder.create(run, chosen, variants, start=packed)
    return run_training(folder, first_lesson=initial.first_lesson())


def resume_adaptation(run: Path, settings: Sequence[str]) -> dict[str, Any]:
    """Go on with an adaptation; settings, such as a larger budget, change its configuration for good."""
    folder = RunFolder.open(run)
    if settings:
        folder.reconfigure(read_config(None, settings, base=folder.config))
    begun_from = run / START
    lesson = Initialisation.load(begun_from).first_lesson() if begun_from.exists() else None
    return run_training(folder, first_lesson=lesson)


def rehearsed(initial: Initialisation, variant: Variant, seed: int) -> tuple[Variant, ...]:
    """Known variants that fit the board of a new one, drawn by a seed."""
    order = np.random.default_rng(seed).permutation(len(initial.known)).tolist()
    fitting = (number for number in order if _fits(initial.known[number], variant))  # reads what is looked at
    return tuple(initial.known[number] for number in sorted(islice(fitting, REHEARSED)))


def _fits(known: Variant, variant: Variant) -> bool:
    """Whether a variant has room on another one's board, and other rules."""
    small = known.board.rows <= variant.board.rows and known.board.columns <= variant.board.columns
    return small and known.digest != variant.digest
