"""An encoder and a decoder with nothing but a narrow middle between them."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from ganzoo.blocks.sizes import check_size
from ganzoo.blocks.weights import Initialization, initialize_as
from ganzoo.contract.networks import Generator

WIDEST = 8
"""Positions along a side of the middle, at most: those connected with each other grow with the fourth power."""


class ChannelwiseLinear(nn.Module):
    """Every position of a channel to every position of the same channel: N x C x H x W to the same.

    Carries what is seen at one side of an image to the other, with C (HW)^2 weights in place of (CHW)^2
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
    """Translates an image through a narrow middle that sees all of it: the context encoder (Pathak et al., 2016).

    Convolutions of stride 2 make the image at most 8 x 8 positions large, at least 2 x 2 from 32 x 32 pixels; a
    channel-wise dense layer connects all positions; transposed convolutions come back up. BatchNorm throughout.

    Args:
        source_shape: channels, height and width of the images it is given; sides multiples of 16, from 129 pixels on of
            32, from 257 on of 64, and so on.
        out_channels: channels of the images it makes.
        width: channels of the first layer, the paper's 64; there are at most eight times as many.
        initialization: how its convolutions' weights are drawn.

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
        del layers[1]  # the first sees the image itself
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
        """Source images, N x C x H x W, to target images, N x out_channels x H x W in [-1, 1]."""
        target: Tensor = self.layers(source)
        return target
