"""Play without torch: an agent's .onnx file as an evaluator."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from games.encoding import PLANES, RULE_FEATURES, Observation
from games.errors import AgentError
from models.format import AGENT_FORMAT, ONNX_INPUTS, ONNX_OUTPUTS, check_metadata, one_line, shown
from models.onnx_check import MAX_CONSTANT_NODES, read_agent

WRAP_FEATURES = [RULE_FEATURES.index("wrap_rows"), RULE_FEATURES.index("wrap_columns")]


ROUNDING = 0.01
"""How far a chance or a value may be beyond its bounds, from arithmetic of lower precision."""

MEMORY_LIMIT = 2 * 2**30
"""Bytes that all agents of this process compute with at most; 256 boards of 19x19 take about 0.15 GB."""

_FOLDED_BYTES = "optimization.constant_folding_max_output_size_in_bytes"
"""What the runtime works out as it loads a file has a limit of its own, for each node."""


class OnnxEvaluator:
    """Evaluates observations with an agent file; may be shared by threads.

    The file may come from anywhere: it is looked into before it runs, and so are its answers.

    metadata: what the file says about itself, the training variant's TOML among it
    wraps: whether the file can evaluate boards that wrap
    """

    def __init__(self, path: str | os.PathLike[str], *, threads: int = 1) -> None:
        self.path = Path(path)
        data, self.metadata = read_agent(self.path)
        check_metadata(self.metadata, AGENT_FORMAT, self.path)
        self._session = _open(data, self.path, threads)
        _check_signature(self._session, self.path)
        self.wraps = self.metadata.get("wraps") == "true"
        plural = "s" * (threads != 1)
        precision = shown(self.metadata.get("precision", "fp32"))
        self.description = f"onnxruntime {onnxruntime.__version__} cpu {precision}, {threads} thread{plural}"

    def __call__(self, observation: Observation) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits `[B, A]` without legality mask, and value_to_play `[B]`, both float32."""
        logits, value_to_play = self._run(observation, ["logits", "value_to_play"])
        return logits, value_to_play

    def win_draw_loss(self, observation: Observation) -> NDArray[np.float32]:
        """Shares of win, draw and loss for the player to move: float32 `[B, 3]`, rows sum to one."""
        (wdl,) = self._run(observation, ["wdl"])
        return wdl

    def _run(self, observation: Observation, outputs: list[str]) -> list[NDArray[np.float32]]:
        planes = np.ascontiguousarray(observation.planes, dtype=np.float32)
        rules = np.ascontiguousarray(observation.rules, dtype=np.float32)
        if not self.wraps and rules[:, WRAP_FEATURES].any():
            raise AgentError(
                f"expected boards that don't wrap, got one that does (export with wraps): {self.path}"
            )
        try:
            results: list[NDArray[np.float32]] = self._session.run(
                outputs, dict(zip(ONNX_INPUTS, (planes, rules), strict=True))
            )
        except Exception as error:
            raise AgentError(
                f"expected an agent that evaluates this board, got {_reason(error)}: {self.path}"
            ) from error
        for name, result in zip(outputs, results, strict=True):
            self._check_answer(name, result, observation.legal.shape)
        return results

    def _check_answer(self, name: str, answer: NDArray[np.float32], shape: tuple[int, ...]) -> None:
        """Of the right shape, and finite; chances and values within their bounds.

        shape: of the legal actions, `[B, A]`
        """
        batch, actions = shape
        expected = {"logits": (batch, actions), "wdl": (batch, 3), "value_to_play": (batch,)}[name]
        if answer.shape != expected or answer.dtype != np.float32:
            got = f"{answer.dtype} {list(answer.shape)}"
            raise AgentError(f"expected {name} float32 {list(expected)}, got {got}: {self.path}")
        bound = np.finfo(np.float32).max if name == "logits" else 1 + ROUNDING
        if not (np.abs(answer) <= bound).all():  # not for NaN either
            raise AgentError(f"expected {name} that are numbers up to {bound:.3g}, got others: {self.path}")


def _open(data: bytes, path: Path, threads: int) -> onnxruntime.InferenceSession:
    """A session on one or more threads of the CPU, or an `AgentError`."""
    _limit_memory()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # fatal only: errors reach us as exceptions
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.add_session_config_entry(_FOLDED_BYTES, str(MEMORY_LIMIT // MAX_CONSTANT_NODES))
    try:
        # A fallback would be the CPU again, with lines on stdout, where a protocol may be spoken.
        return onnxruntime.InferenceSession(
            data, options, providers=["CPUExecutionProvider"], enable_fallback=0
        )
    except Exception as error:  # onnxruntime raises a dozen types that share nothing else
        raise AgentError(f"expected an .onnx agent, got {_reason(error)}: {path}") from error


def _reason(error: Exception) -> str:
    """What onnxruntime has against a file."""
    if "Available memory of" in str(error):
        return f"one that asks for more than {MEMORY_LIMIT // 2**30} GiB of memory"
    return one_line(error)


@cache
def _limit_memory() -> None:
    """Small files can ask for terabytes when they run: the sessions' shared allocator has a limit."""
    place = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    onnxruntime.create_and_register_allocator(place, onnxruntime.OrtArenaCfg({"max_mem": MEMORY_LIMIT}))


def _check_signature(session: onnxruntime.InferenceSession, path: Path) -> None:
    """Inputs and outputs have our names, types and channels; batch, rows and columns are free."""
    channels = zip(
        ONNX_INPUTS, ("any, {}, any, any", "any, {}"), (len(PLANES), len(RULE_FEATURES)), strict=True
    )
    expected = {f"{name} tensor(float) [{shape.format(size)}]" for name, shape, size in channels}
    try:
        inputs = {_described(value) for value in session.get_inputs()}
        outputs = {value.name for value in session.get_outputs()}
    except UnicodeDecodeError:
        raise AgentError(f"expected names of inputs and outputs as text, got other bytes: {path}") from None
    if inputs != expected or not outputs.issuperset(ONNX_OUTPUTS):
        raise AgentError(
            f"expected inputs {_listed(expected)} and outputs {_listed(ONNX_OUTPUTS)}, "
            f"got inputs {_listed(inputs)} and outputs {_listed(outputs)}: {path}"
        )


def _described(value: onnxruntime.NodeArg) -> str:
    """An input's name, type and shape."""
    shape = ", ".join(str(size) if isinstance(size, int) else "any" for size in value.shape)
    return f"{value.name} {value.type} [{shape}]"


def _listed(names: Iterable[str]) -> str:
    return shown(", ".join(sorted(names)), limit=120)
