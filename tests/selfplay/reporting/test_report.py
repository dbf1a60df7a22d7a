"""The page and its pictures: whole, self-contained, escaped, and one clear line for what is wrong."""

from __future__ import annotations

import html
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

import games
from games import Variant
from selfplay.cli import app
from selfplay.config import SelfPlayConfig, TrainConfig
from selfplay.reporting.report import output_file, read_runs
from tests.selfplay.agents import export_agent
from tests.selfplay.reporting.scripted import (
    DRAWN,
    O_WINS,
    TICTACTOE,
    X_WINS,
    episode,
    random_episode,
    write_run,
)

NASTY = "<script>alert('x')</script> & $x$ _"
STRENGTH = {
    "format": 1,
    "variant": "tictactoe",
    "simulations": 64,
    "points": [
        {"agent": f"{n:06d}", "positions": 100 * n, "seconds": 60.0 * n, "rating": 40.0 * n - 100,
         "low": 40.0 * n - 120, "high": 40.0 * n - 80}
        for n in (1, 2, 3)
    ],
    "references": [{"name": "mcts:1000", "rating": 0.0, "low": -9.0, "high": 9.0}],
    "suite": {
        "file": "solved.jsonl",
        "points": [
            {"agent": "000003", "positions": 300, "seconds": 180.0, "simulations": simulations,
             "value_preserving": 0.9, "low": 0.85, "high": 0.94, "regret": 0.1}
            for simulations in (0, 64)
        ],
    },
}  # fmt: skip
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Seen(HTMLParser):
    """Tags, ids, texts and references of a page; open tags have to be closed in their order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        self._note(attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._note(attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(" ".join(data.split()))

    def _note(self, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "xlink:href", "srcset", "data", "action", "poster"):
                self.references.append(value or "")
            self.references += re.findall(r"url\(([^)]*)\)", value or "")


def report(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


def refused(*arguments: object) -> str:
    """The one line with which the command refuses."""
    result = report(*arguments)
    assert result.exit_code == 2, result.output
    assert len(result.stderr.splitlines()) == 1, result.stderr
    return result.stderr


def reported(*arguments: object) -> str:
    """What the command says."""
    result = report(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def full_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reported run with an agent, strength, two variants and five chunks of games."""
    rng = np.random.default_rng(2)
    hexagons = games.load("hex-3")
    chunks = [
        [*(random_episode(rng) for _ in range(12)), *(random_episode(rng, hexagons, 1) for _ in range(12))]
        for _ in range(5)
    ]
    path = write_run(tmp_path_factory.mktemp("runs") / "full", chunks=chunks, variants=[TICTACTOE, hexagons])
    export_agent(path / "agent.onnx", TICTACTOE, hexagons)
    (path / "strength.json").write_text(json.dumps(STRENGTH))
    reported(path, "--json", path / "report.json")
    return path


@pytest.fixture
def small_run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "small", chunks=[[episode(X_WINS)], [episode(O_WINS)], [episode(DRAWN)]])


# --- a whole report -----------------------------------------------------------------------------------------


def test_the_page_loads_nothing(full_run: Path) -> None:
    text = (full_run / "report.html").read_text()
    seen = Seen(text)
    assert seen.open == []
    assert all(reference.startswith("#") for reference in seen.references)
    assert not {"script", "link", "img", "iframe", "object", "embed", "base"} & set(seen.tags)
    assert "@import" not in text
    assert "://" not in text


def test_references_within_the_page_lead_somewhere(full_run: Path) -> None:
    seen = Seen((full_run / "report.html").read_text())
    assert len(set(seen.ids)) == len(seen.ids)
    assert {reference.removeprefix("#") for reference in seen.references} <= set(seen.ids)
    assert seen.references


def test_every_question_has_its_picture(full_run: Path) -> None:
    names = {path.stem for path in (full_run / "report").glob("*.png")}
    assert names >= {
        "policy-loss", "value-loss", "value-calibration", "strength-positions", "strength-minutes",
        "solved-value-preserving", "solved-regret", "results", "results-by-variant", "game-length",
        "length-tictactoe", "length-hex-3", "positions-per-second", "evaluations-per-second", "cache-share",
        "learning-time", "openings-tictactoe", "openings-hex-3", "games-tictactoe", "games-hex-3",
    }  # fmt: skip


def test_every_picture_decodes_and_shows_something(full_run: Path) -> None:
    for path in (full_run / "report").glob("*.png"):
        with Image.open(path) as image:
            image.load()
            assert min(image.size) > 100, path
            low, high = image.convert("L").getextrema()
            assert high - low > 100, path


def test_the_page_shows_every_chart_and_board(full_run: Path) -> None:
    """16 charts; of boards at least three games' and the two trees'."""
    text = (full_run / "report.html").read_text()
    assert text.count('class="chart"') == 16
    assert text.count('class="board"') > 2 * (1 + 3 + 6 + 6)
    assert "not measured" not in text


def test_the_report_is_small_and_nothing_is_left_behind(full_run: Path) -> None:
    assert (full_run / "report.html").stat().st_size < 2 * 2**20
    assert not list(full_run.rglob(".*.tmp"))


def test_the_json_file_holds_the_numbers(full_run: Path) -> None:
    (found,) = json.loads((full_run / "report.json").read_text())["runs"]
    assert (found["positions"], found["games"], found["minutes"]) == (300, 30, 0.2)
    assert found["by_variant"]["hex-3"]["draws"] == 0.0
    assert found["strength"]["points"][-1]["rating"] == 20.0


def test_a_report_is_written_again_and_leaves_matplotlib_as_it_was(small_run: Path) -> None:
    reported(small_run)
    files, settings = sorted(small_run.rglob("*")), dict(matplotlib.rcParams)
    reported(small_run)
    assert sorted(small_run.rglob("*")) == files
    assert dict(matplotlib.rcParams) == settings


# --- names --------------------------------------------------------------------------------------------------


def test_what_a_run_is_called_is_text(tmp_path: Path) -> None:
    title = Variant.from_toml(
        f'title = "{NASTY}"\nboard = {{ rows = 3, columns = 3 }}\nend = {{ line = 3 }}', name="a"
    )
    path = write_run(tmp_path / "<i>&'$x$ $", chunks=[[episode(X_WINS)]], variants=[title])
    other = write_run(tmp_path / "_b", chunks=[[episode(X_WINS)]], variants=[title])
    reported(path, other, "--output", tmp_path / "page.html")
    seen = Seen((tmp_path / "page.html").read_text())
    assert not {"script"} & set(seen.tags)
    assert any("<i>&'$x$ $" in text for text in seen.texts)
    assert any(NASTY in text for text in seen.texts)
    assert seen.open == []


# --- several runs -------------------------------------------------------------------------------------------


def test_several_runs_share_a_page(small_run: Path, tmp_path: Path) -> None:
    other = write_run(
        tmp_path / "other",
        chunks=[[episode(DRAWN)]],
        config=TrainConfig(positions=1000, selfplay=SelfPlayConfig(simulations=48)),
    )
    reported(small_run, other, "--output", tmp_path / "both.html", "--json", tmp_path / "both.json")
    text = (tmp_path / "both.html").read_text()
    assert "<tr><th>selfplay.simulations</th><td>16</td><td>48</td></tr>" in text
    assert "selfplay.games" not in text
    assert "small: tictactoe (3)" in text
    assert "other: tictactoe (1)" in text
    numbers = json.loads((tmp_path / "both.json").read_text())["runs"]
    assert [run["by_variant"]["tictactoe"]["draws"] for run in numbers] == [pytest.approx(1 / 3), 1.0]


def test_runs_of_equal_names_are_told_apart(small_run: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    other = tmp_path / "elsewhere" / "small"
    shutil.copytree(small_run, other)
    assert [run.label for run in read_runs([small_run, other])] == [str(small_run), str(other)]


def test_where_a_page_goes(small_run: Path, tmp_path: Path) -> None:
    assert output_file([small_run], None) == small_run / "report.html"
    assert output_file([small_run, tmp_path], None) == Path("report.html")
    assert output_file([small_run], tmp_path / "new") == tmp_path / "new" / "report.html"
    assert output_file([small_run, tmp_path], tmp_path / "page.html") == tmp_path / "page.html"


def test_a_folder_is_made_for_the_output(small_run: Path, tmp_path: Path) -> None:
    reported(small_run, "--output", tmp_path / "new")
    assert (tmp_path / "new" / "report.html").exists()
    assert (tmp_path / "new" / "report" / "results.png").exists()
    assert not (small_run / "report.html").exists()


# --- what is missing or wrong -------------------------------------------------------------------------------


def test_a_run_without_strength_says_how_to_measure_it(small_run: Path) -> None:
    line = f"small: strength is not measured yet: selfplay report {small_run} --measure"
    assert f"missing: {line}" in reported(small_run).splitlines()
    assert line in (small_run / "report.html").read_text()


def test_a_run_in_training_is_reported_with_what_there_is(tmp_path: Path) -> None:
    """Before the first checkpoint there are metrics, no games and no agent."""
    path = write_run(tmp_path / "young")
    said = reported(path)
    assert "no games yet" in said
    assert "agent.onnx: not there yet" in said
    assert (path / "report" / "policy-loss.png").exists()


def test_a_missing_and_a_damaged_chunk_are_named_in_the_page(small_run: Path) -> None:
    (small_run / "games" / "000002.npz").unlink()
    (small_run / "games" / "000001.npz").write_bytes(b"rubbish")
    said = reported(small_run)
    for line in ("000002.npz: missing", "000001.npz: can't be read"):
        assert line in said
        assert line in html.unescape((small_run / "report.html").read_text())


@pytest.mark.parametrize("size", [0, 3, 400, -1])
def test_a_damaged_chunk_costs_its_own_games_only(small_run: Path, size: int) -> None:
    chunk = small_run / "games" / "000002.npz"
    chunk.write_bytes(chunk.read_bytes()[:size])
    (run,) = read_runs([small_run])
    assert [len(game.actions) for game in run.games.newest] == [5, 9]
    assert [line for line in run.missing if "000002.npz: can't be read" in line]


def test_a_chunk_of_another_run_is_named(small_run: Path, tmp_path: Path) -> None:
    other = write_run(tmp_path / "other", chunks=[[episode(X_WINS, variant=7)]])
    shutil.copy(other / "games" / "000001.npz", small_run / "games" / "000002.npz")
    (run,) = read_runs([small_run])
    assert "expected one of 1 variants, got number 7" in run.missing[-1]


@pytest.mark.parametrize(
    "text", ["", "{}", "[1", json.dumps(STRENGTH | {"format": 2}), json.dumps(STRENGTH | {"points": [{}]})]
)
def test_a_damaged_strength_file_is_named(small_run: Path, text: str) -> None:
    (small_run / "strength.json").write_text(text)
    (run,) = read_runs([small_run])
    assert run.strength is None
    assert run.missing[0].startswith(f"{small_run / 'strength.json'}: ")
    assert len(run.missing[0].splitlines()) == 1


def test_a_damaged_agent_is_named(small_run: Path) -> None:
    (small_run / "agent.onnx").write_bytes(b"no agent")
    assert "no opening tree: " in reported(small_run)
    assert (small_run / "report" / "games-tictactoe.png").exists()


def test_what_is_no_run(tmp_path: Path) -> None:
    assert "expected a run folder" in refused(tmp_path)
    assert "expected a run folder" in refused(tmp_path / "nothing")


def test_a_run_without_metrics(tmp_path: Path) -> None:
    path = write_run(tmp_path / "empty", rows=[])
    assert "got one that has none yet" in refused(path)
    assert not (path / "report.html").exists()


def test_metrics_that_are_no_text(small_run: Path) -> None:
    (small_run / "metrics.jsonl").write_bytes(b"\xff\xfe\x00")
    assert "expected metrics" in refused(small_run)


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("gone/page.html", "in a folder that exists"),
        ("gone/folder", "in one that exists"),
        ("letter.txt", "ends in .html"),
    ],
)
def test_an_output_that_cannot_be(small_run: Path, tmp_path: Path, output: str, reason: str) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    assert reason in refused(small_run, "--output", tmp_path / output)


def test_a_file_where_the_pictures_go(small_run: Path) -> None:
    (small_run / "report").write_text("mine")
    assert "can't write" in refused(small_run)
    assert not (small_run / "report.html").exists()
