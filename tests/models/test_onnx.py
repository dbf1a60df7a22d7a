"""One .onnx file against the torch network, and the runtime without torch."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from benchmarks.precision import table
from games.encoding import ENCODING_VERSION, PLANES, RULE_FEATURES, Observation
from games.errors import AgentError
from models import OnnxEvaluator, PolicyValueNet, export_onnx, value_to_play
from models.format import AGENT_FORMAT, ONNX_INPUTS, ONNX_OUTPUTS, own_metadata
from tests.models.boards import SMALL, evaluate, observe, scramble, stack

ROOT = Path(__file__).parents[2]
VARIANT = 'name = "tiny"\ntitle = "Tiny é"\n'
METADATA = {"variant": VARIANT, "title": "Tiny", "variant_digest": "0123"}


@pytest.fixture(scope="module")
def net() -> PolicyValueNet:
    return scramble(PolicyValueNet(SMALL))


@pytest.fixture(scope="module")
def agent(net: PolicyValueNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An agent that plays every board."""
    path = tmp_path_factory.mktemp("agent") / "agent.onnx"
    export_onnx(net, path, metadata=METADATA)
    return path


@pytest.fixture(scope="module")
def bounded_agent(net: PolicyValueNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An agent exported without wrapping."""
    path = tmp_path_factory.mktemp("agent") / "bounded.onnx"
    export_onnx(net, path, metadata={}, wraps=False)
    return path


def random_board(rows: int, columns: int, seed: int) -> str:
    return "\n".join("".join(r) for r in np.random.default_rng(seed).choice(list("XO.."), (rows, columns)))


def random_batch(rows: int, columns: int, batch: int, *, wraps: bool) -> Observation:
    """Boards of one size on a canvas one column wider, every other one wrapped somehow."""
    return stack(
        *(
            observe(
                random_board(rows, columns, seed),
                canvas=(rows, columns + 1),
                wrap_rows=wraps and seed % 2 == 1,
                wrap_columns=wraps and seed % 3 == 1,
                rules=[seed / 9],
            )
            for seed in range(batch)
        )
    )


def assert_parity(net: PolicyValueNet, path: Path, observation: Observation) -> None:
    logits, value = OnnxEvaluator(path)(observation)
    expected_logits, expected_wdl = evaluate(net, observation)
    assert logits.dtype == value.dtype == np.float32
    np.testing.assert_allclose(logits, expected_logits, rtol=0, atol=1e-4)
    np.testing.assert_allclose(value, value_to_play(expected_wdl), rtol=0, atol=1e-4)


SIZES = [(1, 1, 1), (1, 7, 2), (3, 3, 1), (6, 7, 5), (19, 19, 2), (5, 2, 7)]


@pytest.mark.parametrize(("rows", "columns", "batch"), SIZES)
@pytest.mark.parametrize("wraps", [False, True])
def test_the_file_evaluates_like_the_network(
    net: PolicyValueNet, agent: Path, rows: int, columns: int, batch: int, wraps: bool
) -> None:
    assert_parity(net, agent, random_batch(rows, columns, batch, wraps=wraps))


@pytest.mark.parametrize(("rows", "columns", "batch"), SIZES)
def test_the_bounded_file_evaluates_like_the_network(
    net: PolicyValueNet, bounded_agent: Path, rows: int, columns: int, batch: int
) -> None:
    assert_parity(net, bounded_agent, random_batch(rows, columns, batch, wraps=False))


def test_the_bounded_file_refuses_wrapped_boards(bounded_agent: Path) -> None:
    evaluator = OnnxEvaluator(bounded_agent)
    assert not evaluator.wraps
    with pytest.raises(AgentError, match="wrap"):
        evaluator(observe("X . O", wrap_columns=True))


def test_wdl_are_probabilities(net: PolicyValueNet, agent: Path) -> None:
    import onnxruntime

    seen = random_batch(4, 5, 3, wraps=True)
    session = onnxruntime.InferenceSession(agent, providers=["CPUExecutionProvider"])
    wdl = session.run(["wdl"], {"planes": seen.planes, "rules": seen.rules})[0]
    np.testing.assert_allclose(wdl, evaluate(net, seen)[1].softmax(1), atol=1e-5)


def test_metadata_comes_back(agent: Path) -> None:
    metadata = OnnxEvaluator(agent).metadata
    assert metadata.items() >= METADATA.items()
    assert metadata["format"] == "selfplay-agent"
    assert metadata["encoding_version"] == str(ENCODING_VERSION)
    assert metadata["wraps"] == "true"


def test_the_file_holds_everything_and_no_paths(agent: Path) -> None:
    onnx.checker.check_model(str(agent), full_check=True)
    assert all(not weight.external_data for weight in onnx.load(agent).graph.initializer)
    assert [path.name for path in agent.parent.iterdir()] == ["agent.onnx"]
    assert b"/models/" not in agent.read_bytes()


def test_exporting_leaves_the_network_alone(tmp_path: Path) -> None:
    net = PolicyValueNet(SMALL).bfloat16().train()
    export_onnx(net, tmp_path / "agent.onnx", metadata={}, wraps=False)
    assert net.training
    assert net.stem.weight.dtype == torch.bfloat16


def test_exporting_is_silent(net: PolicyValueNet, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    export_onnx(net, tmp_path / "agent.onnx", metadata={}, wraps=False)
    assert capfd.readouterr() == ("", "")


# --- files that aren't agents -------------------------------------------------------------------------------


def refusal(path: Path) -> str:
    with pytest.raises(AgentError) as caught:
        OnnxEvaluator(path)
    message = str(caught.value)
    assert "\n" not in message
    assert "expected" in message
    assert "got" in message
    assert str(path) in message
    return message


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "absent.onnx")


@pytest.mark.parametrize("content", [b"", b"not a graph", None])
def test_a_corrupt_file_is_refused(agent: Path, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "corrupt.onnx"
    path.write_bytes(agent.read_bytes()[:5000] if content is None else content)
    refusal(path)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format", "other", "format selfplay-agent, got other"),
        ("encoding_version", "999", f"encoding version {ENCODING_VERSION}, got 999"),
        ("format_version", None, "format version 1, got nothing"),
    ],
)
def test_foreign_metadata_is_refused(
    agent: Path, tmp_path: Path, key: str, value: str | None, message: str
) -> None:
    model = onnx.load(agent)
    kept = {entry.key: entry.value for entry in model.metadata_props if entry.key != key}
    onnx.helper.set_model_props(model, kept | ({} if value is None else {key: value}))
    path = tmp_path / "foreign.onnx"
    onnx.save(model, path)
    assert message in refusal(path)


def test_another_signature_is_refused(agent: Path, tmp_path: Path) -> None:
    model = onnx.load(agent)
    identity = onnx.helper.make_node("Identity", ["x"], ["y"])
    x, y = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy")
    versions = {"ir_version": 10, "opset_imports": [onnx.helper.make_opsetid("", 20)]}
    other = onnx.helper.make_model(onnx.helper.make_graph([identity], "other", [x], [y]), **versions)
    onnx.helper.set_model_props(other, {entry.key: entry.value for entry in model.metadata_props})
    path = tmp_path / "other.onnx"
    onnx.save(other, path)
    assert "got inputs x" in refusal(path)


# --- without torch ------------------------------------------------------------------------------------------


def test_playing_needs_no_torch(net: PolicyValueNet, agent: Path, tmp_path: Path) -> None:
    seen = random_batch(4, 5, 2, wraps=True)
    np.savez(tmp_path / "seen.npz", **seen._asdict())
    code = """
import sys
for blocked in ("torch", "onnx", "onnxscript", "safetensors"):
    sys.modules[blocked] = None
import numpy as np
from games.encoding import Observation
from models import OnnxEvaluator
agent, folder = sys.argv[1:]
with np.load(folder + "/seen.npz") as seen:
    logits, value = OnnxEvaluator(agent)(Observation(**seen))
np.savez(folder + "/result.npz", logits=logits, value=value)
try:
    from models import PolicyValueNet
except ImportError:
    sys.exit(0)
sys.exit("PolicyValueNet was imported without torch")
"""
    child = subprocess.run(
        [sys.executable, "-c", code, str(agent), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    with np.load(tmp_path / "result.npz") as result:
        np.testing.assert_allclose(result["logits"], evaluate(net, seen)[0], rtol=0, atol=1e-4)


def test_an_unknown_name_is_an_attribute_error() -> None:
    import models

    with pytest.raises(AttributeError, match="nonsense"):
        models.nonsense  # noqa: B018
    assert {"OnnxEvaluator", "PolicyValueNet"} <= set(dir(models))


def test_the_documentation_names_every_plane_feature_input_and_key_in_order() -> None:
    text = (ROOT / "docs" / "onnx.md").read_text()
    planes, features = (
        re.findall(r"`([\w-]+)`", text.split(start)[1].split("\n\n")[number])
        for start, number in (("Planes, in order:", 0), ("Rule features, in order.", 1))
    )
    assert tuple(planes) == PLANES
    assert tuple(features) == RULE_FEATURES
    assert f"[batch, {len(PLANES)}, rows, columns]" in text
    assert f"[batch, {len(RULE_FEATURES)}]" in text
    for name in (*ONNX_INPUTS, *ONNX_OUTPUTS, *own_metadata(AGENT_FORMAT), AGENT_FORMAT):
        assert f"`{name}`" in text
    (versions,) = re.findall(r"Opset (\d+), IR version (\d+)", text)
    released = onnx.load(ROOT / "models" / "zoo" / "connect4.onnx")
    assert [(opset.domain, opset.version) for opset in released.opset_import] == [("", int(versions[0]))]
    assert released.ir_version == int(versions[1])


def test_the_documentation_s_table_of_precisions_is_what_was_measured() -> None:
    result = json.loads((ROOT / "benchmarks" / "results" / "precision.json").read_text())
    lines = (ROOT / "docs" / "onnx.md").read_text().splitlines()
    rows = table(result)
    assert len(rows) == 6
    assert [line for line in lines if line in rows] == rows
