"""`strength.json`: what `selfplay.strength` measured of a run's archived agents, as the report reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from games import RunError
from models.format import one_line

NAME = "strength.json"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class _Agent(_Part):
    """An archived agent: what it had learned from when its weights were kept."""

    agent: str
    positions: int = Field(ge=0)
    seconds: float = Field(ge=0)


class RatedAgent(_Agent):
    """A rating in Elo points with its 95 % interval."""

    rating: float
    low: float
    high: float


class Reference(_Part):
    """A fixed opponent on the same scale, such as `mcts:1000`."""

    name: str
    rating: float
    low: float
    high: float


class SuitePoint(_Agent):
    """Share of solved positions in which the move keeps the value, with its 95 % interval, and regret."""

    simulations: int = Field(ge=0)
    value_preserving: float = Field(ge=0, le=1)
    low: float
    high: float
    regret: float


class Suite(_Part):
    """Measurements on one file of solved positions."""

    file: str
    points: tuple[SuitePoint, ...]


class Strength(_Part):
    """The whole file; simulations: a move, in the rated games."""

    format: Literal[1]
    variant: str
    simulations: int = Field(ge=0)
    points: tuple[RatedAgent, ...]
    references: tuple[Reference, ...] = ()
    suite: Suite | None = None


def read_strength(run: Path) -> Strength | None:
    """What was measured of a run, None if nothing was; raises `RunError` with one line on a damaged file."""
    path = run / NAME
    if not path.exists():
        return None
    try:
        return Strength.model_validate_json(path.read_bytes())
    except OSError as error:
        raise RunError(f"{path}: can't read: {error.strerror or error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise RunError(f"{path}: {place}: {one_line(ValueError(first['msg']))}") from None
