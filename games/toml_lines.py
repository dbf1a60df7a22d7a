"""Where a key stands in a TOML text, so that an error can name its line.

`tomllib` reads the values and checks the syntax; this walks the same text once more and only keeps lines.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from typing import NamedTuple

_Path = tuple[str | int, ...]

_TOKEN = re.compile(
    r"""
      (?P<newline>\n)
    | (?P<blank>[ \t\r]+|\#[^\n]*)
    | (?P<string>\"{3}(?:\\.|[^\\])*?\"{3}(?!\")|'{3}.*?'{3}(?!')|"(?:\\.|[^"\\])*"|'[^']*')
    | (?P<mark>[][{}=,.])
    | (?P<word>[^][{}=,.\s"'\#]+)
    """,
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def line_of(text: str, path: Iterable[str | int]) -> int | None:
    """The line of a key in a text, counted from 1; where it isn't there, that of the closest key above it.

    Args:
        text: TOML that `tomllib` can read.
        path: keys from the outside in, such as `("board", "holes")`; a number is a place in a list.

    Returns:
        None if the text has no part of the path.
    """
    lines, path = key_lines(text), tuple(path)
    known = (lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines)
    return next(known, None)


def key_lines(text: str) -> dict[_Path, int]:
    """The line of each key of a TOML text, and of each element of its lists."""
    return _Reader(text).read()


class _Reader:
    """One walk over the tokens of a text that is known to be valid."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._lines: dict[_Path, int] = {}

    def read(self) -> dict[_Path, int]:
        table: _Path = ()
        while not self._is("end"):
            if self._is("newline"):
                self._next()
            elif self._is("["):
                table = self._header()
            else:
                self._pair(table)
        return self._lines

    def _header(self) -> _Path:
        """`[a.b]` or `[[a.b]]`."""
        while self._is("["):
            self._next()
        path = self._key(())
        while self._is("]"):
            self._next()
        return path

    def _pair(self, table: _Path) -> None:
        path = self._key(table)
        self._next()  # the equals sign
        self._value(path)

    def _key(self, table: _Path) -> _Path:
        """A key, dotted or not; tables that it implies lie on its line unless they have one of their own."""
        path, line = table, self._tokens[self._at].line
        while True:
            path = (*path, _unquoted(self._next()))
            if not self._is("."):
                break
            self._lines.setdefault(path, line)
            self._next()
        self._lines[path] = line
        return path

    def _value(self, path: _Path) -> None:
        if self._is("["):
            self._list(path)
        elif self._is("{"):
            self._table(path)
        else:
            while not self._is(",", "]", "}", "newline", "end"):
                self._next()

    def _list(self, path: _Path) -> None:
        self._next()
        element = 0
        while not self._is("]"):
            if self._is("newline", ","):
                element += self._next().text == ","
                continue
            self._lines[*path, element] = self._tokens[self._at].line
            self._value((*path, element))
        self._next()

    def _table(self, path: _Path) -> None:
        self._next()
        while not self._is("}"):
            if self._is("newline", ","):
                self._next()
            else:
                self._pair(path)
        self._next()

    def _is(self, *kinds: str) -> bool:
        return self._tokens[self._at].kind in kinds

    def _next(self) -> _Token:
        self._at += 1
        return self._tokens[self._at - 1]


def _tokens(text: str) -> Iterable[_Token]:
    """Marks are their own kind; a last token of kind 'end' saves looking for the end everywhere."""
    line = 1
    for match in _TOKEN.finditer(text):
        kind, token = str(match.lastgroup), match[0]
        if kind != "blank":
            yield _Token(token if kind == "mark" else kind, token, line)
        line += token.count("\n")
    yield _Token("end", "", line)


def _unquoted(token: _Token) -> str:
    if token.kind != "string":
        return token.text
    return str(tomllib.loads(f"key = {token.text}")["key"])
