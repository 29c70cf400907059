"""What a session of benchmarks runs on, and the trainings that it makes ready."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch

from ganzoo.base.torchrun import rank_and_count
from ganzoo.contract.batch import Batch
from ganzoo.distributed.context import DistributedContext
from ganzoo.engine.cuda_graphs import WARM_UP
from ganzoo.engine.engine import Engine
from ganzoo.options.run import RunOptions, resolve
from ganzoo.plugins import zoo
from ganzoo.training.trainer import Trainer

Given: TypeAlias = tuple[tuple[str, object], ...]
"""Options of runs, by their names: pairs, so that it can be a key."""


@dataclass(frozen=True)
class Asked:
    """What a session is asked to measure; by default, what the flags of `pytest benchmarks` leave open."""

    gans: tuple[str, ...] | None = None
    """None: every GAN of the zoo."""
    device: str = "auto"
    smoke: bool = False
    given: Given = ()
    """Options of every training."""
    data: Path | None = None
    """The folder for downloads; None: one that lasts as long as the session."""


@dataclass(frozen=True)
class Setting:
    """The device, the folder for data, and whether to try that everything runs rather than to measure."""

    device: torch.device
    data: Path
    smoke: bool = False
    given: Given = ()
    """Options of every training, unless it has others of that name."""

    def options(self, gan: str, **given: object) -> RunOptions:
        """A run's options; in a smoke pass with tiny images, batches and data, unless its user asked for others."""
        device = self.device.type if rank_and_count()[1] > 1 else str(self.device)  # of several, each has its own GPU
        options = resolve(zoo().gan(gan), {**dict(self.given), **given, "device": device})
        if not self.smoke:
            return options
        asked = dict(self.given)
        batch_size = options.batch_size if "batch_size" in asked else min(options.batch_size, 4)
        tiny: dict[str, object] = {"image_size": (32, 32), "batch_size": batch_size}
        if not options.data.streamed:  # of a stream no rows can be picked
            most = max(8, batch_size)
            tiny["limit"] = min(options.limit or most, most)
        return options.model_copy(update={name: value for name, value in tiny.items() if name not in asked})

    def training(self, gan: str, **given: object) -> Trainer:
        """A run made ready."""
        options = self.options(gan, **given)
        return Trainer.setup(options, self.data, DistributedContext.join(options.resolve_device()))


def warm_up_cycles(engine: Engine) -> int:
    """Whole cycles before the clock starts: every set of players that are due is recorded, where the engine records."""
    return WARM_UP + 3 if engine.graphs else 2


def train(training: Trainer, iterations: int) -> None:
    """Iterations from end to end, data included."""
    for _ in range(iterations):
        training.step()


def train_on(engine: Engine, batch: Batch, iterations: int) -> None:
    """Iterations on a batch that is on the device already."""
    for _ in range(iterations):
        engine.step(batch)


def precision(options: RunOptions) -> str:
    """The arithmetic that the networks compute in, as `--precision` calls it."""
    if options.precision != "auto":
        return options.precision
    return "bf16" if options.dtype(options.resolve_device()) == torch.bfloat16 else "fp32"


def eager(options: RunOptions) -> RunOptions:
    """The same run with nothing recorded or compiled: one operation after the other, as the program says."""
    return options.model_copy(update={"graphs": False, "compile": False})


def bare_engine(training: Trainer, options: RunOptions | None = None) -> Engine:
    """A new engine for the same work, or as other options say, on batches that are put together already."""
    options = options or training.options
    torch.manual_seed(options.seed)
    return Engine(options.gan, options.gan.build(training.spec), options.players(), options)
