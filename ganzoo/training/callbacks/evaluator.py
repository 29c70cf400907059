"""Evaluations: a line of evaluations.jsonl every `--evaluate-every` iterations, with a score of the weights."""

from typing import TYPE_CHECKING

from ganzoo.base.io import append_line
from ganzoo.contract.callback import Callback
from ganzoo.training.callbacks.divergence import check_finite

if TYPE_CHECKING:
    from ganzoo.training.trainer import Trainer


class Evaluator(Callback):
    """Evaluates the networks, in the main process, and reports the score."""

    def on_step_end(self, trainer: "Trainer") -> None:
        """Evaluate, if due.

        Raises:
            Diverged: if a loss or a weight is NaN or infinite.
            RunFolderError: if the folder cannot be written to.
        """
        if not trainer.is_due(trainer.options.evaluate_every):
            return
        check_finite(trainer, trainer.meter.broken())
        if trainer.evaluation is None:
            return
        with trainer.meter.paused():
            line = trainer.evaluate(trainer.evaluation)
            with trainer.folder.written():
                append_line(trainer.folder.evaluations, line)
        trainer.callbacks.on_evaluate(trainer, line)
