"""The examples play the player's moves; those in other languages use the encoding's places and sizes.

`make verify` runs those as well (examples/check.py), which takes their compilers and packages.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import games
from games.encoding import PLANES, RULE_FEATURES
from selfplay import Player

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
AGENT = ROOT / "models" / "zoo" / "connect4.onnx"
POSITIONS = EXAMPLES / "connect4_positions.txt"


def test_the_python_example_plays_the_policy_s_and_the_search_s_moves() -> None:
    command = [sys.executable, EXAMPLES / "embed_python.py", AGENT, POSITIONS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == POSITIONS.read_text().split()
    players = [Player.load(AGENT, simulations=simulations) for simulations in (0, 64)]
    for text, *moves, value in lines:
        position = games.start(games.load("connect4"))
        for letter in text.strip("-"):
            position = position.play_text(letter)
        analyses = [player.analyse(position) for player in players]
        assert moves == [position.action_text(analysis.action)[0] for analysis in analyses]
        assert float(value) == pytest.approx(analyses[1].value_to_play, abs=0.006)


@pytest.mark.parametrize("file", ["embed_node/move.js", "embed_cpp/move.cpp"])
def test_examples_in_other_languages_agree_with_the_encoding(file: str) -> None:
    """All that isn't zero in Connect Four stands at its place, with its value."""
    text = (EXAMPLES / file).read_text()
    position = games.start(games.load("connect4")).play_text("d")
    constants = dict(re.findall(r"\b([A-Z_]+) = (\d+)\b", text))
    assert int(constants["PLANES"]) == len(PLANES)
    assert int(constants["FEATURES"]) == len(RULE_FEATURES)
    for name in ("SECOND_COLOUR", "PLY"):
        assert RULE_FEATURES[int(constants[name])] == name.lower()
    terms = re.findall(r"(?:rules\[|^  )(\d+)(?:\] =|:) ([\w./ ]+)[,;]", text, re.MULTILINE)
    sizes = {"ROWS": "6", "COLUMNS": "7"}
    given = {
        int(place): eval(re.sub("ROWS|COLUMNS|f", lambda m: sizes.get(m[0], ""), value))
        for place, value in terms
    }
    given |= {RULE_FEATURES.index("second_colour"): 1, RULE_FEATURES.index("ply"): 1 / 42}
    seen = position.observation()
    assert given == pytest.approx({place: value for place, value in enumerate(seen.rules[0]) if value})
    used = {name for name in PLANES if re.search(rf"\b{name.upper()}\b", text)}
    assert used == {name for name, plane in zip(PLANES, seen.planes[0], strict=True) if plane.any()} | {"own"}
