"""The network against a slow reference, and what must not change its results."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.func import functional_call, grad, vmap

from games.encoding import EXTRA_ACTIONS, Observation
from models import NetworkConfig, PolicyValueNet, value_to_play
from models.network import lay_out
from tests.models.boards import SMALL, evaluate, observe, on_board_logits, scramble, stack

BOARD = """
    . X . O . .
    X X O . O .
    . O * X . X
    O . . . X .
"""
HOLED = """
    . X . O . .
    X # O . # .
    . O * X . X
    # . . . X .
"""
TINY = """
    X . O
    . O X
"""
WRAPS = [(True, False), (False, True), (True, True)]
RULES = (1, 0, 0, 0, 0.67, 1, 0, 0.25, 0.25, 1, 0, 0, 0, 0.25, 1, 1, 0.3)

Array = np.ndarray


@pytest.fixture(scope="module")
def net() -> PolicyValueNet:
    return scramble(PolicyValueNet(SMALL))


# --- an independent reference: one board, no canvas, float64 loops over cells and directions ----------------


def reference(net: PolicyValueNet, observation: Observation, rows: int, columns: int) -> tuple[Array, Array]:
    """What the docstrings promise, computed cell by cell for the first row of `observation`."""
    w = {name: tensor.double().numpy() for name, tensor in net.state_dict().items()}
    planes = observation.planes[0, :, :rows, :columns].astype(np.float64)
    rules = observation.rules[0].astype(np.float64)
    wrap_rows, wrap_columns = bool(rules[2]), bool(rules[3])
    board = planes[0] > 0

    def convolve(x: Array, name: str) -> Array:
        weight, bias = w[name + ".weight"], w.get(name + ".bias", np.zeros(len(w[name + ".weight"])))
        result = np.zeros((len(weight), rows, columns))
        for row in range(rows):
            for column in range(columns):
                if not board[row, column]:
                    continue
                result[:, row, column] = bias
                for down in (-1, 0, 1):
                    for right in (-1, 0, 1):
                        r, c = row + down, column + right
                        r = r % rows if wrap_rows else r
                        c = c % columns if wrap_columns else c
                        if 0 <= r < rows and 0 <= c < columns and board[r, c]:
                            result[:, row, column] += weight[:, :, down + 1, right + 1] @ x[:, r, c]
        return result

    def linear(x: Array, name: str) -> Array:
        return w[name + ".weight"] @ x + w.get(name + ".bias", 0)

    def pooled(x: Array) -> Array:
        cells = x[:, board]
        return np.concatenate((cells.mean(1), cells.max(1)))

    def relu(x: Array) -> Array:
        return np.maximum(x, 0)

    film = linear(relu(linear(rules, "film.hidden")), "film.output")
    film = film.reshape(2, net.config.blocks, net.config.channels)
    x = convolve(planes, "stem")
    for block in range(net.config.blocks):
        shift = film[1, block]
        if block % 2 == 1:
            shift = shift + linear(pooled(relu(x)), f"blocks.{block}.pooled_bias")
        hidden = convolve(relu(x), f"blocks.{block}.first")
        hidden = relu(hidden * (1 + film[0, block])[:, None, None] + shift[:, None, None])
        x = x + convolve(hidden, f"blocks.{block}.second")
    x = relu(x)
    hidden = np.einsum("oi,ihw->ohw", w["policy.hidden.weight"][:, :, 0, 0], x)
    hidden = relu(hidden + linear(pooled(x), "policy.pooled_bias")[:, None, None])
    plane = np.einsum("i,ihw->hw", w["policy.plane.weight"][0, :, 0, 0], hidden) + w["policy.plane.bias"]
    logits = np.concatenate(((plane * board).ravel(), linear(pooled(x), "policy.extra")))
    return logits, linear(relu(linear(pooled(x), "value.hidden")), "value.output")


@pytest.mark.parametrize("drawing", [BOARD, HOLED])
@pytest.mark.parametrize(("wrap_rows", "wrap_columns"), [(False, False), *WRAPS])
@pytest.mark.parametrize("canvas", [(4, 6), (5, 6), (4, 9), (7, 8)])
def test_agrees_with_the_reference(
    net: PolicyValueNet, drawing: str, wrap_rows: bool, wrap_columns: bool, canvas: tuple[int, int]
) -> None:
    seen = observe(drawing, canvas=canvas, wrap_rows=wrap_rows, wrap_columns=wrap_columns, rules=RULES)
    expected_logits, expected_wdl = reference(net, seen, 4, 6)
    logits, wdl = evaluate(net, seen)
    np.testing.assert_allclose(on_board_logits(seen, logits, 4, 6)[0], expected_logits, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(wdl[0], expected_wdl, rtol=1e-4, atol=1e-4)


# --- the canvas ---------------------------------------------------------------------------------------------


def test_padding_changes_nothing(net: PolicyValueNet) -> None:
    tight, wide = observe(BOARD), observe(BOARD, canvas=(9, 11))
    (logits, wdl), (wide_logits, wide_wdl) = evaluate(net, tight), evaluate(net, wide)
    torch.testing.assert_close(on_board_logits(wide, wide_logits, 4, 6), logits, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(wide_wdl, wdl, rtol=1e-4, atol=1e-5)


def test_what_lies_off_the_board_is_never_the_maximum() -> None:
    """Every activation on the board is zero, so padding that leaked into the maximum would show."""
    net = scramble(PolicyValueNet(SMALL))
    with torch.no_grad():
        net.stem.weight.zero_()
        assert net.stem.bias is not None
        net.stem.bias.fill_(-1)
    tight, wide = observe(TINY), observe(TINY, canvas=(3, 4))
    torch.testing.assert_close(evaluate(net, wide)[1], evaluate(net, tight)[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("wrap_columns", [False, True])
def test_boards_that_fill_the_canvas_need_no_mask(net: PolicyValueNet, wrap_columns: bool) -> None:
    seen = observe(TINY, wrap_columns=wrap_columns, rules=RULES)
    planes, rules = torch.from_numpy(seen.planes), torch.from_numpy(seen.rules)
    body = net.body(planes, rules, lay_out(planes, rules, wraps=wrap_columns, is_full=True))
    logits, wdl = evaluate(net, seen)
    torch.testing.assert_close(net.policy(body).detach(), logits)
    torch.testing.assert_close(net.value(body.pooled).detach(), wdl)


def test_off_board_logits_are_zero(net: PolicyValueNet) -> None:
    logits, _ = evaluate(net, observe(TINY, canvas=(3, 4)))
    off_board = [3, 7, 8, 9, 10, 11]
    assert logits[0, off_board].tolist() == [0] * 6


@pytest.mark.parametrize("wraps", [False, True])
def test_a_mixed_batch_equals_single_rows(net: PolicyValueNet, wraps: bool) -> None:
    canvas = (6, 7)
    rows = [
        observe(BOARD, canvas=canvas, rules=(0, 1)),
        observe(TINY, canvas=canvas, wrap_rows=wraps),
        observe(HOLED, canvas=canvas, wrap_columns=wraps, rules=RULES),
        observe(BOARD, canvas=canvas, wrap_rows=wraps, wrap_columns=wraps),
    ]
    logits, wdl = evaluate(net, stack(*rows))
    for index, row in enumerate(rows):
        one_logits, one_wdl = evaluate(net, row)
        torch.testing.assert_close(logits[index], one_logits[0], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(wdl[index], one_wdl[0], rtol=1e-4, atol=1e-5)


# --- wrapping -----------------------------------------------------------------------------------------------


def roll(observation: Observation, rows: int, columns: int, shift: tuple[int, int]) -> Observation:
    """Shift the board in the top-left corner of the canvas around its edges."""
    planes = observation.planes.copy()
    planes[:, :, :rows, :columns] = np.roll(planes[:, :, :rows, :columns], shift, (2, 3))
    return observation._replace(planes=planes)


@pytest.mark.parametrize("canvas", [(4, 6), (7, 8)])
@pytest.mark.parametrize(
    ("wrap_rows", "wrap_columns", "shift"),
    [(True, False, (1, 0)), (False, True, (0, 2)), (True, True, (3, 1))],
)
def test_shifting_a_wrapped_board_shifts_the_policy(
    net: PolicyValueNet, wrap_rows: bool, wrap_columns: bool, shift: tuple[int, int], canvas: tuple[int, int]
) -> None:
    seen = observe(HOLED, canvas=canvas, wrap_rows=wrap_rows, wrap_columns=wrap_columns, rules=RULES)
    moved = roll(seen, 4, 6, shift)
    (logits, wdl), (moved_logits, moved_wdl) = evaluate(net, seen), evaluate(net, moved)
    before, after = on_board_logits(seen, logits, 4, 6)[0], on_board_logits(moved, moved_logits, 4, 6)[0]
    expected = torch.roll(before[:-EXTRA_ACTIONS].reshape(4, 6), shift, (0, 1)).flatten()
    torch.testing.assert_close(after[:-EXTRA_ACTIONS], expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(after[-EXTRA_ACTIONS:], before[-EXTRA_ACTIONS:], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(moved_wdl, wdl, rtol=1e-4, atol=1e-5)


def test_shifting_a_bounded_board_changes_the_value(net: PolicyValueNet) -> None:
    seen = observe(BOARD)
    difference = evaluate(net, seen)[1] - evaluate(net, roll(seen, 4, 6, (1, 1)))[1]
    assert difference.abs().max() > 1e-2


def test_wrapping_reaches_over_the_edge_and_bounds_do_not() -> None:
    """One 3x3 convolution: a stone at the right edge is seen at the left edge on a cylinder only."""
    net = PolicyValueNet(NetworkConfig(blocks=1, channels=8))  # fresh: the tower is its stem
    empty, stone = ". . . . .", ". . . . X"
    for wrap_columns in (False, True):
        rows = [observe(text, wrap_columns=wrap_columns) for text in (empty, stone)]
        planes, rules = (torch.from_numpy(np.concatenate([r[i] for r in rows])) for i in (0, 2))
        trunk = net.trunk(planes, rules, lay_out(planes, rules, wraps=wrap_columns))
        changed = (trunk[0] - trunk[1]).abs().amax((0, 1)) > 1e-3
        assert changed.tolist() == [wrap_columns, False, False, True, True]


def test_the_wrapping_path_is_right_for_bounded_boards_too(net: PolicyValueNet) -> None:
    seen = observe(HOLED, canvas=(5, 8), rules=RULES)
    for plain, wrapped in zip(evaluate(net, seen, False), evaluate(net, seen, True), strict=True):
        torch.testing.assert_close(wrapped, plain, rtol=1e-4, atol=1e-5)


# --- perspective, rules, initial weights, transformations ---------------------------------------------------


def test_value_to_play_is_win_minus_loss() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]))
    torch.testing.assert_close(value_to_play(logits), torch.tensor([0.3, -0.7]))


def test_rules_change_the_evaluation(net: PolicyValueNet) -> None:
    (logits, wdl), (other_logits, other_wdl) = (evaluate(net, observe(BOARD, rules=r)) for r in ((), RULES))
    assert (logits - other_logits).abs().max() > 1e-2
    assert (wdl - other_wdl).abs().max() > 1e-2


def test_a_fresh_tower_is_its_stem() -> None:
    torch.manual_seed(0)
    net = PolicyValueNet(SMALL)
    seen = observe(BOARD, rules=RULES)
    planes, rules = torch.from_numpy(seen.planes), torch.from_numpy(seen.rules)
    torch.testing.assert_close(
        net.trunk(planes, rules, lay_out(planes, rules, wraps=False)), net.stem(planes)
    )


def test_a_fresh_film_changes_nothing() -> None:
    scales, shifts = PolicyValueNet(SMALL).film(torch.rand(5, SMALL.features))
    assert len(scales) == len(shifts) == SMALL.blocks
    assert all((scale == 1).all() for scale in scales)
    assert all((shift == 0).all() for shift in shifts)


def test_a_fresh_network_is_nearly_undecided() -> None:
    torch.manual_seed(0)
    logits, wdl = evaluate(PolicyValueNet(), observe(BOARD))
    assert logits.abs().max() < 1
    assert (wdl.softmax(-1) - 1 / 3).abs().max() < 0.2


def test_every_parameter_gets_a_gradient() -> None:
    net = scramble(PolicyValueNet(SMALL))
    seen = observe(BOARD, wrap_rows=True, rules=RULES)
    logits, wdl = net(torch.from_numpy(seen.planes), torch.from_numpy(seen.rules))
    (logits.log_softmax(1)[:, 3].sum() + wdl.log_softmax(1)[:, 0].sum()).backward()
    assert [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("wraps", [False, True])
def test_vmap_over_networks_equals_a_loop(wraps: bool) -> None:
    nets = [scramble(PolicyValueNet(SMALL), seed=seed) for seed in range(3)]
    stacked = {name: torch.stack([net.state_dict()[name] for net in nets]) for name in nets[0].state_dict()}
    seen = stack(observe(BOARD, wrap_rows=wraps), observe(HOLED, wrap_columns=wraps, rules=RULES))
    planes, rules = torch.from_numpy(seen.planes), torch.from_numpy(seen.rules)
    run = vmap(lambda weights: functional_call(nets[0], weights, (planes, rules, wraps)))
    for many, each in zip(run(stacked), zip(*(evaluate(n, seen) for n in nets), strict=True), strict=True):
        torch.testing.assert_close(many, torch.stack(each), rtol=1e-3, atol=1e-4)


def test_vmapped_gradients_equal_autograd() -> None:
    net = scramble(PolicyValueNet(SMALL))
    tasks = [observe(BOARD, wrap_rows=True), observe(HOLED, wrap_columns=True, rules=RULES)]
    planes, rules = (torch.from_numpy(np.stack([task[i] for task in tasks])) for i in (0, 2))

    def loss(weights: dict[str, torch.Tensor], planes: torch.Tensor, rules: torch.Tensor) -> torch.Tensor:
        logits, wdl = functional_call(net, weights, (planes, rules, True))
        return logits.log_softmax(1)[:, 0].sum() + wdl.log_softmax(1)[:, 2].sum()

    weights = dict(net.named_parameters())
    gradients = vmap(grad(loss), (None, 0, 0))({k: v.detach() for k, v in weights.items()}, planes, rules)
    for task in range(len(tasks)):
        expected = torch.autograd.grad(loss(weights, planes[task], rules[task]), list(weights.values()))
        for name, gradient in zip(weights, expected, strict=True):
            torch.testing.assert_close(gradients[name][task], gradient, rtol=1e-3, atol=1e-4)


def test_logits_are_cells_and_two_more() -> None:
    for drawing, actions in ((BOARD, 26), (TINY, 8), ("X", 3)):
        logits, wdl = evaluate(PolicyValueNet(SMALL), observe(drawing))
        assert logits.shape == (1, actions)
        assert wdl.shape == (1, 3)
        assert math.isfinite(float(logits.sum()))


def test_a_config_refuses_unknown_keys() -> None:
    with pytest.raises(ValidationError, match="layers"):
        NetworkConfig.model_validate({"layers": 3})
