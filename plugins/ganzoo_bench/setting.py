"""What a session of benchmarks runs on, and the trainings that it makes ready."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch

from ganzoo import GAN, Batch, Engine, Trainer, prepare
from ganzoo.options import RunOptions, resolve

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
        several = int(os.environ.get("WORLD_SIZE", "1")) > 1  # as torchrun says; then each process has its own GPU
        device = self.device.type if several else str(self.device)
        options = resolve(GAN.named(gan), {**dict(self.given), **given, "device": device})
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
        return prepare(self.options(gan, **given), self.data)


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
