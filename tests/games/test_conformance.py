"""The shipped contract holds for everything that ships, and notices engines that break it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import games
from games import conformance, kernels
from games.errors import ConformanceError
from games.state import COLOUR, EMPTIES, STATUS, State
from games.variant import Variant
from tests.games.strategies import any_variant

pytestmark = pytest.mark.kernels


@pytest.mark.parametrize("name", games.names())
def test_catalogue_keeps_the_contract(name: str) -> None:
    variant = games.load(name)
    conformance.check(variant, games=max(1, min(20, 500 // variant.n_actions)))


@settings(max_examples=100)
@given(any_variant())
def test_any_variant_keeps_the_contract(variant: Variant) -> None:
    conformance.check(variant, games=3)


def broken(monkeypatch: pytest.MonkeyPatch, kernel: str, change: Callable[..., Any]) -> str:
    """What the check says of an engine in which one kernel is followed by a mistake."""
    right = getattr(kernels, kernel)

    def wrong(*arguments: Any) -> Any:
        return change(right(*arguments), *arguments)

    monkeypatch.setattr(kernels, kernel, wrong)
    with pytest.raises(ConformanceError) as caught:
        conformance.check(games.load("connect3-4x4"), games=20)
    return str(caught.value)


def test_a_forgotten_move_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    message = broken(monkeypatch, "list_legal", lambda n_legal, *_: max(n_legal - 1, 0))
    assert "d1 was drawn, but isn't legal" in message
    assert "    a b c d\n" in message


def test_a_miscounted_board_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def miscount(_: None, rules: object, state: State, row: int, action: int) -> None:  # noqa: ARG001
        state.info[row, EMPTIES] -= 1

    assert "EMPTIES is miscounted" in broken(monkeypatch, "play", miscount)


def test_a_rule_that_prefers_one_side_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def favour_left(_: None, rules: object, state: State, row: int, action: int) -> None:  # noqa: ARG001
        if action % 4 == 0:
            state.info[row, STATUS] = kernels.FIRST_WINS

    assert "a symmetry changes the game's course" in broken(monkeypatch, "play", favour_left)


def test_an_engine_that_plays_in_the_given_state_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """`observe_rows` gets a copy of the state, so the position itself is what must be spoiled."""
    start = games.start(games.load("tictactoe"))

    def spoil(_: None, *arguments: Any) -> None:  # noqa: ARG001
        start.state.info[0, COLOUR] = 1

    monkeypatch.setattr(conformance, "start", lambda _: start)
    right = kernels.observe_rows
    monkeypatch.setattr(kernels, "observe_rows", lambda *arguments: spoil(right(*arguments), *arguments))
    with pytest.raises(ConformanceError, match="observing changes the state"):
        conformance.check(games.load("tictactoe"), games=1)


def test_a_wrong_plane_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def shift(_: None, rules: object, state: object, planes: np.ndarray[Any, Any], *rest: Any) -> None:  # noqa: ARG001
        planes[:, 1] = np.roll(planes[:, 1], 1, axis=-1)

    assert "the plane own doesn't show the position" in broken(monkeypatch, "observe_rows", shift)


def test_a_false_symmetry_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    upside_down = np.concatenate([np.arange(15, -1, -1), [16, 17]])[None].astype(np.int32)
    monkeypatch.setattr(conformance, "symmetries", lambda _: upside_down)
    with pytest.raises(ConformanceError, match="a symmetry changes what is legal"):
        conformance.check(games.load("connect3-4x4"), games=1)


def test_a_broken_promise_is_a_bug_and_no_user_error() -> None:
    assert issubclass(ConformanceError, AssertionError)
    assert not issubclass(ConformanceError, games.UserError)
