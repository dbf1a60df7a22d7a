"""Self-play by continuous batching: Python only carries observations to the network and evaluations back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from games.compiler import canvas_size, compile_rules
from games.encoding import EXTRA_ACTIONS, Observation
from games.kernels import seed_streams
from games.rules import MAX_LEGAL, PLY_CAP
from games.state import State, new_state
from games.variant import Variant
from mcts.cache_kernels import new_cache
from mcts.config import settings_of
from mcts.kernels import new_tree
from mcts.search import rollouts_of
from selfplay.config import SelfPlayConfig
from selfplay.kernels import NEVER, Games, Plan, advance_games, observe_games, start_games


class Episode(NamedTuple):
    """One finished game; T plies, A the variant's own actions.

    variant: row in the run's list of variants
    actions: int16 `[T]`; policy: float16 `[T, A]`, zero where not recorded
    value: float32 `[T]`, what the search's policy is worth to play, 0 where nothing was searched
    seat: int8 `[T]`: who moved
    recorded: bool `[T]`: a training target; result: -1, 0 or 1 for seat 0
    surprise: float32 `[T]`, nats: how far the search's policy was from the network's, 0 where not recorded
    exact: from this ply on values and policies are the exact solver's; T if none are
    """

    variant: int
    actions: NDArray[np.int16]
    policy: NDArray[np.float16]
    value: NDArray[np.float32]
    seat: NDArray[np.int8]
    recorded: NDArray[np.bool_]
    surprise: NDArray[np.float32]
    result: int
    exact: int

    def outcome(self, ply: int) -> int:
        """-1, 0 or 1 for the player to move: what the game came to from here, without exact mistakes."""
        if ply >= self.exact:
            return int(self.value[ply])
        if self.exact < len(self.actions):
            known = int(self.value[self.exact])
            return known if self.seat[ply] == self.seat[self.exact] else -known
        return self.result if self.seat[ply] == 0 else -self.result


class Actor:
    """B games of any variants, always waiting for evaluations; equal positions wait for one together.

        observation = actor.observe()
        while True:
            actor.advance(*evaluator(observation))
            episodes = actor.collect()
            observation = actor.observe()

    Equal seeds and evaluations give equal games, whatever the number of threads.
    """

    def __init__(
        self,
        variants: Sequence[Variant],
        config: SelfPlayConfig,
        *,
        games: int,
        seed: int,
        packed: bool = False,
    ) -> None:
        """`packed`: observe planes as bytes, of which a quarter has to travel to a device."""
        self.variants = tuple(variants)
        self.rules = compile_rules(variants)
        self.canvas = canvas_size(variants)
        budgets = (config.simulations, config.ending_simulations or 1)  # as FULL and SHORT index them
        self.settings = settings_of(config.search_config(), budgets=budgets)
        self.tree = new_tree(self.rules, batch=games, simulations=max(budgets))
        self.rng = seed_streams(seed, games)
        self.plan = Plan(
            opening_share=config.opening_share,
            opening_plies=config.opening_plies,
            sampled_plies=config.sampled_plies,
            weights=np.cumsum(config.shares(len(variants))),
            exact_from=np.full(len(variants), NEVER, np.int32),
        )
        n_actions = self.canvas[0] * self.canvas[1] + EXTRA_ACTIONS
        self.rollouts = rollouts_of(self.rules, config.search_config())
        self.cache = new_cache(config.cache_megabytes / config.threads, n_actions)
        self._games = _new_games(self.rules, games)
        self._legal_scratch = np.zeros(int(self.rules.flags[:, MAX_LEGAL].max()) + 1, np.int16)
        self._observation = Observation.zeros(games, self.canvas, packed=packed)
        self._places = np.zeros(1 << (2 * games).bit_length(), np.int32)
        start_games(
            self.rules, self._games, self.tree, self.settings, self.plan, self.rng, self._legal_scratch
        )

    @property
    def counts(self) -> NDArray[np.int64]:
        """int64 `[4]`: moves, full searches, simulations and network evaluations so far."""
        return self._games.counts

    def observe(self) -> Observation:
        """The N positions that wait for the network, N at most B; the arrays are reused by the next call."""
        seen = self._observation
        rows = observe_games(
            self.rules, self._games, self.tree, self._places, seen.cells, seen.legal, seen.rules
        )
        return seen.first(rows)

    def advance(self, logits: NDArray[np.float32], value_to_play: NDArray[np.float32]) -> None:
        """Take an evaluation for each row of the last `observe` and walk every game on to its next."""
        advance_games(
            self.rules,
            self._games,
            self.tree,
            self.settings,
            self.plan,
            self.cache,
            self.rng,
            logits,
            value_to_play,
            self.rollouts,
            self._legal_scratch,
        )

    def collect(self) -> list[Episode]:
        """The games that finished in the last `advance`."""
        return [self._episode(int(game)) for game in np.flatnonzero(self._games.finished)]

    def forget_evaluations(self) -> None:
        """Empty the evaluation cache; to be called whenever the evaluator's weights change."""
        self.cache.keys[:] = 0

    def search_little_from(self, plies: NDArray[np.int32]) -> None:
        """From now on spend only `ending_simulations` from these plies on, int32 `[R]`; see `Endings`."""
        self.plan.exact_from[:] = plies

    def mix_rollouts(self, share: float, *, salt: int) -> None:
        """From now on playouts count for so much in the network's values; another salt draws others."""
        self.rollouts.share[0], self.rollouts.salt[0] = share, salt

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that changes, as arrays, so that `restore` continues exactly here."""
        return dict(self._arrays())

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Go back to a saved `state`; the evaluation cache starts empty."""
        for name, array in self._arrays():
            np.copyto(array, arrays[name], casting="no")
        self.forget_evaluations()

    def _arrays(self) -> list[tuple[str, NDArray[Any]]]:
        named: list[tuple[str, NDArray[Any]]] = [("rng", self.rng)]
        for struct_name, struct in (("games", self._games), ("tree", self.tree)):
            for field, value in struct._asdict().items():
                parts = value._asdict() if isinstance(value, State) else {"": value}
                named += [(f"{struct_name}.{field}.{part}", array) for part, array in parts.items()]
        return named

    def _episode(self, game: int) -> Episode:
        games = self._games
        record = 2 * game + 1 - int(games.active[game])
        plies, variant = int(games.plies[record]), int(games.variant[record])
        policy = games.policy[record, :plies, : self.variants[variant].n_actions]
        recorded = games.recorded[record, :plies].copy()
        return Episode(
            variant=variant,
            actions=games.actions[record, :plies].copy(),
            policy=np.where(recorded[:, None], policy, 0.0).astype(np.float16),
            value=games.value[record, :plies].copy(),
            seat=games.seat[record, :plies].copy(),
            recorded=recorded,
            surprise=np.where(recorded, games.surprise[record, :plies], np.float32(0)),
            result=int(games.result[record]),
            exact=plies,
        )


def _new_games(rules: Any, games: int) -> Games:
    plies = int(rules.flags[:, PLY_CAP].max())
    n_actions = rules.start.shape[1] + EXTRA_ACTIONS
    return Games(
        state=new_state(rules, games),
        key=np.zeros(games, np.uint64),
        row=np.zeros(games, np.int32),
        active=np.zeros(games, np.int8),
        finished=np.zeros(games, np.bool_),
        actions=np.zeros((2 * games, plies), np.int16),
        policy=np.zeros((2 * games, plies, n_actions), np.float32),
        value=np.zeros((2 * games, plies), np.float32),
        seat=np.zeros((2 * games, plies), np.int8),
        recorded=np.zeros((2 * games, plies), np.bool_),
        surprise=np.zeros((2 * games, plies), np.float32),
        plies=np.zeros(2 * games, np.int16),
        result=np.zeros(2 * games, np.int8),
        variant=np.zeros(2 * games, np.int16),
        counts=np.zeros(4, np.int64),
    )
