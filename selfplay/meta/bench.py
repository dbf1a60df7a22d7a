"""How fast a meta-update is when the inner loops of its tasks run as one batch."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from games.encoding import EXTRA_ACTIONS, MAX_SIZE, PLANES, RULE_FEATURES
from models.config import NetworkConfig
from models.network import COLUMNS, ON_BOARD, ROWS, WRAP_COLUMNS, PolicyValueNet
from selfplay.meta.algorithms import algorithm
from selfplay.meta.algorithms.config import MetaLearningConfig
from selfplay.meta.algorithms.maml import Maml
from selfplay.meta.inner import Trial, of_task
from selfplay.meta.outer import NET, part
from selfplay.meta.tasks import Samples, TaskBatch

TASKS, SIZE = 16, 6
"""Tasks of a step, and rows and columns of their boards."""

REPETITIONS = 5


def bench_meta(
    report: Callable[[str], None],
    *,
    blocks: int = 4,
    channels: int = 64,
    positions: int = 64,
    steps: int = 3,
    repetitions: int = REPETITIONS,
) -> dict[str, Any]:
    """Seconds of an inner and outer step over 16 tasks, batched and in a Python loop; medians.

    On the GPU if there is one, else on one core. `positions` are those of each support and of each query.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _bench(report, NetworkConfig(blocks=blocks, channels=channels), positions, steps, repetitions)
    finally:
        torch.set_num_threads(threads)


def _bench(
    report: Callable[[str], None], shape: NetworkConfig, positions: int, steps: int, repetitions: int
) -> dict[str, Any]:
    """What `bench_meta` does, on however many threads."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    net = PolicyValueNet(shape).to(device)
    tasks = TaskBatch(
        tuple(f"task {i}" for i in range(TASKS)),
        random_samples(TASKS, positions, SIZE, device=device),
        random_samples(TASKS, positions, SIZE, device=device),
    )
    result: dict[str, Any] = {"device": device.type, "tasks": TASKS, "positions": positions, "steps": steps}
    for name in ("fomaml", "maml"):
        batched = algorithm(name, net, MetaLearningConfig(inner_steps=steps))
        looped = algorithm(name, net, MetaLearningConfig(inner_steps=steps))
        assert isinstance(looped, Maml)
        seconds = _median(partial(batched.outer_step, tasks), device, repetitions)
        loop_seconds = _median(partial(loop_outer_step, looped, tasks), device, repetitions)
        result[name] = {"batched": seconds, "loop": loop_seconds, "speedup": loop_seconds / seconds}
        report(f"{name:<8} {seconds:8.4f} s batched {loop_seconds:8.4f} s task by task  on {device.type}")
    return result


def loop_outer_step(algorithm: Maml, tasks: TaskBatch) -> float:
    """`Maml.outer_step` one task at a time; returns the gradient's norm."""
    trained = algorithm.outer.trained
    inner, outer = algorithm.objective.inner(tasks.support), algorithm.objective.outer(tasks.query)
    trial = Trial(algorithm.loop(trained), inner, outer, algorithm.step_weights(0.0))
    batches = algorithm.support_batches(tasks)
    losses = [
        trial.of_task(
            part(trained, NET), [of_task(b, index) for b in batches], of_task(tasks.query, index)
        ).outer
        for index in range(len(tasks.names))
    ]
    return algorithm.outer.learn(torch.stack(losses).mean(), progress=0.0)


def random_samples(
    tasks: int, positions: int, size: int, *, device: torch.device | str = "cpu", seed: int = 0
) -> Samples:
    """Samples `[K, N, …]` of square boards with random stones, rules and targets; played and outcome too."""
    generator = torch.Generator().manual_seed(seed)
    shape, actions = (tasks, positions), size * size + EXTRA_ACTIONS

    def uniform(*rest: int) -> torch.Tensor:
        return torch.rand(*shape, *rest, generator=generator)

    planes = (uniform(len(PLANES), size, size) < 0.3).float()
    planes[:, :, ON_BOARD] = 1.0
    rules = torch.rand(tasks, 1, len(RULE_FEATURES), generator=generator).repeat(1, positions, 1)
    rules = rules * (torch.arange(len(RULE_FEATURES)) > WRAP_COLUMNS)
    rules[..., ROWS] = rules[..., COLUMNS] = size / MAX_SIZE
    legal = uniform(actions) < 0.7
    legal[..., 0] = True
    policy = uniform(actions) * legal
    wdl = uniform(3)
    samples = Samples(
        planes,
        rules,
        legal,
        policy / policy.sum(-1, keepdim=True),
        wdl / wdl.sum(-1, keepdim=True),
        legal.int().argmax(-1),
        (uniform() * 3).floor() - 1,
    )
    return Samples(*(tensor.to(device) for tensor in samples))


def _median(step: Callable[[], object], device: torch.device, repetitions: int) -> float:
    """Seconds of a step that was warmed up."""
    seconds = []
    for repetition in range(repetitions + 1):
        begun = time.perf_counter()
        step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        if repetition:
            seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)
