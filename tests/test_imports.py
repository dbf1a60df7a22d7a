"""What playing needs stays light: imports are tried in child processes, where nothing is loaded yet.

import-linter holds the static import graph; these tests hold what really happens at import time.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PLAYS = (
    "import games",
    "import mcts",
    "import models.onnx_runtime",
    "from selfplay import Player",
    "import selfplay.cli",
    "import selfplay.meta.algorithms",
    "import selfplay.meta.split",
)
"""Everything a person needs to play, and the command line that offers it."""


def run(code: str) -> str:
    """Output of a fresh interpreter; its traceback becomes the test's message."""
    child = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert child.returncode == 0, child.stderr
    return child.stdout


def loaded_by(statement: str) -> set[str]:
    """Top-level names of the modules that a statement loads."""
    code = f"import json, sys\n{statement}\nsys.stdout.write(json.dumps(sorted(sys.modules)))"
    return {module.partition(".")[0] for module in json.loads(run(code))}


@pytest.mark.parametrize("statement", PLAYS)
def test_what_plays_imports_where_torch_cannot_be_imported(statement: str) -> None:
    run(f"import sys\nsys.modules['torch'] = None\n{statement}")


@pytest.mark.parametrize("statement", PLAYS)
def test_what_plays_leaves_torch_alone_where_it_is_installed(statement: str) -> None:
    assert "torch" not in loaded_by(statement)


def test_games_alone_loads_no_runtime_and_no_interface() -> None:
    heavy = {"torch", "onnxruntime", "onnx", "pettingzoo", "gymnasium", "typer", "rich"}
    assert loaded_by("import games") & heavy == set()


def test_games_alone_loads_no_sibling() -> None:
    assert loaded_by("import games") & {"mcts", "models", "selfplay"} == set()


def test_search_loads_no_network() -> None:
    assert loaded_by("import mcts") & {"models", "selfplay", "onnxruntime"} == set()


def test_a_player_loads_no_solver_and_nothing_that_makes_or_checks_variants() -> None:
    unneeded = ("games.solver", "games.sampling", "games.playtest", "games.conformance", "games.aec")
    code = f"import sys\nfrom selfplay import Player\nprint([m for m in {unneeded} if m in sys.modules])"
    assert run(code) == "[]\n"


def test_what_is_loaded_when_it_is_used_is_there() -> None:
    names = "conformance, playtest, solve, solve_actions, sample_variant, sample_variants, fingerprint"
    run(f"from games import {names}, Playtest, Space, degenerate")


@pytest.mark.parametrize(
    "statement", ["import selfplay.cli", "import selfplay.play_command", "import selfplay.session"]
)
def test_the_terminal_app_is_loaded_only_when_it_starts(statement: str) -> None:
    assert "textual" not in loaded_by(statement)


def test_a_command_that_learns_says_what_is_missing_where_torch_is_not_installed(tmp_path: Path) -> None:
    code = "import sys\nsys.modules['torch'] = None\nfrom selfplay.cli import main\nmain()"
    command = [sys.executable, "-c", code, "train", "connect4", "--run", str(tmp_path / "run")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "selfplay-agents[train]" in result.stderr
