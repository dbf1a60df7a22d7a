"""Checkpoints come back as they went, and whatever else is refused in one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from games.encoding import ENCODING_VERSION
from games.errors import AgentError
from models import PolicyValueNet, load_checkpoint, save_checkpoint
from models.format import write_atomically
from tests.models.boards import SMALL, scramble

METADATA = {"variant": "connect4", "step": 12, "nested": {"lr": 0.1, "tags": ["a", "é"]}}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "step12.safetensors"
    save_checkpoint(path, scramble(PolicyValueNet(SMALL)), metadata=METADATA)
    return path


def rewrite(path: Path, change: dict[str, Any]) -> None:
    """Change keys of the header."""
    with safetensors.safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["selfplay"])
    safetensors.torch.save_file(
        safetensors.torch.load_file(path), path, {"selfplay": json.dumps(header | change)}
    )


def refusal(path: Path) -> str:
    with pytest.raises(AgentError) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert "\n" not in message
    assert "expected" in message
    assert "got" in message
    assert str(path) in message
    return message


def test_weights_config_and_metadata_come_back(saved: Path) -> None:
    net, metadata = load_checkpoint(saved)
    original = scramble(PolicyValueNet(SMALL))
    assert net.config == SMALL
    assert metadata == METADATA
    for name, tensor in original.state_dict().items():
        assert torch.equal(net.state_dict()[name], tensor), name


def test_a_channels_last_bfloat16_network_comes_back_in_float32(tmp_path: Path) -> None:
    net: Any = scramble(PolicyValueNet(SMALL)).to(torch.bfloat16)
    save_checkpoint(tmp_path / "net", net.to(memory_format=torch.channels_last), metadata={})
    back, _ = load_checkpoint(tmp_path / "net")
    assert back.stem.weight.dtype == torch.float32
    assert torch.equal(back.stem.weight, net.stem.weight.float())


def test_saving_replaces_and_leaves_nothing_else(saved: Path) -> None:
    save_checkpoint(saved, PolicyValueNet(SMALL), metadata={"step": 13})
    assert load_checkpoint(saved)[1] == {"step": 13}
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_a_failed_write_keeps_the_old_file(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError("no space left on device")

    before = saved.read_bytes()
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_atomically(saved, b"new")
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    refusal(tmp_path / "absent.safetensors")


@pytest.mark.parametrize("keep", [0, 7, 100, -10])
def test_a_truncated_file_is_refused(saved: Path, keep: int) -> None:
    saved.write_bytes(saved.read_bytes()[:keep])
    refusal(saved)


def test_another_programs_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    safetensors.torch.save_file({"x": torch.zeros(2)}, path)
    assert "format selfplay-checkpoint, got nothing" in refusal(path)


def test_another_encoding_is_refused(saved: Path) -> None:
    rewrite(saved, {"encoding_version": "999"})
    assert f"encoding version {ENCODING_VERSION}, got 999" in refusal(saved)


def test_another_format_version_is_refused(saved: Path) -> None:
    rewrite(saved, {"format_version": "999"})
    assert "format version 1, got 999" in refusal(saved)


@pytest.mark.parametrize(
    "network", [{"layers": 3}, {"blocks": 0}, None, SMALL.model_dump() | {"channels": 16}]
)
def test_weights_that_contradict_the_header_are_refused(saved: Path, network: object) -> None:
    rewrite(saved, {"network": network})
    refusal(saved)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    refusal(folder)
    shutil.rmtree(folder)
