"""Whatever a program does, its user gets lines or one clear error, and nothing is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from selfplay.opponents.process import LONGEST_LINE, EngineError, LineProcess
from tests.selfplay.opponents.engines import program

SOON, LATE = 0.3, 20.0


def read(process: LineProcess, seconds: float = LATE) -> str:
    return process.line(deadline=time.monotonic() + seconds, timeout=seconds)


def python(folder: Path, source: str) -> LineProcess:
    return LineProcess(program(folder, source))


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(state.stdout.strip()) and not state.stdout.startswith("Z")


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("no-such-engine-anywhere --fast", "No such file"),
        ("/", "Permission denied"),
        ("", "no command"),
        ("engine 'half quoted", "No closing quotation"),
        ("engine\0", "null"),
    ],
)
def test_a_command_that_cannot_start_is_named_with_the_reason(command: str, reason: str) -> None:
    with pytest.raises(EngineError, match=f"expected a command that starts, got .*{reason}"):
        LineProcess(command)


def test_lines_are_answered(tmp_path: Path) -> None:
    process = python(tmp_path, "import sys\nfor line in sys.stdin: print(line.upper(), end='', flush=True)")
    process.send("one", "two", timeout=LATE)
    assert [read(process), read(process)] == ["ONE", "TWO"]
    process.close()


def test_a_crash_is_told_with_its_exit_code(tmp_path: Path) -> None:
    process = python(tmp_path, "import sys; sys.exit(7)")
    with pytest.raises(EngineError, match="ended with exit code 7"):
        read(process)
    process.close()


def test_writing_to_what_has_ended_is_an_error(tmp_path: Path) -> None:
    process = python(tmp_path, "import os; os.close(0); print('closed', flush=True); os._exit(4)")
    read(process)
    with pytest.raises(EngineError, match="exit code 4"):
        process.send(2_000_000 * "x", timeout=LATE)
    process.close()


def test_silence_ends_at_the_deadline(tmp_path: Path) -> None:
    process = python(tmp_path, "import time; time.sleep(60)")
    started = time.monotonic()
    with pytest.raises(EngineError, match="got none"):
        read(process, SOON)
    assert time.monotonic() - started < 5
    process.close()


def test_a_line_without_end_is_an_error(tmp_path: Path) -> None:
    process = python(tmp_path, "import sys\nwhile True: sys.stdout.write(65536 * 'x')")
    with pytest.raises(EngineError, match=f"got {LONGEST_LINE} bytes without an end"):
        read(process)
    process.close()


def test_bytes_that_are_no_text_are_replaced(tmp_path: Path) -> None:
    process = python(tmp_path, "import sys; sys.stdout.buffer.write(b'a\\xff\\xfe\\x00b\\r\\n')")
    assert read(process) == "a��\0b"
    process.close()


def test_endless_lines_end_at_the_deadline(tmp_path: Path) -> None:
    process = python(tmp_path, "while True: print('chatter')")
    deadline = time.monotonic() + SOON
    chatter = iter(lambda: process.line(deadline=deadline, timeout=SOON), "something else")
    with pytest.raises(EngineError, match="got none"):
        list(chatter)
    process.close()


def test_megabytes_on_both_outputs_block_nothing(tmp_path: Path) -> None:
    source = "import sys\nsys.stderr.write(4_000_000 * 'e')\n"
    source += "for _ in range(40_000): print(99 * 'o')\nprint('end')"
    process = python(tmp_path, source)
    assert sum(1 for line in iter(lambda: read(process), "end") if line == 99 * "o") == 40_000
    process.close()


def test_input_that_is_never_read_ends_at_the_deadline(tmp_path: Path) -> None:
    process = python(tmp_path, "import time; time.sleep(60)")
    with pytest.raises(EngineError, match="got none"):
        process.send(2_000_000 * "x", timeout=SOON)
    process.close()


def test_closing_ends_the_whole_family(tmp_path: Path) -> None:
    child = "import subprocess\np = subprocess.Popen(['sleep', '60'])\nprint(p.pid, flush=True)\np.wait()"
    process = python(tmp_path, child)
    family = [process.pid, int(read(process))]
    assert all(map(is_running, family))
    process.close()
    process.close()
    for _ in range(50):
        if not any(map(is_running, family)):
            break
        time.sleep(0.02)
    assert not any(map(is_running, family))


def test_a_wait_ends_when_it_is_told_to(tmp_path: Path) -> None:
    stop = threading.Event()
    process = LineProcess(program(tmp_path, "import time; time.sleep(60)"), stop=stop)
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(EngineError, match="was stopped"):
        read(process)
    process.close()


def test_an_end_of_python_by_interruption_leaves_nothing(tmp_path: Path) -> None:
    """A child of this test opens an engine that ignores all it can, and is interrupted."""
    engine = program(tmp_path, "import time\nprint('up', flush=True)\ntime.sleep(60)")
    script = (
        "import time\nfrom selfplay.opponents.process import LineProcess\n"
        f"p = LineProcess({engine!r})\np.line(deadline=time.monotonic() + 20, timeout=20)\n"
        "print(p.pid, flush=True)\ntime.sleep(60)"
    )
    user = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert user.stdout is not None
    pid = int(user.stdout.readline())
    os.kill(user.pid, 2)
    user.wait(20)
    user.stdout.close()
    assert not is_running(pid)
