"""A network as one .onnx file that plays boards of any size, without torch."""

from __future__ import annotations

import copy
import io
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout

import onnx
import torch
from torch import Tensor, nn

from games.encoding import MAX_SIZE
from models.format import AGENT_FORMAT, ONNX_INPUTS, ONNX_OUTPUTS, own_metadata, write_atomically
from models.network import COLUMNS, ON_BOARD, ROWS, WRAP_COLUMNS, PolicyValueNet


def export_onnx(
    net: PolicyValueNet, path: str | os.PathLike[str], *, metadata: Mapping[str, str], wraps: bool = True
) -> None:
    """Write `net` as an agent file; takes some seconds.

    Inputs: planes float32 `[batch, P, rows, columns]`, rules float32 `[batch, F]`.
    Outputs, float32, seen by the player to move: logits `[batch, rows*columns + 2]`, wdl `[batch, 3]`
    (probabilities of win, draw, loss), value_to_play `[batch]`.

    metadata: strings to keep in the file besides our own keys, such as `variant` and `title`
    wraps: False leaves out what boards with touching edges need; that file is about a quarter faster and
        refuses such boards
    """
    model = _trace(_Agent(net, wraps=wraps))
    entries = {**metadata, **own_metadata(AGENT_FORMAT), "wraps": "true" if wraps else "false"}
    _forget_sources(model)
    onnx.helper.set_model_props(model, entries)
    write_atomically(path, model.SerializeToString())


class _Agent(nn.Module):
    """The network with probabilities at its end, on the CPU in float32."""

    def __init__(self, net: PolicyValueNet, *, wraps: bool) -> None:
        super().__init__()
        self.net = copy.deepcopy(net).to("cpu", torch.float32)
        self.wraps = wraps
        self.eval()

    def forward(self, planes: Tensor, rules: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        logits, wdl_logits = self.net(planes, rules, self.wraps)
        wdl = wdl_logits.softmax(-1)
        return logits, wdl, wdl[:, 0] - wdl[:, 2]


def _trace(agent: _Agent) -> onnx.ModelProto:
    """Record the graph on a small board, with batch, rows and columns free."""
    batch, rows, columns = (torch.export.Dim(name) for name in ("batch", "rows", "columns"))
    with _quiet():
        program = torch.onnx.export(
            agent,
            _example(agent.net),
            dynamo=True,
            dynamic_shapes=({0: batch, 2: rows, 3: columns}, {0: batch}),
            input_names=list(ONNX_INPUTS),
            output_names=list(ONNX_OUTPUTS),
            verbose=False,
        )
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    return model


def _example(net: PolicyValueNet) -> tuple[Tensor, Tensor]:
    """Three positions of a 4x5 board; no two dimensions agree, so the tracer can't mix them up."""
    planes = torch.zeros(3, net.config.planes, 4, 5)
    planes[:, ON_BOARD] = 1
    rules = torch.zeros(3, net.config.features)
    rules[:, ROWS], rules[:, COLUMNS], rules[:, WRAP_COLUMNS] = 4 / MAX_SIZE, 5 / MAX_SIZE, 1
    return planes, rules


def _forget_sources(model: onnx.ModelProto) -> None:
    """Drop the stack traces that the exporter attaches: they hold paths of this machine."""
    for item in (*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output):
        item.ClearField("metadata_props")
        item.ClearField("doc_string")
    model.graph.ClearField("metadata_props")
    model.graph.ClearField("doc_string")


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's progress marks, log lines and warnings."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
