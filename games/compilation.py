"""Compiling kernels with numba: one decorator, and a cache that can't go stale.

numba's own cache looks at the file of the compiled function only, so a changed callee would leave a stale
binary behind. Here the cache folder's name is a hash over the sources of all kernels, and it is set before
the first kernel is declared. `SELFPLAY_CACHE` names another folder than the user's cache directory.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., Any])
_ROOT = Path(__file__).resolve().parent.parent
_CONFIG: Any = numba.config  # filled when it is loaded, which type checkers can't see
_PACKAGES = ("games", "mcts", "selfplay")
_IMPORT = re.compile(rf"^from ((?:{'|'.join(_PACKAGES)})\.[\w.]+) import", re.MULTILINE)


def _kernel_files() -> list[Path]:
    """Every file that declares kernels, and those whose constants are compiled into them.

    By convention the name of the former ends in `kernels.py`; the latter are found by their imports.
    """
    kernels = [file for package in _PACKAGES for file in sorted((_ROOT / package).rglob("*kernels.py"))]
    modules = {name for file in kernels for name in _IMPORT.findall(file.read_text(encoding="utf-8"))}
    constants = {_ROOT / f"{name.replace('.', '/')}.py" for name in modules}
    return sorted({*kernels, *constants, Path(__file__)})


def _fingerprint() -> str:
    content = hashlib.sha256(f"{numba.__version__} {sys.version} {_CONFIG.BOUNDSCHECK}".encode())
    for file in _kernel_files():
        content.update(file.read_bytes())
    return content.hexdigest()[:16]


def cache_folder() -> Path:
    """The folder of this version's compiled kernels."""
    base = os.environ.get("SELFPLAY_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "selfplay-agents" / f"kernels-{_fingerprint()}"


CACHE_FOLDER = cache_folder()
_CONFIG.CACHE_DIR = str(CACHE_FOLDER)
_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
# Kernels never allocate, so numba's reference counting is off (`_nrt`): with it, every access to a field of a
# struct of arrays costs two atomic operations, which made playouts ten times slower.
_KEPT: list[Any] = []
"""C functions live as long as the objects that hold them."""
_INTO_CALLERS: dict[str, Any] = {**_OPTIONS, "forceinline": True}
_INTO_CALLERS_ONLY: dict[str, Any] = {**_INTO_CALLERS, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def kernel(function: _Function) -> _Function:
    """Compile a function on first use, without the GIL, and keep the result on disk."""
    return cast(_Function, njit(function, **_OPTIONS))


def shared(function: _Function) -> _Function:
    """A `kernel` that is also compiled into its callers, where handing structs over would cost more."""
    return cast(_Function, njit(function, **_INTO_CALLERS))


def inlined(function: _Function) -> _Function:
    """A part of other kernels: compiled into each caller, and not callable from Python."""
    return cast(_Function, njit(function, **_INTO_CALLERS_ONLY))


def c_function(function: Callable[..., Any], signature: Any) -> int:
    """Compile a function as a C function, or load it from disk, and return its address."""
    compiled: Any = numba.cfunc(signature, **_OPTIONS)(function)
    _KEPT.append(compiled)
    return int(compiled.address)


@cache
def announce_first_compile() -> None:
    """Say once on stderr that kernels are being compiled, if no compiled ones are on disk."""
    if not any(CACHE_FOLDER.glob("**/*.nbc")):
        sys.stderr.write("Compiling the rule and search kernels (once, a minute or two) …\n")
        sys.stderr.flush()
