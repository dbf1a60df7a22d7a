"""Compiling kernels with numba: one decorator, and a cache that can't go stale.

numba's own cache looks at the file of the compiled function only, so a changed callee would leave a stale binary
behind. Here the cache folder's name is a hash over the sources of all kernels, and it is set before the first
kernel is declared. `SELFPLAY_CACHE` names another folder than the user's cache directory.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., Any])
_ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = ("games", "mcts", "selfplay")


def _kernel_files() -> list[Path]:
    """Every file that declares kernels: by convention its name ends in `kernels.py`."""
    return [file for package in _PACKAGES for file in sorted((_ROOT / package).rglob("*kernels.py"))]


def _fingerprint() -> str:
    content = hashlib.sha256(f"{numba.__version__} {sys.version} {numba.config.BOUNDSCHECK}".encode())
    for file in (*_kernel_files(), Path(__file__)):
        content.update(file.read_bytes())
    return content.hexdigest()[:16]


def cache_folder() -> Path:
    """The folder of this version's compiled kernels."""
    base = os.environ.get("SELFPLAY_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "selfplay-agents" / f"kernels-{_fingerprint()}"


CACHE_FOLDER = cache_folder()
numba.config.CACHE_DIR = str(CACHE_FOLDER)
_announced = False


_OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
# Kernels never allocate, so numba's reference counting is off (`_nrt`): with it, every access to a field of a struct of
# arrays costs two atomic operations, which made playouts ten times slower.


def kernel(function: _Function) -> _Function:
    """Compile a function on first use, without the GIL, and keep the result on disk."""
    return njit(function, **_OPTIONS)  # type: ignore[no-any-return]


def shared(function: _Function) -> _Function:
    """A `kernel` that is also compiled into each kernel that calls it: handing structs over costs more than it."""
    return njit(function, **_OPTIONS, forceinline=True)  # type: ignore[no-any-return]


def inlined(function: _Function) -> _Function:
    """A part of other kernels: compiled into each caller, and not callable from Python."""
    return njit(  # type: ignore[no-any-return]
        function, **_OPTIONS, forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True
    )


def announce_first_compile() -> None:
    """Say once on stderr that kernels are being compiled, if no compiled ones are on disk."""
    global _announced  # a process compiles at most once
    if _announced:
        return
    _announced = True
    if not any(CACHE_FOLDER.glob("**/*.nbc")):
        print("Compiling the rule and search kernels (once, under a minute) …", file=sys.stderr, flush=True)
