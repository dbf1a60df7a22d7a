"""A tiny training run in a process of its own: `python -m tests.selfplay.tiny_run FOLDER`.

It prints a line after each iteration, so that whoever watches knows when to kill it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

import games
from models import NetworkConfig
from selfplay.config import LearnerConfig, SelfPlayConfig, TrainConfig, read_config
from selfplay.loop import Progress, train
from selfplay.run import RunFolder

PLAIN = TrainConfig(
    seed=3,
    positions=7000,
    checkpoint_seconds=0.1,
    device="cpu",
    network=NetworkConfig(blocks=1, channels=16, policy_hidden=8, value_hidden=16, rule_hidden=16),
    selfplay=SelfPlayConfig(games=32, threads=1, advances=8, simulations=8, sampled_plies=2),
    learner=LearnerConfig(
        batch_size=64,
        first_positions=300,
        window_min=500,
        window_max=900,
        warmup_steps=10,
        precision="float32",
    ),
)
"""The window is smaller than the run, so a resumed one refills it from a part of the games."""

CONFIG = read_config(
    None,
    [
        "selfplay.solver_nodes=50",
        "learner.reply_weight=0.15",
        "learner.owners_weight=0.3",
        "learner.plies_weight=0.1",
    ],
    base=PLAIN,
)
"""With everything that a checkpoint may have to hold."""


def main(path: Path) -> None:
    torch.set_num_threads(1)
    variants = [games.load("connect3-4x4"), games.load("tictactoe")]
    folder = (
        RunFolder.open(path) if (path / "run.json").exists() else RunFolder.create(path, CONFIG, variants)
    )
    train(folder, _tell)
    folder.close()


def _tell(progress: Progress) -> None:
    sys.stdout.write(f"{progress.row['iteration']}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
