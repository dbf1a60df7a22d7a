"""onnxruntime-web, which runs an agent's network in a page: found on the disk, or fetched by npm.

It is no Python package, so a folder that plays without a server takes it from where npm has it: npm checks
what it downloads, and the result is kept in the cache folder.
"""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from base64 import b64encode
from pathlib import Path

from games import UserError
from games.compilation import CACHE_FOLDER
from models.format import write_atomically

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
"""As npm names it; the version that was tested."""

_SCRIPT, _GLUE, _BINARY = "ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"
_SECONDS = 300


class RuntimeMissingError(UserError):
    """onnxruntime-web isn't where it should be, and can't be fetched; one line."""


def runtime_data(folder: Path | None) -> dict[str, str]:
    """The runtime as the page's worker takes it: two scripts, and the compiled part as base64.

    folder: one that has onnxruntime-web's files; None: the cache, or npm
    """
    place = folder or _fetched()
    try:
        return {
            "script": (place / _SCRIPT).read_text(encoding="utf-8"),
            "glue": (place / _GLUE).read_text(encoding="utf-8"),
            "binary": b64encode((place / _BINARY).read_bytes()).decode("ascii"),
        }
    except FileNotFoundError as error:
        raise RuntimeMissingError(
            f"{place}: expected the files of {PACKAGE}'s folder dist, {Path(error.filename).name} is missing"
        ) from None


def _fetched() -> Path:
    """The cache's copy, fetched if it isn't there."""
    place = CACHE_FOLDER.parent / f"{PACKAGE}-{VERSION}"
    if not place.is_dir():
        _fetch(place)
    return place


def _fetch(place: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeMissingError(
            f"expected npm, to fetch {PACKAGE} {VERSION} with, or --runtime FOLDER with its files: not found"
        )
    with tempfile.TemporaryDirectory() as scratch:
        command = [npm, "pack", "--silent", f"{PACKAGE}@{VERSION}"]
        try:
            done = subprocess.run(
                command, cwd=scratch, capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise RuntimeMissingError(f"npm pack {PACKAGE}@{VERSION} took longer than {_SECONDS} s") from None
        packed = next(Path(scratch).glob("*.tgz"), None)
        if done.returncode or packed is None:
            said = " ".join(done.stderr.split())[-200:]
            raise RuntimeMissingError(f"npm pack {PACKAGE}@{VERSION} failed: {said or 'it made no file'}")
        _keep(packed, place)


def _keep(packed: Path, place: Path) -> None:
    """Keep the files that are needed, and the licence."""
    with tarfile.open(packed) as archive:
        wanted = {f"package/dist/{name}": name for name in (_SCRIPT, _GLUE, _BINARY)}
        for member in archive:
            if member.name in wanted and (file := archive.extractfile(member)):
                place.mkdir(parents=True, exist_ok=True)
                write_atomically(place / wanted[member.name], file.read())
