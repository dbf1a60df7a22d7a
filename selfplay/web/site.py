"""What the page is told: variants, agents and levels, and its files, for a server and for a folder alike.

Data come as scripts that call `deliver`, because a page that is opened from a disk may load nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from games import AgentError, Variant
from mcts import RolloutEvaluator, SearchConfig
from mcts.config import GUMBEL, PUCT
from selfplay import __version__
from selfplay.describe import describe, size
from selfplay.levels import LEVELS, PLAYOUTS_A_SIMULATION
from selfplay.player import Player
from selfplay.web.engine import PAGE, engine, tables

PAGE_FILES = ("index.html", "style.css", "thinker.js", "link.js", "board.js", "app.js")
"""What is sent as it is."""

MOST_SIMULATIONS = 1600
"""Simulations of an analysis at most."""


class Agent(NamedTuple):
    """An agent that may be chosen.

    name: as `Player.load` takes it, and as the page calls it; title: what a person reads
    player: at its usual strength
    file: of its network, if it has one
    """

    name: str
    title: str
    player: Player
    file: Path | None


class Listed(NamedTuple):
    """A variant in the page's menu, under a heading."""

    variant: Variant
    family: str

    def entry(self) -> dict[str, str]:
        """As the page reads it; the digest is its name there."""
        variant = self.variant
        title = variant.title or variant.name
        return {"id": variant.digest, "title": title, "family": self.family, "size": size(variant)}


def site_script(
    listed: Sequence[Listed],
    agents: Mapping[str, Agent],
    *,
    variant: Variant,
    agent: str,
    is_served: bool,
    most: int = MOST_SIMULATIONS,
) -> str:
    """The script that tells the page what there is, and what is chosen first."""
    levels = [level for level in LEVELS if level.simulations <= most]
    site = {
        "server": is_served,
        "variants": [each.entry() for each in listed],
        "agents": [
            {"name": each.name, "title": each.title, "file": agent_file(each) if each.file else None}
            for each in agents.values()
        ],
        "levels": [
            {"name": level.name, "simulations": level.simulations, "temperature": level.temperature}
            for level in levels
        ],
        "start": {"variant": variant.digest, "agent": agent},
        "most": most,
        "footer": f"selfplay {__version__}",
    }
    return f"const SITE = {_as_json(site)};\n"


def variant_file(variant: Variant) -> str:
    """Where the page finds a variant."""
    return f"variants/{variant.digest}.js"


def agent_file(agent: Agent) -> str:
    """Where the page finds an agent's network."""
    assert agent.file is not None
    return f"agents/{agent.file.stem}.js"


def variant_script(variant: Variant, agents: Iterable[Agent], *, is_served: bool) -> str:
    """Everything the page knows of a variant: rules as tables and in words, and who can play it.

    is_served: a server thinks; else the page learns how each agent searches, which may take a first look.
    """
    players = {agent.name: agent.player for agent in agents if _plays(agent.player, variant)}
    data = {
        **tables(variant),
        "rules": variant.rules or "\n".join(describe(variant).values()),
        "plans": {name: {} if is_served else _plan(player, variant) for name, player in players.items()},
        "best": best_of(players, variant),
    }
    return delivery(variant_file(variant), data)


def best_of(players: Mapping[str, Player], variant: Variant) -> str:
    """The agent that is chosen for a variant: one that learned it, or else the one that learned most."""
    networks = [name for name, player in players.items() if player.variants is not None]
    knowing = [name for name in networks if players[name].trained_for(variant)]
    return [*knowing, *reversed(networks), *players][0]


def _plays(player: Player, variant: Variant) -> bool:
    """Whether an agent can evaluate a board at all."""
    try:
        player.check_plays(variant)
    except AgentError:
        return False
    return True


def delivery(file: str, data: Any) -> str:
    """A script that hands data over under its file's name."""
    return f"deliver({_as_json(file)}, {_as_json(data)});\n"


def _plan(player: Player, variant: Variant) -> dict[str, Any]:
    """How an agent searches a variant in the page; `factor`: what it spends for one simulation."""
    searched = player.search_of(variant)
    if searched is None:
        return {"network": True, "factor": 1, "search": {}}
    evaluator, config = searched
    by_network = not isinstance(evaluator, RolloutEvaluator)
    factor = PLAYOUTS_A_SIMULATION if player.is_plain_search else config.simulations // player.simulations
    return {"network": by_network, "factor": factor, "search": _search(config)}


def _search(config: SearchConfig) -> dict[str, Any]:
    """A search's settings under the page's names."""
    return {
        "method": GUMBEL if config.method == "gumbel" else PUCT,
        "gumbelScale": config.gumbel_scale,
        "exploration": config.exploration,
        "solve": config.solve,
        "rollouts": config.rollouts,
        "rolloutShare": config.rollout_share,
        "rolloutPlies": config.rollout_plies,
    }


def page_files() -> dict[str, str]:
    """The page's own files and the engine, by name."""
    files = {name: (PAGE / name).read_text(encoding="utf-8") for name in PAGE_FILES}
    return {**files, "engine.js": engine()}


def _as_json(data: Any) -> str:
    """JSON that may stand in a script."""
    return json.dumps(data, separators=(",", ":")).replace("</", "<\\/")
