"""What the translation to JavaScript knows of values: their types, constants, and conversions."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

INT, FLOAT, FLOAT32, BOOL = "int", "float", "float32", "bool"
INT64, UINT64, NOTHING = "int64", "uint64", "none"
"""Types of single values."""

WIDE = (INT64, UINT64)
_ELEMENTS = {"bool": BOOL, "float32": FLOAT32, "float64": FLOAT, "int64": INT64, "uint64": UINT64}
_RESERVED = {"case", "class", "const", "default", "delete", "function", "new", "switch", "this", "var"}


class Array(NamedTuple):
    """The type of an array: its elements' numpy name and the number of its dimensions."""

    element: str
    dimensions: int


class Struct(NamedTuple):
    """The type of a NamedTuple: its fields' names and types."""

    fields: tuple[tuple[str, Type], ...]


class Several(NamedTuple):
    """The type of a tuple."""

    types: tuple[Type, ...]


Type = str | Array | Struct | Several


class Expression(NamedTuple):
    """A piece of JavaScript that has a value."""

    text: str
    type: Type


class TranslationError(Exception):
    """A kernel says something that has no translation; a bug of ours, not of a user."""


def type_of(sample: Any) -> Type:
    """The type of a Python value."""
    if isinstance(sample, np.ndarray):
        return Array(sample.dtype.name, sample.ndim)
    if isinstance(sample, tuple) and hasattr(sample, "_fields"):
        return Struct(tuple((name, type_of(getattr(sample, name))) for name in sample._fields))
    if isinstance(sample, tuple):
        return Several(tuple(map(type_of, sample)))
    for kind, name in ((bool, BOOL), (np.bool_, BOOL), (np.uint64, UINT64), (np.float32, FLOAT32)):
        if isinstance(sample, kind):
            return name
    if isinstance(sample, int | np.integer):
        return INT
    if isinstance(sample, float):
        return FLOAT
    raise TranslationError(f"no type for {sample!r}")


def merged(one: Type, other: Type) -> Type:
    """The type of a variable that takes both."""
    if one == other:
        return one
    kinds = {one, other}
    if kinds <= {BOOL, INT}:
        return INT
    if kinds <= {BOOL, INT, FLOAT, FLOAT32}:
        return FLOAT
    raise TranslationError(f"no common type for {one} and {other}")


def element_type(array: Array) -> str:
    return _ELEMENTS.get(array.element, INT)


def safe_name(name: str) -> str:
    """A variable's name that JavaScript allows."""
    return f"{name}_" if name in _RESERVED else name


def literal(value: Any) -> Expression:
    """A constant."""
    kind = type_of(value)
    if isinstance(value, tuple):
        return Expression(f"[{', '.join(literal(part).text for part in value)}]", kind)
    if kind == BOOL:
        return Expression(str(bool(value)).lower(), kind)
    if kind in WIDE:
        return Expression(f"{int(value)}n", kind)
    if kind == INT:
        return Expression(f"{int(value)}" if value >= 0 else f"({int(value)})", kind)
    if math.isinf(value):
        return Expression("Infinity" if value > 0 else "(-Infinity)", kind)
    return Expression(repr(float(value)) if value >= 0 else f"({float(value)!r})", kind)


def converted(value: Expression, kind: Type) -> str:
    """A value as another type."""
    text, given = value
    if given == kind or {given, kind} <= {BOOL, INT}:
        return text
    if kind in WIDE:
        if given not in (*WIDE, BOOL, INT):
            raise TranslationError(f"no {kind} from {given}")
        if text.isdigit():
            return f"{text}n"
        wide = text if given in WIDE else f"BigInt({text})"
        return f"BigInt.asUintN(64, {wide})" if kind == UINT64 else f"BigInt.asIntN(64, {wide})"
    if given in WIDE:
        return f"Number({text})"
    if kind == INT:
        return f"Math.trunc({text})"
    return f"Math.fround({text})" if kind == FLOAT32 else text
