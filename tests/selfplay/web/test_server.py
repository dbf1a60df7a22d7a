"""The server through a real socket: files, people's rules, thinking, and what strangers may try."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError

import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

import games
from mcts import uniform_evaluator
from selfplay.levels import PLAYOUTS_A_SIMULATION
from selfplay.player import Player, search_config
from selfplay.web.command import server_config
from selfplay.web.server import MOST_BYTES, Site, application
from selfplay.web.site import Agent, Listed

TICTACTOE = games.load("tictactoe")
PATIENCE = 600.0
"""Seconds for an answer: the first one may wait for kernels to be compiled."""

RULES = "board = { rows = 4, columns = 4 }\nend = { line = 3 }\n"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server of tic-tac-toe for two pages at a time."""
    even = Player(uniform_evaluator, search_config(8), name="even")
    agents = {
        "mcts:100": Agent("mcts:100", "plain", Player.load("mcts:100"), None),
        "even": Agent("even", "even", even, None),
    }
    site = Site([Listed(TICTACTOE, "Lines")], agents, variant=TICTACTOE, agent="even", most=64)
    app = application(site, hosts=["127.0.0.1"], sessions=2)
    with running(server_config(app)) as port:
        yield f"127.0.0.1:{port}"


@contextmanager
def running(config: uvicorn.Config) -> Iterator[int]:
    """A server in a thread; its port."""
    config.port = 0
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


def ask(address: str, path: str, data: bytes | None = None, **headers: str) -> tuple[int, str]:
    """A request's status and text."""
    request = urllib.request.Request(f"http://{address}{path}", data, headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


@contextmanager
def page(address: str) -> Iterator[ClientConnection]:
    """A page that may think."""
    with connect(f"ws://{address}/think") as socket:
        yield socket


def refusal(address: str) -> str:
    """Why a new page may not think; empty if it may."""
    with page(address) as socket:
        try:
            socket.send("{}")
            socket.recv(timeout=10)
        except ConnectionClosed as closed:
            return closed.rcvd.reason if closed.rcvd else "?"
    return ""


def think(socket: ClientConnection, **question: Any) -> dict[str, Any]:
    """The last answer to a question."""
    asked = {"id": 1, "variant": TICTACTOE.digest, "agent": "even", "simulations": 8, **question}
    socket.send(json.dumps(asked))
    while True:
        answer: dict[str, Any] = json.loads(socket.recv(timeout=PATIENCE))
        if answer.get("done") or "error" in answer:
            return answer


def test_the_page_and_its_data_are_there(address: str) -> None:
    for path in ("/", "/app.js", "/engine.js", "/style.css", "/site.js", f"/variants/{TICTACTOE.digest}.js"):
        assert ask(address, path)[0] == 200, path


@pytest.mark.parametrize(
    "path", ["/server.py", "/%2e%2e/server.py", "/variants/0000.js", "/variants/..%2fapp.js"]
)
def test_nothing_else_is(address: str, path: str) -> None:
    assert ask(address, path)[0] == 404


def test_other_names_for_the_server_are_refused(address: str) -> None:
    assert ask(address, "/", Host="evil.example")[0] == 400


def test_rules_are_compiled_and_played(address: str) -> None:
    status, text = ask(address, "/variants", RULES.encode())
    entry = json.loads(text)
    assert (status, entry["size"]) == (200, "4×4")
    assert ask(address, f"/variants/{entry['id']}.js")[0] == 200
    with page(address) as socket:
        assert think(socket, variant=entry["id"])["analysis"]["action"] in range(16)


@pytest.mark.parametrize(
    ("rules", "status", "words"),
    [
        (b"x = [", 400, "not valid TOML"),
        (b"[board]\nrows = 99", 400, "rows"),
        (b"\xff\xfe", 400, "no text"),
        (b"#" * (MOST_BYTES + 1), 413, "64 KiB"),
    ],
    ids=["broken", "impossible", "binary", "endless"],
)
def test_rules_that_are_none_get_one_line(address: str, rules: bytes, status: int, words: str) -> None:
    got, text = ask(address, "/variants", rules)
    assert got == status
    assert words in json.loads(text)["error"]


def test_another_page_cannot_send_rules(address: str) -> None:
    assert ask(address, "/variants", RULES.encode(), Origin="http://evil.example")[0] == 403


def test_another_page_cannot_think(address: str) -> None:
    with pytest.raises(InvalidStatus):
        connect(f"ws://{address}/think", origin="http://evil.example").close()


def test_the_server_thinks_as_the_player_does(address: str) -> None:
    position = games.start(TICTACTOE).play_text("a1").play_text("b2").play_text("a2")
    with page(address) as socket:
        answer = think(socket, actions=list(position.actions), agent="mcts:100", simulations=20)
    expected = Player.load(f"mcts:{20 * PLAYOUTS_A_SIMULATION}").analyse(position)
    assert answer["analysis"]["action"] == expected.action
    assert answer["analysis"]["visits"] == expected.visits.tolist()


def test_simulations_are_capped(address: str) -> None:
    with page(address) as socket:
        assert think(socket, simulations=10**9)["analysis"]["simulations"] == 64


def test_no_simulations_are_the_policy(address: str) -> None:
    with page(address) as socket:
        analysis = think(socket, simulations=0)["analysis"]
    assert analysis["simulations"] == 0
    assert analysis["policy"][:9] == pytest.approx([1 / 9] * 9)


def test_a_new_question_ends_the_one_before(address: str) -> None:
    with page(address) as socket:
        old = {"id": 1, "variant": TICTACTOE.digest, "agent": "mcts:100", "simulations": 64}
        socket.send(json.dumps(old))
        assert think(socket, id=2)["id"] == 2


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"variant": "ffff"}, "a variant that this server knows"),
        ({"agent": "/etc/passwd"}, "expected one of mcts:100, even"),
        ({"actions": [0, 0]}, "isn't legal here"),
        ({"actions": [10**30]}, "actions"),
        ({"simulations": -1}, "simulations"),
        ({"id": None}, "id"),
    ],
    ids=["variant", "agent", "move", "number", "simulations", "id"],
)
def test_wrong_questions_get_one_line_and_the_page_stays(
    address: str, question: dict[str, Any], words: str
) -> None:
    with page(address) as socket:
        error = think(socket, **question)["error"]
        assert words in error
        assert "\n" not in error
        assert think(socket)["done"]


@pytest.mark.parametrize("message", ["", "[", "[1, 2]", '"' + "x" * 1000, b"\x00\x01"], ids=repr)
def test_noise_does_not_end_the_server(address: str, message: str | bytes) -> None:
    with page(address) as socket:
        socket.send(message)
    with page(address) as socket:
        assert think(socket)["done"]


def test_an_endless_message_ends_its_page_only(address: str) -> None:
    with page(address) as socket:
        socket.send("x" * (2 * MOST_BYTES))
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=10)
    with page(address) as socket:
        assert think(socket)["done"]


def test_a_page_that_leaves_makes_room(address: str) -> None:
    with page(address) as one, page(address) as other:
        assert think(one)["done"]
        assert think(other)["done"]
        assert "too many" in refusal(address)
    deadline = time.monotonic() + 10
    while refusal(address):
        assert time.monotonic() < deadline, "nobody made room"
        time.sleep(0.05)
