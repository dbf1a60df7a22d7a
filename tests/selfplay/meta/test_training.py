"""The meta-training loop: budgets, checkpoints, resuming, what validation keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import games
from games import RunError
from models import load_checkpoint
from models.config import NetworkConfig
from selfplay.meta.algorithms.config import AlgorithmName, MetaLearningConfig
from selfplay.meta.config import MetaTrainConfig, TasksConfig, ValidationConfig, VisitConfig
from selfplay.meta.folder import BEST, MetaFolder, best_initialisation
from selfplay.meta.training import MetaTraining, meta_train

VARIANTS = [games.load(name) for name in ("tictactoe", "hex-3", "connect3-4x4")]
NAMES = ("joint", "reptile", "fomaml", "prototypes")


def config(algorithm: AlgorithmName = "joint", *, positions: int = 600) -> MetaTrainConfig:
    return MetaTrainConfig(
        positions=positions,
        device="cpu",
        checkpoint_seconds=0.0,
        network=NetworkConfig(blocks=1, channels=8, policy_hidden=4, value_hidden=8, rule_hidden=8),
        selfplay=VisitConfig(games=8, threads=2, advances=24, simulations=4, cache_megabytes=1),
        learning=MetaLearningConfig(algorithm=algorithm, inner_steps=2, prototype_every=2, prototype_steps=1),
        tasks=TasksConfig(together=2, support=8, query=8, first_positions=16, window=400),
        validation=ValidationConfig(every_minutes=1000.0),
    )


def indifferent(_training: MetaTraining) -> dict[str, Any]:
    return {"score": 0.5}


def trained(tmp_path: Path, settings: MetaTrainConfig, judge: Any = indifferent) -> MetaTraining:
    folder = MetaFolder.create(tmp_path, settings, VARIANTS)
    try:
        return meta_train(folder, lambda _: None, judge)
    finally:
        folder.close()


def resumed(tmp_path: Path, judge: Any = indifferent) -> MetaTraining:
    folder = MetaFolder.open(tmp_path)
    try:
        return meta_train(folder, lambda _: None, judge)
    finally:
        folder.close()


@pytest.mark.parametrize("algorithm", NAMES)
def test_every_kind_of_algorithm_learns_from_every_variant(tmp_path: Path, algorithm: AlgorithmName) -> None:
    training = trained(tmp_path / "run", config(algorithm, positions=1000))
    assert training.recorded >= 1000
    assert training.algorithm.steps > 0
    assert all(training.pool.recorded(i) for i in range(len(VARIANTS)))
    assert all(np.isfinite(t.numpy()).all() for t in training.params.values())


def test_the_solver_can_teach(tmp_path: Path) -> None:
    """Quick games without the network, of which only what was solved is learned."""
    settings = config(positions=400)
    play = settings.selfplay.model_copy(update={"teacher": "solver", "solver_nodes": 100, "advances": 60})
    training = trained(tmp_path / "run", settings.model_copy(update={"selfplay": play}))
    assert training.algorithm.steps > 0
    folder = MetaFolder.open(tmp_path / "run")
    snapshot = folder.latest()
    assert snapshot is not None
    games_played = folder.all_episodes(snapshot.number)
    folder.close()
    assert sum(int(g.recorded.sum()) for g in games_played) == training.recorded >= 400
    assert all(np.array_equal(g.recorded, np.arange(len(g.actions)) >= g.exact) for g in games_played)


def test_a_solver_that_may_visit_nothing_teaches_nothing() -> None:
    with pytest.raises(ValueError, match="expected solver_nodes for the solver to teach, got 0"):
        VisitConfig(teacher="solver", solver_nodes=0)


def test_a_visit_refuses_to_hurry_ends() -> None:
    """It doesn't ask from which ply on games are exact."""
    with pytest.raises(ValueError, match="ending_simulations"):
        VisitConfig(ending_simulations=1)


def test_equal_seeds_give_equal_weights(tmp_path: Path) -> None:
    first, second = (trained(tmp_path / name, config("reptile")).params for name in "ab")
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_a_stopped_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    half = trained(tmp_path / "run", config(positions=300))
    folder = MetaFolder.open(tmp_path / "run")
    folder.reconfigure(config(positions=900))
    folder.close()
    whole = resumed(tmp_path / "run")
    assert whole.recorded >= 900
    assert whole.iteration > half.iteration
    assert whole.algorithm.steps > half.algorithm.steps
    assert sum(whole.pool.recorded(i) for i in range(len(VARIANTS))) == whole.recorded


def test_a_resumed_run_has_the_weights_and_the_games_of_its_checkpoint(tmp_path: Path) -> None:
    before = trained(tmp_path / "run", config("prototypes"))
    after = resumed(tmp_path / "run")  # nothing left to do
    assert after.iteration == before.iteration
    for name, value in before.params.items():
        assert torch.equal(value, after.params[name]), name
    assert [after.pool.recorded(i) for i in range(3)] == [before.pool.recorded(i) for i in range(3)]
    assert after.curriculum.state() == before.curriculum.state()


def test_the_initialisation_that_validation_likes_best_is_kept(tmp_path: Path) -> None:
    scores = iter([0.7, 0.4])
    settings = config().model_copy(update={"validation": ValidationConfig(every_minutes=1e-6)})
    seen: list[dict[str, torch.Tensor]] = []

    def judge(training: MetaTraining) -> dict[str, Any]:
        seen.append({name: value.clone() for name, value in training.params.items()})
        return {"score": next(scores, 0.1)}

    trained(tmp_path / "run", settings, judge)
    assert len(seen) >= 2
    kept, _ = load_checkpoint(best_initialisation(tmp_path / "run"))
    for name, value in kept.state_dict().items():
        assert torch.equal(value, seen[0][name]), name
    rows = [json.loads(line) for line in (tmp_path / "run" / "validation.jsonl").read_text().splitlines()]
    assert [row["score"] for row in rows][:2] == [0.7, 0.4]


def test_an_unvalidated_folder_has_no_best_initialisation(tmp_path: Path) -> None:
    MetaFolder.create(tmp_path / "run", config(), VARIANTS).close()
    with pytest.raises(RunError, match="validated"):
        best_initialisation(tmp_path / "run")
    assert not (tmp_path / "run" / BEST).exists()


def test_a_training_folder_is_no_meta_training(tmp_path: Path) -> None:
    from selfplay.config import TrainConfig
    from selfplay.run import RunFolder

    RunFolder.create(tmp_path / "run", TrainConfig(), VARIANTS[:1]).close()
    with pytest.raises(RunError, match="selfplay-meta-run"):
        MetaFolder.open(tmp_path / "run")


def test_the_algorithm_of_a_run_cannot_change(tmp_path: Path) -> None:
    folder = MetaFolder.create(tmp_path / "run", config(), VARIANTS)
    with pytest.raises(RunError, match=r"learning\.algorithm can't change"):
        folder.reconfigure(config("reptile"))
    folder.close()


def test_a_damaged_checkpoint_is_one_line(tmp_path: Path) -> None:
    trained(tmp_path / "run", config(positions=100))
    newest = sorted((tmp_path / "run" / "checkpoints").iterdir())[-1]
    (newest / "learner.safetensors").write_bytes(b"x" * 100)
    with pytest.raises(RunError, match="expected a checkpoint"):
        resumed(tmp_path / "run")


def test_visits_follow_the_curriculum(tmp_path: Path) -> None:
    """A variant whose score moves is drawn more often than those whose score stands still."""
    training = MetaTraining(
        config().model_copy(update={"tasks": TasksConfig(together=1, floor=0.1)}), VARIANTS
    )
    for step in range(40):
        training.curriculum.report(0, -1.0)
        training.curriculum.report(1, -3.0)
        training.curriculum.report(2, -3.0 + 0.1 * step)
    visits = np.bincount([training.draw()[0] for _ in range(300)], minlength=3)
    assert visits[2] > 2 * max(visits[0], visits[1])
    del tmp_path
