"""What an extractor is: a network whose features stand for images where two sets of them are compared."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from torch import nn

from ganzoo.config import NamedConfig


class Extractor(NamedConfig, ABC):
    """A choice of network. Its fields are options: `--extractor.FIELD`."""

    noun: ClassVar[str] = "extractor"
    kind: ClassVar[str]
    """Its name in `--extractor inception` and in protocols."""
    resizer: ClassVar[str]
    """How it brings images to the size that it looks at, in words."""
    classes: ClassVar[tuple[str, ...]] = ()
    """What its logits mean, by number, if it classifies images of the classes of some data set."""
    places: ClassVar[frozenset[str]] = frozenset()
    """Fields that say where its weights lie and what they are checked by: they are no part of the protocol, which has
    a checksum of the weights themselves."""

    @abstractmethod
    def build(self, folder: Path) -> nn.Module:
        """The network, in evaluation mode.

        It takes images, N x C x H x W in [-1, 1] with 1, 3 or 4 channels and of any size, and gives features, N x D
        with D > 1, or features and logits, N x classes.

        Args:
            folder: where downloads are kept.

        Raises:
            UserError: its weights cannot be had, or are others than they should be.
        """
