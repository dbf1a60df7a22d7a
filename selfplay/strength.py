"""How a run's strength grew: its archived agents play each other and a fixed opponent, and solve a suite."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from games import RunError, Variant
from models import load_checkpoint
from models.format import write_atomically
from selfplay.evaluate import evaluate_player
from selfplay.match import play_match
from selfplay.openings import draw_openings
from selfplay.opponents import load_contestant
from selfplay.opponents.network import load_network_player
from selfplay.player import DEFAULT_SIMULATIONS, Player
from selfplay.ratings import Pairing, pair_results, rate
from selfplay.reporting.strength_file import NAME
from selfplay.run import archived_agents, disk_errors, latest_agent, read_run
from selfplay.suite import SolvedPosition, read_suite, spot_check

POINTS = 8
"""Agents that are measured: spread over the run, the newest among them."""

REFERENCES = ("mcts:100", "mcts:1000")
"""Fixed opponents, so that curves of several runs have one scale; the last one's rating is zero."""

Tell = Callable[[str], object]


class Archived(NamedTuple):
    """An agent of a run's past."""

    path: Path
    positions: int
    seconds: float

    @property
    def facts(self) -> dict[str, Any]:
        """Which agent it is, as JSON."""
        return {"agent": self.path.stem, "positions": self.positions, "seconds": self.seconds}


def measure_run(
    run: Path,
    *,
    suite: Path | None = None,
    games: int = 40,
    simulations: int = DEFAULT_SIMULATIONS,
    threads: int = 2,
    seed: int = 0,
    tell: Tell = lambda _line: None,
) -> dict[str, Any]:
    """Rate a run's agents by matches, score them on a suite, and write `strength.json` into the run folder.

    Every agent plays the one before it and the references, at the run's first variant.

    Args:
        run: a run folder.
        suite: solved positions of that variant; None for none.
        games: of each pairing.
        simulations: a move of the agents.
        threads: cores that work at a time.
        seed: of the openings and the references.
        tell: takes a line about what was just done.

    Raises:
        RunError, SuiteError: no run, a run without an agent yet, or a suite that doesn't fit; one line.
    """
    _, variants = read_run(run)
    variant = variants[0]
    solved = [] if suite is None else read_suite(suite, variant)
    if suite is not None:
        spot_check(suite, solved, variant)
    agents = chosen_agents(run)
    players = [
        load_network_player(agent.path, simulations=simulations, seed=seed, threads=threads)
        for agent in agents
    ]
    result = {
        "format": 1,
        "variant": variant.name,
        "simulations": simulations,
        "games": games,
        **_rated(variant, agents, players, games=games, threads=threads, seed=seed, tell=tell),
        "suite": None
        if suite is None
        else {
            "file": suite.name,
            "points": _scored(variant, agents, players, solved, threads=threads, tell=tell),
        },
    }
    for player in players:
        player.close()
    with disk_errors(run):
        write_atomically(run / NAME, (json.dumps(result, indent=2) + "\n").encode())
    return result


def chosen_agents(run: Path) -> list[Archived]:
    """At most `POINTS` agents of a run's archive, evenly spread, and the newest."""
    paths = archived_agents(run)
    if not paths:
        latest_agent(run)  # says so if there is none at all
        raise RunError(f"{run}: expected archived agents, got a run from before there were any")
    wanted = min(POINTS, len(paths))
    indices = {round((len(paths) - 1) * (i + 1) / wanted) for i in range(wanted)}
    agents = []
    for path in (paths[i] for i in sorted(indices)):
        _, metadata = load_checkpoint(path)
        agents.append(Archived(path, int(metadata["positions"]), float(metadata["seconds"])))
    return agents


def _rated(
    variant: Variant,
    agents: Sequence[Archived],
    players: Sequence[Player],
    *,
    games: int,
    threads: int,
    seed: int,
    tell: Tell,
) -> dict[str, Any]:
    """Ratings of the agents and the references, whose last is zero."""
    openings = draw_openings(variant, (games + 1) // 2, seed=seed).positions
    pairings = []

    def play(first: int, second: int, player: Any, other: Any) -> None:
        result = play_match(player, other, openings)
        pairings.append(Pairing(first, second, pair_results([game.result for game in result.games])))
        tell(f"{agents[first].path.stem} – {other.name}: {result.points:.0%} of {len(result.games)} games")

    for i in range(1, len(players)):
        play(i, i - 1, players[i], players[i - 1])
    for index, spec in enumerate(REFERENCES, len(players)):
        with closing(load_contestant(spec, variant, seed=seed, threads=threads)) as reference:
            for i, player in enumerate(players):
                play(i, index, player, reference)
    n = len(players) + len(REFERENCES)
    ratings = rate(n, pairings, anchor=n - 1, seed=seed)
    rows = [
        {"rating": float(rating), "low": float(low), "high": float(high)}
        for rating, low, high in zip(ratings.ratings, ratings.low, ratings.high, strict=True)
    ]
    return {
        "points": [agent.facts | row for agent, row in zip(agents, rows, strict=False)],
        "references": [
            {"name": name} | row for name, row in zip(REFERENCES, rows[len(agents) :], strict=True)
        ],
    }


def _scored(
    variant: Variant,
    agents: Sequence[Archived],
    players: Sequence[Player],
    solved: Sequence[SolvedPosition],
    *,
    threads: int,
    tell: Tell,
) -> list[dict[str, Any]]:
    """Each agent's score on the suite, by its policy alone and with search."""
    points = []
    for agent, searching in zip(agents, players, strict=True):
        with closing(load_network_player(agent.path, simulations=0, seed=0, threads=threads)) as alone:
            for player in (alone, searching):
                mean = evaluate_player(player, variant, solved).mean
                kept = mean.value_preserving
                tell(f"{agent.path.stem}, {player.simulations} simulations: {kept.mean:.1%} keep the value")
                points.append(
                    agent.facts
                    | {
                        "simulations": player.simulations,
                        "value_preserving": kept.mean,
                        "low": kept.low,
                        "high": kept.high,
                        "regret": mean.regret.mean,
                    }
                )
    return points
