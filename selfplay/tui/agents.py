"""Which agents a person plays against: loaded for a variant, at a level."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import games
from games import AgentError, Variant
from selfplay.levels import Level, at_level
from selfplay.play import default_agent, opponent, training_note
from selfplay.player import DEFAULT_ROLLOUTS, DEFAULT_SIMULATIONS, Player

OPENING_PLIES = 4
"""Actions at the beginning of watched games that are drawn from the policy, so that games differ."""


class Loaded(NamedTuple):
    """Agents that play a variant.

    players: by seat, as they were asked for, the same one twice unless two were
    analyst: the first of them, to look at positions with
    notes: lines about them
    """

    players: tuple[Player, Player]
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
        against: str | None = None,
    ) -> None:
        """Say which agents.

        Args:
            agent: as `Player.load` takes it; None: what ships for a variant.
            simulations: a move, for .onnx agents.
            level: how strong they play.
            seed: of everything random.
            run: the folder of a run, the latest agent of which plays.
            against: another agent, which has the second seat.
        """
        self.level = level
        self.run = run
        self.against = against
        self._agent, self._simulations, self._seed = agent, simulations, seed

    @property
    def play_alone(self) -> bool:
        """Whether they play among themselves."""
        return self.run is not None or self.against is not None

    def load(self, variant: Variant) -> Loaded:
        """An agent for a variant; may take a second. `AgentError` if it can't play it."""
        if self.run is not None:
            player = opponent(latest_agent(self.run), simulations=self._simulations, seed=self._seed)
            notes = [f"{self.run}: its latest agent plays"]
        elif self._agent is None:
            typed = variant.name if variant.name in games.names() else "FILE.toml"
            player, note = default_agent(
                variant, typed=typed, simulations=self._simulations, seed=self._seed, level=self.level
            )
            notes = [note]
        else:
            player = opponent(self._agent, simulations=self._simulations, seed=self._seed)
            notes = training_note(variant, player)
        other = player
        if self.against is not None:
            other = opponent(self.against, simulations=None, seed=self._seed)
            notes = [f"{player.name} against {other.name}"]
        for each in (player, other):
            each.check_plays(variant)
        analyst = (
            Player.load(f"mcts:{DEFAULT_ROLLOUTS}", seed=self._seed) if player.plays_at_random else player
        )
        return Loaded((player, other), analyst.at_strength(analyst.simulations or DEFAULT_SIMULATIONS), notes)

    def at_level(self, player: Player) -> Player:
        """The agent at the level that is chosen."""
        return player if self.level is None else at_level(player, self.level)


def latest_agent(run: Path) -> Path:
    """The agent that a run has exported last; `AgentError` if there is none yet."""
    path = run / "agent.onnx"
    if not path.is_file():
        raise AgentError(f"expected a run that has exported an agent, got no {path} (yet)")
    return path
