"""What looks on while a run trains: when it is told what."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganzoo.runs.folder import RunFolder
    from ganzoo.training.trainer import Training


class Callback:
    """What looks on while a run trains: every method may be left out. Of several processes, the one that leads calls.

    It changes neither weights nor what is drawn at random. A callback that a run has by its name (`--callback`) is set
    aside if it raises, and training goes on; unless what it raises is a GanzooError, which says that it should not.
    """

    def started(self, training: "Training", folder: "RunFolder") -> None:
        """Everything is built; a resumed run is where it stopped."""

    def iterated(self, training: "Training") -> None:
        """One iteration was made."""

    def logged(self, training: "Training", row: dict[str, float]) -> None:
        """A line was added to the metrics."""

    def sampled(self, training: "Training", file: Path) -> None:
        """A grid of samples was saved."""

    def evaluated(self, training: "Training", line: dict[str, Any]) -> None:
        """A line was added to the evaluations: `iteration`, `when`, `protocol` and `figures`, by name.

        A figure is a number, or None where it is not finite, or nothing could be measured.
        """

    def went_back(self, training: "Training") -> None:
        """The run diverged and was put back to a checkpoint: what was logged after that iteration does not count."""

    def finished(self, training: "Training") -> None:
        """The last iteration was made, and everything is saved."""

    def ended(self, training: "Training", error: BaseException | None) -> None:
        """Nothing more will be told: whatever is open is to be closed. Always called, and last, if `started` succeeded.

        Args:
            training: the run.
            error: what ended it; a KeyboardInterrupt if it was told to stop, None if it came to its end.
        """
