"""Metrics: of two sets of images, through an extractor, or of images and their targets."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self, TypeAlias

from torch import Tensor

from ganzoo.config import Choice, NamedConfig, with_options
from ganzoo.contract.statistics import Statistics

PairMeasure: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Function from generated images and their targets, N x C x H x W in [-1, 1], to N figures; an nn.Module is moved to
the device."""


class Metric(NamedConfig, ABC):
    """Base class of `SetMetric`, `PairMetric` and others; fields are options, and part of the figure's protocol."""

    noun: ClassVar[str] = "metric"
    kind: ClassVar[str]
    """Name in `--metric fid` and in evaluations.jsonl."""
    higher_is_better: ClassVar[bool] = False
    best: ClassVar[float | None] = None
    """Best figure, if neither the highest nor the lowest; `higher_is_better` is then ignored."""
    unit: ClassVar[str] = ""
    """Unit of the figure, if any."""
    usual: ClassVar[bool] = False
    """Whether it is computed by default."""
    default_for: ClassVar[Literal["", "translation", "enlargement"]] = ""
    """GANs for which it is computed by default, if not for all: those that make images from images."""
    places: ClassVar[frozenset[str]] = frozenset()
    """Fields for the path and checksum of a file; they are not part of the protocol."""

    def suited(self, scale: int) -> Self:
        """Return the metric with options filled in that depend on the GAN's scale factor."""
        return self

    @classmethod
    def parse(cls, text: str) -> Mapping[str, object]:
        """Parse `kid`, or with options `kid:subset_size=100,subsets=50`."""
        return with_options(cls, text)

    def score(self, figure: float) -> float:
        """Convert the figure to one where lower is better."""
        return self.cost(figure)

    @classmethod
    def cost(cls, figure: float) -> float:
        """Convert the figure as `score` does, without an instance."""
        if cls.best is not None:
            return abs(figure - cls.best)
        return -figure if cls.higher_is_better else figure

    @classmethod
    def better(cls) -> str:
        """Describe which figures are better."""
        if cls.best is not None:
            return f"about {cls.best:g}"
        return "higher" if cls.higher_is_better else "lower"


class SetMetric(Metric, ABC):
    """Difference of two sets of images, or a property of one, as seen by an extractor."""

    looks_at: ClassVar[Literal["features", "logits", "colors"]] = "features"
    """Input: features or logits of the extractor, or colors, which need no extractor."""

    def caution(self, samples: int, width: int) -> str:
        """Return a warning if the figure is unreliable for so few samples; else an empty string.

        Args:
            samples: number of generated or real images, whichever is smaller.
            width: number of features or logits.
        """
        return ""

    def check(self) -> None:
        """Check that optional dependencies are available, before any image is generated.

        Raises:
            UserError: one is missing; the message says what to install.
        """

    def least(self, width: int) -> int:
        """Return the minimum number of samples, given the number of features or logits."""
        return 2

    @abstractmethod
    def measure(self, real: Tensor, fake: Tensor) -> float:
        """Compute the figure. Must be a pure function: random numbers only from a seed of its own.

        Args:
            real: of real images, N x D, float32, on the CPU.
            fake: of generated images, M x D; M = N, unless either number is set.
        """


class StatisticsMetric(SetMetric):
    """Figure computed from mean and covariance alone, so also from published statistics of real images."""

    @abstractmethod
    def compare(self, real: Statistics, fake: Statistics) -> float:
        """Compute the figure."""

    def measure(self, real: Tensor, fake: Tensor) -> float:
        return self.compare(Statistics.of(real), Statistics.of(fake))


class GroupMetric(Metric, ABC):
    """Figure of samples grouped by their requested class, or by the value of a code."""

    looks_at: ClassVar[Literal["features", "logits"]] = "features"
    """Output of the extractor that is measured."""
    by: ClassVar[Literal["label", "code"]] = "label"
    """Criterion that groups the samples."""
    usual = True

    @abstractmethod
    def measure(self, real: Tensor, real_groups: Tensor, fake: Tensor, fake_groups: Tensor) -> float:
        """Compute the figure. Must be a pure function, without random numbers.

        Args:
            real: features or logits of real images, N x D, float32, on the CPU.
            real_groups: their classes, int64, N; empty for codes, which real images lack.
            fake: features or logits of generated images, M x D.
            fake_groups: the requested classes, or the values of the code, int64, M.
        """


class TrainingMetric(Metric, ABC):
    """Figure of samples compared with training images and held-out images."""

    @abstractmethod
    def measure(self, train: Tensor, held_out: Tensor, fake: Tensor) -> float:
        """Compute the figure. Must be a pure function, without random numbers.

        Args:
            train: features of the training images, N x D, float32, on the CPU.
            held_out: features of held-out real images, M x D.
            fake: features of generated images, K x D.
        """


class PairMetric(Metric, ABC):
    """Similarity of generated images to their targets."""

    least_side: ClassVar[int] = 1
    """Minimum height and width of images in pixels."""

    @abstractmethod
    def build(self, folder: Path) -> PairMeasure:
        """Return the function that computes a figure for each pair.

        Args:
            folder: folder of downloads, including weights.

        Raises:
            UserError: weights are not available.
        """

    def combine(self, figures: Tensor) -> float:
        """Combine the figures of all pairs, N: their mean."""
        return float(figures.double().mean())


AnyMetric: TypeAlias = Annotated[Metric, Choice(Metric)]
"""Field that holds any registered metric."""
