"""R3GAN: real and fake in pairs, slopes held at both, no tricks (Huang et al., 2024, arXiv:2501.05441)."""

from pydantic import Field

import ganzoo
from ganzoo.blocks import GroupedDiscriminator, GroupedGenerator
from ganzoo.losses import Relativistic


class R3GAN(ganzoo.Adversarial):
    """The modern baseline: a relativistic loss with R1 and R2, residual networks without normalization.

    GANs collected tricks because their losses did not converge. Here the loss compares each fake with a real image
    instead of judging it alone, which keeps any kind of image from being left out, and two penalties hold the slope of
    the discriminator at real and at fake images, which gives local convergence. With such a loss, plain residual
    networks do without the tricks.
    """

    name = "r3gan"
    recipes = {"quick": {"optimizer": {"lr": 5e-4, "betas": (0.0, 0.99)}, "batch_size": 16, "ema_images": 2000}}

    loss: ganzoo.Loss = Relativistic(gamma=1.0)
    optimizer: ganzoo.AnyOptimizer = ganzoo.Adam(lr=2e-4, betas=(0.0, 0.99))
    width: int = Field(8, ge=1, description="channels at full size, light by default; up to eight times as many inside")
    blocks: int = Field(1, ge=1, description="residual blocks at each size; the paper has 2")

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(
            generator=GroupedGenerator(self.latent_dim, data.shape, width=self.width, blocks=self.blocks),
            discriminator=GroupedDiscriminator(data.shape, width=self.width, blocks=self.blocks),
        )


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(R3GAN)
