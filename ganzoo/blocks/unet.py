"""U-Net: encoder and decoder with skip connections at every size."""

import math
from functools import partial
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo.blocks.conv import UpsampleConv
from ganzoo.blocks.sizes import check_size
from ganzoo.blocks.weights import Initialization, initialize_as
from ganzoo.contract.networks import Generator


class KeptDropout(nn.Dropout):
    """Dropout that stays active in evaluation mode."""

    def forward(self, features: Tensor) -> Tensor:
        return F.dropout(features, self.p, training=True)


class UNetGenerator(Generator):
    """Image translation at constant size by a U-Net: Pix2Pix's generator (Isola et al., 2016, arXiv:1611.07004).

    The image is halved as often as both sides allow, at most `levels` times, then upsampled, with skip connections at
    each size. Smaller images omit inner blocks. Channels are `width` times 1, 2, 4, then 8 throughout.

    Args:
        source_shape: channels, height and width of the source images; sides multiples of 16, and at least 32.
        out_channels: channels of the target images.
        width: channels of the first block, 64 in the paper; cost and weights grow with its square.
        levels: maximum number of halvings, 4 to 8. The paper's 8 reduce 256 pixels to one.
        dropout: share of values dropped in training, in the layers of `dropout_in`.
        dropout_in: "widest": every block of the most channels, in encoder and decoder; "decoder": its first three
            blocks, as in the paper.
        keep_dropout: whether dropout stays active in sampling: the paper's noise.
        initialization: initial weights.

    Raises:
        SizeError: the sides cannot be halved often enough.
    """

    def __init__(
        self,
        source_shape: tuple[int, int, int],
        out_channels: int,
        *,
        width: int = 64,
        levels: int = 8,
        dropout: float = 0.5,
        dropout_in: Literal["widest", "decoder"] = "widest",
        keep_dropout: bool = False,
        initialization: Initialization = "normal",
    ) -> None:
        super().__init__()
        check_size(type(self).__name__, source_shape, multiple=16, least=32)
        channels, height, sideways = source_shape
        common = math.gcd(height, sideways)
        halvings = min(levels, (common & -common).bit_length() - 1)  # the lowest bit: the largest power-of-two divisor
        widths = [width * min(8, 2**level) for level in range(halvings)]
        last, widest = halvings - 1, 8 * width
        drop = partial(KeptDropout if keep_dropout else nn.Dropout, dropout)
        self.down = nn.ModuleList()
        for level, (given, made) in enumerate(pairwise((channels, *widths))):
            layers: list[nn.Module] = [nn.Conv2d(given, made, 4, stride=2, padding=1)]
            if 0 < level < last:
                layers.append(nn.InstanceNorm2d(made))
            layers.append(nn.LeakyReLU(0.2))
            if dropout and dropout_in == "widest" and made == widest:
                layers.append(drop())
            self.down.append(nn.Sequential(*layers))
        inner, *outer = reversed(widths)
        self.up = nn.ModuleList()
        for level, made in enumerate(outer):
            layers = [nn.ConvTranspose2d(inner, made, 4, stride=2, padding=1), nn.InstanceNorm2d(made), nn.ReLU()]
            if dropout and made == widest and (dropout_in == "widest" or level < 3):
                layers.append(drop())
            self.up.append(nn.Sequential(*layers))
            inner = 2 * made  # with the encoder's features of that size
        self.output = nn.Sequential(UpsampleConv(inner, out_channels, kernel_size=4), nn.Tanh())
        initialize_as(self, initialization)

    def forward(self, source: Tensor) -> Tensor:
        """Map source images, N x C x H x W, to target images, N x out_channels x H x W in [-1, 1]."""
        seen = [source]
        for block in self.down:
            seen.append(block(seen[-1]))
        image = seen.pop()
        for block in self.up:
            image = torch.cat([block(image), seen.pop()], dim=1)
        target: Tensor = self.output(image)
        return target
