"""Convolutional networks between a vector and an image: those of DCGAN and of its many variants."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo.blocks.sizes import check_size
from ganzoo.blocks.weights import Initialization, initialize_as
from ganzoo.networks import Discriminator, Generator


class UpsampleConv(nn.Conv2d):
    """Nearest-neighbour upsampling by 2, then a convolution: N x in_channels x H x W to N x out_channels x 2H x 2W.

    Its parameters are the convolution's. An even kernel looks one pixel further up and left than down and right.

    Upsampling makes four equal pixels of each, so the convolution multiplies the same pixel several times over. Adding
    up the weights first gives one transposed convolution with the same result: 16 multiplications in place of 36 for a
    3 x 3 kernel, 25 in place of 64 for 4 x 4, and no enlarged image in memory.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Literal[3, 4] = 3) -> None:
        super().__init__(in_channels, out_channels, kernel_size, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        # Two taps share a pixel where they are neighbours: the sum over a sliding 2 x 2 window, wherever it overlaps
        # the kernel. A transposed convolution applies its kernel turned round.
        shared = F.avg_pool2d(self.weight, 2, stride=1, padding=1, divisor_override=1)
        last = self.weight.is_contiguous(memory_format=torch.channels_last)
        turned = shared.flip(2, 3).transpose(0, 1)
        # Laid out like the images: from other weights, the result would have to be laid out anew.
        turned = turned.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
        enlarged = F.conv_transpose2d(image, turned, self.bias, stride=2, padding=1)
        return enlarged if self.kernel_size[0] % 2 else enlarged[:, :, :-1, :-1]


class UpsampleGenerator(Generator):
    """A vector to a quarter-size image of 128 channels, then upsampling and convolution, twice.

    DCGAN's generator (Radford et al., 2015, arXiv:1511.06434) with upsampling in place of transposed convolutions.

    Args:
        latent_dim: length of the noise vector.
        shape: channels, height and width of the images; both sides multiples of 4.
        initialization: how its weights are drawn.

    Raises:
        SizeError: a side is not a multiple of 4.
    """

    def __init__(
        self, latent_dim: int, shape: tuple[int, int, int], *, initialization: Initialization = "normal"
    ) -> None:
        super().__init__()
        check_size(type(self).__name__, shape, multiple=4, least=4)
        channels, height, width = shape
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, 128 * (height // 4) * (width // 4)),
            nn.Unflatten(1, (128, height // 4, width // 4)),
            nn.BatchNorm2d(128),
            UpsampleConv(128, 128),
            nn.BatchNorm2d(128),
            nn.LeakyReLU(0.2),
            UpsampleConv(128, 64),
            nn.BatchNorm2d(64),
            nn.LeakyReLU(0.2),
            nn.Conv2d(64, channels, 3, padding=1),
            nn.Tanh(),
        )
        initialize_as(self, initialization)

    def forward(self, noise: Tensor) -> Tensor:
        """Noise, N x latent_dim, to images, N x C x H x W in [-1, 1]."""
        images: Tensor = self.layers(noise)
        return images


class StridedDiscriminator(Discriminator):
    """Four convolutions of stride 2, then one logit for each image, as in DCGAN (Radford et al., 2015).

    Args:
        shape: channels, height and width of the images; any size.
        width: channels after the first convolution; each further one doubles them.
        normalization: "batch", or "none" for a critic under a gradient penalty, which must not mix images.
        dropout: the share of channels dropped in training.
        initialization: how its weights are drawn.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        width: int = 16,
        normalization: Literal["batch", "none"] = "batch",
        dropout: float = 0.25,
        initialization: Initialization = "normal",
    ) -> None:
        super().__init__()
        channels, high, wide = shape
        layers: list[nn.Module] = []
        for features in (width, 2 * width, 4 * width, 8 * width):
            layers += [nn.Conv2d(channels, features, 3, stride=2, padding=1), nn.LeakyReLU(0.2)]
            if dropout:
                layers.append(nn.Dropout2d(dropout))
            if normalization == "batch" and features > width:  # the first sees the images themselves
                layers.append(nn.BatchNorm2d(features))
            channels, high, wide = features, (high + 1) // 2, (wide + 1) // 2
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * high * wide, 1))
        initialize_as(self, initialization)

    def forward(self, image: Tensor) -> Tensor:
        """Images, N x C x H x W, to logits, N x 1."""
        logits: Tensor = self.layers(image)
        return logits
