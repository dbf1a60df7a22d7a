"""Measure initialisations on the test variants: adaptation curves, play without adaptation, five minutes.

    python benchmarks/meta_study.py --plan benchmarks/meta_arms.toml --processes 2
    python benchmarks/meta_study.py --arm scratch --arm joint=models/zoo/meta.safetensors --seeds 1
    python benchmarks/meta_study.py --plan benchmarks/meta_arms.toml --only joint --zero-shot
    python benchmarks/meta_study.py --plan benchmarks/meta_arms.toml --only joint --minutes 5

Each line of a result is one arm in one variant with one seed. What is there isn't measured again, so a run
that was stopped goes on. Strength is the share of moves that keep the value where a mistake is possible; for
variants without solved positions it is the share of points against `mcts:1000` from even openings.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from games import UserError, Variant
from selfplay.meta.plan import Arm, Plan, plan_of, read_plan
from selfplay.meta.split import load_split
from selfplay.meta.study import Row, append_row, read_rows

RESULTS = Path(__file__).parent / "results" / "meta"
CURVES, ZERO_SHOT, MINUTES = "curves.jsonl", "zero_shot.jsonl", "minutes.jsonl"

AT = (0, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
MOST_CELLS = 49
"""Boards that five minutes are measured on; no test variant is larger."""


@dataclass(frozen=True)
class Settings:
    """How everything of a study is measured."""

    at: tuple[int, ...] = AT
    simulations: tuple[int, ...] = (0, 64)
    games: int = 40
    rollouts: int = 1000
    minutes: float | None = None
    zero_shot: bool = False
    settings: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """Which file the rows belong to."""
        return ZERO_SHOT if self.zero_shot else MINUTES if self.minutes is not None else CURVES


@dataclass(frozen=True)
class Job:
    """One row to measure; network: the initialisation whose network's shape fresh weights have."""

    name: str
    arm: Arm
    network: Path | None
    variant: str
    kind: str
    seed: int
    how: Settings


def main() -> None:
    """Measure what isn't there yet."""
    arguments = _arguments()
    try:
        plan = plan_of(arguments.arm) if arguments.arm else read_plan(arguments.plan)
        jobs = list(_jobs(plan, arguments))
        path = arguments.results / jobs[0].how.file if jobs else arguments.results / CURVES
        open_jobs = unmeasured(jobs, read_rows(path), path)
        print(f"{path}: {len(jobs) - len(open_jobs)} of {len(jobs)} rows are there", flush=True)
        run(open_jobs, path, processes=1 if arguments.minutes is not None else arguments.processes)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def unmeasured(jobs: Sequence[Job], rows: Sequence[Row], path: Path) -> list[Job]:
    """The jobs without a row; raises `UserError` if an arm's name was used for something else."""
    known = {(row["arm"], row["digest"], row["seed"]): row["conditions"] for row in rows}
    digests = {variant.name: variant.digest for _, variant in exam_variants()}
    left = []
    for job in jobs:
        there = known.get((job.name, digests[job.variant], job.seed))
        if there is None:
            left.append(job)
        elif there != conditions(job):
            raise UserError(
                f"{path}: expected the arm {job.name} under another name, got one that is there with another "
                "initialisation, settings, points or suite"
            )
    return left


def run(jobs: Sequence[Job], path: Path, *, processes: int) -> None:
    """Measure jobs side by side and append their rows; one job's process has one core, unless alone."""
    began = time.perf_counter()
    with Workers(processes) as pool:
        waiting = {pool.submit(measured, job): job for job in jobs}
        for done, future in enumerate(as_completed(waiting), 1):
            row = future.result()
            append_row(path, row)
            left = (time.perf_counter() - began) / done * (len(jobs) - done)
            print(f"{done}/{len(jobs)}, {left / 60:.0f} min left: {_line(row)}", flush=True)


class Workers:
    """A pool of processes that Ctrl-C, or a failure, ends at once; whole rows are kept."""

    def __init__(self, processes: int) -> None:
        if processes > 1:
            os.environ.update(OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1", MKL_NUM_THREADS="1")
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(processes, context, initializer=_begin)

    def __enter__(self) -> ProcessPoolExecutor:
        return self._pool

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        workers = list((self._pool._processes or {}).values()) if kind else []
        self._pool.shutdown(wait=kind is None, cancel_futures=True)
        for worker in workers:
            worker.terminate()


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers


# --- one row ------------------------------------------------------------------------------------------------


def measured(job: Job) -> Row:
    """A row: the job's facts and what was measured."""
    variant = next(variant for _, variant in exam_variants() if variant.name == job.variant)
    began = time.perf_counter()
    if job.how.zero_shot:
        measure, found = "match", _zero_shot(job, variant)
    elif job.how.minutes is not None:
        measure, found = _after_minutes(job, variant)
    else:
        measure, found = _curve(job, variant)
    return {
        "arm": job.name,
        "algorithm": _algorithm(job.arm),
        "init": None if job.arm.init is None else job.arm.init.name,
        "conditions": conditions(job),
        "variant": job.variant,
        "digest": variant.digest,
        "kind": job.kind,
        "cells": _cells(variant),
        "seed": job.seed,
        "measure": measure,
        **found,
        "total_seconds": round(time.perf_counter() - began, 1),
    }


def _curve(job: Job, variant: Variant) -> tuple[str, dict[str, Any]]:
    import torch

    from selfplay.loop import Training
    from selfplay.meta.initialisation import Initialisation
    from selfplay.meta.measuring import measured_curve

    torch.set_num_threads(1)
    config = _config(job)
    if job.arm.init is None:
        training = Training(config, (variant,))
    else:
        initial = replace(Initialisation.load(job.arm.init), trusted=job.arm.trusted)
        training = initial.training(config, (variant,))
    kind, measure = _measure(variant, job.how)
    points = measured_curve(training, measure, job.how.at)
    return kind, {"simulations": config.selfplay.simulations, "points": points}


def _zero_shot(job: Job, variant: Variant) -> dict[str, Any]:
    import torch

    from selfplay.meta.initialisation import Initialisation
    from selfplay.meta.measuring import match_with_search, points_of
    from selfplay.opponents import load_contestant
    from selfplay.opponents.network import network_player

    torch.set_num_threads(1)
    games, rollouts, simulations = job.how.games, job.how.rollouts, job.how.simulations[-1]
    player: Any
    if job.arm.player is not None:
        player = load_contestant(job.arm.player, variant, seed=job.seed)
    elif job.arm.init is not None:
        initial = Initialisation.load(job.arm.init)
        weights = initial.start(variant, seed=job.seed)
        player = network_player(
            weights, initial.net.config, simulations, variants=initial.known, mixing=initial.mixing
        )
    else:
        raise UserError(f"expected an initialisation for the arm {job.name}, got none")
    result = match_with_search(variant, games=games, rollouts=rollouts, seed=job.seed)(player)
    if own := result.forfeits[0]:
        raise UserError(f"{job.name} in {variant.name}: expected moves, got {', '.join(own)}")
    return {"rollouts": rollouts, "games": games, **points_of({simulations: result})}


def _after_minutes(job: Job, variant: Variant) -> tuple[str, dict[str, Any]]:
    """What `selfplay adapt` makes of a variant, with all its defaults; its end by itself counts, too."""
    from mcts.config import Mixing
    from models import load_checkpoint
    from selfplay.meta.adapt import start_adaptation
    from selfplay.run import latest_agent

    if job.arm.init is None:
        raise UserError(f"expected an initialisation for the arm {job.name}, got none")
    changes = [f"minutes={job.how.minutes}", f"seed={job.seed}", *_settings(job)]
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        summary = start_adaptation(variant, job.arm.init, run, config=None, settings=changes)
        net, notes = load_checkpoint(latest_agent(run))
    kind, measure = _measure(variant, job.how)
    spent = {"positions": summary["positions"], "seconds": round(summary["seconds"], 1)}
    return kind, {
        "minutes": job.how.minutes,
        **spent,
        **measure(net.state_dict(), net.config, Mixing.read(notes, run)),
    }


def _measure(variant: Variant, how: Settings) -> tuple[str, Any]:
    """By solved positions if there are any, else by matches; the openings are the same for all seeds."""
    from selfplay.meta.measuring import match_measure, suite_measure
    from selfplay.meta.validation import suite_file
    from selfplay.suite import read_suite

    file = suite_file(variant)
    if file.exists():
        return "suite", suite_measure(variant, read_suite(file, variant), how.simulations)
    return "match", match_measure(variant, how.simulations, games=how.games, rollouts=how.rollouts)


def _config(job: Job) -> Any:
    """Adaptation with its default simulations and the arm's settings, on one thread, for all positions."""
    config = one_thread_config(_settings(job), positions=job.how.at[-1], seed=job.seed)
    return config if job.network is None else config.model_copy(update={"network": _network(job.network)})


def one_thread_config(settings: Sequence[str], *, positions: int, seed: int) -> Any:
    """Adaptation with its default simulations and these settings, on one thread."""
    from selfplay.config import read_config
    from selfplay.meta.adapt import default_config
    from selfplay.meta.validation import quick_config

    simulations = default_config().selfplay.simulations
    config = quick_config(positions=positions, seed=seed, simulations=simulations)
    return read_config(None, settings, base=config)


def _settings(job: Job) -> list[str]:
    """Settings of the study, then those of the arm, which win."""
    return [*job.how.settings, *job.arm.settings]


# --- what identifies a row ----------------------------------------------------------------------------------


def conditions(job: Job) -> str:
    """Equal for rows that were measured alike, but for variant and seed."""
    how = job.how
    facts = [
        job.arm.player if job.arm.init is None else [_file_digest(job.arm.init), job.arm.trusted],
        None if how.zero_shot else [_learning(job), _suite_digest(job.variant)],
        [how.at, how.minutes, how.zero_shot, how.simulations, how.games, how.rollouts],
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _learning(job: Job) -> dict[str, Any]:
    """What a variant is learned with, all settings of which matter, wherever they come from.

    Those at their usual value aren't named, so that a setting that comes into being later changes nothing.
    """
    from selfplay.config import read_config
    from selfplay.meta.adapt import default_config

    if job.how.minutes is None:
        return _config(job).model_dump(mode="json", exclude_defaults=True, exclude={"seed"})
    config = read_config(None, _settings(job), base=default_config())
    return config.model_dump(mode="json", exclude_defaults=True)


def _cells(variant: Variant) -> int:
    return variant.board.rows * variant.board.columns - len(variant.hole_cells)


@cache
def _suite_digest(name: str) -> str | None:
    from selfplay.meta.validation import suite_file

    file = suite_file(next(variant for _, variant in exam_variants() if variant.name == name))
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else None


@cache
def _file_digest(path: Path) -> str:
    return hashlib.sha256(_weights(path).read_bytes()).hexdigest()


@cache
def _network(path: Path) -> Any:
    from selfplay.meta.initialisation import Initialisation

    return Initialisation.load(path).net.config


def _algorithm(arm: Arm) -> str:
    from selfplay.meta.initialisation import Initialisation

    if arm.init is None:
        return arm.player or "scratch"
    learning = Initialisation.load(arm.init).learning
    return "checkpoint" if learning is None else learning.algorithm


def _weights(path: Path) -> Path:
    from selfplay.meta.initialisation import initial_weights

    file = initial_weights(path) if path.is_dir() else path
    if not file.exists():
        raise UserError(f"expected an initialisation, got {path}, which isn't there")
    return file


@cache
def exam_variants() -> tuple[tuple[str, Variant], ...]:
    """Kinds and variants of the committed test split."""
    return tuple((kind, variant) for kind, variants in load_split().test.items() for variant in variants)


# --- the command --------------------------------------------------------------------------------------------


def _jobs(plan: Plan, arguments: argparse.Namespace) -> Iterator[Job]:
    """All rows that are wanted; one seed of everything comes before the next."""
    how = Settings(
        tuple(arguments.at), tuple(arguments.simulations), arguments.games, arguments.rollouts,
        arguments.minutes, arguments.zero_shot, tuple(arguments.set),
    )  # fmt: skip
    inits = [arm.init for arm in plan.arms.values() if arm.init is not None]
    network = arguments.network or next(iter(inits), None)
    wanted = _wanted(arguments)
    if unknown := [name for name in arguments.only if name not in plan.arms]:
        raise UserError(f"--only: expected one of the arms {', '.join(plan.arms)}, got {unknown[0]}")
    arms = {name: arm for name, arm in plan.arms.items() if not arguments.only or name in arguments.only}
    for seed in range(arguments.seeds):
        for kind, variant in wanted:
            for name, arm in arms.items():
                if _takes_part(arm, variant, how):
                    fresh = arm.init is None and arm.player is None
                    yield Job(name, arm, network if fresh else None, variant.name, kind, seed, how)


def _takes_part(arm: Arm, variant: Variant, how: Settings) -> bool:
    """Fresh weights only in curves, where they learn; a player only in zero-shot play, for it doesn't."""
    if arm.most_cells is not None and _cells(variant) > arm.most_cells:
        return False
    if arm.player is not None:
        return how.file == ZERO_SHOT
    return arm.init is not None or how.file == CURVES


def _wanted(arguments: argparse.Namespace) -> list[tuple[str, Variant]]:
    """Test variants, all or those that are named, small enough and, if it is asked for, solved."""
    from selfplay.meta.validation import suite_file

    names = [variant.name for _, variant in exam_variants()]
    if unknown := [name for name in arguments.variant if name not in names]:
        raise UserError(f"expected a test variant such as {names[0]}, got {unknown[0]}")
    return [
        (kind, variant)
        for kind, variant in exam_variants()
        if (not arguments.variant or variant.name in arguments.variant)
        and _cells(variant) <= arguments.most_cells
        and (not arguments.solved or suite_file(variant).exists())
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arms = parser.add_mutually_exclusive_group(required=True)
    arms.add_argument("--plan", type=Path, help="a TOML file with arms, see selfplay/meta/plan.py")
    arms.add_argument("--arm", action="append", default=[], help="NAME=INIT, or scratch; repeat")
    parser.add_argument(
        "--network", type=Path, help="fresh weights have its network; default: the first init"
    )
    parser.add_argument("--only", action="append", default=[], help="only this arm of the plan; repeat")
    parser.add_argument("--variant", action="append", default=[], help="only this test variant; repeat")
    parser.add_argument("--most-cells", type=int, default=MOST_CELLS, help="only boards of at most so many")
    parser.add_argument("--solved", action="store_true", help="only variants with solved positions")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--at", type=int, nargs="+", default=AT, help="positions at which is measured")
    parser.add_argument("--simulations", type=int, nargs="+", default=(0, 64), help="0: the policy alone")
    parser.add_argument("--games", type=int, default=40, help="of each match")
    parser.add_argument("--rollouts", type=int, default=1000, help="playouts a move of the opponent")
    parser.add_argument("--set", action="append", default=[], help="a setting of every arm, KEY=VALUE")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--zero-shot", action="store_true", help="no adaptation: points in matches")
    other.add_argument("--minutes", type=float, help="`selfplay adapt` for so long on all cores")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the rows")
    return parser.parse_args()


def _line(row: Row) -> str:
    last = row["points"][-1] if "points" in row else row
    shares = ", ".join(f"{key} sims {value}" for key, value in last["strength"].items())
    return f"{row['arm']} {row['variant']} seed {row['seed']}: {row['measure']} {shares}"


if __name__ == "__main__":
    main()
