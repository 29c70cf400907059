"""WGAN-GP: a critic held to slope 1 by a gradient penalty (Gulrajani et al., 2017, arXiv:1704.00028)."""

import ganzoo
from ganzoo.blocks import StridedDiscriminator, UpsampleGenerator
from ganzoo.losses import WassersteinGP


class WGANGP(ganzoo.Adversarial):
    """The Wasserstein distance, its critic held to slope 1 by a gradient penalty.

    WGAN's critic must have a bounded slope, and clipping its weights makes it simple-minded and its gradients vanish or
    explode. The best critic has the slope 1 almost everywhere between real and fake images, so exactly that is asked
    for: a penalty on the slope's distance from 1, at points on the lines between them. The critic stays free in all
    else, and networks train that clipping failed with.
    """

    name = "wgan-gp"
    recipes = {
        "paper": {"optimizer": {"lr": 1e-4, "betas": (0.0, 0.9)}, "n_critic": 5},
        "quick": {"optimizer": {"lr": 1e-3, "betas": (0.5, 0.9)}, "n_critic": 1, "ema_images": 2000},
    }

    loss: ganzoo.Loss = WassersteinGP(penalty=10.0)
    optimizer: ganzoo.AnyOptimizer = ganzoo.Adam(lr=1e-4, betas=(0.0, 0.9))
    n_critic: int = 5

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        # Without BatchNorm, weights from N(0, 0.02) make a flat critic, which takes twice as long to reach slope 1.
        critic = StridedDiscriminator(data.shape, normalization="none", dropout=0.0, initialization="torch")
        return ganzoo.Networks(generator=UpsampleGenerator(self.latent_dim, data.shape), discriminator=critic)


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(WGANGP)
