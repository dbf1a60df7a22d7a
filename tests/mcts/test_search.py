"""What a caller of `search` relies on, whatever the variant and the method."""

from __future__ import annotations

import numpy as np
import pytest

from games import Observation, Position
from mcts import RolloutEvaluator, SearchConfig, SearchResult, search, uniform_evaluator
from tests.mcts.evaluators import Answer, noisy_evaluator
from tests.mcts.positions import after, random_position

pytestmark = pytest.mark.kernels

MIXED = [
    random_position(name, plies, 0)
    for name, plies in (
        ("connect4", 9),
        ("othello-6x6", 12),
        ("gomoku-9x9", 7),
        ("tictactoe-misere", 3),
        ("connect6-9x9", 4),
        ("connect4-sideways", 11),
        ("connect4-holes", 15),
        ("gomoku-swap", 1),
    )
]
METHODS = ("gumbel", "puct")


def chosen(result: SearchResult, position: Position, row: int = 0) -> str:
    """A single position's action as text."""
    return position.action_text(result.action[row])


def own_view(result: SearchResult, row: int, position: Position) -> dict[str, np.ndarray]:
    """A row's result in the variant's own actions, wherever they lie on the batch's canvas."""
    width = max(p.variant.board.columns for p in MIXED)
    cells = result.policy.shape[1] - 2
    board = position.variant.board
    rows, columns = np.divmod(np.arange(board.rows * board.columns), board.columns)
    places = np.append(rows * width + columns, [cells, cells + 1])
    parts = {"visits": result.visits, "policy": result.policy, "action_values": result.action_values}
    view = {name: part[row][places] for name, part in parts.items()}
    return {**view, "value": result.value_to_play[row : row + 1], "action": places == result.action[row]}


# --- every result ---


@pytest.mark.parametrize("solve", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_policies_are_distributions_over_legal_actions(method: str, solve: bool) -> None:
    for position in MIXED:
        config = SearchConfig(method=method, simulations=30, solve=solve, dirichlet_fraction=0.25)
        result = search([position], noisy_evaluator, config)
        assert result.policy.sum() == pytest.approx(1.0, abs=1e-5)
        illegal = np.setdiff1d(np.arange(position.variant.n_actions), position.legal_actions)
        assert not result.policy[0, illegal].any()
        assert not result.visits[0, illegal].any()
        assert np.isnan(result.action_values[0, illegal]).all()
        assert result.action[0] in position.legal_actions


@pytest.mark.parametrize("simulations", [1, 2, 17, 1000])
@pytest.mark.parametrize("method", METHODS)
def test_visits_sum_to_the_simulations(method: str, simulations: int) -> None:
    result = search(MIXED[:4], uniform_evaluator, SearchConfig(method=method, simulations=simulations))
    assert result.visits.sum(axis=1).tolist() == [simulations] * 4


def test_one_legal_action_is_played() -> None:
    last = (random_position("tictactoe", 8, seed) for seed in range(100))
    position = next(position for position in last if len(position.legal_actions) == 1)
    for method in METHODS:
        result = search([position], noisy_evaluator, SearchConfig(method=method, simulations=8))
        assert result.action[0] == position.legal_actions[0]
        assert result.policy[0, result.action[0]] == pytest.approx(1.0)
        assert result.visits[0, result.action[0]] == 8


@pytest.mark.parametrize("value", [0.0, 0.9, -0.3])
@pytest.mark.parametrize("method", METHODS)
def test_an_evaluator_that_always_says_the_same_is_searched(method: str, value: float) -> None:
    """All values of a node are the same up to rounding, so sigma's spread is next to nothing."""

    def constant(observation: Observation) -> Answer:
        return np.full(observation.legal.shape, 3.0, np.float32), np.full(
            len(observation.legal), value, np.float32
        )

    for position in MIXED:
        result = search([position], constant, SearchConfig(method=method, simulations=300))
        assert result.visits.sum() == 300
        assert result.policy.sum() == pytest.approx(1.0, abs=1e-5)


# --- batches and seeds ---


@pytest.mark.parametrize("method", METHODS)
def test_a_mixed_batch_gives_what_single_searches_give(method: str) -> None:
    config = SearchConfig(method=method, simulations=40, gumbel_scale=0.0)
    together = search(MIXED, noisy_evaluator, config)
    for row, position in enumerate(MIXED):
        alone = search([position, MIXED[-1]], noisy_evaluator, config)  # the last one has the largest board
        for name, part in own_view(together, row, position).items():
            np.testing.assert_array_equal(
                part, own_view(alone, 0, position)[name], err_msg=f"{position} {name}"
            )


def test_the_order_of_a_batch_does_not_matter() -> None:
    config = SearchConfig(simulations=40, gumbel_scale=0.0)
    forward, backward = search(MIXED, noisy_evaluator, config), search(MIXED[::-1], noisy_evaluator, config)
    for there, back in zip(forward, backward, strict=True):
        np.testing.assert_array_equal(there, back[::-1])


def test_the_canvas_does_not_matter() -> None:
    config = SearchConfig(simulations=40, gumbel_scale=0.0)
    together = search(MIXED, noisy_evaluator, config)
    for row, position in enumerate(MIXED):
        alone = search([position], noisy_evaluator, config)
        np.testing.assert_array_equal(own_view(together, row, position)["visits"], alone.visits[0])


@pytest.mark.parametrize("method", METHODS)
def test_a_seed_settles_the_noise(method: str) -> None:
    config = SearchConfig(method=method, simulations=20, dirichlet_fraction=0.5)
    first, again, other = (search(MIXED, noisy_evaluator, config, seed=seed) for seed in (5, 5, 6))
    for once, twice in zip(first, again, strict=True):
        np.testing.assert_array_equal(once, twice)
    assert (first.visits != other.visits).any()


def test_rows_have_noise_of_their_own() -> None:
    result = search([MIXED[2]] * 16, uniform_evaluator, SearchConfig(simulations=1))
    assert len(set(result.action.tolist())) > 4


# --- rollouts ---


def test_rollouts_find_a_win() -> None:
    position = after("connect4", "d a d a d b")
    assert chosen(search([position], RolloutEvaluator(), SearchConfig(simulations=100)), position) == "d4"


@pytest.mark.parametrize("method", METHODS)
def test_rollouts_find_the_only_block(method: str) -> None:
    position = after("connect4", "a d a d b d")
    result = search([position], RolloutEvaluator(4), SearchConfig(method=method, simulations=400))
    assert chosen(result, position) == "d4"


def test_rollouts_complete_six_in_a_row_with_the_second_stone_of_a_turn() -> None:
    position = after("connect6-9x9", "a1 d5 e5 a2 a3 f5 g5 a8 b9 h5")  # o has d5 to h5 and is to move again
    config = SearchConfig(simulations=400, max_considered=81, gumbel_scale=0.0)
    assert chosen(search([position], RolloutEvaluator(8), config), position) in {"c5", "i5"}


def test_rollouts_know_that_a_line_loses_in_misere() -> None:
    position = after("tictactoe-misere", "a1 b2 c1 c3")  # b1 would complete the first row
    result = search([position], RolloutEvaluator(), SearchConfig(simulations=200))
    assert chosen(result, position) != "b1"
    assert result.action_values[0, position.parse_action("b1")] == -1.0


# --- what is refused ---


def test_no_position_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one position, got none"):
        search([], uniform_evaluator)


def test_a_position_that_is_over_is_refused() -> None:
    over = after("connect4", "a b a b a b a")
    with pytest.raises(ValueError, match="position 1 is over"):
        search([after("connect4"), over], uniform_evaluator)


def wrong_logits(observation: Observation) -> Answer:
    return np.zeros((len(observation.legal), 7), np.float32), np.zeros(len(observation.legal), np.float32)


def wrong_values(observation: Observation) -> Answer:
    return np.zeros(observation.legal.shape, np.float32), np.zeros((len(observation.legal), 1), np.float32)


@pytest.mark.parametrize("evaluator", [wrong_logits, wrong_values])
def test_an_answer_of_another_shape_is_refused(evaluator: object) -> None:
    with pytest.raises(ValueError, match=r"expected logits \(1, 44\) and value_to_play \(1,\), got \(1, "):
        search([after("connect4")], evaluator)  # type: ignore[arg-type]


@pytest.mark.parametrize("part", [0, 1])
def test_an_answer_that_is_no_number_is_refused(part: int) -> None:
    def broken(observation: Observation) -> Answer:
        answer = uniform_evaluator(observation)
        answer[part][0] = np.nan
        return answer

    with pytest.raises(ValueError, match="got NaN"):
        search([after("connect4")], broken)
