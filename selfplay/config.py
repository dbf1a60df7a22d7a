"""What a training run is made of; a run folder keeps it as `config.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from games.errors import RunError
from mcts.config import MOST_ROLLOUTS, SearchConfig
from models.config import InferencePrecision, NetworkConfig

ModelT = TypeVar("ModelT", bound=BaseModel)

OptimizerName = Literal["adamw", "muon"]
"""What moves weights, see `selfplay.optimizers`."""


class Section(BaseModel):
    """A table of a configuration: unknown keys are errors, and it doesn't change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SelfPlayConfig(Section):
    """How games are played. Papers: AlphaZero (Silver et al. 2018), KataGo (Wu 2019, arXiv:1902.10565)."""

    games: int = Field(256, ge=1, description="games played side by side, over all threads")
    threads: int = Field(2, ge=1, description="batches that alternate, each on a thread of its own")
    advances: int = Field(256, ge=1, description="network batches of each thread between two learning phases")
    simulations: int = Field(16, ge=1, description="simulations of a search")
    opening_share: float = Field(0.9, ge=0, le=1, description="share of games that begin with random moves")
    opening_plies: int = Field(8, ge=0, description="most random moves such a game begins with")
    gumbel_scale: float = Field(1.0, ge=0, description="size of the noise at the root (Gumbel AlphaZero: 1)")
    sampled_plies: int = Field(0, ge=0, description="first plies drawn from the policy instead of its best")
    rehearsal: float = Field(0.0, ge=0, lt=1, description="share of games in the variants after the first")
    rollouts: int = Field(
        0,
        ge=0,
        le=MOST_ROLLOUTS,
        description="random playouts mixed into the network's value of a position, at most",
    )
    rollout_share: float = Field(
        0.5, ge=0, le=1, description="their share in the beginning, later fitted to results (AlphaGo: 0.5)"
    )
    solver_nodes: int = Field(
        500, ge=0, description="positions that the exact solver visits, a ply of a game, to put its end right"
    )
    ending_simulations: int = Field(
        1, ge=0, description="simulations where the solver puts nearly all games right; 0: as anywhere else"
    )
    precision: InferencePrecision = Field(
        "auto",
        description="of the network's answers: float32, bfloat16, int8 (x86), or the fastest",
    )
    cache_megabytes: int = Field(64, ge=0, description="memory for evaluations of positions seen before")

    def shares(self, variants: int) -> list[float]:
        """How often a new game is of each variant; without rehearsal all come equally often."""
        if not self.rehearsal or variants == 1:
            return [1.0 / variants] * variants
        return [1.0 - self.rehearsal] + [self.rehearsal / (variants - 1)] * (variants - 1)

    def search_config(self) -> SearchConfig:
        """The search that self-play uses."""
        return SearchConfig(
            simulations=self.simulations,
            gumbel_scale=self.gumbel_scale,
            solve=True,
            rollouts=self.rollouts,
            rollout_share=self.rollout_share,
        )


class LearnerConfig(Section):
    """How the network learns from recorded games."""

    batch_size: int = Field(256, ge=1, description="positions in a batch")
    samples_per_position: float = Field(1.0, gt=0, description="positions learned from for each one recorded")
    optimizer: OptimizerName = Field(
        "muon", description="AdamW, or Muon for the matrices of the tower and AdamW for the rest"
    )
    learning_rate: float = Field(5e-3, gt=0, description="peak rate")
    final_rate: float = Field(
        0.05, ge=0, le=1, description="rate at the end, as a share of the peak (cosine)"
    )
    warmup_steps: int = Field(100, ge=0, description="steps over which the rate rises to its peak")
    weight_decay: float = Field(0.03, ge=0, description="decoupled weight decay")
    clip_norm: float = Field(1.0, gt=0, description="largest norm of a gradient")
    value_weight: float = Field(1.0, gt=0, description="weight of the win/draw/loss loss beside the policy's")
    search_value_share: float = Field(
        0.3, ge=0, le=1, description="share of the search's value in the value target"
    )
    td_lambda: float = Field(
        0.8, ge=0, le=1, description="of the value target's rest, a lambda-return; 1: the outcome"
    )
    reply_weight: float = Field(0.15, ge=0, description="weight of the opponent's reply (KataGo: 0.15)")
    owners_weight: float = Field(0.5, ge=0, description="weight of the final board's owners, a cell's mean")
    plies_weight: float = Field(0.1, ge=0, description="weight of the plies left")
    ema_decay: float = Field(0.98, ge=0, lt=1, description="decay a step of the averaged weights that play")
    window_min: int = Field(20_000, ge=1, description="positions the replay window holds at least")
    window_share: float = Field(0.1, gt=0, le=1, description="share of all recorded positions it grows with")
    window_max: int = Field(150_000, ge=1, description="positions it holds at most")
    first_positions: int = Field(8_000, ge=1, description="positions recorded before learning begins")
    trainable: str = Field(
        "", description="regular expression: parameters learn whose name begins with a match"
    )
    precision: str = Field("auto", pattern="^(auto|float32|bfloat16)$", description="of the training step")

    @property
    def auxiliary_weights(self) -> tuple[float, float, float]:
        """Of reply, owners and plies left; see `models.auxiliary`."""
        return self.reply_weight, self.owners_weight, self.plies_weight


class DuelConfig(Section):
    """A sequential test between two sets of weights: does the newer one pass, or fail?"""

    enabled: bool = Field(False, description="play such tests")
    games: int = Field(200, ge=2, description="most games of a test")
    simulations: int = Field(32, ge=0, description="simulations a move in them")
    elo0: float = Field(0.0, description="Elo points by which weights that fail are stronger")
    elo1: float = Field(70.0, description="and those that pass (AlphaGo Zero: 55 % of the games, 35 points)")
    alpha: float = Field(0.05, gt=0, lt=0.5, description="chance that weights pass that should fail")
    beta: float = Field(0.05, gt=0, lt=0.5, description="chance that weights fail that should pass")

    @model_validator(mode="after")
    def _check(self) -> DuelConfig:
        if not self.elo0 < self.elo1:
            raise ValueError(f"expected elo0 < elo1, got {self.elo0:g} and {self.elo1:g}")
        return self


class GateConfig(DuelConfig):
    """Whether new weights have to win before they play (AlphaGo Zero, Silver et al. 2017; AlphaZero: no).

    Undecided, the old weights play on.
    """

    every: int = Field(4, ge=1, description="iterations between two tests")


class StopConfig(DuelConfig):
    """Whether a run ends before its budget is spent: once its agent doesn't improve any more.

    The averaged weights meet those of the last test that they improved by. Undecided counts as improved.
    """

    patience: int = Field(3, ge=1, description="tests in a row without a gain before the run ends")
    first_positions: int = Field(8_000, ge=1, description="recorded positions before the first test")
    growth: float = Field(0.5, gt=0, description="share by which they have to grow, at least, until the next")
    effort: float = Field(0.2, gt=0, description="moves of a test for each position recorded until the next")


class TrainConfig(Section):
    """A whole run."""

    seed: int = Field(0, ge=0, description="of everything random")
    minutes: float | None = Field(
        None, gt=0, description="wall-clock budget; with it the schedule follows the clock"
    )
    positions: int | None = Field(
        None, ge=1, description="budget of recorded positions: reproducible to the bit"
    )
    device: str = Field("auto", description="'auto' is the first CUDA device, else the CPU")
    checkpoint_seconds: float = Field(60.0, ge=0, description="seconds between checkpoints")
    keep_checkpoints: int = Field(2, ge=1, description="checkpoints kept")
    network: NetworkConfig = Field(default_factory=NetworkConfig)
    selfplay: SelfPlayConfig = Field(default_factory=SelfPlayConfig)
    learner: LearnerConfig = Field(default_factory=LearnerConfig)
    gate: GateConfig = Field(default_factory=GateConfig)
    stop: StopConfig = Field(default_factory=StopConfig)


def read_config(file: Path | None, settings: Sequence[str], base: TrainConfig | None = None) -> TrainConfig:
    """A training's configuration, see `read_settings`."""
    return read_settings(TrainConfig, file, settings, base)


def read_settings(
    model: type[ModelT], file: Path | None, settings: Sequence[str], base: ModelT | None = None
) -> ModelT:
    """A configuration from a TOML file and settings such as `learner.batch_size=256`, the latter winning.

    Args:
        model: the configuration's class.
        file: a `config.toml`; None for none.
        settings: `key=value`, the key dotted, the value as TOML (a bare word counts as text).
        base: what the settings change; default: the defaults.

    Raises:
        RunError: an unknown key, a value that doesn't fit, or a file that can't be read; one line.
    """
    data = base.model_dump() if base is not None else {}
    if file is not None:
        try:
            data = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise RunError(f"{file}: can't read the configuration: {error}") from None
    for setting in settings:
        _apply(data, setting)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        unknown = first["type"] == "extra_forbidden"
        problem = "no such setting" if unknown else f"{first['msg'].lower()}, got {first['input']!r}"
        raise RunError(f"{file or '--set'}: {where}: {problem}") from None


def _apply(data: dict[str, Any], setting: str) -> None:
    """Put one `key=value` into nested tables."""
    key, equals, text = setting.partition("=")
    if not equals or not key.strip():
        raise RunError(f"--set: expected key=value such as learner.batch_size=256, got {setting!r}")
    *sections, name = key.strip().split(".")
    for section in sections:
        data = data.setdefault(section, {})
        if not isinstance(data, dict):
            raise RunError(f"--set: {key.strip()}: {section} is a value, not a section")
    try:
        data[name] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        data[name] = text.strip()
