"""The page's server: it sends the page, compiles people's own rules, and thinks (ASGI).

What comes from outside is small, checked and answered with one line; it never names a file.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import anyio
import numpy as np
from anyio import to_thread
from anyio.abc import TaskGroup
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from games import AgentError, Position, UserError, Variant, VariantError, start
from selfplay.describe import listing
from selfplay.levels import Level, at_level
from selfplay.player import Analysis, Player
from selfplay.web.site import (
    MOST_SIMULATIONS,
    Agent,
    Listed,
    page_files,
    site_script,
    variant_script,
)

MOST_SESSIONS = 16
"""Pages that may think at the same time."""

MOST_OWN = 64
"""Rules of people that are kept; the oldest ones make room."""

MOST_BYTES = 64 * 1024
"""Of a message, and of a file of rules."""

MOST_PLAYERS = 4
"""Agents at some strength, each with its memory, that a page keeps."""

OWN_FAMILY = "Your own"

_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
_POLICY = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_TOO_BUSY = 1013
"""The websocket code for `try again later`."""


class Question(BaseModel):
    """What a page asks: a position, who thinks, and for how long; without a variant: to stop thinking."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    id: int
    variant: str = Field("", max_length=64)
    actions: tuple[int, ...] = Field((), max_length=4096, strict=False)
    agent: str = Field("", max_length=1024)
    simulations: int = Field(0, ge=0)


class Site:
    """What a server knows: its variants, its agents, and how long they may think."""

    def __init__(
        self,
        listed: Sequence[Listed],
        agents: Mapping[str, Agent],
        *,
        variant: Variant,
        agent: str,
        most: int = MOST_SIMULATIONS,
    ) -> None:
        """Put a site together.

        Args:
            listed: what may be played.
            agents: who may be played against, by name.
            variant, agent: what is chosen first.
            most: simulations of an analysis at most.
        """
        self.agents = agents
        self._variants = {each.variant.digest: each for each in listed}
        self._own: dict[str, Listed] = {}
        self._begin = (variant, agent)
        self._most = most

    def script(self) -> str:
        """What there is, as the page reads it."""
        variant, agent = self._begin
        listed = [*self._own.values(), *self._variants.values()]
        return site_script(listed, self.agents, variant=variant, agent=agent, is_served=True, most=self._most)

    def variant(self, digest: str) -> Variant:
        """A variant that the page may ask for; `VariantError` if there is none."""
        found = self._variants.get(digest) or self._own.get(digest)
        if found is None:
            raise VariantError(f"expected a variant that this server knows, got {digest[:64]!r}")
        return found.variant

    def add(self, text: str) -> dict[str, str]:
        """Keep a person's own rules, for the oldest ones; `VariantError` if they can't be played."""
        variant = Variant.from_toml(text, name="own", where="your rules")
        start(variant)
        while len(self._own) >= MOST_OWN:
            del self._own[next(iter(self._own))]
        self._own[variant.digest] = Listed(variant, OWN_FAMILY)
        return self._own[variant.digest].entry()

    def position(self, question: Question) -> Position:
        """What a question is about; `UserError` if there is no such position."""
        position = start(self.variant(question.variant))
        for action in question.actions:
            position = position.play(action)
        return position

    def player(self, question: Question) -> Player:
        """Who answers a question, with a memory of its own; `AgentError` if there is no such agent."""
        agent = self.agents.get(question.agent)
        if agent is None:
            raise AgentError(f"expected one of {listing(list(self.agents))}, got {question.agent[:64]!r}")
        return at_level(agent.player, Level("", min(question.simulations, self._most), 0.0, ""))


def application(site: Site, *, hosts: Sequence[str], sessions: int = MOST_SESSIONS) -> Starlette:
    """The ASGI application.

    Args:
        site: what it knows.
        hosts: names under which it may be asked, so that no other page's script reaches it.
        sessions: pages that may think at the same time.
    """
    files = page_files()
    free = [sessions]

    async def file(request: Request) -> Response:
        name = request.path_params.get("name") or "index.html"
        text = site.script() if name == "site.js" else files.get(name)
        return _text(text, name) if text is not None else _missing()

    def variant(request: Request) -> Response:  # in a thread: the first one may wait for kernels
        try:
            found = site.variant(request.path_params["digest"])
        except UserError:
            return _missing()
        return _text(variant_script(found, site.agents.values(), is_served=True), "variant.js")

    async def add(request: Request) -> Response:
        if not _is_own(request.headers):
            return JSONResponse({"error": "expected a request of this server's own page"}, 403)
        return await _added(site, request)

    async def think(socket: WebSocket) -> None:
        if not _is_own(socket.headers):
            await socket.close()
            return
        await socket.accept()
        if not free[0]:
            await socket.close(_TOO_BUSY, "too many games at once: try again later")
            return
        free[0] -= 1
        try:
            await _Session(site, socket).serve()
        finally:
            free[0] += 1

    return Starlette(
        routes=[
            Route("/", file),
            Route("/{name}", file),
            Route("/variants/{digest:str}.js", variant),
            Route("/variants", add, methods=["POST"]),
            WebSocketRoute("/think", think),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))],
    )


def _is_own(headers: Headers) -> bool:
    """Whether a request comes from a page of this server, or from no page at all."""
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host")


async def _added(site: Site, request: Request) -> Response:
    """Take a person's own rules."""
    text = b""
    async for part in request.stream():
        text += part
        if len(text) > MOST_BYTES:
            return JSONResponse(
                {"error": f"expected at most {MOST_BYTES // 1024} KiB of rules, got more"}, 413
            )
    try:
        return JSONResponse(await to_thread.run_sync(site.add, text.decode("utf-8")))
    except UnicodeDecodeError:
        return JSONResponse({"error": "expected rules as TOML, got bytes that are no text"}, 400)
    except UserError as error:
        return JSONResponse({"error": str(error)}, 400)


class _Session:
    """One page that thinks: a new question ends the one before."""

    def __init__(self, site: Site, socket: WebSocket) -> None:
        self._site = site
        self._socket = socket
        self._stopped = threading.Event()
        self._players: dict[tuple[str, int], Player] = {}

    async def serve(self) -> None:
        """Answer until the page is gone."""
        async with anyio.create_task_group() as tasks:
            try:
                with suppress(WebSocketDisconnect, RuntimeError):
                    while True:
                        await self._hear(await self._socket.receive_text(), tasks)
            finally:
                self._stopped.set()
            tasks.cancel_scope.cancel()

    async def _hear(self, text: str, tasks: TaskGroup) -> None:
        try:
            question = Question.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "a question"
            await self._say({"id": 0, "error": f"{where}: {first['msg']}"})
            return
        self._stopped.set()
        self._stopped = threading.Event()
        if question.variant:
            tasks.start_soon(self._answer, question, self._stopped)

    def _analyses(self, question: Question, stopped: threading.Event) -> Iterator[Analysis]:
        """Better and better answers, by a player that remembers what it was asked before."""
        position, asked = self._site.position(question), (question.agent, question.simulations)
        if asked not in self._players:
            player = self._site.player(question)
            if len(self._players) == MOST_PLAYERS:
                del self._players[next(iter(self._players))]
            self._players[asked] = player
        yield from self._players[asked].stream(position, stopped=stopped)

    async def _answer(self, question: Question, stopped: threading.Event) -> None:
        """Send analyses as they come, unless a newer question has come meanwhile."""
        analyses = self._analyses(question, stopped)
        last: Analysis | None = None
        try:
            while not stopped.is_set():
                following = await to_thread.run_sync(next, analyses, None)
                if last is not None and not stopped.is_set():
                    await self._say({"id": question.id, "analysis": _plain(last), "done": following is None})
                if following is None:
                    return
                last = following
        except UserError as error:
            await self._say({"id": question.id, "error": str(error)})

    async def _say(self, message: dict[str, Any]) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):  # the page may be gone
            await self._socket.send_text(json.dumps(message))


def _plain(analysis: Analysis) -> dict[str, Any]:
    """An analysis under the page's names."""
    values = [None if np.isnan(value) else value for value in analysis.action_values.tolist()]
    return {
        "action": analysis.action,
        "visits": analysis.visits.tolist(),
        "policy": analysis.policy.tolist(),
        "actionValues": values,
        "valueToPlay": analysis.value_to_play,
        "proven": analysis.proven.tolist(),
        "line": list(analysis.line),
        "simulations": analysis.simulations,
    }


def _text(text: str, name: str) -> Response:
    """A file of the page."""
    headers = {
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }
    return Response(text, media_type=_TYPES[name.rpartition(".")[2]], headers=headers)


def _missing() -> Response:
    return Response("there is no such file\n", 404, media_type="text/plain")
