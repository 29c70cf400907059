"""Checkpoints: every `--checkpoint-every` iterations, of the best weights, and as a target of rollbacks."""

from typing import TYPE_CHECKING

from ganzoo.contract.callback import Callback
from ganzoo.runs import checkpoint
from ganzoo.training.callbacks.divergence import check_finite

if TYPE_CHECKING:
    from ganzoo.runs.folder import RunFolder
    from ganzoo.training.trainer import Trainer


class Checkpointer(Callback):
    """Saves the state of the run, and prunes old checkpoints."""

    def __init__(self) -> None:
        self._needs_first = False
        """Whether there is no checkpoint yet for a rollback."""

    def on_train_start(self, trainer: "Trainer", folder: "RunFolder") -> None:
        """Find out, in all processes together, whether to save the first iteration."""
        if trainer.options.on_nan == "rollback":
            is_empty = trainer.is_main_process and not checkpoint.checkpoints(folder.checkpoints)
            self._needs_first = trainer.engine.distributed.any(is_empty)

    def on_step_end(self, trainer: "Trainer") -> None:
        """Save if a checkpoint is due, or if the current weights have just scored best.

        Raises:
            Diverged: if a loss or a weight is NaN or infinite.
            RunFolderError: if the folder cannot be written to.
        """
        options, needs_first = trainer.options, self._needs_first
        self._needs_first = False
        scored = any(map(trainer.is_due, (options.log_every, options.sample_every, options.evaluate_every)))
        if trainer.is_due(options.checkpoint_every) or (scored and trainer.engine.distributed.any(trainer.is_best)):
            self.save(trainer)
        if needs_first:
            self.save(trainer)

    def save(self, trainer: "Trainer") -> None:
        """Write a checkpoint, unless there is one of this iteration. All processes must call it.

        Raises:
            Diverged: if a loss or a weight is NaN or infinite; nothing is written.
            RunFolderError: if the folder cannot be written to.
        """
        engine, options, folder = trainer.engine, trainer.options, trainer.folder
        if trainer.saved == engine.iteration:
            return
        with trainer.meter.paused():
            check_finite(trainer, trainer.meter.broken())
            files, shared = trainer.state_dict()
            trainer.saved = engine.iteration
            if not trainer.is_main_process:
                return
            best = trainer.best[0] if trainer.best else None
            with folder.written():
                folder.flush_metrics()
                checkpoint.write(folder.checkpoints, engine.iteration, files, shared)
                checkpoint.prune(folder.checkpoints, options.keep_last, options.keep_every, best)
