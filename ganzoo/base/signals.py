"""Signals that ask a run to stop: noticed between iterations, so that the one under way is finished and saved."""

import signal
import threading
from contextlib import AbstractContextManager
from types import FrameType, TracebackType
from typing import Any

NAMES = ("SIGINT", "SIGTERM", "SIGUSR1")
"""Ctrl-C; being shut down; SLURM's notice that the job will be pre-empted."""


class Interrupted(KeyboardInterrupt):
    """A run was asked to stop; it has finished its iteration and saved."""

    def __init__(self, number: int, iteration: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name} and saved at iteration {iteration}")
        self.status = 128 + number
        """The exit status that says so."""


class StopSignals(AbstractContextManager["StopSignals"]):
    """Within, the first signal is only noted; Ctrl-C after it stops at once, as it does everywhere else.

    Signals belong to the main thread; elsewhere nothing is noted.
    """

    def __init__(self) -> None:
        self.received = 0
        """The number of the first signal that came; 0: none did."""
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]  # Windows has not all
            self._before = {number: signal.signal(number, self._note) for number in numbers}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.received and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = self.received or number
