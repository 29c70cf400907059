"""One run, from its options to its folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganzoo import pictures
from ganzoo.data.batch import Batch
from ganzoo.data.batches import Batches, latent, scaled
from ganzoo.data.load import load
from ganzoo.data.spec import DataSpec
from ganzoo.engine import checkpoint
from ganzoo.engine.engine import Engine
from ganzoo.engine.folder import RunFolder, write_json
from ganzoo.engine.meter import Meter
from ganzoo.environment import command, environment
from ganzoo.errors import ContractError, OptionError, RunFolderError
from ganzoo.gan import GAN
from ganzoo.losses import Losses
from ganzoo.networks import Networks
from ganzoo.options import RunOptions


class Callback:
    """What looks on while a run trains: every method may be left out."""

    def started(self, training: "Training", folder: RunFolder) -> None:
        """Everything is built; a resumed run is where it stopped."""

    def iterated(self, training: "Training") -> None:
        """One iteration was made."""

    def logged(self, training: "Training", row: dict[str, float]) -> None:
        """A line was added to the metrics."""

    def sampled(self, training: "Training", file: Path) -> None:
        """A grid of samples was saved."""

    def finished(self, training: "Training") -> None:
        """The last iteration was made, and everything is saved."""


@dataclass
class Training:
    """A run made ready: data in memory, networks on the device."""

    options: RunOptions
    spec: DataSpec
    engine: Engine
    batches: Batches
    preview: Batch
    """The inputs of every sample grid."""
    began: int = 0
    """The iteration it was taken up at."""

    @property
    def iterations(self) -> int:
        """How many the whole run has."""
        return self.options.epochs * self.batches.per_epoch

    @property
    def finished(self) -> bool:
        """Whether the last iteration was made."""
        return self.engine.iteration >= self.iterations

    def step(self, everyone: bool = False) -> Losses:
        """The next iteration; `everyone`: all players move, due or not.

        Raises:
            OptionError: the batch is too small for the networks, or too large for the memory.
        """
        with sized_for(self.options):
            return self.engine.step(self.batches.draw(self.engine.iteration), everyone)

    def picture(self) -> Tensor:
        """Samples for the eyes: N x C x H x W; for translation input, output and target in turn."""
        fake = self.engine.sample(self.preview)
        if "source" not in self.preview:
            return fake
        columns = [self.preview.source.cpu(), fake]
        return pictures.side_by_side([*columns, self.preview.target.cpu()] if "target" in self.preview else columns)

    @property
    def picture_columns(self) -> int:
        """How many images stand in one row of a sample grid: 5 of the usual 25, or two translations."""
        if "source" not in self.preview:
            return 5
        return 2 * (3 if "target" in self.preview else 2)


def prepare(options: RunOptions, data_dir: Path | None = None) -> Training:
    """Loads the data and builds the networks, as the options say. Writes nothing but downloads.

    Raises:
        UserError: the data, the device or the shapes cannot be had.
    """
    gan = options.gan
    players, device = options.players(), options.place()
    options.set_up_process()
    data = load(options, gan.needs, gan.streams, data_dir)
    shape = gan.noise_shape()
    torch.manual_seed(options.seed)
    with sized_for(options):
        batches = Batches(data.streams, options.batch_size, shape, options.seed, device)
        engine = Engine(gan, build_networks(gan, data.spec), players, options, batches.assemble)
    preview = {name: scaled(column) for name, column in data.preview.items()}
    if "source" in preview:  # a translation is shown in two columns or three, so that fewer are enough
        preview = {name: column[:8] for name, column in preview.items()}
    noise = fixed_noise(len(next(iter(preview.values()))), shape, options.seed)
    inputs = Batch(**preview, **noise, step=torch.zeros((), dtype=torch.int64))
    return Training(options, data.spec, engine, batches, inputs.to(device))


@contextmanager
def sized_for(options: RunOptions) -> Iterator[None]:
    """Says what to change where torch says only that something is too large or too small.

    Raises:
        OptionError: in place of torch's own error.
    """
    batch, (height, width) = options.batch_size, options.image_size
    work = f"a batch of {batch} images of {height}x{width}"
    try:
        yield
    except ValueError as error:
        if "more than 1" not in str(error):  # torch's words, of BatchNorm and InstanceNorm
            raise
        raise OptionError(
            f"{work} leaves a network nothing to normalise over; try --batch-size 2 or a larger --image-size"
        ) from error
    except RuntimeError as error:
        if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        raise OptionError(
            f"there is not enough memory for {work} and {options.gan.name}'s networks; "
            "try a smaller --batch-size or --image-size, or smaller networks"
        ) from error


def fixed_noise(count: int, shape: tuple[int, ...], seed: int) -> dict[str, Tensor]:
    """The batch's `noise`, if it has any: the n-th row of a seed is the same for any count."""
    return {"noise": latent(count, shape, seed)} if shape else {}


def build_networks(gan: GAN, spec: DataSpec) -> Networks:
    """The GAN's networks for data of that shape.

    Raises:
        ContractError: networks() gives something else.
    """
    nets = gan.networks(spec)
    if not isinstance(nets, Networks):
        raise ContractError(f"{type(gan).__name__}.networks() gives {type(nets).__name__}; expected Networks")
    return nets


def run(
    options: RunOptions, out: Path | None = None, data_dir: Path | None = None, callback: Callback | None = None
) -> RunFolder:
    """Trains, or goes on training, and leaves a run folder.

    Args:
        options: what to train on what.
        out: the folder; one that holds the same run is continued. None: a new one, `runs/GAN-DATA-001`.
        data_dir: where downloads are kept.
        callback: looks on.

    Raises:
        UserError: what was asked cannot be done; nothing was written.
    """
    callback, meter = callback or Callback(), Meter()
    if out is not None:
        check_folder(RunFolder(out), options)
    training = prepare(options, data_dir)
    if out is not None:
        take_up(training, RunFolder(out))
    if not training.finished:
        meter.add(training.step())  # shows that it works: before it, nothing is written
    stem = f"{options.gan.name}-{options.data.name}"
    folder = RunFolder(out) if out is not None else RunFolder.new(Path("runs"), stem)
    write_down(training, folder)
    callback.started(training, folder)
    if training.began < training.iterations:
        train(training, folder, meter, callback)
    callback.finished(training)
    return folder


def dry_run(options: RunOptions, out: Path | None = None, data_dir: Path | None = None) -> dict[str, float]:
    """Checks all that `run` checks and has every player move once: the losses. Writes nothing but downloads."""
    if out is not None:
        check_folder(RunFolder(out), options)
    training = prepare(options, data_dir)
    losses = training.step(everyone=True)
    training.picture()
    return {name: value.item() for name, value in losses.items()}


def check_folder(folder: RunFolder, options: RunOptions) -> None:
    """Refuses a folder that cannot take this run.

    Raises:
        RunFolderError: it holds another run, or other files.
    """
    if folder.holds_run:
        if different := options.differences(folder.read(folder.config)):
            raise RunFolderError(
                f"{folder.path} holds another run: its {'; its '.join(different)}. "
                "Give the same options to continue it, or another --out"
            )
    elif folder.path.exists() and (not folder.path.is_dir() or any(folder.path.iterdir())):
        raise RunFolderError(f"{folder.path} is no run folder and not empty; give another --out")


def take_up(training: Training, folder: RunFolder) -> None:
    """Goes back to the last checkpoint, if there is one."""
    if saved := checkpoint.checkpoints(folder.checkpoints):
        checkpoint.resume(training.engine, saved[-1])
        training.began = training.engine.iteration


def write_down(training: Training, folder: RunFolder) -> None:
    """Writes what is run, on what, and drops measurements that will be made again."""
    folder.create()
    write_json(folder.data, training.spec.model_dump(mode="json"))
    write_json(folder.environment, {"command": command(), **environment()})
    write_json(folder.config, training.options.model_dump(mode="json"))
    folder.drop_metrics_after(training.began)


def train(training: Training, folder: RunFolder, meter: Meter, callback: Callback) -> None:
    """The loop, entered after an iteration."""
    engine, options = training.engine, training.options
    while True:
        callback.iterated(training)
        last = training.finished
        if last or engine.iteration % options.log_every == 0:
            row = _row(training, meter)
            folder.append_metrics(row)
            callback.logged(training, row)
        if last or engine.iteration % options.sample_every == 0:
            with meter.paused():
                file = folder.samples / f"{engine.iteration:08}.png"
                pictures.save(pictures.grid(training.picture(), training.picture_columns), file)
            callback.sampled(training, file)
        if last or engine.iteration % options.checkpoint_every == 0:
            with meter.paused():
                checkpoint.save(engine, folder.checkpoints)
        if last:
            return
        meter.add(training.step())


def _row(training: Training, meter: Meter) -> dict[str, float]:
    done, size = training.engine.iteration, training.options.batch_size
    iterations, seconds, losses = meter.read()
    progress = {"iteration": done, "epoch": round(done / training.batches.per_epoch, 4), "images": done * size}
    return {**progress, "images_per_second": round(iterations * size / seconds, 2), **losses}
