"""LSGAN: least squares in place of cross entropy (Mao et al., 2016, arXiv:1611.04076)."""

import ganzoo
from ganzoo.blocks import COMPACT_RECIPE, CompactDiscriminator, CompactGenerator
from ganzoo.losses import LeastSquares


class LSGAN(ganzoo.Adversarial):
    """DCGAN's networks with the least-squares loss.

    Cross entropy gives little gradient for a fake that already passes for real, however far it is from the real images.
    Squared distances to the labels 1 and 0 keep pulling at it, the more the farther off it is. Only the loss changes,
    and training becomes more stable.
    """

    name = "lsgan"
    # Its discriminator takes sides sooner than under cross entropy: smaller steps and a stronger R1 hold it back.
    recipes = {"quick": {**COMPACT_RECIPE, "optimizer": {"lr": 1e-3, "betas": (0.5, 0.99)}, "r1": 0.5}}

    loss: ganzoo.Loss = LeastSquares()

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(
            generator=CompactGenerator(self.latent_dim, data.shape),
            discriminator=CompactDiscriminator(data.shape),
        )


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(LSGAN)
