"""Layers with an equalized learning rate, and their residual discriminator, from StyleGAN2 and its relatives."""

import math
from itertools import pairwise
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from ganzoo.blocks.sizes import check_size
from ganzoo.contract.networks import Discriminator

Resampling: TypeAlias = Literal["none", "up", "down"]
"""Effect of a convolution on height and width: none, doubled, or halved."""

GAIN = math.sqrt(2)
"""Gain of activations that preserves the variance through the leaky ReLU."""


def activate(features: Tensor) -> Tensor:
    """Apply a leaky ReLU of slope 0.2, scaled to preserve the variance of random features.

    Scaling the features before is equivalent, and can be merged into a layer's weights.
    """
    return F.leaky_relu(features, 0.2) * GAIN


def scale_of(layer: nn.Linear | nn.Conv2d) -> float:
    """Return the factor of an equalized layer's weight: 1 / sqrt(inputs of an output).

    It is 1 for a parametrized weight, as with spectral normalization, which determines its size.
    """
    return 1.0 if parametrize.is_parametrized(layer, "weight") else 1 / math.sqrt(layer.weight[0].numel())


class EqualizedLinear(nn.Linear):
    """Linear layer with weights from N(0, 1), scaled at runtime.

    With Adam, all weights then learn equally fast in layers of any size: an equalized learning rate (Karras et al.,
    2017, arXiv:1710.10196, section 4.1).

    Args:
        in_features: length of the input.
        out_features: length of the output.
        bias: initial bias.
        rate: learning rate of this layer, relative to the optimizer's.
    """

    def __init__(self, in_features: int, out_features: int, *, bias: float = 0.0, rate: float = 1.0) -> None:
        super().__init__(in_features, out_features)
        self.rate = rate
        nn.init.normal_(self.weight, std=1 / rate)
        nn.init.constant_(self.bias, bias / rate)

    def forward(self, inputs: Tensor) -> Tensor:
        # Scales the inputs, as they are fewer than the weights.
        return F.linear(inputs * (scale_of(self) * self.rate), self.weight, self.bias * self.rate)


class Blur(nn.Module):
    """Binomial filter [1, 3, 3, 1] in both directions, applied to each channel.

    It prevents aliasing in resampling (Zhang, 2019, arXiv:1904.11486). For resampling, the filter is factored into
    [1, 1] and [1, 2, 1]: doubled pixels are blurred, or blurred pixels averaged in pairs. This avoids multiplications
    by zero, unused results, and strided convolutions, whose gradient is slow in bf16 on CPUs.

    Args:
        padding: zeros on each side, without resampling; 1 removes a row and a column of the image.
        resampling: "down" halves the sides, "up" doubles them.
    """

    def __init__(self, padding: int = 1, resampling: Resampling = "none") -> None:
        super().__init__()
        self.padding, self.resampling = padding if resampling == "none" else 1, resampling
        line = torch.tensor([1.0, 3.0, 3.0, 1.0] if resampling == "none" else [1.0, 2.0, 1.0])
        self.register_buffer("kernel", torch.outer(line, line)[None, None] / line.sum() ** 2, persistent=False)
        self.kernel: Tensor

    def forward(self, image: Tensor) -> Tensor:
        if torch.is_grad_enabled() and image.requires_grad:
            return _Blur.apply(image, self.kernel, self.padding, self.resampling)
        return blurred(image, self.kernel, self.padding, self.resampling)


def blurred(image: Tensor, kernel: Tensor, padding: int, resampling: Resampling) -> Tensor:
    """Apply `Blur`'s filter to images, N x C x H x W."""
    if resampling == "up":
        image = F.interpolate(image, scale_factor=2, mode="nearest")
    channels, side = image.shape[1], kernel.shape[-1]
    kernel = kernel.to(image.dtype).expand(channels, 1, side, side)
    image = F.conv2d(image, kernel, padding=padding, groups=channels)
    return F.avg_pool2d(image, 2) if resampling == "down" else image


class _Blur(torch.autograd.Function):
    # The transpose of a symmetric filter is the same filter, and that of halving is doubling. torch does not use this:
    # its double backward of a convolution also computes the kernel's gradient, needed or not, channel by channel.
    @staticmethod
    def forward(ctx: Any, image: Tensor, kernel: Tensor, padding: int, resampling: Resampling) -> Tensor:
        ctx.save_for_backward(kernel)
        ctx.padding, ctx.resampling = padding, resampling
        return blurred(image, kernel, padding, resampling)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        (kernel,) = ctx.saved_tensors
        padding: int = kernel.shape[-1] - 1 - ctx.padding
        turned: dict[str, Resampling] = {"none": "none", "up": "down", "down": "up"}
        transposed = turned[ctx.resampling]
        factor = {"none": 1.0, "up": 4.0, "down": 0.25}[ctx.resampling]
        found = _Blur.apply(gradient, kernel, padding, transposed)
        return (found if factor == 1 else factor * found), None, None, None


class EqualizedConv(nn.Conv2d):
    """Convolution without bias at an equalized learning rate, with optional blurred resampling.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: 3, padded to preserve the size of the image, or 1.
        resampling: "up", only for a kernel of 3, blurs after the convolution, "down" before it.
        gain: factor of the result.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Literal[1, 3] = 3,
        resampling: Resampling = "none",
        *,
        gain: float = 1.0,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=False)
        nn.init.normal_(self.weight)
        self.resampling, self.gain = resampling, gain
        before = Blur(2) if kernel_size == 3 else Blur(resampling="down")
        self.blur = {"none": None, "up": Blur(), "down": before}[resampling]

    def scaled(self) -> Tensor:
        """Return the scaled weight."""
        return self.weight * (scale_of(self) * self.gain)

    def forward(self, image: Tensor, bias: Tensor | None = None) -> Tensor:
        if self.blur is None:
            return F.conv2d(image, self.scaled(), bias, padding=self.padding)
        if self.resampling == "up":
            enlarged = self.blur(F.conv_transpose2d(image, 4 * self.scaled().transpose(0, 1), stride=2))
            return enlarged if bias is None else enlarged + bias.to(enlarged.dtype)[:, None, None]
        return F.conv2d(self.blur(image), self.scaled(), bias, stride=2 if self.kernel_size[0] == 3 else 1)


def levels_of(network: str, shape: tuple[int, int, int]) -> list[tuple[int, int]]:
    """Return heights and widths from the smallest, whose shorter side is 4 to 8, doubled up to the image's.

    Args:
        network: name of the network, for the message.
        shape: channels, height and width of the images.

    Raises:
        SizeError: the sides cannot be halved often enough; the message suggests sizes that can.
    """
    _, height, width = shape
    shorter = min(height, width)
    doublings = max(1, (shorter // 4).bit_length() - 1)
    if shorter == 4 << doublings and max(height, width) % (1 << doublings):
        doublings = max(1, doublings - 1)  # 64 x 104 starts from 8 x 13
    check_size(network, shape, multiple=1 << doublings, least=8)
    return [(height >> halvings, width >> halvings) for halvings in range(doublings, -1, -1)]


def channels_of(levels: int, channels: int, max_channels: int) -> list[int]:
    """Return the feature maps of each level, from the smallest image: doubled at each halving, up to a limit."""
    return [min(channels << halvings, max(channels, max_channels)) for halvings in range(levels - 1, -1, -1)]


class MinibatchDeviation(nn.Module):
    """Feature map with the standard deviation within a group of images (Karras et al., 2017, arXiv:1710.10196).

    The standard deviation of each feature over the group, averaged over all features, which exposes fakes that are all
    alike.

    Args:
        group: maximum size of a group; a batch that it does not divide has smaller ones.
    """

    def __init__(self, group: int = 4) -> None:
        super().__init__()
        self.group = group

    def forward(self, features: Tensor) -> Tensor:
        count, _, height, width = features.shape
        group = next((size for size in range(self.group, 1, -1) if count % size == 0), 1)
        apart = features.unflatten(0, (group, count // group)).float()
        variance = (apart - apart.mean(0)).square().mean(0)  # much faster here than torch's own `var`
        deviation = (variance + 1e-8).sqrt().mean((1, 2, 3), keepdim=True)
        extra = deviation.repeat(group, 1, height, width).to(features.dtype)
        return torch.cat([features, extra], 1)


class BiasedConv(nn.Module):
    """Equalized convolution, bias and activation: one layer of the discriminator.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: 3 or 1.
        resampling: "down" halves the image.
        gain: factor of the result; `GAIN` is that of `activate`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Literal[1, 3] = 3,
        resampling: Resampling = "none",
        *,
        gain: float = GAIN,
    ) -> None:
        super().__init__()
        self.conv = EqualizedConv(in_channels, out_channels, kernel_size, resampling, gain=gain)
        self.bias = nn.Parameter(torch.zeros(out_channels, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        return F.leaky_relu(self.conv(image, self.bias.flatten() * self.conv.gain), 0.2)


class ConvDown(nn.Sequential):
    """Two convolutions, the second of which halves the image."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(BiasedConv(in_channels, in_channels), BiasedConv(in_channels, out_channels, resampling="down"))


class ResidualDown(nn.Module):
    """Two convolutions, the second of which halves the image, and a skip connection with one.

    Their sum is divided by the square root of 2 to preserve the variance (Karras et al., 2019, section 4.2).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            BiasedConv(in_channels, in_channels),
            BiasedConv(in_channels, out_channels, resampling="down", gain=GAIN / math.sqrt(2)),
        )
        self.skip = EqualizedConv(in_channels, out_channels, 1, "down", gain=1 / math.sqrt(2))

    def forward(self, image: Tensor) -> Tensor:
        return self.layers(image) + self.skip(image)


class EqualizedDiscriminator(Discriminator):
    """Discriminator of blocks of two convolutions to a side of 4 to 8 pixels, minibatch deviation, and one logit.

    StyleGAN2's discriminator (Karras et al., 2019, arXiv:1912.04958, figure 7c).

    Args:
        shape: channels, height and width of the images.
        channels: feature maps at full size; doubled at each halving of the sides.
        max_channels: maximum number of feature maps.
        residual: whether blocks are residual; otherwise they are those of the first StyleGAN.
        group: maximum number of images in a group of `MinibatchDeviation`.

    Raises:
        SizeError: the sides cannot be halved down to 4 to 8 pixels.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        channels: int = 16,
        max_channels: int = 128,
        residual: bool = True,
        group: int = 4,
    ) -> None:
        super().__init__()
        block = ResidualDown if residual else ConvDown
        sizes = levels_of(type(self).__name__, shape)
        widths = channels_of(len(sizes), channels, max_channels)[::-1]
        self.layers = nn.Sequential(
            BiasedConv(shape[0], widths[0], 1),
            *(block(before, after) for before, after in pairwise(widths)),
            MinibatchDeviation(group),
            BiasedConv(widths[-1] + 1, widths[-1]),
        )
        self.hidden = EqualizedLinear(widths[-1] * math.prod(sizes[0]), widths[-1])
        self.logit = EqualizedLinear(widths[-1], 1)

    def forward(self, image: Tensor) -> Tensor:
        """Map images, N x C x H x W, to logits, N x 1."""
        return self.logit(activate(self.hidden(self.layers(image).flatten(1))))
