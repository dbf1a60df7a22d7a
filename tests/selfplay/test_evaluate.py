"""Scores on solved positions, against shares that are computed without the engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import games
from games import SuiteError
from selfplay import Player
from selfplay.evaluate import BATCH, Score, evaluate_player, read_suite
from tests.selfplay.agents import ScriptedPlayer, column_shares, leftmost, perfect

CONNECT4 = games.load("connect4")
TICTACTOE = games.load("tictactoe")
LINE = '{"moves": "44", "scores": [-2, -1, 0, 1, 0, -1, -2]}'


def written(path: Path, *lines: str) -> Path:
    """A suite on disk."""
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_perfect_player_scores_one_hundred_percent_on_the_golden_positions(golden: Path) -> None:
    suite = read_suite(golden / "connect4_positions.jsonl", CONNECT4)
    evaluation = evaluate_player(perfect(suite), CONNECT4, suite)
    assert set(evaluation.sets) == {
        "beginning-easy",
        "beginning-medium",
        "beginning-hard",
        "middle-easy",
        "middle-medium",
        "end-easy",
    }
    assert all(score[1:] == (1, 1) for score in (*evaluation.sets.values(), evaluation.mean))


def test_the_leftmost_column_scores_what_the_file_says_without_any_engine(golden: Path) -> None:
    path = golden / "connect4_positions.jsonl"
    suite = read_suite(path, CONNECT4)
    evaluation = evaluate_player(ScriptedPlayer(leftmost), CONNECT4, suite)
    expected = column_shares(path, min)
    assert {name: score[1:] for name, score in evaluation.sets.items()} == expected
    preserving, optimal = zip(*expected.values(), strict=True)
    assert evaluation.mean.value_preserving == pytest.approx(sum(preserving) / 6)
    assert evaluation.mean.optimal == pytest.approx(sum(optimal) / 6)


def test_a_table_by_hand(tmp_path: Path) -> None:
    """Leftmost is a1 or its like: best, value kept, value lost; two sets weigh the same in the mean."""
    path = written(
        tmp_path / "suite.jsonl",
        '{"set": "one", "moves": "", "scores": [3, 1, 0, -1, -2, -2, -2]}',
        '{"set": "one", "moves": "4", "scores": [1, 3, 0, -1, -2, -2, -2]}',
        '{"set": "one", "moves": "44", "scores": [0, 3, 0, -1, -2, -2, -2]}',
        '{"set": "one", "moves": "444", "scores": [-3, -1, -2, -1, -2, -2, -2]}',
        '{"set": "two", "moves": "111111", "scores": [null, 0, 0, 0, 0, 0, 0]}',
    )
    evaluation = evaluate_player(ScriptedPlayer(leftmost), CONNECT4, read_suite(path, CONNECT4))
    assert evaluation.sets == {"one": Score(4, 0.75, 0.25), "two": Score(1, 1.0, 1.0)}
    assert evaluation.mean == Score(5, 0.875, 0.625)


def test_the_general_form_names_moves_or_numbers(tmp_path: Path) -> None:
    """b2 a3, c1 a2, c3: o wins on a1, and loses with every other move, for x then plays a1 or c2."""
    values = {"a1": 1, "b1": -1, "5": -1, "1": -1}
    path = written(tmp_path / "suite.jsonl", json.dumps({"actions": [4, 0, 8, 3, 2], "values": values}))
    (solved,) = read_suite(path, TICTACTOE)
    assert solved.set == "all"
    assert solved.scores == {6: 1, 7: -1, 5: -1, 1: -1}
    assert solved.position.actions == (4, 0, 8, 3, 2)


def test_positions_are_asked_in_batches(golden: Path) -> None:
    suite = read_suite(golden / "connect4_positions.jsonl", CONNECT4)
    player, done = perfect(suite), []
    evaluate_player(player, CONNECT4, suite, progress=done.append)
    assert player.batches == done == [BATCH, BATCH, BATCH, len(suite) - 3 * BATCH]


def test_an_agent_is_refused_on_a_board_it_cannot_play(connect4_agent: Path, tmp_path: Path) -> None:
    cylinder = games.load("connect4-cylinder")
    suite = read_suite(written(tmp_path / "suite.jsonl", LINE), cylinder)
    with pytest.raises(games.AgentError, match="wrap"):
        evaluate_player(Player.load(connect4_agent), cylinder, suite)


# --- suites that can't be read ------------------------------------------------------------------------------


def refusal(path: Path, variant: games.Variant = CONNECT4) -> str:
    with pytest.raises(SuiteError) as caught:
        read_suite(path, variant)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    assert "expected" in message
    assert "got" in message
    return message


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("not JSON", "expected one JSON object: Invalid JSON"),
        ("[1, 2]", "got '[1, 2]'"),
        ('{"moves": "44"}', "expected the keys moves and scores, or actions and values, got moves"),
        ("{}", "got neither"),
        ('{"moves": 44, "scores": [0]}', "moves: "),
        ('{"moves": "48", "scores": [0, 0, 0, 0, 0, 0, 0]}', "expected columns from 1 to 7, got '8'"),
        ('{"moves": "4444444", "scores": [0]}', "which has none"),
        ('{"moves": "1212121", "scores": [0, 0, 0, 0, 0, 0, 0]}', "the game is over"),
        ('{"moves": "44", "scores": [0, 0, 0]}', "expected 7, one for each column, got 3"),
        ('{"moves": "44", "scores": [0, 0, 0, null, 0, 0, 0]}', "got none for d3"),
        ('{"moves": "44", "scores": [0, 0, 0, NaN, 0, 0, 0]}', "scores.3: "),
        ('{"moves": "444444", "scores": [0, 0, 0, 0, 0, 0, 0]}', "which has none"),
        ('{"actions": [0], "values": {"a1": 0}}', "got a6, which isn't legal"),
        ('{"actions": [], "values": {"z1": 0}}', "got 'z1'"),
        ('{"actions": [], "values": {"99": 0}}', "got none for a1"),
        ('{"variant_digest": "0123", "moves": "44", "scores": [0]}', "got one of 0123"),
    ],
)
def test_a_line_that_does_not_fit_is_refused_with_its_number(tmp_path: Path, line: str, message: str) -> None:
    path = written(tmp_path / "suite.jsonl", LINE, line)
    assert message in refusal(path)
    assert f"{path}, line 2: " in refusal(path)


def test_a_score_for_an_illegal_move_is_refused(tmp_path: Path) -> None:
    values = {str(action): 0 for action in range(9)}
    path = written(tmp_path / "suite.jsonl", json.dumps({"actions": [4], "values": values}))
    assert "expected scores for legal moves only, got one for b2" in refusal(path, TICTACTOE)


def test_columns_are_for_games_that_drop(tmp_path: Path) -> None:
    path = written(tmp_path / "suite.jsonl", LINE)
    assert "expected actions and values" in refusal(path, TICTACTOE)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "absent.jsonl")
    assert "got none" in refusal(written(tmp_path / "empty.jsonl", ""))
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00")
    assert "isn't text" in refusal(tmp_path / "binary.jsonl")
