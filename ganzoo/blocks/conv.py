"""Convolutional generators and discriminators: those of DCGAN and its many variants."""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo.blocks.sizes import check_size
from ganzoo.blocks.weights import Initialization, initialize_as
from ganzoo.contract.networks import Discriminator, Generator


class UpsampleConv(nn.Conv2d):
    """Nearest-neighbor upsampling by 2, then a convolution: N x in_channels x H x W to N x out_channels x 2H x 2W.

    Its parameters are those of the convolution. An even kernel extends one pixel further up and left than down and
    right.

    Upsampling makes four equal pixels of each, which the convolution then multiplies repeatedly. Summing the weights
    first gives one transposed convolution with the same result: 16 multiplications instead of 36 for a 3 x 3 kernel, 25
    instead of 64 for 4 x 4, and no enlarged image in memory.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Literal[3, 4] = 3) -> None:
        super().__init__(in_channels, out_channels, kernel_size, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        # Adjacent weights apply to the same pixel: their sum is a 2 x 2 sliding window, also over the border of the
        # kernel. A transposed convolution flips its kernel.
        shared = F.avg_pool2d(self.weight, 2, stride=1, padding=1, divisor_override=1)
        last = self.weight.is_contiguous(memory_format=torch.channels_last)
        turned = shared.flip(2, 3).transpose(0, 1)
        # Same memory format as the images: otherwise, the result would be converted.
        turned = turned.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
        enlarged = F.conv_transpose2d(image, turned, self.bias, stride=2, padding=1)
        return enlarged if self.kernel_size[0] % 2 else enlarged[:, :, :-1, :-1]


class UpsampleGenerator(Generator):
    """Generator from a quarter-size image of many channels, with upsampling and convolution, twice.

    DCGAN's generator (Radford et al., 2015, arXiv:1511.06434) with upsampling instead of transposed convolutions.

    Args:
        latent_dim: length of the noise vector.
        shape: channels, height and width of the images; both sides multiples of 4.
        width: channels of the quarter-size image, an even number; the cost of an image grows with their square.
        classes: number of classes; 0: no labels. A class is a learned vector as long as the noise, concatenated with
            it.
        initialization: initial weights.

    Raises:
        SizeError: a side is not a multiple of 4.
    """

    def __init__(
        self,
        latent_dim: int,
        shape: tuple[int, int, int],
        *,
        width: int = 128,
        classes: int = 0,
        initialization: Initialization = "normal",
    ) -> None:
        super().__init__()
        check_size(type(self).__name__, shape, multiple=4, least=4)
        channels, high, wide = shape
        self.layers = nn.Sequential(
            nn.Linear(2 * latent_dim if classes else latent_dim, width * (high // 4) * (wide // 4)),
            nn.Unflatten(1, (width, high // 4, wide // 4)),
            nn.BatchNorm2d(width),
            UpsampleConv(width, width),
            nn.BatchNorm2d(width),
            nn.LeakyReLU(0.2),
            UpsampleConv(width, width // 2),
            nn.BatchNorm2d(width // 2),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width // 2, channels, 3, padding=1),
            nn.Tanh(),
        )
        self.classes = nn.Embedding(classes, latent_dim) if classes else None
        initialize_as(self, initialization)

    def forward(self, noise: Tensor, label: Tensor | None = None) -> Tensor:
        """Map noise, N x latent_dim, and labels, N, to images, N x C x H x W in [-1, 1]."""
        if self.classes is not None:
            noise = torch.cat([noise, self.classes(label)], dim=1)
        images: Tensor = self.layers(noise)
        return images


class StridedDiscriminator(Discriminator):
    """Discriminator of four convolutions of stride 2 and a linear layer, as in DCGAN (Radford et al., 2015).

    Args:
        shape: channels, height and width of the images; any size.
        outputs: logits per image: more than one for further predictions.
        classes: number of classes; 0: no labels. They enter as in the projection discriminator (Miyato and Koyama,
            2018, arXiv:1802.05637, eq. 3): the product of the features and a learned vector per class is added to the
            logit.
        width: channels after the first convolution; each further one doubles them.
        normalization: "batch", or "none" for a critic with a gradient penalty, which must not mix images.
        dropout: share of channels dropped in training.
        initialization: initial weights.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        outputs: int = 1,
        classes: int = 0,
        width: int = 16,
        normalization: Literal["batch", "none"] = "batch",
        dropout: float = 0.25,
        initialization: Initialization = "normal",
    ) -> None:
        super().__init__()
        layers, seen = strided(shape, width, normalized=normalization == "batch", dropout=dropout)
        values = math.prod(seen)
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(values, outputs))
        self.classes = nn.Embedding(classes, values) if classes else None
        initialize_as(self, initialization)
        if self.classes is not None:
            nn.init.zeros_(self.classes.weight)  # no class is preferred at first

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        """Map images, N x C x H x W, and labels, N, to logits, N x outputs."""
        if self.classes is None:
            logits: Tensor = self.layers(image)
            return logits
        features = self.layers[:-1](image)
        return self.layers[-1](features) + (features * self.classes(label)).sum(1, keepdim=True)


class StridedClassifier(Discriminator):
    """Classifier with the convolutions of StridedDiscriminator; also returns the features before its last layer.

    Gaussian noise before every layer prevents overfitting to a few labeled images (Salimans et al., 2016,
    arXiv:1606.03498, appendix).

    Args:
        shape: channels, height and width of the images; any size.
        classes: logits per image.
        width: channels of the first convolution, doubled by each of the others.
        noise: standard deviation of the noise, in training.
        initialization: initial weights.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        classes: int,
        *,
        width: int = 32,
        noise: float = 0.3,
        initialization: Initialization = "torch",
    ) -> None:
        super().__init__()
        layers, seen = strided(shape, width, noise=noise)
        self.body = nn.Sequential(*layers, nn.Flatten())
        self.head = nn.Sequential(GaussianNoise(noise), nn.Linear(math.prod(seen), classes))
        initialize_as(self, initialization)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Map images, N x C x H x W, to logits, N x classes, and features, N x F."""
        seen: Tensor = self.body(image)
        return self.head(seen), seen


class GaussianNoise(nn.Module):
    """Additive noise from N(0, std), in training only."""

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, values: Tensor) -> Tensor:
        return values + self.std * torch.randn_like(values) if self.training else values


def strided(
    shape: tuple[int, int, int], width: int, *, normalized: bool = False, dropout: float = 0.0, noise: float = 0.0
) -> tuple[list[nn.Module], tuple[int, int, int]]:
    """Return four convolutions of stride 2, of `width` channels and twice as many each time, and their output shape.

    Args:
        shape: channels, height and width of the images.
        width: channels of the first convolution.
        normalized: whether all but the first, which sees the images themselves, are followed by BatchNorm.
        dropout: share of channels dropped after each, in training.
        noise: standard deviation of the noise added before each, in training.
    """
    channels, high, wide = shape
    layers: list[nn.Module] = []
    for features in (width, 2 * width, 4 * width, 8 * width):
        if noise:
            layers.append(GaussianNoise(noise))
        layers += [nn.Conv2d(channels, features, 3, stride=2, padding=1), nn.LeakyReLU(0.2)]
        if dropout:
            layers.append(nn.Dropout2d(dropout))
        if normalized and features > width:
            layers.append(nn.BatchNorm2d(features))
        channels, high, wide = features, (high + 1) // 2, (wide + 1) // 2
    return layers, (channels, high, wide)
