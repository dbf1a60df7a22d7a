"""Lines, whatever comes."""

from __future__ import annotations

import io

from selfplay.protocols.lines import LONGEST_LINE, read_lines


def lines(source: bytes) -> list[str | None]:
    return list(read_lines(io.BytesIO(source)))


def test_lines_come_without_their_ends_and_without_what_is_no_text() -> None:
    assert lines(b"one\r\n two\tthree \n\xff\x00four\x07") == ["one", "two three", "\ufffdfour"]


def test_a_line_too_long_is_dropped_as_a_whole_and_the_next_is_read() -> None:
    longest = b"x" * (LONGEST_LINE - 1)
    assert lines(longest + b"\nnext\n") == [longest.decode(), "next"]
    for length in (LONGEST_LINE, 3 * LONGEST_LINE, 3 * LONGEST_LINE + 7):
        assert lines(b"y" * length + b"\nnext\n") == [None, "next"]
    assert lines(b"y" * 2 * LONGEST_LINE) == [None]


def test_an_empty_input_has_no_lines() -> None:
    assert lines(b"") == []
