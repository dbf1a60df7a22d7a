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

from games import RunError
from models.format import write_atomically
from selfplay.actor import Episode
from selfplay.meta.config import MetaTrainConfig
from selfplay.run import Folder, disk_errors

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
        """The games of all checkpoints up to one, in the order in which they were played."""
        return [episode for number in range(1, last + 1) for episode in self.episodes(number)]


def best_initialisation(path: Path) -> Path:
    """The best weights of a meta-training's folder; raises `RunError` if there are none yet."""
    if not (path / BEST).exists():
        raise RunError(f"{path}: expected a meta-training that was validated, got one without {BEST}")
    return path / BEST
