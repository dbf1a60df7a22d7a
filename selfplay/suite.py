"""Suites: positions whose truth is known.

A suite is a file of solved positions, one JSON object a line, in either of two forms:

    {"moves": "32164625", "scores": [-4, -3, 11, 4, 0, -2, -5]}       columns 1, 2, ... of a drop game
    {"actions": [38, 31], "values": {"d1": 0, "e1": -1}}              any variant; keys: a move or its number

`scores` and `values` hold what each legal move is worth to the player to move: more is better, above 0 wins,
below 0 loses; null marks a full column. A line may name its `set` and the `variant_digest` it belongs to.
`selfplay solve --sample` writes suites for any variant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from games import Position, SolveLimitError, SuiteError, Variant, start
from games.notation import column_letter
from games.solver import Solver

UNNAMED_SET = "all"

_VERBS = {1: "wins", 0: "draws", -1: "loses"}

_SPOT_CHECKS = 3
"""Late positions that are solved again where a suite doesn't say which variant it belongs to."""

_SPOT_NODES, _SPOT_MEMORY = 200_000, 64
"""Limits of the solver for a position that is looked into, nodes and MiB."""


class SolvedPosition(NamedTuple):
    """A position and what each of its legal actions is worth to the player to move.

    scores: own action -> score; the sign is the game's value, a higher score is better
    set: the part of the suite it belongs to
    line: of the suite's file, 1 the first
    names_variant: whether the line said which variant it belongs to
    """

    position: Position
    scores: dict[int, float]
    set: str
    line: int
    names_variant: bool

    @property
    def values(self) -> dict[int, int]:
        """Own action -> the game's value after it for the player to move: 1, 0 or -1."""
        return {action: sign_of(score) for action, score in self.scores.items()}


class _Line(BaseModel):
    """A line of a suite, before it is held against the variant."""

    model_config = ConfigDict(strict=True)

    set: str = UNNAMED_SET
    variant_digest: str | None = None
    moves: str | None = None
    scores: list[FiniteFloat | None] | None = None
    actions: list[int] | None = None
    values: dict[str, FiniteFloat] | None = None


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
                suite.append(_solved_position(line, number, variant))
            except ValueError as error:
                raise SuiteError(f"{path}, line {number}: {error}") from None
    if not suite:
        raise SuiteError(f"{path}: expected at least one solved position, got none")
    return suite


def _solved_position(line: str, number: int, variant: Variant) -> SolvedPosition:
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
        scores = _action_scores(position, entry.values)
    else:
        given = ", ".join(sorted(entry.model_fields_set)) or "neither"
        raise ValueError(f"expected the keys moves and scores, or actions and values, got {given}")
    _check_complete(position, scores)
    _check_results(position, scores)
    return SolvedPosition(position, scores, entry.set, number, entry.variant_digest is not None)


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


def _action_scores(position: Position, values: Mapping[str, float]) -> dict[int, float]:
    """Scores by an action's number or its text as scores by action."""
    scores: dict[int, float] = {}
    for key, value in values.items():
        action = int(key) if key.isascii() and key.isdigit() else position.parse_action(key)
        if action in scores:
            raise ValueError(f"values: expected each move once, got another one with {key!r}")
        scores[action] = value
    return scores


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


def _check_results(position: Position, scores: Mapping[int, float]) -> None:
    """A move that ends the game is worth its result: other rules than the suite's end other games."""
    for action, score in scores.items():
        after = position.play(action)
        result = after.returns[position.to_play]
        if after.is_over and result != sign_of(score):
            raise ValueError(
                f"expected that {position.action_text(action)} {_VERBS[result]} ({position.variant.name}), "
                f"got the score {score:g}, which {_VERBS[sign_of(score)]}"
            )


def spot_check(path: Path, suite: Sequence[SolvedPosition], variant: Variant) -> None:
    """Solve some of the late positions that don't name their variant: they might belong to another one.

    Raises:
        SuiteError: a value isn't that of this variant; one line that names the file and the line.
    """
    unnamed = sorted((solved for solved in suite if not solved.names_variant), key=_latest_first)
    if not unnamed:
        return
    late = unnamed[: (len(unnamed) + 1) // 2]
    solver = Solver(variant, memory=_SPOT_MEMORY)
    for solved in late[:: -(-len(late) // _SPOT_CHECKS)]:
        try:
            known = solver.action_values(solved.position, nodes=_SPOT_NODES)
        except SolveLimitError:
            continue
        for action, value in solved.values.items():
            if value != known[action]:
                text = solved.position.action_text(action)
                raise SuiteError(
                    f"{path}, line {solved.line}: expected that {text} {_VERBS[known[action]]} (solved as "
                    f"{variant.name}), got a score that says {_VERBS[value]}: another variant's suite?"
                )


def _latest_first(solved: SolvedPosition) -> int:
    return -solved.position.ply


def sign_of(score: float) -> int:
    """The game's value that a score stands for: 1, 0 or -1."""
    return int(np.sign(score))
