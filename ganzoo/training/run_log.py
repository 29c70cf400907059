"""Logging to log.txt, including messages from before the run folder exists."""

import logging
from contextlib import AbstractContextManager, suppress
from logging.handlers import MemoryHandler
from pathlib import Path
from types import TracebackType


class _Lines(logging.FileHandler):
    """File handler that ignores write errors, so that these do not end a run."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        pass

    def close(self) -> None:
        with suppress(OSError):
            super().close()


class RunLog(AbstractContextManager["RunLog"]):
    """Context that buffers messages of the logger "ganzoo" and, after `open`, writes them to a file."""

    def __init__(self) -> None:
        self._logger = logging.getLogger("ganzoo")
        self._kept = MemoryHandler(1, flushLevel=logging.CRITICAL + 1)
        self._handlers: list[logging.Handler] = [self._kept]
        self._level = self._logger.level

    def __enter__(self) -> "RunLog":
        if not self._logger.hasHandlers() and logging.lastResort:
            self._handlers.append(logging.lastResort)  # a logger with a handler no longer falls back to it
        for handler in self._handlers:
            self._logger.addHandler(handler)
        self._logger.setLevel(min(self._logger.getEffectiveLevel(), logging.INFO))
        return self

    def open(self, file: Path) -> None:
        """Write to a file from now on, starting with the buffered messages.

        Raises:
            OSError: if it cannot be opened.
        """
        lines = _Lines(file, encoding="utf-8")
        lines.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self._kept.setTarget(lines)
        self._kept.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._logger.setLevel(self._level)
        for handler in self._handlers:
            self._logger.removeHandler(handler)
        if self._kept.target:
            self._kept.target.close()
        self._kept.close()
