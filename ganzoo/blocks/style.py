"""Style-based networks, from StyleGAN2 (Karras et al., 2019, arXiv:1912.04958)."""

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo.blocks.equalized import (
    GAIN,
    Blur,
    EqualizedConv,
    EqualizedLinear,
    Resampling,
    activate,
    channels_of,
    levels_of,
)
from ganzoo.contract.networks import Generator


class ModulatedConv(nn.Module):
    """Convolution with weights scaled by the style of each image (Karras et al., 2019, eq. 1 and 3).

    The weight w of input i, output j and tap k becomes s_i w_ijk, divided, if `demodulate`, by the root of the sum of
    its squares over i and k, so that outputs have unit variance for inputs of unit variance. Instead of the weights,
    the inputs before and the outputs after the convolution are scaled, which is equivalent and much faster.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        style_dim: length of a style.
        kernel_size: 3 or 1.
        demodulate: whether to normalize the outputs; not for the colors of an image.
        resampling: "up" doubles the image.
        gain: factor of demodulated outputs.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        style_dim: int,
        kernel_size: Literal[1, 3] = 3,
        *,
        demodulate: bool = True,
        resampling: Resampling = "none",
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.modulation = EqualizedLinear(style_dim, in_channels, bias=1.0)
        self.conv = EqualizedConv(in_channels, out_channels, kernel_size, resampling)
        self.demodulate, self.gain = demodulate, gain

    def forward(self, image: Tensor, style: Tensor) -> Tensor:
        """Map images, N x in_channels x H x W, and styles, N x style_dim, to N x out_channels x H x W."""
        scales = self.modulation(style)
        features: Tensor = self.conv(image * scales[:, :, None, None])
        if not self.demodulate:
            return features
        squares = self.conv.scaled().square().sum((2, 3))
        # Not by `@`, which autocast would compute in lower precision.
        length = ((scales.float().square()[:, None] * squares).sum(2) + 1e-8).rsqrt()
        return features * (self.gain * length)[:, :, None, None].to(features.dtype)


class NoiseInjection(nn.Module):
    """Additive noise of a learned strength, the same for all channels of a pixel.

    Random in training, from torch's default generator; fixed in evaluation, so that an image does not depend on the
    rest of its batch.

    Args:
        size: height and width of the features.
        gain: factor of the strength.
    """

    def __init__(self, size: tuple[int, int], *, gain: float = 1.0) -> None:
        super().__init__()
        self.gain = gain
        self.strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("fixed", torch.randn(1, 1, *size))
        self.fixed: Tensor

    def forward(self, features: Tensor) -> Tensor:
        noise = self.fixed
        if self.training:
            noise = torch.randn(len(features), *self.fixed.shape[1:], device=features.device)
        return features + (noise * (self.gain * self.strength)).to(features.dtype)


class StyledConv(nn.Module):
    """Modulated convolution, noise, bias and activation: one layer of the synthesis."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        style_dim: int,
        size: tuple[int, int],
        resampling: Resampling = "none",
    ) -> None:
        super().__init__()
        # The gain of the activation is merged into its inputs.
        self.conv = ModulatedConv(in_channels, out_channels, style_dim, resampling=resampling, gain=GAIN)
        self.noise = NoiseInjection(size, gain=GAIN)
        self.bias = nn.Parameter(torch.zeros(out_channels, 1, 1))

    def forward(self, image: Tensor, style: Tensor) -> Tensor:
        features: Tensor = self.noise(self.conv(image, style))
        return F.leaky_relu(features + (GAIN * self.bias).to(features.dtype), 0.2)


class MappingNetwork(nn.Module):
    """Mapping from noise to styles: normalization to unit mean square, then linear layers.

    Args:
        latent_dim: length of the noise vector.
        style_dim: length of a style.
        layers: number of linear layers.
        rate: their learning rate, relative to the optimizer's.
        decay: decay rate of the running mean of styles, per batch in training.
    """

    def __init__(self, latent_dim: int, style_dim: int, layers: int, *, rate: float, decay: float = 0.998) -> None:
        super().__init__()
        lengths = [latent_dim, *[style_dim] * layers]
        self.layers = nn.ModuleList(EqualizedLinear(before, after, rate=rate) for before, after in pairwise(lengths))
        self.decay = decay
        self.register_buffer("mean", torch.zeros(style_dim))
        self.mean: Tensor
        """Running mean of styles, the target of truncation."""

    def forward(self, noise: Tensor, truncation: float = 1.0) -> Tensor:
        """Map noise to styles.

        Args:
            noise: ... x latent_dim.
            truncation: interpolation from the mean, 0, to the style, 1 (Karras et al., 2018, appendix B).

        Returns:
            ... x style_dim.
        """
        style = noise * (noise.square().mean(-1, keepdim=True) + 1e-8).rsqrt()
        for layer in self.layers:
            style = activate(layer(style))
        if self.training:
            self.mean.lerp_(style.detach().float().flatten(0, -2).mean(0), 1 - self.decay)
        return style if truncation == 1 else torch.lerp(self.mean.to(style.dtype), style, truncation)


def mix_styles(styles: Tensor, layers: int, probability: float) -> Tensor:
    """Return one style for each layer, from two for each image (Karras et al., 2018, arXiv:1812.04948, section 3.1).

    With the given probability, an image has the first style up to a random layer and the second one from there;
    otherwise the first only.

    Args:
        styles: N x 2 x style_dim.
        layers: number of layers of the synthesis.
        probability: from 0 to 1.

    Returns:
        N x layers x style_dim.
    """
    count, device = len(styles), styles.device
    crossover = torch.randint(1, layers, (count, 1, 1), device=device)
    crossover = torch.where(torch.rand(count, 1, 1, device=device) < probability, crossover, layers)
    first = torch.arange(layers, device=device)[None, :, None] < crossover
    return torch.where(first, styles[:, :1], styles[:, 1:])


class StyleSynthesis(Generator):
    """Generator from styles: a learned constant, convolved and upsampled; each level adds to the image.

    StyleGAN2's generator with skip connections (Karras et al., 2019, figures 2c and 7b). As in the paper, its images
    are unbounded in training; in evaluation they are clamped to [-1, 1].

    Args:
        style_dim: length of a style.
        shape: channels, height and width of the images.
        channels: feature maps at full size; doubled at each halving of the sides.
        max_channels: maximum number of feature maps.

    Raises:
        SizeError: the sides cannot be halved down to 4 to 8 pixels.
    """

    def __init__(
        self, style_dim: int, shape: tuple[int, int, int], *, channels: int = 16, max_channels: int = 128
    ) -> None:
        super().__init__()
        sizes = levels_of(type(self).__name__, shape)
        widths = channels_of(len(sizes), channels, max_channels)
        self.start = nn.Parameter(torch.randn(1, widths[0], *sizes[0]))
        layers, colours = [StyledConv(widths[0], widths[0], style_dim, sizes[0])], []
        for index, size in enumerate(sizes):
            if index:
                layers.append(StyledConv(widths[index - 1], widths[index], style_dim, size, "up"))
                layers.append(StyledConv(widths[index], widths[index], style_dim, size))
            colours.append(ModulatedConv(widths[index], shape[0], style_dim, 1, demodulate=False))
        self.layers, self.colours = nn.ModuleList(layers), nn.ModuleList(colours)
        self.bias = nn.Parameter(torch.zeros(shape[0], 1, 1))
        self.upsample = Blur(resampling="up")
        self.style_count = len(layers) + 1
        """Number of styles per image: one for each layer, and one for the colors of the last level."""

    def forward(self, styles: Tensor) -> Tensor:
        """Map styles, N x `self.style_count` x style_dim or one for all, N x 1, to images, N x C x H x W."""
        each = styles.expand(-1, self.style_count, -1).unbind(1)
        features = self.layers[0](self.start.expand(styles.shape[0], -1, -1, -1), each[0])
        image: Tensor = self.colours[0](features, each[1])
        for level, colour in enumerate(self.colours[1:], 1):
            for index in (2 * level - 1, 2 * level):
                features = self.layers[index](features, each[index])
            image = self.upsample(image) + colour(features, each[2 * level + 1])
        image = image + self.bias
        return image if self.training else image.clamp(-1, 1)


class RunningMean(nn.Module):
    """Exponentially decaying mean of values in training, as a network, to be checkpointed with the others.

    Args:
        decay: decay rate per call.
    """

    def __init__(self, decay: float = 0.99) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("mean", torch.zeros(()))
        self.mean: Tensor

    def forward(self, values: Tensor) -> Tensor:
        """Update the mean with values of any shape and return it, 0-dimensional, without a gradient."""
        if self.training:
            self.mean.lerp_(values.detach().mean(), 1 - self.decay)
        return self.mean.clone()  # a loss must not hold a tensor that changes in place
