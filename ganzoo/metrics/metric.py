"""What a figure is: of two sets of images, seen through an extractor, or of images beside their targets."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeAlias

from torch import Tensor

from ganzoo.config import NamedConfig, OneOf, with_options

PairMeasure: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Made images and their targets, N x C x H x W in [-1, 1], to N figures; an nn.Module is put on the device first."""


class Metric(NamedConfig, ABC):
    """One figure. Inherit `SetMetric` or `PairMetric`; fields are options, and part of the figure's protocol."""

    noun: ClassVar[str] = "metric"
    kind: ClassVar[str]
    """Its name in `--metric fid` and in evaluations.jsonl."""
    higher_is_better: ClassVar[bool] = False
    unit: ClassVar[str] = ""
    """What it is counted in, if in anything."""
    usual: ClassVar[bool] = False
    """Whether it is measured where nobody says which are wanted."""
    places: ClassVar[frozenset[str]] = frozenset()
    """Fields that say where a file lies and what it is checked by: they are no part of the protocol."""

    @classmethod
    def parse(cls, text: str) -> Mapping[str, object]:
        """`kid`, or with options `kid:subset_size=100,subsets=50`."""
        return with_options(cls, text)

    def score(self, figure: float) -> float:
        """The figure as something that is the better the lower it is."""
        return -figure if self.higher_is_better else figure


class SetMetric(Metric, ABC):
    """How two sets of images differ, or what one of them is like, as an extractor sees them."""

    looks_at: ClassVar[Literal["features", "logits"]] = "features"
    """Which of what the extractor gives is measured."""

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
            fake: of as many made ones.
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


AnyMetric: TypeAlias = Annotated[Metric, OneOf(Metric)]
"""A field that holds any registered metric."""
