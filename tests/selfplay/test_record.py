"""Games as text: back and forth, and refusals in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import games
from games import Position, VariantError
from selfplay.record import Record, RecordError, from_text, load, save, to_text
from tests.games.drawings import variant

OWN = variant("""
    name = "own-5x4"
    board = { rows = 5, columns = 4 }
    turn = { swap = true }
    end = { line = 4 }
""")


def random_game(rules: games.Variant, *, plies: int, seed: int) -> Position:
    rng, position = np.random.default_rng(seed), games.start(rules)
    while not position.is_over and position.ply < plies:
        position = position.play(int(rng.choice(position.legal_actions)))
    return position


@pytest.mark.parametrize("plies", [0, 1, 7, 10_000])
@pytest.mark.parametrize(
    "rules", [games.load("connect4"), games.load("amazons-5x5"), OWN], ids=lambda v: v.name
)
def test_a_game_comes_back_as_it_was(rules: games.Variant, plies: int, tmp_path: Path) -> None:
    """Half-made moves included, and rules that no catalogue has."""
    for seed in range(3):
        position = random_game(rules, plies=plies, seed=seed)
        save(tmp_path / "game.toml", Record(position, ("me", 'the "agent"')))
        again = load(tmp_path / "game.toml")
        assert again.position == position
        assert again.position.actions == position.actions
        assert again.position.variant.digest == rules.digest
        assert again.players == ("me", 'the "agent"')


def test_a_person_can_read_it() -> None:
    position = games.start(games.load("tictactoe"))
    for move in ["a1", "b1", "a2", "b2", "a3"]:
        position = position.play_text(move)
    text = to_text(Record(position, ("me", "mcts:100")))
    assert 'moves = "a1 b1 a2 b2 a3"' in text
    assert 'result = "x (player 0) wins"' in text
    assert 'name = "tictactoe"' in text


SET_UP = games.set_up(games.load("amazons-5x5"), {0: 1, 7: 3, 8: 3, 24: 2}, to_play=1)


@pytest.mark.parametrize("plies", [0, 1, 5])
def test_a_game_that_was_set_up_comes_back_with_its_stones(plies: int, tmp_path: Path) -> None:
    position = SET_UP
    for _ in range(plies):
        position = position.play(position.legal_actions[-1])
    save(tmp_path / "game.toml", Record(position, ("me", "you")))
    again = load(tmp_path / "game.toml").position
    assert again == position
    assert again.actions == position.actions
    assert again.placement == position.placement


def test_a_set_up_names_its_cells() -> None:
    text = to_text(Record(SET_UP, ("me", "you")))
    table = text.partition("[setup]")[2]
    assert [line for line in table.splitlines() if line and "[" not in line[:1]] == [
        "to_play = 1", "first = [", '    "a5",', "]", "second = [", '    "e1",', "]",
        "shot = [", '    "c4",', '    "d4",', "]",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("to_play = 1", "to_play = 3", "game: setup: .* expected seat 0 or 1"),
        ("to_play = 1", "to_play = 1\ncolour = 2", r"game: expected \[setup\] with to_play"),
        ('"a5"', '"a9"', "game: setup.first: expected a cell"),
        ('"a5",', "5,", "game: setup.first: expected a list of cells"),
        ('"a5",', '"b1:e3",', "game: setup: .* at most 4 stones"),
    ],
)
def test_a_wrong_set_up_is_refused_in_one_line(old: str, new: str, line: str) -> None:
    text = to_text(Record(SET_UP, ("me", "you")))
    assert old in text
    with pytest.raises(RecordError, match=line) as refusal:
        from_text(text.replace(old, new), "game")
    assert "\n" not in str(refusal.value)


GOOD = to_text(Record(games.start(games.load("tictactoe")).play_text("b2"), ("me", "you")))


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('"b2"', '"b2 b2"', "game: move 2: tictactoe after 1 actions: expected one of"),
        ('"b2"', '"z9"', "game: move 1: .* expected a cell"),
        ('"b2"', "7", "game: expected moves as a text"),
        ("version = 1", "version = 2", "game: expected format = .* got 'selfplay-game' and 2"),
        ('"selfplay-game"', '"sgf"', "got 'sgf' and 1"),
        ('"me"', '"me", "her"', "expected the names of two players"),
        ("format", "format = ", "expected a game as TOML"),
        ("[variant", "[rules", r"a table \[variant\]"),
    ],
)
def test_what_is_no_game_is_refused_in_one_line(old: str, new: str, line: str) -> None:
    text = GOOD.replace(old, new)
    assert text != GOOD
    with pytest.raises(RecordError, match=line) as refusal:
        from_text(text, "game")
    assert "\n" not in str(refusal.value)


def test_wrong_rules_are_refused_as_anywhere() -> None:
    with pytest.raises(VariantError, match="game"):
        from_text(GOOD.replace("[variant]", "[variant]\nnonsense = 1"), "game")


def test_files_that_are_no_text_or_too_large(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecordError, match="expected a game as text"):
        load(tmp_path / "bytes")
    (tmp_path / "large").write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(RecordError, match="at most 1 MiB"):
        load(tmp_path / "large")
    with pytest.raises(OSError, match="No such file"):
        load(tmp_path / "none")
