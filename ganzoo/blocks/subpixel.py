"""Networks for images that are made larger: those of super-resolution."""

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo.blocks.residual import ResidualBlock
from ganzoo.contract.networks import Discriminator, Generator


class SubpixelGenerator(Generator):
    """Enlarges images by adding to a bicubic enlargement: SRResNet (Ledig et al., 2016, arXiv:1609.04802).

    All the work is done at the small size; convolutions with four times the channels, rearranged to twice the side,
    come last. The paper's network makes the whole image. This one starts as the bicubic enlargement and learns what is
    missing from it, which a short training needs.

    Args:
        channels: of the images it is given, and of those it makes.
        scale: how many times higher and wider it makes them.
        width: channels of every layer, the paper's 64.
        blocks: residual blocks, the paper's 16.
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
        """Images, N x C x H x W, to N x C x scale H x scale W; in [-1, 1] in evaluation, in training about so."""
        features = self.first(source)
        missing = self.enlarge(features + self.blocks(features))
        made = missing + F.interpolate(source, scale_factor=self.scale, mode="bicubic")
        # Clamped in training, white pixels could not learn to be darker; and clamped with the gradient of one that is
        # not, nothing would hold what an adversarial loss pushes beyond the range: it ran away within 2,000 iterations.
        return made if self.training else made.clamp(-1, 1)


class DeepStridedDiscriminator(Discriminator):
    """Eight convolutions, every second of stride 2, and two dense layers: SRGAN's discriminator (Ledig et al., 2016).

    Args:
        shape: channels, height and width of the images; any size.
        width: channels of the first layer, the paper's 64; the last has eight times, the dense layer 16 times as many.
    """

    def __init__(self, shape: tuple[int, int, int], *, width: int = 64) -> None:
        super().__init__()
        channels, height, sideways = shape
        layers: list[nn.Module] = []
        for features in (width, 2 * width, 4 * width, 8 * width):
            for stride in (1, 2):
                layers.append(nn.Conv2d(channels, features, 3, stride, padding=1))
                if len(layers) > 1:  # the first sees the images themselves
                    layers.append(nn.BatchNorm2d(features))
                layers.append(nn.LeakyReLU(0.2))
                channels = features
            height, sideways = (height + 1) // 2, (sideways + 1) // 2
        dense = nn.Linear(channels * height * sideways, 16 * width)
        self.layers = nn.Sequential(*layers, nn.Flatten(), dense, nn.LeakyReLU(0.2), nn.Linear(16 * width, 1))

    def forward(self, image: Tensor) -> Tensor:
        """Images, N x C x H x W, to logits, N x 1."""
        logits: Tensor = self.layers(image)
        return logits
