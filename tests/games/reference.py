"""A second engine, slow and plain: dictionaries, rows and columns, one game at a time.

It shares no code with `games.kernels` and reads nothing but the variant's own fields, so that both engines
agreeing means that both play the rules. Squares are (row, column) with row 1 at the bottom and column 1 at
the left, as on paper.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from games.variant import Variant

Square = tuple[int, int]

COMPASS = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]
FALL = {"down": (-1, 0), "up": (1, 0), "left": (0, -1), "right": (0, 1)}
OTHER = {"x": "o", "o": "x"}


def square_of(name: str) -> Square:
    """`b3` is row 3, column 2."""
    return int(name[1:]), "abcdefghijklmnopqrs".index(name[0]) + 1


def name_of(square: Square) -> str:
    """Row 3, column 2 is `b3`."""
    return "abcdefghijklmnopqrs"[square[1] - 1] + str(square[0])


@dataclass
class ReferenceGame:
    """One game in progress; moves are texts such as `b3`, `pass` and `swap`."""

    variant: Variant
    stones: dict[Square, str] = field(default_factory=dict)
    squares: set[Square] = field(default_factory=set)
    colour: str = "x"
    seat_of: dict[str, int] = field(default_factory=lambda: {"x": 0, "o": 1})
    placed_in_turn: int = 0
    turn_number: int = 1
    history: list[str] = field(default_factory=list)
    over: bool = False
    winner: str | None = None

    def __post_init__(self) -> None:
        board = self.variant.board
        everything = {(r, c) for r in range(1, board.rows + 1) for c in range(1, board.columns + 1)}
        self.squares = everything - {square_of(name) for name in board.holes}
        self.stones = {square_of(name): "x" for name in board.setup.first}
        self.stones |= {square_of(name): "o" for name in board.setup.second}

    # What the board looks like

    def beside(self, square: Square, step: Square) -> Square | None:
        """The square one step on, across an edge where edges touch; None off the board and on holes."""
        board = self.variant.board
        row, column = square[0] + step[0], square[1] + step[1]
        if board.wrap in ("rows", "both"):
            row = (row - 1) % board.rows + 1
        if board.wrap in ("columns", "both"):
            column = (column - 1) % board.columns + 1
        return (row, column) if (row, column) in self.squares else None

    def ray(self, square: Square, step: Square) -> list[Square]:
        """The squares from a square's neighbour on, until the board ends or the ray is back at its start."""
        found: list[Square] = []
        here = self.beside(square, step)
        while here is not None and here != square:
            found.append(here)
            here = self.beside(here, step)
        return found

    def enclosed(self, square: Square) -> set[Square]:
        """Opposing stones that a stone of the colour to move encloses from a square."""
        caught: set[Square] = set()
        for step in COMPASS:
            line: list[Square] = []
            for here in self.ray(square, step):
                if self.stones.get(here) == OTHER[self.colour]:
                    line.append(here)
                    continue
                if self.stones.get(here) == self.colour:
                    caught.update(line)
                break
        return caught

    def line_length(self, square: Square, step: Square) -> int:
        """Different squares in the unbroken line of one colour through a stone."""
        line = {square}
        for way in (step, (-step[0], -step[1])):
            for here in self.ray(square, way):
                if self.stones.get(here) != self.stones[square]:
                    break
                line.add(here)
        return len(line)

    def makes_goal(self, square: Square) -> bool:
        """Whether a stone is part of a line that counts."""
        end = self.variant.end
        if end.line is None:
            return False
        lengths = [self.line_length(square, step) for step in COMPASS[:4]]
        return end.line in lengths if end.exact else max(lengths) >= end.line

    # What may be played

    def may_place(self, square: Square) -> bool:
        """Whether the colour to move may put a stone on a square."""
        if square in self.stones:
            return False
        if self.variant.move.kind == "drop":
            under = self.beside(square, FALL[self.variant.move.gravity])
            if under is not None and under not in self.stones:
                return False
        return bool(self.enclosed(square)) if self.variant.move.must_flip else True

    def legal(self) -> set[str]:
        """Every legal move."""
        if self.over:
            return set()
        moves = {name_of(square) for square in self.squares if self.may_place(square)}
        if not moves and self.variant.turn.pass_when_stuck:
            moves.add("pass")
        first_turn = self.variant.turn.first_stones or self.variant.turn.stones
        if self.variant.turn.swap and len(self.history) == first_turn:
            moves.add("swap")
        return moves

    # What a move does

    def play(self, move: str) -> None:
        """Play a legal move."""
        assert move in self.legal(), move
        self.history.append(move)
        if move == "swap":
            self.seat_of = {"x": 1, "o": 0}
        elif move == "pass":
            self.next_turn()
        else:
            self.place(square_of(move))
        self.end_without_goal()

    def place(self, square: Square) -> None:
        """Place a stone, flip, look for a goal, and count the turn's stones."""
        flipped = self.enclosed(square) if self.variant.effect.flip else set()
        self.stones[square] = self.colour
        for other in flipped:
            self.stones[other] = self.colour
        if any(self.makes_goal(stone) for stone in {square} | flipped):
            self.goal(self.colour)
        self.placed_in_turn += 1
        allowed = self.variant.turn.stones
        if self.turn_number == 1 and self.variant.turn.first_stones is not None:
            allowed = self.variant.turn.first_stones
        if self.placed_in_turn == allowed:
            self.next_turn()

    def next_turn(self) -> None:
        """The other colour is to move."""
        self.colour = OTHER[self.colour]
        self.turn_number += 1
        self.placed_in_turn = 0

    def goal(self, colour: str) -> None:
        """A colour reached the goal: it wins, or loses in misère play."""
        self.over = True
        self.winner = OTHER[colour] if self.variant.end.misere else colour

    def end_without_goal(self) -> None:
        """The board is full, both passed, or the ply cap is reached."""
        if self.over:
            return
        if len(self.stones) == len(self.squares) or self.history[-2:] == ["pass", "pass"]:
            self.over = True
            if self.variant.end.majority:
                self.count()
        elif len(self.history) == self.cap():
            self.over = True

    def count(self) -> None:
        """More stones are the goal; as many are a draw."""
        x, o = list(self.stones.values()).count("x"), list(self.stones.values()).count("o")
        if x != o:
            self.goal("x" if x > o else "o")

    def cap(self) -> int:
        """Actions after which the game is a draw; without a cap of its own, no game gets that far."""
        return self.variant.end.ply_cap or 10**9

    # What the players see

    def to_play(self) -> int:
        """The seat whose choice is next."""
        return self.seat_of[self.colour]

    def returns(self) -> tuple[int, int]:
        """1, 0 or -1 for each seat."""
        if self.winner is None:
            return 0, 0
        return (1, -1) if self.seat_of[self.winner] == 0 else (-1, 1)

    def board(self) -> dict[str, str]:
        """Stones by the name of their cell."""
        return {name_of(square): colour for square, colour in self.stones.items()}
