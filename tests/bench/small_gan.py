"""GANs as small as can be, one sound and two that cannot be measured: `--plugin small_gan.py`."""

from torch import Tensor, nn

import ganzoo
from ganzoo import Batch, Networks
from ganzoo.losses import LeastSquares


class Generator(ganzoo.Generator):
    """Noise to images, in one layer."""

    def __init__(self, latent_dim: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, height, width = self.shape = shape
        self.layer = nn.Linear(latent_dim, channels * height * width)

    def forward(self, noise: Tensor) -> Tensor:
        return self.layer(noise).tanh().view(-1, *self.shape)


class Discriminator(ganzoo.Discriminator):
    """Images to logits, in one layer."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, height, width = shape
        self.layer = nn.Linear(channels * height * width, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.layer(image.flatten(1))


class SmallGAN(ganzoo.Adversarial):
    """Two layers (Me, 2026)."""

    name = "small-gan"
    loss: ganzoo.Loss = LeastSquares()

    def networks(self, data: ganzoo.DataSpec) -> Networks:
        return Networks(generator=Generator(self.latent_dim, data.shape), discriminator=Discriminator(data.shape))


class DivergingGAN(SmallGAN):
    """Its images are no numbers."""

    name = "diverging-gan"

    def generate(self, nets: Networks, batch: Batch) -> Batch:
        batch = super().generate(nets, batch)
        return batch.replace(fake=batch.fake * float("inf"))


class BrokenGAN(SmallGAN):
    """Its noise is too short."""

    name = "broken-gan"

    def generate(self, nets: Networks, batch: Batch) -> Batch:
        return batch.replace(fake=nets.generator(batch.noise[:, 1:]))


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    for gan in (SmallGAN, DivergingGAN, BrokenGAN):
        register(gan)
