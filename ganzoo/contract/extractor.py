"""Feature extractors: networks whose features represent images in comparisons of sets."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from torch import nn

from ganzoo.config import NamedConfig


class Extractor(NamedConfig, ABC):
    """Choice of a network for features. Its fields are options: `--extractor.FIELD`."""

    noun: ClassVar[str] = "extractor"
    kind: ClassVar[str]
    """Name in `--extractor inception` and in protocols."""
    resizer: ClassVar[str]
    """Description of the resizing of images to its input size."""
    classes: ClassVar[tuple[str, ...]] = ()
    """Names of its classes, by logit, if it classifies images of some data set."""
    places: ClassVar[frozenset[str]] = frozenset()
    """Fields for the path and checksum of its weights. They are not part of the protocol, which has a checksum of the
    weights themselves."""

    @abstractmethod
    def build(self, folder: Path) -> nn.Module:
        """Return the network in evaluation mode.

        It takes images, N x C x H x W in [-1, 1] with 1, 3 or 4 channels and of any size, and returns features, N x D
        with D > 1, or features and logits, N x classes.

        Args:
            folder: folder of downloads.

        Raises:
            UserError: its weights are not available or do not match their checksum.
        """
