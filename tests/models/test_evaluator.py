"""The torch evaluator against the network itself in float32."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

from games.encoding import Observation
from models import NetworkConfig, NetworkEvaluator, PolicyValueNet, value_to_play
from models.evaluator import Recording, fixed_batch
from models.fused import fuses_here
from tests.models.boards import SMALL, evaluate, observe, scramble, stack

BOARD = """
    . X . O
    X X O .
    . O * X
"""
CYLINDER = observe(BOARD, canvas=(4, 5), wrap_columns=True)
BATCH = stack(observe(BOARD, canvas=(4, 5)), CYLINDER, observe("X . O", canvas=(4, 5)))


UNCOMPILED = "fused" if fuses_here() else "eager"

DEVICES = ["cpu", *["cuda"] * torch.cuda.is_available()]


@pytest.fixture
def net() -> PolicyValueNet:
    torch.manual_seed(0)
    net = PolicyValueNet(SMALL)
    for block in net.blocks:
        torch.nn.init.normal_(block.second.weight, std=0.1)
    for output in (net.policy.plane, net.policy.extra, net.value.output):
        torch.nn.init.normal_(output.weight, std=0.3)
    return net


def truth(net: PolicyValueNet, observation: Observation) -> tuple[np.ndarray, np.ndarray]:
    logits, wdl = evaluate(net, observation)
    return logits.numpy(), value_to_play(wdl).numpy()


def assert_close(got: Any, expected: Any, tolerance: float) -> None:
    for one, other in zip(got, expected, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)


def test_float32_is_the_network(net: PolicyValueNet) -> None:
    evaluator = NetworkEvaluator(net, device="cpu", precision="float32")
    assert_close(evaluator(BATCH), truth(net, BATCH), 1e-5)


def test_bfloat16_is_close_to_float32(net: PolicyValueNet) -> None:
    evaluator = NetworkEvaluator(net, device="cpu", precision="bfloat16")
    logits, value = truth(net, BATCH)
    assert logits.std() > 0.1  # else closeness would mean little
    assert_close(evaluator(BATCH), (logits, value), 0.03)


def test_int8_is_close_to_float32_once_a_batch_has_shown_the_range(net: PolicyValueNet) -> None:
    evaluator = NetworkEvaluator(net, device="cpu", precision="int8")
    assert "int8" in evaluator.description
    logits, value = truth(net, BATCH)
    assert logits.std() > 0.1  # else closeness would mean little
    assert_close(evaluator(BATCH), (logits, value), 1e-5)  # the first batch is for looking
    rounded = evaluator(BATCH)
    assert_close(rounded, (logits, value), 0.1)
    assert np.abs(rounded[0] - logits).max() > 1e-5


def test_int8_looks_again_at_new_weights(net: PolicyValueNet) -> None:
    evaluator = NetworkEvaluator(net, device="cpu", precision="int8")
    evaluator(BATCH)
    with torch.no_grad():
        net.stem.weight.mul_(8.0)
    evaluator.load(net.state_dict())
    assert_close(evaluator(BATCH), truth(net, BATCH), 1e-4)
    logits, _ = truth(net, BATCH)
    assert np.abs(evaluator(BATCH)[0] - logits).max() < 0.05 * np.abs(logits).max()


def test_load_takes_over_new_weights_only_when_told(net: PolicyValueNet) -> None:
    evaluator = NetworkEvaluator(net, device="cpu", precision="float32")
    before = truth(net, BATCH)
    scramble(net)
    assert_close(evaluator(BATCH), before, 1e-5)
    evaluator.load(net.state_dict())
    assert_close(evaluator(BATCH), truth(net, BATCH), 1e-4)


def test_load_refuses_another_network(net: PolicyValueNet) -> None:
    evaluator = NetworkEvaluator(net, device="cpu")
    with pytest.raises(RuntimeError, match="size mismatch"):
        evaluator.load(PolicyValueNet(NetworkConfig(blocks=3, channels=4)).state_dict())


def test_results_are_arrays_of_their_own(net: PolicyValueNet) -> None:
    evaluator = NetworkEvaluator(net, device="cpu")
    first, _ = evaluator(BATCH)
    kept = first.copy()
    evaluator(stack(CYLINDER, CYLINDER, CYLINDER))
    np.testing.assert_array_equal(first, kept)


def test_read_only_observations_are_welcome(net: PolicyValueNet) -> None:
    frozen = Observation(*(part.copy() for part in BATCH))
    for part in frozen:
        part.flags.writeable = False
    assert_close(NetworkEvaluator(net, device="cpu", precision="float32")(frozen), truth(net, BATCH), 1e-5)


def test_description_names_the_path(net: PolicyValueNet) -> None:
    evaluator = NetworkEvaluator(net, device="cpu", precision="float32")
    assert evaluator.description == f"cpu float32 channels-last {UNCOMPILED}, 1 thread"


def test_threads_with_their_own_instances_agree_with_one(net: PolicyValueNet) -> None:
    rows = [observe(BOARD, wrap_rows=i % 2 == 1, rules=[i / 8]) for i in range(8)]
    evaluators = [NetworkEvaluator(net, device="cpu", precision="float32") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        many = pool.map(lambda i: [evaluators[i](row) for row in rows], range(4))
    for results in many:
        for row, result in zip(rows, results, strict=True):
            assert_close(result, truth(net, row), 1e-5)


# --- compilation --------------------------------------------------------------------------------------------


def test_a_failed_compilation_falls_back_to_eager(
    net: PolicyValueNet, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no backend today\nand a long story")

    monkeypatch.setattr(torch, "compile", lambda _net: broken)
    monkeypatch.setattr("models.evaluator._finds_cpp_compiler", lambda: True)
    evaluator = NetworkEvaluator(net, device="cpu", precision="float32", compile="on")
    assert "compiled" in evaluator.description
    with caplog.at_level(logging.WARNING):
        assert_close(evaluator(BATCH), truth(net, BATCH), 1e-5)
    assert UNCOMPILED in evaluator.description
    assert [r.getMessage() for r in caplog.records] == [
        "torch.compile failed, evaluating eagerly: no backend today and a long story"
    ]


def test_without_a_compiler_nothing_is_compiled(net: PolicyValueNet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    assert not NetworkEvaluator(net, device="cpu", compile="on").compiled


# --- what CUDA needs, on the CPU ----------------------------------------------------------------------------


@pytest.mark.parametrize(("batch", "filled_up"), [(1, 1), (3, 4), (33, 64), (64, 64), (65, 128), (256, 256)])
def test_batches_are_filled_up_to_few_sizes(batch: int, filled_up: int) -> None:
    assert fixed_batch(batch) == filled_up


def test_a_recording_evaluates_like_the_network(net: PolicyValueNet) -> None:
    """Fewer rows than the buffers hold, and rows left over from the call before, change nothing."""
    net.requires_grad_(False)
    shape, features = (4, *BATCH.planes.shape[1:]), BATCH.rules.shape[1]
    recording = Recording(net, shape, features, wraps=True, device=torch.device("cpu"), dtype=torch.float32)
    first = recording.run(BATCH)
    second = recording.run(CYLINDER)
    assert_close(first, truth(net, BATCH), 1e-5)
    assert_close(second, truth(net, CYLINDER), 1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_planes_may_be_bytes(net: PolicyValueNet, device: str) -> None:
    evaluator = NetworkEvaluator(net, device=device, precision="float32")
    packed = BATCH._replace(planes=BATCH.planes.astype(np.uint8))
    np.testing.assert_array_equal(packed.planes, BATCH.planes)
    for seen in (packed, BATCH, packed):
        assert_close(evaluator(seen), truth(net, BATCH), 1e-4)


@pytest.mark.parametrize("device", DEVICES)
def test_every_device_evaluates_like_the_network(net: PolicyValueNet, device: str) -> None:
    evaluator = NetworkEvaluator(net, device=device, precision="float32")
    for observation in (BATCH, CYLINDER, BATCH, observe(BOARD)):
        assert_close(evaluator(observation), truth(net, observation), 1e-2)
    scramble(net)
    evaluator.load(net.state_dict())
    logits, _ = truth(net, BATCH)
    np.testing.assert_allclose(evaluator(BATCH)[0], logits, rtol=1e-2, atol=1e-2)
