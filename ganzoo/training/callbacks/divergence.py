"""Divergence: detection of NaN or infinite losses and weights, and rollback to a checkpoint (`--on-nan rollback`)."""

import logging
from typing import TYPE_CHECKING

from ganzoo.errors import Diverged
from ganzoo.runs import checkpoint
from ganzoo.training.resume import latest_checkpoint, restore_checkpoint

if TYPE_CHECKING:
    from ganzoo.training.trainer import Trainer

log = logging.getLogger(__name__)

LR_FACTOR = 0.5
"""Factor of the learning rates at each rollback."""
LEAST_LR_SCALE = LR_FACTOR**10
"""Share of the original learning rates below which rollbacks stop."""


def check_finite(trainer: "Trainer", broken: dict[str, int]) -> None:
    """Check that all losses and weights are finite.

    Args:
        trainer: the run.
        broken: loss terms that are NaN or infinite, and since which iteration.

    Raises:
        Diverged: naming the first that is not.
    """
    if broken:
        term, since = min(broken.items(), key=lambda item: item[1])
        raise Diverged(f"training diverged: the loss '{term}' is NaN or infinite since iteration {since}")
    if name := trainer.engine.first_nonfinite_parameter():
        raise Diverged(f"training diverged: the weight '{name}' is NaN or infinite at {trainer.engine.iteration}")


class Rollback:
    """Rolls a diverged run back to its last checkpoint, with lower learning rates."""

    def __init__(self) -> None:
        self._last = -1
        """Iteration of the previous rollback: if the run diverged again without a new checkpoint, an older one is used.
        """

    def __call__(self, trainer: "Trainer", error: Diverged) -> None:
        """Roll back. All processes must call it.

        Raises:
            Diverged: if the run should stop (`--on-nan stop`) or cannot be rolled back; with advice.
        """
        engine, folder = trainer.engine, trainer.folder
        saved = [int(path.name) for path in checkpoint.checkpoints(folder.checkpoints)]
        last = f"the last good checkpoint is of iteration {saved[-1]}" if saved else "there is no checkpoint yet"
        if trainer.options.on_nan == "stop":
            raise Diverged(f"{error}; {last} ({folder.path}); try a lower --lr, --precision fp32 or --on-nan rollback")
        scale = engine.optimizers.scale * LR_FACTOR
        if trainer.is_main_process and saved[-1:] == [self._last] and len(saved) > 1:
            with folder.written():
                checkpoint.remove(checkpoint.checkpoints(folder.checkpoints)[-1])
        files = latest_checkpoint(folder, engine.distributed)
        if not files:
            raise Diverged(f"{error}; {last} to go back to")
        if scale < LEAST_LR_SCALE:
            raise Diverged(
                f"{error}; {last} ({folder.path}); {engine.optimizers.scale:g} times the learning rates did not help"
            )
        restore_checkpoint(trainer, folder, files)
        trainer.saved = -1  # checkpoints after this iteration are saved again, with the lower learning rates
        engine.optimizers.scale = scale
        if trainer.is_main_process:
            with folder.written():
                folder.drop_metrics_after(engine.iteration)
        log.warning("%s: going back to iteration %d, with %g times the learning rates", error, engine.iteration, scale)
        self._last = engine.iteration
