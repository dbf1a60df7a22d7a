"""The folder of a meta-training: a run's folder (see `selfplay.run`), with the best initialisation in it.

best.safetensors    the initialisation that validation liked best
validation.jsonl    one line a validation
agents/N.safetensors  the initialisation at some of the checkpoints
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from games import RunError, Variant
from models.format import write_atomically
from selfplay.actor import Episode
from selfplay.meta.config import MetaTrainConfig
from selfplay.run import GIVEN, Folder, disk_errors

BEST = "best.safetensors"


class MetaFolder(Folder[MetaTrainConfig]):
    """A meta-training's folder that this process holds."""

    format = "selfplay-meta-run"
    config_model = MetaTrainConfig

    def cannot_change(self, config: MetaTrainConfig) -> str | None:
        """See `Folder`; the algorithm stays as well."""
        if config.learning.algorithm != self.config.learning.algorithm:
            return "learning.algorithm"
        return super().cannot_change(config)

    def keep_best(self, agent: bytes) -> None:
        """Keep an initialisation as the best one so far."""
        with disk_errors(self.path):
            write_atomically(self.path / BEST, agent)

    def write_validation(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write what validations found, oldest first."""
        text = "".join(json.dumps(row) + "\n" for row in rows)
        with disk_errors(self.path):
            write_atomically(self.path / "validation.jsonl", text.encode())

    def all_episodes(self, last: int) -> list[Episode]:
        """The games that were given, then those of all checkpoints up to one, in the order of playing."""
        first = 0 if (self.path / "games" / GIVEN).exists() else 1
        return [episode for number in range(first, last + 1) for episode in self.episodes(number)]


def games_of(path: Path, variants: Sequence[Variant]) -> list[Episode]:
    """The recorded games of a meta-training that some variants are in, numbered as in `variants`.

    Raises:
        RunError: the folder is none, is in use, or shares no variant; one line.
    """
    folder = MetaFolder.open(path)
    try:
        number_of = {variant.digest: number for number, variant in enumerate(variants)}
        numbers = [number_of.get(variant.digest) for variant in folder.variants]
        snapshot = folder.latest()
        played = [] if snapshot is None else folder.all_episodes(snapshot.number)
    finally:
        folder.close()
    found = [e._replace(variant=number) for e in played if (number := numbers[e.variant]) is not None]
    if not found:
        raise RunError(f"{path}: expected recorded games of the variants to learn, got none")
    return found


def best_initialisation(path: Path) -> Path:
    """The best weights of a meta-training's folder; raises `RunError` if there are none yet."""
    if not (path / BEST).exists():
        raise RunError(f"{path}: expected a meta-training that was validated, got one without {BEST}")
    return path / BEST
