"""`strength.json`: which agents are measured, on what scale, and that the page can read it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import games
from games import RunError
from selfplay.reporting.strength_file import read_strength
from selfplay.run import archived_agents
from selfplay.solve import sample_positions
from selfplay.strength import POINTS, REFERENCES, chosen_agents, measure_run
from tests.selfplay import tiny_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny run of two variants, the first `connect3-4x4`."""
    path = tmp_path_factory.mktemp("strength") / "run"
    tiny_run.main(path)
    return path


def test_agents_are_spread_over_the_run_and_end_with_the_newest(run: Path) -> None:
    agents, archive = chosen_agents(run), archived_agents(run)
    assert agents[-1].path == archive[-1]
    assert len(agents) == min(POINTS, len(archive))
    positions = [agent.positions for agent in agents]
    assert positions == sorted(set(positions))
    assert positions[-1] >= 2500


def test_what_is_measured_is_written_and_read(run: Path, tmp_path: Path) -> None:
    lines = sample_positions(games.load("connect3-4x4"), 12, seed=1).lines
    suite = tmp_path / "suite.jsonl"
    suite.write_text("\n".join(lines) + "\n")
    told: list[str] = []
    result = measure_run(run, suite=suite, games=6, simulations=4, tell=told.append)
    assert json.loads((run / "strength.json").read_text()) == result
    strength = read_strength(run)
    assert strength is not None
    assert strength.variant == "connect3-4x4"
    assert [point.agent for point in strength.points] == [a.path.stem for a in chosen_agents(run)]
    assert [reference.name for reference in strength.references] == list(REFERENCES)
    last = strength.references[-1]
    assert (last.rating, last.low, last.high) == (0, 0, 0)
    assert strength.suite is not None
    assert [point.simulations for point in strength.suite.points] == [0, 4] * len(strength.points)
    assert all(point.low <= point.value_preserving <= point.high for point in strength.suite.points)
    matches = len(strength.points) - 1 + len(REFERENCES) * len(strength.points)
    assert len(told) == matches + len(strength.suite.points)


def test_a_suite_of_another_variant_is_refused_before_anything_is_played(run: Path, tmp_path: Path) -> None:
    suite = tmp_path / "suite.jsonl"
    suite.write_text(sample_positions(games.load("tictactoe"), 1, seed=1).lines[0])
    told: list[str] = []
    with pytest.raises(games.SuiteError, match="expected a position of connect3-4x4"):
        measure_run(run, suite=suite, tell=told.append)
    assert not told


def test_a_run_without_agents_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="expected a run folder"):
        measure_run(tmp_path)
