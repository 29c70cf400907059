"""What looks on while a run trains: when it is told what."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganzoo.runs.folder import RunFolder
    from ganzoo.training.trainer import Trainer


class Callback:
    """What looks on while a run trains: every method may be left out. Of several processes, the one that leads calls.

    It changes neither weights nor what is drawn at random. A callback that a run has by its name (`--callback`) is set
    aside if it raises, and training goes on; unless what it raises is a GanzooError, which says that it should not.
    """

    def on_train_start(self, trainer: "Trainer", folder: "RunFolder") -> None:
        """Everything is built; a resumed run is where it stopped."""

    def on_step_end(self, trainer: "Trainer") -> None:
        """One iteration was made."""

    def on_log(self, trainer: "Trainer", row: dict[str, float]) -> None:
        """A line was added to the metrics."""

    def on_sample(self, trainer: "Trainer", file: Path) -> None:
        """A grid of samples was saved."""

    def on_evaluate(self, trainer: "Trainer", line: dict[str, Any]) -> None:
        """A line was added to the evaluations: `iteration`, `when`, `protocol` and `figures`, by name.

        A figure is a number, or None where it is not finite, or nothing could be measured.
        """

    def on_rollback(self, trainer: "Trainer") -> None:
        """The run diverged and was put back to a checkpoint: what was logged after that iteration does not count."""

    def on_train_end(self, trainer: "Trainer") -> None:
        """The last iteration was made, and everything is saved."""

    def teardown(self, trainer: "Trainer", error: BaseException | None) -> None:
        """Nothing more will be told: whatever is open is to be closed. Always called, and last, if `started` succeeded.

        Args:
            trainer: the run.
            error: what ended it; a KeyboardInterrupt if it was told to stop, None if it came to its end.
        """
