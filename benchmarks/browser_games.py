"""Games in a headless Chromium, to the end, against Python's rules; and how long a move takes there.

    pip install playwright
    python benchmarks/browser_games.py --chromium /usr/bin/chromium --json benchmarks/results/browser.json

Every variant is played twice: on the page that the server sends, where the server thinks, and in the
folder that `selfplay web --static` writes, opened from the disk, where the page thinks. The person draws
moves at random. Afterwards Python replays the game and has to agree on how it
stands. In the folder, an agent's move with 100 simulations is timed on Connect Four. `--pictures DIR` keeps
what it looks like.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

import games
from games import Variant
from selfplay.web.command import begin_with, offered_agents, server_config
from selfplay.web.folder import write_folder
from selfplay.web.server import Site, application
from selfplay.web.site import Listed

VARIANTS = [
    "connect4",
    "tictactoe",
    "hex-5",
    "othello-6x6",
    "breakthrough-5x5",
    "amazons-5x5",
    "go-5",
    "ataxx-5x5",
    "havannah-4",
]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 860}
TIMED, SIMULATIONS = 11, 100

STATE = """() => ({ actions: app.position.actions, isOver: app.position.isOver, returns: app.position.returns,
  mine: app.isMyTurn, legal: app.position.legal, error: document.getElementById('error').textContent })"""
READY = "app.position.isOver || app.isMyTurn || !document.getElementById('error').hidden"


def main() -> None:
    """Play, compare, measure."""
    arguments = _arguments()
    from playwright.sync_api import sync_playwright

    listed = [Listed(games.load(name), "Games") for name in VARIANTS]
    agents = offered_agents([], seed=0)
    variant, agent = begin_with(VARIANTS, listed, agents)
    results: dict[str, Any] = {"machine": platform.machine(), "variants": VARIANTS}
    with sync_playwright() as tool, tempfile.TemporaryDirectory() as folder:
        browser = tool.chromium.launch(executable_path=arguments.chromium, args=["--no-sandbox"])
        site = Site(listed, agents, variant=variant, agent=agent)
        with _served(site) as address:
            results["served"] = _games(browser, address, listed, arguments, "served")
        write_folder(
            Path(folder), listed, agents, variant=variant, agent=agent, runtime=None, written=lambda _: None
        )
        address = (Path(folder) / "index.html").as_uri()
        results["static"] = _games(browser, address, listed, arguments, "static")
        results["move"] = _timed(browser, address)
    print(json.dumps(results["move"]))
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--chromium", default=shutil.which("chromium"), help="the browser")
    parser.add_argument("--pictures", type=Path, help="a folder for screenshots")
    parser.add_argument("--json", type=Path, help="where the figures go")
    arguments = parser.parse_args()
    try:
        import playwright.sync_api  # noqa: F401
    except ModuleNotFoundError:
        sys.exit("error: this needs playwright: pip install playwright")
    if arguments.chromium is None:
        sys.exit("error: expected a Chromium, found none; on Debian: apt-get install chromium")
    return arguments


@contextmanager
def _served(site: Site) -> Iterator[str]:
    config = server_config(application(site, hosts=["127.0.0.1"]))
    config.port = 0
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    server.should_exit = True
    thread.join()


def _games(
    browser: Any, address: str, listed: list[Listed], arguments: argparse.Namespace, kind: str
) -> dict[str, int]:
    """Play each variant once, on a desk's screen or a phone's; the plies of each game."""
    plies = {}
    for number, each in enumerate(listed):
        page = browser.new_page(
            viewport=PHONE if number % 2 else DESK,
            color_scheme="dark" if number % 2 else "light",
            bypass_csp=True,
        )
        complaints: list[str] = []
        page.on("pageerror", lambda error, complaints=complaints: complaints.append(str(error)))
        page.goto(address)
        page.select_option("#level", label="casual")
        page.select_option("#variant", value=each.variant.digest)
        page.check("#analyse")
        page.select_option("#heat", value="visits")
        plies[each.variant.name] = _game(page, each.variant, arguments.pictures, kind)
        if complaints:
            sys.exit(f"error: {each.variant.name}, {kind}: {complaints}")
        page.close()
        print(f"{kind}: {each.variant.name}, {plies[each.variant.name]} plies", flush=True)
    return plies


def _game(page: Any, variant: Variant, pictures: Path | None, kind: str) -> int:
    """Play a game to its end and hold it against Python's rules; its plies."""
    draw = random.Random(variant.digest)
    page.wait_for_function(f"app.variant && app.variant.id === '{variant.digest}'")
    while True:
        page.wait_for_function(
            "app.position.isOver || app.isMyTurn || !document.getElementById('error').hidden"
        )
        state = page.evaluate(STATE)
        if state["error"]:
            sys.exit(f"error: {variant.name}, {kind}: the page says {state['error']}")
        if pictures and state["mine"] and len(state["actions"]) >= 4:
            page.wait_for_function("app.analysis && app.analysis.simulations >= 128")
            page.screenshot(path=str(pictures / f"web-{kind}-{variant.name}.png"), full_page=True)
            pictures = None
        if state["isOver"]:
            return _agrees(variant, state)
        _play(page, variant, draw.choice(state["legal"]))


def _play(page: Any, variant: Variant, action: int) -> None:
    """Click on a cell, or on the button of what has none."""
    cells = variant.board.rows * variant.board.columns
    if action < cells:
        page.locator(f'[data-cell="{action}"]').click()
    else:
        page.locator("#special button", has_text="Pass" if action == cells else "Swap").click()


def _agrees(variant: Variant, state: dict[str, Any]) -> int:
    """Replay the page's game; its plies."""
    position = games.start(variant)
    for action in state["actions"]:
        position = position.play(action)
    if not position.is_over or list(position.returns) != state["returns"]:
        sys.exit(f"error: {variant.name}: the page ends with {state['returns']}, Python with {position!r}")
    return position.ply


def _timed(browser: Any, address: str) -> dict[str, float]:
    """Seconds of a move with 100 simulations on Connect Four, in the page, one thread."""
    page = browser.new_page(bypass_csp=True)
    page.goto(address)
    page.wait_for_function("app.position")
    code = f"""async () => {{
      const began = performance.now();
      await app.link.think(app.request({SIMULATIONS}));
      return (performance.now() - began) / 1000;
    }}"""
    first = page.evaluate(code)
    seconds = []
    draw = random.Random(1)
    for _ in range(TIMED):
        page.evaluate(
            "(action) => { app.line = [app.position.play(action)]; app.now = 0; }",
            draw.choice(page.evaluate("app.position.legal")),
        )
        seconds.append(page.evaluate(code))
    return {"first_with_loading": first, "median": statistics.median(seconds), "longest": max(seconds)}


if __name__ == "__main__":
    main()
