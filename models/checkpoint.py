"""Checkpoints: weights, network shape and the caller's notes in one .safetensors file, without pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import safetensors
import safetensors.torch
from pydantic import ValidationError
from torch import Tensor

from games.encoding import ENCODING_VERSION, PLANES, RULE_FEATURES
from games.errors import AgentError
from models.config import NetworkConfig
from models.format import CHECKPOINT_FORMAT, check_metadata, one_line, own_metadata, write_atomically
from models.network import PolicyValueNet

HEADER_KEY = "selfplay"
"""safetensors metadata maps strings to strings: this key holds our JSON."""


_EXTRA = "extra."
"""Prefix of tensors that aren't the network's."""


def save_checkpoint(path: str | os.PathLike[str], net: PolicyValueNet, *, metadata: dict[str, Any]) -> None:
    """Write `net` and JSON-able `metadata`; who reads meanwhile sees the old file or the new one."""
    write_atomically(path, pack_checkpoint(net, metadata=metadata))


def pack_checkpoint(
    net: PolicyValueNet, *, metadata: dict[str, Any], extras: Mapping[str, Tensor] | None = None
) -> bytes:
    """The content of a checkpoint file; `extras` are tensors besides the network's, see `load_extras`."""
    header = own_metadata(CHECKPOINT_FORMAT) | {"network": net.config.model_dump(), "metadata": metadata}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in net.state_dict().items()}
    tensors |= {_EXTRA + name: tensor.detach().cpu().contiguous() for name, tensor in (extras or {}).items()}
    return safetensors.torch.save(tensors, {HEADER_KEY: json.dumps(header)})


def load_checkpoint(path: str | os.PathLike[str]) -> tuple[PolicyValueNet, dict[str, Any]]:
    """Read what `save_checkpoint` wrote, onto the CPU; anything else raises `AgentError`."""
    header, tensors = _read(path)
    tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith(_EXTRA)}
    header, tensors = _widen(header, tensors)
    check_metadata(header, CHECKPOINT_FORMAT, path)
    try:
        net = PolicyValueNet(NetworkConfig.model_validate(header["network"]))
        net.load_state_dict(tensors)
        metadata = dict(header["metadata"])
    except (KeyError, TypeError, ValueError, ValidationError, RuntimeError) as error:
        raise AgentError(
            f"expected weights that fit the header, got {one_line(error)}: {os.fspath(path)}"
        ) from error
    return net, metadata


def load_extras(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The tensors that a checkpoint holds besides the network's; raises `AgentError` as `load_checkpoint`."""
    _, tensors = _read(path)
    return {name.removeprefix(_EXTRA): t for name, t in tensors.items() if name.startswith(_EXTRA)}


def _widen(header: dict[str, Any], tensors: dict[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """A checkpoint of encoding version 1 as one of today's: planes and features it didn't know weigh nothing.

    Later versions only added planes and features behind those of version 1, so nothing it computes changes.
    """
    shape = header.get("network")
    if header.get("encoding_version") != "1" or not isinstance(shape, dict):
        return header, tensors
    inputs = {"stem.weight": len(PLANES), "film.hidden.weight": len(RULE_FEATURES)}
    widened = {
        name: _with_zeros(tensor, inputs[name]) if name in inputs else tensor
        for name, tensor in tensors.items()
    }
    shape = shape | {"planes": len(PLANES), "features": len(RULE_FEATURES)}
    return header | {"network": shape, "encoding_version": str(ENCODING_VERSION)}, widened


def _with_zeros(weight: Tensor, inputs: int) -> Tensor:
    """A weight `[out, in, …]` with zeros for inputs that are new."""
    padded = weight.new_zeros(weight.shape[0], inputs, *weight.shape[2:])
    padded[:, : weight.shape[1]] = weight
    return padded


def _read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and tensors; the header is empty if the file isn't ours."""
    try:
        with safetensors.safe_open(os.fspath(path), framework="pt") as file:
            header = json.loads((file.metadata() or {}).get(HEADER_KEY, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise AgentError(
            f"expected a .safetensors checkpoint, got {one_line(error)}: {os.fspath(path)}"
        ) from error
    return (header if isinstance(header, dict) else {}), tensors
