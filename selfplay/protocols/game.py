"""One game that a protocol steers: the positions so far, who plays, and how long it may think."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from games import MoveError, Position, Variant, VariantError, start
from selfplay.line import Line
from selfplay.opponents.moves import TextMove, played
from selfplay.player import Analysis, Player
from selfplay.protocols.lines import ProtocolError

PlayerOf = Callable[[Variant], Player]
"""An agent for a variant."""

ANALYSIS_SECONDS = 10.0
"""After which an analysis ends by itself; no search of it takes longer than half of that."""


class Game:
    """A game and its player.

    Attributes:
        position: the current one.
        player: plays the variant.
        seconds: for a choice; None: the player's own simulations.
        simulations: instead of the player's own.
        ponders: whether the player thinks while the other one does.
    """

    def __init__(self, variant: Variant, player_of: PlayerOf, *, ponders: bool = False) -> None:
        self._player_of = player_of
        self.ponders = ponders
        self.seconds: float | None = None
        self.simulations: int | None = None
        self.choose_variant(variant)

    @property
    def variant(self) -> Variant:
        """What is played."""
        return self.position.variant

    def choose_variant(self, variant: Variant) -> None:
        """Begin a game of a variant, with its player."""
        self.player = self._player_of(variant)
        self.player.check_plays(variant)
        self._line = Line(start(variant))

    @property
    def position(self) -> Position:
        """The current position."""
        return self._line.position

    def restart(self) -> None:
        """Begin the game anew."""
        self._line = Line(start(self.variant))

    def play(self, move: TextMove) -> None:
        """Play the choices of a whole move, all or none of them; `ProtocolError` if they are none."""
        try:
            self._line.play_words(move)
        except MoveError as error:
            raise ProtocolError(f"illegal move: {error}") from None
        if not move or self.position.is_half_made:
            if move:
                self._line.undo()
            raise ProtocolError(f"illegal move: expected a whole move, got {'-'.join(move) or 'nothing'}")

    def undo(self) -> None:
        """Take the last whole move back; `ProtocolError` at the start."""
        if not self._line.can_undo:
            raise ProtocolError("cannot undo: this is the first position")
        self._line.undo()

    def think(self) -> TextMove:
        """The player's whole move here; the game stays where it is."""
        here = self.position
        move: list[str] = []
        while not move or here.is_half_made:
            action = self.choose(here)
            move.append(here.action_text(action))
            here = here.play(action)
        return tuple(move)

    def reply(self) -> TextMove:
        """Play the player's whole move here, and let it ponder about the answer if it may."""
        move = self.think()
        self.play(move)
        if self.ponders and not self.position.is_over:
            self.player.ponder(self.position)
        return move

    def choose(self, position: Position) -> int:
        """The player's choice in a position of this game; `ProtocolError` if the game is over."""
        if position.is_over:
            raise ProtocolError("the game is over")
        if self.simulations is None or self.player.simulations == 0:
            return self.player.choose(position, seconds=self.seconds)
        *_, last = self.player.stream(position, simulations=self.simulations, seconds=self.seconds)
        return last.action

    def analyses(self, stopped: threading.Event) -> Iterator[Analysis]:
        """Better and better analyses of the current position, for a while, or until it is stopped."""
        return self.player.stream(self.position, seconds=ANALYSIS_SECONDS, stopped=stopped)

    def moves(self) -> list[TextMove]:
        """The whole moves so far."""
        return played(self.position)[0]


def resized(variant: Variant, rows: int, columns: int) -> Variant:
    """The same rules on a board of another size; `ProtocolError` if they don't fit there."""
    board = variant.board
    if (board.rows, board.columns) == (rows, columns):
        return variant
    name = f"{variant.name}-{columns}x{rows}"
    if board.holes or board.setup.first or board.setup.second:
        raise ProtocolError(f"unacceptable size: the stones and holes of {variant.name} are for its own")
    rules = variant.model_dump(exclude_defaults=True, exclude_none=True)
    rules["board"] |= {"rows": rows, "columns": columns}
    try:
        return Variant.from_dict({**rules, "name": name}, where=name)
    except VariantError as error:
        raise ProtocolError(f"unacceptable size: {error}") from None
