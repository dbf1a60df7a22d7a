"""From a run folder or a checkpoint to one `.onnx` file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from games import AgentError, Variant
from models import export_onnx, load_checkpoint
from selfplay.run import disk_errors, latest_agent


def export_agent(source: Path, output: Path) -> dict[str, Any]:
    """Write the agent of a run folder (its last checkpoint's averaged weights) or of a `.safetensors` file.

    The file's metadata holds `variants`, a JSON list of {name, digest, toml} that the agent was trained for.

    Returns:
        what the checkpoint says of itself: variants, positions, steps, seconds.

    Raises:
        RunError, AgentError: nothing to export, or the output can't be written; one line.
    """
    checkpoint = latest_agent(source) if source.is_dir() else source
    net, metadata = load_checkpoint(checkpoint)
    variants = metadata.get("variants")
    if not variants:
        raise AgentError(f"{checkpoint}: expected a checkpoint that names its variants, got none")
    wraps = any(
        Variant.from_toml(entry["toml"], name=entry["name"]).board.wrap != "none" for entry in variants
    )
    with disk_errors(output):
        export_onnx(
            net,
            output,
            metadata={
                "title": ", ".join(entry["name"] for entry in variants),
                "variants": json.dumps(variants),
                "training": json.dumps({k: v for k, v in metadata.items() if k != "variants"}),
            },
            wraps=wraps,
        )
    return metadata
