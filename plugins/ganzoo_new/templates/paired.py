"""Image to image from pairs, edge by edge (AUTHOR, YEAR).

A U-Net turns the source into an image, and a discriminator judges it patch by patch, beside the source. The image is
also held to the target, pixel by pixel. Its edges are held to the target's, so that they do not blur.
"""

import ganzoo
from ganzoo.blocks import PatchDiscriminator, UNetGenerator
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F


class MyGAN(ganzoo.TwoPlayer):
    """Paired image to image: adversarial, pixel by pixel, and edge by edge."""

    name = "my-gan"
    dataset = "openmoji"
    needs = frozenset({"source", "target"})
    real = "target"
    pixels: float = Field(100.0, ge=0, description="weight of the mean absolute difference from the target")
    edges: float = Field(50.0, ge=0, description="weight of that of the differences between neighbouring pixels")

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(
            generator=UNetGenerator(data.source_shape, data.shape[0]),
            discriminator=PatchDiscriminator(data.shape, data.source_shape),
        )

    def condition(self, batch: ganzoo.Batch) -> tuple[Tensor, ...]:
        return (batch.source,)  # what the discriminator sees beside the image

    def generate(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Batch:
        return batch.replace(fake=nets.generator(batch.source))

    def generator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        apart = batch.fake - batch.target
        edges = apart.diff(dim=2).abs().mean() + apart.diff(dim=3).abs().mean()
        pixels = F.l1_loss(batch.fake, batch.target)
        return super().generator_loss(nets, batch) | {"pixels": self.pixels * pixels, "edges": self.edges * edges}


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(MyGAN)
