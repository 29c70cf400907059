"""DCGAN's original networks: transposed and strided convolutions with BatchNorm."""

import math
from itertools import pairwise

from torch import Tensor, nn

from ganzoo.blocks.compact import pyramid
from ganzoo.blocks.weights import Initialization, initialize_as
from ganzoo.contract.networks import Discriminator, Generator


class TransposedGenerator(Generator):
    """DCGAN's generator of transposed convolutions (Radford et al., 2015, arXiv:1511.06434, figure 1).

    A linear layer to 1024 channels of 4 x 4, for images of 64 x 64, then transposed convolutions 4 x 4 of stride 2 that
    halve the channels down to 128, each with BatchNorm and ReLU, and a last one to the image, with tanh. The paper's
    kernels are 5 x 5; even ones cover every pixel equally often (Odena et al., 2016, doi:10.23915/distill.00003).

    Args:
        latent_dim: length of the noise vector, 100 in the paper.
        shape: channels, height and width of the images; sides multiples of 4, and at least 8.
        width: channels of a hypothetical layer at full size; half of those before the last layer.
        initialization: initial weights.

    Raises:
        SizeError: a side is not a multiple of 4, or shorter than 8.
    """

    def __init__(
        self,
        latent_dim: int,
        shape: tuple[int, int, int],
        *,
        width: int = 64,
        initialization: Initialization = "normal",
    ) -> None:
        super().__init__()
        widths, smallest = pyramid(type(self).__name__, shape, width, 16 * width)
        first, *others = reversed(widths[1:])
        layers: list[nn.Module] = [
            nn.Linear(latent_dim, first * math.prod(smallest), bias=False),
            nn.Unflatten(1, (first, *smallest)),
            nn.BatchNorm2d(first),
            nn.ReLU(),
        ]
        for before, after in pairwise((first, *others)):
            layers += [
                nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
        last = nn.ConvTranspose2d(widths[1], shape[0], 4, stride=2, padding=1)
        self.layers = nn.Sequential(*layers, last, nn.Tanh())
        initialize_as(self, initialization)

    def forward(self, noise: Tensor) -> Tensor:
        """Map noise, N x latent_dim, to images, N x C x H x W in [-1, 1]."""
        images: Tensor = self.layers(noise)
        return images


class TransposedDiscriminator(Discriminator):
    """DCGAN's discriminator, the mirror image of `TransposedGenerator` (Radford et al., 2015).

    Strided convolutions with leaky ReLU and, in all layers but the first, BatchNorm before it.

    Args:
        shape: channels, height and width of the images; sides multiples of 4, and at least 8.
        width: as for the generator; the first convolution has twice as many channels.
        initialization: initial weights.

    Raises:
        SizeError: a side is not a multiple of 4, or shorter than 8.
    """

    def __init__(
        self, shape: tuple[int, int, int], *, width: int = 64, initialization: Initialization = "normal"
    ) -> None:
        super().__init__()
        widths, smallest = pyramid(type(self).__name__, shape, width, 16 * width)
        layers: list[nn.Module] = [nn.Conv2d(shape[0], widths[1], 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for before, after in pairwise(widths[1:]):
            layers += [
                nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.LeakyReLU(0.2),
            ]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * math.prod(smallest), 1))
        initialize_as(self, initialization)

    def forward(self, image: Tensor) -> Tensor:
        """Map images, N x C x H x W, to logits, N x 1."""
        logits: Tensor = self.layers(image)
        return logits
