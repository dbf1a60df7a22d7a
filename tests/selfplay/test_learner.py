"""The learner against numpy and plain loops."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import games
from games import Position, observe
from models import NetworkConfig, PolicyValueNet
from models.auxiliary import Foresight, foresight_losses
from selfplay.config import LearnerConfig
from selfplay.learner import Learner, losses
from selfplay.replay import Batch, Sequel

CPU = torch.device("cpu")
TINY = NetworkConfig(blocks=2, channels=8, policy_hidden=4, value_hidden=8, rule_hidden=8)


def random_batch(rows: int, *, seed: int, name: str = "connect3-4x4") -> Batch:
    """Positions of random games with random policies over their legal actions and random value targets."""
    rng = np.random.default_rng(seed)
    positions: list[Position] = []
    while len(positions) < rows:
        position = games.start(games.load(name))
        while not position.is_over and len(positions) < rows:
            positions.append(position)
            position = position.play(rng.choice(position.legal_actions))
    observation = observe(positions)
    policy = np.where(observation.legal, rng.exponential(size=observation.legal.shape), 0)
    wdl = rng.dirichlet([1, 1, 1], rows)
    return Batch(
        observation,
        (policy / policy.sum(1, keepdims=True)).astype(np.float32),
        wdl.astype(np.float32),
        observation.legal.argmax(1),
        rng.integers(-1, 2, rows).astype(np.float32),
    )


def tiny_learner(*, seed: int = 0, threads: int = 1, **changes: object) -> Learner:
    torch.manual_seed(seed)
    heads = {"reply_weight": 0.0, "owners_weight": 0.0, "plies_weight": 0.0}
    config = LearnerConfig.model_validate({"precision": "float32", "warmup_steps": 0} | heads | changes)
    return Learner(PolicyValueNet(TINY), config, device=CPU, threads=threads)


def weights(learner: Learner) -> dict[str, NDArray[np.float32]]:
    return {name: value.detach().numpy().copy() for name, value in learner.net.state_dict().items()}


# --- losses ---


def test_losses_are_those_of_numpy() -> None:
    """Float64, row by row, legal actions only; 0 * log 0 is 0."""
    rng = np.random.default_rng(1)
    logits, wdl_logits = rng.normal(size=(6, 11)), rng.normal(size=(6, 3))
    legal = rng.random((6, 11)) < 0.6
    policy = np.where(legal, rng.exponential(size=(6, 11)), 0)
    policy[:, np.argmax(legal[0])] *= 0
    policy /= policy.sum(1, keepdims=True)
    wdl = rng.dirichlet([1, 1, 1], 6)
    divergences, entropies = [], []
    for row in range(6):
        at = np.flatnonzero(legal[row])
        chances = np.exp(logits[row, at]) / np.exp(logits[row, at]).sum()
        pairs = [(p, q) for p, q in zip(policy[row, at], chances, strict=True) if p > 0]
        divergences.append(sum(p * math.log(p / q) for p, q in pairs))
        outcome = np.exp(wdl_logits[row]) / np.exp(wdl_logits[row]).sum()
        entropies.append(-sum(wdl[row] * np.log(outcome)))
    arrays = (logits, wdl_logits, legal, policy, wdl)
    policy_loss, value_loss = losses(*(torch.from_numpy(a) for a in arrays))
    assert float(policy_loss) == pytest.approx(np.mean(divergences), rel=1e-6)
    assert float(value_loss) == pytest.approx(np.mean(entropies), rel=1e-6)


def test_illegal_logits_dont_matter_and_get_no_gradient() -> None:
    torch.manual_seed(2)
    logits = torch.randn(4, 9, requires_grad=True)
    legal = torch.rand(4, 9) < 0.5
    legal[:, 0] = True
    policy = torch.where(legal, torch.rand(4, 9), 0.0)
    policy /= policy.sum(1, keepdim=True)
    wdl_logits, wdl = torch.zeros(4, 3), torch.full((4, 3), 1 / 3)
    loss, _ = losses(logits, wdl_logits, legal, policy, wdl)
    other, _ = losses(logits + 50 * ~legal, wdl_logits, legal, policy, wdl)
    assert torch.equal(loss, other)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert (gradient[~legal] == 0).all()
    assert (gradient[legal] != 0).any()


def test_a_perfect_prediction_costs_nothing() -> None:
    policy = torch.tensor([[0.5, 0.25, 0.25, 0.0]])
    legal = torch.tensor([[True, True, True, False]])
    wdl = torch.tensor([[1.0, 0.0, 0.0]])
    policy_loss, value_loss = losses(policy.log(), torch.tensor([[80.0, 0.0, 0.0]]), legal, policy, wdl)
    assert float(policy_loss) == pytest.approx(0, abs=1e-6)
    assert float(value_loss) == pytest.approx(0, abs=1e-6)


def test_a_step_reports_the_losses_before_it() -> None:
    learner, batch = tiny_learner(), random_batch(32, seed=3)
    with torch.no_grad():
        logits, wdl_logits = learner.net(
            torch.from_numpy(batch.observation.planes), torch.from_numpy(batch.observation.rules)
        )
    arrays = (batch.observation.legal, batch.policy, batch.wdl)
    expected = losses(logits, wdl_logits, *(torch.from_numpy(a) for a in arrays))
    told = learner.step(batch, progress=0.0)
    assert told.policy_loss == pytest.approx(float(expected[0]), rel=1e-5)
    assert told.value_loss == pytest.approx(float(expected[1]), rel=1e-5)


# --- auxiliary heads ---


def with_sequel(batch: Batch, *, seed: int) -> Batch:
    rng, (rows, actions) = np.random.default_rng(seed), batch.policy.shape
    reply = rng.integers(-1, actions, rows)
    owners = rng.integers(0, 3, (rows, actions - 2))
    return batch._replace(sequel=Sequel(reply, owners, rng.integers(1, 9, rows).astype(np.float32)))


def test_auxiliary_losses_are_those_of_numpy() -> None:
    """Row by row and cell by cell, holes and canvas left out; no reply, no loss."""
    rng = np.random.default_rng(6)
    mask = np.ones((3, 1, 2, 4), np.float32)
    mask[0, 0, 1, 1] = mask[1:, 0, :, 3] = 0
    reply, owners = np.array([6, -1, 9]), rng.integers(0, 3, (3, 2, 4))
    expected = (rng.normal(size=(3, 10)), rng.normal(size=(3, 3, 2, 4)), rng.normal(size=3))
    plies, surprises, errors = np.array([1.0, 4.0, 30.0]), [], []
    for row in (0, 2):
        at = [*np.flatnonzero(mask[row].ravel()), 8, 9]
        logits = expected[0][row]
        surprises.append(np.log(np.exp(logits[at]).sum()) - logits[reply[row]])
    for row, y, x in np.argwhere(mask[:, 0] == 1):
        logits = expected[1][row, :, y, x]
        errors.append(np.log(np.exp(logits).sum()) - logits[owners[row, y, x]])
    off = np.abs(expected[2] - np.log1p(plies))
    tensors = [torch.from_numpy(part) for part in (reply, owners, plies, mask)]
    found = foresight_losses(Foresight(*map(torch.from_numpy, expected)), *tensors)
    assert float(found.reply) == pytest.approx(np.mean(surprises), rel=1e-5)
    assert float(found.owners) == pytest.approx(np.mean(errors), rel=1e-5)
    assert float(found.plies) == pytest.approx(np.where(off < 1, off**2 / 2, off - 0.5).mean(), rel=1e-5)


AUXILIARY = {"reply_weight": 0.15, "owners_weight": 0.5, "plies_weight": 0.1}


def test_auxiliary_heads_learn_and_teach_the_tower() -> None:
    batch = with_sequel(random_batch(64, seed=7), seed=7)
    learner, plain = tiny_learner(**AUXILIARY), tiny_learner()
    told = [learner.step(batch, progress=0.0) for _ in range(60)]
    assert told[-1].auxiliary_loss < 0.8 * told[0].auxiliary_loss
    assert plain.step(batch, progress=0.0).auxiliary_loss == 0
    assert weights(learner).keys() == weights(plain).keys()  # they stay with the learner


def test_each_threads_share_gives_the_auxiliary_gradients_too() -> None:
    batch = with_sequel(random_batch(64, seed=8), seed=8)
    batch = batch._replace(sequel=batch.sequel and batch.sequel._replace(reply=np.zeros(64, np.int64)))
    one, two = tiny_learner(**AUXILIARY), tiny_learner(**AUXILIARY, threads=2)
    first, second = one.step(batch, progress=0.0), two.step(batch, progress=0.0)
    assert first == pytest.approx(second, rel=1e-4)


def test_a_restored_learner_keeps_its_auxiliary_heads() -> None:
    batch = with_sequel(random_batch(32, seed=9), seed=9)
    learner, other = tiny_learner(**AUXILIARY), tiny_learner(seed=1, **AUXILIARY)
    learner.step(batch, progress=0.0)
    other.restore(learner.state(), steps=1)
    assert learner.step(batch, progress=0.0) == other.step(batch, progress=0.0)
    for name, value in learner.state().items():
        assert torch.equal(value, other.state()[name])


# --- averaged weights ---


def test_averaged_weights_are_those_of_a_plain_loop() -> None:
    """decay_t = min(ema_decay, t / (t + 10)): at first nearly the last weights, later slower."""
    learner = tiny_learner(ema_decay=0.3)
    average = weights(learner)
    for step in range(1, 9):
        learner.step(random_batch(16, seed=step), progress=0.0)
        decay = min(0.3, step / (step + 10))
        average = {n: decay * average[n] + (1 - decay) * v for n, v in weights(learner).items()}
    for name, value in learner.ema.items():
        np.testing.assert_allclose(value.numpy(), average[name], rtol=1e-4, atol=1e-6)


def test_averaged_weights_are_copies() -> None:
    learner = tiny_learner(ema_decay=0.9)
    learner.step(random_batch(16, seed=0), progress=0.0)
    name = "value.output.bias"
    before = learner.ema[name].clone()
    with torch.no_grad():
        learner.net.state_dict()[name] += 1
    assert torch.equal(learner.ema[name], before)


# --- the schedule ---


@pytest.mark.parametrize(
    ("steps", "progress", "rate"),
    [
        (0, 0.0, 0.001),  # the first of ten warm-up steps
        (4, 0.0, 0.005),
        (9, 0.0, 0.01),
        (500, 0.0, 0.01),
        (500, 0.5, 0.01 * (0.2 + 0.8 * 0.5)),
        (500, 1 / 3, 0.01 * (0.2 + 0.8 * 0.75)),  # cos 60 degrees is a half
        (500, 1.0, 0.002),
        (500, 1.7, 0.002),
        (4, 1.0, 0.001),  # warm-up and cosine multiply
    ],
)
def test_the_rate_rises_linearly_and_falls_as_a_cosine(steps: int, progress: float, rate: float) -> None:
    learner = tiny_learner(learning_rate=0.01, final_rate=0.2, warmup_steps=10)
    learner.steps = steps
    assert learner.learning_rate(progress) == pytest.approx(rate)


def test_the_optimiser_uses_the_scheduled_rate() -> None:
    """A first step of Adam moves every weight by just the rate: m / sqrt(v) is 1 (Kingma & Ba, 2015)."""
    learner = tiny_learner(learning_rate=0.01, final_rate=0.0, weight_decay=0.0)
    before = weights(learner)["value.output.bias"]
    learner.step(random_batch(16, seed=0), progress=0.5)
    moved = np.abs(weights(learner)["value.output.bias"] - before)
    np.testing.assert_allclose(moved, 0.005, rtol=1e-3)


# --- gradients ---


@pytest.mark.parametrize("resumes", [False, True])
def test_steps_are_those_of_adamw_whatever_the_memory_layout(resumes: bool) -> None:
    """A second, plain AdamW takes the same gradients; kernels of the network are stored channels-last."""
    learner = tiny_learner(optimizer="adamw")
    kernel = learner.net.stem.weight
    assert kernel.is_contiguous(memory_format=torch.channels_last)
    assert not kernel.is_contiguous()
    ours = list(learner.net.parameters())
    plain = [torch.nn.Parameter(p.detach().clone(memory_format=torch.contiguous_format)) for p in ours]
    optimizer = torch.optim.AdamW(
        [{"params": [q for q in plain if q.ndim > 1], "weight_decay": learner.config.weight_decay},
         {"params": [q for q in plain if q.ndim <= 1], "weight_decay": 0.0}],
        lr=1.0,
    )  # fmt: skip
    for step in range(5):
        if resumes and step == 3:
            learner.restore(learner.state(), steps=learner.steps)
        learner.step(random_batch(32, seed=step), progress=0.1)
        for group in optimizer.param_groups:
            group["lr"] = learner._descent.groups[0]["lr"]
        for theirs, own in zip(plain, ours, strict=True):
            theirs.grad = own.grad.clone()
        optimizer.step()
    for theirs, own in zip(plain, ours, strict=True):
        torch.testing.assert_close(theirs, own, rtol=1e-4, atol=1e-6)


def test_gradients_are_clipped_to_the_norm() -> None:
    """What the optimiser sees has the norm 1e-3, what is reported is the norm before."""
    learner = tiny_learner(clip_norm=1e-3)
    told = learner.step(random_batch(32, seed=4), progress=0.0)
    clipped = math.sqrt(sum(float((p.grad**2).sum()) for p in learner.net.parameters() if p.grad is not None))
    assert told.gradient_norm > 1e-2
    assert clipped == pytest.approx(1e-3, rel=1e-3)


def test_small_gradients_stay_as_they_are() -> None:
    learner = tiny_learner(clip_norm=1e6)
    told = learner.step(random_batch(32, seed=4), progress=0.0)
    norm = math.sqrt(sum(float((p.grad**2).sum()) for p in learner.net.parameters() if p.grad is not None))
    assert norm == pytest.approx(told.gradient_norm, rel=1e-5)


def test_value_weight_scales_the_value_heads_gradient() -> None:
    gradients = []
    for weight in (1.0, 3.0):
        learner = tiny_learner(value_weight=weight, clip_norm=1e9)
        learner.step(random_batch(32, seed=5), progress=0.0)
        gradients.append(learner.net.value.output.bias.grad)
    assert gradients[0] is not None
    np.testing.assert_allclose(3 * gradients[0], gradients[1], rtol=1e-4)


@pytest.mark.parametrize("threads", [2, 3])
def test_sharing_a_batch_over_threads_gives_the_same_gradients(threads: int) -> None:
    """33 rows don't divide evenly; each row counts the same all the same."""
    one, shared = tiny_learner(clip_norm=1e9), tiny_learner(clip_norm=1e9, threads=threads)
    batch = random_batch(33, seed=6)
    told, alike = one.step(batch, progress=0.0), shared.step(batch, progress=0.0)
    np.testing.assert_allclose(told, alike, rtol=1e-5)
    for p, q in zip(one.net.parameters(), shared.net.parameters(), strict=True):
        assert p.grad is not None
        assert q.grad is not None
        np.testing.assert_allclose(p.grad, q.grad, rtol=1e-3, atol=1e-6)


def test_a_batch_smaller_than_the_threads_is_learned_from() -> None:
    told = tiny_learner(threads=4).step(random_batch(2, seed=7), progress=0.0)
    alike = tiny_learner(threads=1).step(random_batch(2, seed=7), progress=0.0)
    np.testing.assert_allclose(told, alike, rtol=1e-5)


def test_matrices_and_kernels_decay_and_the_rest_does_not() -> None:
    """Weights that get no gradient shrink by rate * decay if they have more than one dimension."""
    learner = tiny_learner(weight_decay=0.5, learning_rate=0.1)
    groups = learner._descent.groups
    names = {id(p): name for name, p in learner.net.named_parameters()}
    decayed = {names[id(p)] for g in groups if g["weight_decay"] > 0 for p in g["params"]}
    others = {names[id(p)] for g in groups if g["weight_decay"] == 0 for p in g["params"]}
    assert decayed | others == set(names.values())
    assert all(name.endswith(".weight") for name in decayed)
    assert all(name.endswith(".bias") for name in others)
    assert {g["weight_decay"] for g in groups} == {0.0, 0.5}


# --- learning ---


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_one_batch_can_be_learned_by_heart(precision: str, optimizer: str) -> None:
    learner = tiny_learner(learning_rate=0.01, final_rate=0.1, precision=precision, optimizer=optimizer)
    batch = random_batch(8, seed=8)
    batch = batch._replace(wdl=np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2, 0, 1]])
    first = learner.step(batch, progress=0.0)
    for step in range(250):
        last = learner.step(batch, progress=step / 250)
    assert first.policy_loss > 0.2
    assert first.value_loss > 1
    assert last.policy_loss < 0.03
    assert last.value_loss < 0.1


# --- saving ---


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_restored_learner_goes_on_to_the_bit(precision: str, threads: int, optimizer: str) -> None:
    """Into a learner with other weights and other moments, after a way over plain tensors."""
    settings = {"precision": precision, "threads": threads, "warmup_steps": 8, "optimizer": optimizer}
    learner, other = tiny_learner(**settings), tiny_learner(seed=1, **settings)  # type: ignore[arg-type]
    for step in range(4):
        learner.step(random_batch(16, seed=step), progress=0.1)
        other.step(random_batch(16, seed=step + 50), progress=0.1)
    saved = learner.state()
    told = [learner.step(random_batch(16, seed=step), progress=0.2) for step in range(4, 8)]
    other.restore(saved, steps=4)
    assert [other.step(random_batch(16, seed=step), progress=0.2) for step in range(4, 8)] == told
    one, again = learner.state(), other.state()
    assert one.keys() == again.keys()
    assert all(torch.equal(one[name], again[name]) for name in one)


def test_a_state_doesnt_change_when_training_goes_on() -> None:
    learner = tiny_learner()
    learner.step(random_batch(16, seed=0), progress=0.0)
    saved = learner.state()
    copied = {name: value.clone() for name, value in saved.items()}
    learner.step(random_batch(16, seed=1), progress=0.0)
    assert all(torch.equal(saved[name], copied[name]) for name in saved)
    assert any(not torch.equal(saved[name], value) for name, value in learner.state().items())


def test_a_learner_can_be_saved_before_its_first_step() -> None:
    learner, other = tiny_learner(), tiny_learner(seed=1)
    other.restore(learner.state(), steps=0)
    batches = [random_batch(16, seed=step) for step in range(3)]
    assert [learner.step(b, progress=0.0) for b in batches] == [other.step(b, progress=0.0) for b in batches]


def test_steps_are_counted() -> None:
    learner = tiny_learner(warmup_steps=100)
    rates = []
    for step in range(3):
        assert learner.steps == step
        rates.append(learner.learning_rate(0.0))
        learner.step(random_batch(8, seed=step), progress=0.0)
    assert all(later > earlier for earlier, later in pairwise(rates))
