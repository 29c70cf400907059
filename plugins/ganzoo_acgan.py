"""ACGAN: the discriminator also names the class (Odena et al., 2016, arXiv:1610.09585)."""

from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

import ganzoo
from ganzoo.blocks import COMPACT_RECIPES, CompactDiscriminator, CompactGenerator, check_classes


class ACGAN(ganzoo.Adversarial):
    """Class to image: the discriminator also predicts the class that the generator was given.

    A generator may ignore the class it is given, so the discriminator has a second output: the class of an image, real
    or fake. Both players want this output to be right, whatever else they disagree on. Images therefore have to show
    the requested class, and the discriminator learns from the labels what characterizes it.

    L_S = E[log P(real|x)] + E[log P(fake|G(z, c))] and L_C = E[log P(c|x)] + E[log P(c|G(z, c))] (eq. 2 and 3): the
    discriminator maximizes (L_S + L_C) / 2 and the generator L_C - L_S.
    """

    name = "acgan"
    needs = frozenset({"image", "label"})
    recipes = COMPACT_RECIPES

    class_weight: float = Field(1.0, ge=0, description="weight of the class terms, the paper's L_C")

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        classes = check_classes(self.name, data)
        return ganzoo.Networks(
            generator=CompactGenerator(self.latent_dim, data.shape, condition=classes),
            discriminator=CompactDiscriminator(data.shape, outputs=1 + classes),
        )

    def generate(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Batch:
        return batch.replace(fake=nets.generator(batch.noise, batch.label))

    def answers(self, nets: ganzoo.Networks, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the discriminator's logits for images: of being real, N x 1, and of each class, N x classes."""
        logits = nets.discriminator(self.augmented(nets, images))
        return logits[:, :1], logits[:, 1:]

    def discriminate(self, nets: ganzoo.Networks, images: Tensor, batch: ganzoo.Batch) -> Tensor:
        return self.answers(nets, images)[0]

    def generator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        fake, classes = self.answers(nets, batch.fake)
        named = F.cross_entropy(classes, batch.label)
        return self.generator_terms(nets, batch, fake) | {"class": self.class_weight * named}

    def discriminator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        real, real_classes = self.answers(nets, batch.image)
        fake, fake_classes = self.answers(nets, batch.fake.detach())
        named = F.cross_entropy(real_classes, batch.label) + F.cross_entropy(fake_classes, batch.label)
        return self.discriminator_terms(nets, batch, real, fake) | {"class": self.class_weight * named / 2}


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(ACGAN)
