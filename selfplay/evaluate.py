"""How good are an agent's moves in positions whose truth is known?

A suite is a file of solved positions, one JSON object a line, in either of two forms:

    {"moves": "32164625", "scores": [-4, -3, 11, 4, 0, -2, -5]}       columns 1, 2, ... of a drop game
    {"actions": [38, 31], "values": {"d1": 0, "e1": -1}}              any variant; keys: a move or its number

`scores` and `values` hold what each legal move is worth to the player to move: more is better, above 0 wins,
below 0 loses; null marks a full column. A line may name its `set` and the `variant_digest` it belongs to.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from games import Position, SuiteError, Variant, start
from games.notation import column_letter
from selfplay.player import Player

BATCH = 256
"""Positions that a player is asked about at once."""

UNNAMED_SET = "all"


class SolvedPosition(NamedTuple):
    """A position and what each of its legal actions is worth to the player to move.

    scores: own action -> score; the sign is the game's value, a higher score is better
    set: the part of the suite it belongs to
    """

    position: Position
    scores: dict[int, float]
    set: str


class Score(NamedTuple):
    """Shares from 0 to 1 of moves over some positions.

    value_preserving: moves that keep the position's value (a win stays a win, a draw a draw)
    optimal: moves with the best score
    """

    positions: int
    value_preserving: float
    optimal: float


class Evaluation(NamedTuple):
    """A player's scores on a suite.

    sets: by the set's name, in the suite's order
    mean: over the sets, each counting the same
    """

    sets: dict[str, Score]
    mean: Score
    seconds: float


class _Line(BaseModel):
    """A line of a suite, before it is held against the variant."""

    model_config = ConfigDict(strict=True)

    set: str = UNNAMED_SET
    variant_digest: str | None = None
    moves: str | None = None
    scores: list[FiniteFloat | None] | None = None
    actions: list[int] | None = None
    values: dict[str, FiniteFloat] | None = None


def evaluate_player(
    player: Player,
    variant: Variant,
    suite: Sequence[SolvedPosition],
    *,
    progress: Callable[[int], None] | None = None,
) -> Evaluation:
    """Score a player's moves on solved positions.

    Args:
        player: asked for its moves in batches.
        variant: of the suite's positions.
        suite: solved positions, at least one.
        progress: called with the number of positions that were just done.

    Raises:
        AgentError: the player can't play this variant's board.
    """
    began = time.perf_counter()
    player.check_plays(variant)
    marks = []
    for first in range(0, len(suite), BATCH):
        batch = suite[first : first + BATCH]
        chosen = player.choose_many([solved.position for solved in batch])
        marks += [_mark(solved.scores, action) for solved, action in zip(batch, chosen, strict=True)]
        if progress:
            progress(len(batch))
    sets = _by_set(suite, marks)
    return Evaluation(sets, _mean(list(sets.values())), time.perf_counter() - began)


def _mark(scores: dict[int, float], action: int) -> tuple[bool, bool]:
    """Whether an action keeps the position's value, and whether none scores better."""
    best, score = max(scores.values()), scores[action]
    return bool(np.sign(score) == np.sign(best)), score == best


def _by_set(suite: Sequence[SolvedPosition], marks: Sequence[tuple[bool, bool]]) -> dict[str, Score]:
    sets: dict[str, list[tuple[bool, bool]]] = {}
    for solved, mark in zip(suite, marks, strict=True):
        sets.setdefault(solved.set, []).append(mark)
    return {name: Score(len(rows), *np.mean(rows, axis=0).tolist()) for name, rows in sets.items()}


def _mean(scores: Sequence[Score]) -> Score:
    positions, preserving, optimal = zip(*scores, strict=True)
    return Score(sum(positions), float(np.mean(preserving)), float(np.mean(optimal)))


def read_suite(path: Path, variant: Variant) -> list[SolvedPosition]:
    """The solved positions of a file.

    Raises:
        SuiteError: the file can't be read, or a line isn't a solved position of this variant; one line that
            names the file, the line's number, what was expected and what was given.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SuiteError(f"{path}: expected a suite of solved positions, got {error.strerror}") from None
    except UnicodeDecodeError:
        raise SuiteError(
            f"{path}: expected a suite of solved positions, got a file that isn't text"
        ) from None
    suite = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                suite.append(_solved_position(line, variant))
            except ValueError as error:
                raise SuiteError(f"{path}, line {number}: {error}") from None
    if not suite:
        raise SuiteError(f"{path}: expected at least one solved position, got none")
    return suite


def _solved_position(line: str, variant: Variant) -> SolvedPosition:
    """One line against the variant; raises `ValueError` with one line."""
    entry = _read_line(line)
    if entry.variant_digest not in (None, variant.digest):
        raise ValueError(
            f"expected a position of {variant.name} ({variant.digest}), got one of {entry.variant_digest}"
        )
    if entry.moves is not None and entry.scores is not None:
        position = _after(variant, _columns(variant, entry.moves))
        scores = _column_scores(position, entry.scores)
    elif entry.actions is not None and entry.values is not None:
        position = _after(variant, entry.actions)
        scores = {_action(position, key): value for key, value in entry.values.items()}
    else:
        given = ", ".join(sorted(entry.model_fields_set)) or "neither"
        raise ValueError(f"expected the keys moves and scores, or actions and values, got {given}")
    _check_complete(position, scores)
    return SolvedPosition(position, scores, entry.set)


def _read_line(line: str) -> _Line:
    try:
        return _Line.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        expected = first["msg"].replace("Input should be", "expected")
        given = str(first["input"])[:60]
        raise ValueError(f"{where or 'expected one JSON object'}: {expected}, got {given!r}") from None


def _columns(variant: Variant, digits: str) -> list[str]:
    """Columns 1, 2, ... as the letters that drop a stone there; raises `ValueError` with one line."""
    if variant.move.kind != "drop" or variant.move.gravity not in ("down", "up"):
        raise ValueError(
            f"expected actions and values ({variant.name} has no columns to drop into), got moves"
        )
    known = {str(column + 1): column_letter(column) for column in range(min(9, variant.board.columns))}
    if unknown := [digit for digit in digits if digit not in known]:
        raise ValueError(f"moves: expected columns from 1 to {len(known)}, got {unknown[0]!r}")
    return [known[digit] for digit in digits]


def _after(variant: Variant, moves: Sequence[int | str]) -> Position:
    """The position after own actions or texts; `MoveError` says which doesn't fit."""
    position = start(variant)
    for move in moves:
        position = position.play_text(move) if isinstance(move, str) else position.play(move)
    if position.is_over:
        raise ValueError("expected a position where a move is due, got one where the game is over")
    return position


def _column_scores(position: Position, scores: Sequence[float | None]) -> dict[int, float]:
    """Scores by column as scores by action."""
    columns = position.variant.board.columns
    if len(scores) != columns:
        raise ValueError(f"scores: expected {columns}, one for each column, got {len(scores)}")
    given = {column_letter(column): score for column, score in enumerate(scores) if score is not None}
    return {position.parse_action(letter): score for letter, score in given.items()}


def _action(position: Position, key: str) -> int:
    """An action from its number or its text."""
    return int(key) if key.isascii() and key.isdigit() else position.parse_action(key)


def _check_complete(position: Position, scores: dict[int, float]) -> None:
    """Exactly the legal actions have a score."""
    legal = set(position.legal_actions.tolist())
    if missing := sorted(legal - scores.keys()):
        raise ValueError(
            f"expected a score for each legal move, got none for {position.action_text(missing[0])}"
        )
    if illegal := sorted(scores.keys() - legal):
        raise ValueError(
            f"expected scores for legal moves only, got one for {position.action_text(illegal[0])}"
        )


def report(evaluation: Evaluation, player: Player, variant: Variant) -> dict[str, Any]:
    """An evaluation as JSON."""
    return {
        "agent": player.name,
        "variant": {"name": variant.name, "digest": variant.digest},
        "simulations": player.simulations,
        "sets": {name: score._asdict() for name, score in evaluation.sets.items()},
        "mean": evaluation.mean._asdict(),
        "seconds": round(evaluation.seconds, 3),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    packages = ("selfplay-agents", "numba", "numpy", "onnxruntime")
    return {"python": platform.python_version(), **{name: _version(name) for name in packages}}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"
