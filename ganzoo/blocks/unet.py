"""A U-Net: an encoder and a decoder with a connection across at every size."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from ganzoo.blocks.conv import UpsampleConv
from ganzoo.blocks.sizes import check_size
from ganzoo.blocks.weights import Initialization, initialize_as
from ganzoo.networks import Generator


class UNetGenerator(Generator):
    """Translates an image to another of the same size: Pix2Pix's generator (Isola et al., 2016, arXiv:1611.07004).

    It halves the image as often as both sides allow, at most 8 times, and comes back up, each size beside what the way
    down saw there. Smaller images drop inner blocks.

    Args:
        source_shape: channels, height and width of the images it is given; sides multiples of 16, and at least 32.
        out_channels: channels of the images it makes.
        dropout: the share of values dropped in training in every block of 512 channels.
        initialization: how its weights are drawn.

    Raises:
        SizeError: the sides cannot be halved often enough.
    """

    def __init__(
        self,
        source_shape: tuple[int, int, int],
        out_channels: int,
        *,
        dropout: float = 0.5,
        initialization: Initialization = "normal",
    ) -> None:
        super().__init__()
        check_size(type(self).__name__, source_shape, multiple=16, least=32)
        channels, height, width = source_shape
        common = math.gcd(height, width)
        halvings = (common & -common).bit_length() - 1  # the lowest bit is the largest power of two in it
        widths = (64, 128, 256, 512, 512, 512, 512, 512)[:halvings]
        last = len(widths) - 1
        self.down = nn.ModuleList(
            _down(given, made, dropout, normalize=0 < block < last)
            for block, (given, made) in enumerate(pairwise((channels, *widths)))
        )
        inner, *outer = reversed(widths)
        self.up = nn.ModuleList()
        for made in outer:
            self.up.append(_up(inner, made, dropout))
            inner = 2 * made  # with what the encoder saw at that size
        self.output = nn.Sequential(UpsampleConv(inner, out_channels, kernel_size=4), nn.Tanh())
        initialize_as(self, initialization)

    def forward(self, source: Tensor) -> Tensor:
        """Source images, N x C x H x W, to target images, N x out_channels x H x W in [-1, 1]."""
        seen = [source]
        for block in self.down:
            seen.append(block(seen[-1]))
        image = seen.pop()
        for block in self.up:
            image = torch.cat([block(image), seen.pop()], dim=1)
        target: Tensor = self.output(image)
        return target


def _down(given: int, made: int, dropout: float, *, normalize: bool) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(given, made, 4, stride=2, padding=1)]
    if normalize:
        layers.append(nn.InstanceNorm2d(made))
    layers.append(nn.LeakyReLU(0.2))
    return nn.Sequential(*layers, *_dropout(made, dropout))


def _up(given: int, made: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(given, made, 4, stride=2, padding=1),
        nn.InstanceNorm2d(made),
        nn.ReLU(),
        *_dropout(made, dropout),
    )


def _dropout(features: int, dropout: float) -> list[nn.Module]:
    return [nn.Dropout(dropout)] if dropout and features == 512 else []
