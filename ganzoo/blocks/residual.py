"""Residual generator for image translation, which works at a quarter of the size."""

from typing import Literal

from torch import Tensor, nn

from ganzoo.blocks.sizes import check_size
from ganzoo.blocks.weights import Initialization, initialize_as
from ganzoo.contract.networks import Generator


class ResidualBlock(nn.Module):
    """Residual block of two convolutions: N x features x H x W to the same shape.

    Args:
        features: channels.
        normalization: after each convolution: "instance" with reflection padding, as for style transfer (Johnson et
            al., 2016, arXiv:1603.08155), or "batch" with zero padding and PReLU, as in SRResNet (Ledig et al., 2016,
            arXiv:1609.04802).
    """

    def __init__(self, features: int, normalization: Literal["instance", "batch"]) -> None:
        super().__init__()
        first, second = (
            nn.Conv2d(
                features, features, 3, padding=1, padding_mode="reflect" if normalization == "instance" else "zeros"
            )
            for _ in range(2)
        )
        self.layers = (
            nn.Sequential(first, nn.InstanceNorm2d(features), nn.ReLU(), second, nn.InstanceNorm2d(features))
            if normalization == "instance"
            else nn.Sequential(first, nn.BatchNorm2d(features), nn.PReLU(), second, nn.BatchNorm2d(features))
        )

    def forward(self, image: Tensor) -> Tensor:
        return image + self.layers(image)


class ResidualGenerator(Generator):
    """Image translation at constant size: CycleGAN's generator (Zhu et al., 2017, arXiv:1703.10593).

    c7s1-64, d128, d256, residual blocks of 256, u128, u64, c7s1 in the paper's notation: two convolutions of stride 2,
    residual blocks at a quarter of the size, two transposed convolutions. InstanceNorm, reflection padding.

    Args:
        source_shape: channels, height and width of the source images; sides multiples of 4, and at least 8.
        out_channels: channels of the target images.
        width: channels of the first layer, 64 in the paper; inner ones have two and four times as many.
        blocks: number of residual blocks (default: that of the paper, 6, or 9 for images from 256 pixels).
        initialization: initial weights.

    Raises:
        SizeError: a side is not a multiple of 4, or shorter than 8.
    """

    def __init__(
        self,
        source_shape: tuple[int, int, int],
        out_channels: int,
        *,
        width: int = 64,
        blocks: int | None = None,
        initialization: Initialization = "normal",
    ) -> None:
        super().__init__()
        check_size(type(self).__name__, source_shape, multiple=4, least=8)
        channels, height, sideways = source_shape
        blocks = blocks if blocks is not None else 9 if min(height, sideways) >= 256 else 6
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 7, padding=3, padding_mode="reflect"), *_active(width)]
        for features in (2 * width, 4 * width):
            layers += [nn.Conv2d(features // 2, features, 3, stride=2, padding=1), *_active(features)]
        layers += [ResidualBlock(4 * width, "instance") for _ in range(blocks)]
        for features in (2 * width, width):
            enlarge = nn.ConvTranspose2d(2 * features, features, 3, stride=2, padding=1, output_padding=1)
            layers += [enlarge, *_active(features)]
        last = nn.Conv2d(width, out_channels, 7, padding=3, padding_mode="reflect")
        self.layers = nn.Sequential(*layers, last, nn.Tanh())
        initialize_as(self, initialization)

    def forward(self, source: Tensor) -> Tensor:
        """Map source images, N x C x H x W, to target images, N x out_channels x H x W in [-1, 1]."""
        target: Tensor = self.layers(source)
        return target


def _active(features: int) -> list[nn.Module]:
    return [nn.InstanceNorm2d(features), nn.ReLU()]
