"""The committed split keeps its promises, and a split that doesn't is found out."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources

import numpy as np
import pytest

from games import Variant, VariantError, fingerprint, load, names, start
from games.compiler import start_cells
from games.rules import HOLE
from selfplay.meta.split import (
    KINDS,
    TEST_MECHANISMS,
    TEST_PAIRS,
    VALIDATION_MECHANISMS,
    VALIDATION_PAIRS,
    Split,
    faults,
    load_split,
    mechanisms,
    pairs,
    parameters,
    read_split,
)

FOUR = "board = { rows = 5, columns = 5 }\nend = { line = 4 }"


def _variant(rules: str, name: str = "own") -> Variant:
    return Variant.from_toml(rules, name=name)


def _of(train: list[Variant], **held: Variant) -> Split:
    """A split with at most one held-out variant of each kind; keys such as `test_parameters`."""
    kinds = {
        part: {kind: tuple(filter(None, [held.get(f"{part}_{kind}")])) for kind in KINDS}
        for part in ("validation", "test")
    }
    return Split(tuple(train), kinds["validation"], kinds["test"])


# --- the committed file -------------------------------------------------------------------------------------


def test_the_committed_split_has_no_faults() -> None:
    assert faults(load_split()) == []


def test_the_parts_are_large_enough() -> None:
    split = load_split()
    assert 80 <= len(load_split(more=False).train) <= 160
    assert len(split.train) >= 700
    assert len(split.validation) >= 8
    assert all(len(split.test[kind]) >= 8 for kind in KINDS)


def test_no_game_is_in_two_parts() -> None:
    split = load_split()
    trained = {fingerprint(variant) for variant in split.train}
    validated = {fingerprint(variant) for variant in split.validation}
    tested = {fingerprint(variant) for kind in KINDS for variant in split.test[kind]}
    assert not trained & validated
    assert not trained & tested
    assert not validated & tested


def test_names_are_distinct() -> None:
    split = load_split()
    every = [variant.name for variant in (*split.train, *split.held_out)]
    assert len(set(every)) == len(every)


def test_nothing_left_out_is_trained_on_or_chosen_by() -> None:
    """By the rules themselves, whatever `mechanisms` says."""
    split = load_split()
    for variant in (*split.train, *split.validation):
        assert variant.move.kind != "clone"
        assert not variant.effect.infect
        assert not variant.move.shoot
        assert not variant.move.domino


def test_nogo_is_kept_for_validation() -> None:
    split = load_split()
    assert not any(variant.move.captures_nothing for variant in split.train)
    assert any(variant.move.captures_nothing for variant in split.validation)


@pytest.mark.parametrize("pair", sorted(map(sorted, TEST_PAIRS)))
def test_each_pair_of_the_tests_is_there_and_nowhere_else(pair: list[str]) -> None:
    split, both = load_split(), frozenset(pair)
    assert any(both in pairs(variant) for variant in split.test["combinations"])
    assert not any(both in pairs(variant) for variant in (*split.train, *split.validation))


def test_every_left_out_mechanism_is_tested() -> None:
    tested = frozenset().union(*map(mechanisms, load_split().test["mechanisms"]))
    assert tested >= TEST_MECHANISMS


def test_boards_are_small() -> None:
    split = load_split()
    assert all(np.count_nonzero(start_cells(variant) != HOLE) <= 49 for variant in split.held_out)
    assert all(max(variant.board.rows, variant.board.columns) <= 7 for variant in split.train)


def test_larger_forms_of_the_catalogue_are_not_trained_on() -> None:
    trained = {variant.name for variant in load_split().train}
    assert not trained & {
        name for name in names() if load(name).board.rows > 7 or load(name).board.columns > 7
    }


def test_every_variant_begins() -> None:
    split = load_split()
    assert all(len(start(variant).legal_actions) > 0 for variant in (*split.train, *split.held_out))


def test_every_variant_that_was_written_for_the_split_has_a_title() -> None:
    split = load_split()
    assert all(variant.title and variant.rules for variant in (*split.train, *split.held_out))


def test_a_changed_catalogue_is_noticed() -> None:
    text = (resources.files("selfplay.meta") / "split.toml").read_text(encoding="utf-8")
    changed = text.replace(load("connect4").digest, "0123456789abcdef")
    with pytest.raises(VariantError, match="expected the rules 0123456789abcdef of connect4"):
        read_split(changed)


# --- mechanisms, by hand ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tictactoe", "place line"),
        ("tictactoe-misere", "place line"),
        ("tictactoe-maker", "place line breaker"),
        ("connect4-cylinder", "drop line wrap"),
        ("connect6-9x9", "place line"),
        ("pente", "place line take_enclosed capture"),
        ("othello", "place must_flip flip stones"),
        ("hex", "place hex connect swap"),
        ("havannah", "place hex swap fork bridge ring"),
        ("go", "place keeps_liberty surround pass area"),
        ("nogo", "place keeps_liberty captures_nothing stuck"),
        ("breakthrough", "step replace reach eliminate"),
        ("konane", "step jump stuck"),
        ("amazons", "slide shoot stuck"),
        ("domineering", "place domino stuck"),
        ("ataxx", "clone infect eliminate stones"),
        ("growing-five", "place beside swap line wrap"),
    ],
)
def test_mechanisms(name: str, expected: str) -> None:
    assert mechanisms(load(name)) == frozenset(expected.split())


def test_a_turned_board_has_the_same_parameters() -> None:
    assert parameters(load("connect4")) == parameters(load("connect4-sideways"))


def test_misere_is_a_parameter() -> None:
    assert parameters(load("connect4")) != parameters(load("connect4-misere"))


# --- planted faults -----------------------------------------------------------------------------------------

TRAIN = [load(name) for name in ("tictactoe", "connect4", "othello-6x6", "hex-5")]


def test_a_sound_split_has_no_faults() -> None:
    assert faults(_of(TRAIN, test_parameters=_variant(FOUR), test_mechanisms=load("amazons-5x5"))) == []


def test_the_same_game_seen_from_another_side_is_found() -> None:
    turned = replace(_of(TRAIN), train=(*TRAIN, load("connect4-sideways")))
    assert faults(turned) == ["train: connect4-sideways is also in train"]


def test_a_name_that_is_there_twice_is_found() -> None:
    found = faults(_of(TRAIN, test_parameters=_variant(FOUR, "connect4")))
    assert found == ["test, parameters: connect4 is also in train"]


def test_parameters_that_are_trained_on_are_found() -> None:
    exact = _variant("board = { rows = 3, columns = 3 }\nend = { line = 3, exact = true }")
    assert faults(_of(TRAIN, test_parameters=exact)) == ["test, parameters: own"]


def test_a_family_that_is_not_trained_on_is_found() -> None:
    assert faults(_of(TRAIN, test_parameters=load("konane-6x6"))) == ["test, parameters: konane-6x6"]


def test_a_combination_of_something_unseen_is_found() -> None:
    assert faults(_of(TRAIN, test_combinations=load("jump-race"))) == ["test, combinations: jump-race"]


def test_a_combination_that_is_trained_on_is_found() -> None:
    train = [*TRAIN, load("gravity-othello")]
    small = _variant(
        """
        board = { rows = 4, columns = 4 }
        move = { kind = "drop" }
        effect = { flip = true }
        end = { count = "stones" }
        """
    )
    found = faults(_of(train, test_combinations=small))
    assert found == ["train: gravity-othello has drop and flip together", "test, combinations: own"]


@pytest.mark.parametrize("name", ["ataxx-5x5", "king-arrows", "domineering-5x5", "nogo-5"])
def test_a_mechanism_that_leaks_is_found(name: str) -> None:
    held = sorted(mechanisms(load(name)) & (TEST_MECHANISMS | VALIDATION_MECHANISMS))
    assert faults(_of([*TRAIN, load(name)])) == [f"train: {name} has {mechanism}" for mechanism in held]


def test_a_pair_of_the_tests_in_validation_is_found() -> None:
    found = faults(_of([*TRAIN, load("konane-6x6")], validation_combinations=load("jump-race")))
    assert "validation: jump-race has jump and reach together" in found


def test_the_two_parts_hold_different_pairs() -> None:
    assert not TEST_PAIRS & VALIDATION_PAIRS
    assert not TEST_MECHANISMS & VALIDATION_MECHANISMS
