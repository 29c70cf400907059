"""What is measured of a GAN at its own size and batch: training, generation, checkpoints, what recording gains.

`ganzoo bench` collects this file; the repository's `benchmarks/test_zoo.py` takes its tests over for every GAN.
"""

from pathlib import Path

import pytest

from ganzoo import RunFolder, Trainer, load_checkpoint, save_checkpoint
from ganzoo.errors import Diverged
from ganzoo_bench.duel import against_eager
from ganzoo_bench.measure import Measure
from ganzoo_bench.setting import train


def test_training(measure: Measure, trainer: Trainer) -> None:
    """Whole cycles of all players in their own rhythm, from end to end."""
    iterations = trainer.engine.cycle
    measure.training(trainer, lambda: train(trainer, iterations))
    if name := trainer.engine.first_nonfinite_parameter():
        raise Diverged(f"after {trainer.engine.iteration} iterations the weights '{name}' are no numbers any more")


def test_generation(measure: Measure, trainer: Trainer) -> None:
    """A batch of images, from its inputs to the memory of the CPU."""
    measure.describe(trainer.options)
    batch = trainer.batches[0]
    measure.images(trainer.options.batch_size, lambda: trainer.engine.sample(batch), warm_up=2)


def test_saving(measure: Measure, trainer: Trainer, tmp_path: Path) -> None:
    """A checkpoint, until it is on the disk."""
    measure.describe(trainer.options)
    trainer.step(everyone=True)  # before it moves, an optimizer has nothing to save
    folder = RunFolder(tmp_path)

    measure.time(lambda: save_checkpoint(trainer, folder))
    files = save_checkpoint(trainer, folder).iterdir()
    measure.record(checkpoint_mib=sum(file.stat().st_size for file in files) / 2**20)


def test_resuming(measure: Measure, trainer: Trainer, tmp_path: Path) -> None:
    """The engine back in the state of a checkpoint."""
    measure.describe(trainer.options)
    trainer.step(everyone=True)
    folder = RunFolder(tmp_path)
    save_checkpoint(trainer, folder)
    measure.time(lambda: load_checkpoint(trainer, folder))


def test_eager(measure: Measure, trainer: Trainer) -> None:
    """Recorded as CUDA graphs, or compiled, against one operation after the other; on one batch."""
    if not (trainer.engine.graphs or trainer.options.compile):
        pytest.skip("nothing is recorded on a processor, nor compiled unless told so")
    against_eager(measure, trainer)
