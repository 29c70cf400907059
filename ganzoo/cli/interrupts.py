"""Commands that are told to stop: what is half written goes, and the exit status says what stopped them.

Training minds signals in its own way, between iterations: ganzoo/base/signals.py.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ABORTED = 1
"""The status with which click ends after a KeyboardInterrupt."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Within, SIGTERM interrupts as Ctrl-C does; the status after either is 128 and the signal's number.

    Signals belong to the main thread; elsewhere nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received = 0

    def interrupt(number: int, _: FrameType | None) -> None:
        nonlocal received
        received = number
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except SystemExit as end:
        if received and end.code == ABORTED:
            sys.exit(128 + received)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
