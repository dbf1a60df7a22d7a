"""What kernels say, in V8, against what they say in Python."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from py_mini_racer import MiniRacer

from games.number_kernels import mixed, unit
from selfplay.web.engine import PAGE
from selfplay.web.javascript import FLOAT, FLOAT32, INT, UINT64, Array, TranslationError, Type
from selfplay.web.translate import Translator


def in_v8(kernel: Any, types: tuple[Type, ...], arguments: str) -> Any:
    """What a kernel says in V8; `arguments` as JavaScript."""
    translator, v8 = Translator(), MiniRacer()
    name, _ = translator.add(kernel, *types)
    v8.eval((PAGE / "arrays.js").read_text() + translator.text())
    shown = "(key, found) => typeof found === 'bigint' ? String(found) : found"
    return json.loads(str(v8.eval(f"JSON.stringify({name}({arguments}), {shown})")))


def division(a: int, b: int) -> tuple[int, int, float]:
    return a // b, a % b, a / b


def bits(a: int, b: int) -> int:
    return (a << b | 5) & ~2 ^ a >> 1


def middle(a: int, b: int, c: int) -> bool:
    return a < b <= c and not (a in (2, 3) or b == c)


def swapped(a: int, b: int) -> tuple[int, int]:
    a, b = b, a
    return a, b


def first_square_above(limit: int, most: int) -> int:
    found = -1
    for i in range(1, most):
        if i % 2:
            continue
        if i * i > limit:
            found = i
            break
    return found


def halvings(n: int) -> int:
    count = 0
    while True:
        if n <= 1:
            return count
        n //= 2
        count += 1


def chosen(a: float, b: float) -> float:
    return max(a, b) if a > 0.0 else min(a, math.exp(b))


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (division, (17, 5)),
        (division, (-17, 5)),
        (bits, (1234567, 7)),
        (middle, (1, 2, 3)),
        (middle, (2, 3, 4)),
        (middle, (1, 3, 3)),
        (swapped, (3, 4)),
        (first_square_above, (50, 20)),
        (first_square_above, (500, 20)),
        (halvings, (1000,)),
    ],
)
def test_integers(function: Callable[..., Any], arguments: tuple[int, ...]) -> None:
    expected = function(*arguments)
    found = in_v8(function, (INT,) * len(arguments), ", ".join(map(str, arguments)))
    assert found == (list(expected) if isinstance(expected, tuple) else expected)


@pytest.mark.parametrize("arguments", [(1.5, 0.25), (-1.5, -0.25)])
def test_floats(arguments: tuple[float, float]) -> None:
    assert in_v8(chosen, (FLOAT, FLOAT), f"{arguments[0]}, {arguments[1]}") == chosen(*arguments)


def test_float32_is_rounded_after_each_operation() -> None:
    def third(a: np.float32, b: np.float32) -> np.float32:
        return a / b * b + a

    a, b = np.float32(0.1), np.float32(3.7)
    assert np.float32(in_v8(third, (FLOAT32, FLOAT32), f"{float(a)!r}, {float(b)!r}")) == third(a, b)


def splitmix(z: int) -> int:
    """The finish of splitmix64 (Steele, Lea & Flood, OOPSLA 2014), with whole numbers."""
    word = 2**64
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % word
    z = (z ^ z >> 27) * 0x94D049BB133111EB % word
    return z ^ z >> 31


@pytest.mark.parametrize("z", [0, 1, 2**63 + 12345, 2**64 - 1])
def test_64_bits_wrap_as_in_a_machine_word(z: int) -> None:
    assert int(in_v8(mixed, (UINT64,), f"{z}n")) == splitmix(z)
    assert in_v8(unit, (UINT64,), f"{z}n") == ((z >> 11) + 0.5) / 2**53


def test_rows_and_stretches_are_parts_of_the_same_array() -> None:
    def filled(table: Any) -> int:
        row = table[1]
        row[2] = 5
        table[0, 1:] = 7
        table[2] = row[2] + table.shape[1]
        return int(table[0, 0] + 10 * table[0, 2] + 100 * table[1, 2] + 1000 * table[2, 3])

    expected = filled(np.zeros((3, 4), np.int16))
    assert in_v8(filled, (Array("int16", 2),), 'zeros("int16", 3, 4)') == expected == 9570


def test_what_it_does_not_know_is_refused_with_its_place() -> None:
    def listing(n: int) -> int:
        return sum([i for i in range(n)])  # noqa: C416

    with pytest.raises(TranslationError, match=r"listing: return sum"):
        Translator().add(listing, INT)
