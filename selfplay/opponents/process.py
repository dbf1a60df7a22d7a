"""`LineProcess`: an outside program that is spoken to in lines, whatever it does.

Every wait has a deadline, no output is too long or too strange, stderr is thrown away, and the program is
killed with all its children when it is closed, when it is forgotten, or when Python ends.
"""

from __future__ import annotations

import contextlib
import os
import select
import shlex
import signal
import subprocess
import threading
import time
import weakref

from games import UserError

LONGEST_LINE = 2**20
"""Bytes after which a line without an end is no longer a line."""

_MOST_UNREAD = 2**24
"""Bytes that wait to be read while the program doesn't take its input."""

_CHUNK = 2**16
_SLICE = 0.1
"""Seconds after which a wait looks whether it is to stop."""

_GRACE = 2.0
"""Seconds that a program which closed its output has to end."""


class EngineError(UserError):
    """An outside engine that can't be started, ended, was late, or answered nonsense; one line."""


class LineProcess:
    """A running program; its lines are read and written with deadlines.

    Attributes:
        command: as it was given.
    """

    def __init__(self, command: str, *, stop: threading.Event | None = None) -> None:
        """Start a program.

        Args:
            command: the program and its arguments as in a shell, without a shell's other powers.
            stop: once set, every wait ends with an error, in whatever thread it is.

        Raises:
            EngineError: the command is empty, badly quoted, not found, or can't be run.
        """
        self.command = command
        self._stop = stop or threading.Event()
        try:
            self._process = subprocess.Popen(
                _words(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise EngineError(f"expected a command that starts, got {command!r}: {reason}") from None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._stdin, False)
        os.set_blocking(self._stdout, False)
        self._unread = bytearray()
        self._searched = 0  # bytes of `_unread` that hold no end of a line
        self._close = weakref.finalize(self, _end, self._process)

    @property
    def pid(self) -> int:
        """Number of the process, and of its group."""
        return self._process.pid

    def send(self, *lines: str, timeout: float) -> None:
        """Write lines within `timeout` seconds, or raise `EngineError`."""
        rest = memoryview("".join(f"{line}\n" for line in lines).encode())
        deadline = time.monotonic() + timeout
        while rest:
            try:
                rest = rest[os.write(self._stdin, rest) :]
            except BlockingIOError:
                self._wait(deadline, timeout, to_write=True)
            except (BrokenPipeError, OSError, ValueError):
                raise EngineError(self._ended()) from None

    def line(self, *, deadline: float, timeout: float) -> str:
        """The next line without its end; undecodable bytes are replaced.

        Args:
            deadline: on `time.monotonic`'s clock.
            timeout: the seconds that the deadline stands for, for the message.

        Raises:
            EngineError: the program ended, the deadline passed, or the line is longer than `LONGEST_LINE`.
        """
        while (end := self._unread.find(b"\n", self._searched)) < 0:
            self._searched = len(self._unread)
            if self._searched > LONGEST_LINE:
                raise EngineError(
                    f"expected a line from {self._name}, got {LONGEST_LINE} bytes without an end"
                )
            self._wait(deadline, timeout)
        if time.monotonic() > deadline:
            raise EngineError(self._late(timeout))
        line = bytes(self._unread[:end])
        del self._unread[: end + 1]
        self._searched = 0
        return line.decode("utf-8", errors="replace").rstrip("\r")

    def close(self) -> None:
        """Kill the program and its children; closing twice is fine."""
        self._close()

    @property
    def _name(self) -> str:
        return repr(self.command)

    def _wait(self, deadline: float, timeout: float, *, to_write: bool = False) -> None:
        """Until there is output, which is taken in, or (to write) room for input."""
        waiting = select.poll()
        waiting.register(self._stdout, select.POLLIN)
        if to_write:
            waiting.register(self._stdin, select.POLLOUT)
        ready: list[tuple[int, int]] = []
        while not ready:
            left = deadline - time.monotonic()
            if self._stop.is_set():
                raise EngineError(f"{self._name} was stopped")
            if left <= 0:
                raise EngineError(self._late(timeout))
            ready = waiting.poll(1000 * min(left, _SLICE))
        if any(descriptor == self._stdout for descriptor, _ in ready):
            self._take_in()

    def _take_in(self) -> None:
        try:
            chunk = os.read(self._stdout, _CHUNK)
        except BlockingIOError:
            return
        if not chunk:
            raise EngineError(self._ended())
        self._unread += chunk
        if len(self._unread) > _MOST_UNREAD:
            raise EngineError(f"expected {self._name} to take its input, got {_MOST_UNREAD} bytes of output")

    def _late(self, timeout: float) -> str:
        return f"expected an answer from {self._name} within {timeout:g} s, got none"

    def _ended(self) -> str:
        """How the program ended, in one line."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        code = self._process.returncode
        if code is None:
            how = "it closed its input or output"
        elif code < 0:
            how = f"it was ended by signal {-code}"
        else:
            how = f"it ended with exit code {code}"
        return f"expected {self._name} to go on, but {how}"


def _words(command: str) -> list[str]:
    words = shlex.split(command)
    if not words:
        raise ValueError("no command")
    return words


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the group that the program leads, and collect it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    process.wait()
