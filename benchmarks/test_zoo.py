"""Every GAN of the registry at its own size and batch: training, generation, checkpoints."""

from pathlib import Path

from benchmarks.measure import Measure
from benchmarks.setting import train
from ganzoo.engine.checkpoint import checkpoints, newest
from ganzoo.engine.folder import RunFolder
from ganzoo.engine.loop import save
from ganzoo.engine.state import restore
from ganzoo.engine.training import Training


def test_training(measure: Measure, training: Training) -> None:
    """Whole cycles of all players in their own rhythm, from end to end."""
    iterations = training.engine.cycle
    measure.training(training, lambda: train(training, iterations))


def test_generation(measure: Measure, training: Training) -> None:
    """A batch of images, from its inputs to the memory of the CPU."""
    measure.describe(training.options)
    batch = training.batches[0]
    measure.images(training.options.batch_size, lambda: training.engine.sample(batch), warm_up=2)


def test_saving(measure: Measure, training: Training, tmp_path: Path) -> None:
    """A checkpoint, until it is on the disk."""
    measure.describe(training.options)
    training.step(everyone=True)  # before it moves, an optimizer has nothing to save
    folder = RunFolder(tmp_path)
    measure.time(lambda: save(training, folder))
    files = checkpoints(folder.checkpoints)[-1].iterdir()
    measure.record(checkpoint_mib=sum(file.stat().st_size for file in files) / 2**20)


def test_resuming(measure: Measure, training: Training, tmp_path: Path) -> None:
    """The engine back in the state of a checkpoint."""
    measure.describe(training.options)
    training.step(everyone=True)
    folder = RunFolder(tmp_path)
    save(training, folder)

    def resume() -> None:
        found = newest(folder.checkpoints)
        assert found
        restore(training, found[1])

    measure.time(resume)
