"""Numbers of a report against counts by hand, textbook formulas and the recorded arrays themselves."""

from __future__ import annotations

import math
import statistics as textbook
from pathlib import Path

import numpy as np
import pytest

import games
from selfplay.reporting.data import cache_shares, read_runs, series
from selfplay.reporting.statistics import (
    BINS,
    Outcomes,
    calibration,
    lengths,
    outcomes,
    searched,
    smooth,
    summary,
)
from tests.selfplay.reporting.scripted import (
    DRAWN,
    O_WINS,
    TICTACTOE,
    X_WINS,
    episode,
    random_episode,
    row,
    write_run,
)


def test_the_random_opening_was_not_searched() -> None:
    """A search may well say 0; what counts is that it is no longer the opening."""
    game = episode(X_WINS, random_plies=2, values=[0.0, 0.5, 0.0])
    assert searched(game).tolist() == [False, False, True, True, True]


def test_a_short_search_that_says_nothing_else_is_one_all_the_same() -> None:
    game = episode(X_WINS, random_plies=1, values=[0.25, 0.0, 0.0, 0.0])
    unrecorded = game._replace(recorded=np.zeros(5, np.bool_))
    assert searched(unrecorded).tolist() == [False, True, True, True, True]


def test_values_are_held_against_the_result_of_the_player_to_move() -> None:
    """X wins: for x the outcome is 1 with value 0.5, for o it is -1 with value -0.5."""
    found = calibration([episode(X_WINS, values=[0.5, -0.5, 0.5, -0.5, 0.5])])
    assert found is not None
    assert found.value.tolist() == [-0.5, 0.5]
    assert found.outcome.tolist() == [-1.0, 1.0]
    assert found.share.tolist() == [0.4, 0.6]


def test_the_error_is_briers_in_points() -> None:
    """Half a point expected always: off by half a point each time but in a draw."""
    no_idea = [episode(X_WINS), episode(O_WINS)]
    found = calibration(no_idea)
    assert found is not None
    assert found.error == 0.25
    drawn = calibration([episode(DRAWN)])
    assert drawn is not None
    assert drawn.error == 0.0


def test_an_oracle_has_no_error() -> None:
    found = calibration([episode(X_WINS, values=[1, -1, 1, -1, 1])])
    assert found is not None
    assert (found.error, found.gap) == (0.0, 0.0)
    assert found.base_error == pytest.approx(textbook.pvariance([1, 0, 1, 0, 1]))


def test_bins_agree_with_a_count_in_plain_python() -> None:
    rng = np.random.default_rng(5)
    played = [random_episode(rng) for _ in range(40)]
    sums: dict[int, list[tuple[float, int]]] = {}
    for game in played:
        for value, seat in zip(game.value.tolist(), game.seat.tolist(), strict=True):
            place = min(BINS - 1, math.floor((value + 1) * BINS / 2))
            sums.setdefault(place, []).append((value, game.result if seat == 0 else -game.result))
    found = calibration(played)
    assert found is not None
    for index, place in enumerate(sorted(sums)):
        values, results = zip(*sums[place], strict=True)
        assert found.value[index] == pytest.approx(textbook.mean(values))
        assert found.outcome[index] == pytest.approx(textbook.mean(results))
        assert found.centre[index] == pytest.approx(-1 + (place + 0.5) * 2 / BINS)
    assert len(found.value) == len(sums)


def test_the_interval_of_independent_games_is_the_textbooks() -> None:
    """Each game gives one position, its last but the opening's."""
    played = [episode(X_WINS, random_plies=4, values=[0.01])] * 12
    played += [episode(DRAWN, random_plies=8, values=[0.01])] * 8
    results = [1] * 12 + [0] * 8
    found = calibration(played)
    assert found is not None
    half = 1.96 * textbook.stdev(results) / math.sqrt(len(results))
    assert found.high[0] - found.outcome[0] == pytest.approx(half)
    assert found.outcome[0] - found.low[0] == pytest.approx(half)
    assert found.bin_games.tolist() == [20]


def test_many_positions_of_one_game_say_nothing_for_sure() -> None:
    found = calibration([episode(DRAWN, values=[0.01] * 9)])
    assert found is not None
    assert (found.low[0], found.high[0]) == (-1.0, 1.0)


def test_no_games_no_calibration() -> None:
    assert calibration([]) is None


def test_results_are_counted_by_seat() -> None:
    played = [episode(X_WINS), episode(X_WINS), episode(O_WINS), episode(DRAWN)]
    assert outcomes(played) == Outcomes(first=2, draws=1, second=1)
    assert outcomes(played).shares == (0.5, 0.25, 0.25)
    assert lengths(played).tolist() == [5, 5, 6, 9]


def test_a_running_mean_of_forty_points_takes_three() -> None:
    values = np.arange(40.0) ** 2
    assert smooth(values)[10] == pytest.approx((81 + 100 + 121) / 3)
    assert smooth(values)[0] == pytest.approx(0.5)


def test_a_summary_agrees_with_the_recorded_arrays(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    hexagons = games.load("hex-3")
    chunk = [random_episode(rng) for _ in range(30)] + [random_episode(rng, hexagons, 1) for _ in range(20)]
    path = write_run(tmp_path / "run", chunks=[chunk], variants=[TICTACTOE, hexagons])
    with np.load(path / "games" / "000001.npz") as file:
        plies, result, variant = file["plies"], file["result"], file["variant"]
    found = summary(*read_runs([path]))["by_variant"]
    for index, name in enumerate(("tictactoe", "hex-3")):
        mine = variant == index
        assert found[name]["games"] == mine.sum()
        assert found[name]["first_wins"] == pytest.approx(np.mean(result[mine] == 1))
        assert found[name]["draws"] == pytest.approx(np.mean(result[mine] == 0))
        assert found[name]["second_wins"] == pytest.approx(np.mean(result[mine] == -1))
        assert found[name]["mean_plies"] == pytest.approx(plies[mine].mean())
        assert found[name]["median_plies"] == np.median(plies[mine])


def test_cache_hits_are_of_the_iteration_also_after_a_resumption(tmp_path: Path) -> None:
    """100 evaluations a second in 3 s are 300; hits start again from 0 in a new process."""
    rows = [row(1, cache_hits=100), row(2, cache_hits=400), row(3, cache_hits=60)]
    (run,) = read_runs([write_run(tmp_path / "run", rows=rows)])
    assert cache_shares(run).values == pytest.approx([100 / 400, 300 / 600, 60 / 360])


def test_a_series_leaves_out_lines_without_its_metric(tmp_path: Path) -> None:
    early = row(1)
    del early["policy_loss"]
    (run,) = read_runs([write_run(tmp_path / "run", rows=[early, row(2)])])
    found = series(run, "policy_loss")
    assert (found.positions.tolist(), found.values.tolist()) == ([200.0], [0.5])
    assert found.minutes == pytest.approx([8 / 60])


def test_quarters_are_held_apart_in_a_long_run(tmp_path: Path) -> None:
    """The first of four chunks knows nothing, the last everything."""
    late = episode(X_WINS, values=[1, -1, 1, -1, 1])
    path = write_run(tmp_path / "run", chunks=[[episode(X_WINS)], [late], [episode(O_WINS)], [late]])
    found = summary(*read_runs([path]))["calibration"]
    assert found["first"]["error"] == 0.25
    assert found["last"]["error"] == 0.0
    assert found["newest"]["games"] == 4


def test_variants_of_equal_names_keep_their_games_apart(tmp_path: Path) -> None:
    chunk = [episode(X_WINS), episode(DRAWN, variant=1), episode(DRAWN, variant=1)]
    path = write_run(tmp_path / "run", chunks=[chunk], variants=[TICTACTOE, TICTACTOE])
    found = summary(*read_runs([path]))["by_variant"]
    assert [(name, facts["games"]) for name, facts in found.items()] == [
        ("tictactoe (1)", 1),
        ("tictactoe (2)", 2),
    ]
