"""Lines in and out, whatever comes: endless ones, bytes that are no text, an end without a newline."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from games import UserError

LONGEST_LINE = 2**16
"""Bytes of a line; what is longer is dropped as a whole."""


class ProtocolError(UserError):
    """A line that can't be done; one line that says why."""


class Engine(Protocol):
    """A protocol's engine."""

    def answer(self, line: str) -> bool:
        """Do what a line says and write the answer; False at the end. It never raises."""
        ...

    def too_long(self) -> None:
        """Say that a line was dropped."""
        ...

    def close(self) -> None:
        """Stop what is still going on."""
        ...


class Output:
    """Writes whole answers, from several threads."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write, self._lock = write, threading.Lock()

    def __call__(self, text: str) -> None:
        with self._lock:
            self._write(text)


def serve(engine: Engine, source: BinaryIO) -> None:
    """Let an engine answer line by line, until it or the input ends."""
    try:
        for line in read_lines(source):
            if line is None:
                engine.too_long()
            elif not engine.answer(line):
                return
    finally:
        engine.close()


def read_lines(source: BinaryIO) -> Iterator[str | None]:
    """Lines without their end; None for one that is too long, of which nothing is kept."""
    while raw := source.readline(LONGEST_LINE):
        if raw.endswith(b"\n") or len(raw) < LONGEST_LINE:
            yield _text(raw)
            continue
        while (rest := source.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
            pass
        yield None


def _text(raw: bytes) -> str:
    """What can be read of a line; control characters are left out, tabs become spaces."""
    text = raw.decode("utf-8", errors="replace").replace("\t", " ")
    return "".join(character for character in text if character.isprintable()).strip()
