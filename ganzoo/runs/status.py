"""Status of a run, status.json: its state, progress and end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from ganzoo.base.io import write_json
from ganzoo.config import Config
from ganzoo.errors import GanzooError
from ganzoo.runs.folder import RunFolder

LONGEST = 500
"""Maximum length of a reason in characters; log.txt has the full text."""

State = Literal["running", "finished", "stopped", "failed"]


class Status(Config):
    """Status as recorded by the run. One that is `running` without holding its lock was killed."""

    state: State
    iteration: int = Field(ge=0, description="number of completed iterations at the time of writing")
    iterations: int = Field(ge=0, description="number of iterations of the whole run")
    reason: str = Field("", description="reason for the end, unless finished")
    when: str = Field("", description="time of writing, in UTC")


@contextmanager
def kept(folder: RunFolder, made: Callable[[], int], iterations: int) -> Iterator[None]:
    """Context that records the state of a run: running, and its end.

    Args:
        folder: folder of the run.
        made: function that returns the number of completed iterations.
        iterations: number of iterations of the whole run.

    Raises:
        RunFolderError: the folder is not writable.
    """
    with folder.written():
        _write(folder, made(), iterations, "running")
    state: State = "failed"
    reason = ""
    try:
        yield
        state = "finished"
    except KeyboardInterrupt as stop:
        state, reason = "stopped", str(stop) or "stopped at once"
        raise
    except BaseException as error:
        reason = str(error) if isinstance(error, GanzooError) else f"{type(error).__name__}: {error}"
        raise
    finally:
        with suppress(OSError):  # the reason for the end may be a full disk
            _write(folder, made(), iterations, state, reason)


def _write(folder: RunFolder, made: int, iterations: int, state: State, reason: str = "") -> None:
    status = Status(
        state=state,
        iteration=made,
        iterations=iterations,
        reason=" ".join(reason.split())[:LONGEST],
        when=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    write_json(folder.status, status.model_dump(mode="json"))
