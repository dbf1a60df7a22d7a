"""OpenSpiel's Python AlphaZero: an actor of its own code plays game after game.

--jitted   with the network's forward pass compiled, which the library doesn't do by itself
"""

from __future__ import annotations

from typing import Any

from benchmarks.peers.conditions import count, read_conditions, takes_flag

JITTED = takes_flag("--jitted")
CONDITIONS = read_conditions()

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import pyspiel  # noqa: E402
from flax import linen as nn  # noqa: E402
from open_spiel.python.algorithms.alpha_zero import alpha_zero, evaluator, utils  # noqa: E402


class Quiet:
    """A logger that says nothing."""

    def print(self, *_words: object) -> None:
        """Nothing."""

    opt_print = print


def main() -> None:
    """Play until the time is over."""
    game = pyspiel.load_game("connect_four")
    shape = game.observation_tensor_shape()
    api = "linen" if JITTED else "nnx"  # the latter is the default; both are eager
    model = utils.api_selector(api).Model.build_model(
        model_type="resnet",
        input_shape=shape,
        output_size=game.num_distinct_actions(),
        nn_width=CONDITIONS.channels,
        nn_depth=CONDITIONS.blocks,
        weight_decay=1e-4,
        learning_rate=1e-3,
        path=None,
    )
    if JITTED:
        compile_inference(model)
    config = alpha_zero.Config(
        game="connect_four",
        path="",
        learning_rate=1e-3,
        weight_decay=1e-4,
        decouple_weight_decay=False,
        train_batch_size=128,
        replay_buffer_size=2**14,
        replay_buffer_reuse=4,
        max_steps=0,
        checkpoint_freq=100,
        actors=1,
        evaluators=0,
        evaluation_window=100,
        eval_levels=1,
        uct_c=1.4,
        max_simulations=CONDITIONS.simulations,
        policy_alpha=1.0,
        policy_epsilon=0.25,
        temperature=1.0,
        temperature_drop=10,
        nn_model="resnet",
        nn_width=CONDITIONS.channels,
        nn_depth=CONDITIONS.blocks,
        observation_shape=shape,
        output_size=game.num_distinct_actions(),
        verbose=False,
        quiet=True,
        nn_api_version=api,
    )
    asked = evaluator.AlphaZeroEvaluator(game, model)
    bots = [alpha_zero._init_bot(config, game, asked, False) for _ in range(2)]

    def some() -> int:
        return len(alpha_zero._play_game(Quiet(), 0, game, bots, 1.0, 10).states)

    count(some, CONDITIONS.seconds)


def compile_inference(model: Any) -> None:
    """Replace the model's inference by one compiled function."""
    state = model._state

    @jax.jit
    def predict(params, batch_stats, observation, mask):
        logits, value = state.apply_fn(
            {"params": params, "batch_stats": batch_stats}, observation, training=False, mutable=False
        )
        return value, nn.softmax(jnp.where(mask, logits, jnp.finfo(jnp.float32).min), axis=-1)

    def inference(observation, legals_mask):
        found = predict(
            state.params,
            state.batch_stats,
            np.asarray(observation, np.float32),
            np.asarray(legals_mask, np.bool_),
        )
        return tuple(np.asarray(part) for part in found)

    model.inference = inference


main()
