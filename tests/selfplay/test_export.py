"""From a checkpoint to a file that plays."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

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


# --- other precisions ---------------------------------------------------------------------------------------


RELEASED = Path(__file__).parents[2] / "models" / "zoo" / "connect4.onnx"


@pytest.fixture(scope="module")
def smaller(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The released Connect Four agent by precision."""
    folder = tmp_path_factory.mktemp("precision")
    for precision in ("fp16", "int8"):
        told = export_agent(RELEASED, folder / f"{precision}.onnx", precision=precision)
        assert [entry["name"] for entry in told["variants"]] == ["connect4"]
    return {"fp32": RELEASED, "fp16": folder / "fp16.onnx", "int8": folder / "int8.onnx"}


def initializers(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """All constant tensors of a file by name."""
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}


def test_fp16_rounds_large_weights_once_and_nothing_else(smaller: dict[str, Path]) -> None:
    exact, half = initializers(RELEASED), initializers(smaller["fp16"])
    large = {name for name, array in exact.items() if array.dtype == np.float32 and array.size >= 1024}
    assert sum(exact[name].size for name in large) > 300_000
    assert half.keys() == {f"{name}_half" if name in large else name for name in exact}
    for name, values in exact.items():
        kept = half[f"{name}_half"] if name in large else half[name]
        np.testing.assert_array_equal(kept, values.astype(np.float16) if name in large else values)


def test_int8_weights_are_seven_bits_within_half_a_step(smaller: dict[str, Path]) -> None:
    exact, small = initializers(RELEASED), initializers(smaller["int8"])
    graph = onnx.load(RELEASED).graph
    weights = [node.input[1] for node in graph.node if node.op_type == "Conv"]
    blocks = weights[1:-2]  # in the order of the network: the first layer, four blocks, the policy head
    assert len(blocks) == 8
    assert {f"{name}_quantized" for name in blocks} == {
        name for name in small if name.endswith("weight_quantized")
    }
    for name in blocks:
        steps, scale = small[f"{name}_quantized"], small[f"{name}_scale"].reshape(-1, 1, 1, 1)
        assert steps.dtype == np.int8
        assert np.abs(steps.astype(int)).max() <= 64
        assert np.all(np.abs(steps * scale - exact[name]) <= 0.5001 * scale)


@pytest.mark.parametrize(
    ("precision", "size", "off_by", "agrees"), [("fp16", 0.52, 0.001, 0.99), ("int8", 0.33, 0.05, 0.93)]
)
def test_every_precision_loads_tells_its_name_and_answers_nearly_alike(
    smaller: dict[str, Path], precision: str, size: float, off_by: float, agrees: float
) -> None:
    """On all positions after three moves."""
    exact, evaluator = OnnxEvaluator(RELEASED), OnnxEvaluator(smaller[precision])
    assert evaluator.metadata == exact.metadata | {"precision": precision}
    assert f"cpu {precision}" in evaluator.description
    assert smaller[precision].stat().st_size < size * RELEASED.stat().st_size
    begin = games.start(games.load("connect4"))
    openings = product("abcdefg", repeat=3)
    seen = observe([begin.play_text(a).play_text(b).play_text(c) for a, b, c in openings])
    (logits, value), (expected_logits, expected_value) = evaluator(seen), exact(seen)
    assert np.abs(value - expected_value).mean() < off_by
    moves, expected = (np.where(seen.legal, x, -np.inf).argmax(1) for x in (logits, expected_logits))
    assert (moves == expected).mean() > agrees


def test_only_an_exact_agent_is_converted(smaller: dict[str, Path], tmp_path: Path) -> None:
    line = refusal(smaller["fp16"], tmp_path / "again.onnx", AgentError)
    assert "expected an agent of fp32, got one of fp16" in line


# --- refusals -----------------------------------------------------------------------------------------------


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
