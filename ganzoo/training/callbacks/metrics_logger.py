"""Metrics: a line of metrics.jsonl every `--log-every` iterations."""

from typing import TYPE_CHECKING

from ganzoo.contract.callback import Callback
from ganzoo.training.callbacks.divergence import check_finite

if TYPE_CHECKING:
    from ganzoo.training.trainer import Trainer


class MetricsLogger(Callback):
    """Writes progress, speed and losses; the main process writes, all processes contribute to the means."""

    def on_step_end(self, trainer: "Trainer") -> None:
        """Log, if due.

        Raises:
            Diverged: if a loss or a weight is NaN or infinite.
            RunFolderError: if the folder cannot be written to.
        """
        if not trainer.is_due(trainer.options.log_every):
            return
        broken, row = trainer.meter.broken(), trainer.row()
        if trainer.is_main_process:
            with trainer.folder.written():
                trainer.folder.append_metrics(row)
            trainer.callbacks.on_log(trainer, row)
        check_finite(trainer, broken)
