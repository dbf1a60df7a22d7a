"""The variants that an agent was trained for, as its file names them. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, overload

from games import AgentError, Variant

_KEYS = ("name", "digest", "toml")

_LONGEST_NAME = 200


class KnownVariants(Sequence[Variant]):
    """Variants whose rules are read only when they are asked for: an agent may name hundreds.

    Attributes:
        names: of all of them.
    """

    def __init__(self, variants: Iterable[Variant] = ()) -> None:
        self._read: dict[int, Variant] = dict(enumerate(variants))
        self._entries: list[dict[str, str]] = []
        self._where: object = ""
        self.names = [variant.name for variant in self._read.values()]
        self._digests = {variant.digest for variant in self._read.values()}

    @classmethod
    def read(cls, entries: Any, where: object) -> KnownVariants:
        """Back from `entries`; raises `AgentError`, one line with the file's name, if they aren't any.

        Rules that can't be read raise it when they are asked for.
        """
        known = cls()
        good = isinstance(entries, list) and all(
            isinstance(entry, dict) and all(isinstance(entry.get(key), str) for key in _KEYS)
            for entry in entries
        )
        if not good:
            raise AgentError(f"{where}: expected variants with {', '.join(_KEYS)}, got something else")
        if not all(len(entry["name"]) <= _LONGEST_NAME and entry["name"].isprintable() for entry in entries):
            raise AgentError(
                f"{where}: expected names of at most {_LONGEST_NAME} printable letters, got others"
            )
        known._entries, known._where = entries, where
        known.names = [entry["name"] for entry in entries]
        known._digests = {entry["digest"] for entry in entries}
        return known

    @classmethod
    def of(cls, variants: Sequence[Variant]) -> KnownVariants:
        """These variants; nothing is read of those that haven't been."""
        return variants if isinstance(variants, KnownVariants) else cls(variants)

    def entries(self) -> list[dict[str, str]]:
        """As a checkpoint or an agent names them."""
        return self._entries or [{"name": v.name, "digest": v.digest, "toml": v.to_toml()} for v in self]

    def knows(self, variant: Variant) -> bool:
        """Whether exactly these rules are among them."""
        return variant.digest in self._digests

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> Variant: ...

    @overload
    def __getitem__(self, index: slice) -> list[Variant]: ...

    def __getitem__(self, index: int | slice) -> Variant | list[Variant]:
        numbers = range(len(self))[index]
        if isinstance(numbers, int):
            return self._variant(numbers)
        return [self._variant(number) for number in numbers]

    def _variant(self, number: int) -> Variant:
        if number not in self._read:
            entry = self._entries[number]
            try:
                variant = Variant.from_toml(entry["toml"], name=entry["name"])
            except ValueError as error:
                raise AgentError(
                    f"{self._where}: expected variants that can be played, got {error}"
                ) from None
            if variant.digest != entry["digest"]:
                raise AgentError(
                    f"{self._where}: expected the rules that its digest names for {entry['name']} "
                    f"({variant.digest}), got the digest {entry['digest'][:40]!r}"
                )
            self._read[number] = variant
        return self._read[number]
