"""`selfplay solve` as a user calls it: what it prints and writes, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import games
from selfplay.cli import app
from selfplay.solve import position_after, sample_positions
from selfplay.suite import read_suite

TICTACTOE = games.load("tictactoe")


def run(*arguments: object) -> Result:
    """The command in this process."""
    return CliRunner().invoke(app, ["solve", *(str(argument) for argument in arguments)])


def refusal(*arguments: object) -> str:
    """The one line on stderr with which the command refuses."""
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1, result.stderr
    return result.stderr


def test_it_says_what_each_move_is_worth(tmp_path: Path) -> None:
    """The textbook trap: after the centre, an edge loses and a corner draws."""
    result = run("tictactoe", "--moves", "b2", "--json", tmp_path / "solution.json")
    assert result.exit_code == 0, result.output
    assert "The player to move draws." in result.stdout
    assert "draws a3 c3 a1 c1" in result.stdout
    assert "loses b3 a2 c2 b1" in result.stdout
    solution = json.loads((tmp_path / "solution.json").read_text())
    assert solution["value"] == 0
    assert solution["values"]["b1"] == -1
    assert (solution["moves"], solution["ply"], solution["to_play"]) == ("b2", 1, 1)
    assert solution["variant_digest"] == TICTACTOE.digest


def test_an_illegal_move_is_refused() -> None:
    assert "got b2, which isn't legal here" in refusal("tictactoe", "--moves", "b2 b2")


def test_an_unknown_variant_is_refused() -> None:
    assert "unknown variant 'chess'" in refusal("chess")


def test_a_limit_that_is_reached_is_one_line() -> None:
    assert "gomoku after 0 actions: expected a solution within 0.05 s" in refusal("gomoku", "--seconds", 0.05)


@pytest.mark.parametrize(
    "arguments",
    [("--sample", 3), ("--output", "x.jsonl"), ("--sample", 3, "--output", "x.jsonl", "--moves", "b2")],
)
def test_options_that_do_not_fit_are_refused(
    arguments: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("tictactoe", *arguments).exit_code == 2
    assert not list(tmp_path.iterdir())


def test_a_sample_is_a_suite_of_distinct_solved_positions(tmp_path: Path) -> None:
    output = tmp_path / "suite.jsonl"
    result = run("tictactoe", "--sample", 20, "--output", output, "--seed", 3)
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    suite = read_suite(output, TICTACTOE)
    assert len(suite) == len(rows) == 20
    for row, solved in zip(rows, suite, strict=True):
        position = position_after(TICTACTOE, row["moves"])
        assert position == solved.position
        assert (row["ply"], row["to_play"]) == (position.ply, position.to_play)
        assert {position.parse_action(text) for text in row["values"]} == set(position.legal_actions.tolist())
        assert max(row["values"].values()) == games.solve(position)
    assert [path.name for path in tmp_path.iterdir()] == ["suite.jsonl"]


def test_a_sample_follows_its_seed() -> None:
    first, again, other = (sample_positions(TICTACTOE, 5, seed=seed).lines for seed in (1, 1, 2))
    assert first == again != other


def test_positions_that_take_too_long_are_skipped_and_drawn_deeper() -> None:
    sample = sample_positions(games.load("connect4"), 3, nodes=20_000)
    assert sample.skipped > 0
    assert len(sample.lines) == 3


def test_more_positions_than_there_are_is_one_line() -> None:
    rules = games.Variant.from_dict({"board": {"rows": 1, "columns": 2}, "end": {"line": 2}}, where="tiny")
    with pytest.raises(games.SolveLimitError, match=r"expected 9 distinct positions .* got 2"):
        sample_positions(rules, 9)
