"""Adapting to one variant: where it starts, what moves, what is rehearsed, when it ends."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

import games
from games import AgentError, RunError
from models import NetworkConfig, PolicyValueNet, load_checkpoint, save_checkpoint
from selfplay.arena import Duel, Encounter
from selfplay.config import StopConfig, TrainConfig
from selfplay.known import KnownVariants
from selfplay.loop import Training
from selfplay.match import Game, MatchResult
from selfplay.meta.adapt import default_config, rehearsed, resume_adaptation, start_adaptation
from selfplay.meta.algorithms import algorithm
from selfplay.meta.algorithms.base import Adaptation
from selfplay.meta.algorithms.config import MetaLearningConfig
from selfplay.meta.initialisation import Initialisation
from selfplay.run import START, RunFolder, latest_agent, read_metrics, read_run
from selfplay.sprt import Sprt

TICTACTOE = games.load("tictactoe")
NET = NetworkConfig(blocks=1, channels=8, policy_hidden=4, value_hidden=8, rule_hidden=8)
QUICK = [
    "device=cpu",
    "checkpoint_seconds=0",
    "positions=300",
    "selfplay.games=8",
    "selfplay.advances=24",
    "selfplay.simulations=4",
    "learner.batch_size=32",
    "learner.first_positions=40",
    "learner.samples_per_position=2",
    "stop.enabled=false",
]


def known(*names: str) -> list[dict[str, str]]:
    return [{"name": v.name, "digest": v.digest, "toml": v.to_toml()} for v in map(games.load, names)]


def initial(path: Path, name: Any = "joint", **settings: Any) -> Path:
    """A file of fresh weights that says it was learned by an algorithm."""
    torch.manual_seed(3)
    net = PolicyValueNet(NET)
    learning = MetaLearningConfig(algorithm=name, inner_steps=2, **settings)
    adaptation = algorithm(name, net, learning).adaptation()
    notes = {
        "variants": known("tictactoe", "hex-3", "connect3-4x4", "tictactoe-misere"),
        "learning": learning.model_dump(),
        "adaptation": adaptation.header(),
    }
    save_checkpoint(path, net, metadata=notes)
    return path


def adapted(tmp_path: Path, source: Path, *settings: str) -> Path:
    run = tmp_path / "run"
    start_adaptation(TICTACTOE, source, run, config=None, settings=[*QUICK, *settings])
    return run


def quick_config(tmp_path: Path, *, batch_size: int, **sections: Any) -> TrainConfig:
    """The settings of adaptation for fresh weights, small."""
    config = Initialisation.load(initial(tmp_path / "init.safetensors")).configure(default_config())
    play = config.selfplay.model_copy(update={"games": 8, "simulations": 4})
    learner = config.learner.model_copy(update={"first_positions": 40, "batch_size": batch_size})
    return config.model_copy(update={"device": "cpu", "selfplay": play, "learner": learner} | sections)


def changed(before: Path, after: Path) -> set[str]:
    """Names of the parameters that differ."""
    first, second = (load_checkpoint(path)[0].state_dict() for path in (before, after))
    return {name for name, value in first.items() if not torch.equal(value, second[name])}


def test_a_run_begins_with_the_given_weights(tmp_path: Path) -> None:
    source = initial(tmp_path / "init.safetensors")
    run = adapted(tmp_path, source)
    assert changed(source, run / START) == set()
    assert changed(source, latest_agent(run))


def test_everything_moves_unless_the_initialisation_says_otherwise(tmp_path: Path) -> None:
    source = initial(tmp_path / "init.safetensors")
    moved = changed(source, latest_agent(adapted(tmp_path, source)))
    assert moved == set(PolicyValueNet(NET).state_dict())


def test_only_the_heads_move_from_an_initialisation_by_anil(tmp_path: Path) -> None:
    source = initial(tmp_path / "init.safetensors", "anil")
    moved = changed(source, latest_agent(adapted(tmp_path, source)))
    assert moved
    assert all(name.startswith(("policy.", "value.")) for name in moved)


def test_known_variants_that_fit_the_board_are_rehearsed(tmp_path: Path) -> None:
    source = initial(tmp_path / "init.safetensors")
    _, variants = read_run(adapted(tmp_path, source, "selfplay.rehearsal=0.4"))
    assert variants[0].digest == TICTACTOE.digest
    assert {variant.name for variant in variants[1:]} == {"hex-3", "tictactoe-misere"}
    assert [v.name for v in rehearsed(Initialisation.load(source), games.load("connect3-4x4"), 0)] == [
        "tictactoe",
        "hex-3",
        "tictactoe-misere",
    ]


def test_rehearsed_games_take_their_share(tmp_path: Path) -> None:
    source = initial(tmp_path / "init.safetensors")
    run = adapted(tmp_path, source, "selfplay.rehearsal=0.4", "positions=2500")
    folder = RunFolder.open(run)
    numbers = [int(file.stem) for file in sorted((run / "games").glob("[0-9]*.npz"))]
    played = [episode.variant for number in numbers for episode in folder.episodes(number)]
    folder.close()
    share = sum(index > 0 for index in played) / len(played)
    assert 0.3 < share < 0.5


def test_without_rehearsal_there_is_one_variant(tmp_path: Path) -> None:
    _, variants = read_run(adapted(tmp_path, initial(tmp_path / "init.safetensors"), "selfplay.rehearsal=0"))
    assert len(variants) == 1


def test_an_adaptation_goes_on(tmp_path: Path) -> None:
    run = adapted(tmp_path, initial(tmp_path / "init.safetensors"))
    before = read_metrics(run)[-1]
    resume_adaptation(run, ["positions=600"])
    after = read_metrics(run)[-1]
    assert after["positions"] >= 600
    assert after["steps"] > before["steps"]


def test_an_adaptation_starts_from_an_earlier_one(tmp_path: Path) -> None:
    first = adapted(tmp_path, initial(tmp_path / "init.safetensors"))
    start_adaptation(TICTACTOE, first, tmp_path / "second", config=None, settings=QUICK)
    assert changed(latest_agent(first), tmp_path / "second" / START) == set()


def test_the_inner_loop_of_an_initialisation_is_its_first_lesson() -> None:
    """With a learned optimiser, or learned rates, the first games are learned from as in meta-training."""
    net = PolicyValueNet(NET)
    for name in ("maml", "meta-sgd", "learned-optimizer", "cavia"):
        learning = MetaLearningConfig(algorithm=name, inner_steps=2)
        made = algorithm(name, net, learning)
        start = Initialisation(net, "init", KnownVariants(), made.adaptation(), learning)
        assert start.first_lesson() is not None, name
    for name in ("joint", "reptile"):
        learning = MetaLearningConfig(algorithm=name, inner_steps=2)
        adaptation = algorithm(name, net, learning).adaptation()
        assert Initialisation(net, "init", KnownVariants(), adaptation, learning).first_lesson() is None, name


def test_the_first_lesson_comes_before_the_first_step(tmp_path: Path) -> None:
    config = quick_config(tmp_path, batch_size=10_000)
    taught: list[int] = []

    def lesson(replay: Any, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        taught.append(replay.recorded)
        return {name: torch.full_like(value, 0.01) for name, value in weights.items()}

    training = Training(config, [TICTACTOE], first_lesson=lesson)
    while not taught:
        training.iterate()
    training.iterate()
    assert len(taught) == 1
    assert all((value == 0.01).all() for value in training.playing.values())


def test_a_prototype_start_is_a_blend_of_known_variants(tmp_path: Path) -> None:
    net = PolicyValueNet(NET)
    name = "value.output.bias"
    library = {
        "embeddings": torch.zeros(1, 1),
        f"moves.{name}": torch.ones(1, 3),
    }
    adaptation = Adaptation("", "adamw", 1e-3, library=library, names=("known",))
    start = Initialisation(
        net, "init", KnownVariants(), adaptation, MetaLearningConfig(algorithm="prototypes")
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("selfplay.meta.algorithms.prototypes.embed", lambda _samples: torch.zeros(1))
        moved = start.start(TICTACTOE)
    assert torch.allclose(moved[name], net.state_dict()[name] + 1)
    others = [n for n in moved if n != name]
    assert all(torch.equal(moved[n], net.state_dict()[n]) for n in others)
    del tmp_path


def scripted_end(verdicts: list[str | None], patch: pytest.MonkeyPatch) -> list[int]:
    """Tests of the end whose verdicts are given; returns a list that counts them."""
    counted: list[int] = []

    def duel(*_: Any, **__: Any) -> Any:
        counted.append(1)
        position = games.start(TICTACTOE)
        played = MatchResult((Game(0, 0, 0, position, 1), Game(0, 0, 1, position, 0)))
        verdict: Any = verdicts[len(counted) - 1]
        return Duel(Encounter(0, 1, played, 0.1), Sprt(), 0.0, verdict)

    patch.setattr("selfplay.loop.challenge", duel)
    return counted


def test_a_run_ends_once_nothing_more_is_gained(tmp_path: Path) -> None:
    source = initial(tmp_path / "init.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        counted = scripted_end(["not stronger", None, "not stronger", "not stronger"], patch)
        settings = "stop.enabled=true", "stop.first_positions=200", "stop.patience=2"
        run = adapted(tmp_path, source, "positions=100000", *settings)
    tests = [row for row in read_metrics(run) if "gains" in row]
    assert [row["gains"] for row in tests] == [0.0, 1.0, 0.0, 0.0]
    assert len(counted) == 4
    assert read_metrics(run)[-1]["positions"] < 100000
    bounds = [row["positions"] for row in tests]
    assert bounds[0] >= 200
    assert all(later >= 1.5 * earlier for earlier, later in pairwise(bounds))


def test_a_test_of_the_end_compares_with_the_weights_of_the_last_gain(tmp_path: Path) -> None:
    config = quick_config(tmp_path, batch_size=32, stop=StopConfig(enabled=True, first_positions=100))
    pairs: list[tuple[torch.Tensor, torch.Tensor]] = []

    def duel(_test: Any, _net: Any, _variants: Any, candidate: Any, champion: Any, **_: Any) -> Any:
        name = "value.output.bias"
        pairs.append((candidate[name].clone(), champion[name].clone()))
        position = games.start(TICTACTOE)
        played = MatchResult((Game(0, 0, 0, position, 1), Game(0, 0, 1, position, 0)))
        verdict: Any = "stronger" if len(pairs) == 1 else "not stronger"
        return Duel(Encounter(0, 1, played, 0.1), Sprt(), 0.0, verdict)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("selfplay.loop.challenge", duel)
        training = Training(config, [TICTACTOE])
        while len(pairs) < 3:
            training.iterate()
    assert torch.equal(pairs[1][1], pairs[0][0])
    assert torch.equal(pairs[2][1], pairs[1][1])
    assert not torch.equal(pairs[1][0], pairs[1][1])


def test_the_next_test_waits_until_the_last_one_was_a_small_part_of_the_work(tmp_path: Path) -> None:
    """Two games of six moves each: with an effort of 0.02 that is 600 positions."""
    stop = StopConfig(enabled=True, first_positions=100, effort=0.02)
    at: list[int] = []
    position = games.start(TICTACTOE)
    for move in ["a1", "a2", "a3", "b1", "b2", "c1", "b3"]:
        position = position.play_text(move)

    def duel(*_: Any, **__: Any) -> Any:
        at.append(training.replay.recorded)
        played = MatchResult((Game(0, 1, 0, position, 1), Game(0, 1, 1, position, 0)))
        return Duel(Encounter(0, 1, played, 0.1), Sprt(), 0.0, None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("selfplay.loop.challenge", duel)
        training = Training(quick_config(tmp_path, batch_size=32, stop=stop), [TICTACTOE])
        while len(at) < 2:
            training.iterate()
    assert at[0] < 600
    assert at[1] - at[0] >= 600


@pytest.mark.parametrize("content", [b"", b"not a checkpoint"])
def test_a_file_that_holds_no_weights_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(AgentError, match=r"expected a \.safetensors checkpoint"):
        Initialisation.load(tmp_path / "x.safetensors")


def test_weights_that_do_not_say_how_to_adapt_are_one_line(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "x.safetensors", PolicyValueNet(NET), metadata={"adaptation": {"rate": 1}})
    with pytest.raises(AgentError, match="expected how to adapt these weights"):
        Initialisation.load(tmp_path / "x.safetensors")


def test_a_folder_that_is_no_run_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="expected a run folder"):
        Initialisation.load(tmp_path)
