"""The locks of run folders, as those see them who do not want to hold one."""

import sys
from pathlib import Path

from filelock import FileLock, Timeout


def is_held(lock: Path) -> bool:
    """Whether a process holds it; to look is to share it for a moment.

    Raises:
        OSError: nobody can tell.
    """
    if sys.platform == "win32":
        try:
            with FileLock(lock, timeout=0):
                return False
        except Timeout:
            return True
    import fcntl  # not there on Windows

    with lock.open("rb") as file:  # that of another's run may be read only
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
