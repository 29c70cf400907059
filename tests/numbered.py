"""A loose plugin for the tests of `generate`: a GAN with classes whose images show the number of their class."""

import torch
from pydantic import Field
from torch import Tensor, nn

import ganzoo


class Shown(ganzoo.Generator):
    """Labels to grey images as bright as the number is high."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.shape = shape
        self.brightness = nn.Parameter(torch.zeros(()))

    def forward(self, label: Tensor) -> Tensor:
        return (self.brightness * 0 + label / 10).view(-1, 1, 1, 1).expand(-1, *self.shape)


class Judge(ganzoo.Discriminator):
    """Images to one logit each."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, image: Tensor) -> Tensor:
        return self.weight * image.mean((1, 2, 3))


class Numbered(ganzoo.TwoPlayer):
    """Classes to images that tell which class it was."""

    name = "numbered"
    needs = frozenset({"image", "label"})
    may_change = frozenset({"contrast"})
    contrast: float = Field(1.0, ge=0, le=1, description="how much of the brightness is left")

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(generator=Shown(data.shape), discriminator=Judge())

    def generate(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Batch:
        return batch.replace(fake=nets.generator(batch.label))

    def sample(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> Tensor:
        return self.contrast * self.generate(nets, batch).fake


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(Numbered)
