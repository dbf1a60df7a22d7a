"""What a meta-training run is made of; its folder keeps it as `config.toml`. Imports without torch."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from mcts.config import MOST_ROLLOUTS
from models.config import NetworkConfig
from selfplay.config import Section, SelfPlayConfig
from selfplay.meta.algorithms.config import MetaLearningConfig


class VisitConfig(SelfPlayConfig):
    """How the games of one variant are played on a visit."""

    games: int = Field(64, ge=1, description="games of each variant played side by side")
    threads: int = Field(2, ge=1, description="variants played at a time")
    advances: int = Field(32, ge=1, description="network batches of a visit")
    simulations: int = Field(16, ge=1, description="simulations of a search")
    opening_share: float = Field(0.5, ge=0, le=1, description="share of games that begin with random moves")
    rollouts: int = Field(
        8, ge=0, le=MOST_ROLLOUTS, description="random playouts mixed into the network's values, at most"
    )
    rollout_share: float = Field(
        0.75, ge=0, le=1, description="share of playouts in values in the beginning, and in new variants"
    )
    solver_nodes: int = Field(
        50, ge=0, description="positions that the exact solver visits, a ply of a game, to put its end right"
    )
    ending_simulations: int = Field(0, ge=0, le=0, description="a visit searches alike at all plies")
    teacher: Literal["search", "solver"] = Field(
        "search",
        description="who knows better: search with the network, or the exact solver, wherever it gets to the"
        " end of quick games without a network; nothing else is learned then",
    )
    cache_megabytes: int = Field(2, ge=0, description="memory for a variant's evaluations")
    visit_positions: int = Field(1_000, ge=1, description="recorded positions after which a visit ends early")

    @model_validator(mode="after")
    def _solver_may_visit(self) -> VisitConfig:
        if self.teacher == "solver" and not self.solver_nodes:
            raise ValueError("teacher: expected solver_nodes for the solver to teach, got 0")
        return self


CHANNELS = 32
"""Of the tower, if nothing is said: a CPU learns several times as many positions as with twice the width."""


class TasksConfig(Section):
    """How variants are learned from."""

    together: int = Field(16, ge=1, description="variants that are visited, and learned from, at a time")
    support: int = Field(16, ge=1, description="positions of a variant that adaptation sees")
    query: int = Field(16, ge=1, description="positions of other games of it that judge the adapted weights")
    samples_per_position: float = Field(4.0, gt=0, description="positions learned from for each one recorded")
    window: int = Field(30_000, ge=2, description="newest positions of a variant that are learned from")
    first_positions: int = Field(256, ge=1, description="positions of a variant before it is learned from")
    search_value_share: float = Field(
        0.3, ge=0, le=1, description="share of the search's value in the value target"
    )
    surprise_share: float = Field(
        0.0, ge=0, le=1, description="share of positions drawn by how much their policy surprised"
    )
    floor: float = Field(0.5, gt=0, le=1, description="share of visits that all variants get alike")


class ValidationConfig(Section):
    """How an initialisation is judged: by a short adaptation to variants that it never learned from."""

    every_minutes: float = Field(20.0, gt=0, description="minutes between two validations")
    positions: int = Field(
        2_000, ge=0, description="self-play positions of each adaptation; 0: none, as it is"
    )


class MetaTrainConfig(Section):
    """A whole meta-training run."""

    seed: int = Field(0, ge=0, description="of everything random")
    minutes: float | None = Field(None, gt=0, description="wall-clock budget; the schedule follows it")
    positions: int | None = Field(None, ge=1, description="budget of recorded positions")
    device: str = Field("auto", description="'auto' is the first CUDA device, else the CPU")
    checkpoint_seconds: float = Field(120.0, ge=0, description="seconds between checkpoints")
    keep_checkpoints: int = Field(2, ge=1, description="checkpoints kept")
    network: NetworkConfig = Field(default_factory=lambda: NetworkConfig(channels=CHANNELS))
    selfplay: VisitConfig = Field(default_factory=VisitConfig)
    learning: MetaLearningConfig = Field(default_factory=MetaLearningConfig)
    tasks: TasksConfig = Field(default_factory=TasksConfig)
    validation: ValidationConfig = Field(default_factory=ValidationConfig)

    @field_validator("network", mode="before")
    @classmethod
    def _narrow(cls, network: Any) -> Any:
        """What is given in part is filled up with this default, not with the network's own."""
        return {"channels": CHANNELS, **network} if isinstance(network, dict) else network
