"""Layers at an equalised learning rate, and the residual discriminator made of them: StyleGAN2's and its kin's."""

import math
from itertools import pairwise
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from ganzoo.blocks.sizes import check_size
from ganzoo.networks import Discriminator

Resampling: TypeAlias = Literal["none", "up", "down"]
"""What a convolution does to height and width: nothing, double them, or halve them."""

GAIN = math.sqrt(2)
"""By which activations are scaled, so that they keep the variance that the leaky ReLU takes from them."""


def activate(features: Tensor) -> Tensor:
    """Leaky ReLU of slope 0.2, scaled so that random features keep their variance."""
    return F.leaky_relu(features, 0.2) * GAIN


def scale_of(layer: nn.Linear | nn.Conv2d) -> float:
    """What an equalised layer multiplies its weight by: 1 / sqrt(inputs of an output), unless that is held already.

    A weight that is parametrised, as spectral normalisation does it, has its size from there.
    """
    return 1.0 if parametrize.is_parametrized(layer, "weight") else 1 / math.sqrt(layer.weight[0].numel())


class EqualizedLinear(nn.Linear):
    """A linear layer whose weights are drawn from N(0, 1) and scaled as they are used.

    Under Adam all weights then learn equally fast, whatever the size of their layer: an equalised learning rate
    (Karras et al., 2017, arXiv:1710.10196, section 4.1).

    Args:
        in_features: length of the input.
        out_features: length of the output.
        bias: the initial bias.
        rate: learning rate of this layer, as a multiple of the optimizer's.
    """

    def __init__(self, in_features: int, out_features: int, *, bias: float = 0.0, rate: float = 1.0) -> None:
        super().__init__(in_features, out_features)
        self.rate = rate
        nn.init.normal_(self.weight, std=1 / rate)
        nn.init.constant_(self.bias, bias / rate)

    def forward(self, inputs: Tensor) -> Tensor:
        return F.linear(inputs, self.weight * (scale_of(self) * self.rate), self.bias * self.rate)


class Blur(nn.Module):
    """The binomial filter [1, 3, 3, 1] in both directions, on each channel by itself.

    It keeps resampling from inventing frequencies that are not there (Zhang, 2019, arXiv:1904.11486).

    Args:
        padding: zeros on each side; 1 takes a row and a column from the image.
        resampling: "down" keeps every other pixel, "up" puts a zero between any two; padding is then 1 and the sides
            are halved or doubled.
    """

    def __init__(self, padding: int = 1, resampling: Resampling = "none") -> None:
        super().__init__()
        self.padding, self.resampling = padding, resampling
        line = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        self.register_buffer("kernel", torch.outer(line, line)[None, None], persistent=False)
        self.kernel: Tensor

    def forward(self, image: Tensor) -> Tensor:
        channels = image.shape[1]
        kernel = self.kernel.to(image.dtype).expand(channels, 1, 4, 4)
        if self.resampling == "up":  # of four pixels three are zeros, so that the filter is to add up to 4
            return F.conv_transpose2d(image, 4 * kernel, stride=2, padding=1, groups=channels)
        stride = 2 if self.resampling == "down" else 1
        return F.conv2d(image, kernel, stride=stride, padding=self.padding, groups=channels)


class EqualizedConv(nn.Conv2d):
    """A convolution without bias at an equalised learning rate, which may halve or double the image, blurring it.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: 3 keeps the size of the image by padding; so does 1.
        resampling: "up", for a kernel of 3 alone, blurs after the convolution, "down" before it.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Literal[1, 3] = 3, resampling: Resampling = "none"
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=False)
        nn.init.normal_(self.weight)
        self.resampling = resampling
        before = Blur(2) if kernel_size == 3 else Blur(resampling="down")
        self.blur = {"none": None, "up": Blur(), "down": before}[resampling]

    def scaled(self) -> Tensor:
        """The weight as it is used."""
        return self.weight * scale_of(self)

    def forward(self, image: Tensor) -> Tensor:
        if self.blur is None:
            return F.conv2d(image, self.scaled(), padding=self.padding)
        if self.resampling == "up":
            return self.blur(4 * F.conv_transpose2d(image, self.scaled().transpose(0, 1), stride=2))
        blurred = self.blur(image)
        return F.conv2d(blurred, self.scaled(), stride=2 if self.kernel_size[0] == 3 else 1)


def levels_of(network: str, shape: tuple[int, int, int]) -> list[tuple[int, int]]:
    """Heights and widths from the smallest, whose shorter side is 4 to 8, doubled up to the image's.

    Args:
        network: its name, for the message.
        shape: channels, height and width of the images.

    Raises:
        SizeError: they cannot be halved so often; naming sizes that work.
    """
    _, height, width = shape
    shorter = min(height, width)
    doublings = max(1, (shorter // 4).bit_length() - 1)
    if shorter == 4 << doublings and max(height, width) % (1 << doublings):
        doublings = max(1, doublings - 1)  # 64 x 104 begins as 8 x 13
    check_size(network, shape, multiple=1 << doublings, least=8)
    return [(height >> halvings, width >> halvings) for halvings in range(doublings, -1, -1)]


def channels_of(levels: int, channels: int, max_channels: int) -> list[int]:
    """Feature maps of each level, from the smallest image: twice as many each time it is halved, up to a limit."""
    return [min(channels << halvings, max(channels, max_channels)) for halvings in range(levels - 1, -1, -1)]


class MinibatchDeviation(nn.Module):
    """Adds a feature map that holds how much the images of a group differ (Karras et al., 2017, arXiv:1710.10196).

    The standard deviation of each feature over the group, in the mean over all features: fakes that are all alike
    give themselves away.

    Args:
        group: images in a group, at most; a batch that it does not divide has smaller ones.
    """

    def __init__(self, group: int = 4) -> None:
        super().__init__()
        self.group = group

    def forward(self, features: Tensor) -> Tensor:
        count, _, height, width = features.shape
        group = next((size for size in range(self.group, 1, -1) if count % size == 0), 1)
        apart = features.unflatten(0, (group, count // group)).float()
        deviation = (apart.var(0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3), keepdim=True)
        extra = deviation.repeat(group, 1, height, width).to(features.dtype)
        return torch.cat([features, extra], 1)


class BiasedConv(nn.Module):
    """An equalised convolution, a bias and the activation: one layer of the discriminator."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Literal[1, 3] = 3, resampling: Resampling = "none"
    ) -> None:
        super().__init__()
        self.conv = EqualizedConv(in_channels, out_channels, kernel_size, resampling)
        self.bias = nn.Parameter(torch.zeros(out_channels, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        return activate(self.conv(image) + self.bias)


class ResidualDown(nn.Module):
    """Two convolutions, the second of which halves the image, beside a single one that does so too."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            BiasedConv(in_channels, in_channels), BiasedConv(in_channels, out_channels, resampling="down")
        )
        self.skip = EqualizedConv(in_channels, out_channels, 1, "down")

    def forward(self, image: Tensor) -> Tensor:
        return (self.layers(image) + self.skip(image)) / GAIN


class EqualizedDiscriminator(Discriminator):
    """Residual blocks down to 4 to 8 pixels, the deviation within the batch, then one logit for each image.

    StyleGAN2's discriminator (Karras et al., 2019, arXiv:1912.04958, figure 7c).

    Args:
        shape: channels, height and width of the images.
        channels: feature maps at full size; twice as many each time the sides are halved.
        max_channels: but no more than this.

    Raises:
        SizeError: the sides cannot be halved down to 4 to 8 pixels.
    """

    def __init__(self, shape: tuple[int, int, int], *, channels: int = 16, max_channels: int = 128) -> None:
        super().__init__()
        sizes = levels_of(type(self).__name__, shape)
        widths = channels_of(len(sizes), channels, max_channels)[::-1]
        self.layers = nn.Sequential(
            BiasedConv(shape[0], widths[0], 1),
            *(ResidualDown(before, after) for before, after in pairwise(widths)),
            MinibatchDeviation(),
            BiasedConv(widths[-1] + 1, widths[-1]),
        )
        self.hidden = EqualizedLinear(widths[-1] * math.prod(sizes[0]), widths[-1])
        self.logit = EqualizedLinear(widths[-1], 1)

    def forward(self, image: Tensor) -> Tensor:
        """Images, N x C x H x W, to logits, N x 1."""
        return self.logit(activate(self.hidden(self.layers(image).flatten(1))))
