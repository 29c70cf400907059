"""Callback of a training run."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganzoo.runs.folder import RunFolder
    from ganzoo.training.trainer import Trainer


class Callback:
    """Callback of a training run; every method is optional. Of several processes, only the main one calls it.

    A callback must not change weights or random generators. One chosen by name (`--callback`) is disabled if it
    raises, and training continues; a GanzooError, however, ends the run.
    """

    def on_train_start(self, trainer: "Trainer", folder: "RunFolder") -> None:
        """Called once everything is built, and a resumed run restored."""

    def on_step_end(self, trainer: "Trainer") -> None:
        """Called after every iteration."""

    def on_log(self, trainer: "Trainer", row: dict[str, float]) -> None:
        """Called after a row was appended to the metrics."""

    def on_sample(self, trainer: "Trainer", file: Path) -> None:
        """Called after a sample grid was saved."""

    def on_evaluate(self, trainer: "Trainer", line: dict[str, Any]) -> None:
        """Called after a line was appended to the evaluations: `iteration`, `when`, `protocol` and `figures` by name.

        A figure is a number, or None if it is not finite or could not be computed.
        """

    def on_rollback(self, trainer: "Trainer") -> None:
        """Called after a diverged run was restored to a checkpoint: logs of later iterations are void."""

    def on_train_end(self, trainer: "Trainer") -> None:
        """Called after the last iteration, with everything saved."""

    def teardown(self, trainer: "Trainer", error: BaseException | None) -> None:
        """Release resources. Always called, and last, if `on_train_start` succeeded.

        Args:
            trainer: the run.
            error: exception that ended the run: a KeyboardInterrupt if it was stopped, None if it finished.
        """
