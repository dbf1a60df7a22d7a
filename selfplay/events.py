"""A run's metrics as TensorBoard events."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from selfplay.run import disk_errors


class Events:
    """Writes into the folder `tensorboard` of a run; a failing disk is a `RunError`."""

    def __init__(self, run: Path, iteration: int) -> None:
        """`iteration`: the last one that counts, events after it are dropped."""
        from torch.utils.tensorboard import SummaryWriter

        self._run = run
        with disk_errors(run):
            self._writer: Any = SummaryWriter(str(run / "tensorboard"), purge_step=iteration + 1)

    def write(self, row: Mapping[str, Any]) -> None:
        """Add the numbers of a line of metrics, which holds its `iteration`."""
        with disk_errors(self._run):
            for name, value in row.items():
                if name != "iteration" and isinstance(value, int | float):
                    self._writer.add_scalar(name, value, row["iteration"])

    def __enter__(self) -> Events:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()
