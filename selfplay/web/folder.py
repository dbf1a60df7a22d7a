"""`selfplay web --static`: a folder that plays in any browser, with no server and no network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from games import Variant
from models.format import write_atomically
from selfplay.web.runtime import runtime_data
from selfplay.web.site import (
    Agent,
    Listed,
    agent_file,
    delivery,
    page_files,
    site_script,
    variant_file,
    variant_script,
)


def write_folder(
    folder: Path,
    listed: Sequence[Listed],
    agents: Mapping[str, Agent],
    *,
    variant: Variant,
    agent: str,
    runtime: Path | None,
    written: Callable[[str], object],
) -> None:
    """Write the whole page.

    Args:
        folder: new or empty, or one that was written before.
        listed: what may be played.
        agents: who may be played against.
        variant, agent: what is chosen first.
        runtime: a folder with onnxruntime-web, see `selfplay.web.runtime`.
        written: is told of every variant that is ready.

    Raises:
        RuntimeMissingError: onnxruntime-web isn't to be had; nothing has been written then.
        OSError: the folder can't be written.
    """
    needed = runtime_data(runtime) if any(each.file for each in agents.values()) else {}
    files = page_files()
    files["runtime.js"] = delivery("runtime.js", needed)
    for chosen in agents.values():
        if chosen.file is not None:
            network = b64encode(chosen.file.read_bytes()).decode("ascii")
            files[agent_file(chosen)] = delivery(agent_file(chosen), network)
    files["site.js"] = site_script(listed, agents, variant=variant, agent=agent, is_served=False)
    for name, text in files.items():
        _write(folder / name, text)
    for each in listed:
        _write(
            folder / variant_file(each.variant),
            variant_script(each.variant, agents.values(), is_served=False),
        )
        written(each.variant.name)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode())
