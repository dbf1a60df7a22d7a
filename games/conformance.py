"""The contract of a variant, executable: `check(variant)` holds every promise against random games.

It runs on the whole catalogue, and on a variant of your own:

    games.conformance.check(games.load("my-variant.toml"))
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from games import kernels
from games.conformance_kernels import draw_actions, seat_values
from games.encoding import EXTRA_ACTIONS, MAX_SIZE, PLANES, Observation
from games.errors import ConformanceError, MoveError
from games.group_kernels import rebuild_groups
from games.position import Position, observe, start, swap_action
from games.rules import EMPTY, FIRST, HAS_GROUPS, HOLE, IS_PLAIN, MAX_LEGAL, SECOND
from games.state import (
    BEGIN,
    COLOUR,
    DRAW,
    EMPTIES,
    FIRST_WINS,
    ORIGIN,
    PHASE,
    SECOND_WINS,
    STATUS,
    State,
    copied,
)
from games.symmetry import symmetries
from games.variant import Board, End, Variant

_CANARY = -77
"""Fills the memory behind a buffer, to see whether somebody writes there."""


def check(variant: Variant, *, games: int = 50, seed: int = 0) -> None:
    """Play random games of a variant and hold the engine's promises against every position.

    Args:
        variant: any variant.
        games: number of random games.
        seed: of the games.

    Raises:
        ConformanceError: a promise is broken; the message shows which, and the board.
    """
    random = np.random.default_rng(seed)
    _check_texts(variant)
    images = symmetries(variant)
    for _ in range(games):
        _check_game(variant, images[random.integers(len(images))], random)


def _check_texts(variant: Variant) -> None:
    """The variant survives TOML, every action survives its text, and no two share one."""
    position = start(variant)
    again = Variant.from_toml(variant.to_toml(), name="another name")
    same = again == variant and again.digest == variant.digest
    _expect(same, position, "reading its own TOML changes the variant")
    texts = [position.action_text(action) for action in range(variant.n_actions)]
    _expect(len(set(texts)) == len(texts), position, "two actions have the same text")
    for action, text in enumerate(texts):
        _expect(position.parse_action(text) == action, position, f"the text {text!r} means another action")


def _check_game(variant: Variant, image: NDArray[np.int32], random: np.random.Generator) -> None:
    """One random game, and beside it the same game seen through a symmetry."""
    position, mirrored = start(variant), start(variant)
    while not position.is_over:
        _check_position(position)
        _check_mirrored(position, mirrored, image)
        action = _choose(position, random)
        following = _check_step(position, action)
        position, mirrored = following, mirrored.play(int(image[action]))
    _check_end(position)
    _check_mirrored(position, mirrored, image)


def _choose(position: Position, random: np.random.Generator) -> int:
    """A random legal action; where SWAP is legal it is taken half of the time, to see it often."""
    swap = swap_action(position.variant)
    if position.legal_mask[swap] and random.integers(2):
        return swap
    return int(random.choice(position.legal_actions))


def _check_position(position: Position) -> None:
    """Everything that holds in a position where the game goes on."""
    legal = position.legal_actions
    _expect(len(legal) > 0, position, "the game goes on, but there is no legal action")
    _expect(position.returns == (0, 0), position, "the game goes on, but there is a result")
    _expect(position.ply < position.variant.ply_cap, position, "the game goes on past the ply cap")
    _check_listing(position)
    _check_drawing(position)
    _check_observation(position)


def _check_listing(position: Position) -> None:
    """The list of legal actions has no doubles, keeps its bound, and stays in its buffer."""
    bound = int(position.rules.flags[0, MAX_LEGAL])
    buffer = np.full(bound + 1 + 8, _CANARY, np.int16)
    n_legal = kernels.list_legal(position.rules, position.state, 0, buffer, 0)
    _expect(n_legal <= bound, position, f"{n_legal} legal actions, MAX_LEGAL promised at most {bound}")
    _expect(bool((buffer[bound + 1 :] == _CANARY).all()), position, "list_legal writes behind its buffer")
    _expect(len(set(buffer[:n_legal].tolist())) == n_legal, position, "an action is listed twice")


def _check_drawing(position: Position) -> None:
    """Random actions are legal ones, and drawing them doesn't change the position."""
    before = _content(position)
    drawn = np.empty(8, np.int16)
    room = int(position.rules.flags[0, MAX_LEGAL]) + 1
    buffer = np.full(room + position.variant.n_actions, _CANARY, np.int16)
    scratch = buffer[:room]
    draw_actions(position.rules, position.state, kernels.seed_streams(position.ply, 1), scratch, drawn)
    _expect(bool((buffer[room:] == _CANARY).all()), position, "drawing an action writes behind its buffer")
    for action in drawn.tolist():
        text = position.action_text(action)
        _expect(bool(position.legal_mask[action]), position, f"{text} was drawn, but isn't legal")
    _expect(_content(position) == before, position, "drawing an action changes the state")


def _check_observation(position: Position) -> None:
    """What a network sees is the position, and looking doesn't change it."""
    before = _content(position)
    seen = position.observation()
    _expect(_content(position) == before, position, "observing changes the state")
    cells = position.state.cells[0]
    own = FIRST + int(position.state.info[0, COLOUR])
    expected = {
        "on_board": cells != HOLE,
        "own": cells == own,
        "opponent": (cells != EMPTY) & (cells != HOLE) & (cells != own),
        "legal_cell": position.legal_mask[: len(cells)],
        "origin": np.arange(len(cells)) == position.state.info[0, ORIGIN],
        "own_goal": _goal_cells(position, own - FIRST),
        "opponent_goal": _goal_cells(position, SECOND - own),
    }
    for name, plane in zip(PLANES, seen.planes[0], strict=True):
        shown = np.array_equal(plane.ravel(), expected[name])
        _expect(shown, position, f"the plane {name} doesn't show the position")
    _expect(np.array_equal(seen.legal[0], position.legal_mask), position, "the observed legal actions differ")
    _check_padding(position, seen)


def _goal_cells(position: Position, colour: int) -> NDArray[np.bool_]:
    """bool `[C]`: the cells of the sides that a colour has to connect or to reach."""
    variant = position.variant
    reach = variant.reaches[colour]
    sides = {*variant.connects[colour], *([reach] if reach else [])}
    cells = sorted(set().union(*(variant.sides[side] for side in sides)))
    goal = np.zeros(variant.n_actions - EXTRA_ACTIONS, np.bool_)
    goal[cells] = True
    return goal


def _check_padding(position: Position, seen: Observation) -> None:
    """On a larger canvas the same planes stand at the top left, and the rest is empty."""
    rows, columns = seen.planes.shape[2:]
    padded = observe([position, _start_on(min(rows + 1, MAX_SIZE), min(columns + 2, MAX_SIZE))])
    planes = padded.planes[0]
    kept = np.array_equal(planes[:, :rows, :columns], seen.planes[0])
    _expect(kept, position, "padding changes the planes")
    _expect(planes.sum() == seen.planes.sum(), position, "the padding isn't empty")
    _expect(padded.legal[0].sum() == seen.legal.sum(), position, "padding changes the legal actions' number")
    extra = np.array_equal(padded.legal[0, -EXTRA_ACTIONS:], seen.legal[0, -EXTRA_ACTIONS:])
    _expect(extra, position, "padding moves PASS or SWAP")
    _expect(np.array_equal(padded.rules[0], seen.rules[0]), position, "padding changes the rule features")


@cache
def _start_on(rows: int, columns: int) -> Position:
    """The start of some other variant on a board of a size."""
    return start(Variant(board=Board(rows=rows, columns=columns), end=End(count="stones")))


def _check_step(position: Position, action: int) -> Position:
    """Play an action; the position stays as it was, and only what the action does is changed in the next."""
    before = _content(position)
    following = position.play(action)
    unchanged = _content(position) == before
    _expect(unchanged, position, f"playing {position.action_text(action)} changes the position")
    _expect(following.ply == position.ply + 1, following, "an action isn't counted as one")
    played = following.actions == (*position.actions, action)
    _expect(played, following, "the list of actions isn't what was played")
    _check_cells(position, following, action)
    return following


def _check_cells(position: Position, following: Position, action: int) -> None:
    """Cells change as the rules say, and what is counted along the way is what a count finds."""
    if position.rules.flags[0, IS_PLAIN]:
        _check_placed(position, following, action)
    old, new = position.state.cells[0], following.state.cells[0]
    half_way = following.state.info[0, PHASE] != BEGIN and following.state.info[0, ORIGIN] == action
    chosen = half_way and position.state.info[0, PHASE] == BEGIN
    _expect(not chosen or np.array_equal(old, new), following, "choosing a stone changes the board")
    _expect(bool((new[old == HOLE] == HOLE).all()), following, "a hole became a cell")
    empties = np.count_nonzero(new == EMPTY)
    _expect(following.state.info[0, EMPTIES] == empties, following, "EMPTIES is miscounted")
    _check_groups(following)


def _check_placed(position: Position, following: Position, action: int) -> None:
    """A stone lies where it was placed, others only change colour, and only where stones flip."""
    old, new = position.state.cells[0], following.state.cells[0]
    own = FIRST + int(position.state.info[0, COLOUR])
    changed = set(np.flatnonzero(old != new).tolist())
    placed = {action} if action < len(old) else set()
    _expect(placed <= changed, following, f"no stone was placed on {position.action_text(action)}")
    flipped = sorted(changed - placed)
    allowed = position.variant.effect.flip and bool(placed)
    _expect(allowed or not flipped, following, "cells change that the action doesn't touch")
    _expect(bool((new[flipped] == own).all()), following, "a stone flips to the wrong colour")
    _expect(bool((old[flipped] == 3 - own).all()), following, "a cell flips that held no opposing stone")


def _check_groups(position: Position) -> None:
    """The groups that were kept up to date are those that a search from scratch finds."""
    if not position.rules.flags[0, HAS_GROUPS]:
        return
    state = position.state
    again = copied(state)
    rebuild_groups(position.rules, again, 0, 0, FIRST)
    kept, found = _groups(state), _groups(again)
    _expect(kept == found, position, f"groups went out of step: {kept} kept, {found} found")


def _groups(state: State) -> dict[frozenset[int], tuple[int, int]]:
    """Groups as sets of cells, with their borders and size, and their liberties where those are counted."""
    stones = np.flatnonzero((state.cells[0] == FIRST) | (state.cells[0] == SECOND)).tolist()
    groups: dict[int, set[int]] = {}
    for cell in stones:
        groups.setdefault(int(state.heads[0, cell]), set()).add(cell)
    liberties = state.liberties[0] if state.liberties.size else np.zeros_like(state.members[0])
    return {
        frozenset(cells): (int(state.members[0, head]), int(liberties[head]))
        for head, cells in groups.items()
    }


def _check_end(position: Position) -> None:
    """The game is over with one result, the same seen from both seats, and nothing can be played any more."""
    status = int(position.state.info[0, STATUS])
    _expect(
        status in {FIRST_WINS, SECOND_WINS, DRAW}, position, f"the game has no known status, but {status}"
    )
    _expect(position.returns in {(1, -1), (-1, 1), (0, 0)}, position, "the results don't sum to zero")
    values = np.empty(2)
    seat_values(position.state, 0, values)
    _expect(values.tolist() == list(position.returns), position, "value_for_seat and returns differ")
    _expect(position.ply <= position.variant.ply_cap, position, "the game is longer than the ply cap")
    _expect(len(position.legal_actions) == 0, position, "the game is over, but an action is legal")
    try:
        position.play(0)
    except MoveError:
        return
    _expect(False, position, "the game is over, but a move is accepted")


def _check_mirrored(position: Position, mirrored: Position, image: NDArray[np.int32]) -> None:
    """A symmetry keeps what is legal, what is seen, whose turn it is, and the result."""
    _expect(
        _course(position) == _course(mirrored),
        position,
        f"a symmetry changes the game's course; it leads to\n{mirrored}",
    )
    legal = np.array_equal(mirrored.legal_mask[image], position.legal_mask)
    _expect(legal, position, f"a symmetry changes what is legal; it leads to\n{mirrored}")
    seen, other = position.observation(), mirrored.observation()
    cells = image[: position.state.cells.shape[1]]
    moved = other.planes.reshape(len(PLANES), -1)[:, cells]
    same = np.array_equal(moved, seen.planes.reshape(len(PLANES), -1))
    _expect(same, position, "a symmetry changes the planes")
    _expect(np.array_equal(other.rules, seen.rules), position, "a symmetry changes the rule features")


def _course(position: Position) -> tuple[bool, tuple[int, int], int]:
    return position.is_over, position.returns, position.to_play


def _content(position: Position) -> tuple[bytes, bytes]:
    return position.state.cells.tobytes(), position.state.info.tobytes()


def _expect(holds: bool, position: Position, broken: str) -> None:
    """Raise unless a promise holds."""
    if not holds:
        played = " ".join(position.action_text(action) for action in position.actions)
        raise ConformanceError(
            f"{position.variant.name}: {broken}\n{position}\nplayed: {played or 'nothing yet'}"
        )
