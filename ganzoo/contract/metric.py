"""What a figure is: of two sets of images, seen through an extractor, or of images beside their targets."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self, TypeAlias

from torch import Tensor

from ganzoo.config import Choice, NamedConfig, with_options
from ganzoo.contract.statistics import Statistics

PairMeasure: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Made images and their targets, N x C x H x W in [-1, 1], to N figures; an nn.Module is put on the device first."""


class Metric(NamedConfig, ABC):
    """One figure. Inherit `SetMetric` or `PairMetric`; fields are options, and part of the figure's protocol."""

    noun: ClassVar[str] = "metric"
    kind: ClassVar[str]
    """Its name in `--metric fid` and in evaluations.jsonl."""
    higher_is_better: ClassVar[bool] = False
    best: ClassVar[float | None] = None
    """The best figure, where neither the highest nor the lowest is; `higher_is_better` then says nothing."""
    unit: ClassVar[str] = ""
    """What it is counted in, if in anything."""
    usual: ClassVar[bool] = False
    """Whether it is measured where nobody says which are wanted."""
    default_for: ClassVar[Literal["", "translation", "enlargement"]] = ""
    """GANs of which it is measured then, though it is not of others: those that make images of images."""
    places: ClassVar[frozenset[str]] = frozenset()
    """Fields that say where a file lies and what it is checked by: they are no part of the protocol."""

    def suited(self, scale: int) -> Self:
        """The metric with options filled in that follow from how many times a GAN enlarges its sources."""
        return self

    @classmethod
    def parse(cls, text: str) -> Mapping[str, object]:
        """`kid`, or with options `kid:subset_size=100,subsets=50`."""
        return with_options(cls, text)

    def score(self, figure: float) -> float:
        """The figure as something that is the better the lower it is."""
        return self.cost(figure)

    @classmethod
    def cost(cls, figure: float) -> float:
        """The same, for which no options are needed."""
        if cls.best is not None:
            return abs(figure - cls.best)
        return -figure if cls.higher_is_better else figure

    @classmethod
    def better(cls) -> str:
        """Which figures are better, in words."""
        if cls.best is not None:
            return f"about {cls.best:g}"
        return "higher" if cls.higher_is_better else "lower"


class SetMetric(Metric, ABC):
    """How two sets of images differ, or what one of them is like, as an extractor sees them."""

    looks_at: ClassVar[Literal["features", "logits", "colors"]] = "features"
    """What is measured: features or logits of the extractor, or colors, for which none is asked."""

    def caution(self, samples: int, width: int) -> str:
        """A warning that the figure of so few samples, or real images, is poor; empty: it is not.

        Args:
            samples: made or real, whichever are fewer.
            width: features or logits of each.
        """
        return ""

    def check(self) -> None:
        """Looks, before any image is made, whether what it takes is there.

        Raises:
            UserError: it is not; it says what to install.
        """

    def least(self, width: int) -> int:
        """How many samples it takes, of features or logits that are so many numbers each."""
        return 2

    @abstractmethod
    def measure(self, real: Tensor, fake: Tensor) -> float:
        """The figure. A pure function: it draws no random numbers but from a seed of its own.

        Args:
            real: of real images, N x D, float32, on the CPU.
            fake: of made ones, M x D: as many, unless another number of either is asked for.
        """


class StatisticsMetric(SetMetric):
    """A figure of nothing but mean and covariance, so that it can be had of published statistics of real images."""

    @abstractmethod
    def compare(self, real: Statistics, fake: Statistics) -> float:
        """The figure."""

    def measure(self, real: Tensor, fake: Tensor) -> float:
        return self.compare(Statistics.of(real), Statistics.of(fake))


class GroupMetric(Metric, ABC):
    """A figure of samples that are told apart by the class they were asked for, or by the value of a code."""

    looks_at: ClassVar[Literal["features", "logits"]] = "features"
    """Which of what the extractor gives is measured."""
    by: ClassVar[Literal["label", "code"]] = "label"
    """What samples are told apart by."""
    usual = True

    @abstractmethod
    def measure(self, real: Tensor, real_groups: Tensor, fake: Tensor, fake_groups: Tensor) -> float:
        """The figure. A pure function, which draws no random numbers.

        Args:
            real: features or logits of real images, N x D, float32, on the CPU.
            real_groups: their classes, int64, N; by code: empty, as real images have no codes.
            fake: features or logits of made ones, M x D.
            fake_groups: the classes that were asked for, or the values of the code, int64, M.
        """


class TrainingMetric(Metric, ABC):
    """A figure of samples beside the images that were trained on, and others that were held out."""

    @abstractmethod
    def measure(self, train: Tensor, held_out: Tensor, fake: Tensor) -> float:
        """The figure. A pure function, which draws no random numbers.

        Args:
            train: features of the images that were trained on, N x D, float32, on the CPU.
            held_out: features of real images that were not, M x D.
            fake: features of made ones, K x D.
        """


class PairMetric(Metric, ABC):
    """How near made images are to their targets."""

    least_side: ClassVar[int] = 1
    """Pixels that images must be high and wide, at least."""

    @abstractmethod
    def build(self, folder: Path) -> PairMeasure:
        """The function that gives a figure for each pair.

        Args:
            folder: where downloads are kept, weights among them.

        Raises:
            UserError: weights cannot be had.
        """

    def combine(self, figures: Tensor) -> float:
        """The figure of all pairs out of those of each, N: their mean."""
        return float(figures.double().mean())


AnyMetric: TypeAlias = Annotated[Metric, Choice(Metric)]
"""A field that holds any registered metric."""
