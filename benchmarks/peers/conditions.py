"""What every worker is told, and how it answers; needs nothing but Python, so that each peer can use it.

A worker is one process on given cores. It plays Connect Four with a fresh network until the time is over and
prints one line of JSON: how many positions it searched, in how many seconds. Imports, compilation and a first
batch of moves don't count.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from typing import NamedTuple


class Conditions(NamedTuple):
    """cores: that the worker may use; seconds: how long it plays; the network is blocks x channels."""

    cores: tuple[int, ...]
    seconds: float
    simulations: int
    blocks: int
    channels: int
    batch: int


def takes_flag(name: str) -> bool:
    """Whether a worker of its own kind was asked for; to be read before the conditions."""
    if given := name in sys.argv:
        sys.argv.remove(name)
    return given


def read_conditions() -> Conditions:
    """From the command line; the process is bound to its cores before any library counts them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cores", type=int, nargs="+", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--simulations", type=int, required=True)
    parser.add_argument("--blocks", type=int, required=True)
    parser.add_argument("--channels", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, arguments.cores)
    return Conditions(**{**vars(arguments), "cores": tuple(arguments.cores)})


def count(play: Callable[[], int], seconds: float) -> None:
    """Call `play`, which returns positions it searched, until the time is over; tell what came of it."""
    play()
    began, positions = time.perf_counter(), 0
    while (passed := time.perf_counter() - began) < seconds:
        positions += play()
    print(json.dumps({"positions": positions, "seconds": passed}))
