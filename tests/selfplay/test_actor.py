"""Self-play against slower drivers: `Position` replays every game, `mcts.search` repeats every search."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

import games
from games import Position, Variant
from games.compiler import compile_rules
from mcts.cache_kernels import position_key
from mcts.search import search
from selfplay.actor import Actor, Episode
from selfplay.kernels import EVALUATIONS, FULL_SEARCHES, MOVES, SIMULATIONS
from tests.selfplay.hashed import (
    MIXED,
    SWAP,
    TWO_STONES,
    games_by_row,
    hashed_evaluator,
    played_episodes,
    policy_value_to_play,
    quiet_search,
    replayed,
    same_episode,
    small_config,
)

pytestmark = pytest.mark.kernels

SMALL = (games.load("tictactoe"), games.load("connect3-4x4"), SWAP, TWO_STONES)


@pytest.fixture(scope="module")
def mixed() -> list[Episode]:
    """Games of eight variants in one actor, every kind of ply: random, forced, short and full."""
    config = small_config(opening_share=0.5, opening_plies=4, sampled_plies=3)
    actor = Actor(MIXED, config, games=32, seed=1)
    actor.search_little_from(np.full(len(MIXED), 7, np.int32))
    episodes = played_episodes(actor, advances=900)
    assert {episode.variant for episode in episodes} == set(range(len(MIXED)))
    return episodes


def openings(episodes: Sequence[Episode]) -> list[int]:
    """How many plies at the start of each game weren't searched; all searches must be full, none forced."""
    return [int(np.argmax(episode.recorded)) for episode in episodes]


# --- what an episode says -----------------------------------------------------------------------------------


def test_every_game_is_legal_and_ends_as_the_rules_say(mixed: list[Episode]) -> None:
    for episode in mixed:
        positions = replayed(MIXED[episode.variant], episode)
        assert [position.is_over for position in positions] == [False] * len(episode.actions) + [True]
        assert episode.result == positions[-1].returns[0]
        assert episode.seat.tolist() == [position.to_play for position in positions[:-1]]


def test_mixed_games_swap_pass_and_place_two_stones(mixed: list[Episode]) -> None:
    """Else the replay above would prove less than it seems to."""
    swaps = [e for e in mixed if e.variant == MIXED.index(SWAP) and SWAP.n_actions - 1 in e.actions]
    passes = [e for e in mixed if MIXED[e.variant].name == "othello-6x6" and 36 in e.actions]
    twice = [e for e in mixed if e.variant == MIXED.index(TWO_STONES) and (np.diff(e.seat) == 0).any()]
    assert swaps
    assert passes
    assert twice
    assert {episode.result for episode in mixed} == {-1, 0, 1}


def test_policies_sum_to_one_over_legal_actions(mixed: list[Episode]) -> None:
    for episode in mixed:
        positions = replayed(MIXED[episode.variant], episode)
        assert episode.policy.shape == (len(episode.actions), MIXED[episode.variant].n_actions)
        for ply in range(len(episode.actions)):
            policy = episode.policy[ply].astype(np.float64)
            if not episode.recorded[ply]:
                assert (policy == 0).all()
                continue
            assert policy.sum() == pytest.approx(1, abs=2e-3)  # float16
            assert (policy >= 0).all()
            assert (policy[~positions[ply].legal_mask] == 0).all()


def test_only_openings_and_forced_moves_are_left_out() -> None:
    config = small_config(opening_share=0.7, opening_plies=3)
    for episode in played_episodes(Actor(SMALL, config, games=16, seed=2), advances=300):
        choices = [len(p.legal_actions) for p in replayed(SMALL[episode.variant], episode)[:-1]]
        opening = int(np.argmax(episode.recorded)) if episode.recorded.any() else len(choices)
        assert opening <= 3
        assert (episode.value[:opening] == 0).all()
        expected = [n > 1 for n in choices[opening:]]
        assert episode.recorded[opening:].tolist() == expected


# --- the search in self-play is `mcts.search` ---------------------------------------------------------------


@pytest.mark.parametrize("rollouts", [0, 3])
@pytest.mark.parametrize("variant", MIXED, ids=lambda v: v.name)
def test_policies_and_values_are_those_of_the_search(variant: Variant, rollouts: int) -> None:
    """The actor's canvas is larger than the search's, its batch mixes variants; neither may matter."""
    config = small_config(opening_share=0.0, gumbel_scale=0.0, rollouts=rollouts)
    actor = Actor([games.load("gomoku-9x9"), variant], config, games=6, seed=3)
    episodes = [e for e in played_episodes(actor, advances=600) if e.variant == 1][:3]
    assert episodes
    for episode in episodes:
        positions = replayed(variant, episode)[:-1]
        recorded = np.flatnonzero(episode.recorded)
        result = search([positions[p] for p in recorded], hashed_evaluator, quiet_search(12, rollouts))
        np.testing.assert_array_equal(episode.policy[recorded], result.policy.astype(np.float16))
        np.testing.assert_allclose(episode.value[recorded], policy_value_to_play(result), atol=1e-6)
        searched = np.abs(result.value_to_play) < 1  # a proven root goes without the network's opinion
        np.testing.assert_array_equal(episode.actions[recorded][searched], result.action[searched])


@pytest.mark.parametrize("name", ["tictactoe", "connect4"])
def test_surprise_is_the_divergence_of_policy_and_network(name: str) -> None:
    """Written down plainly; nothing surprises where the network wasn't asked."""
    rules, mixed = games.load(name), []
    actor = Actor([rules], small_config(opening_share=0.5), games=6, seed=5)
    for episode in played_episodes(actor, advances=300)[:8]:
        positions = replayed(rules, episode)[:-1]
        for ply in np.flatnonzero(episode.recorded):
            wins = any(positions[ply].play(a).is_over for a in positions[ply].legal_actions)
            if wins:
                continue
            seen = positions[ply].observation()
            logits = hashed_evaluator(seen)[0][0].astype(np.float64)
            chances = np.where(seen.legal[0], np.exp(logits), 0)
            chances = np.maximum(chances / chances.sum(), 1e-4)
            policy = episode.policy[ply].astype(np.float64)
            expected = sum(p * np.log(p / q) for p, q in zip(policy, chances, strict=True) if p > 0)
            assert episode.surprise[ply] == pytest.approx(expected, abs=5e-3)
            mixed.append(expected)
        assert not episode.surprise[~episode.recorded].any()
    assert len(mixed) > 30
    assert max(mixed) > 0.5


def test_short_searches_choose_what_a_search_with_their_budget_does() -> None:
    config = small_config(opening_share=0.0, gumbel_scale=0.0)
    actor = Actor([TWO_STONES], config, games=4, seed=4)
    actor.search_little_from(np.zeros(1, np.int32))
    rows = games_by_row(actor, advances=250)
    assert all(len(row) > 1 for row in rows)
    for episode in (episode for row in rows for episode in row[1:]):  # the first search had begun already
        positions = replayed(TWO_STONES, episode)[:-1]
        result = search(positions, hashed_evaluator, quiet_search(4))
        free = [i for i, p in enumerate(positions) if len(p.legal_actions) > 1]
        np.testing.assert_allclose(episode.value[free], policy_value_to_play(result)[free], atol=1e-6)
        assert not episode.recorded.any()


def test_a_proven_position_is_played_to_its_value() -> None:
    """Where a move wins at once it is played, and the policy holds nothing but winning moves."""
    config = small_config(opening_share=1.0, opening_plies=5)
    wins = 0
    for episode in played_episodes(Actor(SMALL, config, games=16, seed=5), advances=200):
        positions = replayed(SMALL[episode.variant], episode)
        for ply in np.flatnonzero(episode.recorded):
            here = positions[ply]
            winning = [a for a in here.legal_actions if here.play(a).returns[here.to_play] == 1]
            if winning:
                wins += 1
                assert episode.value[ply] == 1
                assert int(episode.actions[ply]) in winning
                assert np.flatnonzero(episode.policy[ply]).tolist() == winning
    assert wins > 20


# --- the evaluation cache -----------------------------------------------------------------------------------


def test_the_cache_saves_evaluations_and_changes_nothing() -> None:
    config = small_config(simulations=8, opening_share=0.3, sampled_plies=2)
    plain = Actor(SMALL, config, games=8, seed=6)
    cached = Actor(SMALL, config.model_copy(update={"cache_megabytes": 4}), games=8, seed=6)
    without, with_cache = games_by_row(plain, advances=400), games_by_row(cached, advances=400)
    assert cached.cache.hits[0] > cached.counts[EVALUATIONS] / 2
    for row, more in zip(without, with_cache, strict=True):
        assert 0 < len(row) < len(more)
        assert all(map(same_episode, row, more))


def test_a_tiny_cache_that_overwrites_itself_changes_nothing_either() -> None:
    config = small_config()
    plain, cached = Actor(SMALL, config, games=8, seed=7), Actor(SMALL, config, games=8, seed=7)
    cached.cache = cached.cache._replace(
        keys=np.zeros(16, np.uint64),
        logits=np.zeros((16, 22), np.float32),
        values=np.zeros(16, np.float32),
    )
    assert cached.observe().legal.shape[1] == 22
    without, with_cache = games_by_row(plain, advances=200), games_by_row(cached, advances=200)
    assert cached.cache.hits[0] > 0
    for row, more in zip(without, with_cache, strict=True):
        assert all(map(same_episode, row, more))


def test_equal_positions_are_evaluated_once() -> None:
    """All games begin alike; whoever waits for the same position has the same row, and no row comes twice."""
    config = small_config(opening_share=0.0)
    actor = Actor([games.load("tictactoe")], config, games=16, seed=12)
    assert len(actor.observe().legal) == 1
    asked = 0
    for _ in range(200):
        seen = actor.observe()
        boards = {row.tobytes() + rules.tobytes() for row, rules in zip(seen.planes, seen.rules, strict=True)}
        assert len(boards) == len(seen.legal) <= 16
        asked += len(seen.legal)
        actor.advance(*hashed_evaluator(seen))
        actor.collect()
    assert actor.counts[EVALUATIONS] == asked
    assert 200 < asked < 0.9 * 16 * 200


def test_planes_as_bytes_are_the_same_planes() -> None:
    plain, packed = (Actor(MIXED, small_config(), games=12, seed=13, packed=p) for p in (False, True))
    for _ in range(60):
        one, other = plain.observe(), packed.observe()
        assert (one.planes.dtype, other.planes.dtype) == (np.float32, np.uint8)
        for part, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(part, same)
        for actor in (plain, packed):
            actor.advance(*hashed_evaluator(one))
            actor.collect()


def test_forgetting_makes_the_network_evaluate_again() -> None:
    """After `forget_evaluations` no answer of the old weights comes back."""
    actor = Actor([games.load("tictactoe")], small_config(cache_megabytes=1), games=8, seed=8)
    games_by_row(actor, advances=50)
    hits = int(actor.cache.hits[0])
    assert hits > 0
    before = {key for key in actor.cache.keys.tolist() if key}
    actor.forget_evaluations()
    actor.advance(*hashed_evaluator(actor.observe()))
    assert before
    assert 0 < np.count_nonzero(actor.cache.keys) <= 8


def random_positions(variant: Variant, *, playouts: int, seed: int) -> list[Position]:
    rng = np.random.default_rng(seed)
    positions = []
    for _ in range(playouts):
        position = games.start(variant)
        while not position.is_over:
            positions.append(position)
            position = position.play(rng.choice(position.legal_actions))
    return positions


def keys_of(positions: Sequence[Position]) -> list[int]:
    rules = compile_rules([positions[0].variant])
    return [int(position_key(rules, position.state, 0)) for position in positions]


def test_keys_tell_apart_what_the_network_tells_apart() -> None:
    """In 8 variants: positions have equal keys exactly where they have equal observations, but for passes."""
    for variant in MIXED:
        positions = random_positions(variant, playouts=40, seed=9)
        seen: dict[int, bytes] = {}
        for position, key in zip(positions, keys_of(positions), strict=True):
            planes, legal, rules = position.observation()
            observation = planes.tobytes() + legal.tobytes() + rules.tobytes()
            assert seen.setdefault(key, observation) == observation
        assert len(seen) > 50
        assert 0 not in seen
        if variant.turn.passing != "stuck":
            assert len(set(seen.values())) == len(seen)


def test_transpositions_share_a_key() -> None:
    start = games.start(games.load("tictactoe"))
    one, other = start, start
    for text in ("a1", "b2", "c3"):
        one = one.play_text(text)
    for text in ("c3", "b2", "a1"):
        other = other.play_text(text)
    assert one != other  # the last stone differs, which the network doesn't see
    assert len(set(keys_of([one, other]))) == 1


def test_the_same_board_of_another_variant_has_another_key() -> None:
    rules = compile_rules([games.load("tictactoe"), games.load("tictactoe-misere")])
    state = games.stack([games.start(games.load("tictactoe"))] * 2)[1]
    state.info[:, games.kernels.VARIANT] = 0, 1
    assert position_key(rules, state, 0) != position_key(rules, state, 1)


# --- seeds, rows, resuming ----------------------------------------------------------------------------------


def test_equal_seeds_give_equal_games_and_others_dont() -> None:
    config = small_config(opening_share=0.5)
    one, again, other = (
        played_episodes(Actor(SMALL, config, games=6, seed=s), advances=200) for s in (1, 1, 2)
    )
    assert len(one) == len(again)
    assert all(map(same_episode, one, again))
    assert not all(map(same_episode, one, other))


def test_a_game_doesnt_depend_on_its_neighbours() -> None:
    """Game i of 8 is game i of 3: rows share nothing but the compiled rules."""
    config = small_config(opening_share=0.5)
    many = games_by_row(Actor(SMALL, config, games=8, seed=10), advances=200)
    few = games_by_row(Actor(SMALL, config, games=3, seed=10), advances=200)
    for row, alike in zip(few, many[:3], strict=True):
        assert len(row) == len(alike) > 0
        assert all(map(same_episode, row, alike))


def test_rows_have_streams_of_their_own() -> None:
    rows = games_by_row(Actor(SMALL, small_config(), games=8, seed=11), advances=250)
    firsts = {(row[0].variant, *row[0].actions.tolist()) for row in rows}
    assert len(firsts) == 8


def test_a_restored_actor_goes_on_where_the_saved_one_was() -> None:
    config = small_config(opening_share=0.5, cache_megabytes=1)
    actor, fresh = Actor(SMALL, config, games=6, seed=12), Actor(SMALL, config, games=6, seed=99)
    played_episodes(actor, advances=77)
    played_episodes(fresh, advances=5)
    saved = {name: array.copy() for name, array in actor.state().items()}
    actor.forget_evaluations()
    on = games_by_row(actor, advances=200)
    fresh.restore(saved)
    resumed = games_by_row(fresh, advances=200)
    assert [len(row) for row in on] == [len(row) for row in resumed]
    assert sum(len(row) for row in on) > 6
    for row, alike in zip(on, resumed, strict=True):
        assert all(map(same_episode, row, alike))
    assert actor.counts.tolist() == fresh.counts.tolist()


# --- budgets and openings -----------------------------------------------------------------------------------


def test_searches_spend_their_budgets() -> None:
    """Where nothing can be proven yet, every full search spends 12 simulations, every short one 4."""
    actor = Actor([games.load("gomoku-9x9")], small_config(opening_share=0.0), games=16, seed=14)
    actor.search_little_from(np.full(1, 2, np.int32))
    rows = 0
    for _ in range(60):
        seen = actor.observe()
        rows += len(seen.legal)
        actor.advance(*hashed_evaluator(seen))
    moves, full = int(actor.counts[MOVES]), int(actor.counts[FULL_SEARCHES])
    assert 0 < full < moves
    assert actor.counts[SIMULATIONS] == 12 * full + 4 * (moves - full)
    assert actor.counts[EVALUATIONS] == rows


def test_random_openings_come_as_often_and_as_long_as_asked() -> None:
    """connect4 can't end within 6 plies; lengths are uniform from 1 to 6.

    Chi-square with 5 degrees of freedom, p = 0.001: 20.5.
    """
    config = small_config(simulations=2, opening_share=0.4, opening_plies=6)
    episodes = played_episodes(Actor([games.load("connect4")], config, games=64, seed=15), advances=1800)
    lengths = openings(episodes)
    n = len(lengths)
    assert n > 1500
    share = np.mean([length > 0 for length in lengths])
    assert abs(share - 0.4) < 4 * math.sqrt(0.4 * 0.6 / n)
    counts = np.bincount(lengths, minlength=7)[1:]
    assert len(counts) == 6
    assert ((counts - counts.mean()) ** 2 / counts.mean()).sum() < 20.5


def test_random_moves_of_openings_are_uniform() -> None:
    """The first random stone falls into each of 7 columns alike (chi-square, 6 degrees, p = 0.001: 22.5)."""
    config = small_config(simulations=1, opening_share=1.0, opening_plies=1)
    episodes = played_episodes(Actor([games.load("connect4")], config, games=64, seed=16), advances=900)
    counts = np.bincount([episode.actions[0] % 7 for episode in episodes], minlength=7)
    assert counts.sum() > 1000
    assert ((counts - counts.mean()) ** 2 / counts.mean()).sum() < 22.5


def test_an_opening_that_ends_the_game_is_thrown_away() -> None:
    """With up to 9 random plies most tic-tac-toe openings would reach an end; none is in the records."""
    config = small_config(opening_share=1.0, opening_plies=9)
    episodes = played_episodes(Actor([games.load("tictactoe")], config, games=32, seed=17), advances=200)
    assert len(episodes) > 100
    assert sum(episode.recorded[0] for episode in episodes) > 10  # thrown away, so from the start
    assert all(len(episode.actions) <= 9 for episode in episodes)
    for episode in episodes:
        replayed(games.load("tictactoe"), episode)


def test_sampled_plies_follow_the_policy() -> None:
    """Over many games the first action comes as often as its policy says; later ones are the search's own."""
    config = small_config(opening_share=0.0, gumbel_scale=0.0, sampled_plies=1)
    episodes = played_episodes(Actor([games.load("tictactoe")], config, games=64, seed=18), advances=500)
    first = np.bincount([episode.actions[0] for episode in episodes], minlength=11)
    policy = episodes[0].policy[0].astype(np.float64)
    likely = policy > 0.02
    assert likely.sum() >= 2
    n = len(episodes)
    assert n > 400
    deviations = (first - n * policy) / np.sqrt(n * policy * (1 - policy) + 1e-9)
    assert np.abs(deviations[likely]).max() < 4


def test_variants_come_equally_often() -> None:
    actor = Actor(SMALL, small_config(simulations=1, opening_share=0.0), games=64, seed=19)
    rows = games_by_row(actor, advances=600)
    begun = np.bincount([episode.variant for row in rows for episode in row[:5]], minlength=4)
    n = begun.sum()
    assert (
        min(len(row) for row in rows) >= 5
    )  # the first five of each row, so that short games don't count more
    assert np.abs(begun - n / 4).max() < 4 * math.sqrt(n * 3 / 16)


# --- nothing is lost ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cache_megabytes", [0, 2])
def test_every_move_is_in_a_collected_game_or_in_flight(cache_megabytes: int) -> None:
    config = small_config(opening_share=0.0, cache_megabytes=cache_megabytes)
    actor = Actor(SMALL, config, games=12, seed=20)
    collected = full = 0
    for _ in range(500):
        actor.advance(*hashed_evaluator(actor.observe()))
        for episode in actor.collect():
            collected += len(episode.actions)
            full += int(episode.recorded.sum())
        in_flight = actor._games.state.info[:, games.kernels.PLY].sum()
        assert actor.counts[MOVES] == collected + in_flight
    assert collected > 500
    assert 0 <= actor.counts[FULL_SEARCHES] - full <= in_flight
