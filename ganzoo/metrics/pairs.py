"""Metrics of pairs of outputs and targets, with torchmetrics and lpips. Images are in [-1, 1]."""

import warnings
from pathlib import Path
from typing import Self

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo.contract.metric import PairMeasure, PairMetric
from ganzoo.errors import DataError, OptionError
from ganzoo.metrics.library import library
from ganzoo.metrics.published_weights import PublishedWeights, Sha256

IMAGE = "torchmetrics.functional.image"
RANGE = 2.0
"""Range from black to white."""
WHITE = 255.0
"""Range from black to white in units of luminance."""

ALEXNET = PublishedWeights(
    title="AlexNet",
    address="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    sha256="7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
    megabytes=244,
    by_place="--metric lpips:weights=FILE",
    by_sha256="--metric lpips:weights=FILE,sha256=SHA256",
)
"""torchvision's weights, trained on ImageNet."""


class AbsoluteDifference(PairMetric):
    """Mean absolute difference, from 0 to 1, as a share of the range from black to white."""

    kind = "l1"
    usual = True

    def build(self, folder: Path) -> PairMeasure:
        return absolute_difference


def absolute_difference(made: Tensor, target: Tensor) -> Tensor:
    """Return the mean absolute difference of each pair, N."""
    return F.l1_loss(made, target, reduction="none").flatten(1).mean(1) / RANGE


class SignalToNoise(PairMetric):
    """Peak signal-to-noise ratio.

    10 log10(4 / mean square), in dB, for images in [-1, 1]. The mean square is over all pairs, as single ones may be
    exact.
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
            # SSIM's luminance term needs values of at least 0.
            shares = (made + 1) / 2, (target + 1) / 2
            figures: Tensor = similarity(*shares, data_range=1.0, reduction="none")
            return figures.reshape(-1)

        return measure


class OfLuminance(PairMetric):
    """Metric of the luminance Y only, as in papers on super-resolution."""

    higher_is_better = True
    default_for = "enlargement"

    border: int | None = Field(
        None, ge=0, description="pixels cropped at each edge (default: the GAN's scale factor, or 0 without one)"
    )

    def suited(self, scale: int) -> Self:
        if self.border is not None:
            return self
        return self.model_copy(update={"border": scale if scale > 1 else 0})

    def cut(self, images: Tensor) -> Tensor:
        """Return the luminance of images from 0 to 255, N x 1 x h x w, without their border."""
        edge = self.border or 0
        if 2 * edge >= min(images.shape[2:]):
            raise OptionError(f"option 'border' of '{self.kind}' leaves nothing of images this small; give less")
        return luminance(images)[:, :, edge : images.shape[2] - edge, edge : images.shape[3] - edge]


class LuminanceSignalToNoise(OfLuminance):
    """Peak signal-to-noise ratio of the luminance, averaged over pairs, in dB.

    10 log10(255^2 / mean square) of Y (BT.601, 16 to 235), borders cropped, as computed by MATLAB scripts and EDSR (Lim
    et al., 2017, arXiv:1707.02921). `psnr` uses all channels and the mean square over all pairs. A single exact pair
    makes it infinite.
    """

    kind = "psnr-y"
    unit = "dB"

    def build(self, folder: Path) -> PairMeasure:
        ratio = library(IMAGE).peak_signal_noise_ratio

        def measure(made: Tensor, target: Tensor) -> Tensor:
            images = self.cut(made), self.cut(target)
            figures: Tensor = ratio(*images, data_range=WHITE, dim=(1, 2, 3), reduction="none")
            return figures.reshape(-1)

        return measure


class LuminanceSimilarity(OfLuminance):
    """Structural similarity of the luminance, averaged over pairs.

    As `ssim`, of Y only (BT.601, 16 to 235), borders cropped.
    """

    kind = "ssim-y"
    least_side = 11

    def build(self, folder: Path) -> PairMeasure:
        similarity = library(IMAGE).structural_similarity_index_measure

        def measure(made: Tensor, target: Tensor) -> Tensor:
            images = self.cut(made), self.cut(target)
            if min(images[0].shape[2:]) < self.least_side:
                raise OptionError(
                    f"option 'border' of '{self.kind}' leaves fewer than {self.least_side} pixels; give less"
                )
            figures: Tensor = similarity(*images, data_range=WHITE, reduction="none")
            return figures.reshape(-1)

        return measure


def luminance(images: Tensor) -> Tensor:
    """Return the luminance Y of images, N x 1 x H x W: 16 to 235 of 255 (ITU-R BT.601), as in MATLAB's `rgb2ycbcr`.

    Images with one channel are only scaled, to 0 to 255; opacity is ignored.
    """
    shares = (images + 1) / 2
    if images.shape[1] == 1:
        return WHITE * shares
    weights = shares.new_tensor((65.481, 128.553, 24.966)).view(1, 3, 1, 1)
    return 16 + (shares[:, :3] * weights).sum(1, keepdim=True)


class LPIPS(PairMetric):
    """Learned perceptual distance, with AlexNet's features; 0: the same picture, without an upper bound.

    Zhang et al., 2018, arXiv:1801.03924, version 0.1. AlexNet's weights are downloaded once (244 MB), unless `weights`
    names a file.
    """

    kind = "lpips"
    least_side = 32
    places = frozenset({"weights", "sha256"})

    weights: Path | None = Field(None, description="file of torchvision's AlexNet weights")
    sha256: Sha256 | None = Field(None, description="SHA-256 of that file, if it is not the standard one")

    def build(self, folder: Path) -> PairMeasure:
        package = library("lpips")
        held = ALEXNET.load(folder, self.weights, self.sha256)
        with warnings.catch_warnings():  # it calls torchvision with deprecated arguments
            warnings.simplefilter("ignore")
            network = package.LPIPS(net="alex", version="0.1", pnet_rand=True, verbose=False)
        slices = network.net.state_dict()  # `slice2.3.weight` is torchvision's `features.3.weight`
        own = {name: f"features.{name.partition('.')[2]}" for name in slices}
        try:
            network.net.load_state_dict({name: held[theirs] for name, theirs in own.items()})
        except (KeyError, RuntimeError) as error:
            if self.weights is None:  # not the user's mistake
                raise
            raise DataError(
                f"'{self.weights}' holds the weights of another network: {' '.join(str(error).split())[:120]}"
            ) from error
        return Perceptual(network).eval().requires_grad_(False)


class Perceptual(nn.Module):
    """LPIPS of images with 1, 3 or 4 channels; opacity is ignored."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, made: Tensor, target: Tensor) -> Tensor:
        """Return the distance of each pair, N."""
        first, second = (x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x[:, :3] for x in (made, target))
        distance: Tensor = self.network(first, second)
        return distance.reshape(-1)
