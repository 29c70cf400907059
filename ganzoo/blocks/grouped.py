"""Residual networks of grouped convolutions without normalization, from R3GAN."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo.blocks.equalized import Blur
from ganzoo.blocks.sizes import check_size
from ganzoo.contract.networks import Discriminator, Generator

GROUP = 16
"""Number of channels per group of a convolution, if there are as many."""
GAIN = math.sqrt(2 / (1 + 0.2**2))
"""Gain of weights that compensates for a leaky ReLU of slope 0.2."""


class GroupedResidual(nn.Module):
    """Residual block with an inverted bottleneck: N x channels x H x W to the same shape.

    A convolution of 1 x 1 to twice the channels, one of 3 x 3 in groups, one of 1 x 1 back, with leaky ReLU between
    (Huang et al., 2024, arXiv:2501.05441, section 4). Instead of normalization, initial weights are scaled down by the
    number of blocks, and the last are zero: fix-up initialization (Zhang et al., 2019, arXiv:1901.09321).

    Args:
        channels: channels of the image.
        depth: number of such blocks in the network.
    """

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        inner = 2 * channels
        groups = max(1, inner // GROUP)
        self.expand = nn.Conv2d(channels, inner, 1)
        self.mix = nn.Conv2d(inner, inner, 3, padding=1, groups=groups if inner % groups == 0 else 1)
        self.project = nn.Conv2d(inner, channels, 1, bias=False)
        for layer in (self.expand, self.mix):
            scaled(layer, GAIN * depth**-0.25)  # depth ** (-1 / (2 m - 2)) with m = 3 layers in a block
        nn.init.zeros_(self.project.weight)

    def forward(self, image: Tensor) -> Tensor:
        made = F.leaky_relu(self.expand(image), 0.2)
        made = F.leaky_relu(self.mix(made), 0.2)
        changed: Tensor = image + self.project(made)
        return changed


def scaled(layer: nn.Conv2d | nn.Linear, gain: float = 1.0) -> nn.Module:
    """Sample weights from N(0, gain / sqrt(inputs)), which preserves the scale of values, and set biases to 0."""
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(layer.weight[0].numel()))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def stages(
    network: str, shape: tuple[int, int, int], width: int, growth: int, max_width: int | None
) -> tuple[list[int], tuple[int, int]]:
    """Return the channels at each size, the largest image first, and the height and width of the smallest.

    Raises:
        SizeError: a side is not a multiple of 4, or shorter than 8.
    """
    check_size(network, shape, multiple=4, least=8)
    _, height, width_ = shape
    channels, limit = [width], 8 * width if max_width is None else max(width, max_width)
    while min(height, width_) > 4 and height % 2 == width_ % 2 == 0:
        height, width_ = height // 2, width_ // 2
        channels.append(min(growth * channels[-1], limit))
    return channels, (height, width_)


class GroupedGenerator(Generator):
    """R3GAN's generator (Huang et al., 2024, arXiv:2501.05441, section 4), without any normalization.

    The noise scales each channel of a learned image of the smallest size, 4 x 4 for powers of two; residual blocks and
    bilinear upsampling alternate from there.

    Args:
        latent_dim: length of the noise vector.
        shape: channels, height and width of the images; sides multiples of 4, and at least 8.
        width: channels at full size.
        growth: factor of the channels at each halving of the sides.
        max_width: maximum number of channels (default: eight times `width`).
        blocks: residual blocks at each size.

    Raises:
        SizeError: a side is not a multiple of 4, or shorter than 8.
    """

    def __init__(
        self,
        latent_dim: int,
        shape: tuple[int, int, int],
        *,
        width: int = 16,
        growth: int = 2,
        max_width: int | None = None,
        blocks: int = 1,
    ) -> None:
        super().__init__()
        (*outer, inner), smallest = stages(type(self).__name__, shape, width, growth, max_width)
        depth = blocks * (len(outer) + 1)
        self.basis = nn.Parameter(torch.randn(inner, *smallest))
        self.weigh = scaled(nn.Linear(latent_dim, inner, bias=False))
        layers: list[nn.Module] = [GroupedResidual(inner, depth) for _ in range(blocks)]
        for features in reversed(outer):
            if features != inner:
                layers.append(scaled(nn.Conv2d(inner, features, 1, bias=False)))
            layers += [Blur(resampling="up"), *(GroupedResidual(features, depth) for _ in range(blocks))]
            inner = features
        self.layers = nn.Sequential(*layers, scaled(nn.Conv2d(inner, shape[0], 1)))

    def forward(self, noise: Tensor) -> Tensor:
        """Map noise, N x latent_dim, to images, N x C x H x W; in [-1, 1] in evaluation, approximately in training."""
        images: Tensor = self.layers(self.weigh(noise)[:, :, None, None] * self.basis)
        # A saturated tanh has no gradient, and without normalization values can grow: on digits, mostly black, this
        # generator collapsed to black images after 100 iterations.
        return images if self.training else images.clamp(-1, 1)


class GroupedDiscriminator(Discriminator):
    """R3GAN's discriminator (Huang et al., 2024), the mirror image of its generator.

    Args:
        shape: channels, height and width of the images; sides multiples of 4, and at least 8.
        width: channels at full size.
        growth: factor of the channels at each halving of the sides.
        max_width: maximum number of channels (default: eight times `width`).
        blocks: residual blocks at each size.

    Raises:
        SizeError: a side is not a multiple of 4, or shorter than 8.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        width: int = 16,
        growth: int = 2,
        max_width: int | None = None,
        blocks: int = 1,
    ) -> None:
        super().__init__()
        (first, *inner), smallest = stages(type(self).__name__, shape, width, growth, max_width)
        depth = blocks * (len(inner) + 1)
        given = first
        layers: list[nn.Module] = [scaled(nn.Conv2d(shape[0], first, 1))]
        layers += [GroupedResidual(first, depth) for _ in range(blocks)]
        for features in inner:
            layers.append(Blur(resampling="down"))
            if features != given:
                layers.append(scaled(nn.Conv2d(given, features, 1, bias=False)))
            layers += [GroupedResidual(features, depth) for _ in range(blocks)]
            given = features
        self.layers = nn.Sequential(*layers)
        # A weighted sum over the image for each channel, then over the channels.
        self.basis = nn.Conv2d(given, given, smallest, groups=given, bias=False)
        scaled(self.basis)
        self.weigh = scaled(nn.Linear(given, 1, bias=False))

    def forward(self, image: Tensor) -> Tensor:
        """Map images, N x C x H x W, to logits, N x 1."""
        # Double backward of this convolution is slow in torch, which processes one channel after another.
        summary = (self.layers(image) * self.basis.weight[:, 0]).sum((2, 3))
        logits: Tensor = self.weigh(summary)
        return logits
