"""The page's engine in V8, without a browser."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from py_mini_racer import MiniRacer

from games import Variant
from selfplay.web.engine import engine, tables

_CALLS = """
const { Position, search, PUCT } = makeEngine();
function begin(variant) { globalThis.variant = variant; globalThis.position = Position.start(variant); }
function play(action) { position = position.play(action); }
function look() {
  return { cells: [...position.cells], legal: position.legal, info: [...position.state.info.data],
           lead: position.countLead, returns: position.returns };
}
function see() {
  const { planes, legal, rules } = position.observation();
  return { planes: [...planes], legal: [...legal], rules: [...rules] };
}
"""


class Page:
    """The engine with one game."""

    def __init__(self) -> None:
        self._v8 = MiniRacer()
        self._v8.eval(engine())
        self._v8.eval(_CALLS)

    def begin(self, variant: Variant) -> None:
        """Start a game."""
        self._v8.eval(f"begin({json.dumps(tables(variant))})")

    def ask(self, code: str) -> Any:
        """What an expression is, through JSON."""
        return json.loads(str(self._v8.eval(f"JSON.stringify({code} ?? null)")))

    def wait(self, code: str) -> Any:
        """What a promise comes to."""
        promise: Any = self._v8.eval(f"({code}).then((found) => JSON.stringify(found))")
        return json.loads(promise.get(timeout=60))


@cache
def page() -> Page:
    """One engine for all tests."""
    return Page()
