"""From a checkpoint to a file that plays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import games
from games import AgentError, RunError, UserError, Variant, observe
from models import NetworkConfig, NetworkEvaluator, PolicyValueNet, save_checkpoint
from models.onnx_runtime import OnnxEvaluator
from selfplay import Player
from selfplay.export import export_agent

TINY = NetworkConfig(blocks=1, channels=8, policy_hidden=4, value_hidden=8, rule_hidden=8)


def entries(*variants: Variant) -> list[dict[str, str]]:
    return [{"name": v.name, "digest": v.digest, "toml": v.to_toml()} for v in variants]


def checkpoint(path: Path, metadata: dict[str, Any]) -> PolicyValueNet:
    torch.manual_seed(3)
    net = PolicyValueNet(TINY)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(0, 0.2)
    save_checkpoint(path, net, metadata=metadata)
    return net


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PolicyValueNet, dict[str, Any]]:
    """An agent for two variants on the flat board."""
    folder = tmp_path_factory.mktemp("export")
    variants = entries(games.load("tictactoe"), games.load("connect3-4x4"))
    net = checkpoint(folder / "weights.safetensors", {"variants": variants, "positions": 12, "steps": 3})
    told = export_agent(folder / "weights.safetensors", folder / "agent.onnx")
    return folder / "agent.onnx", net, told


def test_the_file_names_its_variants(exported: tuple[Path, PolicyValueNet, dict[str, Any]]) -> None:
    metadata = OnnxEvaluator(exported[0]).metadata
    listed = json.loads(metadata["variants"])
    assert [entry["name"] for entry in listed] == ["tictactoe", "connect3-4x4"]
    for entry in listed:
        variant = Variant.from_toml(entry["toml"], name=entry["name"])
        assert variant.digest == entry["digest"] == games.load(entry["name"]).digest
    assert metadata["title"] == "tictactoe, connect3-4x4"
    assert json.loads(metadata["training"]) == {"positions": 12, "steps": 3}


def test_export_tells_what_the_checkpoint_says(
    exported: tuple[Path, PolicyValueNet, dict[str, Any]],
) -> None:
    assert exported[2]["steps"] == 3
    assert len(exported[2]["variants"]) == 2


def test_the_file_evaluates_as_the_network_does(
    exported: tuple[Path, PolicyValueNet, dict[str, Any]],
) -> None:
    position = games.start(games.load("connect3-4x4")).play_text("b").play_text("b").play_text("c")
    observation = observe([position])
    logits, value = NetworkEvaluator(exported[1], device="cpu", precision="float32")(observation)
    again, alike = OnnxEvaluator(exported[0])(observation)
    np.testing.assert_allclose(logits, again, atol=1e-4)
    np.testing.assert_allclose(value, alike, atol=1e-5)


def test_a_player_plays_it(exported: tuple[Path, PolicyValueNet, dict[str, Any]]) -> None:
    player = Player.load(exported[0], simulations=8)
    assert player.variants is not None
    assert [v.name for v in player.variants] == ["tictactoe", "connect3-4x4"]
    for variant in player.variants:
        position = games.start(variant)
        while not position.is_over:
            position = position.play(player.choose(position))


def test_wrapping_is_exported_where_a_variant_needs_it(
    exported: tuple[Path, PolicyValueNet, dict[str, Any]], tmp_path: Path
) -> None:
    """One variant that wraps among others is enough."""
    variants = entries(games.load("tictactoe"), games.load("connect4-cylinder"))
    checkpoint(tmp_path / "weights.safetensors", {"variants": variants})
    export_agent(tmp_path / "weights.safetensors", tmp_path / "agent.onnx")
    assert OnnxEvaluator(exported[0]).metadata["wraps"] == "false"
    evaluator = OnnxEvaluator(tmp_path / "agent.onnx")
    assert evaluator.metadata["wraps"] == "true"
    evaluator(observe([games.start(games.load("connect4-cylinder"))]))


def refusal(source: Path, output: Path, kind: type[UserError]) -> str:
    """The one line of an export that fails, and leaves nothing behind."""
    with pytest.raises(kind) as caught:
        export_agent(source, output)
    assert "\n" not in str(caught.value)
    assert not output.exists()
    return str(caught.value)


def test_missing_and_foreign_sources_are_refused(tmp_path: Path) -> None:
    output = tmp_path / "agent.onnx"
    missing = tmp_path / "none.safetensors"
    assert str(missing) in refusal(missing, output, AgentError)
    (tmp_path / "text.safetensors").write_text("no weights")
    assert "text.safetensors" in refusal(tmp_path / "text.safetensors", output, AgentError)
    assert "expected a run folder" in refusal(tmp_path, output, RunError)


@pytest.mark.parametrize(
    "variants",
    [
        None,
        [],
        "tictactoe",
        ["tictactoe"],
        [{"name": "tictactoe"}],
        [{"name": "x", "digest": "0", "toml": "board = 3"}],
    ],
)
def test_checkpoints_that_dont_name_their_variants_are_refused(tmp_path: Path, variants: Any) -> None:
    source = tmp_path / "weights.safetensors"
    checkpoint(source, {} if variants is None else {"variants": variants})
    assert str(source) in refusal(source, tmp_path / "agent.onnx", AgentError)


def test_an_output_that_cant_be_written_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "weights.safetensors"
    checkpoint(source, {"variants": entries(games.load("tictactoe"))})
    output = tmp_path / "nowhere" / "agent.onnx"
    assert "can't write" in refusal(source, output, RunError)
