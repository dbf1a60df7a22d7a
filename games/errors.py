"""The error tree: everything a user can cause, from one root.

    UserError (ValueError)              one clear line: expected, got, where; the CLI ends with exit code 2
    ├── VariantError                    a rule variant that can't be played
    ├── SpaceError                      a space of rule variants that can't be read or holds nothing to play
    ├── MoveError                       a move that is illegal or can't be read
    ├── PositionError                   stones from which no game can go on
    ├── AgentError                      an .onnx file or checkpoint that is corrupt, foreign or doesn't fit
    ├── SuiteError                      a suite of solved positions that can't be read or doesn't fit
    ├── SolveLimitError                 a position that the exact solver could not solve within its limits
    └── RunError                        a run folder that is in use, foreign, corrupt, or can't be written

    ConformanceError (AssertionError)   the engine breaks its own promise: a bug, not the user's mistake

`assert` is for our own bugs; `raise` is for what a user did.
"""

from __future__ import annotations


class UserError(ValueError):
    """Something the caller can put right; `str(error)` is one line that says how."""


class VariantError(UserError):
    """A rule variant that can't be played: unknown key, impossible board, unreachable goal."""


class SpaceError(UserError):
    """A space of rule variants that can't be read, or in which nothing worth playing is found."""


class MoveError(UserError):
    """A move that is illegal in the position or can't be read."""


class PositionError(UserError):
    """Stones from which no game can go on: impossible under the rules, or the game is over with them."""


class AgentError(UserError):
    """An agent file that is corrupt, foreign, of another encoding version, or doesn't fit."""


class SuiteError(UserError):
    """A suite of solved positions that can't be read or doesn't fit the variant."""


class SolveLimitError(UserError):
    """A position that the exact solver could not solve within the limits it was given."""


class RunError(UserError):
    """A run folder that is in use, foreign, of another version, corrupt, or can't be written."""


class ConformanceError(AssertionError):
    """`games.conformance.check` found a promise that the engine breaks; the message shows the board."""
