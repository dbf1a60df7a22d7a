"""The line of a key in a TOML text, in every way that TOML knows to write one."""

from __future__ import annotations

import tomllib

import pytest

import games
from games.toml_lines import key_lines, line_of
from games.variant import Variant

TEXT = '''\
# a comment with "quotes" and [brackets]
title = "one # no comment"   # a comment
rules = """
two lines, "quoted",
and a last one"""
board.rows = 6
board.'columns' = 7
board.holes = [
  "a1",  # a comment, with a comma
  "b2", "c3",
]

[board.setup]
first = ['d4']

[ end ]   # spaces are allowed
line = { first = 4, "second" = 5 }
connect = { first = ["top",
  "bottom"] }
komi = -7.5
'''


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("title", 2),
        ("rules", 3),
        ("board", 6),
        ("board.rows", 6),
        ("board.columns", 7),
        ("board.holes", 8),
        ("board.setup", 13),
        ("board.setup.first", 14),
        ("end", 16),
        ("end.line", 17),
        ("end.line.first", 17),
        ("end.line.second", 17),
        ("end.connect.first", 18),
        ("end.komi", 20),
    ],
)
def test_a_key_is_found(key: str, line: int) -> None:
    assert tomllib.loads(TEXT)
    assert line_of(TEXT, key.split(".")) == line


def test_an_element_of_a_list_is_found() -> None:
    assert [line_of(TEXT, ("board", "holes", place)) for place in range(3)] == [9, 10, 10]
    assert line_of(TEXT, ("end", "connect", "first", 1)) == 19


def test_the_closest_key_above_stands_in_for_one_that_is_missing() -> None:
    assert line_of(TEXT, ("end", "misere")) == 16
    assert line_of(TEXT, ("board", "setup", "second")) == 13
    assert line_of(TEXT, ("move", "kind")) is None
    assert line_of("", ("board",)) is None


def test_a_section_of_its_own_counts_more_than_one_that_is_implied() -> None:
    assert line_of("[board.setup]\nfirst = []\n[board]\nrows = 3\n", ("board",)) == 3


@pytest.mark.parametrize(
    "text",
    [
        "a = '''\n'quoted' \\ '''\nb = 1",
        'a = """\n\\""" quoted \\\\"""\nb = 1',
        'a = "a \\" b"\r\n\r\nb = 1',
        "a = [[1, 2],\n [3]]\nb = 1",
        "a = [{ c = 1 },\n { c = 2 }]\nb = 1",
        "a = 1979-05-27T07:32:00Z\n\nb = 1",
        "a = 1.5e3\n\nb = 1",
        "[[a]]\nc = 1\n[b]",
    ],
)
def test_no_value_hides_the_keys_after_it(text: str) -> None:
    assert set(tomllib.loads(text)) == {"a", "b"}
    assert line_of(text, ("b",)) == 3


@pytest.mark.parametrize("name", games.names())
def test_every_key_of_a_written_variant_has_its_line(name: str) -> None:
    text = games.load(name).to_toml()
    lines = text.splitlines()
    for path, line in key_lines(text).items():
        if isinstance(path[-1], str):
            assert path[-1] in lines[line - 1]
    assert Variant.from_toml(text, name=name) == games.load(name)
