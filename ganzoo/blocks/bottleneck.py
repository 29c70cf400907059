"""Encoder and decoder with a narrow bottleneck and no connections around it."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from ganzoo.blocks.sizes import check_size
from ganzoo.blocks.weights import Initialization, initialize_as
from ganzoo.contract.networks import Generator

WIDEST = 8
"""Maximum side of the bottleneck: the number of connections grows with its fourth power."""


class ChannelwiseLinear(nn.Module):
    """Channel-wise linear layer between all positions: N x C x H x W to the same shape.

    It passes information from one side of an image to the other, with C (HW)^2 weights instead of (CHW)^2
    (Pathak et al., 2016, arXiv:1604.07379, section 3.1).
    """

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        places = height * width
        self.weight = nn.Parameter(torch.randn(channels, places, places) * places**-0.5)
        self.bias = nn.Parameter(torch.zeros(channels, places))

    def forward(self, image: Tensor) -> Tensor:
        made = torch.einsum("ncp,cpq->ncq", image.flatten(2), self.weight) + self.bias
        return made.view(image.shape)


class BottleneckGenerator(Generator):
    """Image translation through a bottleneck that sees the whole image: the context encoder (Pathak et al., 2016).

    Convolutions of stride 2 reduce the image to at most 8 x 8 positions, and at least 2 x 2 from 32 x 32 pixels; a
    channel-wise linear layer connects all positions; transposed convolutions upsample. BatchNorm throughout.

    Args:
        source_shape: channels, height and width of the source images; sides multiples of 16, above 128 pixels of 32,
            above 256 of 64, and so on.
        out_channels: channels of the target images.
        width: channels of the first layer, 64 in the paper; the widest layers have eight times as many.
        initialization: initial weights of the convolutions.

    Raises:
        SizeError: the sides cannot be halved often enough.
    """

    def __init__(
        self,
        source_shape: tuple[int, int, int],
        out_channels: int,
        *,
        width: int = 64,
        initialization: Initialization = "normal",
    ) -> None:
        super().__init__()
        channels, *sides = source_shape
        halvings = max(4, (-(-max(sides) // WIDEST) - 1).bit_length())
        check_size(type(self).__name__, source_shape, multiple=2**halvings, least=max(32, 2**halvings))
        widths = [width * min(8, 2**block) for block in range(halvings)]
        layers: list[nn.Module] = []
        for given, made in pairwise((channels, *widths)):
            layers += [nn.Conv2d(given, made, 4, stride=2, padding=1), nn.BatchNorm2d(made), nn.LeakyReLU(0.2)]
        del layers[1]  # no normalization of the image itself
        inner = widths[-1]
        layers += [
            ChannelwiseLinear(inner, *(side // 2**halvings for side in sides)),
            nn.Conv2d(inner, inner, 1),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
        ]
        for given, made in pairwise(reversed(widths)):
            layers += [nn.ConvTranspose2d(given, made, 4, stride=2, padding=1), nn.BatchNorm2d(made), nn.ReLU()]
        last = nn.ConvTranspose2d(width, out_channels, 4, stride=2, padding=1)
        self.layers = nn.Sequential(*layers, last, nn.Tanh())
        initialize_as(self, initialization)

    def forward(self, source: Tensor) -> Tensor:
        """Map source images, N x C x H x W, to target images, N x out_channels x H x W in [-1, 1]."""
        target: Tensor = self.layers(source)
        return target
