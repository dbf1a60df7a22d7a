"""`selfplay variants sample` and `check` as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import games
from games.playtest import playtest
from selfplay.cli import app
from selfplay.variants import playtest_table

SPACE = """
rows = [4, 5]
columns = [4, 5]
kinds = { place = 1, drop = 1 }
conditions = { anywhere = 1 }
effects = { none = 1 }
goals = { line = 1 }
"""


def run(*arguments: object) -> Result:
    """A command in this process."""
    return CliRunner().invoke(app, ["variants", *(str(argument) for argument in arguments)])


def refused(*arguments: object) -> str:
    """The one line with which a command refuses."""
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.splitlines()
    return line


@pytest.fixture
def space(tmp_path: Path) -> Path:
    file = tmp_path / "space.toml"
    file.write_text(SPACE)
    return file


def test_sample_writes_variants_that_can_be_loaded(tmp_path: Path, space: Path) -> None:
    folder = tmp_path / "new" / "folder"
    asked = ("sample", 3, "--space", space, "--seed", 1, "--output", folder, "--json", tmp_path / "s.json")
    result = run(*asked)
    assert result.exit_code == 0, result.output
    written = {file.name: file.read_text() for file in folder.iterdir()}
    for name in written:
        assert games.load(folder / name).name == name.removesuffix(".toml")
    report = json.loads((tmp_path / "s.json").read_text())
    assert {Path(row["file"]).name for row in report["variants"]} == set(written)
    counts = {line[:28].strip(): int(line[28:].split()[0]) for line in result.stdout.splitlines()[:-1]}
    assert counts["taken"] == 3
    refusals = sum(count for topic, count in counts.items() if topic.startswith("refused"))
    assert counts["drawn"] == 3 + refusals
    run("sample", 3, "--space", space, "--seed", 1, "--output", tmp_path / "again")
    assert {file.name: file.read_text() for file in (tmp_path / "again").iterdir()} == written


def test_check_says_how_a_variant_plays(tmp_path: Path) -> None:
    result = run("check", "mnk-5-5-4", "--games", 2, "--playtests", 16, "--json", tmp_path / "c.json")
    assert result.exit_code == 0, result.output
    first, *table = result.stdout.splitlines()
    assert first == "mnk-5-5-4: every promise holds in 2 random games."
    assert [line.split("  ")[0].strip() for line in table][-1] == "verdict"
    assert table[-1].endswith("nothing speaks against it")
    assert json.loads((tmp_path / "c.json").read_text())["playtest"]["degenerate"] is None


def test_check_names_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "two.toml"
    file.write_text("board = { rows = 5, columns = 5 }\nend = { line = 2 }\n")
    result = run("check", file, "--games", 1)
    assert result.exit_code == 0
    assert "verdict      it is over too soon (under 5 moves)" in result.stdout


def test_a_playtest_in_words() -> None:
    rules = games.Variant.from_toml(
        "board = { rows = 3, columns = 3 }\nend = { count = 'stones' }", name="nine"
    )
    assert playtest_table(playtest(rules, games=4, simulations=0)) == {
        "playtest": "4 games, random moves",
        "first player": "100% of the points, give or take 0%",
        "draws": "0%",
        "length": "9.0 moves",
        "choice": "5.0 legal actions in a position",
        "verdict": "nothing speaks against it",
    }


def test_bad_input_is_one_line(tmp_path: Path, space: Path) -> None:
    assert refused("sample", 1, "--space", "fun").startswith("error: unknown preset 'fun': expected one of")
    space.write_text("kindz = 3")
    assert refused("sample", 1, "--space", space).startswith(f"error: {space}: kindz: unknown key")
    space.write_text("kinds = { place = 1 }\ngoals = { reach = 1 }")
    line = refused("sample", 1, "--space", space, "--output", tmp_path / "none")
    assert "none of reach fits" in line
    assert line.endswith("0 of 1 variants were written")
    assert str(space) in refused("sample", 1, "--output", space)
    assert refused("check", "chess-5d").startswith("error: unknown variant 'chess-5d'")
