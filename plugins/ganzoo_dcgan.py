"""DCGAN: noise to image with convolutions only (Radford et al., 2015, arXiv:1511.06434)."""

from typing import Literal

from pydantic import Field

import ganzoo
from ganzoo.blocks import (
    COMPACT_RECIPE,
    CompactDiscriminator,
    CompactGenerator,
    Initialization,
    StridedDiscriminator,
    TransposedDiscriminator,
    TransposedGenerator,
    UpsampleGenerator,
)
from ganzoo.losses import CrossEntropy


class DCGAN(ganzoo.Adversarial):
    """All-convolutional, noise to image, with the cross-entropy loss.

    Earlier convolutional GANs did not train stably, and fully connected ones made small, noisy images. Here the
    generator enlarges a small feature map step by step with convolutions, and the discriminator is its mirror image,
    with strides in place of pooling and batch normalization in nearly every layer. With these rules, image GANs trained
    reliably, and many later ones started from this network.
    """

    name = "dcgan"
    recipes = {
        "quick": COMPACT_RECIPE,
        "chapter": {
            "architecture": "chapter",
            "optimizer": {"lr": 1e-3, "betas": (0.9, 0.999)},
            "initialization": "torch",
        },
        "paper": {
            "architecture": "paper",
            "latent_dim": 100,
            "batch_size": 128,
            "optimizer": {"lr": 2e-4, "betas": (0.5, 0.999)},
            "initialization": "normal",
        },
        "gpu": {
            "width": 64,
            "batch_size": 64,
            "epochs": 100,
            "lr_schedule": "linear",
            "ema_images": 50_000,
            "optimizer": {"lr": 2e-4, "betas": (0.5, 0.99)},
            "r1": 1.0,
            "augment": "diffaugment",
        },
    }

    loss: ganzoo.Loss = CrossEntropy()
    optimizer: ganzoo.AnyOptimizer = ganzoo.Adam(lr=1e-3, betas=(0.5, 0.99))
    architecture: Literal["compact", "chapter", "paper"] = Field(
        "compact",
        description="networks: compact ones that train in minutes, those of the textbook chapter, or the paper's",
    )
    width: int = Field(16, gt=0, description="channels of the compact networks at full size")
    initialization: Initialization = Field(
        "torch", description="initial weights of the chapter's and the paper's networks: PyTorch's, or N(0, 0.02)"
    )

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        shape, initialization = data.shape, self.initialization
        if self.architecture == "compact":
            return ganzoo.Networks(
                generator=CompactGenerator(self.latent_dim, shape, width=self.width),
                discriminator=CompactDiscriminator(shape, width=self.width),
            )
        if self.architecture == "chapter":
            return ganzoo.Networks(
                generator=UpsampleGenerator(self.latent_dim, shape, initialization=initialization),
                discriminator=StridedDiscriminator(shape, initialization=initialization),
            )
        return ganzoo.Networks(
            generator=TransposedGenerator(self.latent_dim, shape, initialization=initialization),
            discriminator=TransposedDiscriminator(shape, initialization=initialization),
        )


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(DCGAN)
