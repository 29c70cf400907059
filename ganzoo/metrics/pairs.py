"""Figures of made images beside their targets, through torchmetrics and lpips. Images are in [-1, 1]."""

import warnings
from pathlib import Path

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo.errors import DataError
from ganzoo.metrics.library import library
from ganzoo.metrics.metric import PairMeasure, PairMetric
from ganzoo.metrics.weights import Published, Sha256

IMAGE = "torchmetrics.functional.image"
RANGE = 2.0
"""From black to white."""

ALEXNET = Published(
    title="AlexNet",
    address="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    sha256="7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
    megabytes=244,
    by_place="--metric lpips:weights=FILE",
    by_sha256="--metric lpips:weights=FILE,sha256=SHA256",
)
"""Torchvision's, trained on ImageNet."""


class AbsoluteDifference(PairMetric):
    """Mean absolute difference, from 0 to 1: as a share of the way from black to white."""

    kind = "l1"
    usual = True

    def build(self, folder: Path) -> PairMeasure:
        return absolute_difference


def absolute_difference(made: Tensor, target: Tensor) -> Tensor:
    """Of each pair, N."""
    return F.l1_loss(made, target, reduction="none").flatten(1).mean(1) / RANGE


class SignalToNoise(PairMetric):
    """Peak signal-to-noise ratio.

    10 log10(4 / mean square), in dB, for images in [-1, 1]. Of the mean square over all pairs: single ones may be right
    to the last pixel.
    """

    kind = "psnr"
    higher_is_better = True
    unit = "dB"
    usual = True

    def build(self, folder: Path) -> PairMeasure:
        ratio = library(IMAGE).peak_signal_noise_ratio

        def measure(made: Tensor, target: Tensor) -> Tensor:
            figures: Tensor = ratio(made, target, data_range=RANGE, dim=(1, 2, 3), reduction="none")
            return figures.reshape(-1)

        return measure

    def combine(self, figures: Tensor) -> float:
        return float(-10 * (10 ** (-figures.double() / 10)).mean().log10())


class StructuralSimilarity(PairMetric):
    """Structural similarity, from -1 to 1; 1: the same picture.

    Wang et al., 2004, in Gaussian windows of 11 pixels, sigma 1.5.
    """

    kind = "ssim"
    higher_is_better = True
    usual = True
    least_side = 11

    def build(self, folder: Path) -> PairMeasure:
        similarity = library(IMAGE).structural_similarity_index_measure

        def measure(made: Tensor, target: Tensor) -> Tensor:
            # Its comparison of brightness is one of shares, which negative numbers are not.
            shares = (made + 1) / 2, (target + 1) / 2
            figures: Tensor = similarity(*shares, data_range=1.0, reduction="none")
            return figures.reshape(-1)

        return measure


class LPIPS(PairMetric):
    """Learned perceptual distance, by AlexNet's features; 0: the same picture, and there is no upper end.

    Zhang et al., 2018, arXiv:1801.03924, version 0.1. The weights of AlexNet are downloaded once (244 MB)
    unless `weights` says where they are.
    """

    kind = "lpips"
    least_side = 32
    places = frozenset({"weights", "sha256"})

    weights: Path | None = Field(None, description="file of AlexNet's weights as torchvision has them")
    sha256: Sha256 | None = Field(None, description="checksum of that file, if it is not the standard one")

    def build(self, folder: Path) -> PairMeasure:
        package = library("lpips")
        held = ALEXNET.load(folder, self.weights, self.sha256)
        with warnings.catch_warnings():  # it asks torchvision for a network in words of years ago
            warnings.simplefilter("ignore")
            network = package.LPIPS(net="alex", version="0.1", pnet_rand=True, verbose=False)
        slices = network.net.state_dict()  # `slice2.3.weight` is torchvision's `features.3.weight`
        own = {name: f"features.{name.partition('.')[2]}" for name in slices}
        try:
            network.net.load_state_dict({name: held[theirs] for name, theirs in own.items()})
        except (KeyError, RuntimeError) as error:
            if self.weights is None:  # no mistake in what was asked
                raise
            raise DataError(
                f"'{self.weights}' holds the weights of another network: {' '.join(str(error).split())[:120]}"
            ) from error
        return Perceptual(network).eval().requires_grad_(False)


class Perceptual(nn.Module):
    """LPIPS of images with 1, 3 or 4 channels; opacity counts for nothing."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, made: Tensor, target: Tensor) -> Tensor:
        """Of each pair, N."""
        first, second = (x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x[:, :3] for x in (made, target))
        distance: Tensor = self.network(first, second)
        return distance.reshape(-1)
