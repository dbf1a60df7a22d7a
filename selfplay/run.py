"""A run is a folder: configuration, metrics, games, checkpoints, the agent.

Whatever instant it is killed at, what is on disk is whole.

    run.json            format and version
    config.toml         the `TrainConfig`
    start.safetensors   the weights that it began with, unless it began with fresh ones
    variants/*.toml     the variants, in the order of `config.variants`
    metrics.jsonl       one line an iteration
    tensorboard/        the same as TensorBoard events
    games/N.npz         the games finished between checkpoint N - 1 and checkpoint N; 000000: given ones
    checkpoints/N/      weights, averaged weights, optimiser, games in flight, counters
    agents/N.safetensors  the averaged weights at some of the checkpoints, to look back at
    agent.onnx          the exported agent
    report.html, report/  what `selfplay report` writes; strength.json: what its --measure found
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import safetensors.torch
import tomli_w
from numpy.typing import NDArray
from torch import Tensor

from games import RunError, Variant
from games.encoding import ENCODING_VERSION
from games.variant import load_toml
from models.checkpoint import load_checkpoint
from models.format import one_line, write_atomically
from selfplay.actor import Episode
from selfplay.config import SelfPlayConfig, TrainConfig, read_settings

VERSION = 1
ConfigT = TypeVar("ConfigT", bound="_Kept")
FolderT = TypeVar("FolderT", bound="Folder[Any]")


_FOLDERS = ("agents", "checkpoints", "games", "variants")
START = "start.safetensors"
GIVEN = f"{0:06d}.npz"
"""Among the games, those from elsewhere; checkpoints count from 1."""

_BEFORE_THE_HEADER = {*_FOLDERS, "lock", "config.toml", START}
"""What a run holds before `run.json` makes it one."""

KEPT_AGENTS = 32
"""Agents that a run keeps to look back at, spread evenly over its checkpoints; the newest comes on top."""

UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    IndexError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    safetensors.SafetensorError,
)
"""What reading a damaged file raises."""


class Snapshot(NamedTuple):
    """What a checkpoint holds.

    number: counts checkpoints from 1; tensors: the learner's; arrays: the actors'; counters: JSON
    """

    number: int
    tensors: dict[str, Tensor]
    arrays: dict[str, NDArray[Any]]
    counters: dict[str, Any]


class _Kept(Protocol):
    """What a folder needs of its run's configuration."""

    @property
    def keep_checkpoints(self) -> int: ...

    def model_dump(self, *, exclude_none: bool) -> dict[str, Any]: ...


class Folder(Generic[ConfigT]):
    """A run's folder that this process holds: nobody else can train in it meanwhile."""

    format: ClassVar[str]
    """What `run.json` calls this kind of run."""

    config_model: ClassVar[Any]
    """The pydantic model of its configuration."""

    def __init__(self, path: Path, config: ConfigT, variants: Sequence[Variant], lock: int) -> None:
        self.path, self.config, self.variants = path, config, tuple(variants)
        self._lock = lock

    @classmethod
    def create(
        cls: type[FolderT],
        path: Path,
        config: ConfigT,
        variants: Sequence[Variant],
        *,
        start: bytes | None = None,
        games: Sequence[Episode] = (),
    ) -> FolderT:
        """Start a run in a new or empty folder; raises `RunError` if there is one already.

        A folder in which an earlier `create` was cut short counts as empty.

        Args:
            path: the folder.
            config: the run's configuration.
            variants: what it learns.
            start: a checkpoint file of the weights to begin with.
            games: recorded elsewhere, which the run learns from, too.
        """
        if (path / "run.json").exists():
            raise RunError(f"{path}: already holds a run; continue it with --resume, or name another folder")
        with disk_errors(path):
            if path.exists() and (not path.is_dir() or _holds_other_files(path)):
                raise RunError(f"{path}: expected a new or empty folder, got one that holds other files")
            for folder in _FOLDERS:
                (path / folder).mkdir(parents=True, exist_ok=True)
            lock = _take_lock(path)
            try:
                _fill(path, config, variants, start, games)
                header = {"format": cls.format, "version": VERSION, "encoding_version": ENCODING_VERSION}
                write_atomically(path / "run.json", json.dumps(header).encode())
            except BaseException:
                os.close(lock)
                raise
        return cls(path, config, variants, lock)

    @classmethod
    def open(cls: type[FolderT], path: Path) -> FolderT:
        """Take up an existing run; raises `RunError` if it is none, of another version, corrupt or in use."""
        config, variants = _read_run(path, cls.format, cls.config_model)
        with disk_errors(path):
            lock = _take_lock(path)
        return cls(path, config, variants, lock)

    def reconfigure(self, config: ConfigT) -> None:
        """Change the run's configuration for good; what shapes its files can't change."""
        if fixed := self.cannot_change(config):
            raise RunError(f"{self.path}: {fixed} can't change in a run that has begun")
        with disk_errors(self.path):
            write_atomically(self.path / "config.toml", _config_toml(config).encode())
        self.config = config

    def cannot_change(self, config: ConfigT) -> str | None:
        """What a new configuration would change that shapes the folder's files."""
        sections = ("network", "seed")
        return next((s for s in sections if getattr(config, s) != getattr(self.config, s)), None)

    def start(self) -> dict[str, Tensor] | None:
        """The weights that the run begins with; None for fresh ones."""
        file = self.path / START
        return load_checkpoint(file)[0].state_dict() if file.exists() else None

    def close(self) -> None:
        """Let the folder go."""
        os.close(self._lock)

    def save(self, snapshot: Snapshot, agent: bytes, episodes: Sequence[Episode]) -> None:
        """Write the games since the last checkpoint, then the checkpoint; each appears at once, whole."""
        with disk_errors(self.path):
            write_atomically(self.path / "games" / f"{snapshot.number:06d}.npz", pack_episodes(episodes))
            folder = self.path / "checkpoints" / f"{snapshot.number:06d}"
            unfinished = folder.with_suffix(".tmp")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            write_atomically(unfinished / "agent.safetensors", agent)
            write_atomically(unfinished / "learner.safetensors", safetensors.torch.save(snapshot.tensors))
            write_atomically(unfinished / "actors.npz", _pack(snapshot.arrays))
            write_atomically(unfinished / "counters.json", json.dumps(snapshot.counters).encode())
            unfinished.rename(folder)
            for number in checkpoint_numbers(self.path)[: -self.config.keep_checkpoints]:
                shutil.rmtree(self.path / "checkpoints" / f"{number:06d}")
            (self.path / "agents").mkdir(exist_ok=True)
            write_atomically(self.path / "agents" / f"{snapshot.number:06d}.safetensors", agent)
            _thin_out(archived_agents(self.path))

    def latest(self) -> Snapshot | None:
        """The last checkpoint, or None before the first; what a killed run wrote after it is removed."""
        numbers = checkpoint_numbers(self.path)
        last = numbers[-1] if numbers else 0
        with disk_errors(self.path):
            _remove_unfinished(self.path)
            for file in [*(self.path / "games").glob("[0-9]*.npz"), *archived_agents(self.path)]:
                if int(file.stem) > last:
                    file.unlink()
        return self._read(last) if numbers else None

    def episodes(self, number: int) -> list[Episode]:
        """The games that checkpoint `number` added."""
        path = self.path / "games" / f"{number:06d}.npz"
        try:
            return unpack_episodes(path.read_bytes())
        except UNREADABLE as error:
            raise RunError(f"{path}: expected recorded games, got {one_line(error)}") from None

    def append_metrics(self, row: dict[str, Any]) -> None:
        """Add a line to metrics.jsonl."""
        with disk_errors(self.path), (self.path / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")

    def trim_metrics(self, iteration: int) -> None:
        """Drop lines after an iteration: a resumed run writes them again."""
        rows = [row for row in read_metrics(self.path) if row["iteration"] <= iteration]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        with disk_errors(self.path):
            write_atomically(self.path / "metrics.jsonl", text.encode())

    def _read(self, number: int) -> Snapshot:
        folder = self.path / "checkpoints" / f"{number:06d}"
        try:
            tensors = safetensors.torch.load((folder / "learner.safetensors").read_bytes())
            with np.load(folder / "actors.npz", allow_pickle=False) as file:
                arrays = dict(file)
            counters = json.loads((folder / "counters.json").read_text())
        except UNREADABLE as error:
            raise RunError(f"{folder}: expected a checkpoint, got {one_line(error)}") from None
        return Snapshot(number, tensors, arrays, counters)


class RunFolder(Folder[TrainConfig]):
    """The folder of a training."""

    format = "selfplay-run"
    config_model = TrainConfig

    def cannot_change(self, config: TrainConfig) -> str | None:
        """See `Folder`; the arrays of the games in flight have their shape as well."""
        if _shape_in_flight(config.selfplay) != _shape_in_flight(self.config.selfplay):
            return "games, threads and the largest number of simulations of selfplay"
        return super().cannot_change(config)


def read_run(path: Path) -> tuple[TrainConfig, list[Variant]]:
    """Configuration and variants of a run folder; raises `RunError` if it is none or of another version."""
    return _read_run(path, RunFolder.format, TrainConfig)


def _read_run(path: Path, kind: str, model: Any) -> tuple[Any, list[Variant]]:
    try:
        header = json.loads((path / "run.json").read_text())
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: expected a run folder, got {one_line(error)}") from None
    expected = {"format": kind, "version": VERSION, "encoding_version": ENCODING_VERSION}
    if not isinstance(header, dict) or header != expected:
        raise RunError(f"{path / 'run.json'}: expected {expected}, got {header}")
    config = read_settings(model, path / "config.toml", [])
    files = sorted((path / "variants").glob("*.toml"), key=_number)
    variants = [load_toml(file) for file in files]
    if not variants:
        raise RunError(f"{path / 'variants'}: expected the run's variants, got none")
    return config, variants


def _number(file: Path) -> int:
    """A variant's place in the run; by name alone, the thousandth would come between others."""
    number = file.name.partition("-")[0]
    if not number.isdecimal():
        raise RunError(f"{file}: expected a name that begins with the variant's number, as in 007-hex-5.toml")
    return int(number)


def latest_agent(path: Path) -> Path:
    """The averaged weights of a run's last checkpoint; raises `RunError` before the first one."""
    read_run(path)
    numbers = checkpoint_numbers(path)
    if not numbers:
        raise RunError(f"{path}: expected a run with a checkpoint, got one that has none yet")
    return path / "checkpoints" / f"{numbers[-1]:06d}" / "agent.safetensors"


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl; an unfinished last line is left out."""
    file = path / "metrics.jsonl"
    rows = []
    for line in file.read_text().splitlines() if file.exists() else []:
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows


def checkpoint_numbers(path: Path) -> list[int]:
    """Numbers of the whole checkpoints of a run, oldest first."""
    return sorted(int(folder.name) for folder in (path / "checkpoints").glob("*") if folder.name.isdigit())


def archived_agents(path: Path) -> list[Path]:
    """The agents that a run keeps to look back at, oldest first."""
    return sorted((path / "agents").glob("[0-9]*.safetensors"))


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a failing disk into one clear line."""
    try:
        yield
    except OSError as error:
        raise RunError(f"{path}: can't write: {error.strerror or error}") from None


@contextmanager
def checkpoint_errors(path: Path) -> Iterator[None]:
    """Turn what restoring a checkpoint of another configuration raises into one clear line."""
    try:
        yield
    except RunError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, RuntimeError) as error:
        raise RunError(
            f"{path}: expected a checkpoint that fits config.toml, got {one_line(error)}"
        ) from None


def pack_episodes(episodes: Sequence[Episode]) -> bytes:
    """Games as one compressed .npz: their plies one after the other."""
    widest = max((episode.policy.shape[1] for episode in episodes), default=0)
    policies = [np.pad(e.policy, ((0, 0), (0, widest - e.policy.shape[1]))) for e in episodes]

    def joined(parts: Sequence[NDArray[Any]], dtype: type) -> NDArray[Any]:
        return np.concatenate(parts) if parts else np.zeros(0, dtype)

    return _pack(
        {
            "plies": np.array([len(e.actions) for e in episodes], np.int32),
            "n_actions": np.array([e.policy.shape[1] for e in episodes], np.int32),
            "variant": np.array([e.variant for e in episodes], np.int32),
            "result": np.array([e.result for e in episodes], np.int8),
            "exact": np.array([e.exact for e in episodes], np.int32),
            "actions": joined([e.actions for e in episodes], np.int16),
            "policy": joined(policies, np.float16),
            "value": joined([e.value for e in episodes], np.float32),
            "seat": joined([e.seat for e in episodes], np.int8),
            "recorded": joined([e.recorded for e in episodes], np.bool_),
            "surprise": joined([e.surprise for e in episodes], np.float32),
        }
    )


def unpack_episodes(data: bytes) -> list[Episode]:
    """The inverse of `pack_episodes`."""
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        parts = dict(file)
    surprise = parts.get("surprise", np.zeros(len(parts["actions"]), np.float32))
    bounds = np.concatenate([[0], np.cumsum(parts["plies"])]).tolist()
    if bounds[-1] != len(parts["actions"]):
        raise ValueError(f"expected {bounds[-1]} actions, got {len(parts['actions'])}")
    episodes = []
    for i, (start, stop) in enumerate(pairwise(bounds)):
        episodes.append(
            Episode(
                variant=int(parts["variant"][i]),
                actions=parts["actions"][start:stop],
                policy=parts["policy"][start:stop, : parts["n_actions"][i]],
                value=parts["value"][start:stop],
                seat=parts["seat"][start:stop],
                recorded=parts["recorded"][start:stop],
                surprise=surprise[start:stop],
                result=int(parts["result"][i]),
                exact=int(parts["exact"][i]) if "exact" in parts else stop - start,
            )
        )
    return episodes


def _pack(arrays: dict[str, NDArray[Any]]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _config_toml(config: _Kept) -> str:
    return tomli_w.dumps(config.model_dump(exclude_none=True))


def _fill(
    path: Path, config: _Kept, variants: Sequence[Variant], start: bytes | None, games: Sequence[Episode]
) -> None:
    """Write what a run begins with, but its header; what an earlier attempt left is removed."""
    _remove_unfinished(path)
    for leftover in (path / "variants").iterdir():
        leftover.unlink()
    write_atomically(path / "config.toml", _config_toml(config).encode())
    for index, variant in enumerate(variants):
        file = path / "variants" / f"{index:03d}-{variant.name}.toml"
        write_atomically(file, variant.to_toml().encode())
    (path / START).unlink(missing_ok=True)
    if start is not None:
        write_atomically(path / START, start)
    (path / "games" / GIVEN).unlink(missing_ok=True)
    if games:
        write_atomically(path / "games" / GIVEN, pack_episodes(games))


def _thin_out(agents: Sequence[Path]) -> None:
    """Keep the newest, and of the others multiples of the power of two that leaves few enough."""
    newest, step = int(agents[-1].stem), 1
    while newest // step > KEPT_AGENTS:
        step *= 2
    for agent in agents[:-1]:
        if int(agent.stem) % step:
            agent.unlink()


def _holds_other_files(path: Path) -> bool:
    """Whether there is something in a folder that isn't the beginning of a run."""
    names = [entry.name for entry in path.iterdir()]
    return any(name not in _BEFORE_THE_HEADER and not _is_unfinished(name) for name in names)


def _shape_in_flight(config: SelfPlayConfig) -> tuple[int, int, int]:
    """What the arrays of the games in flight depend on."""
    return config.games, config.threads, max(config.simulations, config.ending_simulations)


def _is_unfinished(name: str) -> bool:
    """Whether a file is one of those that `write_atomically` writes to before it renames them."""
    return name.startswith(".") and name.endswith(".tmp")


def _remove_unfinished(path: Path) -> None:
    """Remove what a killed process was writing."""
    for folder in (path / "checkpoints").glob("*.tmp"):
        shutil.rmtree(folder)
    for parent in (path, path / "agents", path / "games", path / "variants"):
        for file in parent.glob(".*.tmp"):
            file.unlink()


def _take_lock(path: Path) -> int:
    """Hold the folder; the operating system lets it go when the process ends, however it ends."""
    lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise RunError(f"{path}: another process is training in this run folder") from None
    return lock
