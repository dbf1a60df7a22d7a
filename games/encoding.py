"""What a network sees: the names and order of planes and rule features, and their version.

A change to anything here makes old networks unreadable, so it comes with a new `ENCODING_VERSION`;
checkpoints of version 1 are read as ones that give the newer planes and features no weight. Recorded games
stay valid because they hold actions, not planes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

ENCODING_VERSION = 2

PLANES = ("on_board", "own", "opponent", "legal_cell", "origin", "own_goal", "opponent_goal")
"""Board planes in order; `own` and `opponent` are seen by the player to move.

origin: the stone whose move has begun, if the move isn't complete yet
own_goal, opponent_goal: cells of the sides that a player has to connect or to reach
"""

WAYS = ("forward", "forward-diagonal", "sideways", "backward", "backward-diagonal")
"""Ways that together hold every direction once; a rule feature tells how much of each a move may take."""

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
    "stones_left",  # in this turn / 4  (changes during a game)
    "swap_legal",  # 1 if the player to move may swap now  (changes)
    "second_colour",  # 1 if the player to move plays the second colour  (changes)
    "ply",  # actions played / ply cap  (changes)
    "hex_cells",  # 1 if cells have six neighbours
    "touch_eight",  # 1 if square cells touch eight others
    "step",
    "slide",
    "clone",
    *(f"{key}_{way}" for key in ("to_empty", "to_enemy", "over_enemy") for way in WAYS),
    "chain",  # 1/2 if a stone may jump on straight ahead, 1 in any direction
    "must_jump",
    "shoot",
    "beside_own",
    "beside_enemy",
    "keeps_liberty",
    "captures_nothing",
    "domino",
    "may_pass",
    "ko",  # 1/2 for ko, 1 for superko
    "take_enclosed",  # stones / 6
    "infects",
    "surrounds",
    "area",
    "komi",  # / 10
    "connects",  # sides to connect / 3
    "fork",  # / 6
    "bridge",  # / 6
    "ring",
    "reach",
    "capture",  # stones / 20, at most 2
    "eliminate",
    "stuck_loses",
    "stuck_wins",
    "stuck_first",
    "stuck_second",
    "own_captures",  # captured by the player to move / those needed  (changes)
    "opponent_captures",  # (changes)
    "moving",  # 1 if a stone is chosen and its target is next  (changes)
    "shooting",  # 1 if the moved stone is to shoot  (changes)
    "jumping",  # 1 if a jump may go on  (changes)
    "passed",  # 1 if the last action was a pass  (changes)
)
"""Rule features in order; all lie in [-1, 2], nearly all in [0, 1]. New ones are added at the end."""

MAX_SIZE = 19
"""Rows and columns a board may have at most."""

EXTRA_ACTIONS = 2
"""Actions behind the cells: PASS, then SWAP."""


class Observation(NamedTuple):
    """A batch of positions as a network sees them, on a canvas as large as the largest board.

    planes: float32 or uint8 `[B, P, H, W]`, 0 or 1, row 0 is the top row; see `PLANES`
    legal: bool `[B, A]`, A = H*W + 2: cells row by row from the top left, then PASS, then SWAP
    rules: float32 `[B, F]`; see `RULE_FEATURES`
    """

    planes: NDArray[Any]
    legal: NDArray[np.bool_]
    rules: NDArray[np.float32]

    @classmethod
    def zeros(cls, batch: int, canvas: tuple[int, int], *, packed: bool = False) -> Observation:
        """Arrays to fill, for B positions on a canvas of H rows and W columns; `packed`: planes are bytes."""
        height, width = canvas
        return cls(
            planes=np.zeros((batch, len(PLANES), height, width), np.uint8 if packed else np.float32),
            legal=np.zeros((batch, height * width + EXTRA_ACTIONS), np.bool_),
            rules=np.zeros((batch, len(RULE_FEATURES)), np.float32),
        )

    def first(self, rows: int) -> Observation:
        """The first so many positions, the same memory."""
        return Observation(self.planes[:rows], self.legal[:rows], self.rules[:rows])

    @property
    def cells(self) -> NDArray[Any]:
        """The planes as `[B, P, H*W]`, the same memory."""
        return self.planes.reshape(*self.planes.shape[:2], -1)
