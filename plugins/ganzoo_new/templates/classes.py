"""Class to image; wrong classes count as fake (AUTHOR, YEAR).

Generator and discriminator are both told the class. The discriminator is shown fakes, and real images beside the class
of another image, and is to refuse both. So a fake that is a good image of something else does not pass.
"""

import ganzoo
import torch
from ganzoo.blocks import COMPACT_RECIPES, CompactDiscriminator, CompactGenerator, check_classes
from pydantic import Field
from torch import Tensor


class MyGAN(ganzoo.Adversarial):
    """Class to image: real images under a wrong class count as fakes."""

    name = "my-gan"
    needs = frozenset({"image", "label"})
    recipes = COMPACT_RECIPES
    mismatch: float = Field(0.5, ge=0, description="weight of the discriminator's loss on real images of a wrong class")

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        classes = check_classes(self.name, data)
        return ganzoo.Networks(
            generator=CompactGenerator(self.latent_dim, data.shape, condition=classes),
            discriminator=CompactDiscriminator(data.shape, condition=classes),
        )

    def condition(self, batch: ganzoo.Batch) -> tuple[Tensor, ...]:
        return (batch.label,)  # what both networks are given, beside noise or image

    def discriminator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        real, fake = self.discriminate(nets, batch.image, batch), self.discriminate(nets, batch.fake.detach(), batch)
        other = batch.label.roll(1)  # the class of the image before; where it is the same, the fake stands in
        wrong = self.discriminate(nets, batch.image, batch.replace(label=other))
        wrong = torch.where((batch.label == other)[:, None], fake, wrong)
        losses = self.discriminator_terms(nets, batch, real, fake)
        return losses | {"mismatch": self.mismatch * self.loss.discriminator(real, wrong)}


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(MyGAN)
