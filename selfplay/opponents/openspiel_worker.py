"""OpenSpiel's MCTS behind lines of text, as a program: pyspiel holds the interpreter while it searches.

    game hex(board_size=5) 1000     ->  ready, or error and why
    move 7 3 12 a2-a3               ->  answer 0.25 17/d1 18/e1 ...

`move` gives a seed and what was played, actions or cells that an action's text names. `answer` gives the
value of the best action for the player to move, -1 to 1, then the actions with their texts, the best one
first. It imports nothing of this project, so that it starts at once.
"""

from __future__ import annotations

import re
import sys
from typing import Any

UCT_C = 2.0
MEMORY_MEGABYTES = 1000

_CELL = re.compile(r"[a-z]\d+")


def main() -> None:
    """Answer lines until the input ends."""
    game: Any = None
    simulations = 0
    for line in sys.stdin:
        kind, *words = line.split()
        try:
            if kind == "game":
                game, simulations = _load(words[0]), int(words[1])
                answer = "ready"
            else:
                answer = _answer(game, simulations, int(words[0]), words[1:])
        except Exception as error:  # noqa: BLE001 - OpenSpiel's errors are of many kinds; the line tells all
            answer = "error " + " ".join(str(error).split())[:300]
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()


def _load(text: str) -> Any:
    import pyspiel

    return pyspiel.load_game(text)


def _answer(game: Any, simulations: int, seed: int, moves: list[str]) -> str:
    import pyspiel

    state = game.new_initial_state()
    for move in moves:
        state.apply_action(_action(state, move))
    evaluator = pyspiel.RandomRolloutEvaluator(1, seed)
    bot = pyspiel.MCTSBot(game, evaluator, UCT_C, simulations, MEMORY_MEGABYTES, True, seed, False)
    root = bot.mcts_search(state)
    best = root.best_child()
    others = sorted(root.children, key=lambda child: -child.explore_count)
    ranked = [best, *(child for child in others if child.action != best.action)]
    written = [f"{child.action}/{_text(state, child.action)}" for child in ranked]
    return " ".join(["answer", f"{_value(best, state.current_player()):.4f}", *written])


def _action(state: Any, move: str) -> int:
    if move.isdigit():
        return int(move)
    named = [action for action in state.legal_actions() if _text(state, action) == move]
    if len(named) != 1:
        raise ValueError(f"expected one action called {move}, got {len(named)}")
    return int(named[0])


def _text(state: Any, action: int) -> str:
    """The cells that an action's text names, such as `a2-a3`."""
    return "-".join(_CELL.findall(state.action_to_string(action)))


def _value(child: Any, player: int) -> float:
    if child.outcome:
        return float(child.outcome[player])
    return float(child.total_reward / max(1, child.explore_count))


if __name__ == "__main__":
    main()
