"""What a report reads of a run folder. Whatever is missing or damaged becomes a line, not an end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from games import RunError, Variant
from models.format import one_line
from selfplay.actor import Episode
from selfplay.config import TrainConfig
from selfplay.reporting.strength_file import Strength, read_strength
from selfplay.run import UNREADABLE, checkpoint_numbers, read_metrics, read_run, unpack_episodes

GAMES = 2000
"""Most recorded games that are read from each end of a run."""

LONG = 4
"""Chunks of games from which on a run's first quarter is held against its last."""


class Games(NamedTuple):
    """Recorded games, oldest first.

    newest: up to `GAMES`; first, last: up to `GAMES` each of the run's first and last quarter, empty if it
        is too short for quarters
    missing: lines about chunks that can't be read
    """

    newest: list[Episode]
    first: list[Episode]
    last: list[Episode]
    missing: tuple[str, ...]


class Series(NamedTuple):
    """One metric over a run; positions, minutes, values: float64 `[N]`."""

    positions: NDArray[np.float64]
    minutes: NDArray[np.float64]
    values: NDArray[np.float64]


class Run(NamedTuple):
    """A run as it is reported.

    label: its folder's name, or as much of the path as tells it from the others
    rows: lines of metrics.jsonl, at least one
    agent: the exported agent, if there is one
    missing: lines about what the report does without
    """

    path: Path
    label: str
    config: TrainConfig
    variants: tuple[Variant, ...]
    rows: list[dict[str, Any]]
    games: Games
    strength: Strength | None
    agent: Path | None
    missing: tuple[str, ...]


def read_runs(paths: Sequence[Path]) -> list[Run]:
    """Read runs; raises `RunError` if one is no run folder or has no metrics yet."""
    return [_read(path, label) for path, label in zip(paths, _labels(paths), strict=True)]


def series(run: Run, key: str) -> Series:
    """A metric of every line that has it."""
    rows = [row for row in run.rows if isinstance(row.get(key), int | float)]
    return _columns(rows, [row[key] for row in rows])


def cache_shares(run: Run) -> Series:
    """Share of evaluations that the cache answered, by iteration.

    `cache_hits` counts from the start of a process, so it falls back where a run was resumed.
    """
    keys = ("cache_hits", "evaluations_per_second", "play_seconds")
    rows = [row for row in run.rows if all(key in row for key in keys)]
    totals = pairwise([0, *(row["cache_hits"] for row in rows)])
    hits = np.array([now - before if now >= before else now for before, now in totals], float)
    asked = np.array([row["evaluations_per_second"] * row["play_seconds"] for row in rows], float)
    return _columns(rows, hits / np.maximum(hits + asked, 1.0))


def _columns(rows: Sequence[dict[str, Any]], values: Sequence[float] | NDArray[np.float64]) -> Series:
    return Series(
        np.array([row["positions"] for row in rows], float),
        np.array([row["seconds"] for row in rows], float) / 60,
        np.asarray(values, float),
    )


def _labels(paths: Sequence[Path]) -> list[str]:
    """Folder names; the whole path where two share one."""
    names = [path.resolve().name for path in paths]
    return [name if names.count(name) == 1 else str(path) for path, name in zip(paths, names, strict=True)]


def _read(path: Path, label: str) -> Run:
    config, variants = read_run(path)
    rows = _rows(path)
    missing = []
    games = _games(path, len(variants))
    try:
        strength = read_strength(path)
    except RunError as error:
        strength = None
        missing.append(str(error))
    agent = path / "agent.onnx"
    if not agent.exists():
        missing.append(
            f"{agent}: not there yet, so there is no opening tree; a run writes it when it ends, "
            f"or: selfplay export {path} --output {agent}"
        )
    return Run(
        path=path,
        label=label,
        config=config,
        variants=tuple(variants),
        rows=rows,
        games=games,
        strength=strength,
        agent=agent if agent.exists() else None,
        missing=(*missing, *games.missing),
    )


def _rows(path: Path) -> list[dict[str, Any]]:
    """The metrics' lines; raises `RunError` if there is none."""
    try:
        rows = read_metrics(path)
    except (OSError, ValueError) as error:
        raise RunError(f"{path / 'metrics.jsonl'}: expected metrics, got {one_line(error)}") from None
    needed = {"iteration", "positions", "seconds"}
    whole = [
        row
        for row in rows
        if isinstance(row, dict) and all(isinstance(row.get(key), int | float) for key in needed)
    ]
    if not whole:
        raise RunError(f"{path}: expected a run with metrics, got one that has none yet")
    return whole


def _games(path: Path, n_variants: int) -> Games:
    """Recorded games from both ends of a run."""
    chunks = _Chunks(path, n_variants)
    numbers = chunks.numbers
    newest = chunks.read(reversed(numbers))
    first: list[Episode] = []
    last: list[Episode] = []
    if len(numbers) >= LONG:
        quarter = len(numbers) // LONG
        first = chunks.read(numbers[:quarter])[:GAMES]
        last = chunks.read(reversed(numbers[-quarter:]))[-GAMES:]
    return Games(newest[-GAMES:], first, last, chunks.missing())


class _Chunks:
    """The files of a run's games, each read once."""

    def __init__(self, path: Path, n_variants: int) -> None:
        self._folder, self._n_variants = path / "games", n_variants
        self.numbers = sorted(int(file.stem) for file in self._folder.glob("*.npz") if file.stem.isdigit())
        last = max([*self.numbers, *checkpoint_numbers(path)], default=0)
        self._gone = sorted(set(range(1, last + 1)) - set(self.numbers))
        self._read: dict[int, list[Episode]] = {}
        self._damage: dict[int, str] = {}

    def read(self, numbers: Iterable[int]) -> list[Episode]:
        """Games of whole chunks, oldest first, until there are `GAMES`; chunks are read in their order."""
        taken: dict[int, list[Episode]] = {}
        for number in numbers:
            taken[number] = self._episodes(number)
            if sum(map(len, taken.values())) >= GAMES:
                break
        return [episode for number in sorted(taken) for episode in taken[number]]

    def missing(self) -> tuple[str, ...]:
        """A line for each chunk that isn't there or can't be read."""
        if not self.numbers and not self._gone:
            return (f"{self._folder}: no games yet; they are written with the first checkpoint",)
        gone = [f"{self._file(number)}: missing" for number in self._gone]
        damage = [f"{self._file(number)}: can't be read: {why}" for number, why in self._damage.items()]
        return (*gone, *damage)

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:06d}.npz"

    def _episodes(self, number: int) -> list[Episode]:
        if number not in self._read:
            self._read[number] = []
            try:
                self._read[number] = self._unpack(number)
            except UNREADABLE as error:
                self._damage[number] = one_line(error)
        return self._read[number]

    def _unpack(self, number: int) -> list[Episode]:
        episodes = unpack_episodes(self._file(number).read_bytes())
        for episode in episodes:
            if not 0 <= episode.variant < self._n_variants:
                raise ValueError(f"expected one of {self._n_variants} variants, got number {episode.variant}")
        return episodes
