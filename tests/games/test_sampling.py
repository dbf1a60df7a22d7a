"""Sampled variants: valid, distinct, playable; and fingerprints that see the same game from every side."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest

import games
from games import Space, fingerprint, sample_variant, sample_variants, sampling
from games.geometry import cut_cells
from games.notation import cell_name
from games.sampling import candidates, examine
from games.sampling.space import PRESETS
from games.variant import Variant
from tests.games.drawings import variant

SMALL_LINES = Space.preset("lines").model_copy(update={"rows": (4, 5), "columns": (4, 5)})


# --- drawing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
def test_every_draw_is_valid_and_survives_toml(preset: str) -> None:
    for seed in range(60):
        drawn = sample_variant(seed, space=Space.load(preset))
        again = Variant.from_toml(drawn.to_toml(), name="again")
        assert again == drawn
        assert again.digest == drawn.digest
        assert drawn.name == f"sampled-{drawn.digest[:8]}"
        assert drawn.title
        assert drawn.rules


def test_a_seed_always_draws_the_same() -> None:
    assert [sample_variant(seed) for seed in range(30)] == [sample_variant(seed) for seed in range(30)]
    assert len({sample_variant(seed).digest for seed in range(30)}) > 20


def test_everything_is_drawn_at_times() -> None:
    drawn = [sample_variant(seed) for seed in range(500)]
    kinds = Counter(one.move.kind for one in drawn)
    assert set(kinds) == {"place", "drop", "step", "slide", "clone"}
    for key in ("line", "connect", "fork", "bridge", "ring", "reach", "capture", "eliminate", "misere"):
        assert any(getattr(one.end, key) for one in drawn), key
    for key in ("flip", "take_enclosed", "infect", "surround"):
        assert any(getattr(one.effect, key) for one in drawn), key
    assert {one.end.count for one in drawn} == {"none", "stones", "area"}
    assert {one.board.shape for one in drawn} == {"full", "triangle", "hexagon"}
    assert {one.board.wrap for one in drawn} == {"none", "columns", "rows", "both"}


def test_only_what_the_space_names_is_drawn() -> None:
    space = Space.from_toml(
        """
        rows = [5, 5]
        columns = [6, 6]
        equal_sides = 0.0
        cells = { square = 1 }
        wraps = { columns = 1 }
        holes = 0.0
        kinds = { drop = 1 }
        effects = { none = 1 }
        goals = { line = 1 }
        lines = [4, 4]
        """
    )
    for seed in range(40):
        drawn = sample_variant(seed, space=space)
        assert (drawn.board.rows, drawn.board.columns, drawn.board.wrap) == (5, 6, "columns")
        assert drawn.move.kind == "drop"
        assert min(drawn.lines) == 4


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.kernels
def test_draws_keep_the_engines_promises(preset: str) -> None:
    for seed in range(1000, 1004):
        drawn = sample_variant(seed, space=Space.load(preset))
        if examine(drawn).refusal != "no first move":
            games.conformance.check(drawn, games=1)


# --- spaces -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("row = [4, 5]", "mine: row: unknown key; expected one of rows, columns,"),
        ("rows = [5, 4]", "mine: rows: expected the least and the most, got 5 and 4"),
        ("rows = [1, 4]", "mine: rows.0: input should be greater than or equal to 2, got 1"),
        (
            "kinds = { push = 1 }",
            "mine: kinds.push: expected 'place', 'drop', 'step', 'slide' or 'clone'",
        ),
        ("kinds = { drop = -1 }", "mine: kinds: expected weights of at least 0, one of them above 0"),
        ("kinds = { drop = 0 }", "mine: kinds: expected weights of at least 0, one of them above 0"),
        ("misere = 2.0", "mine: misere: input should be less than or equal to 1, got 2.0"),
        ("rows = 4 5", "mine: not valid TOML"),
    ],
)
def test_a_space_that_can_not_be_read_is_one_line(text: str, line: str) -> None:
    with pytest.raises(games.SpaceError) as refusal:
        Space.from_toml(text, where="mine")
    assert str(refusal.value).startswith(line)
    assert "\n" not in str(refusal.value)


def test_unknown_presets_and_files_are_refused() -> None:
    with pytest.raises(games.SpaceError, match="unknown preset 'fun': expected one of lines"):
        Space.load("fun")
    with pytest.raises(games.SpaceError, match="can't read the space"):
        Space.load("nowhere.toml")


def test_a_space_with_nothing_to_play_says_so() -> None:
    with pytest.raises(games.SpaceError, match="none of reach fits"):
        sample_variant(0, space=Space(kinds={"place": 1.0}, goals={"reach": 1.0}))


# --- fingerprints -------------------------------------------------------------------------------------------


def holed(board: str, holes: tuple[str, ...]) -> str:
    names = ", ".join(f"'{name}'" for name in holes)
    return fingerprint(variant(f"board = {{ {board}, holes = [{names}] }}\nend = {{ line = 2 }}"))


def orbits(rows: int, columns: int, more: str = "", number: int = 1, shape: str = "full") -> int:
    """Different games among all boards with a number of holes."""
    cells = [cell for cell in range(rows * columns) if cell not in cut_cells(shape, rows, columns)]
    names = [cell_name(cell, rows=rows, columns=columns) for cell in cells]
    board = f"rows = {rows}, columns = {columns}{more}"
    return len({holed(board, chosen) for chosen in combinations(names, number)})


def test_holes_have_as_many_fingerprints_as_the_board_has_orbits() -> None:
    """Counted by Burnside's lemma for the dihedral groups of square, rectangle, triangle and hexagon."""
    assert orbits(3, 3) == 3
    assert orbits(3, 3, number=2) == 8
    assert orbits(3, 4) == 4
    assert orbits(4, 4, ", wrap = 'both'") == 1
    assert orbits(3, 4, ", wrap = 'columns'") == 2
    assert orbits(4, 4, ", cells = 'hex', shape = 'triangle'", shape="triangle") == 3
    assert orbits(5, 5, ", cells = 'hex', shape = 'hexagon'", shape="hexagon") == 4
    assert orbits(3, 3, ", cells = 'hex'") == 4  # a rhombus keeps half turn and two reflections


SAME = [
    (
        "board = { rows = 4, columns = 5 }\nmove = { kind = 'drop' }\nend = { line = 3 }",
        "board = { rows = 5, columns = 4 }\nmove = { kind = 'drop', gravity = 'left' }\nend = { line = 3 }",
    ),
    (
        "board = { rows = 5, columns = 5, cells = 'hex' }\n"
        "end = { connect = { first = ['top', 'bottom'], second = ['left', 'right'] } }",
        "board = { rows = 5, columns = 5, cells = 'hex' }\n"
        "end = { connect = { second = ['bottom', 'top'], first = ['left', 'right'] } }",
    ),
    (
        "board = { rows = 3, columns = 4, setup = { first = ['a1'], second = ['b3'] } }\nend = { line = 3 }",
        "board = { rows = 4, columns = 3, setup = { first = ['c4'], second = ['a3'] } }\nend = { line = 3 }",
    ),
    (
        "board = { rows = 5, columns = 5 }\nend = { line = 3 }",
        "board = { rows = 5, columns = 5, adjacent = 8 }\nend = { line = 3 }",
    ),
    (
        "title = 'A'\nboard = { rows = 3, columns = 3 }\nend = { line = 3 }",
        "title = 'B'\nboard = { rows = 3, columns = 3 }\nend = { line = { first = 3, second = 3 } }",
    ),
]
DIFFERENT = [
    (
        "board = { rows = 2, columns = 5 }\nend = { connect = ['top', 'bottom'] }",
        "board = { rows = 2, columns = 5 }\nend = { connect = ['top', 'bottom', 'left'] }",
    ),
    (
        "board = { rows = 4, columns = 5 }\nmove = { kind = 'drop' }\nend = { line = 3 }",
        "board = { rows = 4, columns = 5 }\nmove = { kind = 'drop', gravity = 'left' }\nend = { line = 3 }",
    ),
    (
        "board = { rows = 4, columns = 5 }\nmove = { domino = true }\nend = { stuck = 'loses' }",
        "board = { rows = 5, columns = 4 }\nmove = { domino = true }\nend = { stuck = 'loses' }",
    ),
    (
        "board = { rows = 3, columns = 3, setup = { first = ['a1'] } }\nend = { line = 3 }",
        "board = { rows = 3, columns = 3, setup = { second = ['a1'] } }\nend = { line = 3 }",
    ),
    (
        "board = { rows = 5, columns = 4, cells = 'hex' }\nend = { connect = ['top', 'bottom'] }",
        "board = { rows = 5, columns = 4, cells = 'hex' }\nend = { connect = ['left', 'right'] }",
    ),
    (
        "board = { rows = 5, columns = 5 }\nend = { connect = ['left', 'right'] }",
        "board = { rows = 5, columns = 5, adjacent = 8 }\nend = { connect = ['left', 'right'] }",
    ),
    (
        "board = { rows = 3, columns = 3 }\nend = { line = 3 }",
        "board = { rows = 3, columns = 3 }\nend = { line = 3, misere = true }",
    ),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_game_seen_from_two_sides(one: str, other: str) -> None:
    assert fingerprint(variant(one)) == fingerprint(variant(other))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_games_differ(one: str, other: str) -> None:
    assert fingerprint(variant(one)) != fingerprint(variant(other))


def mirrored(rules: Variant) -> Variant:
    """A variant on a full board of square cells with left and right exchanged."""
    rows, columns = rules.board.rows, rules.board.columns

    def names(cells: tuple[int, ...]) -> list[str]:
        flipped = [cell // columns * columns + columns - 1 - cell % columns for cell in cells]
        return [cell_name(cell, rows=rows, columns=columns) for cell in flipped]

    exchanged = {"left": "right", "right": "left"}
    data = rules.model_dump(exclude_defaults=True)
    first, second = rules.setup_cells
    data["board"]["holes"] = names(tuple(rules.hole_cells))
    data["board"]["setup"] = {"first": names(first), "second": names(second)}
    if "gravity" in data.get("move", {}):
        data["move"]["gravity"] = exchanged.get(rules.move.gravity, rules.move.gravity)
    if any(rules.connects):
        sides = [[exchanged.get(side, side) for side in goal] for goal in rules.connects]
        data["end"]["connect"] = {"first": sides[0], "second": sides[1]}
    return Variant.from_dict(data, where="mirrored")


def test_mirrored_draws_have_the_same_fingerprint() -> None:
    drawn = [sample_variant(seed) for seed in range(150)]
    square = [one for one in drawn if not one.is_hexagonal]
    assert len(square) > 50
    for one in square:
        assert fingerprint(mirrored(one)) == fingerprint(one), one.to_toml()


# --- sampling -----------------------------------------------------------------------------------------------


@pytest.mark.kernels
def test_samples_are_distinct_and_the_same_again() -> None:
    drawn = list(sample_variants(6, 3, SMALL_LINES))
    assert len({fingerprint(one) for one in drawn}) == 6
    assert drawn == list(sample_variants(6, 3, SMALL_LINES))
    assert drawn[:2] == list(sample_variants(2, 3, SMALL_LINES))
    assert drawn != list(sample_variants(6, 4, SMALL_LINES))
    assert list(sample_variants(0, 3)) == []


@pytest.mark.kernels
def test_what_is_refused_has_a_reason() -> None:
    """A line of two is over after three stones, a second such board is the same game."""
    space = SMALL_LINES.model_copy(update={"lines": (2, 2), "misere": 0.0, "exact": 0.0, "two_moves": 0.0})
    drawn = [candidate for candidate, _ in zip(candidates(0, space), range(12), strict=False)]
    reasons = Counter(candidate.refusal for candidate in drawn)
    assert reasons[None] == 0
    assert reasons["too short"] > 0


@pytest.mark.kernels
def test_a_space_without_anything_worth_playing_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MAX_REFUSALS", 5)
    space = SMALL_LINES.model_copy(update={"lines": (2, 2), "misere": 0.0, "uneven": 0.0})
    with pytest.raises(games.SpaceError, match="got 5 refusals in a row"):
        list(sample_variants(1, 0, space))
