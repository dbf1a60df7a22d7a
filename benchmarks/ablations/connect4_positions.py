"""Draw Connect Four positions in which a mistake is possible, with the exact score of every move.

    .venv-peers/bin/python benchmarks/ablations/connect4_positions.py

What training is tuned on mustn't be what it is measured by, so ablations don't look at the golden positions:
these are others, solved by BitBully (an outside engine with an opening database, in the peers' environment).
Two sets come from random games, two from games in which most moves are best ones; all positions differ, also
in the mirror, and from the golden ones.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path

import bitbully

GOLDEN = Path(__file__).parents[2] / "tests" / "golden" / "connect4_positions.jsonl"
COLUMNS = 7
EARLY, MIDDLE = range(6, 13), range(13, 25)
"""Stones on the board."""

SETS = {
    "random-early": (EARLY, 0.0),
    "random-middle": (MIDDLE, 0.0),
    "good-early": (EARLY, 0.8),
    "good-middle": (MIDDLE, 0.8),
}
"""Stones, and the share of moves that are among the best; the others are random."""


def main() -> None:
    """Write all sets."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--number", type=int, default=1000, help="positions of each set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".jsonl"))
    arguments = parser.parse_args()
    lines = positions(arguments.number, random.Random(arguments.seed), golden())
    arguments.output.write_text("".join(f"{line}\n" for line in lines))


def positions(number: int, draw: random.Random, taken: set[int]) -> Iterator[str]:
    """Lines of a suite, `number` a set; positions that were taken aren't drawn."""
    solver = bitbully.BitBully()
    for name, (stones, share) in SETS.items():
        found = 0
        while found < number:
            moves = game(solver, draw, draw.choice(stones), share)
            if moves is None or identities(moves) & taken:
                continue
            scores = solver.score_all_moves(bitbully.Board(moves))
            if len({(score > 0) - (score < 0) for score in scores.values()}) < 2:
                continue
            taken |= identities(moves)
            found += 1
            digits = "".join(str(column + 1) for column in moves)
            row = {"set": name, "moves": digits, "scores": [scores.get(c) for c in range(COLUMNS)]}
            yield json.dumps(row)


def game(solver: bitbully.BitBully, draw: random.Random, plies: int, share: float) -> list[int] | None:
    """The columns of so many plies; None if the game ends with them."""
    board, moves = bitbully.Board(), []
    for _ in range(plies):
        choices = board.legal_moves()
        if draw.random() < share:
            scores = solver.score_all_moves(board)
            choices = [column for column, score in scores.items() if score == max(scores.values())]
        moves.append(draw.choice(sorted(choices)))
        board.play(moves[-1])
        if board.is_game_over():
            return None
    return moves


def golden() -> set[int]:
    """Identities of the golden positions."""
    rows = map(json.loads, GOLDEN.read_text().splitlines())
    return {number for row in rows for number in identities([int(digit) - 1 for digit in row["moves"]])}


def identities(moves: list[int]) -> set[int]:
    """Of a position and its mirror image."""
    board = bitbully.Board(moves)
    return {board.uid(), board.mirror().uid()}


if __name__ == "__main__":
    main()
