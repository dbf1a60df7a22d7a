"""Scores on solved positions, against tables that are worked out by hand or without the engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

import games
from games import Observation, Position, SuiteError, Variant, observe
from mcts import SearchConfig
from selfplay import Player
from selfplay.evaluate import (
    BATCH,
    Estimate,
    Evaluation,
    evaluate_player,
    load_players,
    report,
    table,
)
from selfplay.suite import SolvedPosition, read_suite, spot_check
from tests.selfplay.agents import column_shares, leftmost

CONNECT4 = games.load("connect4")
TICTACTOE = games.load("tictactoe")
LINE = '{"moves": "44", "scores": [-2, -1, 0, 1, 0, -1, -2]}'
MEASURES = (
    "value_preserving",
    "value_preserving_if_can_fail",
    "optimal",
    "regret",
    "value_error",
    "value_sign",
)


def written(path: Path, *lines: str) -> Path:
    """A suite on disk."""
    path.write_text("\n".join(lines) + "\n")
    return path


class Scripted:
    """An evaluator that knows some positions: the action it wants, and what it thinks they are worth."""

    def __init__(self, script: dict[Position, tuple[int, float]]) -> None:
        self._known = {self._seen(observe([position])): answer for position, answer in script.items()}
        self.batches: list[int] = []

    @staticmethod
    def _seen(observation: Observation, row: int = 0) -> bytes:
        return observation.planes[row].tobytes()

    def __call__(self, observation: Observation) -> tuple[np.ndarray, np.ndarray]:
        """Logits for the action alone."""
        rows = len(observation.planes)
        self.batches.append(rows)
        logits, values = np.zeros(observation.legal.shape, np.float32), np.zeros(rows, np.float32)
        for row in range(rows):
            action, values[row] = self._known.get(self._seen(observation, row), (0, 0.0))
            logits[row, action] = 9
        return logits, values


def player_of(script: dict[Position, tuple[int, float]]) -> Player:
    """Plays a script without a search."""
    return Player(Scripted(script), None, name="scripted")


def chooser(suite: Sequence[SolvedPosition], choose: Callable[[SolvedPosition], int]) -> Player:
    """Plays what a function of the solved position says."""
    return player_of({solved.position: (choose(solved), 0.0) for solved in suite})


def perfect(suite: Sequence[SolvedPosition]) -> Player:
    """Knows a suite by heart, and what each position is worth."""
    return player_of(
        {
            solved.position: (max(solved.scores, key=solved.scores.__getitem__), max(solved.values.values()))
            for solved in suite
        }
    )


def means(evaluation: Evaluation, name: str) -> dict[str, float]:
    """A set's means by measure."""
    return {measure: getattr(evaluation.sets[name], measure).mean for measure in MEASURES}


# --- whole suites -------------------------------------------------------------------------------------------


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
    for name in evaluation.sets:
        assert list(means(evaluation, name).values()) == [1, 1, 1, 0, 0, 1]
    assert evaluation.mean.regret == Estimate(0, 0, 0)


def test_the_leftmost_column_scores_what_the_file_says_without_any_engine(golden: Path) -> None:
    path = golden / "connect4_positions.jsonl"
    suite = read_suite(path, CONNECT4)
    evaluation = evaluate_player(chooser(suite, lambda s: leftmost(s.position)), CONNECT4, suite)
    expected = column_shares(path, min)
    for name, (preserving, optimal) in expected.items():
        assert evaluation.sets[name].value_preserving.mean == pytest.approx(preserving)
        assert evaluation.sets[name].optimal.mean == pytest.approx(optimal)
    assert evaluation.mean.value_preserving.mean == pytest.approx(sum(p for p, _ in expected.values()) / 6)
    assert evaluation.mean.optimal.mean == pytest.approx(sum(o for _, o in expected.values()) / 6)


# --- a table by hand ----------------------------------------------------------------------------------------
#
#   set  moves   scores by column            plays     thinks  keeps  can fail  best  regret  error  sign
#   one          3  1  0 -1 -2 -2 -2         a  (3)     0.5     yes    yes       yes   0       0.5    yes
#   one  4       1  3  0 -1 -2 -2 -2         a  (1)     1.0     yes    yes       no    0       0      yes
#   one  44      0  3  0 -1 -2 -2 -2         a  (0)    -0.5     no     yes       no    1       1.5    no
#   one  444    -3 -1 -2 -1 -2 -2 -2         a (-3)    -1.0     yes    no        no    0       0      yes
#   one  4444    2 -1  0  0  0  0  0         b (-1)     0.0     no     yes       no    2       1      no
#   two  111111  .  0  0  0  0  0  0         b  (0)     0.25    yes    no        yes   0       0.25   (drawn)


def by_hand(tmp_path: Path) -> Evaluation:
    path = written(
        tmp_path / "suite.jsonl",
        '{"set": "one", "moves": "", "scores": [3, 1, 0, -1, -2, -2, -2]}',
        '{"set": "one", "moves": "4", "scores": [1, 3, 0, -1, -2, -2, -2]}',
        '{"set": "one", "moves": "44", "scores": [0, 3, 0, -1, -2, -2, -2]}',
        '{"set": "one", "moves": "444", "scores": [-3, -1, -2, -1, -2, -2, -2]}',
        '{"set": "one", "moves": "4444", "scores": [2, -1, 0, 0, 0, 0, 0]}',
        '{"set": "two", "moves": "111111", "scores": [null, 0, 0, 0, 0, 0, 0]}',
    )
    suite = read_suite(path, CONNECT4)
    columns, thinks = "aaaabb", (0.5, 1.0, -0.5, -1.0, 0.0, 0.25)
    script = {
        solved.position: (solved.position.parse_action(column), thought)
        for solved, column, thought in zip(suite, columns, thinks, strict=True)
    }
    return evaluate_player(player_of(script), CONNECT4, suite)


def test_planted_mistakes_are_counted_in_their_set(tmp_path: Path) -> None:
    evaluation = by_hand(tmp_path)
    assert (evaluation.sets["one"].positions, evaluation.sets["one"].can_fail) == (5, 4)
    assert means(evaluation, "one") == pytest.approx(
        dict(zip(MEASURES, (3 / 5, 2 / 4, 1 / 5, 3 / 5, 3 / 5, 3 / 5), strict=True))
    )


def test_a_set_that_nobody_can_fail_says_nothing_of_what_can(tmp_path: Path) -> None:
    evaluation = by_hand(tmp_path)
    assert (evaluation.sets["two"].positions, evaluation.sets["two"].can_fail) == (1, 0)
    assert means(evaluation, "two") == pytest.approx(
        dict(zip(MEASURES, (1, np.nan, 1, 0, 0.25, np.nan), strict=True)), nan_ok=True
    )


def test_sets_count_the_same_in_the_mean_where_they_count(tmp_path: Path) -> None:
    mean = by_hand(tmp_path).mean
    assert (mean.positions, mean.can_fail) == (6, 4)
    found = [getattr(mean, measure).mean for measure in MEASURES]
    assert found == pytest.approx([4 / 5, 2 / 4, 3 / 5, 3 / 10, (3 / 5 + 1 / 4) / 2, 3 / 5])


def test_positions_by_what_they_are_worth(tmp_path: Path) -> None:
    by_value = by_hand(tmp_path).by_value
    shares = {
        name: (score.positions, score.can_fail, score.value_preserving.mean)
        for name, score in by_value.items()
    }
    assert shares == {"won": (4, 4, 0.5), "drawn": (1, 0, 1.0), "lost": (1, 0, 1.0)}


def test_the_report_holds_the_table(tmp_path: Path) -> None:
    evaluation = by_hand(tmp_path)
    player = player_of({})
    entry = report([(player, evaluation)], CONNECT4)["simulations"]["0"]
    one = entry["sets"]["one"]
    assert (one["positions"], one["can_fail"], one["value_preserving"], one["regret"]) == (5, 4, 0.6, 0.6)
    assert entry["sets"]["two"]["value_preserving_if_can_fail"] is None
    assert entry["sets"]["two"]["intervals"]["value_sign"] == [None, None]
    json.dumps(entry, allow_nan=False)


def test_the_table_has_a_line_for_each_set_the_mean_and_each_value(tmp_path: Path) -> None:
    heading, *lines = table(by_hand(tmp_path))
    assert heading.split()[:2] == ["set", "positions"]
    assert [line.split("  ")[0] for line in lines] == ["one", "two", "mean of sets", "won", "drawn", "lost"]
    cells = lines[0].split()
    assert cells[1:3] == ["5", "60.0%"]
    assert cells[5:9] == ["50.0%", "of", "4", "0.600"]
    assert len({len(line) for line in (heading, *lines)}) == 1


# --- intervals ----------------------------------------------------------------------------------------------


def repeated(number: int, kept: int) -> Evaluation:
    """A player that keeps the value in `kept` of `number` distinct positions."""
    random = np.random.default_rng(0)
    suite: dict[Position, SolvedPosition] = {}
    while len(suite) < number:
        position = games.start(CONNECT4)
        for _ in range(6):
            position = position.play(random.choice(position.legal_actions))
        scores = dict.fromkeys(position.legal_actions.tolist(), -1.0)
        scores[position.parse_action("d")] = 1.0
        suite[position] = SolvedPosition(position, scores, "all", len(suite) + 1, False)
    lines = list(suite.values())
    wrong = {id(solved) for solved in lines[kept:]}
    return evaluate_player(
        chooser(lines, lambda s: s.position.parse_action("a" if id(s) in wrong else "d")), CONNECT4, lines
    )


def test_an_interval_is_that_of_the_binomial() -> None:
    """80 of 100: 0.8 ± 1.96 · sqrt(0.8 · 0.2 / 100), as the central limit has it."""
    low, high = repeated(100, 80).mean.value_preserving[1:]
    assert low == pytest.approx(0.8 - 1.96 * 0.04, abs=0.012)
    assert high == pytest.approx(0.8 + 1.96 * 0.04, abs=0.012)


def test_regret_of_a_win_given_away_for_a_loss_counts_two() -> None:
    estimate = repeated(100, 80).mean.regret
    assert estimate.mean == pytest.approx(0.4)
    assert estimate.high - estimate.low == pytest.approx(2 * 2 * 1.96 * 0.04, abs=0.03)


# --- players ------------------------------------------------------------------------------------------------


def test_positions_are_asked_in_batches(golden: Path) -> None:
    suite = read_suite(golden / "connect4_positions.jsonl", CONNECT4)
    evaluator, done = Scripted({}), []
    evaluate_player(Player(evaluator, None, name="scripted"), CONNECT4, suite, progress=done.append)
    assert evaluator.batches[1:] == done == [BATCH, BATCH, BATCH, len(suite) - 3 * BATCH]


def test_a_search_finds_wins_that_the_policy_alone_misses() -> None:
    """The script knows nothing; 64 simulations see a line that is one stone away."""
    position = games.start(CONNECT4)
    for move in ("d", "a", "d", "a", "d", "b"):
        position = position.play_text(move)
    win = position.parse_action("d")
    scores = {action: float(action == win) for action in position.legal_actions.tolist()}
    suite = [SolvedPosition(position, scores, "all", 1, False)]
    blind = Scripted({position: (position.parse_action("g"), 0.0)})
    alone = Player(blind, None, name="blind")
    searching = Player(blind, SearchConfig(simulations=64, gumbel_scale=0.0, solve=True), name="blind")
    assert evaluate_player(alone, CONNECT4, suite).mean.regret.mean == 1
    assert evaluate_player(searching, CONNECT4, suite).mean.regret.mean == 0


def test_a_network_is_asked_without_and_with_search_unless_told(connect4_agent: Path) -> None:
    assert [player.simulations for player in load_players(str(connect4_agent))] == [0, 64]
    assert [player.simulations for player in load_players(str(connect4_agent), [8, 0, 8])] == [8, 0]


@pytest.mark.parametrize(("agent", "simulations"), [("random", 0), ("mcts:5", 5)])
def test_others_are_asked_once(agent: str, simulations: int) -> None:
    assert [player.simulations for player in load_players(agent)] == [simulations]


def test_an_agent_is_refused_on_a_board_it_cannot_play(connect4_agent: Path, tmp_path: Path) -> None:
    cylinder = games.load("connect4-cylinder")
    suite = read_suite(written(tmp_path / "suite.jsonl", LINE), cylinder)
    with pytest.raises(games.AgentError, match="wrap"):
        evaluate_player(Player.load(connect4_agent), cylinder, suite)


# --- the files ----------------------------------------------------------------------------------------------


def test_the_general_form_names_moves_or_numbers(tmp_path: Path) -> None:
    """b2 a3, c1 a2, c3: o wins on a1, and loses with every other move, for x then plays a1 or c2."""
    values = {"a1": 1, "b1": -1, "5": -1, "1": -1}
    path = written(tmp_path / "suite.jsonl", json.dumps({"actions": [4, 0, 8, 3, 2], "values": values}))
    (solved,) = read_suite(path, TICTACTOE)
    assert solved.set == "all"
    assert solved.scores == {6: 1, 7: -1, 5: -1, 1: -1}
    assert solved.position.actions == (4, 0, 8, 3, 2)


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
        (
            '{"actions": [], "values": {"a1": 0, "35": 1}}',
            "expected each move once, got another one with '35'",
        ),
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


# --- suites of other variants -------------------------------------------------------------------------------


def board(rows: int, columns: int, line: int = 4) -> Variant:
    rules = {"board": {"rows": rows, "columns": columns}, "move": {"kind": "drop"}, "end": {"line": line}}
    return Variant.from_dict({"name": "other", **rules}, where="test")


@pytest.mark.parametrize(
    "other",
    [
        board(5, 7),
        board(8, 7),
        board(6, 6),
        board(6, 8),
        board(6, 7, 3),
        board(6, 7, 5),
        games.load("connect4-cylinder"),
        games.load("connect4-misere"),
        games.load("connect5-7x8"),
        games.load("tictactoe"),
    ],
    ids=["lower", "higher", "narrower", "wider", "3", "5", "cylinder", "misere", "connect5", "tictactoe"],
)
def test_a_column_suite_of_another_game_is_refused(golden: Path, other: Variant) -> None:
    path = golden / "connect4_positions.jsonl"
    with pytest.raises(SuiteError, match=", line ") as caught:
        spot_check(path, read_suite(path, other), other)
    assert "\n" not in str(caught.value)


def test_the_suite_of_the_game_itself_is_taken(golden: Path) -> None:
    path = golden / "connect4_positions.jsonl"
    spot_check(path, read_suite(path, CONNECT4), CONNECT4)


def test_a_move_that_ends_the_game_is_worth_its_result(tmp_path: Path) -> None:
    """d4 wins."""
    path = written(tmp_path / "suite.jsonl", '{"moves": "414141", "scores": [0, 0, 0, 0, 0, 0, 0]}')
    assert "expected that d4 wins (connect4), got the score 0, which draws" in refusal(path)


def test_what_names_its_variant_is_not_solved_again(tmp_path: Path) -> None:
    """A wrong value, but of this variant, whoever solved it."""
    values = {"a1": 1, "b1": -1, "c2": -1, "b3": 1}
    wrong = {"variant_digest": TICTACTOE.digest, "actions": [4, 0, 8, 3, 2], "values": values}
    path = written(tmp_path / "suite.jsonl", json.dumps(wrong))
    spot_check(path, read_suite(path, TICTACTOE), TICTACTOE)
    del wrong["variant_digest"]
    written(path, json.dumps(wrong))
    with pytest.raises(SuiteError, match="line 1: expected that b3 loses"):
        spot_check(path, read_suite(path, TICTACTOE), TICTACTOE)
