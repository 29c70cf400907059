"""WGAN: the Wasserstein distance, with a critic whose weights are clipped (Arjovsky et al., 2017, arXiv:1701.07875)."""

from collections.abc import Sequence
from dataclasses import replace

from pydantic import Field

import ganzoo
from ganzoo.blocks import COMPACT_RECIPE, CompactDiscriminator, CompactGenerator
from ganzoo.losses import Wasserstein


class WGAN(ganzoo.Adversarial):
    """Wasserstein distance, with a critic made Lipschitz continuous by weight clipping.

    Where real and fake images do not overlap, the usual losses tell that they differ but not by how much, so the
    generator learns nothing. The Wasserstein distance measures how far the fakes have to be moved to become the real
    images, and falls smoothly as they approach. A critic estimates it, if its gradient is bounded, which weight
    clipping achieves in the crudest way; its loss then correlates with the quality of the images.

    All recipes train compact networks, whose critic has no BatchNorm, unlike the paper's. Clipped at the paper's 0.01,
    the gradients of such a critic vanish, so the recipe `quick` clips at 0.1.
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
    clip: float = Field(0.01, gt=0, description="largest absolute value of the critic's weights")

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
