"""How good are an agent's moves in positions whose truth is known?

A suite is a file of solved positions, one JSON object a line, in either of two forms:

    {"moves": "32164625", "scores": [-4, -3, 11, 4, 0, -2, -5]}       columns 1, 2, ... of a drop game
    {"actions": [38, 31], "values": {"d1": 0, "e1": -1}}              any variant; keys: a move or its number

`scores` and `values` hold what each legal move is worth to the player to move: more is better, above 0 wins,
below 0 loses; null marks a full column. A line may name its `set` and the `variant_digest` it belongs to.
`selfplay solve --sample` writes suites for any variant.
"""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from games import Position, SolveLimitError, SuiteError, Variant, start
from games.notation import column_letter
from games.solver import Solver
from selfplay.player import Analysis, Player

BATCH = 256
"""Positions that a player is asked about at once."""

RESAMPLES = 1000
"""Of the positions, for a bootstrap interval."""

UNNAMED_SET = "all"
MEAN = "mean of sets"

VALUE_NAMES = {1: "won", 0: "drawn", -1: "lost"}
"""Positions by what they are worth to the player to move."""

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
        return {action: _sign(score) for action, score in self.scores.items()}


class Estimate(NamedTuple):
    """A mean over positions and its bootstrap interval of 95 %; NaN where no position counts."""

    mean: float
    low: float
    high: float


class Score(NamedTuple):
    """How a player does on some positions. Shares are from 0 to 1.

    positions: how many
    can_fail: in how many of them a mistake is possible: not every move keeps the value
    value_preserving: moves that keep the position's value (a win stays a win, a draw a draw)
    value_preserving_if_can_fail: the same over the positions in which a mistake is possible
    optimal: moves with the best score
    regret: mean of the best move's game value less the chosen one's, 0 to 2
    value_error: mean distance of what the player thinks of the position from its value, 0 to 2
    value_sign: positions with a winner in which the player thinks so, too
    """

    positions: int
    can_fail: int
    value_preserving: Estimate
    value_preserving_if_can_fail: Estimate
    optimal: Estimate
    regret: Estimate
    value_error: Estimate
    value_sign: Estimate

    def report(self) -> dict[str, Any]:
        """As JSON: means by name, the intervals beside them; None where no position counts."""
        estimates = {name: value for name, value in self._asdict().items() if isinstance(value, Estimate)}
        return {
            "positions": self.positions,
            "can_fail": self.can_fail,
            **{name: _number(estimate.mean) for name, estimate in estimates.items()},
            "intervals": {
                name: [_number(estimate.low), _number(estimate.high)] for name, estimate in estimates.items()
            },
        }


class Evaluation(NamedTuple):
    """A player's scores on a suite.

    sets: by the set's name, in the suite's order
    mean: over the sets, each counting the same
    by_value: by what the positions are worth, see `VALUE_NAMES`; those that occur, sets put together
    """

    sets: dict[str, Score]
    mean: Score
    by_value: dict[str, Score]
    seconds: float

    def report(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "sets": {name: score.report() for name, score in self.sets.items()},
            "mean": self.mean.report(),
            "by_value": {name: score.report() for name, score in self.by_value.items()},
            "seconds": round(self.seconds, 3),
        }


class _Line(BaseModel):
    """A line of a suite, before it is held against the variant."""

    model_config = ConfigDict(strict=True)

    set: str = UNNAMED_SET
    variant_digest: str | None = None
    moves: str | None = None
    scores: list[FiniteFloat | None] | None = None
    actions: list[int] | None = None
    values: dict[str, FiniteFloat] | None = None


# --- players ------------------------------------------------------------------------------------------------


def load_players(agent: str, simulations: Sequence[int] = (), *, seed: int = 0) -> list[Player]:
    """The same agent once for each number of simulations, without repetition; `AgentError` as `Player.load`.

    simulations: for .onnx agents; none given: 0, the policy alone, and the default
    """
    if simulations:
        return [Player.load(agent, simulations=number, seed=seed) for number in dict.fromkeys(simulations)]
    player = Player.load(agent, seed=seed)
    trained = player.variants is not None
    return [Player.load(agent, simulations=0, seed=seed), player] if trained else [player]


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
    marks: list[_Marks] = []
    for first in range(0, len(suite), BATCH):
        batch = suite[first : first + BATCH]
        analyses = player.analyse_many([solved.position for solved in batch])
        marks += [_mark(solved, analysis) for solved, analysis in zip(batch, analyses, strict=True)]
        if progress:
            progress(len(batch))
    sets = _grouped((solved.set for solved in suite), marks)
    worth = [VALUE_NAMES[max(solved.values.values())] for solved in suite]
    by_value = _grouped(worth, marks)
    return Evaluation(
        sets={name: _score([rows]) for name, rows in sets.items()},
        mean=_score(list(sets.values())),
        by_value={name: _score([by_value[name]]) for name in VALUE_NAMES.values() if name in by_value},
        seconds=time.perf_counter() - began,
    )


class _Marks(NamedTuple):
    """What one move and one opinion are worth; means of these are what `Score` is computed from."""

    preserving: float
    optimal: float
    regret: float
    value_error: float
    can_fail: float
    preserving_and_can_fail: float
    decided: float
    decided_and_right_sign: float


def _mark(solved: SolvedPosition, analysis: Analysis) -> _Marks:
    values, action = solved.values, analysis.action
    best = max(values.values())
    preserving, can_fail = values[action] == best, min(values.values()) < best
    return _Marks(
        preserving=preserving,
        optimal=solved.scores[action] == max(solved.scores.values()),
        regret=best - values[action],
        value_error=abs(analysis.value_to_play - best),
        can_fail=can_fail,
        preserving_and_can_fail=preserving and can_fail,
        decided=best != 0,
        decided_and_right_sign=best != 0 and _sign(analysis.value_to_play) == best,
    )


def _grouped(names: Iterable[str], marks: Sequence[_Marks]) -> dict[str, NDArray[np.float64]]:
    """float64 `[N, marks]` by name, in the order in which the names come up."""
    groups: dict[str, list[_Marks]] = {}
    for name, mark in zip(names, marks, strict=True):
        groups.setdefault(name, []).append(mark)
    return {name: np.array(rows, np.float64) for name, rows in groups.items()}


def _score(groups: Sequence[NDArray[np.float64]]) -> Score:
    """The score over groups of marks `[N, marks]`, each group counting the same, with bootstrap intervals.

    Positions are drawn anew within their groups (percentile bootstrap: Efron 1979), always the same draws.
    """
    random = np.random.default_rng(0)
    means = _mean_of_known(np.array([_measures(rows.mean(axis=0)) for rows in groups]))
    resampled = _mean_of_known(np.array([_measures(_redrawn(rows, random)) for rows in groups]))
    return Score(
        sum(len(rows) for rows in groups),
        round(sum(rows[:, _Marks._fields.index("can_fail")].sum() for rows in groups)),
        *(_estimate(mean, column) for mean, column in zip(means, resampled.T, strict=True)),
    )


def _redrawn(rows: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """float64 `[RESAMPLES, marks]`: means over as many rows, drawn with replacement."""
    n = len(rows)
    weights = np.full(n, 1 / n)
    return np.array([random.multinomial(n, weights) @ rows / n for _ in range(RESAMPLES)])


def _measures(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64 `[..., 6]`: `Score`'s estimates, in its order, from the means of the marks `[..., marks]`."""
    mean = _Marks(*np.moveaxis(means, -1, 0))
    with np.errstate(invalid="ignore"):
        return np.stack(
            [
                mean.preserving,
                np.divide(mean.preserving_and_can_fail, mean.can_fail),
                mean.optimal,
                mean.regret,
                mean.value_error,
                np.divide(mean.decided_and_right_sign, mean.decided),
            ],
            axis=-1,
        )


def _mean_of_known(measured: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the first axis without NaN; NaN where nothing else is."""
    known = np.isfinite(measured)
    count = known.sum(axis=0)
    total = np.where(known, measured, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _estimate(mean: float, resampled: NDArray[np.float64]) -> Estimate:
    known = resampled[np.isfinite(resampled)]
    if not len(known):
        return Estimate(math.nan, math.nan, math.nan)
    low, high = np.quantile(known, (0.025, 0.975)).tolist()
    return Estimate(float(mean), low, high)


# --- suites -------------------------------------------------------------------------------------------------


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
        if after.is_over and result != _sign(score):
            raise ValueError(
                f"expected that {position.action_text(action)} {_VERBS[result]} ({position.variant.name}), "
                f"got the score {score:g}, which {_VERBS[_sign(score)]}"
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


def report(evaluations: Sequence[tuple[Player, Evaluation]], variant: Variant) -> dict[str, Any]:
    """Evaluations of one agent as JSON, by the number of simulations."""
    return {
        "agent": evaluations[0][0].name,
        "variant": {"name": variant.name, "digest": variant.digest},
        "simulations": {str(player.simulations): evaluation.report() for player, evaluation in evaluations},
        "versions": versions(),
    }


def table(evaluation: Evaluation) -> Iterable[str]:
    """An evaluation as lines for a person, the first one the heading; brackets hold 95 % intervals."""
    rows = {**evaluation.sets, MEAN: evaluation.mean, **evaluation.by_value}
    width = max(len(name) for name in rows)
    yield f"{'set':<{width}}  {'  '.join(_COLUMNS)}"
    for name, score in rows.items():
        cells = (
            str(score.positions),
            _percent(score.value_preserving),
            f"[{100 * score.value_preserving.low:.1f}, {100 * score.value_preserving.high:.1f}]",
            str(score.can_fail),
            _percent(score.value_preserving_if_can_fail),
            f"{score.regret.mean:.3f}",
            f"[{score.regret.low:.3f}, {score.regret.high:.3f}]",
            _percent(score.optimal),
            f"{score.value_error.mean:.3f}",
            _percent(score.value_sign),
        )
        aligned = (f"{cell:>{len(column)}}" for cell, column in zip(cells, _COLUMNS, strict=True))
        yield f"{name:<{width}}  {'  '.join(aligned)}"


_COLUMNS = (
    "positions",
    "keeps the value",
    "          95 %",
    "can fail",
    "keeps it then",
    "regret",
    "          95 %",
    "best score",
    "value error",
    "right winner",
)


def _percent(estimate: Estimate) -> str:
    return "-" if math.isnan(estimate.mean) else f"{estimate.mean:.1%}"


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _sign(score: float) -> int:
    return int(np.sign(score))


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    packages = ("selfplay-agents", "numba", "numpy", "onnxruntime")
    return {"python": platform.python_version(), **{name: _version(name) for name in packages}}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"
