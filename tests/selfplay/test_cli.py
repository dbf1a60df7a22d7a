"""The command line: through pipes to the end, refusals in one line, and a quick start."""

from __future__ import annotations

import errno
import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import onnx
import pytest
from typer.testing import CliRunner, Result

import games
from games.catalogue import families
from selfplay.cli import app

ROOT = Path(__file__).parents[2]
RING = """
title = "Ring"
board = { rows = 6, columns = 8, wrap = "columns" }
move = { kind = "drop" }
turn = { stones = 2, first_stones = 1 }
end = { line = 5 }
"""


def run(*arguments: object, typed: str = "") -> Result:
    """A command in this process; typed: what comes through the pipe."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=typed)


def refused(*arguments: object, typed: str = "") -> str:
    """The one line with which a command refuses."""
    result = run(*arguments, typed=typed)
    assert result.exit_code == 2, result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    return lines[0]


def selfplay(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "selfplay", *arguments]


# --- playing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("agent", ["random", "mcts:50"])
def test_a_game_through_a_pipe_to_the_end(agent: str) -> None:
    """A program plays along: it answers each board it is shown."""
    child = subprocess.Popen(
        selfplay("play", "connect3-4x4", "--agent", agent, "--seed", "1"),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    position = games.start(games.load("connect3-4x4"))
    assert child.stdin is not None
    assert child.stdout is not None
    output = ""
    while "Moves: " not in output:
        line = child.stdout.readline()
        assert line, child.communicate()
        output += line
        if line.startswith("The agent plays "):
            position = position.play_text(line.split()[3].rstrip("."))
        if line == "    a b c d\n" and not position.is_over:
            move = position.action_text(position.legal_actions[0])
            position = position.play_text(move)
            child.stdin.write(f"{move}\n")
            child.stdin.flush()
    rest, errors = child.communicate(timeout=60)
    assert (child.returncode, rest, errors) == (0, "", "")
    assert position.is_over
    expected = {1: "You win.", -1: "The agent wins.", 0: "Draw."}[position.returns[0]]
    assert expected in output.splitlines()
    assert "\x1b" not in output
    assert " > " not in output


def test_commands_work_through_a_pipe() -> None:
    typed = "d\nundo\nhint\nthink\nmoves\nhelp\nsides\nresign\n"
    result = run("play", "connect4", "--agent", "mcts:20", typed=typed)
    assert result.exit_code == 0, result.output
    assert "You resign. The agent wins." in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("typed", ["", "d\n", "d", "\n\n", "quit\nd\n"])
def test_the_end_of_the_input_ends_the_game(typed: str) -> None:
    result = run("play", "connect4", "--agent", "random", typed=typed)
    assert result.exit_code == 0, result.output


def test_a_wrong_line_through_a_pipe_is_one_line_on_stderr() -> None:
    assert "got 'z9'" in refused("play", "connect4", "--agent", "random", typed="d\nz9\n")
    assert "isn't legal here" in refused(
        "play", "tictactoe", "--agent", "mcts:9", "--first", "me", typed="b2\nb2\n"
    )


def test_a_file_of_rules_is_played_and_the_agent_can_begin(tmp_path: Path) -> None:
    (tmp_path / "ring.toml").write_text(RING)
    result = run("play", tmp_path / "ring.toml", "--agent", "mcts:20", "--first", "agent", typed="quit\n")
    assert result.exit_code == 0
    assert result.stdout.count("The agent plays") == 1
    assert "Ring. 6 rows and 8 columns of square cells." in result.stdout


def test_an_agent_plays_what_it_was_not_trained_for_and_says_so(connect4_agent: Path) -> None:
    result = run("play", "connect4-misere", "--agent", connect4_agent, "--simulations", 8, typed="d\n")
    assert "connect4.onnx wasn't trained for these rules, but for connect4." in result.stdout
    assert "The agent plays" in result.stdout
    assert "wasn't trained" not in run("play", "connect4", "--agent", connect4_agent, typed="").stdout


def test_at_a_terminal_there_are_colours_a_prompt_and_a_clean_end() -> None:
    terminal, end = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    child = subprocess.Popen(
        selfplay("play", "connect4", "--agent", "mcts:20", "--plain"),
        cwd=ROOT,
        stdin=end,
        stdout=end,
        stderr=end,
        env=environment | {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"},
    )
    os.close(end)
    screen = b""
    for line in (b"nonsense\n", b"d\n", b"\x04"):
        screen += _read_until(terminal, b") > ")
        os.write(terminal, line)
    screen += _read_until(terminal, b"Bye.")
    assert child.wait(60) == 0
    text = screen.decode()
    assert "\x1b[1;31m●" in text
    assert "you (●) > " in text
    assert "got 'nonsense'" in text


def _read_until(terminal: int, end: bytes) -> bytes:
    """What a terminal shows until some text; gives up after a minute of silence."""
    screen = b""
    while end not in screen:
        assert select.select([terminal], [], [], 60)[0], screen
        screen += os.read(terminal, 4096)
    return screen


# --- variants -----------------------------------------------------------------------------------------------


def test_variants_lists_the_whole_catalogue_by_family() -> None:
    lines = run("variants").stdout.splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("  ")]
    headings = [line for line in lines if not line.startswith("  ")]
    assert listed == games.names()
    assert headings == list(families())
    assert max(map(len, lines)) <= 80


def test_variants_show_says_the_rules_in_words() -> None:
    text = run("variants", "show", "connect4-holes").stdout
    assert text.startswith("Connect Four with two holes (connect4-holes)\n")
    assert "Source: this project\n" in text
    assert "board   6 rows and 7 columns of square cells. No cells at c3, e3.\n" in text
    assert "goal    A player wins with 4 or more in line.\n" in text
    assert " 3  . . # . # . ." in text
    assert max(map(len, text.splitlines())) <= 80
    assert "The left and the right edge touch." in run("variants", "show", "connect4-cylinder").stdout


@pytest.mark.parametrize("name", games.names())
def test_every_variant_can_be_shown(name: str) -> None:
    result = run("variants", "show", name)
    assert result.exit_code == 0
    assert games.load(name).rules in " ".join(result.stdout.split())
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_variants_check_holds_the_engine_to_its_promises(tmp_path: Path) -> None:
    (tmp_path / "ring.toml").write_text(RING)
    result = run("variants", "check", tmp_path / "ring.toml", "--games", 3, "--playtests", 0)
    assert result.stdout == "ring: every promise holds in 3 random games.\n"


def test_variants_check_refuses_rules_that_contradict_each_other(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text(RING.replace("line = 5", "line = 50"))
    message = refused("variants", "check", tmp_path / "bad.toml")
    assert "bad.toml: line 6: end.line: expected at most 8" in message


# --- evaluating ---------------------------------------------------------------------------------------------


def test_evaluate_writes_what_it_shows(connect4_agent: Path, golden: Path, tmp_path: Path) -> None:
    suite, output = golden / "connect4_positions.jsonl", tmp_path / "result.json"
    result = run("evaluate", connect4_agent, "--suite", suite, "--simulations", 0, "--json", output)
    assert result.exit_code == 0, result.output
    written = json.loads(output.read_text())
    assert written["agent"] == "connect4.onnx"
    assert written["variant"] == {"name": "connect4", "digest": games.load("connect4").digest}
    assert set(written) == {"agent", "variant", "simulations", "versions"}
    evaluation = written["simulations"]["0"]
    assert set(evaluation) == {"sets", "mean", "by_value", "seconds"}
    positions = [score["positions"] for score in evaluation["sets"].values()]
    assert evaluation["mean"]["positions"] == sum(positions) == 800
    for name, score in evaluation["sets"].items():
        (line,) = [line for line in result.stdout.splitlines() if line.startswith(name)]
        low, high = score["intervals"]["value_preserving"]
        assert line.split()[1:6] == [
            str(score["positions"]),
            f"{score['value_preserving']:.1%}",
            f"[{100 * low:.1f},",
            f"{100 * high:.1f}]",
            f"{score['value_preserving_if_can_fail']:.1%}",
        ]
        assert line.split()[6:9] == ["of", str(score["can_fail"]), f"{score['regret']:.3f}"]


def test_evaluate_takes_several_numbers_of_simulations(connect4_agent: Path, tmp_path: Path) -> None:
    (tmp_path / "suite.jsonl").write_text('{"moves": "44", "scores": [-2, -1, 0, 1, 0, -1, -2]}\n')
    arguments = ("evaluate", connect4_agent, "--suite", tmp_path / "suite.jsonl")
    output = tmp_path / "result.json"
    result = run(*arguments, "--simulations", 4, "--simulations", 0, "--json", output)
    assert result.exit_code == 0, result.output
    assert list(json.loads(output.read_text())["simulations"]) == ["4", "0"]
    assert run(*arguments, "--json", output).exit_code == 0
    assert list(json.loads(output.read_text())["simulations"]) == ["0", "64"]


def test_a_suite_of_another_variant_is_refused(golden: Path) -> None:
    suite = golden / "connect4_positions.jsonl"
    message = refused("evaluate", "random", "--suite", suite, "--variant", "connect4-misere")
    assert "another variant's suite?" in message


def test_json_to_a_device_leaves_the_device_alone(tmp_path: Path) -> None:
    (tmp_path / "suite.jsonl").write_text('{"moves": "44", "scores": [-2, -1, 0, 1, 0, -1, -2]}\n')
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(["cat", str(tmp_path / "pipe")], stdout=subprocess.PIPE, text=True)
    assert (
        run("evaluate", "random", "--suite", tmp_path / "suite.jsonl", "--json", tmp_path / "pipe").exit_code
        == 0
    )
    assert json.loads(reader.communicate(timeout=10)[0])["agent"] == "random"
    assert (tmp_path / "pipe").is_fifo()


# --- refusals -----------------------------------------------------------------------------------------------


def test_agents_that_are_none_are_refused(connect4_agent: Path, golden: Path, tmp_path: Path) -> None:
    suite = golden / "connect4_positions.jsonl"
    (tmp_path / "corrupt.onnx").write_bytes(connect4_agent.read_bytes()[:3000])
    foreign = onnx.load(connect4_agent)
    del foreign.metadata_props[:]
    onnx.save(foreign, tmp_path / "foreign.onnx")
    for agent, message in (
        (tmp_path / "absent.onnx", "No such file"),
        (tmp_path / "corrupt.onnx", "expected an .onnx agent"),
        (tmp_path / "foreign.onnx", "expected format selfplay-agent, got nothing"),
        ("nobody", "got 'nobody'"),
        ("mcts:many", "expected mcts:N"),
    ):
        assert message in refused("play", "connect4", "--agent", agent)
        assert message in refused("evaluate", agent, "--suite", suite)


def test_a_board_that_wraps_is_refused_before_the_game(connect4_agent: Path) -> None:
    assert "wrap" in refused("play", "connect4-cylinder", "--agent", connect4_agent, typed="d\n")


def test_simulations_for_an_agent_that_names_its_own_are_refused() -> None:
    assert "got 9 for 'mcts:5'" in refused("play", "connect4", "--agent", "mcts:5", "--simulations", 9)


def test_variants_and_suites_that_are_none_are_refused(tmp_path: Path) -> None:
    assert "close: connect4" in refused("play", "conect4")
    assert "unknown variant" in refused("variants", "show", "nosuch")
    assert "No such file" in refused("evaluate", "random", "--suite", tmp_path / "absent.jsonl")
    (tmp_path / "suite.jsonl").write_text("{}\n")
    assert "line 1" in refused("evaluate", "random", "--suite", tmp_path / "suite.jsonl")


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, _data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr("models.format.write_atomically", full)
    (tmp_path / "suite.jsonl").write_text('{"moves": "44", "scores": [-2, -1, 0, 1, 0, -1, -2]}\n')
    output = tmp_path / "result.json"
    message = refused("evaluate", "random", "--suite", tmp_path / "suite.jsonl", "--json", output)
    assert message == f"error: {output}: No space left on device"


def test_an_output_with_nowhere_to_go_is_refused_at_once(tmp_path: Path) -> None:
    missing = tmp_path / "absent" / "result.json"
    result = run("evaluate", "mcts:30000", "--suite", tmp_path / "absent", "--json", missing)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


# --- starting -----------------------------------------------------------------------------------------------


def seconds(*arguments: str) -> float:
    """Best time of three, in a fresh process."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run(selfplay(*arguments), cwd=ROOT, check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return min(times)


def test_help_starts_at_once() -> None:
    assert seconds("--help") < 1.0


def test_the_command_line_itself_loads_nothing_heavy() -> None:
    heavy = {"numpy", "numba", "onnxruntime", "pettingzoo", "torch", "rich.table"}
    code = f"import sys, selfplay.cli; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_every_command_has_help_and_the_version_is_shown() -> None:
    for command in ((), ("play",), ("evaluate",), ("variants",), ("variants", "show"), ("variants", "check")):
        assert run(*command, "--help").exit_code == 0
    assert run("--version").stdout.startswith("selfplay ")


def test_ctrl_c_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("games.load", interrupted)
    result = run("variants", "show", "connect4")
    assert (result.exit_code, result.output) == (130, "")


def test_a_bug_of_ours_is_not_dressed_up_as_a_users_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("games.load", broken)
    assert isinstance(run("variants", "show", "connect4").exception, ValueError)
