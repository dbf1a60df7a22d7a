"""Play without torch: an agent's .onnx file as an evaluator."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from games.encoding import PLANES, RULE_FEATURES, Observation
from games.errors import AgentError
from models.format import AGENT_FORMAT, ONNX_INPUTS, ONNX_OUTPUTS, check_metadata, one_line

WRAP_FEATURES = [RULE_FEATURES.index("wrap_rows"), RULE_FEATURES.index("wrap_columns")]


class OnnxEvaluator:
    """Evaluates observations with an agent file; may be shared by threads.

    metadata: what the file says about itself, the training variant's TOML among it
    wraps: whether the file can evaluate boards that wrap
    """

    def __init__(self, path: str | os.PathLike[str], *, threads: int = 1) -> None:
        self.path = Path(path)
        self._session = _open(self.path, threads)
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        check_metadata(self.metadata, AGENT_FORMAT, self.path)
        _check_signature(self._session, self.path)
        self.wraps = self.metadata.get("wraps") == "true"
        plural = "s" * (threads != 1)
        self.description = f"onnxruntime {onnxruntime.__version__} cpu float32, {threads} thread{plural}"

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
        except Exception as error:  # as in `_open`
            raise AgentError(
                f"expected an agent that can evaluate, got {one_line(error)}: {self.path}"
            ) from error
        return results


def _open(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """A session on one or more threads of the CPU, or an `AgentError`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # fatal only: errors reach us as exceptions
    try:
        return onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except OSError as error:
        raise AgentError(f"expected an .onnx agent, got {error.strerror}: {path}") from error
    except Exception as error:  # onnxruntime raises a dozen types that share nothing else
        raise AgentError(f"expected an .onnx agent, got {one_line(error)}: {path}") from error


def _check_signature(session: onnxruntime.InferenceSession, path: Path) -> None:
    """Inputs and outputs have our names and channels."""
    inputs = {value.name: value.shape for value in session.get_inputs()}
    outputs = {value.name for value in session.get_outputs()}
    channels = tuple(inputs[name][1] if name in inputs else None for name in ONNX_INPUTS)
    expected = (len(PLANES), len(RULE_FEATURES))
    if channels != expected or not outputs.issuperset(ONNX_OUTPUTS):
        raise AgentError(
            f"expected inputs {ONNX_INPUTS} of {expected} channels and outputs {ONNX_OUTPUTS}, "
            f"got inputs {tuple(inputs)} of {channels} and outputs {tuple(sorted(outputs))}: {path}"
        )
