"""`SearchConfig`: what a caller chooses about a search, and its form for the kernels."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from games.errors import AgentError

GUMBEL, PUCT = 0, 1
"""`Settings.method`."""


ROLLOUT_PLIES = 200
"""Moves of playouts that take about as long as a small network's evaluation."""


MOST_ROLLOUTS = 1000
"""Playouts of a position that may be mixed in."""


class SearchConfig(BaseModel):
    """How to search: Gumbel AlphaZero (Danihelka et al., ICLR 2022) or AlphaZero (Silver et al., 2018)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Literal["gumbel", "puct"] = Field("gumbel", description="search at the root and inside the tree")
    simulations: int = Field(32, ge=1, le=30000, description="simulations a search spends")
    max_considered: int = Field(16, ge=1, description="Gumbel: actions sampled at the root (paper: 16)")
    gumbel_scale: float = Field(1.0, ge=0, description="Gumbel: size of the root's noise; 0 is deterministic")
    value_scale: float = Field(0.1, gt=0, description="Gumbel: c_scale of the paper's sigma (paper: 0.1)")
    visit_offset: float = Field(50.0, ge=0, description="Gumbel: c_visit of the paper's sigma (paper: 50)")
    exploration: float = Field(1.25, gt=0, description="PUCT: c_init (paper: 1.25)")
    exploration_base: float = Field(19652.0, gt=0, description="PUCT: c_base (paper: 19652)")
    dirichlet_alpha: float = Field(
        0.3, gt=0, description="PUCT: shape of the root's noise (paper, chess: 0.3)"
    )
    dirichlet_fraction: float = Field(0.0, ge=0, le=1, description="PUCT: its share (paper, self-play: 0.25)")
    solve: bool = Field(False, description="propagate proven wins, losses and draws (Winands et al., 2008)")
    rollouts: int = Field(
        0, ge=0, le=MOST_ROLLOUTS, description="random playouts mixed into each value of an evaluator"
    )
    rollout_share: float = Field(0.5, ge=0, le=1, description="their share of the value (AlphaGo: 0.5)")
    rollout_plies: int = Field(
        ROLLOUT_PLIES, ge=1, description="moves of a position's playouts after which no further one begins"
    )


class Mixing(NamedTuple):
    """Playouts that an agent's search mixes into its network's values; see `SearchConfig`.

    rollouts: playouts of a position at most, 0 for none; share: what they count in a value, in [0, 1]
    fitted: whether the share was fitted to the agent's own variants; else it is a guess
    """

    rollouts: int = 0
    share: float = 0.0
    fitted: bool = True

    def metadata(self) -> dict[str, Any]:
        """As an agent's file has it."""
        share = {"rollout_share": round(self.share, 3), "rollout_share_fitted": self.fitted}
        return {"rollouts": self.rollouts, **share}

    @classmethod
    def read(cls, metadata: Mapping[str, Any] | str, where: object) -> Mixing:
        """Back from a file's metadata or their JSON; none if they don't say, `AgentError` for nonsense."""
        try:
            said = dict(json.loads(metadata) if isinstance(metadata, str) else metadata)
            mixing = cls(
                int(said.get("rollouts", 0)),
                float(said.get("rollout_share", 0.0)),
                bool(said.get("rollout_share_fitted", True)),
            )
            if not (0 <= mixing.rollouts <= MOST_ROLLOUTS and 0 <= mixing.share <= 1):
                raise ValueError(f"{mixing.rollouts} with a share of {mixing.share}")
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise AgentError(
                f"expected how many playouts to mix in, 0 to {MOST_ROLLOUTS} with a share of 0 to 1, in the "
                f"metadata, got {error}: {where}"
            ) from None
        return mixing


NO_MIXING = Mixing()


class Settings(NamedTuple):
    """A search's settings as kernels read them.

    considered: int16 `[K, M + 1, S]`: for a budget and a number of considered actions, the visit count that
        the candidate of each simulation must have (sequential halving)
    budgets: int32 `[K]`: simulations of each budget
    """

    method: int
    gumbel_scale: float
    value_scale: float
    visit_offset: float
    exploration: float
    exploration_base: float
    dirichlet_alpha: float
    dirichlet_fraction: float
    solve: bool
    budgets: NDArray[np.int32]
    considered: NDArray[np.int16]


def settings_of(config: SearchConfig, *, budgets: Sequence[int] = ()) -> Settings:
    """Kernel settings; `budgets` lists the simulation budgets that games may have (default: the config's)."""
    all_budgets = tuple(budgets) or (config.simulations,)
    return Settings(
        method=GUMBEL if config.method == "gumbel" else PUCT,
        gumbel_scale=config.gumbel_scale,
        value_scale=config.value_scale,
        visit_offset=config.visit_offset,
        exploration=config.exploration,
        exploration_base=config.exploration_base,
        dirichlet_alpha=config.dirichlet_alpha,
        dirichlet_fraction=config.dirichlet_fraction,
        solve=config.solve,
        budgets=np.array(all_budgets, np.int32),
        considered=_considered_table(config.max_considered, all_budgets),
    )


@lru_cache(maxsize=64)
def _considered_table(max_considered: int, budgets: tuple[int, ...]) -> NDArray[np.int16]:
    table = np.zeros((len(budgets), max_considered + 1, max(budgets)), np.int16)
    for k, budget in enumerate(budgets):
        for considered in range(1, max_considered + 1):
            table[k, considered, :budget] = halving_schedule(considered, budget)
    return table


def halving_schedule(considered: int, simulations: int) -> list[int]:
    """Visit count that the candidate of each simulation has under sequential halving.

    `considered` actions share the simulations of a phase evenly, then the better half (at least two) goes on;
    see Danihelka et al., section 3 and algorithm 2.
    """
    if considered == 1:
        return list(range(simulations))
    phases = math.ceil(math.log2(considered))
    schedule: list[int] = []
    survivors, visits = considered, 0
    while len(schedule) < simulations:
        rounds = max(1, simulations // (phases * survivors))
        for visit in range(visits, visits + rounds):
            schedule += [visit] * survivors
        visits += rounds
        survivors = max(2, survivors // 2)
    return schedule[:simulations]
