"""What a proof is, and what proofs share: samples and the test split."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, TypeAlias

from PIL import Image
from torch import Tensor

from ganzoo import pictures
from ganzoo.data.batch import Batch
from ganzoo.data.batches import Batches, scaled
from ganzoo.data.dataset import Table
from ganzoo.engine.training import Training
from ganzoo.generation.trained import TrainedGAN
from ganzoo.options import RunOptions

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

    def __init__(self, run: RunOptions, count: int) -> None:
        self.run = run
        self.count = count
        """Samples, and images of the test split, at most."""

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

    def beside(self, fresh: Training) -> dict[str, Figures]:
        """What the figures stand beside, trivial answers foremost; `fresh`: the same run before it has begun."""
        return {}

    def protocol(self) -> dict[str, object]:
        """What a reader must know of the figures."""
        return {"measured": self.name, "split": "test"}

    def proves(self, before: Figures, after: Figures) -> bool:
        """Whether it became better by the factor."""
        worse, better = (after, before) if self.falls else (before, after)
        more, less = better[self.headline], worse[self.headline]
        return more > less and more >= self.factor * less

    def fields(self) -> frozenset[str]:
        """The fields of the test split that are looked at."""
        return self.run.gan.needs

    @cached_property
    def test(self) -> Batch:
        """The test split, in the form that the run is given data in."""
        return test_split(self.run, self.fields(), self.count)


def picture_of(images: Tensor, columns: int, side: int = 64) -> Image.Image:
    """Images in a grid, each pixel repeated a whole number of times until an image is about `side` pixels wide."""
    factor = max(1, round(side / images.shape[3]))
    return pictures.grid(images.repeat_interleave(factor, 2).repeat_interleave(factor, 3), columns)


def untrained(fresh: Training) -> TrainedGAN:
    """A GAN whose run has not begun."""
    return TrainedGAN(Path(), fresh.options.gan, fresh.spec, fresh.engine.nets.eval())


def test_split(run: RunOptions, fields: frozenset[str], count: int) -> Batch:
    """Fields of the data that a run does not train on: up to so many rows, at even distances."""
    plan = run.plan(fields, run.gan.shrinks)
    loaded = run.data.load(replace(run.request(plan.fields, "test"), limit=count))
    assert isinstance(loaded, Table), "proofs are made on data in memory"
    return Batch(**{name: scaled(column) for name, column in plan.columns(loaded.columns).items()})


def columns_with(field: str, fresh: Training) -> Mapping[str, Tensor]:
    """What a run trains on: the columns that belong together with one field."""
    assert isinstance(fresh.batches, Batches), "proofs are made on data in memory"
    return next(columns for columns in fresh.batches.streams if field in columns)


def captions(column: Tensor) -> list[str]:
    """A column of captions as texts."""
    return [bytes(row[row > 0].tolist()).decode() for row in column]
