"""The terminal game: what a person types, and what the board shows."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

import games
from games import MoveError, Position
from mcts import uniform_evaluator
from selfplay import Analysis, Player
from selfplay.levels import level
from selfplay.play import COLOUR, PLAIN, Table, default_agent, drawn_board, look_of
from selfplay.record import RecordError, load
from selfplay.telling import win_chance
from tests.selfplay.agents import export_agent

TORUS = games.load("tictactoe-torus")


class Screen:
    """A table whose person types given lines, and what was written."""

    def __init__(
        self,
        variant: str,
        *lines: str,
        agent: str = "random",
        human: int = 0,
        interactive: bool = True,
        hints: bool = True,
    ) -> None:
        self.file = io.StringIO()
        self.prompts: list[str] = []
        self._lines = iter(lines)
        self.table = Table(
            games.load(variant),
            Player.load(agent),
            console=Console(file=self.file, width=200),
            read=self._read,
            interactive=interactive,
            hints=hints,
        )
        self.table.play(lambda: human)

    def _read(self, prompt: str) -> str:
        self.prompts.append(prompt)
        for line in self._lines:
            return line
        raise EOFError

    @property
    def text(self) -> str:
        return self.file.getvalue()

    @property
    def played(self) -> list[str]:
        """The actions of the last game."""
        position = self.table.position
        return [position.action_text(action) for action in position.actions]


def reached(variant: str, *moves: str) -> Position:
    position = games.start(games.load(variant))
    for move in moves:
        position = position.play_text(move)
    return position


# --- the board ----------------------------------------------------------------------------------------------


def test_the_plain_board_is_the_positions_own_drawing() -> None:
    for position in (
        reached("connect4", "d", "d", "g"),
        reached("connect4-holes", "a"),
        reached("othello", "e3"),
        reached("tictactoe"),
    ):
        without_status = str(position).splitlines()[:-1]
        assert drawn_board(position, PLAIN).plain.splitlines() == without_status


def test_the_coloured_board_has_two_shapes_and_two_colours() -> None:
    board = drawn_board(reached("connect3-4x4", "a", "b"), COLOUR)
    assert board.plain.splitlines()[3] == " 1  ●[○]· ·"
    styles = {board.plain[span.start]: span.style for span in board.spans}
    assert styles["●"] != styles["○"]


def test_a_tall_board_has_its_letters_at_both_ends() -> None:
    lines = drawn_board(reached("gomoku"), PLAIN).plain.splitlines()
    assert lines[0] == lines[-1]
    assert len(lines) == 17


def test_colours_are_for_terminals_that_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)

    def console(**settings: bool) -> Console:
        return Console(file=io.TextIOWrapper(io.BytesIO(), "utf-8"), **settings)

    assert look_of(console(force_terminal=True)) is COLOUR
    assert look_of(console(force_terminal=False)) is PLAIN
    assert look_of(console(force_terminal=True, no_color=True)) is PLAIN
    assert look_of(Console(file=io.TextIOWrapper(io.BytesIO(), "ascii"), force_terminal=True)) is PLAIN


def test_a_value_is_a_chance() -> None:
    assert [win_chance(value) for value in (-1, -0.5, 0, 1)] == ["0%", "25%", "50%", "100%"]


# --- commands -----------------------------------------------------------------------------------------------


def test_a_wrong_line_is_explained_and_asked_again() -> None:
    screen = Screen("connect4", "z9", "e5", "hello", "", "d")
    assert "expected a cell from a1 to g6, got 'z9'" in screen.text
    assert "got e5, which isn't legal here" in screen.text
    assert screen.played[0] == "d1"
    assert len(screen.prompts) == 6


def test_a_wrong_line_from_a_pipe_raises() -> None:
    with pytest.raises(MoveError, match="got 'z9'"):
        Screen("connect4", "z9", interactive=False)


def test_the_board_is_shown_once_a_position() -> None:
    screen = Screen("connect4", "", "z9", "moves", "hint")
    assert screen.text.count("a b c d e f g") == 1


def test_undo_takes_back_to_the_persons_last_turn() -> None:
    screen = Screen("connect4", "d", "c", "undo", "undo", "undo")
    assert screen.played == []
    assert "There is no move of yours to take back." in screen.text


def test_undo_keeps_the_agents_first_move() -> None:
    screen = Screen("connect4", "d", "undo", human=1)
    assert len(screen.played) == 1


def test_undo_of_one_stone_of_two() -> None:
    agents = Screen("connect6-9x9", "e5", "quit").played[1:]
    free = next(cell for cell in ("a1", "b1", "c1") if cell not in agents)
    screen = Screen("connect6-9x9", "e5", free, "undo", "quit")
    assert screen.played == ["e5", *agents]


def test_undo_after_resigning_goes_on_with_the_game() -> None:
    screen = Screen("connect4", "d", "resign", "undo", "quit")
    assert "You resign. The agent wins." in screen.text
    assert len(screen.played) == 2
    assert not screen.table.resigned


def test_sides_makes_the_agent_play_in_my_place() -> None:
    screen = Screen("connect4", "sides", "quit")
    assert "You play o now." in screen.text
    assert len(screen.played) == 1
    assert screen.table.human == 1


def test_hint_names_the_winning_move() -> None:
    screen = _with_position(["hint", "quit"], agent="mcts:200")
    assert "The agent would play d4. Your chance to win: 100%." in screen


def _with_position(lines: list[str], *, agent: str) -> str:
    """What is written when the person types lines where d4 wins."""
    file, typed = io.StringIO(), iter(lines)
    table = Table(
        games.load("connect4"),
        Player.load(agent),
        console=Console(file=file, width=200),
        read=lambda _prompt: next(typed),
        interactive=True,
        hints=True,
    )
    position = reached("connect4", "d", "a", "d", "a", "d", "b")
    set_up: Callable[[int], None] = table._set_up

    def at_position(human: int) -> None:
        set_up(human)
        table.session.begin(position)

    table._set_up = at_position  # type: ignore[method-assign]
    table.play(lambda: 0)
    return file.getvalue()


def test_winning_ends_the_game_and_offers_another() -> None:
    text = _with_position(["d", "n"], agent="random")
    assert "You win." in text
    assert "Moves: d1 a1 d2 a2 d3 b1 d4" in text


def test_think_shows_each_moves_visits() -> None:
    text = Screen("tictactoe", "think", agent="mcts:50").text
    assert "move  visits  policy  your chance" in text
    table = text.partition("your chance\n")[2].splitlines()[:8]
    assert sum(int(line.split()[1]) for line in table) <= 50
    assert "it thinks nothing" in Screen("tictactoe", "think").text


def test_moves_lists_the_legal_ones_and_help_every_command() -> None:
    assert "a1 b1 c1 d1 e1 f1 g1" in Screen("connect4", "moves").text
    text = Screen("connect4", "help").text
    for word in ("undo", "hint", "think", "moves", "sides", "resign", "help", "quit", "or a alone"):
        assert word in text
    assert "alone" not in Screen("tictactoe", "help").text


def test_the_agent_says_what_it_thinks_unless_told_not_to() -> None:
    assert "Its chance to win: " in Screen("connect4", "d", agent="mcts:20").text
    assert "Its chance to win: " not in Screen("connect4", "d", agent="mcts:20", hints=False).text
    assert "Its chance to win: " not in Screen("connect4", "d", agent="random").text


def test_prompts_say_what_is_special() -> None:
    assert Screen("connect4").prompts == ["you (x) > "]
    assert Screen("gomoku-swap", human=1).prompts == ["you (o), swap is allowed > "]
    assert Screen("connect6-9x9", "e5").prompts[1] == "you (x), 2 stones to place > "


def test_a_swap_changes_the_colours() -> None:
    screen = Screen("gomoku-swap", "swap", human=1)
    assert "The colours are swapped: you play x now." in screen.text
    assert screen.prompts[-1] == "you (x) > "


# --- whole games --------------------------------------------------------------------------------------------


class FirstLegal(Player):
    """Plays the first legal action, from the top left."""

    def analyse(self, position: Position) -> Analysis:
        return super().analyse(position)._replace(action=int(position.legal_actions[0]))


def against_first_legal(*lines: str) -> str:
    """Tic-tac-toe against a3, b3, c3 in this order."""
    file, typed = io.StringIO(), iter(lines)
    table = Table(
        games.load("tictactoe"),
        FirstLegal(uniform_evaluator, None, name="first"),
        console=Console(file=file, width=200),
        read=lambda _prompt: next(typed),
        interactive=True,
        hints=True,
    )
    table.play(lambda: 0)
    return file.getvalue()


def test_a_game_that_the_agent_wins() -> None:
    text = against_first_legal("b2", "b1", "a1", "n")
    assert "The agent wins.\nMoves: b2 a3 b1 b3 a1 c3\n" in text


def test_a_game_that_the_person_wins() -> None:
    text = against_first_legal("b2", "a2", "c2", "n")
    assert "You win.\nMoves: b2 a3 a2 b3 c2\n" in text


def test_a_lost_game_can_be_taken_up_again() -> None:
    text = against_first_legal("b2", "b1", "a1", "undo", "c3", "quit")
    assert text.count("The agent wins.") == 1
    assert " 3  o o x\n 2 [o]x .\n 1  . x .\n" in text


def test_another_game_begins_with_an_empty_board() -> None:
    text = against_first_legal("b2", "a2", "c2", "y", "quit")
    assert text.count("you begin") == 2
    assert text.endswith(" 3  . . .\n 2  . . .\n 1  . . .\n    a b c\n\nBye.\n")


def test_games_of_majority_end_with_a_count() -> None:
    file = io.StringIO()
    table = Table(
        games.load("othello-6x6"),
        Player.load("random"),
        console=Console(file=file, width=200),
        read=lambda _prompt: table.position.action_text(table.position.legal_actions[0]),
        interactive=False,
        hints=True,
    )
    table.play(lambda: 0)
    board = "".join(line[3:] for line in str(table.position).splitlines()[:6])
    assert f"  x {board.count('x')}, o {board.count('o')}\n" in file.getvalue()


def test_without_a_shipped_agent_one_line_says_so_and_how_to_train_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.__path__", [str(tmp_path)])
    player, note = default_agent(TORUS, typed="my/own.toml", simulations=None, seed=0)
    assert player.name == "mcts:1000"
    assert "selfplay train my/own.toml" in note
    assert "\n" not in note
    assert default_agent(TORUS, typed="x", simulations=50, seed=0)[0].name == "mcts:50"


@pytest.mark.parametrize(
    ("shipped", "played", "said"),
    [
        ({"tictactoe-torus": "tictactoe-torus", "meta": "tictactoe"}, "tictactoe-torus", "that ships"),
        ({"tictactoe-torus": "tictactoe", "meta": "tictactoe-torus"}, "meta", "learned it among many"),
        ({"meta": "tictactoe"}, "meta", "never seen it"),
    ],
)
def test_an_agent_of_its_own_comes_before_the_one_that_plays_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shipped: dict[str, str], played: str, said: str
) -> None:
    (tmp_path / "zoo").mkdir()
    for name, learned in shipped.items():
        export_agent(tmp_path / "zoo" / f"{name}.onnx", games.load(learned))
    monkeypatch.setattr("models.__path__", [str(tmp_path)])
    player, note = default_agent(TORUS, typed="x", simulations=8, seed=0)
    assert player.name == f"{played}.onnx"
    assert said in note
    assert ("selfplay adapt x" in note) == (played == "meta")
    assert f"{played}.onnx, 8 simulations" in note
    _, note = default_agent(TORUS, typed="x", simulations=None, seed=0, level=level("expert"))
    assert f"{played}.onnx at the level expert" in note
    assert "simulations" not in note


# --- files --------------------------------------------------------------------------------------------------


def test_a_game_is_saved_and_taken_up_again(tmp_path: Path) -> None:
    file = tmp_path / "My Game.toml"
    first = Screen("connect4", "d", f"save {file}", "quit")
    assert f"Saved as {file}." in first.text
    assert load(file).players == ("me", "random")
    second = Screen("connect4", f"LOAD {file}", "quit")
    assert second.played == first.played
    assert "save FILE" in Screen("connect4", "help", "quit").text


def test_a_finished_game_can_be_saved(tmp_path: Path) -> None:
    file = tmp_path / "game.toml"
    screen = Screen("connect4", "d", "resign", f"save {file}", "n")
    assert load(file).position == screen.table.position


def test_files_that_are_no_game_of_this_variant_are_explained(tmp_path: Path) -> None:
    Screen("tictactoe", f"save {tmp_path / 'other'}", "quit")
    (tmp_path / "text").write_text("hello")
    screen = Screen(
        "connect4", f"load {tmp_path / 'other'}", f"load {tmp_path / 'text'}", f"load {tmp_path / 'none'}",
        f"save {tmp_path / 'no' / 'folder'}", "quit",
    )  # fmt: skip
    assert "expected a game of connect4, got one of tictactoe" in screen.text
    assert "expected a game as TOML" in screen.text
    assert screen.text.count("No such file or directory") == 2
    assert screen.played == []
    with pytest.raises(RecordError):
        Screen("connect4", f"load {tmp_path / 'text'}", interactive=False)
