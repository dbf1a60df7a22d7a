"""The folder that plays without a server: its data, and what may be missing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import games
from models.format import zoo_file
from selfplay.player import Player
from selfplay.web.folder import write_folder
from selfplay.web.runtime import RuntimeMissingError, runtime_data
from selfplay.web.site import Agent, Listed

CONNECT4, CYLINDER = games.load("connect4"), games.load("connect4-cylinder")


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    """A stand-in for onnxruntime-web, which no test here runs."""
    folder = tmp_path / "runtime"
    folder.mkdir()
    for name in ("ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"):
        (folder / name).write_text(name)
    return folder


def delivered(file: Path) -> Any:
    """What a data file hands over."""
    found = re.fullmatch(r'deliver\("([^"]+)",(.*)\);\n|deliver\("([^"]+)", (.*)\);\n', file.read_text())
    assert found is not None
    return json.loads(found[2] or found[4])


def write(folder: Path, runtime: Path) -> None:
    """A page with two variants and two agents."""
    file = zoo_file("connect4.onnx")
    agents = {
        "connect4": Agent("connect4", "connect4", Player.load(file), file),
        "mcts:100": Agent("mcts:100", "plain", Player.load("mcts:100"), None),
    }
    listed = [Listed(CONNECT4, "Lines"), Listed(CYLINDER, "Lines")]
    write_folder(
        folder, listed, agents, variant=CONNECT4, agent="connect4", runtime=runtime, written=lambda _: None
    )


def test_the_folder_holds_all_that_the_page_loads(tmp_path: Path, runtime: Path) -> None:
    write(tmp_path / "site", runtime)
    page = (tmp_path / "site" / "index.html").read_text()
    for name in re.findall(r'(?:src|href)="([\w.]+)"', page):
        assert (tmp_path / "site" / name).is_file()
    assert delivered(tmp_path / "site" / "runtime.js")["script"] == "ort.wasm.min.js"
    assert "http" not in re.sub(r"http://www\.w3\.org\S+", "", page)


def test_a_variant_says_who_plays_it_and_how(tmp_path: Path, runtime: Path) -> None:
    write(tmp_path / "site", runtime)
    data = delivered(tmp_path / "site" / "variants" / f"{CONNECT4.digest}.js")
    assert data["best"] == "connect4"
    by_network, plain = data["plans"]["connect4"], data["plans"]["mcts:100"]
    assert (by_network["network"], by_network["factor"], by_network["search"]["method"]) == (True, 1, 0)
    assert (plain["network"], plain["factor"], plain["search"]["method"]) == (False, 16, 1)


def test_a_missing_runtime_is_one_line_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(RuntimeMissingError, match=r"expected the files of onnxruntime-web's"):
        write(tmp_path / "site", tmp_path)
    assert not (tmp_path / "site").exists()


def test_without_npm_the_runtime_cannot_be_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selfplay.web.runtime.CACHE_FOLDER", tmp_path / "none" / "kernels")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RuntimeMissingError, match="expected npm"):
        runtime_data(None)
