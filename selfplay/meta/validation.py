"""How good an initialisation is: what a short adaptation makes of it, on variants it has never seen."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from games import Variant
from models import PolicyValueNet
from selfplay.config import SelfPlayConfig, StopConfig, TrainConfig
from selfplay.known import KnownVariants
from selfplay.meta.adapt import default_config
from selfplay.meta.curve import CurvePoint, adaptation_curve
from selfplay.meta.initialisation import Initialisation
from selfplay.meta.split import load_split
from selfplay.meta.training import Judge, MetaTraining
from selfplay.suite import SolvedPosition, read_suite


class Examined(NamedTuple):
    """A variant and its solved positions."""

    variant: Variant
    suite: Sequence[SolvedPosition]


def examined(variants: Sequence[Variant]) -> list[Examined]:
    """Those variants that have a solved suite."""
    return [
        Examined(variant, read_suite(file, variant))
        for variant in variants
        if (file := suite_file(variant)).exists()
    ]


def suite_file(variant: Variant) -> Path:
    """Where the solved positions of a variant of the split are, if there are any."""
    return Path(str(resources.files("selfplay.meta").joinpath("suites", f"{variant.name}.jsonl")))


def quick_config(*, positions: int, seed: int, simulations: int) -> TrainConfig:
    """Adaptation on one thread for some positions, as it is compared: nothing rehearsed, no early end."""
    config = default_config()
    play = config.selfplay.model_copy(update={"threads": 1, "simulations": simulations, "rehearsal": 0.0})
    changed = {
        "seed": seed,
        "positions": max(1, positions),
        "selfplay": SelfPlayConfig.model_validate(play.model_dump()),
        "stop": StopConfig(),
    }
    return config.model_copy(update=changed)


def judge_by(exams: Sequence[Examined], *, threads: int) -> Judge:
    """A judge that adapts to each variant for the configured number of positions, several at a time.

    Its score is the mean over variants, before and after adaptation, of the share of moves of the bare policy
    that keep the value where a mistake is possible.
    """

    def judge(training: MetaTraining) -> dict[str, Any]:
        initial = initialisation_of(training)
        positions = training.config.validation.positions
        config = quick_config(
            positions=positions, seed=training.config.seed, simulations=training.config.selfplay.simulations
        )
        at = [0, positions] if positions else [0]

        def examine(exam: Examined) -> list[CurvePoint]:
            torch.set_num_threads(1)
            return adaptation_curve(
                initial.training(config, (exam.variant,)), exam.suite, at=at, simulations=(0,)
            )

        with ThreadPoolExecutor(threads) as pool:
            curves = list(pool.map(examine, exams))
        shares = np.array([[point.kept_if_can_fail[0] for point in curve] for curve in curves])
        return {
            "score": float(np.nanmean(shares)),
            "before": float(np.nanmean(shares[:, 0])),
            "after": float(np.nanmean(shares[:, -1])),
            "variants": {exam.variant.name: row.tolist() for exam, row in zip(exams, shares, strict=True)},
        }

    return judge


def initialisation_of(training: MetaTraining) -> Initialisation:
    """What a meta-training has learned so far, as its file would hold it."""
    net = PolicyValueNet(training.config.network)
    net.load_state_dict(training.params)
    return Initialisation(
        net,
        "init",
        KnownVariants(training.variants),
        training.algorithm.adaptation(),
        training.config.learning,
    )


def validation_exams() -> list[Examined]:
    """The validation variants of the committed split that are solved."""
    by_kind = load_split().validation_by_kind
    return examined([variant for variants in by_kind.values() for variant in variants])
