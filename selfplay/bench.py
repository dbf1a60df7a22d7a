"""`selfplay bench`: how fast each layer runs on this machine, one core unless it says otherwise.

Every figure is the median of several repetitions; rates are per second. Beside each layer stands its ceiling:
memory bandwidth for search, the matrix rate for the network, the bare network for self-play, the bare forward
and backward pass for learning.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

import games
from games import UserError, Variant
from games.compiler import canvas_size, rules_of
from games.kernels import random_games, reset, seed_streams
from games.rules import MAX_LEGAL
from games.state import new_state
from mcts import RolloutEvaluator, SearchConfig, search, uniform_evaluator
from mcts.search import search_state
from selfplay.player_bench import bench_player
from selfplay.scaling import bench_scaling, tree_bytes

SEARCH_BATCH, SIMULATIONS = 256, 32
SEARCH_VARIANTS = ("connect4", "gomoku-9x9", "gomoku", "othello")
ARENA_GAMES, ARENA_SIMULATIONS = 256, 64
REPETITIONS = 7
REPETITION_SECONDS = 0.06

Report = Callable[[str], None]


LAYERS = ("start", "rules", "search", "network", "selfplay", "learner", "arena", "player", "meta", "scaling")


def run_bench(
    layers: Sequence[str], *, blocks: int, channels: int, batch: int, report: Report
) -> dict[str, Any]:
    """Measure some layers, or all; returns what `--json` writes. Raises `UserError` for an unknown layer."""
    unknown = set(layers) - set(LAYERS)
    if unknown:
        raise UserError(f"expected layers out of {', '.join(LAYERS)}, got {', '.join(sorted(unknown))}")
    network = {"blocks": blocks, "channels": channels}
    benches: dict[str, Callable[[], Any]] = {
        "start": lambda: bench_start(report),
        "rules": lambda: bench_rules(report),
        "search": lambda: bench_search(report),
        "network": lambda: bench_network(report, **network, batch=batch),
        "selfplay": lambda: bench_selfplay(report, **network, batch=batch),
        "learner": lambda: bench_learner(report, **network, threads=os.cpu_count() or 1),
        "arena": lambda: bench_arena(report, threads=os.cpu_count() or 1),
        "player": lambda: bench_player(report),
        "meta": lambda: _bench_meta(report, **network),
        "scaling": lambda: bench_scaling(report),
    }
    result: dict[str, Any] = {"machine": machine(), "shape": network}
    for layer in LAYERS:
        if not layers or layer in layers:
            report(f"-- {layer}")
            result[layer] = benches[layer]()
    return result


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.system(),
    }


def bench_start(report: Report) -> dict[str, float]:
    """Seconds of whole processes: help, all kernels cold and warm, a first move in the terminal."""
    warm_up = [sys.executable, "-c", "from selfplay.bench import warm_up; warm_up()"]
    move = [sys.executable, "-m", "selfplay", "play", "connect4"]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "SELFPLAY_CACHE": folder}
        row = {
            "cold_compile_seconds": _process_seconds(warm_up, environment),
            "warm_kernels_seconds": _median_process_seconds(warm_up, environment),
            "first_move_seconds": _median_process_seconds(move, environment, typed="d\n"),
            "help_seconds": _median_process_seconds(
                [sys.executable, "-m", "selfplay", "--help"], environment
            ),
        }
    for name, seconds in row.items():
        report(f"{name.replace('_', ' ')}: {seconds:.2f}")
    return row


def warm_up() -> None:
    """Run every kernel of playing, searching, self-play and learning once."""
    from selfplay.actor import Actor
    from selfplay.config import SelfPlayConfig
    from selfplay.replay import Replay

    variant = games.load("tictactoe")
    position = games.start(variant).play_text("b2")
    games.conformance.check(variant, games=1)
    search([position], uniform_evaluator, SearchConfig(simulations=2))
    search([position], RolloutEvaluator(), SearchConfig(simulations=2))
    actor = Actor([variant], SelfPlayConfig(threads=1, games=4, simulations=2), games=4, seed=0)
    replay = Replay([variant], capacity=100)
    while not replay.recorded:
        actor.advance(*uniform_evaluator(actor.observe()))
        for episode in actor.collect():
            replay.add(episode)
    replay.sample(np.random.default_rng(0), batch_size=2, window=10, search_value_share=0.0)


def bench_rules(report: Report) -> dict[str, dict[str, float]]:
    """Random playouts on one core for every variant of the catalogue: whole moves and actions a second."""
    rows = {}
    for name in games.names():
        rows[name] = row = _playout_rates(games.load(name))
        report(
            f"{name}: {row['moves_per_second'] / 1e6:.2f} M moves/s"
            f" ({row['actions_per_second'] / 1e6:.2f} M actions/s, {row['moves_per_game']:.1f} moves a game)"
        )
    return rows


def bench_search(report: Report) -> dict[str, dict[str, float]]:
    """Gumbel search with a uniform evaluator, batch 256, 32 simulations: simulations a second.

    A simulation writes a node and its edges at least; beside that rate stands the memory's (needs torch).
    """
    rows = {}
    bandwidth = _copy_rate()
    report(f"memory: {bandwidth / 1e9:.1f} GB/s")
    for name in SEARCH_VARIANTS:
        variant = games.load(name)
        rules = rules_of(variant)
        state = new_state(rules, SEARCH_BATCH)
        for row in range(SEARCH_BATCH):
            reset(rules, state, row, 0)
        config = SearchConfig(simulations=SIMULATIONS)

        def run(
            rules: Any = rules, state: Any = state, variant: Variant = variant, config: Any = config
        ) -> None:
            search_state(rules, state, canvas_size([variant]), uniform_evaluator, config, seed=0)

        rate = SEARCH_BATCH * SIMULATIONS / _median_seconds(run)
        bytes_per_game = tree_bytes(variant, simulations=SIMULATIONS)
        share = rate * bytes_per_game / SIMULATIONS / bandwidth
        rows[name] = {
            "simulations_per_second": rate,
            "bytes_per_game": float(bytes_per_game),
            "share_of_memory_bandwidth": share,
        }
        report(
            f"{name}: {rate / 1e6:.2f} M simulations/s, {bytes_per_game / 1024:.1f} KiB of tree a game, "
            f"{100 * share:.0f} % of the memory's bandwidth"
        )
    return {"memory": {"bytes_per_second": bandwidth}, **rows}


def _copy_rate() -> float:
    import torch

    from selfplay.ceilings import copy_rate

    torch.set_num_threads(1)
    return copy_rate(torch.device("cpu"))


def bench_network(report: Report, *, blocks: int, channels: int, batch: int) -> dict[str, float]:
    """The bare network on one core at several batch sizes: positions a second (needs torch)."""
    from selfplay.ceilings import forward_operations, matrix_rate

    net, evaluate = _network(blocks, channels)
    report(f"{blocks} blocks x {channels} channels, {evaluate.description}")
    ceiling = matrix_rate(evaluate.device, evaluate.dtype)
    operations = forward_operations(net, _observation(1))
    report(f"matrix products: {ceiling / 1e9:.0f} GFLOP/s; a position takes {operations / 1e6:.1f} MFLOP")
    rows = {"matrix_operations_per_second": ceiling, "operations_per_position": operations}
    for size in sorted({1, 64, batch}):
        observation = _observation(size)
        rate = size / _median_seconds(lambda o=observation: evaluate(o), repetitions=15)  # type: ignore[misc]
        share = rate * operations / ceiling
        rows |= {str(size): rate, f"{size}_share_of_matrix_rate": share}
        report(f"batch {size}: {rate:.0f} positions/s, {100 * share:.0f} % of the matrix rate")
    return rows


def bench_selfplay(report: Report, *, blocks: int, channels: int, batch: int) -> dict[str, float]:
    """Self-play of Connect Four on one core beside the bare network at the same batch, in alternation."""
    from selfplay.actor import Actor
    from selfplay.config import SelfPlayConfig
    from selfplay.kernels import EVALUATIONS, MOVES

    _, evaluate = _network(blocks, channels)
    config = SelfPlayConfig(threads=1, games=batch, simulations=SIMULATIONS)
    actor = Actor([games.load("connect4")], config, games=batch, seed=0)
    fixed = _observation(batch)

    def play(advances: int = 20) -> None:
        for _ in range(advances):
            actor.advance(*evaluate(actor.observe()))
            actor.collect()

    play(60)
    bare, played, moves = [], [], []
    for _ in range(REPETITIONS):
        bare.append(20 * batch / _seconds(lambda: [evaluate(fixed) for _ in range(20)]))
        before = actor.counts.copy()
        seconds = _seconds(play)
        counts = actor.counts - before
        played.append(counts[EVALUATIONS] / seconds)
        moves.append(counts[MOVES] / seconds)
    shares = [p / b for p, b in zip(played, bare, strict=True)]
    row = {
        "batch": float(batch),
        "simulations": float(config.simulations),
        "bare_network_evaluations_per_second": statistics.median(bare),
        "selfplay_evaluations_per_second": statistics.median(played),
        "share_of_bare_network": statistics.median(shares),
        "positions_per_second": statistics.median(moves),
    }
    report(
        f"batch {batch}: {row['selfplay_evaluations_per_second']:.0f} evaluations/s in self-play, "
        f"{100 * row['share_of_bare_network']:.0f} % of the bare network's, "
        f"{row['positions_per_second']:.0f} positions/s"
    )
    return row


def bench_learner(report: Report, *, blocks: int, channels: int, threads: int) -> dict[str, float]:
    """Gradient steps on Connect Four positions, as a run takes them: samples a second (needs torch)."""
    import torch

    from models import NetworkConfig, PolicyValueNet
    from models.evaluator import choose_device
    from selfplay.actor import Actor
    from selfplay.config import LearnerConfig, SelfPlayConfig
    from selfplay.learner import Learner
    from selfplay.replay import Replay

    variant = games.load("connect4")
    actor = Actor([variant], SelfPlayConfig(threads=1, games=256), games=256, seed=0)
    replay = Replay([variant], capacity=20_000)
    while replay.recorded < 2_000:
        actor.advance(*uniform_evaluator(actor.observe()))
        for episode in actor.collect():
            replay.add(episode)
    config = LearnerConfig()
    learner = Learner(
        PolicyValueNet(NetworkConfig(blocks=blocks, channels=channels)),
        config,
        device=choose_device("auto"),
        threads=threads,
    )
    rng = np.random.default_rng(0)
    torch.set_num_threads(1)

    def step() -> Any:
        batch = replay.sample(
            rng,
            batch_size=config.batch_size,
            window=20_000,
            search_value_share=config.search_value_share,
            with_sequel=any(config.auxiliary_weights),
        )
        learner.step(batch, progress=0.0)
        return batch

    fixed = step()
    seconds = [(_seconds(step), _seconds(lambda: learner.gradients(fixed))) for _ in range(REPETITIONS)]
    whole, bare = (config.batch_size / statistics.median(column) for column in zip(*seconds, strict=True))
    share = statistics.median(part / total for total, part in seconds)
    report(
        f"batch {config.batch_size}, {threads} threads: {whole:.0f} samples/s, "
        f"{100 * share:.0f} % of the bare forward and backward pass's"
    )
    return {
        "batch": float(config.batch_size),
        "threads": float(threads),
        "samples_per_second": whole,
        "bare_samples_per_second": bare,
        "share_of_bare_passes": share,
    }


def bench_arena(report: Report, *, threads: int) -> dict[str, float]:
    """Connect Four with the released network: a match beside self-play, on all cores.

    Both take `ARENA_SIMULATIONS` a move; self-play is timed once every game was played to its end, when its
    cache is warm. A match needs more evaluations a move: a player finds only its own last search remembered,
    self-play also the one before, and some of its games begin alike.
    """
    rows = {"match": _match_rates(threads), "selfplay": _selfplay_rates(threads)}
    for name, (moves, evaluations) in rows.items():
        report(
            f"{name}, {ARENA_GAMES} games, {ARENA_SIMULATIONS} simulations, {threads} threads: "
            f"{evaluations:.0f} evaluations/s, {moves:.0f} moves/s"
        )
    return {
        "games": float(ARENA_GAMES),
        "simulations": float(ARENA_SIMULATIONS),
        "threads": float(threads),
        **{f"{name}_moves_per_second": rates[0] for name, rates in rows.items()},
        **{f"{name}_evaluations_per_second": rates[1] for name, rates in rows.items()},
    }


def _match_rates(threads: int) -> tuple[float, float]:
    """Moves and network evaluations a second of a match between two players with the released network."""
    from selfplay.match import play_match
    from selfplay.openings import draw_openings
    from selfplay.opponents.network import ThreadedEvaluator
    from selfplay.player import Player, search_config

    net = _released_network()
    asked: list[int] = []

    def player(name: str) -> Player:
        evaluator = ThreadedEvaluator(net)

        def counted(observation: games.Observation) -> Any:
            asked.append(len(observation.legal))
            return evaluator(observation)

        return Player(counted, search_config(ARENA_SIMULATIONS), name=name, threads=threads)

    first, second = player("first"), player("second")
    openings = draw_openings(games.load("connect4"), ARENA_GAMES // 2).positions
    play_match(first, second, openings[:8])
    asked.clear()
    began = time.perf_counter()
    result = play_match(first, second, openings)
    seconds = time.perf_counter() - began
    first.close()
    second.close()
    return result.plies / seconds, sum(asked) / seconds


def _selfplay_rates(threads: int) -> tuple[float, float]:
    """The same of self-play, one batch of games a thread."""
    import torch

    from models import NetworkEvaluator
    from selfplay.actor import Actor
    from selfplay.config import SelfPlayConfig
    from selfplay.kernels import EVALUATIONS, MOVES

    net = _released_network()
    config = SelfPlayConfig(threads=threads, games=ARENA_GAMES, simulations=ARENA_SIMULATIONS)
    batch = ARENA_GAMES // threads
    actors = [Actor([games.load("connect4")], config, games=batch, seed=seed) for seed in range(threads)]

    def play(actor: Actor) -> Any:
        torch.set_num_threads(1)
        evaluator = NetworkEvaluator(net)
        began, before, ended = time.perf_counter(), actor.counts.copy(), 0
        while ended < 2 * batch:
            actor.advance(*evaluator(actor.observe()))
            over = len(actor.collect())
            if ended < batch <= ended + over:
                began, before = time.perf_counter(), actor.counts.copy()
            ended += over
        return (actor.counts - before) / (time.perf_counter() - began)

    with ThreadPoolExecutor(threads) as pool:
        rates = sum(pool.map(play, actors))
    return float(rates[MOVES]), float(rates[EVALUATIONS])


def _released_network() -> Any:
    import models
    from models.format import zoo_file

    net, _ = models.load_checkpoint(zoo_file("connect4.safetensors"))
    return net


def _bench_meta(report: Report, *, blocks: int, channels: int) -> dict[str, Any]:
    """An outer step of 16 tasks as one batch and task by task; smaller where there is no GPU."""
    import torch

    from selfplay.meta.bench import bench_meta

    size = {} if torch.cuda.is_available() else {"positions": 16, "steps": 2, "repetitions": 1}
    return bench_meta(report, blocks=blocks, channels=channels, **size)


def _playout_rates(variant: Variant) -> dict[str, float]:
    """Medians over repetitions of about `REPETITION_SECONDS` each."""
    rules = rules_of(variant)
    state, rng = new_state(rules, 1), seed_streams(0, 1)
    scratch = np.zeros(int(rules.flags[0, MAX_LEGAL]) + 1, np.int16)
    random_games(rules, state, 0, 10, rng, scratch)
    seconds = _seconds(lambda: random_games(rules, state, 0, 50, rng, scratch)) / 50
    count = max(10, round(REPETITION_SECONDS / seconds))
    rows = []
    for _ in range(REPETITIONS):
        started = time.perf_counter()
        actions, moves = random_games(rules, state, 0, count, rng, scratch)
        seconds = time.perf_counter() - started
        rows.append((moves / seconds, actions / seconds, moves / count))
    names = ("moves_per_second", "actions_per_second", "moves_per_game")
    return dict(zip(names, np.median(rows, axis=0).tolist(), strict=True))


def _network(blocks: int, channels: int) -> tuple[Any, Any]:
    """A fresh network and its evaluator, on one thread."""
    import torch

    from models import NetworkConfig, NetworkEvaluator, PolicyValueNet

    torch.set_num_threads(1)
    torch.manual_seed(0)
    net = PolicyValueNet(NetworkConfig(blocks=blocks, channels=channels))
    return net, NetworkEvaluator(net)


def _observation(batch: int) -> games.Observation:
    rng = np.random.default_rng(0)
    variant = games.load("connect4")
    positions: list[games.Position] = []
    while len(positions) < batch:
        position = games.start(variant)
        while not position.is_over and len(positions) < batch:
            positions.append(position)
            position = position.play(int(rng.choice(position.legal_actions)))
    return games.observe(positions)


def _process_seconds(command: list[str], environment: dict[str, str], typed: str = "") -> float:
    return _seconds(
        lambda: subprocess.run(
            command, env=environment, input=typed.encode(), capture_output=True, check=True
        )
    )


def _median_process_seconds(command: list[str], environment: dict[str, str], typed: str = "") -> float:
    _process_seconds(command, environment, typed)
    return statistics.median(_process_seconds(command, environment, typed) for _ in range(REPETITIONS))


def _seconds(function: Callable[[], object]) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def _median_seconds(function: Callable[[], object], *, repetitions: int = REPETITIONS) -> float:
    function()
    return statistics.median(_seconds(function) for _ in range(repetitions))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    flags = next((line for line in lines if line.startswith("flags")), "")
    features = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags]
    return f"{names[0] if names else platform.machine()} ({', '.join(features)})"
