"""Layers at an equalised learning rate, and the residual discriminator made of them: StyleGAN2's and its kin's."""

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
"""What a convolution does to height and width: nothing, double them, or halve them."""

GAIN = math.sqrt(2)
"""By which activations are scaled, so that they keep the variance that the leaky ReLU takes from them."""


def activate(features: Tensor) -> Tensor:
    """Leaky ReLU of slope 0.2, scaled so that random features keep their variance.

    Scaling features first gives the same, and a layer can do that with its weights.
    """
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
        # Inputs are fewer than weights.
        return F.linear(inputs * (scale_of(self) * self.rate), self.weight, self.bias * self.rate)


class Blur(nn.Module):
    """The binomial filter [1, 3, 3, 1] in both directions, on each channel by itself.

    It keeps resampling from inventing frequencies that are not there (Zhang, 2019, arXiv:1904.11486). Resampling takes
    the filter apart, [1, 1] after or before [1, 2, 1]: doubled pixels blurred, or blurred pixels averaged by twos. No
    zeros are multiplied, nothing is computed to be thrown away, and no convolution has a stride, whose gradient in bf16
    is slow on CPUs.

    Args:
        padding: zeros on each side, without resampling; 1 takes a row and a column from the image.
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
    """The image, N x C x H x W, through `Blur`'s filter."""
    if resampling == "up":
        image = F.interpolate(image, scale_factor=2, mode="nearest")
    channels, side = image.shape[1], kernel.shape[-1]
    kernel = kernel.to(image.dtype).expand(channels, 1, side, side)
    image = F.conv2d(image, kernel, padding=padding, groups=channels)
    return F.avg_pool2d(image, 2) if resampling == "down" else image


class _Blur(torch.autograd.Function):
    # A symmetric filter's transpose is the same filter, and that of halving is doubling. torch does not know: when it
    # differentiates a convolution twice it also computes the kernel's gradient, wanted or not, a channel at a time.
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
    """A convolution without bias at an equalised learning rate, which may halve or double the image, blurring it.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: 3 keeps the size of the image by padding; so does 1.
        resampling: "up", for a kernel of 3 alone, blurs after the convolution, "down" before it.
        gain: by which the result is scaled.
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
        """The weight as it is used."""
        return self.weight * (scale_of(self) * self.gain)

    def forward(self, image: Tensor, bias: Tensor | None = None) -> Tensor:
        if self.blur is None:
            return F.conv2d(image, self.scaled(), bias, padding=self.padding)
        if self.resampling == "up":
            enlarged = self.blur(F.conv_transpose2d(image, 4 * self.scaled().transpose(0, 1), stride=2))
            return enlarged if bias is None else enlarged + bias.to(enlarged.dtype)[:, None, None]
        return F.conv2d(self.blur(image), self.scaled(), bias, stride=2 if self.kernel_size[0] == 3 else 1)


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
        variance = (apart - apart.mean(0)).square().mean(0)  # torch's own `var` is many times as slow here
        deviation = (variance + 1e-8).sqrt().mean((1, 2, 3), keepdim=True)
        extra = deviation.repeat(group, 1, height, width).to(features.dtype)
        return torch.cat([features, extra], 1)


class BiasedConv(nn.Module):
    """An equalised convolution, a bias and the activation: one layer of the discriminator.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: 3 or 1.
        resampling: "down" halves the image.
        gain: by which the result is scaled; `GAIN` is `activate`'s.
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
    """Two convolutions, the second of which halves the image, beside a single one that does so too.

    Their sum is divided by the root of 2, so that it has the variance of each (Karras et al., 2019, section 4.2).
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
    """Blocks of two convolutions down to 4 to 8 pixels, the deviation within the batch, then one logit for each image.

    StyleGAN2's discriminator (Karras et al., 2019, arXiv:1912.04958, figure 7c).

    Args:
        shape: channels, height and width of the images.
        channels: feature maps at full size; twice as many each time the sides are halved.
        max_channels: but no more than this.
        residual: whether blocks are residual; else they are the first StyleGAN's.
        group: images whose deviation is taken together, at most.

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
        """Images, N x C x H x W, to logits, N x 1."""
        return self.logit(activate(self.hidden(self.layers(image).flatten(1))))
