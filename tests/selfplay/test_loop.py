"""The training loop: killed runs end as undisturbed ones, interrupted ones are saved, agents get better."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import games
from games import RunError
from models import NetworkConfig, NetworkEvaluator, PolicyValueNet, load_checkpoint
from selfplay import Player
from selfplay.arena import Duel, Encounter
from selfplay.config import GateConfig, LearnerConfig, SelfPlayConfig, TrainConfig, read_config
from selfplay.export import export_agent
from selfplay.gate import challenge
from selfplay.loop import Progress, Training, train
from selfplay.match import Game, MatchResult, play_match
from selfplay.run import RunFolder, checkpoint_numbers, latest_agent, read_metrics
from selfplay.sprt import Sprt
from tests.selfplay import tiny_run
from tests.selfplay.hashed import quiet_search, tictactoe_value

ROOT = Path(__file__).parents[2]
START = games.start(games.load("tictactoe"))


def killed_run(path: Path, *, iterations: int, seconds: float) -> int:
    """Train in a process of its own, and kill it so long after some iterations; its exit status."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.selfplay.tiny_run", str(path)], cwd=ROOT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        for _ in range(iterations):
            assert process.stdout.readline()
        time.sleep(seconds)
        process.kill()
        return process.wait()


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    """Budgets of time are for training, not for compiling kernels."""
    Training(SMALL, [games.load("tictactoe")]).iterate()


def last_checkpoint(path: Path) -> Path:
    return path / "checkpoints" / f"{checkpoint_numbers(path)[-1]:06d}"


# --- a run that is killed ---


def test_a_run_killed_at_any_instant_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    """Three SIGKILLs at random instants; weights, moments and games in flight agree to the bit."""
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    tiny_run.main(undisturbed)
    iterations = len(read_metrics(undisturbed))
    assert iterations > 20
    chance = random.Random(5)
    for _ in range(3):
        count, seconds = chance.randint(2, iterations // 4), chance.uniform(0, 0.15)
        assert killed_run(killed, iterations=count, seconds=seconds) == -signal.SIGKILL
    assert 0 < len(read_metrics(killed)) < iterations
    assert checkpoint_numbers(killed)
    tiny_run.main(killed)
    one, other = (last_checkpoint(path) for path in (undisturbed, killed))
    assert (one / "learner.safetensors").read_bytes() == (other / "learner.safetensors").read_bytes()
    with np.load(one / "actors.npz") as actors, np.load(other / "actors.npz") as again:
        for name in actors:
            assert ".tree." in name or np.array_equal(actors[name], again[name])
    rows, alike = read_metrics(undisturbed), read_metrics(killed)
    assert [row["iteration"] for row in alike] == list(range(1, iterations + 1))
    for row, same in zip(rows, alike, strict=True):
        for name in (
            "positions",
            "episodes",
            "steps",
            "window",
            "policy_loss",
            "value_loss",
            "learning_rate",
        ):
            assert row.get(name) == same.get(name)


# --- a run that is interrupted ---


def test_ctrl_c_saves_and_ends(tmp_path: Path) -> None:
    """The iteration in progress is finished and in the checkpoint; Ctrl-C works as usual afterwards."""
    folder = RunFolder.create(tmp_path / "run", tiny_run.CONFIG, [games.load("tictactoe")])
    usual = signal.getsignal(signal.SIGINT)

    def interrupting(progress: Progress) -> None:
        if progress.row["iteration"] == 3:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(folder, interrupting)
    assert signal.getsignal(signal.SIGINT) is usual
    rows = read_metrics(folder.path)
    counters = json.loads((last_checkpoint(folder.path) / "counters.json").read_text())
    assert counters["iteration"] == rows[-1]["iteration"] == 3
    assert counters["recorded"] == rows[-1]["positions"] < tiny_run.CONFIG.positions
    assert not list(folder.path.rglob("*.tmp"))
    told: list[Progress] = []
    train(folder, told.append)
    assert told[0].row["iteration"] == 4
    folder.close()


def test_a_second_ctrl_c_interrupts_at_once(tmp_path: Path) -> None:
    """Without another checkpoint; the folder is as whole as after a kill."""
    folder = RunFolder.create(tmp_path / "run", SMALL, [games.load("tictactoe")])

    def interrupting(progress: Progress) -> None:
        if progress.row["iteration"] == 2:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(folder, interrupting)
    assert checkpoint_numbers(folder.path) == []
    assert train(folder, lambda _: None).replay.recorded >= 400
    folder.close()


# --- budgets ---


SMALL = TrainConfig(
    positions=400,
    checkpoint_seconds=3600,
    device="cpu",
    network=NetworkConfig(blocks=1, channels=8, policy_hidden=4, value_hidden=8, rule_hidden=8),
    selfplay=SelfPlayConfig(games=16, threads=1, advances=5, simulations=4),
    learner=LearnerConfig(
        batch_size=32,
        samples_per_position=4.0,
        first_positions=100,
        window_min=150,
        window_share=0.5,
        window_max=300,
        precision="float32",
    ),
)


def trained(path: Path, config: TrainConfig, *names: str) -> tuple[Training, list[Progress]]:
    told: list[Progress] = []
    folder = RunFolder.create(path, config, [games.load(name) for name in names])
    training = train(folder, told.append)
    folder.close()
    return training, told


def test_a_budget_of_positions_ends_the_run(tmp_path: Path) -> None:
    """In the first iteration that reaches it; shares tell how far it was."""
    _, told = trained(tmp_path / "run", SMALL, "tictactoe")
    positions = [progress.row["positions"] for progress in told]
    assert positions[-2] < 400 <= positions[-1]
    assert [progress.share for progress in told] == [min(1.0, count / 400) for count in positions]


def test_a_budget_of_minutes_ends_the_run(tmp_path: Path) -> None:
    config = SMALL.model_copy(update={"positions": None, "minutes": 1 / 60})
    training, told = trained(tmp_path / "run", config, "tictactoe")
    assert told[-1].seconds >= 1
    assert told[-2].seconds < 1
    assert training.share() == 1


def test_learning_waits_for_positions_and_then_keeps_its_pace(tmp_path: Path) -> None:
    """4 samples for each position recorded since learning began, in batches of 32: no debt over one batch."""
    _, told = trained(tmp_path / "run", SMALL, "tictactoe")
    rows = [progress.row for progress in told]
    before = [row for row in rows if row["positions"] < 100]
    assert before
    assert all(row["steps"] == 0 and "policy_loss" not in row for row in before)
    learned = rows[len(before) :]
    assert learned
    for row in learned:
        due = 4 * (row["positions"] - before[-1]["positions"])
        assert row["steps"] == due // 32


def test_the_window_grows_with_the_run_between_its_bounds(tmp_path: Path) -> None:
    training, told = trained(tmp_path / "run", SMALL, "tictactoe")
    for progress in told:
        recorded = progress.row["positions"]
        assert progress.row["window"] == min(recorded, max(150, min(300, recorded // 2)))
    assert training.replay.capacity == 300


def test_a_finished_run_that_is_opened_again_does_nothing(tmp_path: Path) -> None:
    trained(tmp_path / "run", SMALL, "tictactoe")
    before = (last_checkpoint(tmp_path / "run") / "learner.safetensors").read_bytes()
    folder = RunFolder.open(tmp_path / "run")
    told: list[Progress] = []
    train(folder, told.append)
    folder.close()
    assert told == []
    assert (last_checkpoint(tmp_path / "run") / "learner.safetensors").read_bytes() == before


@pytest.mark.parametrize("threads", [1, 2])
def test_equal_seeds_give_equal_runs_on_any_timing(tmp_path: Path, threads: int) -> None:
    play = SMALL.selfplay.model_copy(update={"threads": threads})
    config = SMALL.model_copy(update={"selfplay": play})
    one, _ = trained(tmp_path / "one", config, "tictactoe", "connect3-4x4")
    other, _ = trained(tmp_path / "other", config, "tictactoe", "connect3-4x4")
    different, _ = trained(
        tmp_path / "different", config.model_copy(update={"seed": 1}), "tictactoe", "connect3-4x4"
    )
    tensors, again = one.learner.state(), other.learner.state()
    assert all(np.array_equal(tensors[name], again[name]) for name in tensors)
    name = "net.value.output.bias"
    assert not np.array_equal(tensors[name], different.learner.state()[name])


# --- an agent that learns ---


def test_a_few_seconds_of_training_teach_tic_tac_toe(tmp_path: Path) -> None:
    """Losses fall, and with 16 simulations the agent never loses against random moves, whoever begins.

    In random positions it gives away what a solver knows less than half as often as without training.
    """
    config = TrainConfig(
        positions=20_000,
        device="cpu",
        network=NetworkConfig(blocks=2, channels=16, policy_hidden=8, value_hidden=16, rule_hidden=16),
        selfplay=SelfPlayConfig(games=64, threads=1, advances=12, simulations=16),
        learner=LearnerConfig(
            batch_size=128,
            samples_per_position=2.0,
            first_positions=500,
            window_min=2000,
            warmup_steps=10,
            learning_rate=5e-3,
            ema_decay=0.97,
            precision="float32",
        ),
    )
    _, told = trained(tmp_path / "run", config, "tictactoe")
    rows = [progress.row for progress in told if "policy_loss" in progress.row]
    first, last = rows[:2], rows[-2:]
    for name, share in (
        ("policy_loss", 0.5),
        ("value_loss", 0.9),
    ):  # of random openings the result stays open
        assert np.mean([row[name] for row in last]) < share * np.mean([row[name] for row in first]), name
    export_agent(tmp_path / "run", tmp_path / "agent.onnx")
    player = Player.load(tmp_path / "agent.onnx", simulations=16)
    opponent = Player.load("random", seed=1)
    result = play_match(player, opponent, [games.start(games.load("tictactoe"))] * 25)
    assert result.losses == 0
    assert result.wins > 35
    untrained = NetworkEvaluator(PolicyValueNet(config.network), device="cpu", precision="float32")
    beginner = Player(untrained, quiet_search(16), name="untrained")
    assert judged_wrongly(player, samples=200) < judged_wrongly(beginner, samples=200) / 2


def judged_wrongly(player: Player, *, samples: int) -> int:
    """Random undecided positions in which the player's move gives away what a solver knows."""
    rng = np.random.default_rng(2)
    wrong = 0
    for _ in range(samples):
        position = games.start(games.load("tictactoe"))
        for _ in range(rng.integers(0, 5)):
            position = position.play(rng.choice(position.legal_actions))
        if not position.is_over:
            wrong += -tictactoe_value(position.play(player.choose(position))) < tictactoe_value(position)
    return int(wrong)


# --- gating ---


GATED = tiny_run.CONFIG.model_copy(
    update={"positions": 4000, "gate": GateConfig(enabled=True, every=2, games=32, simulations=4)}
)


def test_with_gating_only_weights_that_passed_play_and_are_exported(tmp_path: Path) -> None:
    """The test itself is scripted: the first challenge fails, the second passes, later ones fail."""
    verdicts = iter([None, "stronger"])
    asked: list[dict[str, Tensor]] = []

    def scripted(
        _config: GateConfig, _net: NetworkConfig, _variants: object, candidate: Any, *_: Any, **__: Any
    ) -> Duel:
        asked.append({name: value.clone() for name, value in candidate.items()})
        played = MatchResult((Game(0, 0, 0, START, 1), Game(0, 0, 1, START, 0)))
        return Duel(Encounter(0, 1, played, 0.1), Sprt(), 0.0, next(verdicts, None))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("selfplay.loop.challenge", scripted)
        training, told = trained(tmp_path / "run", GATED, "tictactoe")
    tests = [progress.row for progress in told if "gate_passed" in progress.row]
    assert [row["gate_passed"] for row in tests][:3] == [0.0, 1.0, 0.0]
    assert all(row["iteration"] % 2 == 0 and row["gate_points"] == 0.75 for row in tests)
    assert training.playing is training.champion
    exported, _ = load_checkpoint(latest_agent(tmp_path / "run"))
    for name, value in exported.state_dict().items():
        assert torch.equal(value, asked[1][name]), name
        assert torch.equal(training.playing[name], asked[1][name]), name


def test_a_gated_run_resumes_with_its_champion(tmp_path: Path) -> None:
    """Killed runs end as undisturbed ones, challenges and all."""
    whole, _ = trained(tmp_path / "whole", GATED, "tictactoe")
    trained(tmp_path / "parts", GATED.model_copy(update={"positions": 700}), "tictactoe")
    folder = RunFolder.open(tmp_path / "parts")
    folder.reconfigure(GATED)
    parts = train(folder, lambda _progress: None)
    folder.close()
    assert whole.champion is not None
    assert parts.champion is not None
    assert any(row.get("gate_games") for row in read_metrics(tmp_path / "parts"))
    for name, value in whole.champion.items():
        assert torch.equal(value, parts.champion[name]), name


def test_a_challenge_is_won_by_the_better_player(tmp_path: Path) -> None:
    """Weights that learned tic-tac-toe for some seconds against fresh ones, and the other way round."""
    config = tiny_run.PLAIN.model_copy(update={"positions": 12_000})
    training, _ = trained(tmp_path / "run", config, "tictactoe")
    fresh = PolicyValueNet(config.network).state_dict()
    gate = GateConfig(enabled=True, games=400, simulations=0)

    def verdict(candidate: Any, champion: Any) -> str | None:
        variants, device = [games.load("tictactoe")], torch.device("cpu")
        return challenge(
            gate, config.network, variants, candidate, champion, device=device, threads=1, seed=1
        ).verdict

    assert verdict(training.playing, fresh) == "stronger"
    assert verdict(fresh, training.playing) == "not stronger"


def test_a_gate_whose_hypotheses_are_the_wrong_way_round_is_refused() -> None:
    with pytest.raises(RunError, match="expected elo0 < elo1, got 50 and 10"):
        read_config(None, ["gate.elo0=50", "gate.elo1=10"])
