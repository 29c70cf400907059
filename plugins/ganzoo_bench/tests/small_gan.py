"""GANs as small as can be, some of which cannot be measured: `--plugin small_gan.py`."""

import signal

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


class LargeGAN(SmallGAN):
    """Takes images of 64 x 64 and no others."""

    name = "large-gan"

    def networks(self, data: ganzoo.DataSpec) -> Networks:
        if data.shape[1:] != (64, 64):
            raise ganzoo.SizeError(f"no images of {data.shape[1]} pixels; try --image-size 64x64 or --latent-dim 4")
        return super().networks(data)


class StoppedGAN(SmallGAN):
    """Is told to stop while it trains."""

    name = "stopped-gan"

    def generate(self, nets: Networks, batch: Batch) -> Batch:
        signal.raise_signal(signal.SIGTERM)
        return super().generate(nets, batch)


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    for gan in (SmallGAN, DivergingGAN, BrokenGAN, LargeGAN, StoppedGAN):
        register(gan)
