"""`selfplay web`: what is offered in a browser, by a server or as a folder."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

import games
from games import UserError, Variant
from games.catalogue import families
from models.format import zoo_file
from selfplay.play import SHARED
from selfplay.player import DEFAULT_ROLLOUTS, Player
from selfplay.web.folder import write_folder
from selfplay.web.server import MOST_BYTES, OWN_FAMILY, Site, application
from selfplay.web.site import Agent, Listed, best_of

PLAIN = f"mcts:{DEFAULT_ROLLOUTS}"
"""The agent without a network."""


class AddressError(UserError):
    """An address that can't be served; one line."""


def offered(names: Sequence[str]) -> list[Listed]:
    """A user's own variants, then the catalogue; `VariantError` for what is neither."""
    own = [games.load(name) for name in names if name not in games.names()]
    shipped = [(games.load(name), family) for family, members in families().items() for name in members]
    every = [*((variant, OWN_FAMILY) for variant in own), *shipped]
    return list({variant.digest: Listed(variant, family) for variant, family in reversed(every)}.values())[
        ::-1
    ]


def offered_agents(files: Sequence[str], *, seed: int) -> dict[str, Agent]:
    """A user's agents, those that ship, and plain tree search; `AgentError` for a file that is none."""
    shipped = sorted(zoo_file("").glob("*.onnx"), key=lambda file: file.name == SHARED)
    agents = [_agent(name, Path(name), seed) for name in files if name not in (PLAIN, "random")]
    agents += [_agent(file.stem, file, seed) for file in shipped]
    plain = Agent(PLAIN, "plain tree search", Player.load(PLAIN, seed=seed), None)
    return {agent.name: agent for agent in [*agents, plain]}


def _agent(name: str, file: Path, seed: int) -> Agent:
    title = f"{file.stem} (plays everything)" if file == zoo_file(SHARED) else file.stem
    return Agent(name, title, Player.load(file, seed=seed), file)


def begin_with(
    names: Sequence[str], listed: Sequence[Listed], agents: dict[str, Agent]
) -> tuple[Variant, str]:
    """The variant and the agent that are chosen first."""
    variant = games.load(names[0]) if names else listed[0].variant
    return variant, best_of({name: agent.player for name, agent in agents.items()}, variant)


def run_server(
    names: Sequence[str],
    agents: Sequence[str],
    *,
    host: str,
    port: int,
    most: int,
    seed: int,
    ready: Callable[[str], object],
) -> None:
    """Serve the page until Ctrl-C.

    Args:
        names: the variant to begin with, and a user's own ones.
        agents: a user's .onnx files.
        host: an address of this machine; loopback ones reach nobody else.
        port: 0 takes any that is free.
        most: simulations of an analysis at most.
        seed: of playouts.
        ready: is told the page's address.

    Raises:
        UserError: no such variant or agent, or an address that can't be served.
    """
    listed, loaded = offered(names), offered_agents(agents, seed=seed)
    variant, agent = begin_with(names, listed, loaded)
    site = Site(listed, loaded, variant=variant, agent=agent, most=most)
    listening = _listen(host, port)
    address = f"http://{'[::1]' if ':' in host else host}:{listening.getsockname()[1]}/"
    app = application(site, hosts=_hosts(host))
    ready(address)
    uvicorn.Server(server_config(app)).run(sockets=[listening])


def server_config(app: Starlette) -> uvicorn.Config:
    """How the page is served: small messages, and a line for what goes wrong."""
    return uvicorn.Config(app, log_level="warning", ws_max_size=MOST_BYTES, ws="websockets-sansio")


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        why = error.strerror if isinstance(error, OSError) else "no such port"
        raise AddressError(f"expected an address to listen on, got {host}:{port}: {why}") from None
    return listening


def _hosts(host: str) -> list[str]:
    """Names under which the server may be asked: loopback's own, or any if everybody may come."""
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    return ["127.0.0.1", "localhost", "[::1]", "::1"] if is_loopback else ["*"]


def write_page(
    listed: Sequence[Listed],
    names: Sequence[str],
    agents: Sequence[str],
    folder: Path,
    *,
    runtime: Path | None,
    seed: int,
    written: Callable[[str], object],
) -> None:
    """Write the page as a folder, with what is `offered`; see `selfplay.web.folder.write_folder`."""
    loaded = offered_agents(agents, seed=seed)
    variant, agent = begin_with(names, listed, loaded)
    write_folder(folder, listed, loaded, variant=variant, agent=agent, runtime=runtime, written=written)
