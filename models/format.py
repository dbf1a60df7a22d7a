"""What our files say about themselves, and how they reach the disk. Imports without torch."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from games.encoding import ENCODING_VERSION
from games.errors import AgentError

AGENT_FORMAT = "selfplay-agent"
"""Value of `format` in an .onnx file's metadata."""

CHECKPOINT_FORMAT = "selfplay-checkpoint"
"""Value of `format` in a .safetensors file's header."""

FORMAT_VERSION = 1
"""Version of both formats' metadata keys and tensor names."""

ONNX_INPUTS = ("planes", "rules")
ONNX_OUTPUTS = ("logits", "wdl", "value_to_play")


def own_metadata(format_name: str) -> dict[str, str]:
    """The keys that `check_metadata` looks for."""
    return {
        "format": format_name,
        "format_version": str(FORMAT_VERSION),
        "encoding_version": str(ENCODING_VERSION),
    }


def check_metadata(metadata: Mapping[str, object], format_name: str, path: str | os.PathLike[str]) -> None:
    """Raise `AgentError` unless the file is of this format, this version and this encoding."""
    for key, expected in own_metadata(format_name).items():
        got = metadata.get(key, "nothing")
        if got != expected:
            raise AgentError(
                f"expected {key.replace('_', ' ')} {expected}, got {shown(got)}: {os.fspath(path)}"
            )


def shown(text: object, *, limit: int = 60) -> str:
    """A stranger's text, fit for an error line: short, and nothing in it moves the cursor."""
    line = " ".join(str(text)[: 4 * limit].split())[:limit]
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)


def one_line(error: BaseException) -> str:
    """An exception's message, fit for the end of an error line."""
    return shown(error, limit=200) or type(error).__name__


def zoo_file(name: str) -> Path:
    """Where a released agent or checkpoint is, if this build ships it."""
    import models

    return Path(models.__path__[0]) / "zoo" / name


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file that is seen whole or not at all, even if the machine stops half-way.

    A link or a device, such as /dev/stdout, is written to as it is: a file must not take its place.
    """
    target = Path(path)
    if target.is_symlink() or (target.exists() and not target.is_file()):
        target.write_bytes(data)
        return
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp makes it private
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable, where the system can open folders (Windows can't and needn't)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
