"""The search returns what mctx, the reference implementation of Gumbel AlphaZero, returns on pgx's games."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import games
from games import Observation, Position
from mcts import SearchConfig, SearchResult, search

pytestmark = pytest.mark.kernels

F = np.float32
OURS_TO_PGX = {
    "tictactoe": np.arange(11),
    "connect4": np.append(np.tile(np.arange(7), 6), [7, 8]),  # a cell is pgx's column; no pass, no swap
    "othello": np.arange(66),  # 64 is the pass in both
}


def tables(n_actions: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The golden evaluator's logits `[101, A]` and values `[101]` by its hash, rounded as in the golden run.

    There, XLA turned `x / 101 * 4 - 2` into one fused multiply-add with the constant 4/101. Values come in
    steps of 1/101, so equal ones are frequent, and which of two equal actions is better is up to the last
    bit: with numbers from float64 or plain float32 arithmetic, mctx itself returns something else on some
    of these roots (and our search the same as mctx, compared on all 180 when this test was written).
    """
    h, action = np.arange(101)[:, None], np.arange(n_actions)
    steps = (h * (action + 3) + action * action) % 101, (h[:, 0] * 5 + 17) % 101
    logits = steps[0] * float(F(4 / 101)) - 2.0
    values = steps[1] * float(F(1.6 / 101)) - float(F(0.8))
    return logits.astype(F), values.astype(F)


def golden_evaluator(to_pgx: NDArray[np.int64]) -> Callable[[Observation], tuple[NDArray[Any], NDArray[Any]]]:
    logits, values = tables(int(to_pgx.max()) + 1)

    def evaluate(observation: Observation) -> tuple[NDArray[Any], NDArray[Any]]:
        own, opponent = (
            observation.planes[:, 1:3].reshape(-1, 2, observation.planes[0, 0].size).swapaxes(0, 1)
        )
        place = np.arange(1, own.shape[1] + 1)
        h = (own @ (place * 7) + opponent @ (place * 13)).astype(int) % 101
        return logits[h][:, to_pgx], values[h]

    return evaluate


def reach(game: str, moves: list[int]) -> Position:
    position = games.start(games.load(game))
    for move in moves:
        (action,) = (a for a in position.legal_actions if OURS_TO_PGX[game][a] == move)
        position = position.play(action)
    return position


def in_pgx_actions(game: str, ours: NDArray[Any], size: int) -> NDArray[Any]:
    """A row over our actions as one over pgx's."""
    sums = np.zeros(int(OURS_TO_PGX[game].max()) + 1, ours.dtype)
    np.add.at(sums, OURS_TO_PGX[game], ours)
    assert not sums[size:].any()
    return sums[:size]


def run(game: str, case: dict[str, Any]) -> SearchResult:
    config = SearchConfig(
        simulations=case["simulations"], max_considered=case["max_considered"], gumbel_scale=0.0
    )
    return search([reach(game, case["moves"])], golden_evaluator(OURS_TO_PGX[game]), config)


@pytest.mark.parametrize("game", OURS_TO_PGX)
def test_search_returns_what_mctx_returns(game: str, golden: Path) -> None:
    cases = json.loads((golden / f"mctx_{game}.json").read_text())["cases"]
    assert len(cases) == 60
    for case in cases:
        result = run(game, case)
        visits = in_pgx_actions(game, result.visits[0], len(case["visits"]))
        policy = in_pgx_actions(game, result.policy[0], len(case["policy"]))
        assert visits.tolist() == case["visits"], case
        assert OURS_TO_PGX[game][result.action[0]] == case["action"], case
        np.testing.assert_allclose(policy, case["policy"], atol=1e-4, rtol=0)
        assert result.value_to_play[0] == pytest.approx(case["value"], abs=1e-4)
