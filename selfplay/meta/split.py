"""The split of rule variants into those to learn from, to choose by, and to be measured on, once and for all.

`split.toml` beside this module holds it; `python benchmarks/meta_split.py` makes it anew. `more.toml` holds
more variants to learn from. No variant of
one part is one of another part seen from another side (`games.fingerprint`). Tests are of three kinds:

    parameters      a family of the training (equal mechanisms) in a size, shape, length ... not seen there
    combinations    two mechanisms together that the training holds only apart
    mechanisms      a mechanism that the training doesn't hold at all

Validation mirrors the three with other pairs and another mechanism, so that what is chosen by it isn't
chosen by anything that the tests ask for.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import combinations
from typing import Any, Literal, get_args

from games import Variant, VariantError, fingerprint, load

Kind = Literal["parameters", "combinations", "mechanisms"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Pair = frozenset[str]

TEST_MECHANISMS = frozenset({"clone", "infect", "shoot", "domino"})
"""Neither in training nor in validation."""

VALIDATION_MECHANISMS = frozenset({"captures_nothing"})
"""Neither in training nor in a test."""

TEST_PAIRS: frozenset[Pair] = frozenset(
    frozenset(pair)
    for pair in (
        ("drop", "flip"),
        ("drop", "hex"),
        ("flip", "wrap"),
        ("take_enclosed", "connect"),
        ("surround", "line"),
        ("step", "line"),
        ("slide", "reach"),
        ("jump", "reach"),
        ("beside", "connect"),
        ("jump", "hex"),
    )
)
"""Mechanisms that stand together neither in training nor in validation."""

VALIDATION_PAIRS: frozenset[Pair] = frozenset(
    frozenset(pair)
    for pair in (
        ("flip", "connect"),
        ("wrap", "replace"),
        ("beside", "line"),
        ("hex", "reach"),
    )
)
"""Mechanisms that stand together neither in training nor in a test."""

_FILE, _MORE = "split.toml", "more.toml"


@dataclass(frozen=True, slots=True)
class Split:
    """The variants by what they are for; names are distinct over all parts.

    Attributes:
        train: to learn from.
        validation_by_kind: to choose by.
        test: to be measured on.
    """

    train: tuple[Variant, ...]
    validation_by_kind: Mapping[Kind, tuple[Variant, ...]]
    test: Mapping[Kind, tuple[Variant, ...]]

    @property
    def validation(self) -> tuple[Variant, ...]:
        """Validation variants of all kinds."""
        return tuple(variant for kind in KINDS for variant in self.validation_by_kind[kind])

    @property
    def held_out(self) -> tuple[Variant, ...]:
        """Validation and test variants of all kinds."""
        return (*self.validation, *(variant for kind in KINDS for variant in self.test[kind]))


@cache
def load_split(*, more: bool = True) -> Split:
    """The committed split.

    Args:
        more: whether to learn from the variants of `more.toml`, too (`python -m benchmarks.meta_more`).

    Raises:
        VariantError: a variant of the catalogue has other rules than when the split was made; one line.
    """
    split = read_split(_text(_FILE))
    if not more:
        return split
    train = (*split.train, *_variants(tomllib.loads(_text(_MORE))["train"]))
    return Split(train, split.validation_by_kind, split.test)


def _text(name: str) -> str:
    return (resources.files(__name__.rpartition(".")[0]) / name).read_text(encoding="utf-8")


def read_split(text: str) -> Split:
    """A split from TOML as `benchmarks/meta_split.py` writes it; raises as `load_split`."""
    data = tomllib.loads(text)
    return Split(
        train=_variants(data["train"]),
        validation_by_kind={kind: _variants(data["validation"][kind]) for kind in KINDS},
        test={kind: _variants(data["test"][kind]) for kind in KINDS},
    )


def _variants(part: Mapping[str, Mapping[str, Any]]) -> tuple[Variant, ...]:
    """Those of the catalogue, which are named with the digest of their rules, then those written out."""
    known = (_pinned(name, digest) for name, digest in part.get("catalogue", {}).items())
    written = (
        Variant.from_dict({"name": name, **rules}, where=f"{_FILE}, {name}")
        for name, rules in part.get("variants", {}).items()
    )
    return (*known, *written)


def _pinned(name: str, digest: str) -> Variant:
    variant = load(name)
    if variant.digest != digest:
        raise VariantError(
            f"{_FILE}: expected the rules {digest} of {name}, got {variant.digest}: the catalogue has changed"
        )
    return variant


def mechanisms(variant: Variant) -> frozenset[str]:
    """What a variant is made of: how stones move and change, what a board is, what the game is about.

    Sizes, lengths, numbers, misère, holes, stones a turn and the like are parameters, not mechanisms.
    """
    board, move, turn, effect, end = variant.board, variant.move, variant.turn, variant.effect, variant.end
    found = {
        move.kind: True,
        "hex": variant.is_hexagonal,
        "wrap": board.wrap != "none",
        "must_flip": move.must_flip,
        "beside": move.beside != "anywhere",
        "keeps_liberty": move.keeps_liberty,
        "captures_nothing": move.captures_nothing,
        "domino": move.domino,
        "replace": move.to_enemy,
        "jump": move.over_enemy,
        "shoot": move.shoot,
        "swap": turn.swap,
        "pass": turn.passing == "always",
        "flip": effect.flip,
        "take_enclosed": effect.take_enclosed,
        "infect": effect.infect,
        "surround": effect.surround,
        "line": any(variant.lines),
        "connect": any(variant.connects),
        "fork": end.fork,
        "bridge": end.bridge,
        "ring": end.ring,
        "reach": any(variant.reaches),
        "capture": any(variant.captures),
        "eliminate": end.eliminate,
        "stuck": end.stuck in ("loses", "wins"),
        "breaker": end.stuck in ("first", "second"),
        end.count: end.count != "none",
    }
    return frozenset(name for name, holds in found.items() if holds)


def parameters(variant: Variant) -> tuple[Any, ...]:
    """What tells a family's variants apart at first sight: size, shape, holes, lengths, numbers, misère."""
    board, turn, end = variant.board, variant.turn, variant.end
    size = (*sorted((board.rows, board.columns)), board.shape, board.wrap != "none", len(variant.hole_cells))
    return (*size, variant.lines, variant.captures, turn.stones, variant.first_turn_stones, end.misere)


def pairs(variant: Variant) -> frozenset[Pair]:
    """Every two mechanisms that stand together in a variant."""
    return frozenset(frozenset(pair) for pair in combinations(sorted(mechanisms(variant)), 2))


def faults(split: Split) -> list[str]:
    """Where a split isn't what this module says, a line each; none if it is sound."""
    parts = [("train", split.train)]
    parts += [(f"validation, {kind}", split.validation_by_kind[kind]) for kind in KINDS]
    parts += [(f"test, {kind}", split.test[kind]) for kind in KINDS]
    found = _repeats(parts)
    for variant in split.train:
        found += _leaks("train", variant, _LEFT_OUT, _HELD_PAIRS)
    for variant in split.validation:
        found += _leaks("validation", variant, TEST_MECHANISMS, TEST_PAIRS)
    seen = _Seen(split.train)
    for kind in KINDS:
        found += [
            f"validation, {kind}: {variant.name}"
            for variant in split.validation_by_kind[kind]
            if not seen.is_of(kind, variant, VALIDATION_MECHANISMS, VALIDATION_PAIRS)
        ]
        found += [
            f"test, {kind}: {variant.name}"
            for variant in split.test[kind]
            if not seen.is_of(kind, variant, TEST_MECHANISMS, TEST_PAIRS)
        ]
    return found


_LEFT_OUT = TEST_MECHANISMS | VALIDATION_MECHANISMS
_HELD_PAIRS = TEST_PAIRS | VALIDATION_PAIRS


def _repeats(parts: list[tuple[str, tuple[Variant, ...]]]) -> list[str]:
    """Names and games that are there twice."""
    where: dict[str, str] = {}
    found = []
    for part, variants in parts:
        for variant in variants:
            for key in (variant.name, fingerprint(variant)):
                if key in where:
                    found.append(f"{part}: {variant.name} is also in {where[key]}")
                where[key] = part
    return found


def _leaks(part: str, variant: Variant, left_out: frozenset[str], held: frozenset[Pair]) -> list[str]:
    """Mechanisms and pairs that a part may not hold."""
    found = [f"{part}: {variant.name} has {name}" for name in sorted(mechanisms(variant) & left_out)]
    together = sorted(" and ".join(sorted(pair)) for pair in pairs(variant) & held)
    return found + [f"{part}: {variant.name} has {pair} together" for pair in together]


class _Seen:
    """What the training holds."""

    def __init__(self, train: Sequence[Variant]) -> None:
        self._families: dict[frozenset[str], set[tuple[Any, ...]]] = {}
        for variant in train:
            self._families.setdefault(mechanisms(variant), set()).add(parameters(variant))
        self._mechanisms = frozenset().union(*self._families)
        self._pairs = frozenset().union(*map(pairs, train))

    def is_of(self, kind: Kind, variant: Variant, left_out: frozenset[str], held: frozenset[Pair]) -> bool:
        """Whether a variant of a part that keeps these for itself is what its kind says."""
        its = mechanisms(variant)
        if kind == "parameters":
            return its in self._families and parameters(variant) not in self._families[its]
        if kind == "combinations":
            return its <= self._mechanisms and bool((pairs(variant) & held) - self._pairs)
        return bool((its & left_out) - self._mechanisms)
