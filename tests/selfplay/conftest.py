"""Agents on disk, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

import games
from tests.selfplay.agents import export_agent


@pytest.fixture(scope="session")
def connect4_agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained agent that says it learned Connect Four, exported without wrapping."""
    return export_agent(tmp_path_factory.mktemp("agents") / "connect4.onnx", games.load("connect4"))
