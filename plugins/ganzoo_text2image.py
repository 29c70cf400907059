"""Text to image: GAN-INT-CLS, whose discriminator also scores the caption (Reed et al., 2016, arXiv:1605.05396)."""

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Tensor

import ganzoo
from ganzoo.blocks import COMPACT_RECIPE, CaptionDiscriminator, CaptionEncoder, CompactGenerator, ImageEncoder, match


class Text2Image(ganzoo.Adversarial):
    """Captions to images: the discriminator also sees real images with wrong captions.

    A caption becomes a vector that is an input of the generator together with the noise, and the discriminator scores
    image and caption together. A discriminator that sees real images only with their own captions may ignore the words;
    so it also sees real images with wrong captions, which count as fake. The generator is also trained on vectors
    halfway between two captions, to fill the space between known ones.

    With phi(t) the vector of a caption, the discriminator tells (x, phi(t)) from (G(z, phi(t)), phi(t)) and from (x,
    phi(t')), t' the caption of another image (algorithm 1); the generator also learns from vectors halfway between two
    captions, for which there is no image (eq. 5, beta = 0.5).

    The paper takes phi from a joint embedding of captions and images, trained beforehand. Here it is trained at the
    same time, by a player with an encoder of bytes and an encoder of images that learn to match each other in a batch;
    for discriminator and generator, phi is constant. The same image encoder also gives the generator a loss for
    matching its caption.
    """

    name = "text2image"
    dataset = "openmoji"
    needs = frozenset({"image", "caption"})
    recipes = {
        "quick": {
            **COMPACT_RECIPE,
            "image_size": "48x48",
            "epochs": 50,  # of the 1,733 captioned images of OpenMoji
            "augment": "diffaugment",
            "matching": 0.2,
        },
        "paper": {
            "optimizer": {"lr": 2e-4, "betas": (0.5, 0.999)},
            "matching": 0.0,
            "latent_dim": 100,
            "batch_size": 64,
        },
    }

    width: int = Field(16, gt=0, description="channels of generator and discriminator at full size")
    words: int = Field(128, gt=0, description="length of a caption's vector")
    interpolation: float = Field(1.0, ge=0, description="weight of the generator's loss on interpolated captions")
    matching: float = Field(1.0, ge=0, description="weight of the matching loss between caption and generated image")

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(
            text=CaptionEncoder(self.words),
            look=ImageEncoder(data.shape, self.words),
            generator=CompactGenerator(self.latent_dim, data.shape, width=self.width, condition=self.words),
            discriminator=CaptionDiscriminator(data.shape, self.words, width=self.width),
        )

    def players(self) -> Sequence[ganzoo.Player]:
        embedding = ganzoo.Player(
            "embedding", self.embedding_loss, trains=("text", "look"), optimizer=ganzoo.Adam(lr=1e-3)
        )
        return *super().players(), embedding

    def condition(self, batch: ganzoo.Batch) -> tuple[Tensor, ...]:
        return (batch.meaning,)

    def generate(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Batch:
        meaning = nets.text(batch.caption).detach()
        return batch.replace(meaning=meaning, fake=nets.generator(batch.noise, meaning))

    def generator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        losses = super().generator_loss(nets, batch)
        if self.matching:
            losses["matching"] = self.matching * match(nets.look(batch.fake), batch.meaning)
        if self.interpolation:
            # For every other row only, as generating images is most expensive.
            meaning = (batch.meaning + batch.meaning.roll(1, 0))[::2] / 2
            fake = nets.generator(batch.noise[::2], meaning)
            between = ganzoo.Batch(image=batch.image[::2], meaning=meaning, fake=fake)
            losses["interpolated"] = self.interpolation * super().generator_loss(nets, between)["adversarial"]
        return losses

    def discriminator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        right, made = self.discriminate(nets, batch.image, batch), self.discriminate(nets, batch.fake.detach(), batch)
        wrong = self.discriminate(nets, batch.image, batch.replace(meaning=batch.meaning.roll(1, 0)))
        same = (batch.caption == batch.caption.roll(1, 0)).all(1)  # then it is not wrong, and the fake takes its place
        losses = self.discriminator_terms(nets, batch, right, made)
        # Each on its own: a loss may compare a real image with the fake in the same row.
        mismatch = self.loss.discriminator(right, torch.where(same[:, None], made, wrong))
        return losses | {"adversarial": (losses["adversarial"] + mismatch) / 2}

    def embedding_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        """Return the common loss of the encoders of captions and images."""
        return {"matching": match(nets.look(batch.image), nets.text(batch.caption))}


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(Text2Image)
