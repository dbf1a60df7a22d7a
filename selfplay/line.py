"""`Line`: the positions of one game in a row, with what was taken back kept for a while."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from games import Position, beginning


class Line:
    """A game as it is being played.

    Attributes:
        positions: from the first to the current one.
    """

    def __init__(self, first: Position) -> None:
        self.positions = [first]
        self._taken_back: list[Position] = []

    @property
    def position(self) -> Position:
        """The current position."""
        return self.positions[-1]

    @property
    def can_undo(self) -> bool:
        """Whether there is anything to take back."""
        return len(self.positions) > 1

    @property
    def can_redo(self) -> bool:
        """Whether anything was taken back and nothing else played since."""
        return bool(self._taken_back)

    def play(self, action: int) -> None:
        """Play an action; `MoveError` if it isn't legal."""
        self.positions.append(self.position.play(action))
        self._taken_back.clear()

    def play_words(self, words: Sequence[str]) -> None:
        """Play the choices of a move as texts, all of them or none; `MoveError` if one isn't legal."""
        new = [self.position]
        for word in words:
            new.append(new[-1].play(new[-1].parse_action(word)))
        self.positions += new[1:]
        self._taken_back.clear()

    def undo(self) -> None:
        """Take the last whole move back, or the choices of one that has begun."""
        self.undo_to(lambda position: not position.is_half_made)

    def undo_to(self, wanted: Callable[[Position], bool]) -> bool:
        """Take back as little as leads to an earlier position that is wanted; whether there is one."""
        for index in range(len(self.positions) - 2, -1, -1):
            if wanted(self.positions[index]):
                self._taken_back += reversed(self.positions[index + 1 :])
                del self.positions[index + 1 :]
                return True
        return False

    def redo(self) -> bool:
        """Play the next whole move again that was taken back; whether there was one."""
        if not self._taken_back:
            return False
        self.positions.append(self._taken_back.pop())
        while self._taken_back and self.position.is_half_made:
            self.positions.append(self._taken_back.pop())
        return True

    def begin(self, position: Position) -> None:
        """Begin anew with a position and the actions that led to it."""
        self.positions = [beginning(position)]
        self._taken_back.clear()
        for action in position.actions:
            self.play(action)
