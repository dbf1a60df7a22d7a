"""The page's engine against Python's: every catalogue variant, move by move, and searches edge by edge."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import games
from games import Observation, Position
from mcts import RolloutEvaluator, SearchConfig, search
from tests.selfplay.web.browser import page

_EVALUATE = """async function evaluate(room) {
  const n = room.rows * room.columns, planes = room.planes.data;
  let sum = 0;
  for (let k = 0; k < n; k++) {
    sum += 5 * planes[n + k] * (k * k + 3 * k + 1) + planes[2 * n + k] * (k * 7 + 2);
  }
  const logits = Float32Array.from({ length: n + 2 }, (_, a) => (sum + a * a * 31 + a * 17) % 23 / 6);
  return { logits, valueToPlay: (sum % 19) / 19 - 0.5 };
}"""


def evaluate(observation: Observation) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The same nonsense as `_EVALUATE`."""
    planes = observation.cells.astype(np.int64)
    k = np.arange(planes.shape[2])
    total = 5 * planes[:, 1] @ (k * k + 3 * k + 1) + planes[:, 2] @ (k * 7 + 2)
    a = np.arange(observation.legal.shape[1])
    logits = (total[:, None] + a * a * 31 + a * 17) % 23 / 6
    return logits.astype(np.float32), (total % 19 / 19 - 0.5).astype(np.float32)


def random_position(name: str, *, seed: int, most: int) -> Position:
    """A few random moves from the start."""
    random = np.random.default_rng(seed)
    position = games.start(games.load(name))
    for _ in range(random.integers(most)):
        following = position.play(random.choice(position.legal_actions))
        if following.is_over:
            break
        position = following
    return position


@pytest.mark.parametrize("name", games.names())
def test_the_page_plays_by_the_same_rules(name: str) -> None:
    random, position = np.random.default_rng(7), games.start(games.load(name))
    page().begin(position.variant)
    while True:
        assert page().ask("look()") == {
            "cells": position.state.cells[0].tolist(),
            "legal": position.legal_actions.tolist(),
            "info": position.state.info[0].tolist(),
            "lead": position.count_lead,
            "returns": list(position.returns),
        }
        if position.is_over:
            return
        if position.ply % 8 == 0:
            seen, ours = page().ask("see()"), position.observation()
            np.testing.assert_array_equal(seen["planes"], ours.planes.ravel())
            np.testing.assert_array_equal(seen["legal"], ours.legal[0])
            np.testing.assert_array_equal(np.float32(seen["rules"]), ours.rules[0])
        action = int(random.choice(position.legal_actions))
        assert page().ask(f"position.action({position.action_text(action)!r})") == action
        page().ask(f"play({action})")
        position = position.play(action)


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (SearchConfig(simulations=50), "{simulations: 50}"),
        (SearchConfig(rollouts=3), "{simulations: 32, rollouts: 3, rolloutShare: 0.5}"),
        (SearchConfig(method="puct", exploration=2.0), "{simulations: 32, method: PUCT, exploration: 2}"),
    ],
    ids=["gumbel", "playouts", "puct"],
)
@pytest.mark.parametrize("name", ["connect4", "othello", "go-5", "havannah-4", "amazons-5x5"])
def test_the_page_finds_what_the_search_finds(name: str, config: SearchConfig, options: str) -> None:
    position = random_position(name, seed=3, most=14)
    config = config.model_copy(update={"gumbel_scale": 0.0, "solve": True})
    ours = search([position], evaluate, config)
    page().begin(position.variant)
    for action in position.actions:
        page().ask(f"play({action})")
    theirs = page().wait(f"search(position, {_EVALUATE}, {options})")
    assert theirs["action"] == ours.action[0]
    assert list(theirs["visits"].values()) == ours.visits[0].tolist()
    np.testing.assert_allclose(list(theirs["policy"].values()), ours.policy[0], atol=1e-6)
    assert theirs["valueToPlay"] == pytest.approx(float(ours.value_to_play[0]), abs=1e-6)


def test_plain_playouts_come_to_the_same_end() -> None:
    position = games.start(games.load("tictactoe")).play_text("a1").play_text("b2").play_text("a2")
    config = SearchConfig(method="puct", simulations=400, exploration=2.0, solve=True)
    page().begin(position.variant)
    for action in position.actions:
        page().ask(f"play({action})")
    found = page().wait("search(position, null, {simulations: 400, method: PUCT, exploration: 2})")
    assert found["action"] == search([position], RolloutEvaluator(), config).action[0]
    assert position.action_text(found["action"]) == "a3"
