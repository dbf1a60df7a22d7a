"""Make the split of rule variants into train, validation and test anew: `selfplay/meta/split.toml`.

    python benchmarks/meta_split.py --seed 0

Training variants are drawn family by family and looked at as `games.sample_variants` does; those held out
are vetted as well: good players don't always win from the same seat, search beats random players, and the
exact solver, which knows most of them whole, finds many positions in which the choice matters. All limits are
counted in games and nodes, so that the same seed makes the same file; the facts go to `--json`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from games import Position, SolveLimitError, Space, Variant, fingerprint, load, names, sample_variant, start
from games.playtest import playtest
from games.sampling import examine
from games.sampling.wording import rules_of, title_of
from games.solver import Solver
from selfplay.meta.split import (
    KINDS,
    TEST_MECHANISMS,
    TEST_PAIRS,
    VALIDATION_MECHANISMS,
    VALIDATION_PAIRS,
    faults,
    mechanisms,
    pairs,
    parameters,
    read_split,
)

FILE = Path(__file__).parent.parent / "selfplay" / "meta" / "split.toml"
FACTS = Path(__file__).parent / "results" / "meta_split.json"

CATALOGUE_SIDE = 7
"""Rows and columns at most of the catalogue's variants that are trained on."""

CATALOGUE_TESTS = {
    "parameters": ("hex-5", "breakthrough-5x5", "clobber-4x5", "anti-othello-6x6"),
    "combinations": ("jump-race",),
    "mechanisms": ("amazons-5x5", "domineering-6x6", "ataxx-5x5", "king-arrows"),
}

MAX_DRAFTS = 1500
"""Candidates that are drawn for one recipe at most."""

SMALL: dict[str, Any] = {
    "rows": [3, 6],
    "columns": [3, 6],
    "equal_sides": 0.5,
    "uneven": 0.0,
    "lines": [3, 4],
}

SMALLER: dict[str, Any] = {"rows": [3, 5], "columns": [3, 5]}
TINY: dict[str, Any] = {"rows": [3, 4], "columns": [3, 4]}


@dataclass(frozen=True)
class Recipe:
    """Where variants of one sort come from.

    Attributes:
        name: of the sort, for the progress line.
        space: what `games.Space` draws from, beside `SMALL`.
        number: variants to train on, or to hold out.
        needs: mechanisms that each of them has.
        tests, validations: how many more are held out as unseen parameters.
    """

    name: str
    space: Mapping[str, Any]
    number: int
    needs: frozenset[str] = field(default_factory=frozenset)
    tests: int = 0
    validations: int = 0


PLACE: dict[str, Any] = {"kinds": {"place": 1}, "conditions": {"anywhere": 1}, "effects": {"none": 1}}
PLAIN: dict[str, Any] = {"holes": 0.1, "second_goal": 0.0, "swap": 0.0}
WALK: dict[str, Any] = PLAIN | {"holes": 0.05, "shoot": 0.0, "effects": {"none": 1}}
FLAT_SQUARES: dict[str, Any] = {"cells": {"square": 1}, "wraps": {"none": 1}}
HEXES: dict[str, Any] = {"cells": {"hex": 1}}

TRAINING = (
    Recipe("lines", PLAIN | PLACE | {"goals": {"line": 1}, "misere": 0.25}, 12, tests=1, validations=1),
    Recipe(
        "lines, with holes and swaps",
        PLACE | {"goals": {"line": 1}, "holes": 0.5, "swap": 0.5, "two_moves": 0.3},
        5,
    ),
    Recipe(
        "falling lines",
        PLAIN | {"kinds": {"drop": 1}, "effects": {"none": 1}, "goals": {"line": 1}, "cells": {"square": 1}},
        12,
        tests=1,
        validations=1,
    ),
    Recipe(
        "captures in lines",
        PLAIN | PLACE | {"effects": {"take_enclosed": 1}, "goals": {"line": 1, "capture": 1}},
        6,
        tests=1,
    ),
    Recipe(
        "flips in lines", PLAIN | FLAT_SQUARES | PLACE | {"effects": {"flip": 1}, "goals": {"line": 1}}, 5
    ),
    Recipe(
        "connection",
        PLAIN | PLACE | {"goals": {"connect": 1}, "cells": {"hex": 6, "square": 1}, "wraps": {"none": 1}},
        8,
        tests=1,
        validations=1,
    ),
    Recipe(
        "connection with swap",
        PLAIN | PLACE | HEXES | {"goals": {"connect": 1}, "wraps": {"none": 1}, "swap": 1.0, "misere": 0.3},
        4,
    ),
    Recipe(
        "Havannah's goals",
        PLAIN | PLACE | HEXES | {"goals": {"fork": 1, "bridge": 1, "ring": 1}, "wraps": {"none": 1}},
        5,
    ),
    Recipe(
        "Othello",
        PLAIN
        | {
            "kinds": {"place": 1},
            "conditions": {"must_flip": 1},
            "goals": {"stones": 1},
            "wraps": {"none": 1},
            "misere": 0.3,
            "holes": 0.3,
        },
        8,
        tests=1,
        validations=1,
    ),
    Recipe(
        "surrounding",
        PLAIN
        | {
            "kinds": {"place": 1},
            "conditions": {"keeps_liberty": 1},
            "effects": {"surround": 1},
            "goals": {"capture": 2, "area": 1, "stuck": 1},
        },
        8,
        tests=1,
    ),
    Recipe(
        "beside",
        PLAIN
        | PLACE
        | {"conditions": {"beside_own": 1, "beside_enemy": 1, "keeps_liberty": 1}, "goals": {"stuck": 1}},
        6,
        tests=1,
        validations=1,
    ),
    Recipe(
        "races",
        WALK | FLAT_SQUARES | {"kinds": {"step": 1}, "takings": {"replace": 1}, "goals": {"reach": 1}},
        9,
        tests=1,
        validations=1,
    ),
    Recipe(
        "captures by step",
        WALK
        | {
            "kinds": {"step": 1},
            "takings": {"replace": 2, "jump": 2},
            "goals": {"capture": 2, "eliminate": 1},
            "wraps": {"none": 1},
        },
        8,
    ),
    Recipe(
        "Clobber and Konane",
        WALK
        | {
            "kinds": {"step": 1},
            "takings": {"replace": 1, "jump": 2},
            "goals": {"stuck": 1},
            "patterns": {"checkerboard": 1},
            "holes": 0.2,
        },
        7,
        tests=1,
        validations=1,
    ),
    Recipe(
        "slides",
        WALK
        | {
            "kinds": {"slide": 1},
            "takings": {"replace": 2, "jump": 1},
            "goals": {"capture": 2, "eliminate": 1, "stuck": 1},
            "wraps": {"none": 1},
        },
        8,
        tests=1,
    ),
    Recipe(
        "blocking",
        WALK | {"kinds": {"step": 1, "slide": 1}, "takings": {"nothing": 1}, "goals": {"stuck": 1}},
        4,
    ),
)

COMBINATIONS: dict[frozenset[str], dict[str, Any]] = {
    frozenset(pair): space
    for pair, space in (
        (("drop", "flip"), {"kinds": {"drop": 1}, "effects": {"flip": 1}, "cells": {"square": 1}}),
        (
            ("drop", "hex"),
            {"kinds": {"drop": 1}, "effects": {"none": 1}, **HEXES, "goals": {"line": 1, "connect": 1}},
        ),
        (("flip", "wrap"), {"kinds": {"place": 1}, "conditions": {"must_flip": 1}, "goals": {"stones": 1}}),
        (("take_enclosed", "connect"), PLACE | {"effects": {"take_enclosed": 1}, "goals": {"connect": 1}}),
        (
            ("surround", "line"),
            {
                "kinds": {"place": 1},
                "conditions": {"keeps_liberty": 1},
                "effects": {"surround": 1},
                "goals": {"line": 1},
            },
        ),
        (("step", "line"), {"kinds": {"step": 1}, "effects": {"none": 1}, "goals": {"line": 1}}),
        (("slide", "reach"), {"kinds": {"slide": 1}, "effects": {"none": 1}, "goals": {"reach": 1}}),
        (
            ("jump", "reach"),
            {"kinds": {"step": 1}, "takings": {"jump": 1}, "goals": {"reach": 1}, "cells": {"square": 1}},
        ),
        (
            ("beside", "connect"),
            PLACE
            | {"conditions": {"beside_own": 1, "beside_enemy": 1, "beside_any": 1}, "goals": {"connect": 1}},
        ),
        (
            ("jump", "hex"),
            {
                "kinds": {"step": 1, "slide": 1},
                "takings": {"jump": 1},
                **HEXES,
                "goals": {"stuck": 1, "capture": 1, "eliminate": 1},
            },
        ),
        (("flip", "connect"), PLACE | {"effects": {"flip": 1}, "goals": {"connect": 1}}),
        (("wrap", "replace"), {"kinds": {"step": 1}, "takings": {"replace": 1}, "effects": {"none": 1}}),
        (
            ("beside", "line"),
            PLACE
            | {"conditions": {"beside_own": 1, "beside_enemy": 1, "beside_any": 1}, "goals": {"line": 1}},
        ),
        (("hex", "reach"), {"kinds": {"step": 1}, "takings": {"replace": 1}, **HEXES, "goals": {"reach": 1}}),
    )
}
"""Where each pair that stays out of training comes from."""

MECHANISMS = {
    "test": (
        Recipe("clones that infect", TINY | {"kinds": {"clone": 1}, "effects": {"infect": 1}}, 2),
        Recipe(
            "infection", SMALLER | PLACE | {"kinds": {"place": 1, "drop": 1}, "effects": {"infect": 1}}, 2
        ),
        Recipe(
            "shots",
            SMALLER | WALK | {"kinds": {"step": 1, "slide": 1}, "goals": {"stuck": 1}, "shoot": 1.0},
            2,
        ),
        Recipe("dominoes", PLAIN | PLACE | {"conditions": {"domino": 1}, "goals": {"stuck": 1}}, 2),
    ),
    "validation": (
        Recipe(
            "NoGo",
            SMALLER | PLAIN | PLACE | {"conditions": {"captures_nothing": 1}, "goals": {"stuck": 1}},
            2,
        ),
    ),
}


# --- worth being measured on --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Vetting:
    """What is known of a variant that is held out.

    Attributes:
        first_share: points of the first seat among good players.
        draws, capped: shares of their games.
        moves: their games' mean length.
        against_random: points of search against random players, over both seats.
        solved: share of positions of random games that are solved in `POSITION_NODES`.
        choice: share of these in which some moves keep the value and others lose it.
        start: the exact value for the first player; None if not found in `START_NODES`.
    """

    first_share: float
    draws: float
    capped: float
    moves: float
    against_random: float
    solved: float
    choice: float
    start: int | None

    @property
    def refusal(self) -> str | None:
        """Why it isn't worth being measured on; None if it is."""
        reasons = {
            "one-sided": not 0.12 <= self.first_share <= 0.88,
            "drawn": self.draws > 0.6,
            "capped": self.capped > 0.1,
            "short": self.moves < 6,
            "random play is good enough": self.against_random < 0.85,
            "not solved": self.solved < 0.5,
            "no choice": self.choice < 0.25,
        }
        return next((reason for reason, holds in reasons.items() if holds), None)


GAMES, SIMULATIONS = 40, 300
POSITIONS, POSITION_NODES, START_NODES = 24, 200_000, 4_000_000
MEMORY = 128


def vet(variant: Variant, seed: int) -> Vetting:
    """Look closely at a variant; see `Vetting`."""
    good = playtest(variant, games=GAMES, simulations=SIMULATIONS, seed=seed)
    first = playtest(variant, games=GAMES // 2, simulations=(SIMULATIONS // 2, 0), seed=seed + 1)
    second = playtest(variant, games=GAMES // 2, simulations=(0, SIMULATIONS // 2), seed=seed + 2)
    solver = Solver(variant, memory=MEMORY)
    known = [
        values for p in _random_positions(variant, seed) if (values := _values(solver, p, POSITION_NODES))
    ]
    choice = sum(len(set(values.values())) > 1 for values in known) / max(1, len(known))
    root = _values(solver, start(variant), START_NODES)
    return Vetting(
        first_share=good.first_share,
        draws=good.draws,
        capped=good.capped,
        moves=good.moves,
        against_random=(first.first_share + 1 - second.first_share) / 2,
        solved=len(known) / POSITIONS,
        choice=choice,
        start=max(root.values()) if root else None,
    )


def _random_positions(variant: Variant, seed: int) -> Iterator[Position]:
    """A position of each of some random games, at a random depth."""
    random = np.random.default_rng(seed)
    for _ in range(POSITIONS):
        game = [start(variant)]
        while not game[-1].is_over:
            game.append(game[-1].play(random.choice(game[-1].legal_actions)))
        yield game[random.integers(len(game) - 1)]


def _values(solver: Solver, position: Position, nodes: int) -> dict[int, int] | None:
    try:
        return solver.action_values(position, nodes=nodes)
    except SolveLimitError:
        return None


# --- drawing ------------------------------------------------------------------------------------------------


class Drawing:
    """Draws variants that weren't drawn before and aren't in the catalogue.

    Attributes:
        facts: of each variant that was vetted and taken, by its name.
    """

    def __init__(self, seed: int) -> None:
        self.facts: dict[str, Vetting] = {}
        self._seed = seed
        self._seen = {fingerprint(load(name)) for name in names()} | {essence(load(name)) for name in names()}

    def draw(self, recipe: Recipe, stream: int, allowed: Allowed) -> Iterator[Variant]:
        """Variants of a recipe that are allowed and not degenerate, as many as there are drafts for."""
        space = Space.model_validate(SMALL | dict(recipe.space))
        for number in range(MAX_DRAFTS):
            seed = (self._seed * 1000 + stream) * 1_000_003 + number
            variant = sample_variant(seed, space=space)
            if not allowed(variant, recipe.needs) or essence(variant) in self._seen:
                continue
            self._seen.add(essence(variant))
            if examine(variant, seed=seed).refusal is None:
                yield named(variant)

    def vetted(self, variants: Iterable[Variant], number: int) -> list[Variant]:
        """The first `number` of them that are worth being measured on."""
        taken: list[Variant] = []
        for variant in variants:
            if len(taken) == number:
                break
            facts = vet(variant, self._seed)
            _say(f"    {variant.name}: {facts.refusal or 'taken'}")
            if facts.refusal is None:
                self.facts[variant.name] = facts
                taken.append(variant)
        return taken


class Allowed:
    """Which mechanisms and pairs a variant may have, beside those that its recipe needs."""

    def __init__(self, left_out: frozenset[str], held: frozenset[frozenset[str]]) -> None:
        self._left_out, self._held = left_out, held

    def __call__(self, variant: Variant, needs: frozenset[str]) -> bool:
        """Whether it has all that it needs and nothing that it may not have."""
        return (
            needs <= mechanisms(variant)
            and not mechanisms(variant) & self._left_out
            and not pairs(variant) & self._held
        )


def essence(variant: Variant) -> str:
    """The fingerprint without the small print: variants that differ in that only are near to the same."""
    end = variant.end.model_copy(update={"ply_cap": 400, "komi": 0.0, "exact": False})
    turn = variant.turn.model_copy(update={"repeat": "allowed"})
    return fingerprint(variant.model_copy(update={"end": end, "turn": turn}))


_WRAPS = {"columns": "cylinder", "rows": "cylinder", "both": "torus"}


def named(variant: Variant) -> Variant:
    """The variant with a name that says what it is, a title and rules in words."""
    board, end = variant.board, variant.end
    goals = [f"line{max(variant.lines)}"] if any(variant.lines) else []
    known = mechanisms(variant)
    goals += sorted(
        known & {"connect", "fork", "bridge", "ring", "reach", "capture", "eliminate", "stones", "area"}
    )
    if not goals:
        goals = [f"stuck-{end.stuck}"]
    extras = sorted(
        known & {"hex", "must_flip", "beside", "captures_nothing", "domino", "jump", "shoot", "swap"}
        | (known & {"flip", "take_enclosed", "infect", "surround"} if "must_flip" not in known else set())
    )
    extras += ["liberty"] if "keeps_liberty" in known and "surround" not in known else []
    extras += [_WRAPS[board.wrap]] if board.wrap != "none" else []
    extras += ["holes"] if board.holes else []
    extras += ["double"] if variant.turn.stones > 1 else []
    extras += ["misere"] if end.misere else []
    words = [variant.move.kind, *goals, f"{board.rows}x{board.columns}", *extras, variant.digest[:4]]
    said = [extra for extra in extras if extra != "hex"]
    title = title_of(variant) + (f" ({', '.join(said)})" if said else "")
    texts = {
        "name": "-".join(words).replace("_", "-"),
        "title": title.replace("_", " "),
        "rules": rules_of(variant),
    }
    return variant.model_copy(update=texts)


# --- the parts ----------------------------------------------------------------------------------------------

NOWHERE_BUT_IN_TESTS = Allowed(
    TEST_MECHANISMS | VALIDATION_MECHANISMS,
    TEST_PAIRS | VALIDATION_PAIRS,
)
Parts = dict[str, dict[str, list[Variant]]]


def make(seed: int) -> tuple[list[Variant], Parts, dict[str, Vetting]]:
    """Train, then validation and test by kind, and what is known of these two."""
    drawing = Drawing(seed)
    parts: Parts = {part: {kind: [] for kind in KINDS} for part in ("validation", "test")}
    for kind, listed in CATALOGUE_TESTS.items():
        parts["test"][kind] += [load(name) for name in listed]
    train = _catalogue_to_train({name for listed in CATALOGUE_TESTS.values() for name in listed})
    streams = [drawing.draw(recipe, number, NOWHERE_BUT_IN_TESTS) for number, recipe in enumerate(TRAINING)]
    for recipe, stream in zip(TRAINING, streams, strict=True):
        train += islice(stream, recipe.number)
        _say(f"{recipe.name}: {len(train)} to train on")
    for recipe, stream in zip(TRAINING, streams, strict=True):
        if number := recipe.tests + recipe.validations:
            _say(f"{recipe.name}: parameters")
            held = drawing.vetted(_unseen_parameters(stream, train), number)
            parts["test"]["parameters"] += held[: recipe.tests]
            parts["validation"]["parameters"] += held[recipe.tests :]
    _hold_combinations(drawing, parts)
    _hold_mechanisms(drawing, parts)
    known = {variant.name: vet(variant, seed) for kind in KINDS for variant in parts["test"][kind]}
    return _without_held(train, parts), parts, drawing.facts | known


def _catalogue_to_train(held: set[str]) -> list[Variant]:
    """The catalogue's small variants that no other part keeps for itself, each game once."""
    games: dict[str, Variant] = {}
    for variant in map(load, names()):
        small = max(variant.board.rows, variant.board.columns) <= CATALOGUE_SIDE
        if small and variant.name not in held and NOWHERE_BUT_IN_TESTS(variant, frozenset()):
            games.setdefault(fingerprint(variant), variant)
    return list(games.values())


def _unseen_parameters(stream: Iterator[Variant], train: list[Variant]) -> Iterator[Variant]:
    """Variants of a stream whose family is trained on, but not with their parameters."""
    for variant in stream:
        family = [parameters(other) for other in train if mechanisms(other) == mechanisms(variant)]
        if family and parameters(variant) not in family:
            yield variant


def _hold_combinations(drawing: Drawing, parts: Parts) -> None:
    for stream, (pair, space) in enumerate(COMBINATIONS.items(), 100):
        part = "test" if pair in TEST_PAIRS else "validation"
        others = VALIDATION_PAIRS if part == "test" else TEST_PAIRS
        recipe = Recipe(" and ".join(sorted(pair)), PLAIN | SMALLER | space, 1, needs=pair)
        _say(recipe.name)
        drawn = drawing.draw(recipe, stream, Allowed(TEST_MECHANISMS | VALIDATION_MECHANISMS, others))
        parts[part]["combinations"] += drawing.vetted(drawn, recipe.number)


def _hold_mechanisms(drawing: Drawing, parts: Parts) -> None:
    stream = 200
    for part, recipes in MECHANISMS.items():
        for recipe in recipes:
            stream += 1
            _say(recipe.name)
            others = VALIDATION_MECHANISMS if part == "test" else TEST_MECHANISMS
            drawn = drawing.draw(recipe, stream, Allowed(others, TEST_PAIRS | VALIDATION_PAIRS))
            parts[part]["mechanisms"] += drawing.vetted(drawn, recipe.number)


def _without_held(train: list[Variant], parts: Parts) -> list[Variant]:
    """Training without variants that look like those held out: same family, same parameters."""
    held = {
        (mechanisms(variant), parameters(variant))
        for kinds in parts.values()
        for variants in kinds.values()
        for variant in variants
    }
    return [variant for variant in train if (mechanisms(variant), parameters(variant)) not in held]


# --- the file -----------------------------------------------------------------------------------------------


def written(seed: int, train: list[Variant], parts: Parts) -> str:
    """The split as TOML."""
    lines = [
        "# Written by `python benchmarks/meta_split.py`, once: what was measured holds for this split.",
        f"seed = {seed}",
        *part_lines("train", train),
    ]
    for part, kinds in parts.items():
        for kind, variants in kinds.items():
            lines += part_lines(f"{part}.{kind}", variants)
    return "\n".join(lines) + "\n"


def part_lines(key: str, variants: list[Variant]) -> Iterator[str]:
    listed = [variant for variant in variants if variant.name in names()]
    yield f"\n# {'-' * 100}\n\n[{key}.catalogue]"
    yield from (f'{variant.name} = "{variant.digest}"' for variant in listed)
    for variant in variants:
        if variant not in listed:
            yield f"\n[{key}.variants.{variant.name}]"
            rules = variant.model_dump(exclude={"name"}, exclude_defaults=True, exclude_none=True)
            yield from (f"{name} = {_inline(value)}" for name, value in rules.items())


def _inline(value: Any) -> str:
    """A value as TOML in one line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_inline(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _say(text: str) -> None:
    print(f"{time.perf_counter() - _BEGAN:6.0f} s  {text}", file=sys.stderr, flush=True)


_BEGAN = time.perf_counter()


def main() -> None:
    """Draw, vet, write; a split with faults isn't written."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=FILE)
    parser.add_argument("--json", type=Path, default=FACTS)
    arguments = parser.parse_args()
    train, parts, facts = make(arguments.seed)
    text = written(arguments.seed, train, parts)
    if found := faults(read_split(text)):
        raise SystemExit("\n".join(found))
    arguments.out.write_text(text, encoding="utf-8")
    known = {name: asdict(vetting) | {"refusal": vetting.refusal} for name, vetting in facts.items()}
    arguments.json.write_text(json.dumps({"seed": arguments.seed, "variants": known}, indent=1) + "\n")
    sizes = {f"{part}, {kind}": len(v) for part, kinds in parts.items() for kind, v in kinds.items()}
    print({"train": len(train)} | sizes)


if __name__ == "__main__":
    main()
