"""Softmax GAN: one softmax over a whole batch of real and fake (Lin, 2017, arXiv:1704.06191)."""

import ganzoo
from ganzoo.blocks import COMPACT_RECIPE, CompactDiscriminator, CompactGenerator
from ganzoo.losses import Softmax


class SoftmaxGAN(ganzoo.Adversarial):
    """DCGAN's networks with one softmax over all real and fake images of a batch.

    All images of a batch, real and fake, share a total probability of 1 through a softmax over their logits. The
    discriminator tries to distribute it equally among the real ones; the generator tries to make the shares of all
    images, real and fake, equal. Every image is thus weighed against all others of its batch.
    """

    name = "softmax-gan"
    recipes = {"quick": {**COMPACT_RECIPE, "optimizer": {"lr": 1e-3, "betas": (0.5, 0.99)}, "r1": 0.5}}

    loss: ganzoo.Loss = Softmax()

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(
            generator=CompactGenerator(self.latent_dim, data.shape),
            discriminator=CompactDiscriminator(data.shape),
        )


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(SoftmaxGAN)
