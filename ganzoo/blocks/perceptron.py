"""Fully connected generator and discriminator, from the first GAN."""

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from ganzoo.contract.networks import Discriminator, Generator


class PerceptronGenerator(Generator):
    """Fully connected generator of all pixels at once, as in the first GAN (Goodfellow et al., 2014, arXiv:1406.2661).

    Args:
        latent_dim: length of the noise vector.
        shape: channels, height and width of the images; any size.
        widths: values in each hidden layer.
    """

    def __init__(
        self, latent_dim: int, shape: tuple[int, int, int], *, widths: Sequence[int] = (256, 512, 1024)
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for given, made in pairwise((latent_dim, *widths)):
            layers += [nn.Linear(given, made), nn.BatchNorm1d(made), nn.LeakyReLU(0.2)]
        last = nn.Linear((latent_dim, *widths)[-1], math.prod(shape))
        self.layers = nn.Sequential(*layers, last, nn.Unflatten(1, shape), nn.Tanh())

    def forward(self, noise: Tensor) -> Tensor:
        """Map noise, N x latent_dim, to images, N x C x H x W in [-1, 1]."""
        images: Tensor = self.layers(noise)
        return images


class PerceptronDiscriminator(Discriminator):
    """Fully connected discriminator of all pixels at once (Goodfellow et al., 2014).

    Args:
        shape: channels, height and width of the images; any size.
        widths: values in each hidden layer.
        dropout: share of values dropped in training.
    """

    def __init__(
        self, shape: tuple[int, int, int], *, widths: Sequence[int] = (512, 256), dropout: float = 0.3
    ) -> None:
        super().__init__()
        inputs, layers = (math.prod(shape), *widths), list[nn.Module]()
        for given, made in pairwise(inputs):
            layers += [nn.Linear(given, made), nn.LeakyReLU(0.2), nn.Dropout(dropout)]
        self.layers = nn.Sequential(nn.Flatten(), *layers, nn.Linear(inputs[-1], 1))

    def forward(self, image: Tensor) -> Tensor:
        """Map images, N x C x H x W, to logits, N x 1."""
        logits: Tensor = self.layers(image)
        return logits
