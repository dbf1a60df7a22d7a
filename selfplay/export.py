"""From a run folder or a checkpoint to one `.onnx` file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from games import AgentError, RunError, Variant
from models import export_onnx, load_checkpoint
from models.format import one_line
from selfplay.describe import listing
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
    variants = metadata.get("variants") or []
    named = named_variants(variants, checkpoint)
    variants = variant_entries(named)
    wraps = any(variant.board.wrap != "none" for variant in named)
    with disk_errors(output):
        export_onnx(
            net,
            output,
            metadata={
                "title": listing([entry["name"] for entry in variants]),
                "variants": json.dumps(variants),
                "training": json.dumps({k: v for k, v in metadata.items() if k != "variants"}),
            },
            wraps=wraps,
        )
    return metadata


def variant_entries(variants: Iterable[Variant]) -> list[dict[str, str]]:
    """Variants as a checkpoint or an agent names them; `named_variants` reads them back."""
    return [{"name": v.name, "digest": v.digest, "toml": v.to_toml()} for v in variants]


def named_variants(entries: Any, checkpoint: Path) -> list[Variant]:
    """The variants that a checkpoint names; at least one."""
    if not entries:
        raise AgentError(f"{checkpoint}: expected a checkpoint that names its variants, got none")
    try:
        return [Variant.from_toml(entry["toml"], name=entry["name"]) for entry in entries]
    except (KeyError, TypeError, ValueError) as error:
        raise AgentError(
            f"{checkpoint}: expected variants with name and toml, got {one_line(error)}"
        ) from None
