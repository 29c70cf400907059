"""GAN: the first, fully connected (Goodfellow et al., 2014, arXiv:1406.2661)."""

from pydantic import Field

import ganzoo
from ganzoo.blocks import PerceptronDiscriminator, PerceptronGenerator
from ganzoo.losses import CrossEntropy


class FirstGAN(ganzoo.Adversarial):
    """Original GAN with two fully connected networks; `--loss minimax` for the loss of the paper.

    Two networks play against each other: a generator turns noise into images, and a discriminator has to tell these
    from real ones. Each learns from the other's success, so neither the distribution of images nor a similarity measure
    has to be specified. At the equilibrium, the generated images have the distribution of the real ones.
    """

    name = "gan"
    recipes = {
        "quick": {
            "image_size": "32x32",
            "epochs": 5,
            "lr_schedule": "linear",
            "ema_images": 20_000,
            "optimizer": {"lr": 1e-3, "betas": (0.5, 0.99)},
            "dropout": 0.0,
            "r1": 0.1,
        },
        "paper": {"loss": "minimax", "batch_size": 100, "optimizer": {"lr": 2e-4, "betas": (0.5, 0.999)}},
    }

    loss: ganzoo.Loss = CrossEntropy()
    optimizer: ganzoo.AnyOptimizer = ganzoo.Adam(lr=2e-4, betas=(0.5, 0.999))

    dropout: float = Field(0.3, ge=0, lt=1, description="dropout probability in the discriminator")

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(
            generator=PerceptronGenerator(self.latent_dim, data.shape),
            discriminator=PerceptronDiscriminator(data.shape, dropout=self.dropout),
        )


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(FirstGAN)
