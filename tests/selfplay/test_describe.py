"""Rules in plain words: sentences that say what the keys mean, for the whole language."""

from __future__ import annotations

import pytest

import games
from games.errors import VariantError
from games.variant import Variant
from games.variant_docs import examples
from selfplay.describe import describe, listing, size

SQUARE = "board = { rows = 6, columns = 7 }\n"
ROWS = "board = { rows = 6, columns = 6, setup = { pattern = 'rows' } }\n"
LINE = "end = { line = 4 }\n"


def words(text: str) -> dict[str, str]:
    return describe(Variant.from_toml(text, name="described"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("connect4", "6×7"),
        ("hex", "11×11 hex"),
        ("y", "triangle 19"),
        ("havannah", "hexagon 8"),
    ],
)
def test_a_board_has_a_size(name: str, text: str) -> None:
    assert size(games.load(name)) == text


@pytest.mark.parametrize(
    ("name", "topic", "text"),
    [
        ("connect4-holes", "board", "6 rows and 7 columns of square cells. No cells at c3, e3."),
        (
            "connect4-cylinder",
            "board",
            "6 rows and 7 columns of square cells. The left and the right edge touch.",
        ),
        ("ataxx", "board", "7 rows and 7 columns of square cells. Cells touch all eight around them."),
        ("havannah", "board", "A hexagon of hexagonal cells, eight on each side."),
        ("othello", "set-up", "First (x) has d4, e5; second (o) has d5, e4."),
        ("breakthrough", "set-up", "The lowest two rows are first's, the highest two rows second's."),
        ("hexapawn", "set-up", "First (x) has a1, b1, c1; second (o) has a3, b3, c3."),
        (
            "konane",
            "set-up",
            "Stones of both players fill the board like a chessboard's fields; first has a1. "
            "Empty at first: d4, e4.",
        ),
        ("tictactoe", "move", "Put a stone on an empty cell."),
        (
            "connect4-sideways",
            "move",
            "Put a stone where gravity, which pulls to the left, holds it: on the edge or another stone.",
        ),
        ("othello", "move", "Put a stone on an empty cell. It must flip at least one stone."),
        (
            "breakthrough",
            "move",
            "Move a stone of yours one step straight forward or diagonally forward to an empty cell, or "
            "diagonally forward onto an opposing stone, which is captured. Forward is up for "
            "first and down for "
            "second.",
        ),
        (
            "clobber",
            "move",
            "Move a stone of yours one step straight onto an opposing stone, which is captured.",
        ),
        (
            "konane",
            "move",
            "Jump with a stone of yours straight over an opposing stone to the empty cell "
            "behind it, which captures "
            "the stone. After a jump the stone may jump on in the same direction if it can.",
        ),
        (
            "amazons",
            "move",
            "Move a stone of yours any distance in any direction to an empty cell. Then the stone shoots any "
            "distance in any direction over empty cells, and the cell it hits is gone.",
        ),
        (
            "domineering",
            "move",
            "Lay a domino on two empty cells: first's stand upright, second's lie. The move is "
            "named by the upper or "
            "left cell.",
        ),
        (
            "pente",
            "effect",
            "Lines of exactly two opposing stones between the new stone and another of yours are captured.",
        ),
        ("ataxx", "effect", "Opposing stones that touch the new or moved stone change colour."),
        ("go", "effect", "Groups that touch no empty cell are captured, opposing ones first."),
        ("connect6", "turn", "Two stones a turn, one in the very first."),
        (
            "hex",
            "turn",
            "One stone a turn. After the first turn the second player may take it over instead of moving.",
        ),
        ("othello", "turn", "One stone a turn. Who has no move passes."),
        ("go", "turn", "One stone a turn. A player may pass."),
        ("connect4", "goal", "A player wins with 4 or more in line."),
        ("connect4-misere", "goal", "A player loses with 4 or more in line."),
        ("gomoku-exact", "goal", "A player wins with exactly 5 in line."),
        (
            "hex",
            "goal",
            "First wins with a group that touches the top and bottom sides. "
            "Second wins with a group that touches the left and right sides.",
        ),
        (
            "havannah",
            "goal",
            "A player wins with a group that touches three sides, corners not counted, a group "
            "that touches two "
            "corners, or a ring around at least one cell.",
        ),
        ("pente", "goal", "A player wins with 5 or more in line or ten stones captured."),
        (
            "hex-cylinder",
            "goal",
            "First wins with a group that touches the top and bottom sides. "
            "If the game stops when no cell is empty before that, second wins.",
        ),
        ("amazons", "goal", "A player who has no move loses."),
        (
            "go",
            "goal",
            "The game stops after two passes in a row; who then has more area wins. Area is "
            "stones and empty regions "
            "that touch one player's stones only. Second's count is raised by 7.",
        ),
        (
            "anti-othello",
            "goal",
            "The game stops after two passes in a row or when no cell is empty; who then has "
            "more stones loses.",
        ),
        ("connect4", "draw", "Nobody has won when no cell is empty."),
        ("othello", "draw", "Equal numbers of stones."),
        ("ataxx", "draw", "Equal numbers of stones. Also after 392 actions."),
        ("amazons", "draw", "The game is drawn after 300 actions."),
    ],
)
def test_the_rules_are_told(name: str, topic: str, text: str) -> None:
    assert describe(games.load(name))[topic] == text


@pytest.mark.parametrize(
    ("text", "topic", "told"),
    [
        (
            SQUARE + LINE + "move = { beside = 'enemy' }",
            "move",
            "It must touch an opposing stone, once there is one",
        ),
        (
            SQUARE + LINE + "move = { keeps_liberty = true }",
            "move",
            "Its group must touch an empty cell afterwards.",
        ),
        (
            SQUARE + LINE + "move = { captures_nothing = true }",
            "move",
            "No opposing group may be left without",
        ),
        (
            SQUARE + LINE + "effect = { surround = true }\nturn = { repeat = 'ko' }",
            "move",
            "taken back at once (ko)",
        ),
        (
            ROWS + LINE + "[move]\nkind = 'slide'\nto_empty = ['orthogonal']\nto_enemy = ['orthogonal']",
            "move",
            "any distance straight to an empty cell or onto the first opposing stone in line, "
            "which is captured.",
        ),
        (
            ROWS
            + LINE
            + "[move]\nkind = 'step'\nto_empty = ['sideways']\nover_enemy = ['all']\nmust_jump = true",
            "move",
            "sideways to an empty cell, or in any direction over an opposing stone to the empty "
            "cell behind it",
        ),
        (
            ROWS + LINE + "[move]\nkind = 'step'\nover_enemy = ['all']\nchain = 'any'\nmust_jump = true",
            "move",
            "After a jump the stone must jump on if it can. Who can jump must jump.",
        ),
        (
            SQUARE + "end = { line = { first = 4, second = 3 } }",
            "goal",
            "Second wins with 3 or more in line.",
        ),
        (
            SQUARE + "end = { line = { first = 4 }, stuck = 'second', misere = true }",
            "goal",
            "before that, first wins.",
        ),
        (
            SQUARE + "move = { domino = true }\nend = { stuck = 'wins', misere = true }",
            "goal",
            "has no move loses.",
        ),
        (
            SQUARE + "end = { line = 4, count = 'stones' }",
            "goal",
            "The game also stops when no cell is empty",
        ),
        (SQUARE + "end = { bridge = 2 }", "goal", "a group that touches two corners"),
        (
            SQUARE + "effect = { infect = true }\nend = { eliminate = true }",
            "goal",
            "with no opposing stone left.",
        ),
        (SQUARE + "end = { line = 4, ply_cap = 30 }", "draw", "Also after 30 actions."),
    ],
)
def test_rarer_rules_are_told_too(text: str, topic: str, told: str) -> None:
    assert told in words(text)[topic]


@pytest.mark.parametrize("name", games.names())
def test_every_variant_is_told_in_sentences(name: str) -> None:
    topics = describe(games.load(name))
    assert {"board", "move", "turn", "goal"} <= topics.keys()
    for text in topics.values():
        assert text == text.strip()
        assert text[0].isupper() or text[0].isdigit()
        assert text.endswith(".")
        assert "  " not in text
        assert "None" not in text


@pytest.mark.parametrize(("key", "text"), list(examples()))
def test_every_key_that_changes_the_rules_changes_the_words(key: str, text: str) -> None:
    """Whatever the schema can say is told: an example of a key reads differently from the same without it."""
    without = "\n".join(line for line in text.splitlines() if not line.startswith(f"{key} ="))
    try:
        plain = Variant.from_toml(without, name="plain")
    except VariantError:
        return  # the key is one that this variant can't be without
    changed = Variant.from_toml(text, name="changed")
    assert (describe(changed) == describe(plain)) == (changed.digest == plain.digest)


@pytest.mark.parametrize(
    ("number", "text"), [(0, ""), (1, "v0"), (4, "v0, v1, v2, v3"), (5, "v0, v1, v2 and 2 more")]
)
def test_of_many_names_some_are_listed(number: int, text: str) -> None:
    assert listing([f"v{i}" for i in range(number)]) == text
