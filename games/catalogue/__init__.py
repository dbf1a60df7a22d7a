"""The catalogue: every variant that ships, in TOML files by family beside this module."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from games.errors import VariantError
from games.variant import Variant, load_toml

FAMILIES = {
    "lines": "Lines",
    "flips": "Flips",
    "connection": "Connection",
    "surround": "Surrounding",
    "stepping": "Stepping",
    "blocking": "Blocking",
    "infection": "Infection",
    "new": "New, of this project's own",
}
"""The families in order: the file's name, and what people read."""


@cache
def _families() -> dict[str, dict[str, dict[str, Any]]]:
    """Unparsed variants by family and name, in the files' order."""
    folder = resources.files(__name__)
    return {
        family: tomllib.loads((folder / f"{family}.toml").read_text(encoding="utf-8")) for family in FAMILIES
    }


@cache
def _tables() -> dict[str, dict[str, Any]]:
    """Unparsed variants by name."""
    return {name: table for family in _families().values() for name, table in family.items()}


def names() -> list[str]:
    """Names of all variants that ship."""
    return list(_tables())


def families() -> dict[str, list[str]]:
    """Names of all variants that ship, by the family's heading."""
    return {FAMILIES[family]: list(tables) for family, tables in _families().items()}


@cache
def _catalogued(name: str) -> Variant:
    return Variant.from_dict({"name": name, **_tables()[name]}, where=name)


def load(name_or_path: str | Path) -> Variant:
    """A variant of the catalogue by name, or a user's own by the path of its TOML file.

    Raises:
        VariantError: no such name or file, or the rules can't be played; one line.
    """
    if isinstance(name_or_path, str) and name_or_path in _tables():
        return _catalogued(name_or_path)
    path = Path(name_or_path)
    if path.suffix == ".toml" or path.exists():
        return load_toml(path)
    raise VariantError(
        f"unknown variant {str(name_or_path)!r}: expected a path to a .toml file or a name of the catalogue"
        f"{_closest(str(name_or_path))}"
    )


def _closest(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, names(), n=3)
    return f" (close: {', '.join(close)})" if close else f" ({', '.join(names())})"
