"""The committed suites fit their variants and are right, by plain minimax."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from games import Position
from selfplay.meta.split import KINDS, load_split
from selfplay.suite import SolvedPosition, read_suite

FOLDER = Path(str(resources.files("selfplay.meta"))) / "suites"
INDEX: dict[str, Any] = json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))
HELD = {variant.name: variant for variant in load_split().held_out}
SUITES = sorted(path.stem for path in FOLDER.glob("*.jsonl"))

PLAYS = 10_000
"""Moves that plain minimax may try for one position."""


class _TooLong(Exception):
    pass


def _value_to_play(position: Position, plays: list[int]) -> int:
    """Minimax that stops at a win, and knows no other shortcut; `plays[0]` counts down."""
    if position.is_over:
        return position.returns[position.to_play]
    best = -1
    for action in position.legal_actions.tolist():
        best = max(best, _value_after(position, action, plays))
        if best == 1:
            break
    return best


def _value_after(position: Position, action: int, plays: list[int]) -> int:
    plays[0] -= 1
    if plays[0] < 0:
        raise _TooLong
    following = position.play(action)
    value = _value_to_play(following, plays)
    return value if following.to_play == position.to_play else -value


def _by_minimax(solved: SolvedPosition) -> dict[int, int] | None:
    plays = [PLAYS]
    try:
        return {action: _value_after(solved.position, action, plays) for action in solved.scores}
    except _TooLong:
        return None


@cache
def _known(name: str) -> list[tuple[dict[int, int], dict[int, int]]]:
    """The suite's values and minimax's, of late positions with few actions."""
    latest = sorted(_read(name), key=lambda solved: len(solved.scores) - solved.position.ply)[:6]
    return [(solved.values, values) for solved in latest if (values := _by_minimax(solved)) is not None]


def _read(name: str) -> list[SolvedPosition]:
    return read_suite(FOLDER / f"{name}.jsonl", HELD[name])


def test_the_index_names_every_held_out_variant() -> None:
    assert {name: entry["digest"] for name, entry in INDEX.items()} == {
        name: variant.digest for name, variant in HELD.items()
    }


def test_most_held_out_variants_have_a_suite() -> None:
    for variants in (load_split().validation, *(load_split().test[kind] for kind in KINDS)):
        assert 2 * sum(variant.name in SUITES for variant in variants) > len(variants)


def test_all_suites_together_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 4_000_000


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_holds_what_the_index_says(name: str) -> None:
    suite = _read(name)
    assert len(suite) == INDEX[name]["positions"]
    assert sum(len(set(s.values.values())) > 1 for s in suite) == INDEX[name]["choice_matters"]


@pytest.mark.parametrize("name", SUITES)
def test_in_most_positions_the_choice_matters(name: str) -> None:
    assert INDEX[name]["choice_matters"] >= 0.75 * INDEX[name]["positions"]


@pytest.mark.parametrize("name", SUITES)
def test_plain_minimax_agrees(name: str) -> None:
    """On those of the latest positions that it manages."""
    known = _known(name)
    assert all(ours == plain for ours, plain in known)


def test_plain_minimax_manages_most_suites() -> None:
    assert sum(len(_known(name)) > 0 for name in SUITES) >= 0.8 * len(SUITES)
