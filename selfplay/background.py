"""Jobs that go on in a thread of their own until they end or are stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Job:
    """One job.

    stopped: is set once the job shall end
    """

    def __init__(self, work: Callable[[threading.Event], None]) -> None:
        """work: is handed `stopped`, and looks at it now and then."""
        self.stopped = threading.Event()
        self._thread = threading.Thread(target=work, args=(self.stopped,), daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let it end, and wait until it has."""
        self.stopped.set()
        self._thread.join()
