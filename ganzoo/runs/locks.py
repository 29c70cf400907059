"""Inspection of the locks of run folders, without holding them."""

import sys
from pathlib import Path

from filelock import FileLock, Timeout


def is_held(lock: Path) -> bool:
    """Whether a process holds the lock; the check shares it for a moment.

    Raises:
        OSError: the state is unknown.
    """
    if sys.platform == "win32":
        try:
            with FileLock(lock, timeout=0):
                return False
        except Timeout:
            return True
    import fcntl  # missing on Windows

    with lock.open("rb") as file:  # read-only, as the run may be another user's
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
