"""Smaller agent files: half-precision weights, or convolutions in bytes. Inputs and outputs stay float32."""

from __future__ import annotations

import logging
import math
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from games.encoding import PLANES, Observation
from models.format import ONNX_INPUTS

Precision = Literal["fp32", "fp16", "int8"]

SMALLEST_HALVED = 1024
"""Tensors of fewer numbers stay float32: scales and biases need their digits and take no room."""


def lower_precision(agent: bytes, precision: Precision, *, calibration: Sequence[Observation] = ()) -> bytes:
    """An agent of float32 as one of another precision.

    fp16: weights take two bytes each. A runtime turns them into float32 as it loads them, so that every
        device runs the file, as fast as before and with hardly another answer.
    int8: besides, the blocks' convolutions compute with bytes: 8 bits for activations, 7 for weights, scaled
        for each output channel (7, because 8 bits overflow where a processor sums pairs in 16: AVX2 without
        VNNI). The first layer and the policy head take little time and lose most, so they stay float32.

    Args:
        agent: an .onnx file's bytes, from a source to be trusted.
        precision: of the result.
        calibration: for int8: positions that show how large activations get.
    """
    model = onnx.load_model_from_string(agent)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    if precision == "int8":
        model = _with_byte_convolutions(model, calibration)
    if precision != "fp32":
        _halve_weights(model)
    model.ClearField("metadata_props")
    helper.set_model_props(model, metadata | {"precision": precision})
    data: bytes = model.SerializeToString()
    return data


def _halve_weights(model: onnx.ModelProto) -> None:
    """Large tensors as float16, each behind a node that makes it float32 again."""
    graph, casts = model.graph, []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or math.prod(tensor.dims) < SMALLEST_HALVED:
            continue
        name, half = tensor.name, f"{tensor.name}_half"
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [name], name=f"{name}_cast", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    graph.ClearField("node")
    graph.node.extend(nodes)


def _with_byte_convolutions(model: onnx.ModelProto, calibration: Sequence[Observation]) -> onnx.ModelProto:
    """Convolutions between QuantizeLinear and DequantizeLinear, which runtimes fuse into one of bytes."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    shapes = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    of_blocks = [
        node.name
        for node in model.graph.node
        if node.op_type == "Conv" and _is_of_a_block(shapes[node.input[1]])
    ]
    with tempfile.TemporaryDirectory() as folder, _quiet():
        path = Path(folder) / "int8.onnx"
        quantize_static(
            model,
            path,
            _reader(calibration),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            nodes_to_quantize=of_blocks,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(path)


def _is_of_a_block(shape: tuple[int, ...]) -> bool:
    """Whether weights `[out, in, height, width]` are neither the first layer's nor a head's."""
    return shape[1] != len(PLANES) and shape[2:] != (1, 1)


def _reader(calibration: Sequence[Observation]) -> object:
    """Observations as onnxruntime asks for them: one at a time, then None."""
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        """Observations, one batch after the other."""

        def __init__(self) -> None:
            self.left = iter(calibration)

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            """The next batch's inputs."""
            for seen in self.left:
                inputs = (np.asarray(seen.planes, np.float32), np.asarray(seen.rules, np.float32))
                return dict(zip(ONNX_INPUTS, inputs, strict=True))
            return None

    return Reader()


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the tool's advice, which goes to the root logger."""
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
