"""From a run folder or a checkpoint to one `.onnx` file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from games import AgentError, RunError
from models import export_onnx, load_checkpoint
from selfplay.describe import listing
from selfplay.known import KnownVariants
from selfplay.run import disk_errors, latest_agent


def export_agent(source: Path, output: Path) -> dict[str, Any]:
    """Write the agent of a run folder (its last checkpoint's averaged weights) or of a `.safetensors` file.

    The file's metadata holds `variants`, a JSON list of {name, digest, toml} that the agent was trained for.

    Returns:
        what the checkpoint says of itself: variants, positions, steps, seconds.

    Raises:
        RunError, AgentError: nothing to export, or the output can't be written; one line.
    """
    if not output.parent.is_dir():
        raise RunError(f"{output}: can't write: {output.parent} is no folder")
    checkpoint = latest_agent(source) if source.is_dir() else source
    net, metadata = load_checkpoint(checkpoint)
    named = named_variants(metadata.get("variants") or [], checkpoint)
    variants = named.entries()
    wraps = any(variant.board.wrap != "none" for variant in named)
    with disk_errors(output):
        export_onnx(
            net,
            output,
            metadata={
                "title": listing(named.names),
                "variants": json.dumps(variants),
                "training": json.dumps({k: v for k, v in metadata.items() if k != "variants"}),
            },
            wraps=wraps,
        )
    return metadata


def named_variants(entries: Any, checkpoint: Path) -> KnownVariants:
    """The variants that a checkpoint names; at least one."""
    if not entries:
        raise AgentError(f"{checkpoint}: expected a checkpoint that names its variants, got none")
    return KnownVariants.read(entries, checkpoint)
