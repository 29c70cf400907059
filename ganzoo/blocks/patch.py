"""Patch discriminator: a logit for each patch of an image."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from ganzoo.blocks.sizes import check_size
from ganzoo.blocks.weights import Initialization, initialize_as
from ganzoo.contract.networks import Discriminator

PatchSize: TypeAlias = Literal[16, 34, 70, 94, 142]
"""Height and width, in pixels, of the patches of a PatchDiscriminator."""
CHAPTERS: Literal[94] = 94
"""Patch size without an inner convolution of stride 1."""
HALVINGS: Mapping[PatchSize, int] = {16: 1, 34: 2, 70: 3, CHAPTERS: 4, 142: 4}


class PatchDiscriminator(Discriminator):
    """Discriminator of the patches of an image, given its source (Isola et al., 2016, arXiv:1611.07004).

    n convolutions of stride 2, one of stride 1 and a last one of one channel: patches are 2^n pixels apart, and
    9 * 2^n - 2 pixels high and wide, that is 16, 34, 70 and 142 for n = 1 to 4. The paper's 70 are for images of 256;
    smaller images need smaller patches, which would otherwise cover most of the image. Patches of 94 pixels, 16 apart,
    come from four convolutions of stride 2 and none of stride 1 before the last.

    Args:
        shapes: channels, height and width of the images, then of each image that they are conditioned on.
        width: channels of the first layer, 64 in the paper; doubled by each further one, up to eight times.
        patch: height and width of the patches in pixels.
        initialization: initial weights.

    Raises:
        SizeError: the images are too small.
    """

    def __init__(
        self,
        *shapes: tuple[int, int, int],
        width: int = 64,
        patch: PatchSize = CHAPTERS,
        initialization: Initialization = "normal",
    ) -> None:
        super().__init__()
        halvings = HALVINGS[patch]
        strides = [2] * halvings + [1] * (patch != CHAPTERS)
        for shape in shapes:
            # InstanceNorm cannot normalize a single value: its last layer needs at least 2 x 2.
            check_size(type(self).__name__, shape, multiple=1, least=2**halvings * (2 if patch == CHAPTERS else 3))
        channels = sum(shape[0] for shape in shapes)
        network: list[nn.Module] = []
        for level, stride in enumerate(strides):
            made = width * min(8, 2**level)
            network.append(nn.Conv2d(channels, made, 4, stride, padding=1))
            if level:
                network.append(nn.InstanceNorm2d(made))
            network.append(nn.LeakyReLU(0.2))
            channels = made
        if patch == CHAPTERS:
            network.append(nn.ZeroPad2d((1, 0, 1, 0)))
        self.layers = nn.Sequential(*network, nn.Conv2d(channels, 1, 4, padding=1))
        initialize_as(self, initialization)

    def forward(self, image: Tensor, *condition: Tensor) -> Tensor:
        """Map images, N x C x H x W, and their sources to logits, N x 1 x patches down x patches across."""
        logits: Tensor = self.layers(torch.cat([image, *condition], dim=1))
        return logits
