"""Noise to image, under a loss of its own (AUTHOR, YEAR).

A generator makes images of noise, and a discriminator tells them from real ones. Its logits are drawn to 1 for real
images and to -1 for fakes, by the square of the distance. The generator draws those of its fakes to 1.
"""

import ganzoo
from ganzoo.blocks import COMPACT_RECIPES, CompactDiscriminator, CompactGenerator
from pydantic import Field
from torch import Tensor


class MyGANLoss(ganzoo.LossScheme):
    """L_D = mean((D(x) - 1)^2 + (D(G(z)) + 1)^2) / 2 and L_G = mean((D(G(z)) - 1)^2) / 2."""

    kind = "my-gan"
    least_loss = 0.0  # the least that `discriminator` gives; near it the generator learns no more, and a run warns

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return ((real - 1).square().mean() + (fake + 1).square().mean()) / 2

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return (fake - 1).square().mean() / 2


class MyGAN(ganzoo.Adversarial):
    """Convolutions up from noise, convolutions down to one logit, squares between them."""

    name = "my-gan"
    recipes = COMPACT_RECIPES
    loss: ganzoo.Loss = MyGANLoss()
    width: int = Field(16, gt=0, description="channels of both networks at full size")

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(
            generator=CompactGenerator(self.latent_dim, data.shape, width=self.width),
            discriminator=CompactDiscriminator(data.shape, width=self.width),
        )


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(MyGAN)


@ganzoo.hookimpl
def register_losses(register: ganzoo.Register) -> None:
    register(MyGANLoss)
