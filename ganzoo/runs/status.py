"""status.json: whether a run trains, how far it is to go, and how it ended."""

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
"""Letters at most of a reason: log.txt has all of it."""

State = Literal["running", "finished", "stopped", "failed"]


class Status(Config):
    """How a run is, as it said itself. One that says it runs and holds no lock was killed."""

    state: State
    iteration: int = Field(ge=0, description="how many were made when this was written")
    iterations: int = Field(ge=0, description="how many the whole run has")
    reason: str = Field("", description="why it ended, if it did not finish")
    when: str = Field("", description="when this was written, in UTC")


@contextmanager
def kept(folder: RunFolder, made: Callable[[], int], iterations: int) -> Iterator[None]:
    """Within, the folder says that the run trains; afterwards, how it ended.

    Args:
        folder: of the run.
        made: counts its iterations so far.
        iterations: of the whole run.

    Raises:
        RunFolderError: the folder cannot be written to.
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
        with suppress(OSError):  # a full disk, say, may be what ended it
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
