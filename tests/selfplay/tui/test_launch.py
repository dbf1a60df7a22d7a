"""Where the app starts and where it doesn't, in real terminals."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import games
from games import AgentError, UserError
from selfplay.play_command import Wishes, run_play
from selfplay.tui.agents import Agents
from selfplay.tui.app import SelfplayApp
from selfplay.tui.launch import watched_variant

ROOT = Path(__file__).parents[3]
PATIENCE = 240.0


def in_terminal(code: str, kind: str, say: Callable[[str], str]) -> tuple[str, int]:
    """Output and exit code of a Python program in a pseudo-terminal.

    say: what to type after the output so far; it is told once more whenever there is more
    """
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": kind, "COLUMNS": "80", "LINES": "24"}
    child = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=slave, stdout=slave, stderr=slave, env=environment
    )
    os.close(slave)
    output, until = "", time.monotonic() + PATIENCE
    try:
        while time.monotonic() < until:
            if select.select([master], [], [], 0.1)[0]:
                try:
                    output += os.read(master, 65_536).decode(errors="replace")
                except OSError:  # Linux: the other end was closed
                    break
                os.write(master, say(output).encode())
            elif child.poll() is not None:
                break
        return output, child.wait(timeout=10)
    finally:
        child.kill()
        os.close(master)


PLAY = (
    "import sys; sys.argv[1:] = ['play', 'tictactoe', '--agent', 'random'];"
    "from selfplay.cli import main; main()"
)


def test_the_app_starts_in_a_terminal_and_leaves_it_as_it_was() -> None:
    output, code = in_terminal(PLAY, "xterm-256color", lambda seen: "q" if "Your move" in seen else "")
    assert code == 0
    assert "\x1b[?1049h" in output, "the other screen is entered"
    assert "\x1b[?1049l" in output, "and left"
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("code", "kind", "note"),
    [
        (PLAY, "dumb", False),
        (PLAY.replace("import sys;", "import sys; sys.modules['textual'] = None;"), "xterm-256color", True),
    ],
)
def test_the_plain_mode_is_there_for_everything_else(code: str, kind: str, note: bool) -> None:
    output, result = in_terminal(code, kind, lambda seen: "quit\n" if seen.endswith("> ") else "")
    assert result == 0
    assert "Type a move, or help." in output
    assert "\x1b[?1049h" not in output
    assert ("needs textual" in output) == note


def wishes(**wanted: object) -> Wishes:
    nothing = Wishes("tictactoe", "random", None, None, "me", None, None, None, 0, True)
    return nothing._replace(**wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        ({"level": "wizard"}, "expected a level, one of beginner"),
        ({"level": "club", "simulations": 5}, "expected --level or --simulations, got both"),
        ({"clock": "soon"}, "expected a time such as 5 or"),
        ({"clock": "5"}, "--clock is for the terminal app"),
        ({"against": "random"}, "--against is for the terminal app"),
        ({"watch": Path("runs/x")}, "--watch is for the terminal app"),
        ({"variant": None}, "expected a VARIANT, such as connect4"),
    ],
)
def test_wishes_that_cannot_be_fulfilled(wanted: dict[str, object], line: str) -> None:
    with pytest.raises(UserError, match=line) as refusal:
        run_play(wishes(**wanted), plain=True, echo=lambda _: None)
    assert "\n" not in str(refusal.value)


def test_a_run_plays_the_first_of_its_variants(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="expected the folder of a run"):
        watched_variant(tmp_path)
    (tmp_path / "variants").mkdir()
    (tmp_path / "variants" / "0.toml").write_text("board = { rows = 3, columns = 4 }\nend = { line = 3 }\n")
    assert watched_variant(tmp_path).board.columns == 4


def test_sixteen_colours_are_used_where_there_are_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COLORTERM", raising=False)
    app = SelfplayApp(games.load("tictactoe"), Agents("random"))
    assert app.theme == "ansi-dark"
    monkeypatch.setenv("COLORTERM", "truecolor")
    assert SelfplayApp(games.load("tictactoe"), Agents("random")).theme == "textual-dark"
