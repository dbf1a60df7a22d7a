"""The exact solver against what mathematicians and others published: `golden/theory.json`.

A claim that is solved within a few seconds is checked here; `make verify` (SELFPLAY_SLOW=1) adds those
that take up to two minutes. `benchmarks/results/solver.json` says which that reaches.
"""

from __future__ import annotations

import os

import pytest

import games
from tests.games.drawings import variant
from tests.games.theory import MARK, Claim, claims, lines, row_of

pytestmark = pytest.mark.kernels

QUICK = {
    "m,n,k free placement 3x3, 3",
    "m,n,k free placement 3x4, 3",
    "m,n,k free placement 4x4, 3",
    "m,n,k free placement 4x4, 4",
    "m,n,k free placement 4x5, 4",
    "m,n,k free placement, misere 3x3, 3",
    "m,n,k free placement, torus 3x3, 3",
    "connect four 4x4",
    "connect four 4x5",
    "connect four 4x6",
    "connect four 5x4",
    "connect four 5x5",
    "connect four 6x4",
    "hex 3x3",
    "hex 4x4",
    "nogo 3x3",
    "nogo 4x4",
    *(f"clobber 1x{length}" for length in range(2, 19, 2)),
}
"""Claims that are solved within seconds."""

SLOW = {
    "m,n,k free placement 4x6, 4",
    "m,n,k free placement 5x5, 4",
    "connect four 4x7",
    "connect four 5x6",
    "connect four 6x5",
}
"""Claims that take up to two minutes."""

CHOSEN = QUICK | SLOW if os.environ.get("SELFPLAY_SLOW") else QUICK


@pytest.mark.parametrize(
    "claim", [claim for claim in claims() if claim.name in CHOSEN], ids=lambda claim: claim.name
)
def test_published_values(claim: Claim) -> None:
    value = games.solve(claim.position)
    assert MARK[value if claim.position.to_play == 0 else -value] == claim.published


def test_misere_tictactoe_is_drawn_from_the_centre_only() -> None:
    row = row_of("m,n,k free placement, misere")
    start = games.start(lines(row, misere=True))
    values = games.solve_actions(start)
    assert [start.action_text(action) for action, value in values.items() if value >= 0] == row[
        "only_nonlosing_opening"
    ]


def test_tictactoe_has_5478_positions() -> None:
    seen: set[bytes] = set()
    layer = [games.start(games.load("tictactoe"))]
    while layer:
        boards = {position.state.cells.tobytes(): position for position in layer}
        seen |= set(boards)
        layer = [position.play(action) for position in boards.values() for action in position.legal_actions]
    assert len(seen) == row_of("tictactoe")["states_reachable"]


def test_othello_on_four_by_four_is_won_by_the_second_player() -> None:
    """Not in the table, but well known; the tree is a few hundred positions."""
    rules = variant(
        """
        board = { rows = 4, columns = 4, setup = { pattern = 'centre' } }
        move = { must_flip = true }
        turn = { passing = 'stuck' }
        effect = { flip = true }
        end = { count = 'stones' }
        """
    )
    assert games.solve(games.start(rules)) == -1
