"""Softmax GAN: one softmax over a whole batch of real and fake (Lin, 2017, arXiv:1704.06191)."""

import ganzoo
from ganzoo.blocks import COMPACT_RECIPE, CompactDiscriminator, CompactGenerator
from ganzoo.losses import Softmax


class SoftmaxGAN(ganzoo.Adversarial):
    """DCGAN's networks under one softmax over all real and fake images of a batch.

    All images of a batch, real and fake, share one unit of probability by a softmax over their logits. The
    discriminator tries to give it to the real ones in equal shares; the generator tries to have all images, real and
    fake, get the same share. So every image is weighed against all others of its batch instead of on its own.
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
