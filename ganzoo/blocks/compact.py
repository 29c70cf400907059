"""Compact convolutional networks that learn digits in minutes on a CPU: the default of every noise GAN of the zoo."""

import math
from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo.blocks.conv import UpsampleConv
from ganzoo.blocks.equalized import MinibatchDeviation
from ganzoo.blocks.sizes import check_size
from ganzoo.blocks.weights import Network
from ganzoo.contract.networks import Discriminator, Generator

MAX_WIDTH = 512
"""Maximum number of channels of a layer, as in StyleGAN2."""
COMPACT_RECIPE: Mapping[str, object] = {
    "image_size": "32x32",
    "epochs": 2,
    "lr_schedule": "linear",
    "ema_images": 5000,
    "optimizer": {"lr": 2e-3, "betas": (0.5, 0.99)},
    "r1": 0.1,
}
"""Options for learning digits with these networks in minutes on a CPU, for recipes of GANs."""
COMPACT_RECIPES: Mapping[str, Mapping[str, object]] = {"quick": COMPACT_RECIPE}
"""Value of `recipes` for a GAN with this recipe only."""


def pyramid(
    network: str, shape: tuple[int, int, int], width: int, max_width: int = MAX_WIDTH
) -> tuple[list[int], tuple[int, int]]:
    """Return the channels of each resolution, full size first, and height and width of the smallest one.

    Sides are halved while both are even and the shorter one stays at 4 pixels or more; channels double each time.

    Args:
        network: name of the network, for the message.
        shape: channels, height and width of the images.
        width: channels at full size.
        max_width: maximum number of channels of a layer.

    Raises:
        SizeError: a side is not a multiple of 4, or shorter than 8.
    """
    check_size(network, shape, multiple=4, least=8)
    _, height, sideways = shape
    channels = [width]
    while height % 2 == sideways % 2 == 0 and min(height, sideways) >= 8:
        height, sideways = height // 2, sideways // 2
        channels.append(min(2 * channels[-1], max(width, max_width)))
    return channels, (height, sideways)


def condition_vectors(condition: Tensor, length: int) -> Tensor:
    """Return condition vectors, float, N x length: class labels, int64, N, as one-hot vectors, others unchanged."""
    if condition.is_floating_point():
        return condition
    # Not F.one_hot, which reads the labels on the CPU to check them: iterations could not be captured.
    return (condition[:, None] == torch.arange(length, device=condition.device)).float()


class ConditionalBatchNorm2d(nn.Module):
    """BatchNorm with gain and bias as linear functions of a condition vector.

    Conditional normalization (Dumoulin et al., 2016, arXiv:1610.07629; de Vries et al., 2017, arXiv:1707.00683; for
    captions it is known as FiLM, Perez et al., 2017, arXiv:1709.07871). It feeds the condition to every layer. A
    condition concatenated with the noise at the input dominates it: such a generator makes one image per class.

    Args:
        features: channels of the input.
        condition: length of the condition vector, for example the number of classes; 0: plain BatchNorm.
    """

    def __init__(self, features: int, condition: int = 0) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(features, affine=not condition)
        self.affine = nn.Linear(condition, 2 * features) if condition else None
        if self.affine is not None:
            nn.init.normal_(self.affine.weight, std=0.02)
            nn.init.zeros_(self.affine.bias)

    def forward(self, image: Tensor, condition: Tensor | None = None) -> Tensor:
        """Normalize features, N x features x H x W, given condition vectors, N x condition."""
        normalized: Tensor = self.norm(image)
        if self.affine is None:
            return normalized
        gain, bias = self.affine(condition)[:, :, None, None].chunk(2, 1)
        return normalized * (1 + gain) + bias


class CompactGenerator(Generator):
    """Generator from noise: a linear layer to a side of 4 to 7 pixels, then upsampling and convolution to full size.

    With 6.6 million multiply-adds at 32 x 32 it costs an eighth of `UpsampleGenerator`, whose convolutions of 128
    channels run at half the size, and it composes an image at four resolutions rather than two.

    Args:
        latent_dim: length of the noise vector.
        shape: channels, height and width of the images; sides multiples of 4, and at least 8.
        width: channels at full size; doubled at each halving of the sides.
        max_width: maximum number of channels of a layer.
        condition: length of the condition vector for normalization (see `ConditionalBatchNorm2d`); 0: none.

    Raises:
        SizeError: a side is not a multiple of 4, or shorter than 8.
    """

    def __init__(
        self,
        latent_dim: int,
        shape: tuple[int, int, int],
        *,
        width: int = 16,
        max_width: int = MAX_WIDTH,
        condition: int = 0,
    ) -> None:
        super().__init__()
        self.condition = condition
        widths, smallest = pyramid(type(self).__name__, shape, width, max_width)
        widths.reverse()
        self.project = nn.Sequential(
            nn.Linear(latent_dim, widths[0] * math.prod(smallest)), nn.Unflatten(1, (widths[0], *smallest))
        )
        self.convs = nn.ModuleList(UpsampleConv(before, after) for before, after in pairwise(widths))
        self.norms = nn.ModuleList(ConditionalBatchNorm2d(features, condition) for features in widths)
        self.output = nn.Sequential(nn.Conv2d(width, shape[0], 3, padding=1), nn.Tanh())

    def forward(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map noise to images.

        Args:
            noise: N x latent_dim.
            condition: condition vectors, N x condition, or class labels, int64, N.

        Returns:
            Images, N x C x H x W in [-1, 1].
        """
        if condition is not None:
            condition = condition_vectors(condition, self.condition)
        first, *others = self.norms
        features = F.relu(first(self.project(noise), condition))
        for conv, norm in zip(self.convs, others, strict=True):
            features = F.relu(norm(conv(features), condition))
        images: Tensor = self.output(features)
        return images


class CompactDiscriminator(Discriminator):
    """Discriminator of convolutions of stride 2 to a side of 4 to 7 pixels, one more, and a linear layer.

    Mirror image of `CompactGenerator`, without normalization and dropout, so that logits are independent of the rest of
    the batch, with He initialization (He et al., 2015, arXiv:1502.01852).

    Args:
        shape: channels, height and width of the images; sides multiples of 4, and at least 8.
        outputs: logits per image.
        width: channels of the generator at full size; the first convolution has twice as many.
        max_width: maximum number of channels of a layer.
        condition: length of the condition vector, which is concatenated at every pixel, as suits classes (one-hot); 0:
            none.
        minibatch_deviation: whether the standard deviation within the batch is a feature (see `MinibatchDeviation`).

    Raises:
        SizeError: a side is not a multiple of 4, or shorter than 8.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        outputs: int = 1,
        width: int = 16,
        max_width: int = MAX_WIDTH,
        condition: int = 0,
        minibatch_deviation: bool = False,
    ) -> None:
        super().__init__()
        self.condition = condition
        layers, features = compact_layers(
            (shape[0] + condition, *shape[1:]), width, max_width, minibatch_deviation=minibatch_deviation
        )
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(math.prod(features), outputs))
        initialize_he(self)

    def forward(self, image: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map images to logits.

        Args:
            image: N x C x H x W.
            condition: condition vectors, N x condition, or class labels, int64, N.

        Returns:
            Logits, N x outputs.
        """
        if condition is not None:
            planes = (
                condition_vectors(condition, self.condition)[:, :, None, None]
                .to(image.dtype)
                .expand(-1, -1, *image.shape[2:])
            )
            image = torch.cat([image, planes], 1)
        logits: Tensor = self.layers(image)
        return logits


def compact_layers(
    shape: tuple[int, int, int], width: int, max_width: int = MAX_WIDTH, *, minibatch_deviation: bool = False
) -> tuple[list[nn.Module], tuple[int, int, int]]:
    """Return the convolutions of a compact discriminator, and the shape of their output.

    Args:
        shape: channels, height and width of the input.
        width: channels of a full-size layer; the first convolution, at half the size, has twice as many.
        max_width: maximum number of channels of a layer.
        minibatch_deviation: whether to add the standard deviation within the batch before the last convolution.

    Raises:
        SizeError: a side is not a multiple of 4, or shorter than 8.
    """
    widths, smallest = pyramid("CompactDiscriminator", shape, width, max_width)
    layers: list[nn.Module] = []
    for before, after in pairwise((shape[0], *widths[1:])):
        layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
    last = widths[-1]
    if minibatch_deviation:
        layers.append(MinibatchDeviation())
    layers += [nn.Conv2d(last + minibatch_deviation, last, 3, padding=1), nn.LeakyReLU(0.2)]
    return layers, (last, *smallest)


def initialize_he(network: Network) -> Network:
    """Initialize convolutions and linear layers for leaky ReLUs of slope 0.2 (He et al., 2015), with biases of 0.

    Returns the network.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, a=0.2)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network
