"""Image to image without pairs, there and back (AUTHOR, YEAR).

One network turns a source into an image that a discriminator takes for a target. Another turns it back, and what comes
back is to be the source again. What is a target already, the first network is to leave as it is.
"""

import ganzoo
from ganzoo.blocks import PatchDiscriminator, ResidualGenerator
from ganzoo.losses import LeastSquares
from pydantic import Field
from torch.nn import functional as F


class MyGAN(ganzoo.TwoPlayer):
    """Unpaired image to image: a fake that passes for a target, and leads back to its source."""

    name = "my-gan"
    dataset = "openmoji"
    needs = frozenset({"source", "target"})
    streams = (frozenset({"target"}),)  # which come in an order of their own, so that nothing pairs them
    real = "target"
    loss: ganzoo.Loss = LeastSquares()
    cycle: float = Field(5.0, ge=0, description="weight of the mean absolute difference between source and way back")

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(
            generator=ResidualGenerator(data.source_shape, data.shape[0], width=16, blocks=3),
            back=ResidualGenerator(data.shape, data.source_shape[0], width=16, blocks=3),
            discriminator=PatchDiscriminator(data.shape),
        )

    def players(self) -> tuple[ganzoo.Player, ...]:
        two = ("generator", "back")  # moved by one loss
        return ganzoo.Player("generator", self.generator_loss, two, self.optimizer, self.n_critic), super().players()[1]

    def generate(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Batch:
        return batch.replace(fake=nets.generator(batch.source))

    def generator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        losses = super().generator_loss(nets, batch)
        losses["cycle"] = self.cycle * F.l1_loss(nets.back(batch.fake), batch.source)
        if batch.source.shape == batch.target.shape:  # a target, taken for a source, is to stay as it is
            losses["identity"] = self.cycle / 2 * F.l1_loss(nets.generator(batch.target), batch.target)
        return losses


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(MyGAN)
