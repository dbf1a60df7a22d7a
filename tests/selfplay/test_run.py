"""The run folder: whole at every instant, and one clear line for everything that is wrong with it."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import games
from games import RunError, UserError
from games.encoding import ENCODING_VERSION
from models import NetworkConfig
from selfplay.actor import Actor, Episode
from selfplay.config import LearnerConfig, SelfPlayConfig, TrainConfig
from selfplay.loop import train
from selfplay.run import (
    RunFolder,
    Snapshot,
    archived_agents,
    checkpoint_numbers,
    latest_agent,
    pack_episodes,
    read_metrics,
    read_run,
    unpack_episodes,
)
from tests.selfplay.hashed import MIXED, played_episodes, same_episode, small_config

CONFIG = TrainConfig(
    positions=150,
    checkpoint_seconds=0,
    network=NetworkConfig(blocks=1, channels=8, policy_hidden=4, value_hidden=8, rule_hidden=8),
    selfplay=SelfPlayConfig(games=8, threads=1, advances=20, simulations=4),
    learner=LearnerConfig(batch_size=16, first_positions=20, window_min=50, window_max=400),
)
VARIANTS = [games.load("connect3-4x4"), games.load("tictactoe")]


@pytest.fixture(scope="module")
def episodes() -> list[Episode]:
    """Games of eight variants of different sizes."""
    return played_episodes(Actor(MIXED, small_config(simulations=4), games=16, seed=1), advances=200)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    made = RunFolder.create(tmp_path / "run", CONFIG, VARIANTS)
    yield made
    made.close()


def snapshot(number: int) -> Snapshot:
    """A checkpoint that is told from others by its number."""
    return Snapshot(
        number,
        {"net.a": torch.full((2, 3), float(number)), "ema.a": torch.arange(4)},
        {"0.rng": np.array([number, 2**64 - 1], np.uint64), "0.games.flag": np.array([True, False])},
        {"iteration": number, "debt": 0.5, "rng": {"state": 2**100}},
    )


def saved(folder: RunFolder, number: int, episodes: list[Episode] | None = None) -> None:
    folder.save(snapshot(number), b"agent %d" % number, episodes or [])


def same_snapshot(one: Snapshot | None, other: Snapshot) -> bool:
    return (
        one is not None
        and one.number == other.number
        and one.counters == other.counters
        and one.tensors.keys() == other.tensors.keys()
        and all(torch.equal(one.tensors[name], other.tensors[name]) for name in one.tensors)
        and one.arrays.keys() == other.arrays.keys()
        and all(
            one.arrays[name].dtype == other.arrays[name].dtype
            and np.array_equal(one.arrays[name], other.arrays[name])
            for name in one.arrays
        )
    )


def refused(action: Any, kind: type[UserError] = RunError) -> str:
    """The one line of a refusal."""
    with pytest.raises(kind) as caught:
        action()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- create, open, lock ---


def test_what_was_created_is_opened(folder: RunFolder) -> None:
    folder.close()
    config, variants = read_run(folder.path)
    assert config == CONFIG
    assert variants == VARIANTS  # in this order
    again = RunFolder.open(folder.path)
    assert again.latest() is None
    folder._lock = again._lock


def test_a_run_is_not_created_twice(folder: RunFolder) -> None:
    assert "already holds a run" in refused(lambda: RunFolder.create(folder.path, CONFIG, VARIANTS))


@pytest.mark.parametrize("make_foreign", [True, False])
def test_foreign_folders_and_files_are_left_alone(tmp_path: Path, make_foreign: bool) -> None:
    path = tmp_path / "mine"
    if make_foreign:
        path.mkdir()
        (path / "thesis.txt").write_text("precious")
    else:
        path.write_text("precious")
    assert "expected a new or empty folder" in refused(lambda: RunFolder.create(path, CONFIG, VARIANTS))
    assert (path / "thesis.txt" if make_foreign else path).read_text() == "precious"
    assert "expected a run folder" in refused(lambda: RunFolder.open(path))


def test_a_folder_that_cant_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "can't write" in refused(lambda: RunFolder.create(tmp_path / "file" / "run", CONFIG, VARIANTS))


@pytest.mark.parametrize("writes", range(5))
def test_a_creation_that_was_cut_short_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, episodes: list[Episode], writes: int
) -> None:
    """Killed after any of its five files: what is there is no run, and doesn't stand in the way of one."""
    others = [games.load("othello"), games.load("connect4")]
    import selfplay.run

    usual, written = selfplay.run.write_atomically, []

    def dying(path: Path, data: bytes) -> None:
        if len(written) == writes:
            (path.parent / f".{path.name}.x1.tmp").write_bytes(data[:3])
            raise KeyboardInterrupt
        written.append(path)
        usual(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(selfplay.run, "write_atomically", dying)
        with pytest.raises(KeyboardInterrupt):
            RunFolder.create(tmp_path / "run", CONFIG, others, games=episodes[:1])
    refused(lambda: RunFolder.open(tmp_path / "run"))
    RunFolder.create(tmp_path / "run", CONFIG, VARIANTS).close()
    assert read_run(tmp_path / "run") == (CONFIG, VARIANTS)
    assert not list(tmp_path.rglob("*.tmp"))
    assert not list((tmp_path / "run" / "games").iterdir())


def test_a_second_process_is_told_that_the_folder_is_in_use(folder: RunFolder) -> None:
    """And gets in once the first one has let go."""
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from games import RunError\nfrom selfplay.run import RunFolder\n"
        "try: RunFolder.open(Path(sys.argv[1]))\n"
        "except RunError as error: print(error); sys.exit(2)"
    )
    command = [sys.executable, "-c", code, str(folder.path)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 2
    assert second.stdout == f"{folder.path}: another process is training in this run folder\n"
    folder.close()
    assert subprocess.run(command, timeout=60, check=False).returncode == 0
    folder._lock = os.open(os.devnull, os.O_RDONLY)


# --- other versions, damage ---


@pytest.mark.parametrize(
    ("key", "value"),
    [("version", 2), ("format", "other"), ("encoding_version", ENCODING_VERSION + 1), ("more", 1)],
)
def test_runs_of_other_versions_are_refused(folder: RunFolder, key: str, value: object) -> None:
    header = json.loads((folder.path / "run.json").read_text())
    (folder.path / "run.json").write_text(json.dumps(header | {key: value}))
    message = refused(lambda: read_run(folder.path))
    assert message.startswith(f"{folder.path / 'run.json'}: expected")
    assert str(value) in message


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "\x00"])
def test_a_damaged_header_is_refused(folder: RunFolder, text: str) -> None:
    (folder.path / "run.json").write_text(text)
    assert str(folder.path) in refused(lambda: RunFolder.open(folder.path))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("seed = ", "config.toml"),
        ("sead = 1", "sead: no such setting"),
        ("seed = -1", "seed"),
        ("[selfplay]\nfull_share = 1.0", "selfplay.full_share: no such setting"),
        ("[selfplay]\ngames = 'many'", "selfplay.games"),
        ("[network]\nblocks = 0", "network.blocks"),
    ],
)
def test_a_damaged_configuration_is_refused(folder: RunFolder, text: str, told: str) -> None:
    (folder.path / "config.toml").write_text(text)
    message = refused(lambda: read_run(folder.path))
    assert str(folder.path / "config.toml") in message
    assert told in message


def test_binary_rubbish_and_a_missing_configuration_are_refused(folder: RunFolder) -> None:
    (folder.path / "config.toml").write_bytes(b"\xff\xfe\x00")
    assert "config.toml" in refused(lambda: read_run(folder.path))
    (folder.path / "config.toml").unlink()
    assert "config.toml" in refused(lambda: read_run(folder.path))


def test_a_thousand_variants_keep_their_order(folder: RunFolder) -> None:
    files = sorted((folder.path / "variants").iterdir())
    for file, number in zip(files, (999, 1000), strict=True):
        file.rename(file.with_name(f"{number}-{file.name}"))
    assert read_run(folder.path)[1] == VARIANTS
    (folder.path / "variants" / "mine.toml").write_text(VARIANTS[0].to_toml())
    assert "mine.toml: expected a name that begins with" in refused(lambda: read_run(folder.path))


def test_missing_or_damaged_variants_are_refused(folder: RunFolder) -> None:
    files = sorted((folder.path / "variants").iterdir())
    files[0].write_text("board = 3")
    assert files[0].name in refused(lambda: read_run(folder.path), UserError)
    for file in files:
        file.unlink()
    assert "variants" in refused(lambda: read_run(folder.path))


def damages(content: bytes) -> list[bytes]:
    """A file cut short, emptied, overwritten in the middle, and replaced."""
    middle = len(content) // 2
    return [
        content[:-7],
        content[:middle],
        b"",
        content[: middle - 8] + b"\xa5" * 16 + content[middle + 8 :],
        b"rubbish",
        b"PK\x03\x04rubbish",
        b'{"x"',
    ]


@pytest.mark.parametrize("name", ["learner.safetensors", "actors.npz", "counters.json"])
def test_damaged_checkpoints_are_refused(folder: RunFolder, name: str) -> None:
    saved(folder, 1)
    path = folder.path / "checkpoints" / "000001" / name
    content = path.read_bytes()
    for damaged in damages(content):
        if name == "learner.safetensors" and damaged[:8] == content[:8] and len(damaged) == len(content):
            continue  # weights have no checksum
        path.write_bytes(damaged)
        message = refused(folder.latest)
        assert str(path.parent) in message
        assert "expected a checkpoint" in message
    path.unlink()
    assert "expected a checkpoint" in refused(folder.latest)


def test_damaged_games_are_refused(folder: RunFolder, episodes: list[Episode]) -> None:
    saved(folder, 1, episodes)
    path = folder.path / "games" / "000001.npz"
    for damaged in damages(path.read_bytes()):
        path.write_bytes(damaged)
        message = refused(lambda: folder.episodes(1))
        assert str(path) in message
        assert "expected recorded games" in message
    path.unlink()
    assert "expected recorded games" in refused(lambda: folder.episodes(1))


def test_games_that_contradict_themselves_are_refused(folder: RunFolder, episodes: list[Episode]) -> None:
    saved(folder, 1, episodes)
    path = folder.path / "games" / "000001.npz"
    with np.load(path) as file:
        parts = dict(file)
    np.savez(path, **(parts | {"actions": parts["actions"][:-1]}))
    assert "expected recorded games" in refused(lambda: folder.episodes(1))


@pytest.mark.parametrize(
    "change",
    [
        {"network": CONFIG.network.model_copy(update={"channels": 16})},
        {"selfplay": CONFIG.selfplay.model_copy(update={"games": 4})},
        {"selfplay": CONFIG.selfplay.model_copy(update={"threads": 2})},
        {"selfplay": CONFIG.selfplay.model_copy(update={"simulations": 9})},
    ],
)
def test_a_checkpoint_of_another_configuration_is_refused(folder: RunFolder, change: dict[str, Any]) -> None:
    """Someone edited config.toml by hand in a way that the checkpoint can't follow."""
    train(folder, lambda _: None)
    folder.config = CONFIG.model_copy(update={"positions": 300} | change)
    assert "expected a checkpoint that fits config.toml" in refused(lambda: train(folder, lambda _: None))


def test_the_configuration_changes_for_good_where_a_run_can_follow(folder: RunFolder) -> None:
    train(folder, lambda _: None)
    later = CONFIG.model_copy(update={"positions": 300})
    folder.reconfigure(later)
    assert read_run(folder.path)[0] == later
    assert train(folder, lambda _: None).replay.recorded >= 300


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 5},
        {"network": CONFIG.network.model_copy(update={"channels": 16})},
        {"selfplay": CONFIG.selfplay.model_copy(update={"games": 4})},
        {"selfplay": CONFIG.selfplay.model_copy(update={"threads": 2})},
        {"selfplay": CONFIG.selfplay.model_copy(update={"simulations": 9})},
        {"selfplay": CONFIG.selfplay.model_copy(update={"ending_simulations": 9})},
    ],
)
def test_what_shapes_the_files_of_a_run_cant_change(folder: RunFolder, change: dict[str, Any]) -> None:
    assert "can't change" in refused(lambda: folder.reconfigure(CONFIG.model_copy(update=change)))
    assert read_run(folder.path)[0] == folder.config == CONFIG


# --- a full disk ---


class FullDisk:
    """`os.fdopen` on a disk that has room for so many files and then for half of one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, files: int) -> None:
        self.files = files
        self._usual = os.fdopen
        monkeypatch.setattr("models.format.os.fdopen", self)

    def __call__(self, descriptor: int, mode: str) -> Any:
        file = self._usual(descriptor, mode)
        self.files -= 1
        if self.files >= 0:
            return file
        usual = file.write

        class Full:
            def __enter__(self) -> Full:
                return self

            def __exit__(self, *_: object) -> None:
                file.close()

            def write(self, data: bytes) -> None:
                usual(data[: len(data) // 2])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        return Full()


@pytest.mark.parametrize("files", range(5))
def test_a_full_disk_damages_nothing(
    folder: RunFolder, episodes: list[Episode], monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    """Whichever of a checkpoint's five files fails: the one before is whole, and the next one succeeds."""
    saved(folder, 1, episodes[:5])
    with monkeypatch.context() as patch:
        FullDisk(patch, files=files)
        message = refused(lambda: saved(folder, 2, episodes[5:9]))
    assert message == f"{folder.path}: can't write: No space left on device"
    assert latest_agent(folder.path).read_bytes() == b"agent 1"
    assert same_snapshot(folder.latest(), snapshot(1))
    assert all(map(same_episode, folder.episodes(1), episodes[:5]))
    assert not list(folder.path.rglob("*.tmp"))
    assert not (folder.path / "games" / "000002.npz").exists()
    saved(folder, 2, episodes[5:9])
    assert same_snapshot(folder.latest(), snapshot(2))
    assert all(map(same_episode, folder.episodes(2), episodes[5:9]))


def test_a_full_disk_ends_training_with_one_line(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a later attempt with room goes on from the last checkpoint."""
    with monkeypatch.context() as patch:
        FullDisk(patch, files=8)  # metrics, one checkpoint, half of the next
        assert "No space left" in refused(lambda: train(folder, lambda _: None))
    assert checkpoint_numbers(folder.path) == [1]
    assert train(folder, lambda _: None).replay.recorded >= 150


def test_a_full_disk_refuses_metrics_with_one_line(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.append_metrics({"iteration": 1})
    usual = Path.open

    def full(path: Path, *args: Any, **others: Any) -> Any:
        if path.name == "metrics.jsonl":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return usual(path, *args, **others)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        assert "No space left" in refused(lambda: folder.append_metrics({"iteration": 2}))
    assert read_metrics(folder.path) == [{"iteration": 1}]


# --- checkpoints ---


def test_a_checkpoint_comes_back_as_it_was(folder: RunFolder) -> None:
    saved(folder, 1)
    assert same_snapshot(folder.latest(), snapshot(1))
    assert latest_agent(folder.path).read_bytes() == b"agent 1"


def test_the_last_two_checkpoints_and_all_games_are_kept(folder: RunFolder, episodes: list[Episode]) -> None:
    for number in range(1, 13):
        saved(folder, number, episodes[number : number + 1])
    assert checkpoint_numbers(folder.path) == [11, 12]
    assert same_snapshot(folder.latest(), snapshot(12))
    assert all(same_episode(folder.episodes(n)[0], episodes[n]) for n in range(1, 13))


def test_agents_are_kept_evenly_over_the_run(folder: RunFolder) -> None:
    """After 77 checkpoints every fourth (every second would be 38 of 32), and the newest."""
    for number in range(1, 78):
        saved(folder, number)
    kept = [int(file.stem) for file in archived_agents(folder.path)]
    assert kept == [*range(4, 77, 4), 77]
    assert archived_agents(folder.path)[0].read_bytes() == b"agent 4"


def test_agents_of_checkpoints_that_were_lost_are_removed(folder: RunFolder) -> None:
    for number in range(1, 4):
        saved(folder, number)
    shutil.rmtree(folder.path / "checkpoints" / "000003")
    folder.latest()
    assert [int(file.stem) for file in archived_agents(folder.path)] == [1, 2]


@pytest.mark.parametrize(("instant", "last"), [("rename", 2), ("rmtree", 3)])
def test_a_checkpoint_is_there_as_a_whole_or_not_at_all(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, instant: str, last: int
) -> None:
    """Killed just before the new one appears, or while an old one goes."""

    def dying(*_: object) -> None:
        raise KeyboardInterrupt

    def half_removed(path: Path, **_: object) -> None:
        if path.suffix != ".tmp":
            (path / "counters.json").unlink()
            raise KeyboardInterrupt

    saved(folder, 1)
    saved(folder, 2)
    with monkeypatch.context() as patch:
        if instant == "rename":
            patch.setattr(Path, "rename", dying)
        else:
            patch.setattr("selfplay.run.shutil.rmtree", half_removed)
        with pytest.raises(KeyboardInterrupt):
            saved(folder, 3)
    assert same_snapshot(folder.latest(), snapshot(last))
    saved(folder, last + 1)
    assert checkpoint_numbers(folder.path) == [last, last + 1]


def test_leftovers_of_a_killed_process_are_removed(folder: RunFolder, episodes: list[Episode]) -> None:
    """A checkpoint half written, games of a checkpoint that never came, and files before their renaming."""
    saved(folder, 1, episodes[:2])
    (folder.path / "checkpoints" / "000002.tmp").mkdir()
    (folder.path / "checkpoints" / "000002.tmp" / "agent.safetensors").write_bytes(b"half")
    for number in (2, 3):
        (folder.path / "games" / f"{number:06d}.npz").write_bytes(pack_episodes(episodes[2:4]))
    for place in ("games/.000003.npz.ab12.tmp", ".metrics.jsonl.cd34.tmp"):
        (folder.path / place).write_bytes(b"half")
    assert same_snapshot(folder.latest(), snapshot(1))
    assert not list(folder.path.rglob("*.tmp"))
    assert [file.name for file in (folder.path / "games").iterdir()] == ["000001.npz"]
    saved(folder, 2, episodes[4:6])
    assert all(map(same_episode, folder.episodes(2), episodes[4:6]))


def test_games_from_before_the_first_checkpoint_are_removed(
    folder: RunFolder, episodes: list[Episode]
) -> None:
    (folder.path / "games" / "000001.npz").write_bytes(pack_episodes(episodes[:2]))
    assert folder.latest() is None
    assert not list((folder.path / "games").iterdir())


def test_there_is_no_agent_before_the_first_checkpoint(folder: RunFolder) -> None:
    assert "none yet" in refused(lambda: latest_agent(folder.path))
    (folder.path / "checkpoints" / "000001.tmp").mkdir()
    assert "none yet" in refused(lambda: latest_agent(folder.path))


# --- recorded games ---


def test_games_come_back_as_they_were(episodes: list[Episode]) -> None:
    """Boards from 3x3 to 9x9 in one file."""
    assert len({episode.policy.shape[1] for episode in episodes}) > 3
    again = unpack_episodes(pack_episodes(episodes))
    assert len(again) == len(episodes)
    for one, other in zip(episodes, again, strict=True):
        assert same_episode(one, other)
        for field in ("actions", "policy", "value", "seat", "recorded"):
            assert getattr(one, field).dtype == getattr(other, field).dtype
            assert getattr(one, field).shape == getattr(other, field).shape


def test_no_games_are_a_file_as_well() -> None:
    assert unpack_episodes(pack_episodes([])) == []


def test_recorded_games_hold_no_pickles(folder: RunFolder, episodes: list[Episode]) -> None:
    saved(folder, 1, episodes)
    for file in folder.path.rglob("*.npz"):
        with np.load(file, allow_pickle=False) as parts:
            assert all(parts[name].dtype != object for name in parts)


# --- metrics ---


def test_a_torn_last_line_of_the_metrics_is_dropped(folder: RunFolder) -> None:
    for iteration in range(1, 5):
        folder.append_metrics({"iteration": iteration, "loss": 1 / iteration})
    whole = (folder.path / "metrics.jsonl").read_bytes()
    for cut in range(1, len(b'{"iteration": 4, "loss": 0.25}\n')):
        (folder.path / "metrics.jsonl").write_bytes(whole[:-cut])
        rows = [row["iteration"] for row in read_metrics(folder.path)]
        assert rows == ([1, 2, 3, 4] if cut == 1 else [1, 2, 3])
    folder.trim_metrics(3)
    folder.append_metrics({"iteration": 4})
    assert [row["iteration"] for row in read_metrics(folder.path)] == [1, 2, 3, 4]


def test_metrics_after_the_checkpoint_are_dropped(folder: RunFolder) -> None:
    for iteration in range(1, 6):
        folder.append_metrics({"iteration": iteration})
    folder.trim_metrics(3)
    assert re.findall(r"\d", (folder.path / "metrics.jsonl").read_text()) == ["1", "2", "3"]
    folder.trim_metrics(0)
    assert read_metrics(folder.path) == []


def test_a_run_without_metrics_has_none(folder: RunFolder) -> None:
    assert read_metrics(folder.path) == []
    folder.trim_metrics(0)
    assert read_metrics(folder.path) == []
