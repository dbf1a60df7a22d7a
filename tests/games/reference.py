"""A second engine, slow and plain: dictionaries, rows and columns, one game at a time.

It shares no code with `games.kernels` and reads nothing but the variant's own fields, so that both engines
agreeing means that both play the rules. `tests.games.reference_board` has the board.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from games.variant import ByColour, Variant
from tests.games.reference_board import FALL, OTHER, ReferenceBoard, Square, Step, name_of, square_of

COLOUR_KEY = {"x": "first", "o": "second"}


@dataclass
class Landing:
    """What happened when stones came down.

    Attributes:
        squares: where they did.
        captured: squares of opposing stones that were taken.
        surrounded: those of them that were taken because they touched no empty square.
        changed: squares of opposing stones that changed colour.
    """

    squares: list[Square]
    captured: set[Square]
    changed: set[Square] = field(default_factory=set)
    surrounded: set[Square] = field(default_factory=set)


class ReferenceGame:
    """One game in progress; moves are texts such as `b3`, `pass` and `swap`.

    Attributes:
        history: the moves so far.
        over: whether the game has ended; winner: then the colour that won, 'x' or 'o', or None for a draw.
        table: the board.
        phase: what the next move chooses: a place or an own stone, where this stone moves, where it jumps on
            to, or what it shoots.
        held: the square of the stone that is being moved.
    """

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self.table = ReferenceBoard(variant.board)
        self.colour = "x"
        self.seat_of = {"x": 0, "o": 1}
        self.moves_in_turn, self.turn_number, self.passes = 0, 1, 0
        self.captures = {"x": 0, "o": 0}
        self.history: list[str] = []
        self.over = False
        self.winner: str | None = None
        self.phase: Literal["choose", "move", "jump on", "shoot"] = "choose"
        self.held: Square = (0, 0)
        self.heading: Step | None = None
        self.ko: Square | None = None
        self.known_legal: set[str] | None = None
        self.seen = {frozenset(self.table.stones.items())}

    # What may be played

    def legal(self) -> set[str]:
        """Every legal move."""
        if self.known_legal is None:
            self.known_legal = set() if self.over else self.find_legal()
        return set(self.known_legal)

    def find_legal(self) -> set[str]:
        """Every legal move of a game that goes on."""
        moves = {name_of(square) for square in self.choices()}
        passing = self.variant.turn.passing
        if self.phase == "jump on" and not self.variant.move.must_jump:
            moves.add("pass")
        if self.phase == "choose" and (passing == "always" or (passing == "stuck" and not moves)):
            moves.add("pass")
        if self.variant.turn.swap and len(self.history) == self.first_turn():
            moves.add("swap")
        return moves

    def choices(self) -> set[Square]:
        """The squares that may be chosen next."""
        if self.phase == "move":
            return self.targets(self.held)
        if self.phase == "jump on":
            return set(self.jumps(self.held))
        if self.phase == "shoot":
            return self.shots()
        if self.variant.move.kind in ("place", "drop"):
            return {square for square in self.table.empties() if self.may_place(square)}
        chosen = {square for square in self.own_stones() if self.targets(square)}
        if self.variant.move.kind == "clone":
            board = self.table
            chosen |= {square for square in board.empties() if board.touched[square] & self.own_stones()}
        return chosen

    def own_stones(self) -> set[Square]:
        """Stones of the colour to move."""
        return self.table.of(self.colour)

    def may_place(self, square: Square) -> bool:
        """Whether the colour to move may put a stone on an empty square."""
        move, board = self.variant.move, self.table
        if move.kind == "drop":
            under = board.beside(square, FALL[move.gravity])
            if under is not None and board.is_empty(under):
                return False
        if move.must_flip and not board.enclosed(square, self.colour):
            return False
        if move.domino and self.partner(square) is None:
            return False
        return self.is_beside(square) and square != self.ko and self.leaves_a_lawful_board(square)

    def partner(self, square: Square) -> Square | None:
        """The other square of a domino: below for x, to the right for o; None where it doesn't fit."""
        there = self.table.beside(square, (-1, 0) if self.colour == "x" else (0, 1))
        fits = there is not None and there != square and self.table.is_empty(there)
        return there if fits else None

    def is_beside(self, square: Square) -> bool:
        """Whether a square touches the stones that `move.beside` names, if the board has any."""
        board = self.table
        wanted = {
            "anywhere": set(),
            "own": self.own_stones(),
            "enemy": board.of(OTHER[self.colour]),
            "any": set(board.stones),
        }[self.variant.move.beside]
        return not wanted or bool(wanted & board.touched[square])

    def leaves_a_lawful_board(self, square: Square) -> bool:
        """Whether the rules on liberties and on repetition allow the board after a placement."""
        move, enemy = self.variant.move, OTHER[self.colour]
        if move.captures_nothing:
            after = self.table.copy()
            after.stones[square] = self.colour
            near = [there for there in after.touched[square] if after.stones.get(there) == enemy]
            if any(not after.liberties(after.group_of(there)) for there in near):
                return False
        if move.keeps_liberty and not self.has_liberty_after(square):
            return False
        return self.variant.turn.repeat != "superko" or self.is_new_after(square)

    def has_liberty_after(self, square: Square) -> bool:
        """Whether a placed stone's group touches an empty square once its captures are off the board."""
        after = self.table.copy()
        after.stones[square] = self.colour
        if self.variant.effect.surround:
            for dead in after.without_liberty(OTHER[self.colour]):
                del after.stones[dead]
        return bool(after.liberties(after.group_of(square)))

    def is_new_after(self, square: Square) -> bool:
        """Whether a placement leads to a board that the game hasn't seen."""
        after = self.table.copy()
        self.land(after, [square], set())
        return frozenset(after.stones.items()) not in self.seen

    # Where stones move

    def targets(self, square: Square) -> set[Square]:
        """Where a stone of the colour to move may go."""
        move, board = self.variant.move, self.table
        if move.kind == "clone":
            return board.two_away(square) & board.empties()
        jumps = set(self.jumps(square))
        if move.must_jump and any(self.jumps(stone) for stone in self.own_stones()):
            return jumps
        found = set(jumps)
        for step in board.directions(move.to_empty, self.colour):
            found.update(board.open_ray(square, step)[: self.reach()])
        for step in board.directions(move.to_enemy, self.colour):
            between = board.open_ray(square, step)[: self.reach() - 1]
            last = board.beside(between[-1] if between else square, step)
            if board.stones.get(last) == OTHER[self.colour]:
                found.add(last)
        return found

    def reach(self) -> int:
        """How far a stone moves in one line at most."""
        return 1 if self.variant.move.kind == "step" else 19

    def jumps(self, square: Square) -> dict[Square, Step]:
        """Where a stone may jump to, each with the first direction, clockwise from up, that leads there."""
        board, found = self.table, {}
        for step in board.directions(self.variant.move.over_enemy, self.colour):
            over = board.beside(square, step)
            if over is None or board.stones.get(over) != OTHER[self.colour]:
                continue
            behind = board.beside(over, step)
            goes_on = self.heading in (None, step)
            if behind is not None and board.is_empty(behind) and goes_on:
                found.setdefault(behind, step)
        return found

    def shots(self) -> set[Square]:
        """What the stone that has just moved may destroy."""
        board = self.table
        steps = board.directions(self.variant.move.to_empty, self.colour)
        return {square for step in steps for square in board.open_ray(self.held, step)}

    # What a move does

    def play(self, move: str) -> None:
        """Play a legal move."""
        assert move in self.legal(), move
        self.history.append(move)
        self.known_legal = None
        self.ko = None
        if move == "swap":
            self.seat_of = {"x": 1, "o": 0}
        elif move == "pass" and self.phase == "jump on":
            self.complete_move()
        elif move == "pass":
            self.passes += 1
            self.next_turn()
        else:
            self.passes = 0
            self.choose(square_of(move))
        self.seen.add(frozenset(self.table.stones.items()))
        self.end_without_goal()

    def choose(self, square: Square) -> None:
        """A square was named: a place, an own stone, where it goes, or what it shoots."""
        if self.phase == "shoot":
            self.table.destroyed.add(square)
            self.complete_move()
        elif self.phase == "choose" and square in self.table.stones:
            self.held, self.phase = square, "move"
        elif self.phase == "choose":
            self.place(square)
        else:
            self.move_to(square)

    def place(self, square: Square) -> None:
        """Put a stone, or a domino's two, on the board."""
        partner = self.partner(square) if self.variant.move.domino else None
        landing = self.come_down([square] if partner is None else [square, partner], set())
        if self.variant.turn.repeat == "ko" and len(landing.surrounded) == 1:
            group = self.table.group_of(square) if square in self.table.stones else set()
            if len(group) == 1 and len(self.table.liberties(group)) == 1:
                self.ko = min(landing.surrounded)
        self.complete_move()

    def move_to(self, target: Square) -> None:
        """Move the held stone, and let it jump on or shoot where it can."""
        move, board = self.variant.move, self.table
        step = self.jumps(self.held).get(target)
        taken = {target} & board.stones.keys() if step is None else {board.beside(self.held, step)}
        del board.stones[self.held]
        self.come_down([target], taken)
        self.held = target
        lives = board.stones.get(target) == self.colour
        if step is not None and move.chain != "none":
            self.heading = step if move.chain == "straight" else None
            if lives and self.jumps(target):
                self.phase = "jump on"
                return
        if move.shoot and lives and self.shots():
            self.phase = "shoot"
            return
        self.complete_move()

    def come_down(self, squares: list[Square], taken: set[Square]) -> Landing:
        """Land stones on the game's board, count what they capture, and look for a goal."""
        landing = self.land(self.table, squares, taken)
        self.captures[self.colour] += len(landing.captured)
        if self.reaches_goal(landing):
            self.goal(self.colour)
        return landing

    def land(self, board: ReferenceBoard, squares: list[Square], taken: set[Square]) -> Landing:
        """Put stones of the colour to move on a board, take others, and apply every effect in its order."""
        effect, own, enemy = self.variant.effect, self.colour, OTHER[self.colour]
        landing = Landing(squares, set(taken))
        remove(board, taken)
        board.stones |= dict.fromkeys(squares, own)
        if effect.take_enclosed:
            caught = [board.enclosed(square, own, exactly=effect.take_enclosed) for square in squares]
            landing.captured |= remove(board, set().union(*caught))
        if effect.flip:
            caught = [board.enclosed(square, own) for square in squares]
            landing.changed |= recolour(board, set().union(*caught), own)
        if effect.infect:
            near = set().union(*(board.touched[square] for square in squares))
            landing.changed |= recolour(board, near & board.of(enemy), own)
        if effect.surround:
            landing.surrounded = remove(board, board.without_liberty(enemy))
            landing.captured |= landing.surrounded
            remove(board, board.without_liberty(own))
        return landing

    def complete_move(self) -> None:
        """A move is done: count it, and end the turn after its last one."""
        self.phase, self.heading = "choose", None
        self.moves_in_turn += 1
        if self.moves_in_turn == (self.first_turn() if self.turn_number == 1 else self.variant.turn.stones):
            self.next_turn()

    def next_turn(self) -> None:
        """The other colour is to move."""
        self.colour = OTHER[self.colour]
        self.turn_number += 1
        self.moves_in_turn = 0

    def first_turn(self) -> int:
        """Moves of the very first turn."""
        return self.variant.turn.first_stones or self.variant.turn.stones

    # Goals

    def reaches_goal(self, landing: Landing) -> bool:
        """Whether the colour to move has reached one of its goals with a landing."""
        return (
            self.makes_line(landing)
            or any(self.is_goal(group) for group in self.groups_that_count(landing))
            or self.moves_onto_side(landing)
            or self.captures[self.colour] >= (self.own(self.variant.end.capture) or 10**9)
            or self.eliminates(landing)
        )

    def own(self, value: Any) -> Any:
        """A setting that may differ by colour, for the colour to move."""
        return getattr(value, COLOUR_KEY[self.colour]) if isinstance(value, ByColour) else value

    def makes_line(self, landing: Landing) -> bool:
        """Whether a stone that landed or changed colour is part of a line that counts."""
        wanted = self.own(self.variant.end.line)
        if wanted is None:
            return False
        stones = (set(landing.squares) | landing.changed) & self.own_stones()
        lengths = [length for square in stones for length in self.table.line_lengths(square)]
        return any(length == wanted if self.variant.end.exact else length >= wanted for length in lengths)

    def groups_that_count(self, landing: Landing) -> list[set[Square]]:
        """The groups that may connect or close a ring: the placed stone's where stones are only placed."""
        board, effect, end = self.table, self.variant.effect, self.variant.end
        if not (end.connect or end.fork or end.bridge or end.ring):
            return []
        only_placed = self.variant.move.kind in ("place", "drop") and not effect.flip and not effect.infect
        if only_placed:
            return [board.group_of(square) for square in landing.squares if square in board.stones]
        return board.regions(self.own_stones())

    def is_goal(self, group: set[Square]) -> bool:
        """Whether a group connects sides, forks, bridges or closes a ring as the rules ask."""
        end, board = self.variant.end, self.table
        wanted = set(self.own(end.connect) or ())
        return bool(
            (wanted and wanted <= board.touched_sides(group, corners_count=True))
            or (end.fork and len(board.touched_sides(group, corners_count=False)) >= end.fork)
            or (end.bridge and len(group & board.corners()) >= end.bridge)
            or (end.ring and board.has_ring(group))
        )

    def moves_onto_side(self, landing: Landing) -> bool:
        """Whether a stone has reached the side it makes for."""
        side = self.own(self.variant.end.reach)
        return side is not None and bool(set(landing.squares) & self.table.sides()[side] & self.own_stones())

    def eliminates(self, landing: Landing) -> bool:
        """Whether this landing has left the other colour without stones."""
        none_left = not self.table.of(OTHER[self.colour])
        return self.variant.end.eliminate and none_left and bool(landing.captured | landing.changed)

    # The end

    def goal(self, colour: str) -> None:
        """A colour reached the goal: it wins, or loses in misère play."""
        self.over = True
        self.winner = OTHER[colour] if self.variant.end.misere else colour

    def end_without_goal(self) -> None:
        """Between moves the game may stop; at any time the ply cap may be reached."""
        if self.over:
            return
        if self.phase == "choose" and self.stops():
            self.over = True
            self.decide()
        elif len(self.history) >= self.variant.ply_cap:
            self.over = True

    def stops(self) -> bool:
        """Whether both passed, the board is full, or nobody may pass and the colour to move is stuck."""
        fills = self.variant.move.kind in ("place", "drop", "clone")
        return (
            self.passes == 2
            or (fills and not self.table.empties())
            or (self.variant.turn.passing == "never" and not self.choices())
        )

    def decide(self) -> None:
        """The game stopped without a goal: count, or ask what it means to be stuck."""
        end = self.variant.end
        if end.count != "none":
            x, o = (self.score(colour) for colour in "xo")
            if x != o + end.komi:
                self.goal("x" if x > o + end.komi else "o")
        elif end.stuck != "draw":
            winners = {"loses": OTHER[self.colour], "wins": self.colour, "first": "x", "second": "o"}
            self.goal(winners[end.stuck])

    def score(self, colour: str) -> int:
        """What is counted at the end, for one colour, before komi."""
        board = self.table
        return board.area(colour) if self.variant.end.count == "area" else len(board.of(colour))

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
        return {name_of(square): colour for square, colour in self.table.stones.items()}

    def destroyed(self) -> set[str]:
        """Cells that were shot."""
        return {name_of(square) for square in self.table.destroyed}


def remove(board: ReferenceBoard, squares: set[Square]) -> set[Square]:
    """Take stones off a board; returns their squares."""
    for square in squares:
        del board.stones[square]
    return squares


def recolour(board: ReferenceBoard, squares: set[Square], colour: str) -> set[Square]:
    """Change the colour of stones; returns their squares."""
    board.stones |= dict.fromkeys(squares, colour)
    return squares
