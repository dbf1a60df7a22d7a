"""Inference on a device: observations in, float32 numpy out.

An evaluator keeps its own copy of the weights in the inference precision, so a learner may train on.
"""

from __future__ import annotations

import copy
import logging
import os
import shutil
import threading
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from games.encoding import Observation
from models.config import InferencePrecision
from models.format import one_line
from models.fused import FusedNetwork, bytes_compute_here, fuses_here
from models.network import WRAP_COLUMNS, WRAP_ROWS, PolicyValueNet, value_to_play

logger = logging.getLogger(__name__)

Evaluation = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Logits `[B, A]` and value_to_play `[B]`."""

Forward = Callable[[Tensor, Tensor, bool], tuple[Tensor, Tensor]]
"""The network: planes, rules, wraps to logits and win/draw/loss logits."""

Step = Callable[[], tuple[Tensor, Tensor]]
"""What a recording does: from its input buffers to logits and value_to_play."""

MAX_RECORDINGS = 16
"""Input shapes whose buffers and CUDA graphs are kept; the oldest goes first."""

WARM_UP_RUNS = 3
"""Runs before a CUDA graph is captured, in which libraries choose algorithms and allocate workspaces."""

BATCH_STEP = 64
"""Batches above this are filled up to a multiple of it, smaller ones to a power of two."""

_cuda: Any = torch.cuda
"""torch.cuda without its types: parts of it have none, and which parts changes from version to version."""

_capture_lock = threading.Lock()
"""Only one thread of the process captures a CUDA graph at a time."""


class NetworkEvaluator:
    """A `PolicyValueNet` as an evaluator.

    Use one instance a thread; instances share nothing. How many cores an evaluation takes is up to the caller
    (`torch.set_num_threads`).

    device: "auto" is the first CUDA device, else the CPU
    precision: "auto" is bfloat16 where the hardware computes in it, else float32; "int8" computes the blocks'
        convolutions with bytes, on x86 processors only; elsewhere float32, with a logged line
    compile: "on" uses `torch.compile` and falls back to eager with a logged line; "auto" and "off" are eager
    """

    def __init__(
        self,
        net: PolicyValueNet,
        *,
        device: str | torch.device = "auto",
        precision: InferencePrecision = "auto",
        compile: Literal["auto", "on", "off"] = "auto",
    ) -> None:
        self.device = choose_device(device)
        self.dtype = choose_dtype(precision, self.device)
        self._net = _inference_copy(net, self.device, self.dtype)
        self._fused = _fused(self._net, self.device, with_bytes=precision == "int8")
        self._eager: Forward = self._net if self._fused is None else self._fused
        self._forward: Forward = self._eager
        self.compiled = compile == "on" and self._compile()
        self._recordings: dict[tuple[int | torch.dtype, ...], Recording] = {}

    @property
    def description(self) -> str:
        """The path that evaluations take, in one line."""
        mode = "compiled" if self.compiled else "eager" if self._fused is None else "fused"
        has_bytes = self._fused is not None and self._fused.with_bytes
        precision = "int8" if has_bytes else str(self.dtype).removeprefix("torch.")
        name = f"{self.device} {precision} channels-last {mode}"
        if self.device.type == "cuda":
            return f"{name}, CUDA graphs"
        threads = torch.get_num_threads()
        return f"{name}, {threads} thread{'s' * (threads != 1)}"

    def load(self, state_dict: Mapping[str, Tensor]) -> None:
        """Take over new weights, in place.

        state_dict: that of a `PolicyValueNet` of the same config, on any device, in any precision
        """
        self._net.load_state_dict(state_dict)
        if self._fused is not None:
            self._fused.begin()
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)  # recordings replay on a stream of their own

    @torch.inference_mode()
    def __call__(self, observation: Observation) -> Evaluation:
        """Logits `[B, A]` without legality mask and value_to_play `[B]`, float32, in arrays of their own."""
        wraps = bool(observation.rules[:, (WRAP_ROWS, WRAP_COLUMNS)].any())
        try:
            return self._evaluate(observation, wraps)
        except Exception as error:
            if not self.compiled:
                raise
            self._fall_back(error)
            return self._evaluate(observation, wraps)

    def _evaluate(self, observation: Observation, wraps: bool) -> Evaluation:
        if self.device.type == "cuda":
            return self._recording(observation, wraps).run(observation)
        planes, rules = _tensor(observation.planes), _tensor(observation.rules)
        logits, value = _evaluate_tensors(self._forward, planes, rules, wraps, self.dtype)
        return logits.numpy(), value.numpy()

    def _recording(self, observation: Observation, wraps: bool) -> Recording:
        """The recording for this shape, made at its first use."""
        batch, *board = observation.planes.shape
        planes = torch.uint8 if observation.planes.dtype == np.uint8 else torch.float32
        key = (fixed_batch(batch), *board, int(wraps), planes)
        if key not in self._recordings:
            if len(self._recordings) == MAX_RECORDINGS:
                del self._recordings[next(iter(self._recordings))]
            features = observation.rules.shape[1]
            self._recordings[key] = Recording(
                self._forward,
                (key[0], *board),
                features,
                wraps=wraps,
                device=self.device,
                dtype=self.dtype,
                planes=planes,
            )
        return self._recordings[key]

    def _compile(self) -> bool:
        """Wrap the forward pass for compilation, which happens at the first call; False if it can't work."""
        if self.device.type == "cpu" and not _finds_cpp_compiler():
            logger.warning("no C++ compiler found, evaluating eagerly")
            return False
        self._forward = torch.compile(self._net)
        return True

    def _fall_back(self, error: Exception) -> None:
        logger.warning("torch.compile failed, evaluating eagerly: %s", one_line(error))
        self.compiled = False
        self._forward = self._eager
        self._recordings.clear()


class Recording:
    """One input shape with fixed buffers around it; on CUDA, the work in between is a captured graph.

    Host buffers are pinned so that copies are asynchronous. On the CPU the same steps run without a graph.
    """

    def __init__(
        self,
        forward: Forward,
        shape: tuple[int, ...],
        features: int,
        *,
        wraps: bool,
        device: torch.device,
        dtype: torch.dtype,
        planes: torch.dtype = torch.float32,
    ) -> None:
        """dtype: the computation's; planes: as they come."""
        pinned = device.type == "cuda"
        self._host_planes = torch.zeros(shape, dtype=planes, pin_memory=pinned)
        self._host_rules = torch.zeros((shape[0], features), pin_memory=pinned)
        self._planes = torch.zeros(shape, dtype=planes, device=device)
        self._rules = torch.zeros((shape[0], features), device=device)
        self._step: Step = lambda: _evaluate_tensors(forward, self._planes, self._rules, wraps, dtype)
        self._stream = _cuda.Stream(device) if pinned else None
        self._graph: Any = None
        self._outputs = self._capture() if pinned else self._step()
        self._host_outputs = [torch.empty(o.shape, pin_memory=pinned) for o in self._outputs]

    def run(self, observation: Observation) -> Evaluation:
        """Evaluate up to as many rows as the buffers hold."""
        batch = len(observation.planes)
        self._host_planes.numpy()[:batch] = observation.planes
        self._host_rules.numpy()[:batch] = observation.rules
        with _cuda.stream(self._stream):  # does nothing without a stream
            self._launch()
        if self._stream is not None:
            self._stream.synchronize()
        logits, value = (buffer.numpy()[:batch].copy() for buffer in self._host_outputs)
        return logits, value

    def _launch(self) -> None:
        """Queue copy in, compute, copy out."""
        self._planes.copy_(self._host_planes, non_blocking=True)
        self._rules.copy_(self._host_rules, non_blocking=True)
        if self._graph is None:
            self._outputs = self._step()
        else:
            self._graph.replay()
        for buffer, output in zip(self._host_outputs, self._outputs, strict=True):
            buffer.copy_(output, non_blocking=True)

    def _capture(self) -> tuple[Tensor, Tensor]:
        """Record the step; the outputs are refilled by every replay."""
        assert self._stream is not None
        with _capture_lock, _cuda.device(self._stream.device):
            self._stream.wait_stream(_cuda.current_stream())
            with _cuda.stream(self._stream):
                for _ in range(WARM_UP_RUNS):
                    self._step()
            self._stream.synchronize()
            self._graph = _cuda.CUDAGraph()
            # "thread_local": what other threads do on the device meanwhile doesn't spoil the capture
            with _cuda.graph(self._graph, stream=self._stream, capture_error_mode="thread_local"):
                return self._step()


def fixed_batch(batch: int) -> int:
    """The size that a batch is filled up to, so that few shapes are captured."""
    if batch <= BATCH_STEP:
        return 1 << max(batch - 1, 0).bit_length()
    return -(-batch // BATCH_STEP) * BATCH_STEP


def _evaluate_tensors(
    forward: Forward, planes: Tensor, rules: Tensor, wraps: bool, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Planes and rules to float32 logits `[B, A]` and value_to_play `[B]`, all on one device."""
    logits, wdl_logits = forward(planes.to(dtype, memory_format=torch.channels_last), rules, wraps)
    return logits.float(), value_to_play(wdl_logits)


def _tensor(array: NDArray[np.float32]) -> Tensor:
    """Without a copy, unless the array is read-only, which torch can't express and warns about."""
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def _inference_copy(net: PolicyValueNet, device: torch.device, dtype: torch.dtype) -> PolicyValueNet:
    own: Any = copy.deepcopy(net).requires_grad_(False).eval().to(device, dtype)
    inference: PolicyValueNet = own.to(
        memory_format=torch.channels_last
    )  # torch's annotations lack this overload
    return inference


def _fused(net: PolicyValueNet, device: torch.device, *, with_bytes: bool) -> FusedNetwork | None:
    """The quick way for this device, None where there is none."""
    if with_bytes and not (device.type == "cpu" and bytes_compute_here()):
        logger.warning("int8 isn't possible on this device, evaluating in float32")
        with_bytes = False
    if device.type != "cpu" or not fuses_here():
        return None
    return FusedNetwork(net, with_bytes=with_bytes)


def choose_device(device: str | torch.device) -> torch.device:
    if device != "auto":
        return torch.device(device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def choose_dtype(precision: str, device: torch.device) -> torch.dtype:
    if precision == "auto":
        fast = torch.cuda.is_bf16_supported() if device.type == "cuda" else _cpu_computes_in_bfloat16()
        return torch.bfloat16 if fast else torch.float32
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def _cpu_computes_in_bfloat16() -> bool:
    """AVX512-BF16 or AMX; elsewhere bfloat16 is emulated and slower than float32."""
    tests = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # torch has no public name for these yet
    return any(getattr(torch.cpu, name, bool)() for name in tests)


def _finds_cpp_compiler() -> bool:
    names = (os.environ.get("CXX", "c++"), "g++", "clang++", "cl")
    return any(shutil.which(name) for name in names)
