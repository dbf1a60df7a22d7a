"""What a network sees: the names and order of planes and rule features, and their version.

A change to anything here makes old networks unreadable, so it comes with a new `ENCODING_VERSION`;
recorded games stay valid because they hold actions, not planes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ENCODING_VERSION = 1

PLANES = ("on_board", "own", "opponent", "legal_cell")
"""Board planes in order; `own` and `opponent` are seen by the player to move."""

RULE_FEATURES = (
    "rows",  # rows of the board / 19
    "columns",  # columns of the board / 19
    "wrap_rows",  # 1 if the top row touches the bottom row
    "wrap_columns",  # 1 if the left column touches the right column
    "gravity_down",
    "gravity_up",
    "gravity_left",
    "gravity_right",
    "line_length",  # stones in a line / 6, 0 where lines don't count
    "exact",  # 1 if overlines don't count
    "misere",  # 1 if reaching the goal loses
    "stones_per_turn",  # / 4
    "first_turn_stones",  # / 4
    "swap_rule",  # 1 if the second player may take the first stone over
    "flips",  # 1 if enclosed lines of the opponent are flipped
    "must_flip",  # 1 if a stone may only be placed where it flips
    "majority",  # 1 if a full or stuck board goes to the player with more stones
    "stones_left",  # in this turn / 4  (this and the rest change during a game)
    "swap_legal",  # 1 if the player to move may swap now
    "second_colour",  # 1 if the player to move plays the second colour
    "ply",  # actions played / ply cap
)
"""Rule features in order; all lie in [0, 1] or close to it."""

MAX_SIZE = 19
"""Rows and columns a board may have at most."""

EXTRA_ACTIONS = 2
"""Actions behind the cells: PASS, then SWAP."""


class Observation(NamedTuple):
    """A batch of positions as a network sees them, on a canvas as large as the largest board.

    planes: float32 `[B, P, H, W]`, row 0 is the top row; see `PLANES`
    legal: bool `[B, A]`, A = H*W + 2: cells row by row from the top left, then PASS, then SWAP
    rules: float32 `[B, F]`; see `RULE_FEATURES`
    """

    planes: NDArray[np.float32]
    legal: NDArray[np.bool_]
    rules: NDArray[np.float32]
