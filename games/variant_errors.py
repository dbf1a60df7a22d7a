"""What is wrong with a variant, in one line: the line of the TOML, the key, what was expected and given."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from games.toml_lines import line_of

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_Path = tuple[str | int, ...]

_EXPECTED = {
    "model_type": "a table",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a text in quotes",
    "tuple_type": "a list",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "literal_error": "{expected}",
}
"""What was expected, by pydantic's type of error."""

_BY_COLOUR = "ByColour["


def syntax_error(error: tomllib.TOMLDecodeError) -> str:
    """One line about text that is no TOML, with its line first."""
    place = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
    if place is None:
        return f"not valid TOML: {error}"
    what = str(error).removesuffix(place[0])
    return f"line {place[1]}: not valid TOML: {what} (column {place[2]})"


def one_line(error: ValidationError, data: Mapping[str, Any], text: str, model: type[BaseModel]) -> str:
    """The first problem of a pydantic error.

    Args:
        data: what was read.
        text: the TOML it was read from, or nothing; then no line is named.
        model: what it was read as.
    """
    problem = _clearest(error.errors(), data)
    if problem["type"] == "value_error":
        message = problem["msg"].removeprefix("Value error, ")
        path: _Path = tuple(message.partition(":")[0].split("."))
    else:
        path = _keys(problem["loc"], data)
        key = ".".join(part for part in path if isinstance(part, str))
        message = f"{key}: {_what(problem, path, model)}"
    line = line_of(text, path)
    return message if line is None else f"line {line}: {message}"


def _clearest(problems: Sequence[ErrorDetails], data: Mapping[str, Any]) -> ErrorDetails:
    """The first problem, or, where a value may differ by colour, the first of the form that was meant.

    What is missing comes last, because it is often there under a name that isn't known.
    """
    problems = sorted(problems, key=lambda problem: problem["type"] == "missing")
    path = _keys(problems[0]["loc"], data)
    for problem in problems:
        by_colour = any(str(part).startswith(_BY_COLOUR) for part in problem["loc"])
        key = _keys(problem["loc"], data)
        if key[:2] == path[:2] and by_colour == isinstance(_value(path[:2], data), Mapping):
            return problem
    return problems[0]


def _keys(loc: _Path, data: Mapping[str, Any]) -> _Path:
    """The keys of a place; pydantic adds names of types where a value may have several."""
    path: list[str | int] = []
    value: object = data
    for part in loc:
        is_missing = part == loc[-1] and isinstance(value, Mapping) and not _is_type(part)
        if _has(value, part) or is_missing:
            path.append(part)
            value = _value((part,), value)
    return tuple(path)


def _is_type(part: str | int) -> bool:
    return bool(re.match(r"(int|tuple|literal|ByColour)(\[|$)", str(part)))


def _has(value: object, part: str | int) -> bool:
    if isinstance(value, Mapping):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value)


def _value(path: _Path, value: Any) -> Any:
    for part in path:
        value = value[part] if _has(value, part) else None
    return value


def _what(problem: ErrorDetails, path: _Path, model: type[BaseModel]) -> str:
    """What is wrong, without the place."""
    if problem["type"] == "extra_forbidden":
        return f"unknown key; {_did_you_mean(path, model)}"
    if problem["type"] == "missing":
        return "this key is required"
    words = _EXPECTED.get(problem["type"], problem["msg"])
    expected = words.format(**problem.get("ctx", {}))
    if len(path) == 2 and _may_differ_by_colour(model, path):
        expected += ", or { first = ..., second = ... }"
    return f"expected {expected}, got {_shown(problem['input'])}"


def _shown(value: object, *, limit: int = 60) -> str:
    """A value as TOML would write it, or nearly."""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def _did_you_mean(path: _Path, model: type[BaseModel]) -> str:
    """What may have been meant by an unknown key: a similar one, one of another section, or any known one."""
    key, known = str(path[-1]), _fields(model, path[:-1])
    close = get_close_matches(key, known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    for section in model.model_fields:
        if key in _fields(model, (section,)):
            return f"it belongs to {section}"
    return f"expected one of {', '.join(known)}"


def _fields(model: type[BaseModel], path: _Path) -> list[str]:
    """The keys that are known at a place."""
    found: type[BaseModel] | None = model
    for part in path:
        models = [] if found is None else _models_at(found, str(part))
        found = models[0] if models else None
    return list(found.model_fields) if found else []


def _models_at(model: type[BaseModel], key: str) -> list[type[BaseModel]]:
    if key not in model.model_fields:
        return []
    annotation = model.model_fields[key].annotation
    return [kind for kind in (annotation, *get_args(annotation)) if _is_model(kind)]


def _is_model(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _may_differ_by_colour(model: type[BaseModel], path: _Path) -> bool:
    section = _models_at(model, str(path[0]))
    return bool(section) and any(
        kind.__name__.startswith(_BY_COLOUR) for kind in _models_at(section[0], str(path[1]))
    )
