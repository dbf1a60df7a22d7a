"""The board of the second engine: squares, what they touch, and the shapes that stones make on them.

It shares no code with `games.geometry` and reads nothing but the variant's own fields. Squares are
(row, column) with row 1 at the bottom and column 1 at the left, as on paper. Stones are 'x' (the first
colour) and 'o'.
"""

from __future__ import annotations

from collections.abc import Iterable

from games.variant import Board as BoardRules

Square = tuple[int, int]
Step = tuple[int, int]

COMPASS = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]
HEX_COMPASS = [(1, 0), (1, 1), (0, 1), (-1, 0), (-1, -1), (0, -1)]
FALL = {"down": (-1, 0), "up": (1, 0), "left": (0, -1), "right": (0, 1)}
SQUARE_WAYS = {
    "forward": [(1, 0)],
    "forward-diagonal": [(1, -1), (1, 1)],
    "sideways": [(0, -1), (0, 1)],
    "backward": [(-1, 0)],
    "backward-diagonal": [(-1, -1), (-1, 1)],
    "orthogonal": [(1, 0), (0, 1), (-1, 0), (0, -1)],
    "diagonal": [(1, 1), (-1, 1), (-1, -1), (1, -1)],
    "all": COMPASS,
}
HEX_WAYS = {
    "forward": [(1, 0), (1, 1)],
    "sideways": [(0, -1), (0, 1)],
    "backward": [(-1, 0), (-1, -1)],
    "all": HEX_COMPASS,
}
OTHER = {"x": "o", "o": "x"}
LETTERS = "abcdefghijklmnopqrs"


def square_of(name: str) -> Square:
    """`b3` is row 3, column 2."""
    return int(name[1:]), LETTERS.index(name[0]) + 1


def name_of(square: Square) -> str:
    """Row 3, column 2 is `b3`."""
    return LETTERS[square[1] - 1] + str(square[0])


def squares_of(names: Iterable[str]) -> set[Square]:
    """The squares of names such as `b3` and of blocks such as `a1:h2`."""
    found: set[Square] = set()
    for name in names:
        corners = [square_of(corner) for corner in name.split(":")]
        rows, columns = ([corner[axis] for corner in corners] for axis in (0, 1))
        found |= rectangle(min(rows), max(rows), min(columns), max(columns))
    return found


def rectangle(bottom: int, top: int, left: int, right: int) -> set[Square]:
    """All squares between four edges, the edges included."""
    return {(row, column) for row in range(bottom, top + 1) for column in range(left, right + 1)}


class ReferenceBoard:
    """Stones on squares.

    Attributes:
        squares: all squares of the board, without its holes.
        stones: 'x' or 'o' by square.
        destroyed: squares that were shot; they are never empty again.
    """

    def __init__(self, rules: BoardRules) -> None:
        self.rules = rules
        self.compass = HEX_COMPASS if rules.cells == "hex" else COMPASS
        self.squares = inside_the_shape(rules) - squares_of(rules.holes)
        self.destroyed: set[Square] = set()
        self.stones = stones_at_the_start(rules, self.squares)
        self.touched = {square: self.touching(square) & self.squares for square in self.squares}

    def copy(self) -> ReferenceBoard:
        """A board with the same stones, to try a move on."""
        other = object.__new__(ReferenceBoard)
        other.__dict__ |= self.__dict__
        other.stones, other.destroyed = dict(self.stones), set(self.destroyed)
        return other

    def is_empty(self, square: Square) -> bool:
        """Whether a stone could lie here."""
        return square not in self.stones and square not in self.destroyed

    def empties(self) -> set[Square]:
        """All squares without a stone."""
        return self.squares - self.stones.keys() - self.destroyed

    def of(self, colour: str) -> set[Square]:
        """All squares with a stone of a colour."""
        return {square for square, stone in self.stones.items() if stone == colour}

    # Steps

    def around(self, square: Square, step: Step) -> Square | None:
        """The square one step on, across an edge where edges touch; None off the board, but not on holes."""
        row, column = square[0] + step[0], square[1] + step[1]
        if self.rules.wrap in ("rows", "both"):
            row = (row - 1) % self.rules.rows + 1
        if self.rules.wrap in ("columns", "both"):
            column = (column - 1) % self.rules.columns + 1
        inside = 1 <= row <= self.rules.rows and 1 <= column <= self.rules.columns
        return (row, column) if inside else None

    def beside(self, square: Square, step: Step) -> Square | None:
        """The square one step on; None off the board and on holes."""
        there = self.around(square, step)
        return there if there in self.squares else None

    def ray(self, square: Square, step: Step) -> list[Square]:
        """The squares from a square's neighbour on, until the board ends or the ray is back at its start."""
        found: list[Square] = []
        here = self.beside(square, step)
        while here is not None and here != square:
            found.append(here)
            here = self.beside(here, step)
        return found

    def open_ray(self, square: Square, step: Step) -> list[Square]:
        """The empty squares of a ray, up to the first that isn't."""
        found: list[Square] = []
        for here in self.ray(square, step):
            if not self.is_empty(here):
                break
            found.append(here)
        return found

    def touching(self, square: Square) -> set[Square]:
        """Squares that touch a square, holes included."""
        straight = [step for step in COMPASS if 0 in step]
        all_steps = self.rules.cells == "hex" or self.rules.adjacent == 8
        near = {self.around(square, step) for step in (self.compass if all_steps else straight)}
        return {there for there in near if there is not None and there != square}

    def two_away(self, square: Square) -> set[Square]:
        """Squares at a distance of exactly two touching steps; the steps may lead over holes."""
        near = self.touching(square)
        further = {there for here in near for there in self.touching(here)}
        return (further - near - {square}) & self.squares

    def directions(self, ways: Iterable[str], colour: str) -> list[Step]:
        """The steps of some ways, clockwise from up; forward is up for x and down for o."""
        known = HEX_WAYS if self.rules.cells == "hex" else SQUARE_WAYS
        sign = 1 if colour == "x" else -1
        wanted = {(sign * row, sign * column) for way in ways for row, column in known[way]}
        return [step for step in self.compass if step in wanted]

    # Lines

    def enclosed(self, square: Square, colour: str, *, exactly: int | None = None) -> set[Square]:
        """Stones of the other colour in unbroken lines between a square and a stone of a colour."""
        caught: set[Square] = set()
        for step in self.compass:
            line: list[Square] = []
            for here in self.ray(square, step):
                if self.stones.get(here) == OTHER[colour]:
                    line.append(here)
                    continue
                if self.stones.get(here) == colour and exactly in (None, len(line)):
                    caught.update(line)
                break
        return caught

    def line_lengths(self, square: Square) -> list[int]:
        """For each axis, the different squares in the unbroken line of one colour through a stone."""
        lengths = []
        for step in self.compass[: len(self.compass) // 2]:
            line = {square}
            for way in (step, (-step[0], -step[1])):
                for here in self.ray(square, way):
                    if self.stones.get(here) != self.stones[square]:
                        break
                    line.add(here)
            lengths.append(len(line))
        return lengths

    # Groups

    def spread(self, start: Square, ground: set[Square]) -> set[Square]:
        """All squares of the ground that a walk of touching steps on it reaches."""
        reached, waiting = {start}, [start]
        while waiting:
            fresh = (self.touched[waiting.pop()] & ground) - reached
            reached |= fresh
            waiting += fresh
        return reached

    def regions(self, ground: set[Square]) -> list[set[Square]]:
        """The connected parts of the ground."""
        parts: list[set[Square]] = []
        left = set(ground)
        while left:
            parts.append(self.spread(next(iter(left)), ground))
            left -= parts[-1]
        return parts

    def group_of(self, square: Square) -> set[Square]:
        """The group of a stone."""
        return self.spread(square, self.of(self.stones[square]))

    def liberties(self, group: set[Square]) -> set[Square]:
        """Empty squares that touch a group."""
        return self.neighbours(group) & self.empties()

    def without_liberty(self, colour: str) -> set[Square]:
        """All stones of a colour whose group touches no empty square."""
        stones, empties = self.of(colour), self.empties()
        breathing = {square for square in stones if self.touched[square] & empties}
        parts = self.regions(stones - breathing)
        return {square for part in parts if not self.neighbours(part) & breathing for square in part}

    def neighbours(self, group: set[Square]) -> set[Square]:
        """Squares that touch a group and aren't part of it."""
        return {there for square in group for there in self.touched[square]} - group

    def area(self, colour: str) -> int:
        """Stones of a colour, and squares of empty regions that touch stones of this colour only."""
        total = len(self.of(colour))
        for region in self.regions(self.empties()):
            borders = {self.stones.get(there) for there in self.neighbours(region)}
            if borders - {None} == {colour}:
                total += len(region)
        return total

    # Sides

    def sides(self) -> dict[str, set[Square]]:
        """The squares on each side of the board, corners included; edges that touch are no sides."""
        rows, columns = self.rules.rows, self.rules.columns
        edges = {
            "top": {(row, column) for row, column in self.squares if row == rows},
            "right": {(row, column) for row, column in self.squares if column == columns},
            "bottom": {(row, column) for row, column in self.squares if row == 1},
            "left": {(row, column) for row, column in self.squares if column == 1},
            "diagonal": {(row, column) for row, column in self.squares if row == column},
            "upper-left": {(row, column) for row, column in self.squares if row - column == rows // 2},
            "lower-right": {(row, column) for row, column in self.squares if column - row == rows // 2},
        }
        names = {
            "full": {"top", "right", "bottom", "left"},
            "triangle": {"top", "left", "diagonal"},
            "hexagon": edges.keys() - {"diagonal"},
        }[self.rules.shape]
        gone = {"rows": {"top", "bottom"}, "columns": {"left", "right"}, "both": names}
        return {name: edges[name] for name in names - gone.get(self.rules.wrap, set())}

    def corners(self) -> set[Square]:
        """Squares on two sides."""
        sides = self.sides().values()
        return {square for square in self.squares if sum(square in side for side in sides) > 1}

    def touched_sides(self, group: set[Square], *, corners_count: bool) -> set[str]:
        """The sides on which a group has a stone."""
        stones = group if corners_count else group - self.corners()
        return {name for name, side in self.sides().items() if side & stones}

    def has_ring(self, group: set[Square]) -> bool:
        """Whether a hexagonal group runs round a square of any content, its own stones included.

        It does if a walk from that square, never onto the group again, can't get to the edge of the board.
        """
        edge = {square for square in self.squares if len(self.touched[square]) < len(HEX_COMPASS)}
        outside = {square for part in self.regions(self.squares - group) if part & edge for square in part}
        return any(not self.touched[square] & outside for square in self.squares - edge - outside)


def inside_the_shape(rules: BoardRules) -> set[Square]:
    """The squares of a full board, triangle or hexagon, before holes are taken out."""
    everything = rectangle(1, rules.rows, 1, rules.columns)
    if rules.shape == "triangle":
        return {(row, column) for row, column in everything if column <= row}
    if rules.shape == "hexagon":
        return {(row, column) for row, column in everything if abs(row - column) <= rules.rows // 2}
    return everything


def stones_at_the_start(rules: BoardRules, squares: set[Square]) -> dict[Square, str]:
    """The set-up: a pattern, squares that it leaves empty, and single stones."""
    left = squares - squares_of(rules.setup.empty)
    stones = {square: colour for square, colour in pattern(rules).items() if square in left}
    for colour, names in (("x", rules.setup.first), ("o", rules.setup.second)):
        stones |= dict.fromkeys(squares_of(names), colour)
    return stones


def pattern(rules: BoardRules) -> dict[Square, str]:
    """The stones of a set-up's pattern, wherever they fall."""
    rows, columns, depth = rules.rows, rules.columns, rules.setup.depth
    low, left = rows - rows // 2, columns // 2
    high, right = low + 1, left + 1
    if rules.setup.pattern == "checkerboard":
        return {square: "xo"[sum(square) % 2] for square in rectangle(1, rows, 1, columns)}
    if rules.setup.pattern == "rows":
        lowest, highest = rectangle(1, depth, 1, columns), rectangle(rows - depth + 1, rows, 1, columns)
        return dict.fromkeys(lowest, "x") | dict.fromkeys(highest, "o")
    if rules.setup.pattern == "corners":
        return {(rows, 1): "x", (1, columns): "x", (rows, columns): "o", (1, 1): "o"}
    if rules.setup.pattern == "centre":
        return {(low, left): "x", (high, right): "x", (high, left): "o", (low, right): "o"}
    return {}
