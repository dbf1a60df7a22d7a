"""From a run folder, a checkpoint or an agent to one `.onnx` file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from games import AgentError, Observation, Position, RunError, Variant, observe, start
from models import export_onnx, load_checkpoint
from models.format import write_atomically
from models.onnx_check import read_agent
from selfplay.describe import listing
from selfplay.known import KnownVariants
from selfplay.player import Player
from selfplay.run import disk_errors, latest_agent

if TYPE_CHECKING:
    from models.precision import Precision

CALIBRATION_VARIANTS, CALIBRATION_GAMES = 24, 32
"""Variants, and games in all, from whose positions int8 learns how large activations get."""


def export_agent(source: Path, output: Path, *, precision: Precision = "fp32") -> dict[str, Any]:
    """Write the agent of a run folder (its last checkpoint's averaged weights), a `.safetensors` file, or
    another `.onnx` agent of fp32.

    The file's metadata holds `variants`, a JSON list of {name, digest, toml} that it was trained for.

    precision: fp16 or int8 for a smaller file; see `models.precision`

    Returns:
        what the source says of itself: variants, positions, steps, seconds.

    Raises:
        RunError, AgentError: nothing to export, or the output can't be written; one line.
    """
    if not output.parent.is_dir():
        raise RunError(f"{output}: can't write: {output.parent} is no folder")
    if source.suffix == ".onnx" and not source.is_dir():
        return _convert(source, output, precision)
    if precision == "fp32":
        return _export(source, output)
    with tempfile.TemporaryDirectory() as folder:
        exact = Path(folder) / "exact.onnx"
        _export(source, exact)
        return _convert(exact, output, precision)


def _export(source: Path, output: Path) -> dict[str, Any]:
    """Weights as an agent of float32."""
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


# --- other precisions ---------------------------------------------------------------------------------------


def _convert(source: Path, output: Path, precision: Precision) -> dict[str, Any]:
    """An agent of float32 as one of another precision."""
    from models.precision import lower_precision

    agent, metadata = read_agent(source)
    if (got := metadata.get("precision", "fp32")) != "fp32":
        raise AgentError(f"{source}: expected an agent of fp32, got one of {got}")
    player = Player.load(source, simulations=0, temperature=1.0)
    assert isinstance(player.variants, KnownVariants)
    if not player.variants:
        raise AgentError(f"{source}: expected an agent that names its variants, got none")
    seen = list(_calibration(player, player.variants)) if precision == "int8" else []
    with disk_errors(output):
        write_atomically(output, lower_precision(agent, precision, calibration=seen))
    return {"variants": player.variants.entries(), **dict(json.loads(metadata.get("training", "{}")))}


def _calibration(player: Player, variants: Sequence[Variant]) -> Iterator[Observation]:
    """Positions of games that the policy plays with itself, one batch for each variant and ply."""
    chosen = np.linspace(0, len(variants) - 1, min(len(variants), CALIBRATION_VARIANTS)).round().astype(int)
    for number in chosen.tolist():
        positions: list[Position] = [start(variants[number])] * -(-CALIBRATION_GAMES // len(chosen))
        while positions:
            yield observe(positions)
            moved = zip(positions, player.choose_many(positions), strict=True)
            after = [position.play(action) for position, action in moved]
            positions = [position for position in after if not position.is_over]
