"""Signals that stop a run: recorded, and handled between iterations, after a checkpoint."""

import signal
import threading
from contextlib import AbstractContextManager
from types import FrameType, TracebackType
from typing import Any

NAMES = ("SIGINT", "SIGTERM", "SIGUSR1")
"""Ctrl-C; shutdown; SLURM's notice before preemption."""


class Interrupted(KeyboardInterrupt):
    """Stop of a run by a signal, after the current iteration and a checkpoint."""

    def __init__(self, number: int, iteration: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name} and saved at iteration {iteration}")
        self.status = 128 + number
        """Exit status for this signal."""


class StopSignals(AbstractContextManager["StopSignals"]):
    """Context that only records the first signal; a later Ctrl-C stops at once, as usual.

    Outside the main thread, which receives all signals, it has no effect.
    """

    def __init__(self) -> None:
        self.received = 0
        """Number of the first signal; 0 if there was none."""
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]  # Windows lacks some
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
