"""Look into an agent's .onnx file before the runtime does: a stranger's file may ask for anything.

The bytes are read with protobuf's own parser, so that what is checked here is what the runtime will see.
Unknown fields, such as the weights themselves, are skipped.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from games.errors import AgentError
from models.format import ONNX_INPUTS, shown

MAX_FILE_BYTES = 512 * 2**20
"""Largest file that is read; the largest released one has 1.5 MB."""

MAX_METADATA_BYTES = 16 * 2**20
"""Most that keys and values may take together; 754 variants take 0.4 MB."""

MAX_CONSTANT_NODES = 256
"""Nodes that compute with constants only; the runtime keeps their results from the time it loads the file."""

_STANDARD_DOMAINS = (b"", b"ai.onnx")

_FIELD = descriptor_pb2.FieldDescriptorProto

# Of ONNX's messages (onnx.proto3) only what is looked at: name -> (number, type). `Bytes` also stands for
# what an agent never has: that it is there is enough to know.
_SCHEMA: dict[str, dict[str, tuple[int, str]]] = {
    "Model": {
        "graph": (7, "Graph"),
        "opset_import": (8, "Bytes*"),
        "metadata_props": (14, "Entry*"),
        "training_info": (20, "Bytes*"),
        "functions": (25, "Bytes*"),
    },
    "Graph": {"node": (1, "Node*"), "initializer": (5, "Tensor*"), "sparse_initializer": (15, "Bytes*")},
    "Node": {
        "input": (1, "Bytes*"),
        "output": (2, "Bytes*"),
        "op_type": (4, "Bytes"),
        "attribute": (5, "Attribute*"),
        "domain": (7, "Bytes"),
    },
    "Attribute": {
        "t": (5, "Tensor"),
        "g": (6, "Bytes"),
        "tensors": (10, "Tensor*"),
        "graphs": (11, "Bytes*"),
        "sparse_tensor": (22, "Bytes"),
        "sparse_tensors": (23, "Bytes*"),
    },
    "Tensor": {
        "dims": (1, "Int64*"),
        "name": (8, "Bytes"),
        "external_data": (13, "Bytes*"),
        "data_location": (14, "Int64"),
    },
    "Entry": {"key": (1, "Bytes"), "value": (2, "Bytes")},
}
_SCALARS = {"Bytes": _FIELD.TYPE_BYTES, "Int64": _FIELD.TYPE_INT64}


def read_agent(path: Path) -> tuple[bytes, dict[str, str]]:
    """An agent file's bytes, fit for the runtime, and its metadata.

    Raises:
        AgentError: the file can't be read or is no ONNX model; it refers to other files, claims more numbers
            than it holds, or has anything else that an agent never has. One line.
    """
    data = _read(path)
    model: Any = _message_class("Model")()
    try:
        model.ParseFromString(data)
    except DecodeError:
        raise AgentError(f"expected an .onnx agent, got bytes that are no ONNX model: {path}") from None
    metadata = _metadata(model, path)
    _check_model(model, path)
    return data, metadata


def _read(path: Path) -> bytes:
    """A regular file's bytes: a pipe or a device may never end."""
    try:
        if path.exists() and not path.is_file():
            kind = "a folder" if path.is_dir() else "a device or a pipe"
            raise AgentError(f"expected an .onnx agent, got {kind}: {path}")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if not 0 < size <= MAX_FILE_BYTES:
                raise AgentError(
                    f"expected an .onnx agent of at most {MAX_FILE_BYTES:,} bytes, got {size:,} bytes: {path}"
                )
            return file.read(MAX_FILE_BYTES)
    except OSError as error:
        raise AgentError(f"expected an .onnx agent, got {error.strerror}: {path}") from error
    except ValueError as error:
        if isinstance(error, AgentError):
            raise
        raise AgentError(f"expected an .onnx agent, got {error}: {shown(path)}") from None  # a name with NUL


def _metadata(model: Any, path: Path) -> dict[str, str]:
    """Keys and values, each key once."""
    entries = [(entry.key, entry.value) for entry in model.metadata_props]
    size = sum(len(key) + len(value) for key, value in entries)
    if size > MAX_METADATA_BYTES:
        raise AgentError(
            f"expected at most {MAX_METADATA_BYTES:,} bytes of metadata, got {size:,} bytes: {path}"
        )
    try:
        metadata = {key.decode(): value.decode() for key, value in entries}
    except UnicodeDecodeError:
        raise AgentError(f"expected text as metadata, got other bytes: {path}") from None
    if len(metadata) < len(entries):
        raise AgentError(f"expected each key of the metadata once, got one twice: {path}")
    return metadata


def _check_model(model: Any, path: Path) -> None:
    """Nothing in it but standard operators and tensors that the file holds itself."""
    graph = model.graph
    unwanted = {
        "functions": model.functions,
        "training graphs": model.training_info,
        "sparse tensors": graph.sparse_initializer,
    }
    for name, found in unwanted.items():
        if found:
            raise AgentError(f"expected a plain graph, got one with {name}: {path}")
    for node in graph.node:
        _check_node(node, path)
    for tensor in _tensors(graph):
        _check_tensor(tensor, path)
    if (count := _constant_nodes(graph)) > MAX_CONSTANT_NODES:
        most = f"at most {MAX_CONSTANT_NODES} nodes that compute with constants only"
        raise AgentError(f"expected {most}, got {count}: {path}")


def _check_node(node: Any, path: Path) -> None:
    """A standard operator without graphs of its own: those are loops and branches."""
    if node.domain not in _STANDARD_DOMAINS:
        name = shown((node.domain + b"." + node.op_type).decode(errors="replace"))
        raise AgentError(f"expected operators of the ONNX standard, got {name}: {path}")
    for attribute in node.attribute:
        if attribute.HasField("g") or attribute.graphs:
            name = shown(node.op_type.decode(errors="replace"))
            raise AgentError(f"expected no loops and branches, got the operator {name}: {path}")
        if attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
            raise AgentError(f"expected a plain graph, got one with sparse tensors: {path}")


def _tensors(graph: Any) -> Iterator[Any]:
    """All tensors that a graph holds: weights, and constants among the nodes."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield from attribute.tensors
            if attribute.HasField("t"):
                yield attribute.t


def _constant_nodes(graph: Any) -> int:
    """How many nodes depend on no input, or on its shape only. The nodes may stand in any order."""
    live = {name.encode() for name in ONNX_INPUTS}
    waiting = [node for node in graph.node if node.op_type not in (b"Shape", b"Size")]
    shapes = len(graph.node) - len(waiting)
    while True:
        still = [node for node in waiting if live.isdisjoint(node.input)]
        if len(still) == len(waiting):
            return len(still) + shapes
        live.update(name for node in waiting if not live.isdisjoint(node.input) for name in node.output)
        waiting = still


def _check_tensor(tensor: Any, path: Path) -> None:
    """Its numbers are in the file, as many as it claims: each one takes a byte at least."""
    name = shown(tensor.name.decode(errors="replace")) or "one without a name"
    if tensor.external_data or tensor.data_location:
        raise AgentError(f"expected weights in the file itself, got {name} in another file: {path}")
    dims = tensor.dims
    if any(size < 0 for size in dims) or math.prod(dims) > tensor.ByteSize():
        claimed = " x ".join(str(size) for size in dims[:8])
        raise AgentError(
            f"expected tensors as large as their data, got {name}: {claimed} in {tensor.ByteSize():,} bytes: "
            f"{path}"
        )


@cache
def _message_class(name: str) -> type[Message]:
    """A class that reads ONNX's message of this name, as far as `_SCHEMA` knows it."""
    file = descriptor_pb2.FileDescriptorProto(name="agent.proto", package="agent", syntax="proto2")
    for message, fields in _SCHEMA.items():
        described = file.message_type.add(name=message)
        for field, (number, kind) in fields.items():
            scalar = _SCALARS.get(kind.rstrip("*"))
            described.field.add(
                name=field,
                number=number,
                label=_FIELD.LABEL_REPEATED if kind.endswith("*") else _FIELD.LABEL_OPTIONAL,
                type=scalar or _FIELD.TYPE_MESSAGE,
                type_name=None if scalar else f".agent.{kind.rstrip('*')}",
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found: type[Message] = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"agent.{name}"))
    return found
