"""Super-resolution networks."""

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo.blocks.residual import ResidualBlock
from ganzoo.contract.networks import Discriminator, Generator


class SubpixelGenerator(Generator):
    """Super-resolution by a correction of the bicubic enlargement: SRResNet (Ledig et al., 2016, arXiv:1609.04802).

    All layers work at the small size, except for the last: convolutions with four times the channels, rearranged to
    twice the side. The paper's network makes the whole image. This one starts as the bicubic enlargement and learns the
    difference, which a short training needs.

    Args:
        channels: channels of source and target images.
        scale: factor of height and width.
        width: channels of every layer, 64 in the paper.
        blocks: number of residual blocks, 16 in the paper.
    """

    def __init__(self, channels: int, scale: Literal[2, 4], *, width: int = 64, blocks: int = 16) -> None:
        super().__init__()
        self.scale = scale
        self.first = nn.Sequential(nn.Conv2d(channels, width, 9, padding=4), nn.PReLU())
        self.blocks = nn.Sequential(
            *(ResidualBlock(width, "batch") for _ in range(blocks)),
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
        )
        enlarge: list[nn.Module] = []
        for _ in range({2: 1, 4: 2}[scale]):
            enlarge += [nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2), nn.PReLU()]
        last = nn.Conv2d(width, channels, 9, padding=4)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]  # it has one
        self.enlarge = nn.Sequential(*enlarge, last)

    def forward(self, source: Tensor) -> Tensor:
        """Map images, N x C x H x W, to N x C x scale H x scale W; in [-1, 1] in evaluation, about so in training."""
        features = self.first(source)
        missing = self.enlarge(features + self.blocks(features))
        made = missing + F.interpolate(source, scale_factor=self.scale, mode="bicubic")
        # Clamped in training, white pixels would have no gradient to become darker; with the gradient passed through
        # the clamp, an adversarial loss pushes values ever further out of the range: diverged within 2,000 iterations.
        return made if self.training else made.clamp(-1, 1)


class DeepStridedDiscriminator(Discriminator):
    """SRGAN's discriminator: eight convolutions, every second of stride 2, and two linear layers (Ledig et al., 2016).

    Args:
        shape: channels, height and width of the images; any size.
        width: channels of the first layer, 64 in the paper; the last has 8 times, the linear layer 16 times as many.
    """

    def __init__(self, shape: tuple[int, int, int], *, width: int = 64) -> None:
        super().__init__()
        channels, height, sideways = shape
        layers: list[nn.Module] = []
        for features in (width, 2 * width, 4 * width, 8 * width):
            for stride in (1, 2):
                layers.append(nn.Conv2d(channels, features, 3, stride, padding=1))
                if len(layers) > 1:  # no normalization of the images themselves
                    layers.append(nn.BatchNorm2d(features))
                layers.append(nn.LeakyReLU(0.2))
                channels = features
            height, sideways = (height + 1) // 2, (sideways + 1) // 2
        dense = nn.Linear(channels * height * sideways, 16 * width)
        self.layers = nn.Sequential(*layers, nn.Flatten(), dense, nn.LeakyReLU(0.2), nn.Linear(16 * width, 1))

    def forward(self, image: Tensor) -> Tensor:
        """Map images, N x C x H x W, to logits, N x 1."""
        logits: Tensor = self.layers(image)
        return logits
