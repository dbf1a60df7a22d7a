"""Batches against plain Python: replay the game, permute the board by hand, observe it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

import games
from games import Observation, Position, Variant
from games.compiler import canvas_actions, canvas_size
from games.encoding import RULE_FEATURES
from games.symmetry import symmetries
from selfplay.actor import Actor, Episode
from selfplay.replay import NO_REPLY, Batch, Replay, lambda_returns, win_draw_loss
from tests.games.drawings import variant
from tests.selfplay.hashed import MIXED, SWAP, TWO_STONES, played_episodes, replayed, small_config

pytestmark = pytest.mark.kernels


@pytest.fixture(scope="module")
def mixed() -> list[Episode]:
    config = small_config(simulations=6, opening_share=0.5)
    actor = Actor(MIXED, config, games=24, seed=1)
    actor.search_little_from(np.full(len(MIXED), 8, np.int32))
    return played_episodes(actor, advances=400)


def filled(
    variants: Sequence[Variant], episodes: Sequence[Episode], *, capacity: int = 10**6, td_lambda: float = 1.0
) -> Replay:
    replay = Replay(variants, capacity=capacity, td_lambda=td_lambda)
    for episode in episodes:
        replay.add(episode)
    return replay


def drawn(
    replay: Replay, *, batch_size: int, window: int = 10**9, share: float = 0.0, seed: int = 0
) -> Batch:
    rng = np.random.default_rng(seed)
    return replay.sample(rng, batch_size=batch_size, window=window, search_value_share=share)


def padded_observation(position: Position, canvas: tuple[int, int]) -> Observation:
    """A position's own observation, laid by hand into the top left corner of a canvas."""
    planes, legal, rules = position.observation()
    rows, columns = planes.shape[2:]
    wide = np.zeros((1, planes.shape[1], *canvas), np.float32)
    wide[:, :, :rows, :columns] = planes
    mask = np.zeros((1, *canvas), np.bool_)
    mask[:, :rows, :columns] = legal[:, :-2].reshape(1, rows, columns)
    return Observation(wide, np.concatenate([mask.reshape(1, -1), legal[:, -2:]], axis=1), rules)


def image(position: Position, permutation: NDArray[np.int32]) -> Position:
    """The position that the images of its actions lead to."""
    mirrored = games.start(position.variant)
    for action in position.actions:
        mirrored = mirrored.play(int(permutation[action]))
    return mirrored


def expected_rows(
    variants: Sequence[Variant], episodes: Sequence[Episode]
) -> dict[bytes, list[tuple[NDArray[np.float64], int, float]]]:
    """What a sampled row may be: by observation, the policies, outcomes and search values to play."""
    canvas = canvas_size(list(variants))
    rows: dict[bytes, list[tuple[NDArray[np.float64], int, float]]] = {}
    for episode in episodes:
        rules = variants[episode.variant]
        places = canvas_actions(rules, *canvas)
        positions = replayed(rules, episode)
        for ply in np.flatnonzero(episode.recorded):
            outcome = positions[-1].returns[positions[ply].to_play]
            for permutation in symmetries(rules):
                policy = np.zeros(canvas[0] * canvas[1] + 2)
                policy[places[permutation]] = episode.policy[ply]
                seen = padded_observation(image(positions[ply], permutation), canvas)
                rows.setdefault(row_key(seen, 0), []).append((policy, outcome, float(episode.value[ply])))
    return rows


def row_key(observation: Observation, row: int) -> bytes:
    return b"".join(part[row].tobytes() for part in observation)


# --- rows are recorded positions, seen through a symmetry ---------------------------------------------------


@pytest.mark.parametrize(
    "names", [["tictactoe", "connect4", "holes-4x5"], ["swap-4x4", "two-stones-5x4", "torus-4x3"]]
)
def test_rows_are_transformed_positions_with_their_policies_and_outcomes(
    mixed: list[Episode], names: list[str]
) -> None:
    """Different sizes on one canvas; swapped seats and double turns keep their owners."""
    variants = [v for v in MIXED if v.name in names]
    row_of = {MIXED.index(v): i for i, v in enumerate(variants)}
    episodes = [e._replace(variant=row_of[e.variant]) for e in mixed if e.variant in row_of]
    episodes = [e for i in range(3) for e in [e for e in episodes if e.variant == i][:6]]
    assert {e.variant for e in episodes} == {0, 1, 2}
    expected = expected_rows(variants, episodes)
    batch = drawn(filled(variants, episodes), batch_size=300)
    assert batch.observation.planes.shape[2:] == canvas_size(variants)
    for row in range(300):
        policy = batch.policy[row].astype(np.float64)
        outcome = 1 - int(batch.wdl[row].argmax())
        candidates = expected[row_key(batch.observation, row)]
        fitting = [o for p, o, _ in candidates if np.abs(p / p.sum() - policy).max() < 1e-6]
        assert outcome in fitting
        assert policy[~batch.observation.legal[row]].max(initial=0) == 0


def test_outcomes_are_seen_by_the_seat_to_play() -> None:
    """Seat 0 wins tic-tac-toe with five stones: a win in even plies, a loss in odd ones."""
    episode = game("a1 a3 b1 b3 c1", games.load("tictactoe"))
    batch = drawn(filled([games.load("tictactoe")], [episode]), batch_size=100)
    stones = batch.observation.planes[:, 1:3].sum((1, 2, 3))
    assert set(stones.tolist()) == {0, 1, 2, 3, 4}
    np.testing.assert_array_equal(batch.wdl[:, 0], stones % 2 == 0)
    np.testing.assert_array_equal(batch.wdl[:, 2], stones % 2 == 1)


@pytest.mark.parametrize("names", [["othello-6x6", "connect4", "holes-4x5"], ["swap-4x4", "two-stones-5x4"]])
def test_the_sequel_is_what_came_of_a_position(mixed: list[Episode], names: list[str]) -> None:
    """Against the games replayed one by one; swapped seats and double turns keep their owners."""
    variants = [v for v in MIXED if v.name in names]
    episodes = [
        e._replace(variant=names_of(variants).index(MIXED[e.variant].name))
        for e in mixed
        if MIXED[e.variant].name in names
    ]
    canvas = canvas_size(variants)
    expected: dict[bytes, list[tuple[int, bytes, int]]] = {}
    for episode in episodes:
        rules = variants[episode.variant]
        places, positions = canvas_actions(rules, *canvas), replayed(rules, episode)
        for ply in np.flatnonzero(episode.recorded):
            seat = positions[ply].to_play
            replies = [p for p in range(ply, len(episode.actions)) if positions[p].to_play != seat]
            for permutation in symmetries(rules):
                end = padded_observation(image(positions[-1], permutation), canvas).planes[0]
                own, other = (1, 2) if positions[-1].to_play == seat else (2, 1)
                owners = (own * end[1] + other * end[2]).astype(np.int64).ravel()
                reply = places[permutation[episode.actions[replies[0]]]] if replies else NO_REPLY
                seen = padded_observation(image(positions[ply], permutation), canvas)
                facts = (int(reply), owners.tobytes(), len(episode.actions) - int(ply))
                expected.setdefault(row_key(seen, 0), []).append(facts)
    replay, rng = filled(variants, episodes), np.random.default_rng(3)
    batch = replay.sample(rng, batch_size=200, window=10**9, search_value_share=0.0, with_sequel=True)
    assert batch.sequel is not None
    reply, owners, plies = batch.sequel
    for row in range(200):
        facts = (int(reply[row]), owners[row].tobytes(), int(plies[row]))
        assert facts in expected[row_key(batch.observation, row)]
    assert (reply != NO_REPLY).any()


def names_of(variants: Sequence[Variant]) -> list[str]:
    return [variant.name for variant in variants]


def test_positions_that_surprised_are_drawn_more_often() -> None:
    """Half evenly, half by surprise: of 18 plies two surprise, one three times as much as the other."""
    surprise = np.zeros(18, np.float32)
    surprise[4], surprise[11] = 1, 3
    episode = shuffled(0, "x" * 18)._replace(surprise=surprise)
    replay, rng = filled([NO_SYMMETRY], [shuffled(1, "x" * 18), episode]), np.random.default_rng(4)
    batch = replay.sample(
        rng, batch_size=8000, window=18, search_value_share=0.0, surprise_share=0.5, with_sequel=True
    )
    assert batch.sequel is not None
    counts = np.bincount((18 - batch.sequel.plies).astype(int), minlength=18)
    even = 4000 / 18
    wanted = even + np.where(surprise > 0, 1000 * surprise, 0)
    assert (np.abs(counts - wanted) < 5 * wanted**0.5).all()


def test_without_any_surprise_all_are_drawn_evenly() -> None:
    replay = filled([NO_SYMMETRY], [shuffled(0, "x" * 18)])
    batch = replay.sample(
        np.random.default_rng(5), batch_size=1800, window=18, search_value_share=0.0, surprise_share=1.0
    )
    assert batch.sequel is None
    stones = batch.observation.planes[:, 1:3].sum((1, 2, 3))
    assert set(stones.tolist()) == set(range(18))


def test_after_a_swap_the_stones_have_changed_their_owners() -> None:
    """x opens, seat 1 takes x over and wins with x: seat 1's positions are wins, seat 0's losses.

    4 x x x x
    3 o o o .
    2 . . . .
    1 . . . .
      a b c d
    """
    episode = game("a4 swap a3 b4 b3 c4 c3 d4", SWAP)
    assert episode.result == -1
    assert episode.seat.tolist() == [0, 1, 0, 1, 0, 1, 0, 1]
    batch = drawn(filled([SWAP], [episode]), batch_size=200)
    stones = batch.observation.planes[:, 1:3].sum((1, 2, 3))
    second_colour = batch.observation.rules[:, RULE_FEATURES.index("second_colour")]
    swapped = stones > 1
    wins = batch.wdl[:, 0] == 1
    np.testing.assert_array_equal(wins[swapped], second_colour[swapped] == 0)
    assert not wins[stones == 0].any()


def test_both_stones_of_a_turn_belong_to_one_seat() -> None:
    """x: one stone, then pairs. o wins with its second pair: o's four positions are wins, x's losses.

    5 o o o o
    4 x x x .
    """
    episode = game("a4 a5 b5 b4 c4 c5 d5", TWO_STONES)
    assert episode.seat.tolist() == [0, 1, 1, 0, 0, 1, 1]
    assert episode.result == -1
    batch = drawn(filled([TWO_STONES], [episode]), batch_size=200)
    stones = batch.observation.planes[:, 1:3].sum((1, 2, 3))
    np.testing.assert_array_equal(batch.wdl[:, 0] == 1, np.isin(stones, [1, 2, 5, 6]))


@pytest.mark.parametrize("name", ["tictactoe", "connect4", "torus-4x3", "othello-6x6"])
def test_every_symmetry_comes_equally_often(name: str) -> None:
    """Chi-square over the images of one position without symmetry of its own, against p = 0.0001."""
    rules = next(v for v in MIXED if v.name == name)
    own = symmetries(rules)
    position = games.start(rules)
    rng = np.random.default_rng(2)
    while len({image(position, p).observation().planes.tobytes() for p in own}) < len(own):
        position = position.play(rng.choice(position.legal_actions))
        if position.is_over:
            position = games.start(rules)
    seen = {padded_observation(image(position, p), canvas_size([rules])).planes.tobytes() for p in own}
    n = 100 * len(own)
    batch = drawn(filled([rules], [at(position)]), batch_size=n)
    counts = Counter(planes.tobytes() for planes in batch.observation.planes)
    assert set(counts) == seen
    statistic = sum((count - 100) ** 2 / 100 for count in counts.values())
    degrees = len(own) - 1
    assert statistic < degrees + 4 * (2 * degrees) ** 0.5 + 8


def at(position: Position) -> Episode:
    """A record that holds one training target: this position."""
    plies = position.ply + 1
    policy = np.zeros((plies, position.variant.n_actions), np.float16)
    policy[-1, position.legal_actions[0]] = 1
    actions = np.array([*position.actions, position.legal_actions[0]], np.int16)
    recorded = np.arange(plies) == plies - 1
    zeros, seats = np.zeros(plies, np.float32), np.zeros(plies, np.int8)
    return Episode(0, actions, policy, zeros, seats, recorded, zeros, 0, plies)


def game(moves: str, rules: Variant, *, row: int = 0) -> Episode:
    """A record of a whole game, each ply a training target whose policy is the move that was played."""
    position = games.start(rules)
    seats, actions = [], []
    for move in moves.split():
        seats.append(position.to_play)
        actions.append(position.parse_action(move))
        position = position.play(actions[-1])
    assert position.is_over
    plies = len(actions)
    policy = np.zeros((plies, rules.n_actions), np.float16)
    policy[np.arange(plies), actions] = 1
    return Episode(
        variant=row,
        actions=np.array(actions, np.int16),
        policy=policy,
        value=np.linspace(-1, 1, plies).astype(np.float32),
        seat=np.array(seats, np.int8),
        recorded=np.ones(plies, np.bool_),
        surprise=np.zeros(plies, np.float32),
        result=position.returns[0],
        exact=plies,
    )


# --- the window ---------------------------------------------------------------------------------------------

NO_SYMMETRY = variant("""
    board = { rows = 1, columns = 19, holes = ["a1"] }
    end = { line = 18 }
""")
"""Nobody wins, every game has 18 plies, and a position looks like no other."""


def shuffled(number: int, recorded: str) -> Episode:
    """A game in an order of its own; `x` is a recorded ply, `-` another one; the rest are others."""
    order = np.random.default_rng(number).permutation(np.arange(1, 19))
    moves = " ".join(f"{chr(ord('a') + cell)}1" for cell in order)
    mask = np.array([character == "x" for character in recorded.ljust(18, "-")])
    return game(moves, NO_SYMMETRY)._replace(recorded=mask)


def drawn_plies(replay: Replay, episodes: Sequence[Episode], *, window: int) -> Counter[tuple[int, int]]:
    """How often each (game, ply) is drawn in 4000 draws."""
    names: dict[bytes, tuple[int, int]] = {}
    for number, episode in enumerate(episodes):
        for ply, position in enumerate(replayed(NO_SYMMETRY, episode)[1:-1], start=1):
            key = row_key(position.observation(), 0)
            assert key not in names
            names[key] = number, ply
    observation = drawn(replay, batch_size=4000, window=window).observation
    return Counter(names[row_key(observation, row)] for row in range(4000))


RECORDED = ["-----xxxx", "-----x-x-x", "------", "-----xxxxxxxx", "------x", "-----xxxx"]
"""20 recorded positions in six games; the opening plies, which several games may share, aren't recorded."""


def last_plies(n: int, pattern: Sequence[str] = RECORDED) -> list[tuple[int, int]]:
    everything = [(g, p) for g, text in enumerate(pattern) for p, c in enumerate(text) if c == "x"]
    return everything[-n:]


@pytest.mark.parametrize("window", [1, 3, 4, 5, 6, 13, 20, 21, 1000])
def test_the_window_is_exactly_the_last_recorded_positions(window: int) -> None:
    episodes = [shuffled(i, text) for i, text in enumerate(RECORDED)]
    counts = drawn_plies(filled([NO_SYMMETRY], episodes), episodes, window=window)
    expected = last_plies(window)
    assert set(counts) == set(expected)
    mean = 4000 / len(expected)
    assert sum((c - mean) ** 2 / mean for c in counts.values()) < len(expected) + 6 * len(expected) ** 0.5 + 8


@pytest.mark.parametrize("capacity", [1, 2, 4, 5, 7, 19, 20])
def test_the_capacity_bounds_the_window_and_the_games_kept(capacity: int) -> None:
    """Only games of which a recorded position is left are kept, and those between them."""
    episodes = [shuffled(i, text) for i, text in enumerate(RECORDED)]
    replay = filled([NO_SYMMETRY], episodes, capacity=capacity)
    expected = last_plies(capacity)
    assert set(drawn_plies(replay, episodes, window=1000)) == set(expected)
    assert list(replay._games) == list(range(expected[0][0], len(RECORDED)))
    assert replay.recorded == 20


def test_memory_stays_bounded_over_many_games() -> None:
    """1000 games of 13 recorded positions in a window of 30: no more than four games at any time."""
    episode = shuffled(0, "-----xxxxxxxxxxxxx")
    replay = Replay([NO_SYMMETRY], capacity=30)
    for _ in range(1000):
        replay.add(episode)
        assert len(replay._games) <= 4
    assert replay.recorded == 13_000
    assert len(replay._game_of) == len(replay._ply_of) == 30


def test_a_game_longer_than_the_capacity_keeps_its_end() -> None:
    episodes = [shuffled(0, "-----xxx"), shuffled(1, "-----xxxxxxxxxx")]
    replay = filled([NO_SYMMETRY], episodes, capacity=4)
    assert set(drawn_plies(replay, episodes, window=10)) == {(1, ply) for ply in range(11, 15)}


def test_a_window_rebuilt_from_its_last_games_draws_the_same_batches() -> None:
    """What a resumed run relies on: positions keep their numbers."""
    episodes = [shuffled(i % 9, RECORDED[i % 6]) for i in range(30)]
    whole = filled([NO_SYMMETRY], episodes, capacity=25)
    rebuilt = Replay([NO_SYMMETRY], capacity=25)
    rebuilt.recorded = sum(int(e.recorded.sum()) for e in episodes[:12])
    for episode in episodes[12:]:
        rebuilt.add(episode)
    one, other = drawn(whole, batch_size=64), drawn(rebuilt, batch_size=64)
    for part, again in zip((*one.observation, *one[1:]), (*other.observation, *other[1:]), strict=True):
        np.testing.assert_array_equal(part, again)


# --- value targets ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "outcome", "value", "expected"),
    [
        (0.0, 1, -0.6, (1, 0, 0)),
        (0.0, 0, 0.8, (0, 1, 0)),
        (0.0, -1, 0.8, (0, 0, 1)),
        (1.0, 1, -0.6, (0.2, 0, 0.8)),
        (1.0, 0, 0.0, (0.5, 0, 0.5)),
        (1.0, -1, 1.0, (1, 0, 0)),
        (0.3, 1, -0.6, (0.76, 0, 0.24)),
        (0.3, 0, 0.5, (0.225, 0.7, 0.075)),
        (0.3, -1, 0.0, (0.15, 0, 0.85)),
    ],
)
def test_value_targets_mix_the_outcome_with_the_search(
    share: float, outcome: int, value: float, expected: tuple[float, float, float]
) -> None:
    """By hand: (1 - share) on the outcome, share * (1 + v) / 2 on a win, share * (1 - v) / 2 on a loss."""
    parts = np.array([1 - share], np.float32), np.array([share * value], np.float32)
    wdl = win_draw_loss(np.array([outcome], np.int8), *parts)
    np.testing.assert_allclose(wdl, [expected], atol=1e-6)
    assert wdl[0, 0] - wdl[0, 2] == pytest.approx((1 - share) * outcome + share * value)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_batches_hold_the_mixed_targets_of_their_plies(share: float) -> None:
    """Seat 0 wins in five plies; the search values are -1, -0.5, 0, 0.5, 1 to play."""
    episode = game("a1 a3 b1 b3 c1", games.load("tictactoe"))
    batch = drawn(filled([games.load("tictactoe")], [episode]), batch_size=50, share=share)
    stones = batch.observation.planes[:, 1:3].sum((1, 2, 3)).astype(int)
    outcome = np.where(stones % 2 == 0, 1, -1)
    value = np.array([-1, -0.5, 0, 0.5, 1])[stones]
    np.testing.assert_allclose(
        batch.wdl[:, 0] - batch.wdl[:, 2], (1 - share) * outcome + share * value, atol=1e-6
    )
    np.testing.assert_allclose(batch.wdl.sum(1), 1, atol=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_lambda_returns_are_those_of_their_sum(share: float) -> None:
    """Each value counts (1 - lambda) lambda^k, k searched plies later, the outcome what is left of 1.

    After one stone of seat 0 there are two a turn; the fourth ply wasn't searched; seat 0 wins.
    """
    episode = game("a1 d1 d2 a2 a3 d3 c1 a4", TWO_STONES)
    assert episode.seat.tolist() == [0, 1, 1, 0, 0, 1, 1, 0]
    value = np.array([0.1, -0.3, 0.5, 0.0, -0.2, 0.7, 0.4, 0.9], np.float32)
    replay = filled([TWO_STONES], [episode._replace(value=value)], td_lambda=0.8)
    batch = drawn(replay, batch_size=80, share=share)
    stones = batch.observation.planes[:, 1:3].sum((1, 2, 3)).astype(int)
    assert set(stones.tolist()) == set(range(8))
    for row, ply in enumerate(stones.tolist()):
        sign = np.where(episode.seat == episode.seat[ply], 1, -1)
        searched = [k for k in range(ply, 8) if value[k] != 0]
        weights = 0.2 * 0.8 ** np.arange(len(searched))
        outcome = 1 if episode.seat[ply] == 0 else -1
        returned = weights @ (sign * value)[searched] + 0.8 ** len(searched) * outcome
        expected = share * value[ply] + (1 - share) * returned
        assert batch.wdl[row, 0] - batch.wdl[row, 2] == pytest.approx(expected, abs=1e-6)
        assert batch.wdl[row].sum() == pytest.approx(1)


def test_lambda_returns_go_on_from_the_first_exact_value() -> None:
    """Two plies with values 0.5 and 0.25 to play, then a draw that is known, whatever the game came to."""
    episode = game("a1 a3 b1 b3 c1", games.load("tictactoe"))
    value = np.array([0.5, 0.25, 0, 1, -1], np.float32)
    searched, outcome_share = lambda_returns(episode._replace(value=value, exact=2), 0.6)
    np.testing.assert_allclose(searched, [0.4 * 0.5 - 0.6 * 0.4 * 0.25, 0.4 * 0.25, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(outcome_share, [0.36, 0.6, 1, 1, 1], atol=1e-6)
    for array, expected in zip(lambda_returns(episode, 1.0), (0, 1), strict=True):
        assert np.all(array == expected)


def test_what_is_known_exactly_is_the_target_as_it_is() -> None:
    """Seat 0 wins in five plies; from the third on the solver says: draw, win, loss, to play."""
    episode = game("a1 a3 b1 b3 c1", games.load("tictactoe"))
    value = np.array([0.5, 0.5, 0, 1, -1], np.float32)
    batch = drawn(
        filled([games.load("tictactoe")], [episode._replace(value=value, exact=2)]), batch_size=50, share=0.3
    )
    stones = batch.observation.planes[:, 1:3].sum((1, 2, 3)).astype(int)
    assert set(stones.tolist()) == set(range(5))
    early = (0.225, 0.7, 0.075)  # a draw with a share of the search's 0.5
    expected = np.array([early, early, (0, 1, 0), (1, 0, 0), (0, 0, 1)])
    np.testing.assert_allclose(batch.wdl, expected[stones], atol=1e-6)


def test_threads_that_sample_at_the_same_time_dont_disturb_each_other(mixed: list[Episode]) -> None:
    replay = filled(MIXED, mixed)
    alone = [drawn(replay, batch_size=64, seed=seed) for seed in range(100)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda seed: drawn(replay, batch_size=64, seed=seed), range(100)))
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one.observation.planes, other.observation.planes)
        assert np.array_equal(one.observation.legal, other.observation.legal)
        assert np.array_equal(one.policy, other.policy)


def test_policies_sum_to_one_in_float32(mixed: list[Episode]) -> None:
    """float16 rounding is taken out again."""
    batch = drawn(filled(MIXED, mixed), batch_size=400)
    np.testing.assert_allclose(batch.policy.sum(1), 1, atol=1e-6)
    assert (batch.policy >= 0).all()
    assert (batch.observation.legal.sum(1) > 1).all()
