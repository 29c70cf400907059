"""Context encoder: holes in images, filled by what is around (Pathak et al., 2016, arXiv:1604.07379)."""

import torch
from pydantic import Field
from torch import Tensor

import ganzoo
from ganzoo.blocks import BottleneckGenerator, StridedDiscriminator
from ganzoo.data import HOLE


class ContextEncoder(ganzoo.TwoPlayer):
    """Fills holes in images: an encoder, a decoder and a narrow middle that sees all.

    To fill in what is missing, a network must understand what is there. An encoder squeezes the picture around the hole
    into a narrow code, and a decoder draws the missing part from it. The squared error alone would give the blurred
    mean of all that might be there; an adversarial loss has it choose one that looks real.

    The hole is where all channels of `source` have the value HOLE (in a picture of your own, paint it so); everywhere
    else the images made are the source. The generator minimises `reconstruction` times the squared error, that of
    known pixels weighing `known`, and `adversarial` times the adversarial loss (eq. 3). The discriminator sees whole
    images: the hole alone, as in the paper, has no fixed place here.
    """

    name = "context-encoder"
    dataset = "openmoji"
    needs = frozenset({"source", "target"})
    real = "target"
    recipes = {
        "centre": {"as_": {"kind": "masked", "place": "centre"}},
        "random": {"as_": {"kind": "masked", "place": "random"}},
    }

    optimizer: ganzoo.AnyOptimizer = ganzoo.Adam(lr=1e-3, betas=(0.5, 0.999))
    reconstruction: float = Field(0.999, ge=0, description="weight of the squared error of what was missing")
    known: float = Field(0.1, ge=0, description="weight of the error of known pixels beside that of missing ones")
    adversarial: float = Field(0.001, ge=0, description="weight of the adversarial term")
    width: int = Field(32, gt=0, description="channels of the generator's first layer; the paper's has 64")

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        if data.source_shape != data.shape:
            source, target = (" x ".join(map(str, shape)) for shape in (data.source_shape, data.shape))
            raise ganzoo.SizeError(f"images of {source} are no images of {target} with a hole in them; try --as masked")
        return ganzoo.Networks(
            generator=BottleneckGenerator(data.shape, data.shape[0], width=self.width),
            discriminator=StridedDiscriminator(data.shape, dropout=0.0),
        )

    def generate(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Batch:
        made = nets.generator(batch.source)
        return batch.replace(made=made, fake=torch.where(hole(batch.source), made, batch.source))

    def generator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        losses = super().generator_loss(nets, batch)
        missing = hole(batch.source).expand_as(batch.target).float()
        error = (batch.made - batch.target).square()
        inside, outside = ((error * part).sum() / part.sum().clamp(min=1) for part in (missing, 1 - missing))
        return losses | {
            "adversarial": self.adversarial * losses["adversarial"],
            "reconstruction": self.reconstruction * inside,
            "known": self.reconstruction * self.known * outside,
        }


def hole(source: Tensor) -> Tensor:
    """Where an image is missing, N x 1 x H x W: two values next to each other are 2/255 apart."""
    return ((source - (HOLE / 127.5 - 1)).abs() < 1e-3).all(dim=1, keepdim=True)


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(ContextEncoder)
