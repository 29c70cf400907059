"""What a proof is, and what proofs share: samples, and the real images beside them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar, TypeAlias

from PIL import Image
from torch import Tensor

from ganzoo import pictures
from ganzoo.contract.batch import Batch
from ganzoo.data.dataset import Part
from ganzoo.data.in_memory import InMemoryLoader, to_float
from ganzoo.data.load import load_some
from ganzoo.options.run import RunOptions
from ganzoo.sampling.trained import TrainedGAN
from ganzoo.training.trainer import Trainer

Figures: TypeAlias = dict[str, float]
PART = 250
"""Images that are made at once."""


class Proof(ABC):
    """One kind of proof. An instance is the proof of one run: it knows what that run is trained on."""

    name: ClassVar[str]
    """What is measured, in words."""
    options: ClassVar[Mapping[str, object]] = {}
    """What a GAN is trained with in order to be measured so."""
    tiny: ClassVar[Mapping[str, object]] = {}
    """What to train with where seconds must do: so many iterations, and no clock."""
    seconds: ClassVar[float] = 240
    """How long to train for it, unless said otherwise."""
    headline: ClassVar[str]
    """The figure that training must make better."""
    falls: ClassVar[bool] = False
    """Whether it is the better the lower it is."""
    factor: ClassVar[float]
    """How many times as good as untrained a GAN is after a tiny training, at least."""

    shows: ClassVar[str] = "Made with the weights that come with ganzoo. More of them, without training:"
    """What the picture of weights that ship shows, and what `example` does."""
    language: ClassVar[str] = "bash"
    """Language of `example`."""
    hold_out: ClassVar[int]
    """Images to hold out of training, where something is to be chosen by what is measured on them."""

    def __init__(self, run: RunOptions, count: int, split: Part = "test") -> None:
        self.run = run
        self.count = count
        """Samples at most; no more than the split has images."""
        self.split = split
        """What is measured on: "test" for figures to report, "held-out" for figures to choose by."""

    @classmethod
    @abstractmethod
    def applies(cls, run: RunOptions) -> bool:
        """Whether a GAN is measured so, from what it needs and what it is trained with by default."""

    @abstractmethod
    def measure(self, trained: TrainedGAN) -> Figures:
        """How good it is."""

    @abstractmethod
    def picture(self, trained: TrainedGAN) -> Image.Image:
        """What it makes."""

    @abstractmethod
    def example(self, name: str) -> str:
        """Command that makes images with weights that ship under that name; or code, in `language`."""

    def beside(self, fresh: Trainer) -> dict[str, Figures]:
        """What the figures stand beside, trivial answers foremost; `fresh`: the same run before it has begun."""
        return {}

    def protocol(self) -> dict[str, object]:
        """What a reader must know of the figures."""
        return {"measured": self.name, "split": self.split}

    def proves(self, before: Figures, after: Figures) -> bool:
        """Whether it became better by the factor."""
        worse, better = (after, before) if self.falls else (before, after)
        more, less = better[self.headline], worse[self.headline]
        return more > less and more >= self.factor * less

    def fields(self) -> frozenset[str]:
        """Fields of the data that are looked at."""
        return self.run.gan.needs

    @cached_property
    def real(self) -> Batch:
        """Rows that the run does not train on, up to `count` at even distances, in the form of its batches."""
        table = load_some(self.run, self.fields(), self.split, self.count, scale_factor=self.run.gan.scale_factor)
        return Batch(**{name: to_float(column) for name, column in table.columns.items()})


def picture_of(images: Tensor, columns: int, side: int = 64) -> Image.Image:
    """Images in a grid, each pixel repeated a whole number of times until an image is about `side` pixels wide."""
    factor = max(1, round(side / images.shape[3]))
    return pictures.grid(images.repeat_interleave(factor, 2).repeat_interleave(factor, 3), columns)


def untrained(fresh: Trainer) -> TrainedGAN:
    """A GAN whose run has not begun."""
    return TrainedGAN(Path(), fresh.options.gan, fresh.spec, fresh.engine.nets.eval())


def columns_with(field: str, fresh: Trainer) -> Mapping[str, Tensor]:
    """What a run trains on: the columns that belong together with one field."""
    assert isinstance(fresh.batches, InMemoryLoader), "proofs are made on data in memory"
    return next(columns for columns in fresh.batches.streams if field in columns)


def captions(column: Tensor) -> list[str]:
    """A column of captions as texts."""
    return [bytes(row[row > 0].tolist()).decode() for row in column]
