"""Sample grids: a picture in samples/ every `--sample-every` iterations, always of the same inputs."""

from typing import TYPE_CHECKING

from ganzoo import pictures
from ganzoo.contract.callback import Callback

if TYPE_CHECKING:
    from ganzoo.training.trainer import Trainer


class SampleGrid(Callback):
    """Saves grids of samples, in the main process."""

    def on_step_end(self, trainer: "Trainer") -> None:
        """Save a grid, if due.

        Raises:
            RunFolderError: if the folder cannot be written to.
        """
        if not (trainer.is_due(trainer.options.sample_every) and trainer.is_main_process):
            return
        with trainer.meter.paused():
            trainer.last_samples = fakes = trainer.samples()
            file = trainer.folder.samples / f"{trainer.engine.iteration:08}.png"
            with trainer.folder.written():
                pictures.save(pictures.grid(trainer.picture(fakes), trainer.picture_columns), file)
        trainer.callbacks.on_sample(trainer, file)
