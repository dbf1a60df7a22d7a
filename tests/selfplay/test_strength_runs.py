"""What an hour from nothing is measured by: openings of 7x7 Hex, moments, the report that grows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

import games
from benchmarks import strength
from games import Position
from games.position import swap_action

HEX = games.load("hex-7")


class Stubborn:
    """Swaps always, or never."""

    def __init__(self, *, swaps: bool) -> None:
        self.swaps = swaps
        self.asked: list[Position] = []

    def choose_many(self, positions: Sequence[Position]) -> list[int]:
        self.asked += positions
        return [swap_action(HEX) if self.swaps else int(position.legal_actions[0]) for position in positions]


def answered(monkeypatch: pytest.MonkeyPatch, player: Stubborn) -> dict[str, object]:
    monkeypatch.setattr(strength, "load_players", lambda _agent, numbers, **_: [player for _ in numbers])
    found = strength.openings_answered(HEX, Path("agent.onnx"))["64"]
    assert isinstance(found, dict)
    return found


def test_the_table_of_openings_is_that_of_the_whole_board(monkeypatch: pytest.MonkeyPatch) -> None:
    always, never = Stubborn(swaps=True), Stubborn(swaps=False)
    swapped, stayed = answered(monkeypatch, always), answered(monkeypatch, never)
    assert len({position.actions[0] for position in always.asked}) == 49
    assert (swapped["right"], stayed["right"]) == (27, 22)  # 11 of the first half lose, and their images
    assert swapped["openings"] == 49
    assert {"a7", "g1", "a3", "g5"} <= set(swapped["wrong"])  # type: ignore[call-overload]
    assert {"d4", "c5"} <= set(stayed["wrong"])  # type: ignore[call-overload]


def test_moments_are_as_far_apart_as_the_agents_that_were_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seconds = {1: 60.0, 2: 130.0, 3: 300.0, 4: 600.0}
    files = [tmp_path / f"{number:06d}.safetensors" for number in seconds]
    monkeypatch.setattr(strength, "archived_agents", lambda _run: files)
    about = {
        file: {"seconds": s, "positions": 10 * k} for file, (k, s) in zip(files, seconds.items(), strict=True)
    }
    monkeypatch.setattr(strength.models, "load_checkpoint", lambda file: (None, about[file]))
    found = strength.moments(tmp_path / "run")
    assert [moment.seconds for moment in found] == [130.0, 300.0, 600.0]
    assert [moment.agent for moment in found] == files[1:]


def test_a_report_that_is_there_is_added_to(tmp_path: Path) -> None:
    file, report = tmp_path / "deep" / "report.json", {"game": "hex-7"}
    strength.keep(file, report | {"training": {"positions": 3}}, report)
    strength.keep(file, report | {"result": {}}, report)
    assert (
        json.loads(file.read_text())
        == report
        == {"game": "hex-7", "training": {"positions": 3}, "result": {}}
    )
