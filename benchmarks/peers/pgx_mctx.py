"""pgx's rules and mctx's Gumbel search, all in one compiled loop on the device: Gumbel AlphaZero's self-play.

Games that are over begin anew in their place. The network is a residual tower without normalisation.
"""

from __future__ import annotations

from benchmarks.peers.conditions import count, read_conditions

CONDITIONS = read_conditions()

import flax.linen as nn  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import mctx  # noqa: E402
import pgx  # noqa: E402
from pgx.experimental.wrappers import auto_reset  # noqa: E402

MOVES = 8
"""Moves of all games in one call."""


class Tower(nn.Module):
    """Policy logits and a value of `[B, 6, 7, 2]`."""

    blocks: int
    channels: int
    actions: int

    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(self.channels, (3, 3))(x))
        for _ in range(self.blocks):
            hidden = nn.relu(nn.Conv(self.channels, (3, 3))(x))
            x = nn.relu(x + nn.Conv(self.channels, (3, 3))(hidden))
        policy = nn.relu(nn.Conv(2, (1, 1))(x)).reshape(x.shape[0], -1)
        value = nn.relu(nn.Conv(1, (1, 1))(x)).reshape(x.shape[0], -1)
        value = nn.Dense(1)(nn.relu(nn.Dense(self.channels)(value)))
        return nn.Dense(self.actions)(policy), jnp.tanh(value[:, 0])


def main() -> None:
    """Play until the time is over."""
    env = pgx.make("connect_four")
    net = Tower(CONDITIONS.blocks, CONDITIONS.channels, env.num_actions)
    step, first = jax.vmap(env.step), jax.vmap(env.init)
    begin_again = jax.vmap(auto_reset(env.step, env.init))
    state = first(jax.random.split(jax.random.PRNGKey(0), CONDITIONS.batch))
    params = net.init(jax.random.PRNGKey(1), state.observation.astype(jnp.float32))

    def evaluate(params, state):
        logits, value = net.apply(params, state.observation.astype(jnp.float32))
        return jnp.where(state.legal_action_mask, logits, jnp.finfo(jnp.float32).min), value

    def expand(params, _key, action, state):
        mover = state.current_player
        state = step(state, action)
        logits, value = evaluate(params, state)
        reward = state.rewards[jnp.arange(state.rewards.shape[0]), mover]
        return mctx.RecurrentFnOutput(
            reward=reward,
            discount=jnp.where(state.terminated, 0.0, -1.0),
            prior_logits=logits,
            value=jnp.where(state.terminated, 0.0, value),
        ), state

    @jax.jit
    def play(params, state, key):
        def move(state, key):
            search_key, reset_key = jax.random.split(key)
            logits, value = evaluate(params, state)
            found = mctx.gumbel_muzero_policy(
                params,
                search_key,
                mctx.RootFnOutput(prior_logits=logits, value=value, embedding=state),
                expand,
                CONDITIONS.simulations,
                invalid_actions=jnp.logical_not(state.legal_action_mask),
                qtransform=mctx.qtransform_completed_by_mix_value,
                gumbel_scale=1.0,
            )
            keys = jax.random.split(reset_key, CONDITIONS.batch)
            return begin_again(state, found.action, keys), found.action_weights.sum()

        return jax.lax.scan(move, state, jax.random.split(key, MOVES))

    key = jax.random.PRNGKey(2)

    def some() -> int:
        nonlocal state, key
        key, own = jax.random.split(key)
        state, weights = play(params, state, own)
        weights.block_until_ready()
        return MOVES * CONDITIONS.batch

    count(some, CONDITIONS.seconds)


main()
