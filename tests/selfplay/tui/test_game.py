"""The app as people use it: keys and clicks in, the game and the panels as they are then."""

from __future__ import annotations

from pathlib import Path

from models.format import zoo_file
from selfplay import record
from selfplay.clock import TimeControl
from selfplay.levels import LEVELS
from selfplay.session import Result
from selfplay.tui.keys import KEYS, MOVING
from selfplay.tui.screens.ask import AskScreen, PickScreen
from selfplay.tui.screens.choose import ChooseScreen
from selfplay.tui.screens.setup import SetupScreen
from selfplay.tui.screens.text import TextScreen
from selfplay.tui.thinking import Thought
from tests.selfplay.tui.driver import Driver, drive

# --- moves --------------------------------------------------------------------------------------------------


def test_moves_by_cursor_by_mouse_and_typed_are_answered() -> None:
    async def steps(app: Driver) -> None:
        for way in (app.press("up", "up", "left", "enter"), app.click("a3"), app.move("a3")):
            await way
            await app.my_turn()
            assert app.played[0] == "a3"
            assert len(app.played) == 2
            assert "Your move" in app.text("#status")
            assert app.text("#moves").split() == ["1.a3", f"2.{app.played[1]}"]
            await app.press("g")

    drive(steps)


def test_wrong_moves_are_refused_in_a_line() -> None:
    async def steps(app: Driver) -> None:
        await app.move("b2")
        await app.my_turn()
        await app.click("b2")
        assert app.text("#status") == "b2 can't be played here."
        await app.move("z9")
        assert "expected a cell from a1 to c3, got 'z9'" in app.text("#status")
        assert app.board.has_focus
        late = Thought(app.position, None, int(app.position.legal_actions[0]), is_final=True, is_move=True)
        app.game.post_message(late)
        await app.press("l")
        assert len(app.played) == 2, "what an agent has found too late is no move of a person"

    drive(steps)


def test_any_cell_of_a_lane_will_do_in_a_drop_game() -> None:
    async def steps(app: Driver) -> None:
        await app.click("d5")
        assert app.played[0] == "d1"

    drive(steps, "connect4")


def test_a_move_of_two_choices_by_mouse_shows_its_origin_and_can_be_given_up() -> None:
    async def steps(app: Driver) -> None:
        await app.click("b2")
        assert app.text("#status") == "● Your move: b2 moves"
        assert app.board.view.chosen == app.position.parse_action("b2")
        await app.press("escape")
        assert app.played == []
        await app.click("b2")
        await app.click("c2")  # another stone instead
        await app.click("c3")
        assert app.played[:2] == ["c2", "c3"]

    drive(steps, "breakthrough-5x5")


def test_undo_and_redo() -> None:
    async def steps(app: Driver) -> None:
        await app.move("b2")
        await app.my_turn()
        before = app.played
        await app.press("u")
        assert app.played == []
        await app.press("u")
        assert app.text("#status") == "There is no move to take back."
        await app.press("r")
        assert app.played == before

    drive(steps)


def test_a_swap_is_typed() -> None:
    async def steps(app: Driver) -> None:
        await app.my_turn()
        assert "swap is allowed" in app.text("#status")
        await app.move("swap")
        assert app.played[1] == "swap"

    drive(steps, "hex-4", person=1)


# --- seats and games ----------------------------------------------------------------------------------------


def test_sides_are_swapped_and_the_agent_takes_over() -> None:
    async def steps(app: Driver) -> None:
        await app.press("s")
        await app.my_turn()
        assert app.game.session.people == [1]
        assert len(app.played) == 1
        await app.press("t")
        await app.until(lambda: app.game.session.result)
        assert app.position.is_over
        await app.press("g")
        await app.until(lambda: app.played)

    drive(steps)


def test_resigning_takes_two_keys() -> None:
    async def steps(app: Driver) -> None:
        await app.press("x")
        assert app.game.session.result is None
        await app.press("x")
        assert app.game.session.result == Result(1, "resignation")
        assert app.text("#status") == "○ random wins by resignation."
        await app.click("b2")
        assert "The game is over" in app.text("#status")

    drive(steps)


def test_paused_agents_play_step_by_step() -> None:
    async def steps(app: Driver) -> None:
        await app.press("p", "g")
        assert "paused" in app.text("#status")
        for plies in (1, 2):
            await app.press("full_stop")
            await app.until(lambda plies=plies: len(app.played) == plies)
        await app.press("p")
        await app.until(lambda: app.position.is_over)

    drive(steps, person=None)


def test_two_agents_are_watched() -> None:
    async def steps(app: Driver) -> None:
        assert app.game.session.names == ("random", "mcts:20")
        await app.until(lambda: app.position.is_over)
        values = app.game.session.values_of_first()
        assert values[:-1:2] == [None] * len(values[:-1:2]), "who plays at random knows nothing"
        assert None not in values[1:-1:2][:2]

    drive(steps, against="mcts:20", person=None)


def test_another_variant_is_chosen_by_a_part_of_its_name() -> None:
    async def steps(app: Driver) -> None:
        await app.press("s", "n")
        assert isinstance(app.app.screen, ChooseScreen)
        await app.type("hex-5")
        await app.my_turn()
        assert app.game.session.people == [1], "seats stay as they were"
        assert app.position.variant.name == "hex-5"
        assert "Hex" in app.text("#title")

    drive(steps)


def test_a_file_that_is_no_variant_is_refused_where_it_was_typed(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("name = 1\n")

    async def steps(app: Driver) -> None:
        await app.press("n")
        for text in (str(tmp_path / "bad.toml"), str(tmp_path / "none.toml")):
            await app.type(text)
            assert text in app.on_top(".note")
        await app.press("escape")
        assert app.position.variant.name == "tictactoe"

    drive(steps)


def test_a_level_is_chosen_from_a_list() -> None:
    async def steps(app: Driver) -> None:
        await app.press("v")
        assert isinstance(app.app.screen, PickScreen)
        await app.press("home", "enter")
        assert app.game.agents.level is not None
        assert app.game.agents.level.name == "beginner"
        assert "beginner" in app.text("#title")
        assert app.game.session.seats[1].simulations == 16  # type: ignore[union-attr]

    drive(steps, agent="mcts:50")


def test_clocks_run_and_a_flag_loses() -> None:
    async def steps(app: Driver) -> None:
        await app.until(lambda: app.game.session.result)
        assert app.game.session.result == Result(1, "time")
        assert "wins on time" in app.text("#status")

    drive(steps, control=TimeControl(0.3))


def test_clocks_are_asked_for() -> None:
    async def steps(app: Driver) -> None:
        await app.press("c")
        assert isinstance(app.app.screen, AskScreen)
        await app.type("x")
        assert "expected a time such as 5 or 5+3" in app.text("#status")
        await app.press("c")
        await app.type("3+2")
        assert app.game.session.clock.control == TimeControl(180, 2)
        assert "3:00" in app.text("#players") or "2:59" in app.text("#players")

    drive(steps)


# --- thoughts -----------------------------------------------------------------------------------------------


def test_a_hint_shows_the_winning_move_and_the_analysis_what_is_proven() -> None:
    async def steps(app: Driver) -> None:
        for move in ("a1", "a3", "b1", "b3"):
            app.game.session.play_text(move)
        app.game.go_on()
        await app.press("h")
        await app.until(lambda: "would play" in app.text("#status"))
        assert app.text("#status") == "The agent would play c1; your chance to win: 100%."
        assert app.board.cursor == app.position.parse_action("c1")
        await app.press("a")
        await app.until(lambda: app.game.found is not None)
        assert app.text("#analysis").splitlines()[1].split() == ["c1", "0", "100%", "wins"]

    drive(steps, agent="mcts:50")


def test_analysis_fills_the_panel_the_chart_and_the_map() -> None:
    async def steps(app: Driver) -> None:
        assert app.text("#analysis") == "a: live analysis"
        await app.press("a")
        await app.until(lambda: app.game.found is not None)
        assert app.text("#analysis").startswith("move   visits policy chance")
        assert "Win chance ● " in app.text("#outlook")
        assert app.text("#chances").strip()
        assert not app.board.view.heat
        await app.press("m")
        assert abs(sum(app.board.view.heat.values()) - 1) < 1e-3
        await app.press("m", "m")
        assert not app.board.view.heat
        await app.press("a")
        assert app.game.found is None

    drive(steps, agent="mcts:50")


# --- positions and files ------------------------------------------------------------------------------------


def test_a_position_is_set_up_and_played_from() -> None:
    async def steps(app: Driver) -> None:
        await app.press("e")
        assert isinstance(app.app.screen, SetupScreen)
        await app.press("up", "up", "left", "1", "right", "1", "right", "1", "p")
        assert "has reached a goal" in app.on_top("#wrong")
        await app.press("2", "t", "t", "p")
        await app.my_turn()
        assert app.position.state.cells[0].tolist() == [1, 1, 2, 0, 0, 0, 0, 0, 0]
        assert "Your move" in app.text("#status")

    drive(steps)


def test_a_game_is_saved_and_opened(tmp_path: Path) -> None:
    path = tmp_path / "game.toml"

    async def steps(app: Driver) -> None:
        await app.move("b2")
        await app.my_turn()
        played = app.played
        await app.press("w")
        await app.type(str(path))
        assert record.load(path).players == ("me", "random")
        await app.press("g", "o")
        assert app.played == []
        await app.type(str(path))
        assert app.played == played
        await app.press("o")
        await app.type(str(tmp_path / "none"))
        assert "No such file" in app.text("#status")
        (tmp_path / "mine.toml").write_text("precious")
        await app.press("w")
        await app.type(str(tmp_path / "mine.toml"))
        assert "expected a new file" in app.text("#status")
        assert (tmp_path / "mine.toml").read_text() == "precious"

    drive(steps)


# --- screens ------------------------------------------------------------------------------------------------


def test_help_rules_and_light_colours_come_and_go() -> None:
    async def steps(app: Driver) -> None:
        assert app.app.current_theme.dark
        await app.press("d")
        assert not app.app.current_theme.dark
        for key in ("question_mark", "i"):
            await app.press(key)
            assert isinstance(app.app.screen, TextScreen)
            await app.press("escape")
            assert app.app.screen is app.game

    drive(steps)


def test_the_documentation_names_every_key_and_level() -> None:
    text = (Path(__file__).parents[3] / "docs" / "terminal.md").read_text()
    for shown, words in [*MOVING, *((key.shown, key.words) for key in KEYS)]:
        assert f"| {shown} | {words} |\n" in text
    for each in LEVELS:
        assert f"| {each.name} | {each.simulations} | {each.temperature:g} | {each.words} |\n" in text


def test_a_large_board_scrolls_with_the_cursor() -> None:
    async def steps(app: Driver) -> None:
        assert app.board.max_scroll_y > 0
        app.board.point_at(app.position.parse_action("a1"))
        await app.until(lambda: app.board.scroll_y == app.board.max_scroll_y)

    drive(steps, "connect6", size=(60, 16))


def test_the_latest_agent_of_a_run_is_watched_game_after_game(tmp_path: Path) -> None:
    agent = zoo_file("connect4.onnx").read_bytes()

    async def steps(app: Driver) -> None:
        await app.until(lambda: "expected a run that has exported an agent" in app.text("#status"))
        (tmp_path / "agent.onnx").write_bytes(agent)
        await app.until(lambda: app.game.loaded)
        first = app.game.loaded
        assert app.game.is_watching
        await app.until(lambda: app.position.ply > 4)
        await app.until(lambda: app.game.loaded not in (None, first))
        assert app.position.ply < 4, "the agent was loaded anew for a new game"

    drive(steps, "connect4", person=None, run=tmp_path)
