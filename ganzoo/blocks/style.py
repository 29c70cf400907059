"""Networks whose images are steered by styles: those of StyleGAN2 (Karras et al., 2019, arXiv:1912.04958)."""

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
    """A convolution whose weights each image scales by its own style (Karras et al., 2019, eq. 1 and 3).

    The weight w of input i, output j and tap k becomes s_i w_ijk, divided, if `demodulate`, by the root of the sum of
    its squares over i and k, so that outputs have unit variance for inputs of unit variance. No weights are made for
    each image: inputs are scaled before the convolution and outputs after it, which is the same and much faster.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        style_dim: length of a style.
        kernel_size: 3 or 1.
        demodulate: whether outputs are scaled back; an image's own colours are not.
        resampling: "up" doubles the image.
        gain: by which demodulated outputs are scaled.
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
        """Images, N x in_channels x H x W, and styles, N x style_dim, to N x out_channels x H x W."""
        scales = self.modulation(style)
        features: Tensor = self.conv(image * scales[:, :, None, None])
        if not self.demodulate:
            return features
        squares = self.conv.scaled().square().sum((2, 3))
        # Not by `@`, which autocast would round.
        length = ((scales.float().square()[:, None] * squares).sum(2) + 1e-8).rsqrt()
        return features * (self.gain * length)[:, :, None, None].to(features.dtype)


class NoiseInjection(nn.Module):
    """Adds noise of a learned strength, the same for all channels of a pixel.

    Drawn anew in training from torch's default generator; always the same in evaluation, so that an image does not
    depend on those made beside it.

    Args:
        size: height and width of the features.
        gain: by which the strength is scaled.
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
    """A modulated convolution, noise, a bias and the activation: one layer of the synthesis."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        style_dim: int,
        size: tuple[int, int],
        resampling: Resampling = "none",
    ) -> None:
        super().__init__()
        # The activation's gain is a factor of all that it is given.
        self.conv = ModulatedConv(in_channels, out_channels, style_dim, resampling=resampling, gain=GAIN)
        self.noise = NoiseInjection(size, gain=GAIN)
        self.bias = nn.Parameter(torch.zeros(out_channels, 1, 1))

    def forward(self, image: Tensor, style: Tensor) -> Tensor:
        features: Tensor = self.noise(self.conv(image, style))
        return F.leaky_relu(features + (GAIN * self.bias).to(features.dtype), 0.2)


class MappingNetwork(nn.Module):
    """Noise to styles: the latent vector scaled to length 1 for each entry, then linear layers.

    Args:
        latent_dim: length of the noise vector.
        style_dim: length of a style.
        layers: how many linear layers.
        rate: their learning rate, as a multiple of the optimizer's.
        decay: the share of the running mean of styles that each batch keeps in training.
    """

    def __init__(self, latent_dim: int, style_dim: int, layers: int, *, rate: float, decay: float = 0.998) -> None:
        super().__init__()
        lengths = [latent_dim, *[style_dim] * layers]
        self.layers = nn.ModuleList(EqualizedLinear(before, after, rate=rate) for before, after in pairwise(lengths))
        self.decay = decay
        self.register_buffer("mean", torch.zeros(style_dim))
        self.mean: Tensor
        """The mean of styles, to which truncation pulls them."""

    def forward(self, noise: Tensor, truncation: float = 1.0) -> Tensor:
        """Noise to styles.

        Args:
            noise: ... x latent_dim.
            truncation: pulls styles to their mean: 1 leaves them, 0 gives the mean (Karras et al., 2018, appendix B).

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
    """One style for each layer, from two for each image (Karras et al., 2018, arXiv:1812.04948, section 3.1).

    With that probability an image has the first style up to a layer drawn at random and the second one from there on,
    else it has the first alone.

    Args:
        styles: N x 2 x style_dim.
        layers: how many the synthesis takes.
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
    """Styles to images: a learned constant, convolved and doubled; each level adds its part to the image.

    StyleGAN2's generator with skip connections (Karras et al., 2019, figures 2c and 7b). As in the paper its images
    have no bounds in training; in evaluation they are clamped to [-1, 1].

    Args:
        style_dim: length of a style.
        shape: channels, height and width of the images.
        channels: feature maps at full size; twice as many each time the sides are halved.
        max_channels: but no more than this.

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
        """How many styles an image takes: one for each layer, and one for the last level's colours."""

    def forward(self, styles: Tensor) -> Tensor:
        """Styles, N x `self.style_count` x style_dim or one for all, N x 1, to images, N x C x H x W."""
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
    """The decaying mean of what it is given in training, as a network among others: it is kept with them.

    Args:
        decay: the share that each call keeps.
    """

    def __init__(self, decay: float = 0.99) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("mean", torch.zeros(()))
        self.mean: Tensor

    def forward(self, values: Tensor) -> Tensor:
        """Takes in values of any shape and returns their mean so far, a number that has no gradient."""
        if self.training:
            self.mean.lerp_(values.detach().mean(), 1 - self.decay)
        return self.mean.clone()  # what a loss holds on to must not change in place
