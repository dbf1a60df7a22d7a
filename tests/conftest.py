"""What all tests share: the golden data, hypothesis' profile, and one torch thread a worker."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("house", deadline=None, max_examples=50, derandomize="CI" in os.environ)
settings.load_profile("house")

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # a shell's background jobs: some tests interrupt
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def golden() -> Path:
    """Folder of results that other engines and solvers gave; its README says which."""
    return Path(__file__).parent / "golden"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Workers share the cores, so torch takes one; a test that doesn't use torch doesn't load it."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
