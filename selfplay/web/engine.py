"""The engine of the page: the kernels that a game and a search need, as JavaScript."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from games import Variant, kernels, load, rules, state
from games.compiler import rules_of
from games.encoding import PLANES
from games.entry_kernels import serve_special, special
from games.group_kernels import area_lead
from games.move_kernels import stones_lead
from games.state import new_state
from mcts import config
from mcts import kernels as tree_kernels
from mcts.cache_kernels import new_cache
from mcts.config import SearchConfig, settings_of
from mcts.rollout_kernels import new_rollouts
from mcts.search import LINE_LENGTH
from mcts.tree_kernels import new_tree
from selfplay.web.javascript import INT, Array, type_of
from selfplay.web.translate import Translator

PAGE = Path(__file__).parent / "page"
"""The page's own files."""


_SOURCES = ("arrays.js", "game.js", "search.js")
"""The engine's hand-written part, in order; the kernels come behind the first."""

_CONSTANTS: dict[Any, str] = {
    state: "N_INFO COLOUR SWAPPED STONES_LEFT PLY LAST STATUS PHASE ORIGIN TAKEN TAKEN_BY_SECOND "
    "ONGOING DRAW FIRST_WINS BEGIN MOVING JUMPING SHOOTING",
    rules: "N_CELLS HAS_GROUPS SURROUNDS KEEPS_LIBERTY CAPTURES_NOTHING REPEAT SUPERKO PLY_CAP "
    "COUNT NO_COUNT COUNT_AREA KOMI_HALVES MAX_LEGAL CONNECT REACH FIRST SECOND HOLE",
    config: "GUMBEL PUCT",
    tree_kernels: "UNPROVEN NONE",
}
"""Names that the hand-written part uses as Python has them."""


_EXPORTS = "Position, search, opinion, newCache, CACHE_SLOTS, STREAM_BEGIN, PUCT, FIRST, SECOND, HOLE"


def engine() -> str:
    """The engine as JavaScript: a function `makeEngine`, for the page and for its worker."""
    first, *others = ((PAGE / name).read_text(encoding="utf-8") for name in _SOURCES)
    parts = [first, _constants(), kernels_as_javascript(), *others, f"return {{ {_EXPORTS} }};"]
    return "\n".join(["function makeEngine() {", *parts, "}", ""])


def _constants() -> str:
    named = {name: getattr(module, name) for module, names in _CONSTANTS.items() for name in names.split()}
    named |= {"N_PLANES": len(PLANES), "LINE_LENGTH": LINE_LENGTH}
    return f"const {', '.join(f'{name} = {value}' for name, value in named.items())};"


def tables(variant: Variant) -> dict[str, Any]:
    """A variant as the engine reads it: what a page shows, and the compiled rules."""
    compiled = rules_of(variant)
    board = variant.board
    return {
        "id": variant.digest,
        "title": variant.title or variant.name,
        "rows": board.rows,
        "columns": board.columns,
        "hexagonal": variant.is_hexagonal,
        "drops": variant.move.kind == "drop",
        "fallsAlongColumns": variant.move.gravity in ("down", "up"),
        "outside": sorted(variant.cut_cells),
        "tables": {
            name: [array.dtype.name, array.shape, array.ravel().tolist()]
            for name, array in compiled._asdict().items()
            if name != "entry"
        },
    }


@cache
def kernels_as_javascript() -> str:
    """Functions named `$kernel`, for every kernel that the page calls."""
    translator = Translator(instead={special: serve_special})
    for kernel, *types in _entries():
        translator.add(kernel, *types)
    return translator.text()


def _entries() -> list[tuple[Any, ...]]:
    """Every kernel that the page calls, with the types of its arguments."""
    variant_rules = rules_of(load("tictactoe"))
    samples: dict[str, Any] = {
        "rules": variant_rules,
        "state": new_state(variant_rules, 1),
        "tree": new_tree(variant_rules, batch=1, simulations=1),
        "settings": settings_of(SearchConfig()),
        "cache": new_cache(1, 2),
        "rollouts": new_rollouts(variant_rules, most=1, plies=1, share=0.5),
    }
    table, board, tree, settings, cached, rollouts = map(type_of, samples.values())
    listed, games, numbers = Array("int16", 1), Array("int32", 1), Array("uint64", 1)
    planes, logits, values = Array("float32", 3), Array("float32", 2), Array("float32", 1)
    legal, visits, actions = Array("bool", 2), Array("int32", 2), Array("int32", 1)
    proven, lines = Array("int8", 2), Array("int16", 3)
    return [
        (kernels.reset, table, board, INT, INT),
        (kernels.list_legal, table, board, INT, listed, INT),
        (kernels.play, table, board, INT, INT),
        (kernels.observe_rows, table, board, planes, legal, logits, listed),
        (stones_lead, table, board, INT, INT),
        (area_lead, table, board, INT, INT),
        (tree_kernels.plant_rows, table, tree, settings, board),
        (tree_kernels.observe_waiting, table, tree, games, planes, legal, logits),
        (
            tree_kernels.advance_waiting,
            *(table, tree, settings, numbers, games, logits, values, cached, rollouts),
        ),
        (tree_kernels.advance_remembered, table, tree, settings, numbers, games, cached),
        (tree_kernels.roll_out_waiting, table, tree, numbers, games, INT, board, listed, values),
        (
            tree_kernels.write_results,
            *(table, tree, settings, actions, visits, logits, values, logits, proven, lines),
        ),
    ]
