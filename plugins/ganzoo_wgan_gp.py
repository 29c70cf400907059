"""WGAN-GP: a critic with gradient norm 1, by a gradient penalty (Gulrajani et al., 2017, arXiv:1704.00028)."""

import ganzoo
from ganzoo.blocks import COMPACT_RECIPE, CompactDiscriminator, CompactGenerator
from ganzoo.losses import WassersteinGP


class WGANGP(ganzoo.Adversarial):
    """Wasserstein distance, with a critic held to gradient norm 1 by a gradient penalty.

    WGAN's critic must have a bounded gradient, and weight clipping limits its capacity and makes its gradients vanish
    or explode. The optimal critic has gradient norm 1 almost everywhere between real and fake images, so the loss
    penalizes the distance of the norm from 1, at points on the lines between them. The critic is otherwise
    unconstrained, and networks train that fail with clipping.
    """

    name = "wgan-gp"
    recipes = {
        "quick": {**COMPACT_RECIPE, "optimizer": {"lr": 1e-3, "betas": (0.5, 0.9)}, "n_critic": 3, "r1": 0.0},
        "paper": {"batch_size": 64, "optimizer": {"lr": 1e-4, "betas": (0.0, 0.9)}, "n_critic": 5},
    }

    loss: ganzoo.Loss = WassersteinGP(penalty=10.0)
    optimizer: ganzoo.AnyOptimizer = ganzoo.Adam(lr=1e-4, betas=(0.0, 0.9))
    n_critic: int = 5

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(
            generator=CompactGenerator(self.latent_dim, data.shape),
            discriminator=CompactDiscriminator(data.shape),
        )


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(WGANGP)
