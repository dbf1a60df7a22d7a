"""Fairy-Stockfish plays the same games: legal whole moves, player, end and result agree after every move.

The variants are its own, those of `fairy.ini`, and walking games made up at random. A call of Fairy-Stockfish
takes 2 ms whatever it does, so here a small share of the games is played.
"""

from __future__ import annotations

import random
from itertools import groupby
from pathlib import Path

import pyffish
import pytest

import games
from games.variant import Variant
from selfplay.opponents.fairy import WAYS
from tests.games.fairy import FairyGame, board_of
from tests.games.parity import LONGEST, board_variant, play_all, seeds, whole_moves

SHARE = 0.05
MOVES = 120
"""Moves after which a game is left alone: some go on for ever."""

REACH = {"first": "top", "second": "bottom"}
FLIPS: dict[str, object] = {
    "move": {"must_flip": True},
    "turn": {"passing": "stuck"},
    "effect": {"flip": True},
    "end": {"count": "stones", "eliminate": True},
}
INFECTS: dict[str, object] = {
    "board": {"adjacent": 8},
    "move": {"kind": "clone"},
    "turn": {"passing": "stuck"},
    "effect": {"infect": True},
    "end": {"count": "stones", "eliminate": True},
}
BREAKS: dict[str, object] = {
    "move": {
        "kind": "step",
        "to_empty": ["forward", "forward-diagonal"],
        "to_enemy": ["forward-diagonal"],
    },
    "end": {"reach": REACH, "stuck": "loses"},
}
CLOBBERS: dict[str, object] = {
    "move": {"kind": "step", "to_enemy": ["orthogonal"]},
    "end": {"stuck": "loses"},
}


def slides(*to_empty: str, shoot: bool = False) -> dict[str, object]:
    return {"kind": "slide", "to_empty": list(to_empty), **({"shoot": True} if shoot else {})}


def steps(*to_empty: str) -> dict[str, object]:
    return {"kind": "step", "to_empty": list(to_empty)}


VARIANTS: dict[str, dict[str, object]] = {
    # its own; a player without stones has lost at once there, which is our `eliminate`
    "ataxx": INFECTS,
    "flipello": FLIPS,
    "flipello10": FLIPS,
    "breakthrough": BREAKS,
    "clobber": CLOBBERS,
    "clobber10": CLOBBERS,
    "amazons": {"move": slides("all", shoot=True), "end": {"stuck": "loses"}},
    # those of fairy.ini
    "line-3x3": {"end": {"line": 3}},
    "line-4x7": {"end": {"line": 4}},
    "line-10x12": {"end": {"line": 5}},
    "line-misere": {"end": {"line": 4, "misere": True}},
    "falling": {"move": {"kind": "drop"}, "end": {"line": 4}},
    "falling-misere": {"move": {"kind": "drop"}, "end": {"line": 4, "misere": True}},
    "growing": {"board": {"adjacent": 8}, "move": {"beside": "own"}, "end": {"stuck": "loses"}},
    "infecting": {"board": {"adjacent": 8}, "effect": {"infect": True}, "end": {"count": "stones"}},
    "flipping-anywhere": {"effect": {"flip": True}, "end": {"count": "stones"}},
    "othello-6x6": FLIPS,
    "ataxx-holes": INFECTS,
    "breakthrough-5x6": BREAKS,
    "amazons-6x6": {"move": slides("all", shoot=True), "end": {"stuck": "loses"}},
    "amazons-rooks": {"move": slides("orthogonal", shoot=True), "end": {"stuck": "loses"}},
    "amazons-bishops": {"move": slides("diagonal", shoot=True), "end": {"stuck": "loses"}},
    "hexapawns": {
        "move": steps("forward") | {"to_enemy": ["forward-diagonal"]},
        "end": {"reach": REACH, "stuck": "loses"},
    },
    "three-in-line": {"move": steps("orthogonal"), "end": {"line": 3}},
    "racing-line": {"move": steps("forward", "forward-diagonal"), "end": {"line": 4}},
    "shoving": {"move": steps("orthogonal"), "end": {"stuck": "loses"}},
    "queens-in-line": {"move": slides("all"), "end": {"line": 4}},
    "heaps": {"move": slides("forward"), "end": {"stuck": "loses"}},
    "heaps-misere": {"move": slides("forward"), "end": {"stuck": "wins"}},
    "taking-all": {
        "move": steps("orthogonal") | {"to_enemy": ["all"]},
        "end": {"eliminate": True, "stuck": "loses"},
    },
    "taking-three": {
        "move": slides("all") | {"to_enemy": ["all"]},
        "end": {"capture": 3, "stuck": "loses"},
    },
    "spreading": {
        "board": {"adjacent": 8},
        "move": {"kind": "step", "to_enemy": ["all"]},
        "effect": {"infect": True},
        "end": {"count": "stones"},
    },
    "turning": {"move": steps("all"), "effect": {"flip": True}, "end": {"line": 4, "eliminate": True}},
}


@pytest.fixture(scope="module", autouse=True)
def fairy_variants() -> None:
    pyffish.load_variant_config(Path(__file__).with_name("fairy.ini").read_text())


def variant_like(fairy: str, sections: dict[str, object]) -> Variant:
    """Our variant on a board of Fairy-Stockfish, without a ply cap that a game could reach."""
    board = {**board_of(fairy), **sections.get("board", {})}
    return board_variant(**{**sections, "board": board, "end": {**sections["end"], "ply_cap": LONGEST}})


def compare(variant: Variant, fairy: str, seed: int) -> None:
    """A random game, whole moves compared as sets."""
    chance = random.Random(seed)
    position, theirs = games.start(variant), FairyGame(fairy)
    for _ in range(MOVES):
        moves = theirs.legal
        result = theirs.returns(moves)
        assert position.is_over == (result is not None), f"{position}\n{theirs}"
        if result is not None:
            assert position.returns == result, f"{position}\n{theirs}"
            return
        assert position.to_play == theirs.ply % 2
        assert whole_moves(position) == set(moves), f"{position}\n{theirs}"
        move = chance.choice(sorted(moves))
        position = play_all(position, move)
        theirs.play(moves[move])


@pytest.mark.parametrize("fairy", VARIANTS)
def test_games(fairy: str) -> None:
    variant = variant_like(fairy, VARIANTS[fairy])
    for seed in seeds(SHARE):
        compare(variant, fairy, seed)


# --- walking games made up at random --------------------------------------------------------------------

GOALS: list[tuple[dict[str, object], str]] = [
    ({"reach": REACH}, "flagRegionWhite = *{rows}\nflagRegionBlack = *1"),
    ({"eliminate": True}, "extinctionValue = loss\nextinctionPieceTypes = p"),
    ({"line": 4}, "connectN = 4"),
    ({"capture": 2}, "extinctionValue = loss\nextinctionPieceTypes = p\nextinctionPieceCount = {left}"),
    ({"stuck": "loses"}, "stalemateValue = loss"),
    ({"stuck": "wins"}, "stalemateValue = win"),
]
"""A goal in our language and in that of Fairy-Stockfish."""

EFFECTS = [({}, ""), ({}, ""), ({"infect": True}, "flipEnclosedPieces = ataxx")]


def betza(kind: str, mode: str, ways: list[str]) -> str:
    """The piece that moves (m) or captures (c) in some ways."""
    return "".join(mode + WAYS[way][0] + WAYS[way][1][kind == "slide"] for way in ways)


def start_rows(chance: random.Random, rows: int, columns: int) -> tuple[str, int]:
    """A start position without lines of four, mirrored for black, and each side's stones."""
    near = [[chance.choice("PP.") for _ in range(columns)] for _ in range(2)]
    near[0][0], near[0][1], near[0][min(3, columns - 1)], near[1][2] = "P", "P", ".", "."
    white = ["".join(rank) for rank in near]
    ranks = [rank.lower() for rank in white] + ["." * columns] * (rows - 4) + white[::-1]
    digits = ["".join(_run(letter, list(run)) for letter, run in groupby(rank)) for rank in ranks]
    return "/".join(digits), "".join(white).count("P")


def _run(letter: str, run: list[str]) -> str:
    return str(len(run)) if letter == "." else "".join(run)


def made_up(seed: int) -> tuple[str, dict[str, object], str]:
    """A walking game: its name, our sections, and its text for Fairy-Stockfish."""
    chance = random.Random(seed)
    rows, columns = chance.randint(5, 8), chance.randint(3, 6)
    kind = chance.choice(["step", "slide"])
    to_empty = chance.sample(sorted(WAYS), chance.randint(1, 3))
    to_enemy = chance.sample(sorted(WAYS), chance.randint(1, 2))
    fen, stones = start_rows(chance, rows, columns)
    effect, effect_text = chance.choice(EFFECTS)
    # infected stones count as captured there, and as arrived where they stand
    goals = [goal for goal in GOALS if not (effect and ("capture" in goal[0] or "reach" in goal[0]))]
    (goal, goal_text), (other, other_text) = chance.sample(goals[:-2], 1)[0], chance.choice(goals[-2:])
    name = f"made-up-{seed}"
    piece = betza(kind, "m", to_empty) + betza(kind, "c", to_enemy)
    text = (
        f"[{name}]\nmaxRank = {rows}\nmaxFile = {columns}\ncustomPiece1 = p:{piece}\nstartFen = {fen} w 0 1\n"
    )
    text += "\n".join([goal_text, other_text, effect_text]).format(rows=rows, left=stones - 2)
    sections: dict[str, object] = {
        "board": {"adjacent": 8},
        "move": {"kind": kind, "to_empty": to_empty, "to_enemy": to_enemy},
        "effect": effect,
        "end": {**goal, **other},
    }
    return name, sections, text


@pytest.mark.parametrize("seed", seeds(0.25))
def test_made_up_walking_games(seed: int) -> None:
    """Where Fairy-Stockfish finds no first move, we refuse to start."""
    name, sections, text = made_up(seed)
    pyffish.load_variant_config(text)
    variant = variant_like(name, sections)
    if FairyGame(name).legal:
        compare(variant, name, seed)
    else:
        with pytest.raises(games.VariantError, match="expected a first move"):
            games.start(variant)
