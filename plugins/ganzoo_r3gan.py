"""R3GAN: a relativistic loss with gradient penalties, no tricks (Huang et al., 2024, arXiv:2501.05441)."""

from pydantic import Field

import ganzoo
from ganzoo.blocks import GroupedDiscriminator, GroupedGenerator
from ganzoo.losses import Relativistic


class R3GAN(ganzoo.Adversarial):
    """Modern baseline: a relativistic loss with R1 and R2, residual networks without normalization.

    GANs accumulated tricks because their losses did not converge. Here the loss compares each fake with a real image
    instead of scoring it alone, which prevents mode dropping, and two penalties on the discriminator's gradient at real
    and at fake images give local convergence. With such a loss, plain residual networks do without the tricks.

    The recipe `quick` trains narrow networks, which double at each size as the authors' do. The recipe
    `cifar` has the networks of the authors' configuration for CIFAR-10, `paper` those for FFHQ at 64 pixels; both are
    untested here. Intended differences: gamma decays by a cosine only, and the learning rate's cosine ends at 0, not at
    a quarter; the second beta and the probability of augmentation stay at the authors' initial or final values; both
    players see the same real images and fakes; the layers at the images have biases, and there are no classes.
    """

    name = "r3gan"
    recipes = {
        "quick": {
            "image_size": "32x32",
            "epochs": 2,
            "batch_size": 32,
            "lr_schedule": "linear",
            "ema_images": 5000,
            "optimizer": {"lr": 2e-3, "betas": (0.0, 0.99)},
            "loss": {"kind": "relativistic", "gamma": 0.3},
        },
        "paper": {
            "image_size": "64x64",
            "width": 384,
            "growth": 2,
            "max_width": 768,
            "blocks": 2,
            "batch_size": 256,
            "lr_schedule": "cosine",
            "ema_images": 500_000,
            "loss": {"kind": "relativistic", "gamma": 2.0, "gamma_end": 0.2, "gamma_iterations": 78_000},
            "augment": {"kind": "ada", "p": 0.3, "flip": True},
        },
        "cifar": {
            "image_size": "32x32",
            "width": 768,
            "growth": 1,
            "max_width": 768,
            "blocks": 2,
            "batch_size": 512,
            "lr_schedule": "cosine",
            "ema_images": 5_000_000,
            "loss": {"kind": "relativistic", "gamma": 0.05, "gamma_end": 0.005, "gamma_iterations": 39_000},
            "augment": {"kind": "ada", "p": 0.3, "flip": True},
        },
    }

    loss: ganzoo.Loss = Relativistic(gamma=1.0)
    optimizer: ganzoo.AnyOptimizer = ganzoo.Adam(lr=2e-4, betas=(0.0, 0.99))
    width: int = Field(16, ge=1, description="channels at full size")
    growth: int = Field(2, ge=1, description="factor of the channels at each halving of the sides")
    max_width: int = Field(256, ge=1, description="largest number of channels at any size")
    blocks: int = Field(1, ge=1, description="residual blocks at each size (2 in the paper)")

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        sizes = {"width": self.width, "growth": self.growth, "max_width": self.max_width, "blocks": self.blocks}
        return ganzoo.Networks(
            generator=GroupedGenerator(self.latent_dim, data.shape, **sizes),
            discriminator=GroupedDiscriminator(data.shape, **sizes),
        )


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(R3GAN)
