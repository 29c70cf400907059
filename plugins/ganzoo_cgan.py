"""Conditional GAN: images of a requested class (Mirza and Osindero, 2014, arXiv:1411.1784)."""

from torch import Tensor

import ganzoo
from ganzoo.blocks import COMPACT_RECIPES, CompactDiscriminator, CompactGenerator, check_classes


class CGAN(ganzoo.Adversarial):
    """Class to image: generator and discriminator are both given the class.

    With noise alone, the content of an image is left to chance. Here both networks have a label as an additional input:
    the generator makes an image of that class, and the discriminator decides whether an image is real *and* fits the
    label. A good image of another class is then as bad as a poor one, so the generator cannot ignore the label.

    V(D, G) = E[log D(x|y)] + E[log(1 - D(G(z|y)|y))] (eq. 2). In the paper, the class is concatenated with the noise at
    the input of a fully connected generator; that led to one image for each class, whatever the noise. Here every layer
    of the generator is normalized by the class (`ConditionalBatchNorm2d`), and the discriminator sees it at every
    pixel.
    """

    name = "cgan"
    needs = frozenset({"image", "label"})
    recipes = COMPACT_RECIPES

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        classes = check_classes(self.name, data)
        return ganzoo.Networks(
            generator=CompactGenerator(self.latent_dim, data.shape, condition=classes),
            discriminator=CompactDiscriminator(data.shape, condition=classes),
        )

    def condition(self, batch: ganzoo.Batch) -> tuple[Tensor, ...]:
        return (batch.label,)


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(CGAN)
