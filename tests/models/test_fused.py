"""The fused forward pass against the network's own, in every way that a batch can take."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from games.encoding import Observation
from models import NetworkConfig, PolicyValueNet, value_to_play
from models.fused import MAX_PACKED, Bytes, FusedNetwork, bytes_compute_here, fuses_here
from tests.models.boards import SMALL, evaluate, observe, scramble, stack

pytestmark = pytest.mark.skipif(not fuses_here(), reason="this build of torch can't")

FULL = ". X . O X\nX X O . .\n. O . X .\n. . X . O"
HOLES = ". X . O X\nX # O . .\n. O . # .\n. . X . O"
SMALLER = ". X .\nX X O"


def variant(number: float, drawing: str = FULL) -> Observation:
    return observe(drawing, canvas=(4, 5), rules=[number, 1 - number])


BATCHES = {
    "one variant, full boards": stack(variant(0.3), variant(0.3, FULL.replace("O", ".")), variant(0.3)),
    "a single board": variant(0.7),
    "a rule feature changes from row to row": stack(variant(0.3), variant(0.4), variant(0.3)),
    "holes": stack(variant(0.3, HOLES), variant(0.3, HOLES)),
    "smaller boards": stack(variant(0.3), variant(0.3, SMALLER)),
    "wrapping": stack(variant(0.3), observe(FULL, wrap_columns=True), observe(FULL, wrap_rows=True)),
}


@pytest.fixture(params=[SMALL, NetworkConfig(blocks=4, channels=64)], ids=["small", "released size"])
def net(request: pytest.FixtureRequest) -> PolicyValueNet:
    return scramble(PolicyValueNet(request.param))


def answer(fused: FusedNetwork, observation: Observation, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    planes = torch.from_numpy(observation.planes).to(dtype, memory_format=torch.channels_last)
    wraps = bool(observation.rules[:, 2:4].any())
    with torch.inference_mode():
        return [part.float() for part in fused(planes, torch.from_numpy(observation.rules), wraps)]


def close(found: list[Tensor], expected: tuple[Tensor, Tensor], tolerance: float) -> None:
    """tolerance: beside the size of the numbers"""
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=tolerance * float(other.abs().max()))


@pytest.mark.parametrize("name", BATCHES)
def test_every_batch_is_answered_as_by_the_network(net: PolicyValueNet, name: str) -> None:
    fused = FusedNetwork(net)
    for _ in range(2):  # the second time with weights that are there
        close(answer(fused, BATCHES[name]), evaluate(net, BATCHES[name]), 1e-5)


def test_canvases_and_variants_in_turn_dont_get_mixed_up(net: PolicyValueNet) -> None:
    fused = FusedNetwork(net)
    other = observe(SMALLER, rules=[0.3, 0.7])
    for batch in (*BATCHES.values(), other, *reversed(BATCHES.values())):
        close(answer(fused, batch), evaluate(net, batch), 1e-5)


@pytest.mark.parametrize("name", BATCHES)
def test_bfloat16_is_close(net: PolicyValueNet, name: str) -> None:
    expected = evaluate(net, BATCHES[name])
    fused = FusedNetwork(net.to(torch.bfloat16).to(memory_format=torch.channels_last))  # type: ignore[call-overload]
    close(answer(fused, BATCHES[name], torch.bfloat16), expected, 0.05)


@pytest.mark.skipif(not bytes_compute_here(), reason="this build of torch can't")
@pytest.mark.parametrize("name", BATCHES)
def test_bytes_are_close_once_a_batch_has_shown_the_range(net: PolicyValueNet, name: str) -> None:
    fused, expected = FusedNetwork(net, with_bytes=True), evaluate(net, BATCHES[name])
    close(answer(fused, BATCHES[name]), expected, 1e-5)  # the first batch is for looking
    rounded = answer(fused, BATCHES[name])
    close(rounded, expected, 0.1)
    assert (rounded[0] - expected[0]).abs().max() > 1e-5


@pytest.mark.skipif(not bytes_compute_here(), reason="this build of torch can't")
def test_bytes_rank_moves_as_the_network_does() -> None:
    """With the released size, errors of rounding are small beside what positions differ by."""
    net = scramble(PolicyValueNet(NetworkConfig(blocks=4, channels=64)))
    generator = torch.Generator().manual_seed(1)
    drawings = ["".join(".XO"[i] for i in torch.randint(3, (20,), generator=generator)) for _ in range(64)]
    rows = ["\n".join(d[k : k + 5] for k in range(0, 20, 5)) for d in drawings]
    batch = stack(*(variant(0.3, row) for row in rows))
    fused = FusedNetwork(net, with_bytes=True)
    answer(fused, batch)
    (logits, wdl), (expected, expected_wdl) = answer(fused, batch), evaluate(net, batch)
    values = torch.stack((value_to_play(wdl), value_to_play(expected_wdl)))
    assert float(torch.corrcoef(values)[0, 1]) > 0.99
    assert float(torch.corrcoef(torch.stack((logits.flatten(), expected.flatten())))[0, 1]) > 0.99


@pytest.mark.skipif(not bytes_compute_here(), reason="this build of torch can't")
def test_bytes_cut_off_what_is_beyond_the_range() -> None:
    """They don't wrap round."""
    way, weight = Bytes(1.0, 1.0), torch.rand(4, 3, 3, 3)
    packed = way.pack(weight, None, 1, (1, 3, 5, 5))
    largest, beyond = (way.convolve(packed, way.given(torch.full((1, 3, 5, 5), x))) for x in (1.0, 100.0))
    torch.testing.assert_close(beyond, largest, rtol=0, atol=0)
    assert not way.given(torch.full((1, 3, 5, 5), -3.0)).any()


@pytest.mark.parametrize("with_bytes", [False, True])
def test_new_weights_count_once_it_is_told(net: PolicyValueNet, with_bytes: bool) -> None:
    fused, batch = (
        FusedNetwork(net, with_bytes=with_bytes and bytes_compute_here()),
        BATCHES["a single board"],
    )
    answer(fused, batch)
    answer(fused, batch)
    scramble(net, seed=1)
    fused.begin()
    close(answer(fused, batch), evaluate(net, batch), 1e-5)


def test_packed_weights_dont_pile_up() -> None:
    fused = FusedNetwork(scramble(PolicyValueNet(SMALL)))
    for number in range(MAX_PACKED):
        answer(fused, variant(number / MAX_PACKED))
    assert len(fused._packed) <= MAX_PACKED + 10
