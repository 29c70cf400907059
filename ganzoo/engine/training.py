"""Training: what a run is made of, made ready and kept going."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganzoo import pictures
from ganzoo.data.batch import Batch
from ganzoo.data.batches import Batches, latent, scaled
from ganzoo.data.load import Data, load
from ganzoo.data.spec import DataSpec
from ganzoo.data.streamed import StreamedBatches
from ganzoo.data.supply import Supply
from ganzoo.engine.batchnorm import synchronise
from ganzoo.engine.engine import Engine
from ganzoo.engine.meter import Meter
from ganzoo.engine.ranks import Ranks
from ganzoo.errors import Diverged, OptionError, OutOfMemory
from ganzoo.losses import Losses
from ganzoo.machine import lacks_memory
from ganzoo.metrics.evaluation import Evaluation
from ganzoo.metrics.options import EvaluationOptions
from ganzoo.metrics.ready import make_ready
from ganzoo.options import RunOptions
from ganzoo.rng import seed_apart, seed_everything

log = logging.getLogger(__name__)


@dataclass
class Training:
    """A run made ready: data at hand, networks on the device."""

    options: RunOptions
    spec: DataSpec
    engine: Engine
    batches: Supply
    preview: Batch
    """The inputs of every sample grid."""
    typical: Batch
    """Inputs of training, after which a moving average is settled."""
    rows: list[int]
    """How many there are, of each column or of the stream: with others it would be another run."""
    meter: Meter = field(default_factory=Meter)
    began: int = 0
    """The iteration it was taken up at."""
    best: tuple[int, float] | None = None
    """The iteration whose weights were judged best, and their score."""
    saved: int = -1
    """The iteration that this process has saved last."""
    settled: int = -1
    """The iteration at which the moving average was last made ready."""
    evaluation: Evaluation | None = None
    """What figures are made by on the way, in the process that leads; None: none are."""

    @property
    def iterations(self) -> int:
        """How many the whole run has."""
        return self.options.epochs * self.batches.per_epoch

    @property
    def finished(self) -> bool:
        """Whether the last iteration was made."""
        return self.engine.iteration >= self.iterations

    def step(self, everyone: bool = False) -> Losses:
        """The next iteration; `everyone`: all players of the last phase move, due or not.

        Raises:
            OptionError: the batch is too small for the networks, or (OutOfMemory) too large for the memory.
            DataError: what is streamed cannot be read.
        """
        with sized_for(self.options):
            return self.engine.step(self.batches.draw(self.engine.iteration), everyone)

    def judge(self, score: float) -> None:
        """Says how good the weights are now, the lower the better: a checkpoint of the best is made, and kept.

        To be called by a callback's `logged`, `sampled` or `evaluated`.
        """
        if self.best is None or score < self.best[1]:
            self.best = self.engine.iteration, score

    @property
    def is_best(self) -> bool:
        """Whether the weights as they are now were judged best."""
        return self.best is not None and self.best[0] == self.engine.iteration

    def row(self) -> dict[str, float]:
        """A line of metrics: how far the run is, its speed and losses since the line before."""
        done, size = self.engine.iteration, self.options.batch_size
        iterations, seconds, losses = self.meter.read()
        progress = {"iteration": done, "epoch": round(done / self.batches.per_epoch, 4), "images": done * size}
        return {**progress, "images_per_second": round(iterations * size / seconds, 2), **losses}

    def samples(self) -> Tensor:
        """What the networks make of the same inputs as ever, N x C x H x W on the CPU."""
        self.settle()
        with sized_for(self.options):
            return self.engine.sample(self.preview)

    def evaluate(self, evaluation: Evaluation) -> dict[str, Any]:
        """Measures what the networks make, and judges them by it; the line for evaluations.jsonl.

        Figures are None where the images are no numbers.
        """
        self.settle()
        figures: dict[str, float | None] = {metric.kind: None for metric in evaluation.metrics}
        try:
            with self.engine.evaluating(), sized_for(self.options):
                figures |= evaluation.measure(self.engine.makers)
        except Diverged as error:
            log.warning("at iteration %d nothing is measured: %s", self.engine.iteration, error)
        line = evaluation.line(self.engine.iteration, figures)
        if (figure := line["figures"][evaluation.metrics[0].kind]) is not None:
            self.judge(evaluation.metrics[0].score(figure))
        return line

    def rehearse(self, evaluation: Evaluation) -> int:
        """One part of an evaluation, to see how long it takes; returns how many parts there are."""
        self.settle()
        with self.engine.evaluating():
            return evaluation.rehearse(self.engine.makers)

    def settle(self) -> None:
        """Makes the moving average ready to make images, if one is kept.

        Raises:
            OptionError: see `step`.
        """
        if self.settled == self.engine.iteration:  # for a grid and a checkpoint of one iteration, once
            return
        with sized_for(self.options):
            self.engine.settle(self.typical)
        self.settled = self.engine.iteration

    def reals(self) -> Tensor:
        """Images of the data, beside which samples may be put."""
        return self.preview["image" if "image" in self.preview else "target"].cpu()

    def picture(self, fake: Tensor) -> Tensor:
        """Samples for the eyes: N x C x H x W; for translation input, output and target in turn."""
        if "source" not in self.preview:
            return fake
        columns = [self.preview.source.cpu(), fake]
        return pictures.side_by_side([*columns, self.preview.target.cpu()] if "target" in self.preview else columns)

    @property
    def picture_columns(self) -> int:
        """How many images stand in one row of a sample grid: what the GAN says, or two translations."""
        if "source" not in self.preview:
            return self.options.gan.grid_columns
        return 2 * (3 if "target" in self.preview else 2)


def prepare(options: RunOptions, data_dir: Path | None = None, ranks: Ranks | None = None) -> Training:
    """Loads the data and builds the networks, as the options say. Writes nothing but downloads.

    Raises:
        UserError: the data, the device or the shapes cannot be had.
    """
    options.players()  # what this and the next line refuse need not wait for the data
    options.dtype(options.place())
    ranks = ranks or Ranks.alone()
    ranks.share_of(options.batch_size)
    options.set_up_process()
    gan = options.gan
    data = load(options, gan.needs, gan.streams, data_dir, gan.shrinks)
    evaluation = evaluation_of(options, data.spec, data_dir) if options.evaluate_every and ranks.leads else None
    training = build(options, data, ranks)
    training.evaluation = evaluation
    return training


def evaluation_of(options: RunOptions, spec: DataSpec, data_dir: Path | None) -> Evaluation:
    """What is measured on the way: all that is usual, and what says which weights are the best.

    Raises:
        UserError: it cannot be measured here, or what it takes cannot be had.
    """
    metric = (options.metric,) if options.metric else ()
    asked = EvaluationOptions(metric=metric, extractor=options.extractor, split=options.evaluate_split)
    most = options.evaluate_samples
    return make_ready(options.gan, options, spec, asked, options.place(), data_dir, most, and_usual=True)


def build(options: RunOptions, data: Data, ranks: Ranks | None = None) -> Training:
    """The networks, and all else that a run on this data takes.

    Raises:
        UserError: the device or the shapes cannot be had.
    """
    gan, players, device, shape = options.gan, options.players(), options.place(), options.gan.noise_shape()
    ranks = ranks or Ranks.alone()
    columns = [column for stream in data.streams for column in stream.values()]
    rows = [len(part) for part in (data.stream, *columns) if part is not None]
    ranks.check_same({**options.model_dump(mode="json"), "images": rows})
    seed_everything(options.seed)
    with sized_for(options):
        batches = supply(options, data, ranks)
        whole = options.epochs * batches.per_epoch
        engine = Engine(
            gan, gan.build(data.spec), players, options, batches.assemble, ranks, learning=options, iterations=whole
        )
    if options.sync_batchnorm and ranks.count > 1:
        synchronise(engine.nets, ranks)
    seed_apart(options.seed, ranks.rank)
    preview = {name: scaled(column) for name, column in data.preview.items()}
    if "source" in preview:  # a translation is shown in two columns or three, so that fewer are enough
        preview = {name: column[:8] for name, column in preview.items()}
    noise = fixed_noise(len(next(iter(preview.values()))), shape, options.seed)
    noise = {name: gan.arrange(drawn) for name, drawn in noise.items()}
    inputs = Batch(**preview, **noise, step=torch.zeros((), dtype=torch.int64))
    typical = {name: scaled(column) for name, column in data.typical.items()}
    typical |= fixed_noise(len(next(iter(typical.values()))), shape, options.seed)
    given = Batch(**typical, step=torch.zeros((), dtype=torch.int64))
    return Training(options, data.spec, engine, batches, inputs.to(device), given.to(device), rows, Meter(ranks))


def supply(options: RunOptions, data: Data, ranks: Ranks) -> Supply:
    """The batches of this process: of data in memory, or of a stream."""
    device, shape = options.place(), options.gan.noise_shape()
    own = ranks.rank, ranks.count
    if data.stream is None:
        return Batches(data.streams, options.batch_size, shape, options.seed, device, *own)
    return StreamedBatches(data.stream, options.batch_size, shape, options.seed, device, options.workers, *own)


@contextmanager
def sized_for(options: RunOptions) -> Iterator[None]:
    """Says what to change where torch says only that something is too large or too small.

    Raises:
        OptionError: in place of torch's own error. OutOfMemory: it was memory.
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
    except (RuntimeError, MemoryError) as error:
        if options.deterministic and "deterministic" in str(error):
            raise OptionError(f"{str(error).splitlines()[0]}; leave --deterministic out") from error
        if not lacks_memory(error):
            raise
        raise OutOfMemory(f"there is not enough memory for {work} and {options.gan.name}'s networks") from error


def fixed_noise(count: int, shape: tuple[int, ...], seed: int) -> dict[str, Tensor]:
    """The batch's `noise`, if it has any: the n-th row of a seed is the same for any count."""
    return {"noise": latent(count, shape, seed)} if shape else {}
