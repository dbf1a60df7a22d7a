"""Tournaments: everyone plays everyone from the same openings, and is rated by all results together."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from games import Variant, start
from selfplay.match import Contestant, Game, MatchResult, play_match
from selfplay.openings import Openings
from selfplay.ratings import Pairing, Ratings, pair_results, rate
from selfplay.sprt import Sprt, Verdict, elo_of_points
from selfplay.versions import versions

SPRT_ROUND = 16
"""Openings between two looks at a sequential test."""


class Encounter(NamedTuple):
    """A pairing that was played; `first` and `second` are indices of players."""

    first: int
    second: int
    result: MatchResult
    seconds: float


class Tournament(NamedTuple):
    """What `play_tournament` found; ratings come in the players' order."""

    variant: Variant
    players: tuple[str, ...]
    openings: Openings
    encounters: tuple[Encounter, ...]
    ratings: Ratings


class Duel(NamedTuple):
    """What `play_duel` found; verdict: None if the openings ran out before the test decided."""

    encounter: Encounter
    test: Sprt
    log_likelihood_ratio: float
    verdict: Verdict | None


class Watcher(NamedTuple):
    """Who is told how a tournament goes on.

    moves: called often, with the pairing's number and the share of it that is played
    ended: called after each pairing
    """

    moves: Callable[[int, float], None] = lambda _number, _share: None
    ended: Callable[[Encounter], None] = lambda _encounter: None


_NOBODY = Watcher()


def play_tournament(
    variant: Variant,
    players: Sequence[Contestant],
    openings: Openings,
    *,
    anchor: int | None = None,
    seed: int = 0,
    watcher: Watcher = _NOBODY,
) -> Tournament:
    """Play every pairing, each opening with both colours, and rate the players.

    Args:
        variant: of the openings.
        players: at least two.
        openings: see `selfplay.openings.draw_openings`.
        anchor: the player whose rating is zero; by default the mean is.
        seed: of the ratings' bootstrap.
        watcher: is told how it goes on.
    """
    encounters = []
    for number, (i, j) in enumerate(combinations(range(len(players)), 2)):
        began = time.perf_counter()
        result = play_match(
            players[i],
            players[j],
            openings.positions,
            progress=lambda share, number=number: watcher.moves(number, share),  # type: ignore[misc]
        )
        encounters.append(Encounter(i, j, result, time.perf_counter() - began))
        watcher.ended(encounters[-1])
    pairings = [
        Pairing(e.first, e.second, pair_results([g.result for g in e.result.games])) for e in encounters
    ]
    ratings = rate(len(players), pairings, anchor=anchor, seed=seed)
    return Tournament(variant, unique_names(players), openings, tuple(encounters), ratings)


def play_duel(
    first: Contestant,
    second: Contestant,
    openings: Openings,
    test: Sprt,
    *,
    watcher: Watcher = _NOBODY,
) -> Duel:
    """Is the first player stronger than the second? Play until the test knows, or the openings run out."""
    began = time.perf_counter()
    games: list[Game] = []
    verdict: Verdict | None = None
    total = len(openings.positions)
    for start_at in range(0, total, SPRT_ROUND):
        block = openings.positions[start_at : start_at + SPRT_ROUND]
        played = play_match(first, second, block)
        games += [game._replace(opening=start_at + game.opening) for game in played.games]
        verdict = test.verdict(MatchResult(tuple(games)).pair_points)
        watcher.moves(0, min(1.0, (start_at + SPRT_ROUND) / total))
        if verdict is not None:
            break
    result = MatchResult(tuple(games))
    encounter = Encounter(0, 1, result, time.perf_counter() - began)
    return Duel(encounter, test, test.log_likelihood_ratio(result.pair_points), verdict)


def unique_names(players: Sequence[Contestant]) -> tuple[str, ...]:
    """The players' names, numbered where two have the same."""
    names = [player.name for player in players]
    return tuple(
        name if names.count(name) == 1 else f"{name} #{names[: i + 1].count(name)}"
        for i, name in enumerate(names)
    )


# --- what a person reads ------------------------------------------------------------------------------------


def encounter_line(encounter: Encounter, players: Sequence[str]) -> str:
    """A pairing's result."""
    result = encounter.result
    spent = f"{encounter.seconds:.0f} s, {result.plies / max(encounter.seconds, 1e-9):.0f} moves/s"
    score = f"{result.wins} won, {result.draws} drawn, {result.losses} lost"
    line = f"{players[encounter.first]} – {players[encounter.second]}: {score} = {points_text(result)}"
    return f"{line}; {result.distinct} distinct games; {spent}"


def points_text(result: MatchResult) -> str:
    """The first player's share of the points with its 95 % interval."""
    low, high = result.interval
    return f"{result.points:.1%} ({100 * low:.0f} to {100 * high:.0f} %)"


def forfeit_lines(encounter: Encounter, players: Sequence[str]) -> Iterator[str]:
    """Why games were given up, and by whom."""
    ends = (encounter.first, encounter.second)
    for player, reasons in zip(ends, encounter.result.forfeits, strict=True):
        for reason, times in reasons.most_common():
            yield f"  {players[player]} forfeited {times} game{'s' * (times != 1)}: {reason}"


def rating_table(tournament: Tournament) -> Iterator[str]:
    """Players by rating; how likely each is stronger than the next one."""
    ratings, points = tournament.ratings, _points(tournament)
    order = np.argsort(-ratings.ratings, kind="stable").tolist()
    width = max(len("player"), *(len(name) for name in tournament.players))
    yield f"{'player':<{width}}  rating   95 % interval    points  games  stronger than the next"
    for place, i in enumerate(order):
        rating, interval = f"{ratings.ratings[i]:+6.0f}", f"{ratings.low[i]:+6.0f} to {ratings.high[i]:+6.0f}"
        share, games = points[i]
        line = f"{tournament.players[i]:<{width}}  {rating}  {interval}  {share:6.1%}  {games:5d}"
        more = f"  {ratings.superiority[i, order[place + 1]]:.1%}" if place + 1 < len(order) else ""
        yield line + more


def duel_lines(duel: Duel, players: Sequence[str]) -> Iterator[str]:
    """What the test says."""
    result, test = duel.encounter.result, duel.test
    answers = {
        "stronger": f"{players[0]} is stronger than {players[1]}",
        "not stronger": f"{players[0]} isn't stronger than {players[1]} by {test.elo1:g} Elo points",
        None: f"undecided after {len(result.games)} games",
    }
    yield f"{answers[duel.verdict]} (log-likelihood ratio {duel.log_likelihood_ratio:+.2f},"
    yield f" {test.elo0:g} against {test.elo1:g} Elo points, errors {test.alpha:g} and {test.beta:g})."
    elo = elo_of_points(result.points)
    yield f"Measured difference: {elo:+.0f} Elo points (a test that stops early makes it look larger)."


# --- JSON ---------------------------------------------------------------------------------------------------


def tournament_report(tournament: Tournament, **facts: Any) -> dict[str, Any]:
    """A tournament as JSON; `facts` are added."""
    ratings, points = tournament.ratings, _points(tournament)
    rows = [
        {
            "player": name,
            "rating": round(float(ratings.ratings[i]), 1),
            "low": round(float(ratings.low[i]), 1),
            "high": round(float(ratings.high[i]), 1),
            "points": round(points[i][0], 4),
            "games": points[i][1],
        }
        for i, name in enumerate(tournament.players)
    ]
    return {
        "variant": {"name": tournament.variant.name, "digest": tournament.variant.digest},
        "players": list(tournament.players),
        "openings": openings_report(tournament.openings),
        "ratings": rows,
        "superiority": np.round(ratings.superiority, 4).tolist(),
        "draw_share": round(ratings.draw_share, 4),
        "pairings": [encounter_report(e, tournament.players) for e in tournament.encounters],
        **facts,
        "versions": versions(),
    }


def duel_report(
    duel: Duel, variant: Variant, openings: Openings, players: Sequence[str], **facts: Any
) -> dict[str, Any]:
    """A duel as JSON; `facts` are added."""
    return {
        "variant": {"name": variant.name, "digest": variant.digest},
        "players": list(players),
        "openings": openings_report(openings),
        "sprt": duel.test._asdict()
        | {"log_likelihood_ratio": round(duel.log_likelihood_ratio, 4), "verdict": duel.verdict},
        "pairings": [encounter_report(duel.encounter, players)],
        **facts,
        "versions": versions(),
    }


def openings_report(openings: Openings) -> dict[str, Any]:
    """Openings as JSON."""
    return {
        "number": len(openings.positions),
        "distinct": openings.distinct,
        "plies": openings.plies,
        "bias": round(openings.bias, 4),
    }


def encounter_report(encounter: Encounter, players: Sequence[str]) -> dict[str, Any]:
    """A pairing as JSON."""
    result, interval = encounter.result, encounter.result.interval
    ends = (encounter.first, encounter.second)
    return {
        "first": players[encounter.first],
        "second": players[encounter.second],
        "games": len(result.games),
        "distinct_games": result.distinct,
        "wins": result.wins,
        "draws": result.draws,
        "losses": result.losses,
        "points": round(result.points, 4),
        "points_interval": [round(bound, 4) for bound in interval],
        "forfeits": {
            players[i]: dict(reasons) for i, reasons in zip(ends, result.forfeits, strict=True) if reasons
        },
        "moves": result.plies,
        "seconds": round(encounter.seconds, 2),
    }


def game_records(encounters: Sequence[Encounter], players: Sequence[str]) -> Iterator[str]:
    """Every game as a line of JSON: who played which seat, the moves as text, and how it ended."""
    for encounter in encounters:
        ends = (players[encounter.first], players[encounter.second])
        for game in encounter.result.games:
            first = start(game.position.variant)
            yield json.dumps(
                {
                    "variant": game.position.variant.name,
                    "seats": ends if game.seat == 0 else ends[::-1],
                    "opening": game.opening,
                    "opening_plies": game.opening_plies,
                    "moves": " ".join(first.action_text(action) for action in game.position.actions),
                    "winner": None if game.result == 0 else ends[game.result < 0],
                    "forfeit": game.forfeit or None,
                }
            )


def _points(tournament: Tournament) -> list[tuple[float, int]]:
    """Each player's share of the points, and its games."""
    won, games = np.zeros(len(tournament.players)), np.zeros(len(tournament.players), np.int64)
    for encounter in tournament.encounters:
        played = len(encounter.result.games)
        games[[encounter.first, encounter.second]] += played
        won[encounter.first] += encounter.result.points * played
        won[encounter.second] += (1.0 - encounter.result.points) * played
    return list(zip((won / games).tolist(), games.tolist(), strict=True))
