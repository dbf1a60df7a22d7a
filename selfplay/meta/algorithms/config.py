"""The settings of all meta-learning algorithms; imports without torch."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

AlgorithmName = Literal[
    "maml",
    "fomaml",
    "reptile",
    "anil",
    "meta-sgd",
    "cavia",
    "learned-optimizer",
    "prototypes",
    "joint",
    "pretrain",
    "scratch",
]

SGD_RATE, ADAM_RATE = 0.05, 1e-3
"""Inner rates where none is set."""


class MetaLearningConfig(BaseModel):
    """How an initialisation is learned, and how a task is learned from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    algorithm: AlgorithmName = Field("joint", description="the algorithm")
    inner_steps: int = Field(5, ge=1, description="steps of the inner loop (MAML: 1 to 5, Reptile: 5 to 10)")
    inner_rate: float | None = Field(
        None, gt=0, description=f"rate of a step; default: {SGD_RATE} for SGD, {ADAM_RATE} for Adam"
    )
    inner_batch: int = Field(0, ge=0, description="positions of the support a step sees; 0: all")
    inner_clip: float | None = Field(1.0, gt=0, description="largest norm of a task's gradient, if limited")
    inner_loss: Literal["alphazero", "outcome", "value"] = Field(
        "alphazero", description="learn from search, from results alone, or the value alone"
    )
    inner_optimizer: Literal["sgd", "adam"] = Field(
        "adam",
        description="of reptile, prototypes, joint, pretrain, scratch; the others use SGD",
    )
    order: Literal[1, 2] = Field(
        2, description="2: maml, anil, meta-sgd and cavia differentiate the inner gradients; 1: they don't"
    )
    multi_step: bool = Field(
        False, description="judge every inner step, annealed to the last (MAML++, arXiv:1810.09502)"
    )
    learn_rates: bool = Field(
        False, description="maml, fomaml, anil and cavia learn a rate for each tensor (MAML++)"
    )
    rates_rate: float = Field(0.01, gt=0, description="outer rate of the logarithms of learned inner rates")
    outer_rate: float = Field(1e-3, gt=0, description="outer rate of AdamW")
    final_rate: float = Field(0.05, ge=0, le=1, description="its share at the end (cosine); 1: constant")
    warmup_steps: int = Field(200, ge=0, description="outer steps over which AdamW's rate rises to its peak")
    weight_decay: float = Field(1e-4, ge=0, description="decoupled weight decay of AdamW")
    outer_clip: float = Field(1.0, gt=0, description="largest norm of the outer gradient")
    ema_decay: float = Field(0.995, ge=0, lt=1, description="decay a step of the averaged initialisation")
    reptile_rate: float = Field(
        0.5,
        gt=0,
        le=1,
        description="share of the way to the adapted weights (Reptile: 1), falls by schedule",
    )
    rules_told: bool = Field(True, description="whether the network sees the rule features")
    rules_dropout: float = Field(
        0.0, ge=0, lt=1, description="chance that a task of meta-training hides its rules"
    )
    lstm_hidden: int = Field(8, ge=1, description="units of the learned optimiser (paper: 2 x 20)")
    prototype_base: Literal["joint", "reptile"] = Field("joint", description="what prototypes start from")
    prototype_every: int = Field(
        50, ge=1, description="outer steps between two memories of the tasks at hand"
    )
    prototype_steps: int = Field(20, ge=1, description="inner steps by which a known variant is learned")
    seed: int = Field(0, ge=0, lt=2**31, description="of the dropout of rules")

    @model_validator(mode="after")
    def _check(self) -> MetaLearningConfig:
        if self.algorithm == "joint" and not (self.rules_told and self.rules_dropout == 0):
            raise ValueError("expected rules that are always told, algorithm joint knows a task by its rules")
        return self

    def rate(self, optimizer: Literal["sgd", "adam"]) -> float:
        """The inner rate for an optimiser."""
        return self.inner_rate or {"sgd": SGD_RATE, "adam": ADAM_RATE}[optimizer]
