"""A variant as a PettingZoo environment, so that code written for PettingZoo can play every variant.

The module isn't called `env`, because importing it would then hide the function `games.env`.
"""

from __future__ import annotations

import sys
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo import AECEnv

from games.encoding import PLANES
from games.position import Position, start
from games.variant import Variant

AGENTS = ("player_0", "player_1")
"""Agents are seats: after a swap they keep their names and change colours."""

_OF_PLAYER_TO_MOVE = [PLANES.index(name) for name in ("own", "opponent", "own_goal", "opponent_goal")]
_OF_OTHER_PLAYER = [PLANES.index(name) for name in ("opponent", "own", "opponent_goal", "own_goal")]
_LEGAL_CELL = PLANES.index("legal_cell")


class VariantEnv(AECEnv):  # type: ignore[misc]  # pettingzoo has no types
    """PettingZoo's agent-environment cycle over `Position`; the same agent may act several times in a row.

    An observation is a dictionary, seen by the agent that asks:

    observation: float32 `[H, W, P]`, row 0 is the top row; see `games.encoding.PLANES`
    action_mask: int8 `[A]`, 1 is playable; all zero for an agent that isn't to act
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["human", "ansi"], "is_parallelizable": False}

    def __init__(self, variant: Variant, *, render_mode: str | None = None) -> None:
        """Take a variant; call `reset` before the first step.

        Args:
            variant: the rules.
            render_mode: None, "ansi" (`render` returns the board) or "human" (steps write it to stdout).
        """
        super().__init__()
        modes = self.metadata["render_modes"]
        if render_mode is not None and render_mode not in modes:
            raise ValueError(f"render_mode: expected None or one of {', '.join(modes)}, got {render_mode!r}")
        self.metadata = {**self.metadata, "name": variant.name}  # type: ignore[misc]
        self.variant = variant
        self.render_mode = render_mode
        self.possible_agents = list(AGENTS)
        self.action_spaces = {agent: spaces.Discrete(variant.n_actions) for agent in AGENTS}
        self.observation_spaces = {agent: _observation_space(variant) for agent in AGENTS}

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """The space of `observe(agent)`."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Every action of the variant: cells, PASS, SWAP."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Begin a game. Games have no chance: a seed only feeds the action spaces' sampling.

        There are no options; the parameter belongs to PettingZoo's interface, whose test passes unknown ones.
        """
        if seed is not None:
            for number, space in enumerate(self.action_spaces.values()):
                space.seed(seed + number)
        self.position: Position = start(self.variant)
        self.agents = list(AGENTS)
        self.rewards = dict.fromkeys(AGENTS, 0)
        self._cumulative_rewards = dict.fromkeys(AGENTS, 0)
        self.terminations = dict.fromkeys(AGENTS, False)
        self.truncations = dict.fromkeys(AGENTS, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in AGENTS}
        self.agent_selection = AGENTS[self.position.to_play]

    def step(self, action: int | None) -> None:
        """Play an action for `agent_selection`; after the end every agent steps once with None.

        Raises:
            MoveError: the action isn't legal here; the position stays as it is.
        """
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        assert action is not None, "None is only for agents whose game is over"
        self.position = self.position.play(action)
        self._cumulative_rewards[agent] = 0
        self._settle()
        self._accumulate_rewards()
        if self.render_mode == "human":
            self.render()

    def observe(self, agent: str) -> dict[str, NDArray[Any]]:
        """The position as an agent sees it, whether or not it is to act."""
        to_act = not self.position.is_over and AGENTS[self.position.to_play] == agent
        planes = self.position.observation().planes[0].copy()
        if AGENTS[self.position.to_play] != agent:
            planes[_OF_PLAYER_TO_MOVE] = planes[_OF_OTHER_PLAYER]
            planes[_LEGAL_CELL] = 0.0
        mask = self.position.legal_mask if to_act else np.zeros(self.variant.n_actions, np.bool_)
        last_axis = np.ascontiguousarray(planes.transpose(1, 2, 0))
        return {"observation": last_axis, "action_mask": mask.astype(np.int8)}

    def render(self) -> str | None:
        """The board as text: returned in mode "ansi", written to stdout in mode "human"."""
        if self.render_mode == "ansi":
            return str(self.position)
        if self.render_mode == "human":
            sys.stdout.write(f"{self.position}\n\n")
        return None

    def close(self) -> None:
        """Nothing is held open."""

    def _settle(self) -> None:
        """Rewards, ends and the next agent, from the position."""
        if self.position.is_over:
            self.rewards = dict(zip(AGENTS, self.position.returns, strict=True))
            self.terminations = dict.fromkeys(AGENTS, True)
        self.agent_selection = AGENTS[self.position.to_play]


def _observation_space(variant: Variant) -> spaces.Dict:
    shape = (variant.board.rows, variant.board.columns, len(PLANES))
    return spaces.Dict(
        {
            "observation": spaces.Box(0.0, 1.0, shape, np.float32),
            "action_mask": spaces.Box(0, 1, (variant.n_actions,), np.int8),
        }
    )
