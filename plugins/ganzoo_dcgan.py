"""DCGAN: noise to image by convolutions alone (Radford et al., 2015, arXiv:1511.06434)."""

from pydantic import Field

import ganzoo
from ganzoo.blocks import Initialization, StridedDiscriminator, UpsampleGenerator
from ganzoo.losses import CrossEntropy


class DCGAN(ganzoo.Adversarial):
    """All-convolutional, noise to image, under cross entropy.

    Earlier GANs of convolutions would not train stably, and fully connected ones drew small, noisy images. Here the
    generator enlarges a small map of features step by step by convolutions, and the discriminator is its mirror, with
    strides in place of pooling and batch normalization in nearly every layer. With these rules GANs of images trained
    reliably, and many that came after began from this network.
    """

    name = "dcgan"
    recipes = {
        "quick": {"optimizer": {"lr": 1e-3, "betas": (0.5, 0.999)}, "initialization": "normal"},
        "chapter": {"optimizer": {"lr": 1e-3, "betas": (0.9, 0.999)}, "initialization": "torch"},
        "paper": {"optimizer": {"lr": 2e-4, "betas": (0.5, 0.999)}, "initialization": "normal"},
    }

    loss: ganzoo.Loss = CrossEntropy()
    optimizer: ganzoo.AnyOptimizer = ganzoo.Adam(lr=1e-3, betas=(0.5, 0.999))
    initialization: Initialization = Field(
        "normal", description="initial weights: the paper's, drawn from N(0, 0.02), or torch's own"
    )

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(
            generator=UpsampleGenerator(self.latent_dim, data.shape, initialization=self.initialization),
            discriminator=StridedDiscriminator(data.shape, initialization=self.initialization),
        )


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(DCGAN)
