"""Who can sit at a board: `load_contestant` makes a player of any kind from its name."""

from __future__ import annotations

import re
from pathlib import Path

from games import AgentError, Variant
from selfplay.match import Contestant
from selfplay.player import Player

PLAYERS = "an .onnx or .safetensors file, a run folder, random, mcts:N"
"""What `load_player` understands, for messages."""

CONTESTANTS = f"{PLAYERS}, alphabeta:DEPTH, solver, openspiel:mcts:N, uci:COMMAND or gtp:COMMAND"
"""What `load_contestant` understands."""

_STRENGTH = re.compile(r"(.+)@([0-9]+)(?:\+([0-9]+))?", re.DOTALL)


def load_contestant(
    spec: str, variant: Variant, *, simulations: int | None = None, seed: int = 0, threads: int = 1
) -> Contestant:
    """A player of one variant, from what a user calls it.

    Args:
        spec: one of `CONTESTANTS`; a file or a folder may end in `@N`, the simulations a move, or in `@N+M`:
            and M positions of the exact solver, see `Player.load`.
        variant: what it is to play.
        simulations: a move, for networks whose name doesn't say it; default 64.
        seed: of its chances.
        threads: how many positions (or processes of an outside engine) work at a time.

    Raises:
        UserError: nothing has that name, or it can't play this variant; one line.
    """
    kind, _, rest = spec.partition(":")
    if kind == "alphabeta":
        from selfplay.opponents.alphabeta import AlphaBetaContestant

        return AlphaBetaContestant(_depth(rest, spec), variant, seed=seed, threads=threads)
    if spec == "solver":
        from selfplay.opponents.solver import SolverContestant

        return SolverContestant(variant, seed=seed)
    if kind == "openspiel":
        from selfplay.opponents.openspiel import OpenSpielContestant

        return OpenSpielContestant(rest, variant, seed=seed, processes=threads)
    if kind == "uci":
        from selfplay.opponents.uci import UciContestant

        return UciContestant(rest, variant, processes=threads)
    if kind == "gtp":
        from selfplay.opponents.gtp import GtpContestant

        return GtpContestant(rest, variant, processes=threads)
    player = load_player(spec, simulations=simulations, seed=seed, threads=threads, known=CONTESTANTS)
    player.check_plays(variant)
    return player


def load_player(
    spec: str,
    *,
    simulations: int | None = None,
    seed: int = 0,
    threads: int = 1,
    known: str = PLAYERS,
) -> Player:
    """What plays by our own search, or by none; as `load_contestant`. `known` is what a refusal names."""
    if spec == "random" or spec.partition(":")[0] == "mcts":
        return Player.load(spec, seed=seed, threads=threads)
    path, solver_nodes = Path(spec), 0
    if strength := _STRENGTH.fullmatch(spec):
        path, simulations, solver_nodes = Path(strength[1]), int(strength[2]), int(strength[3] or 0)
    if not (path.exists() or path.suffix in (".onnx", ".safetensors")):
        raise AgentError(f"expected {known}, got {spec!r}")
    if path.is_dir() or path.suffix == ".safetensors":
        from selfplay.opponents.network import load_network_player

        return load_network_player(
            path, simulations=simulations, seed=seed, threads=threads, solver_nodes=solver_nodes
        )
    return Player.load(path, simulations=simulations, seed=seed, threads=threads, solver_nodes=solver_nodes)


def _depth(text: str, spec: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        raise AgentError(f"expected alphabeta:DEPTH with a depth of at least 1, got {spec!r}")
    return int(text)
