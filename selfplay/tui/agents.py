"""Which agents a person plays against: loaded for a variant, at a level."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from games import AgentError, Variant
from selfplay.levels import Level, at_level
from selfplay.play import default_agent, training_note
from selfplay.player import DEFAULT_ROLLOUTS, Player

OPENING_PLIES = 4
"""Actions at the beginning of watched games that are drawn from the policy, so that games differ."""


class Loaded(NamedTuple):
    """An agent that plays a variant.

    player: as it was asked for; analyst: the same agent to look at positions with
    notes: lines about it
    """

    player: Player
    analyst: Player
    notes: list[str]


class Agents:
    """Loads agents.

    Attributes:
        level: how strong they play; None: as they were asked for.
    """

    def __init__(
        self,
        agent: str | None = None,
        *,
        simulations: int | None = None,
        level: Level | None = None,
        seed: int = 0,
        run: Path | None = None,
    ) -> None:
        """Say which agents.

        Args:
            agent: as `Player.load` takes it; None: what ships for a variant.
            simulations: a move, for .onnx agents.
            level: how strong they play.
            seed: of everything random.
            run: the folder of a run, the latest agent of which plays.
        """
        self.level = level
        self.run = run
        self._agent, self._simulations, self._seed = agent, simulations, seed

    def load(self, variant: Variant) -> Loaded:
        """An agent for a variant; may take a second. `AgentError` if it can't play it."""
        if self.run is not None:
            player = Player.load(latest_agent(self.run), simulations=self._simulations, seed=self._seed)
            notes = [f"{self.run}: its latest agent plays"]
        elif self._agent is None:
            player, note = default_agent(
                variant, typed=variant.name, simulations=self._simulations, seed=self._seed
            )
            notes = [note]
        else:
            player = Player.load(self._agent, simulations=self._simulations, seed=self._seed)
            notes = training_note(variant, player)
        player.check_plays(variant)
        analyst = (
            Player.load(f"mcts:{DEFAULT_ROLLOUTS}", seed=self._seed) if player.plays_at_random else player
        )
        return Loaded(player, analyst.at_strength(analyst.simulations or 1), notes)

    def at_level(self, player: Player) -> Player:
        """The agent at the level that is chosen."""
        return player if self.level is None else at_level(player, self.level)


def latest_agent(run: Path) -> Path:
    """The agent that a run has exported last; `AgentError` if there is none yet."""
    path = run / "agent.onnx"
    if not path.is_file():
        raise AgentError(f"expected a run that has exported an agent, got no {path} (yet)")
    return path
