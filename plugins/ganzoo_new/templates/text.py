"""Captions to images, by way of vectors (AUTHOR, YEAR).

An encoder of captions and one of images learn to find each other in a batch. A caption's vector steers every layer of
the generator, and the discriminator judges an image beside it. The generator is also told how well its image is found.
"""

import ganzoo
from ganzoo.blocks import COMPACT_RECIPES, CaptionDiscriminator, CaptionEncoder, CompactGenerator, ImageEncoder, match
from torch import Tensor


class MyGAN(ganzoo.Adversarial):
    """Text to image: images that are real, and that their captions find."""

    name = "my-gan"
    dataset = "openmoji"
    needs = frozenset({"image", "caption"})
    recipes = COMPACT_RECIPES

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(
            text=CaptionEncoder(self.latent_dim),
            look=ImageEncoder(data.shape, self.latent_dim),
            generator=CompactGenerator(self.latent_dim, data.shape, condition=self.latent_dim),
            discriminator=CaptionDiscriminator(data.shape, self.latent_dim),
        )

    def players(self) -> tuple[ganzoo.Player, ...]:
        return *super().players(), ganzoo.Player("encoders", self.encoders_loss, ("text", "look"), self.optimizer)

    def condition(self, batch: ganzoo.Batch) -> tuple[Tensor, ...]:
        return (batch.meaning,)  # what the discriminator sees beside the image

    def generate(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Batch:
        meaning = nets.text(batch.caption).detach()
        return batch.replace(meaning=meaning, fake=nets.generator(batch.noise, meaning))

    def generator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        return super().generator_loss(nets, batch) | {"matching": match(nets.look(batch.fake), batch.meaning)}

    def encoders_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        return {"matching": match(nets.look(batch.image), nets.text(batch.caption))}


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(MyGAN)
