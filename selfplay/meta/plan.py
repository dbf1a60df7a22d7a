"""What a study compares: arms from a TOML file. Imports without torch.

scratch = "scratch"              # what speed-ups are measured against
control = "joint"                # plain multi-task learning
shipped = "reptile"              # the arm whose figures are held against what is wanted

[arms.scratch]                   # without an initialisation: fresh weights
[arms.reptile]
init = "runs/reptile/best.safetensors"
settings = ["learner.learning_rate=2e-3"]
[arms.solver]                    # not an initialisation: a player to set the others' play beside
player = "solver"
most_cells = 20                  # where it is quick enough
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from games import UserError


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Arm(_Section):
    """One way to learn a variant."""

    init: Path | None = Field(None, description="where it starts; none: fresh weights")
    player: str | None = Field(None, description="a player as the arena takes it, which doesn't learn")
    most_cells: int | None = Field(None, ge=1, description="measured on boards of at most so many cells")
    settings: tuple[str, ...] = Field((), description="settings that differ from adaptation's defaults")
    trusted: bool = Field(False, description="fine-tune all as it is, even heads that misjudge a variant")

    @model_validator(mode="after")
    def _check(self) -> Arm:
        if self.player is not None and self.init is not None:
            raise ValueError(f"expected an init or a player, got both {self.init} and {self.player}")
        return self


class Plan(_Section):
    """The arms and their parts in the report."""

    scratch: str = Field("scratch", description="what speed-ups are measured against")
    control: str | None = Field(None, description="plain multi-task learning, the control to beat")
    shipped: str | None = Field(None, description="whose figures are held against what is wanted")
    arms: dict[str, Arm] = Field(min_length=1, description="by name")

    @model_validator(mode="after")
    def _check(self) -> Plan:
        for part in ("scratch", "control", "shipped"):
            name = getattr(self, part)
            if name is not None and name not in self.arms:
                raise ValueError(f"expected {part} to be one of the arms {', '.join(self.arms)}, got {name}")
        scratch = self.arms[self.scratch]
        if scratch.init is not None or scratch.player is not None:
            raise ValueError(f"expected the arm {self.scratch} without an init and without a player")
        return self


def read_plan(path: Path) -> Plan:
    """A plan from its file; paths in it are relative to the working folder.

    Raises:
        UserError: the file can't be read or isn't a plan; one line.
    """
    try:
        return _plan(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path}: expected a plan of arms as TOML, got {error}") from None


def plan_of(arms: list[str]) -> Plan:
    """A plan from `NAME` and `NAME=INIT`; scratch is added, the last one with an init is the shipped one."""
    named: dict[str, dict[str, Any]] = {"scratch": {}}
    for text in arms:
        name, equals, init = text.partition("=")
        named[name] = {"init": init} if equals else {}
    shipped = next((name for name in reversed(named) if "init" in named[name]), None)
    return _plan({"arms": named, "shipped": shipped}, "--arm")


def _plan(data: dict[str, Any], where: str) -> Plan:
    try:
        return Plan.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        text = first["msg"].removeprefix("Value error, ")
        raise UserError(f"{where}: {place + ': ' if place else ''}{text}") from None
