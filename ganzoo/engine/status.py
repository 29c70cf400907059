"""status.json: whether a run trains, how far it is to go, and how it ended."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ganzoo.config import Config
from ganzoo.engine.folder import RunFolder
from ganzoo.errors import GanzooError
from ganzoo.files import write_json

if TYPE_CHECKING:  # which imports torch; whoever lists runs does not
    from ganzoo.engine.training import Training

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
def kept(training: "Training", folder: RunFolder) -> Iterator[None]:
    """Within, the folder says that the run trains; afterwards, how it ended.

    Raises:
        RunFolderError: the folder cannot be written to.
    """
    with folder.written():
        _write(training, folder, "running")
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
            _write(training, folder, state, reason)


def _write(training: "Training", folder: RunFolder, state: State, reason: str = "") -> None:
    status = Status(
        state=state,
        iteration=training.engine.iteration,
        iterations=training.iterations,
        reason=" ".join(reason.split())[:LONGEST],
        when=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    write_json(folder.status, status.model_dump(mode="json"))
