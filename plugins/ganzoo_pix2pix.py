"""Pix2Pix: image to image, learned from pairs (Isola et al., 2016, arXiv:1611.07004)."""

from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

import ganzoo
from ganzoo.blocks import PatchDiscriminator, UNetGenerator
from ganzoo.losses import IMAGES_APART


class Pix2Pix(ganzoo.TwoPlayer):
    """Paired image to image: a U-Net against a discriminator of patches.

    Given pairs, a network could simply minimise the mean absolute difference from the target, but where several answers
    are possible it would give their blurred middle. A discriminator that sees source and answer together, patch by
    patch, refuses what is blurred; the difference keeps the answer near the target. The generator is a U-Net, whose
    short cuts lead what source and target share, edges above all, past its narrow middle.
    """

    name = "pix2pix"
    dataset = "openmoji"
    needs = frozenset({"source", "target"})
    real = "target"
    offers = frozenset({IMAGES_APART})
    recipes = {
        "chapter": {
            "optimizer": {"lr": 2e-4, "betas": (0.5, 0.999)},
            "l1": 100.0,
            "image_size": "256x256",
            "batch_size": 1,
        },
    }

    optimizer: ganzoo.AnyOptimizer = ganzoo.Adam(lr=2e-4, betas=(0.5, 0.999))
    l1: float = Field(100.0, ge=0, description="weight of the mean absolute difference from the target")

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(
            generator=UNetGenerator(data.source_shape, data.shape[0]),
            discriminator=PatchDiscriminator(data.shape, data.source_shape),
        )

    def condition(self, batch: ganzoo.Batch) -> tuple[Tensor, ...]:
        return (batch.source,)

    def generate(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Batch:
        return batch.replace(fake=nets.generator(batch.source))

    def generator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        losses = super().generator_loss(nets, batch)
        return losses | {"l1": self.l1 * F.l1_loss(batch.fake, batch.target)}


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(Pix2Pix)
