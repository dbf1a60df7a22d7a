"""The comparison with other programs: what the workers' counts come to."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.peers import __main__ as peers
from benchmarks.peers.conditions import Conditions, count
from games import UserError

CONDITIONS = Conditions((0, 1), 1.0, 4, 1, 8, 2)


def test_ratios_are_medians_over_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow round hits both sides of a ratio."""
    speeds = {"ours": iter([100.0, 10.0, 80.0]), "pgx+mctx": iter([10.0, 1.0, 20.0])}
    monkeypatch.setattr(peers, "_speed", lambda program, *_: next(speeds.get(program.name, iter([1.0]))))
    report = peers.compare(CONDITIONS, Path(sys.executable), rounds=3)
    assert report["ratios"]["pgx+mctx"] == 10.0
    assert report["positions_per_second"]["ours"] == [100.0, 10.0, 80.0]
    line = next(line for line in peers.table(report).splitlines() if line.startswith("pgx+mctx"))
    assert line.split()[1:3] == ["10.0", "positions/s"]
    assert "10.0 times as many (wanted 6)" in line


def test_a_worker_that_fails_is_one_line() -> None:
    program = peers.Program("nobody", "no_such_module", is_ours=True)
    with pytest.raises(UserError, match="expected nobody to play, got exit code 1"):
        peers._speed(program, CONDITIONS, Path(sys.executable))


def test_the_first_call_does_not_count(capsys: pytest.CaptureFixture[str]) -> None:
    calls = []

    def play() -> int:
        calls.append(1)
        return 5

    count(play, 0.0)
    assert json.loads(capsys.readouterr().out)["positions"] == 0
    assert len(calls) == 1
