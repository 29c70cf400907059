"""WGAN: the Wasserstein distance, its critic held by clipped weights (Arjovsky et al., 2017, arXiv:1701.07875)."""

from collections.abc import Sequence
from dataclasses import replace

from pydantic import Field

import ganzoo
from ganzoo.blocks import COMPACT_RECIPE, CompactDiscriminator, CompactGenerator
from ganzoo.losses import Wasserstein


class WGAN(ganzoo.Adversarial):
    """The Wasserstein distance, its critic held to a bounded slope by clipping its weights.

    Where real and fake images do not overlap, the usual losses say that they differ and not by how far, so the
    generator learns nothing. The Wasserstein distance measures how far the one would have to be moved to become the
    other, and it falls smoothly as they approach. A critic estimates it, as long as its slope is bounded, which
    clipping its weights achieves in the crudest way; its loss then goes along with how good the images are.

    All recipes train compact networks, whose critic has no BatchNorm, unlike the paper's. Clipped at the paper's 0.01,
    such a critic passes little on, so the recipe `quick` clips at 0.1.
    """

    name = "wgan"
    recipes = {
        "quick": {
            **COMPACT_RECIPE,
            "optimizer": {"kind": "rmsprop", "lr": 1e-3},
            "n_critic": 2,
            "clip": 0.1,
            "r1": 0.0,
        },
        "paper": {"batch_size": 64, "optimizer": {"kind": "rmsprop", "lr": 5e-5}, "n_critic": 5},
    }

    loss: ganzoo.Loss = Wasserstein()
    optimizer: ganzoo.AnyOptimizer = ganzoo.RMSprop(lr=5e-5)
    n_critic: int = 5
    clip: float = Field(0.01, gt=0, description="the critic's weights are kept from -clip to clip")

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(
            generator=CompactGenerator(self.latent_dim, data.shape),
            discriminator=CompactDiscriminator(data.shape),
        )

    def players(self) -> Sequence[ganzoo.Player]:
        generator, critic, *others = super().players()
        return generator, replace(critic, constrain=self.clip_weights), *others

    def clip_weights(self, nets: ganzoo.Networks) -> None:
        for weight in nets.discriminator.parameters():
            weight.clamp_(-self.clip, self.clip)


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(WGAN)
