"""The root's noise has the distributions that the papers ask for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from games import Observation
from games.kernels import seed_streams
from mcts import SearchConfig, search
from mcts.select_kernels import gamma
from tests.mcts.evaluators import Answer
from tests.mcts.positions import after
from tests.mcts.trees import grow, roots

pytestmark = pytest.mark.kernels

DRAWS = 4000
COLUMNS = after("connect4").legal_actions


def sloped(observation: Observation) -> Answer:
    """Logits that rise by half from each action to the next."""
    n_actions = observation.legal.shape[1]
    logits = np.tile(np.arange(n_actions, dtype=np.float32) * 0.5, (len(observation.legal), 1))
    return logits, np.zeros(len(observation.legal), np.float32)


def test_gumbel_noise_samples_from_the_prior() -> None:
    """The highest of logit + Gumbel noise is a draw from the softmax (Danihelka et al., section 2)."""
    result = search([after("connect4")] * DRAWS, sloped, SearchConfig(simulations=1), seed=1)
    counts = np.bincount(result.action, minlength=44)[COLUMNS]
    weights = np.exp(0.5 * COLUMNS - 0.5 * COLUMNS.max())
    assert counts.sum() == DRAWS
    assert stats.chisquare(counts, DRAWS * weights / weights.sum()).pvalue > 0.01


def test_gumbel_noise_samples_without_replacement() -> None:
    """The second candidate is drawn from the softmax over the other actions (Gumbel-top-k)."""
    tree = grow([after("connect4")] * DRAWS, sloped, SearchConfig(simulations=2, max_considered=2), seed=2)
    starts = tree.first_edge[roots(tree)]
    first, second = tree.action[starts], tree.action[starts + 1]
    weights = np.exp(0.5 * COLUMNS)
    expected = np.zeros(7)
    for i, weight in enumerate(weights):
        others = np.where(np.arange(7) == i, 0.0, weights)
        expected += weight / weights.sum() * others / others.sum()
    assert (first != second).all()
    counts = np.bincount(second, minlength=44)[COLUMNS]
    assert stats.chisquare(counts, DRAWS * expected).pvalue > 0.01


def test_gumbel_noise_is_gumbel() -> None:
    tree = grow([after("connect4")] * 600, sloped, SearchConfig(simulations=1, gumbel_scale=2.0), seed=3)
    starts = tree.first_edge[roots(tree)]
    noise = tree.noise[(starts[:, None] + np.arange(7)).ravel()]
    assert stats.kstest(noise / 2.0, "gumbel_r").pvalue > 0.01


@pytest.mark.parametrize("alpha", [0.1, 0.3, 1.0, 2.5])
def test_gamma_variates_are_gamma(alpha: float) -> None:
    rng = seed_streams(4, 1)
    draws = [gamma(rng, 0, alpha) for _ in range(DRAWS)]
    assert stats.kstest(draws, "gamma", args=(alpha,)).pvalue > 0.01


@pytest.mark.parametrize("alpha", [0.3, 1.5])
def test_dirichlet_noise_is_dirichlet(alpha: float) -> None:
    """Each of n shares has mean 1/n and is Beta(alpha, (n - 1) alpha)."""
    config = SearchConfig(method="puct", simulations=1, dirichlet_fraction=1.0, dirichlet_alpha=alpha)
    tree = grow([after("connect4")] * DRAWS, sloped, config, seed=5)
    starts = tree.first_edge[roots(tree)]
    places = starts[:, None] + np.arange(7)
    shares = np.take_along_axis(tree.prior[places], np.argsort(tree.action[places], axis=1), axis=1)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(shares.mean(axis=0), 1 / 7, atol=0.015)
    assert stats.kstest(shares[:, 3], "beta", args=(alpha, 6 * alpha)).pvalue > 0.01


def test_dirichlet_noise_takes_its_share() -> None:
    """A quarter of noise leaves three quarters of each prior."""
    config = SearchConfig(method="puct", simulations=1, dirichlet_fraction=0.25)
    tree = grow([after("connect4")], sloped, config, seed=6)
    weights = np.exp(0.5 * (tree.action[:7] - 41.0))
    assert (tree.prior[:7] >= 0.75 * weights / weights.sum() - 1e-6).all()
    assert tree.prior[:7].sum() == pytest.approx(1.0, abs=1e-5)
