"""GANs that have one thing wrong each in their networks, their codes or the images that they make."""

from collections.abc import Sequence
from typing import Any

import torch
from mistaken import Sound
from pydantic import PrivateAttr
from torch import Tensor, nn
from toys import ToyDiscriminator, ToyGenerator

import ganzoo
from ganzoo import Batch, Category, Code, Continuous, DataSpec, Networks, Player


class OutOfRange(Sound):
    """Makes images that are too bright."""

    name = "out-of-range"

    def sample(self, nets: Networks, batch: Batch) -> Tensor:
        return super().sample(nets, batch) * 0 + 2


class WrongShape(Sound):
    """Makes images that are too small."""

    name = "wrong-shape"

    def sample(self, nets: Networks, batch: Batch) -> Tensor:
        return super().sample(nets, batch)[:, :, 1:]


class NeedsData(Sound):
    """Samples from what only training has."""

    name = "needs-data"

    def sample(self, nets: Networks, batch: Batch) -> Tensor:
        return super().sample(nets, batch) + batch.image * 0


class Together(Sound):
    """An image depends on those beside it."""

    name = "together"

    def sample(self, nets: Networks, batch: Batch) -> Tensor:
        made = super().sample(nets, batch)
        return (made - made.mean(0)) / 2


class Changing(Sound):
    """Counts the images that it makes in a buffer."""

    name = "changing"

    def networks(self, data: DataSpec) -> Networks:
        nets = super().networks(data)
        nets.generator.register_buffer("made", torch.zeros(()))
        return nets

    def sample(self, nets: Networks, batch: Batch) -> Tensor:
        nets.generator.made.add_(1)  # type: ignore[operator]  # a buffer
        return super().sample(nets, batch)


class LooseTensor(Sound):
    """Keeps a tensor that is no buffer."""

    name = "loose-tensor"

    def networks(self, data: DataSpec) -> Networks:
        nets = super().networks(data)
        nets.generator.scale = torch.ones(3)
        return nets


class LooseLayers(Sound):
    """Keeps its layers in a plain list."""

    name = "loose-layers"

    def networks(self, data: DataSpec) -> Networks:
        nets = super().networks(data)
        nets.generator.layers = [nn.Linear(2, 2)]  # type: ignore[assignment]  # which is the mistake
        return nets


class OneSize(Sound):
    """Takes grey images of one size and does not say so."""

    name = "one-size"

    def networks(self, data: DataSpec) -> Networks:
        return Networks(generator=ToyGenerator(4), discriminator=ToyDiscriminator())


class NoAdvice(Sound):
    """Refuses other sizes and does not say which it takes."""

    name = "no-advice"

    def networks(self, data: DataSpec) -> Networks:
        if data.shape != (1, 8, 8):
            raise ganzoo.SizeError("no such images")
        return super().networks(data)


class BadAdvice(Sound):
    """Refuses what it advises."""

    name = "bad-advice"

    def networks(self, data: DataSpec) -> Networks:
        if data.shape != (1, 8, 8):
            raise ganzoo.SizeError("no such images; try --image-size 16x16")
        return super().networks(data)


class SquareAdvice(Sound):
    """Refuses what it advises, by one side each."""

    name = "square-advice"

    def networks(self, data: DataSpec) -> Networks:
        if data.shape[1:] != (8, 8):
            raise ganzoo.SizeError("no such images; try --image-size 16 or 24")
        return super().networks(data)


class Large(Sound):
    """Takes images of 16 x 16 and no others."""

    name = "large"

    def networks(self, data: DataSpec) -> Networks:
        if data.shape[1:] != (16, 16):
            raise ganzoo.SizeError(f"no images of {data.shape[1:]}; try --image-size 16")
        return super().networks(data)


class Remembering(Sound):
    """Makes images by what its players were made with."""

    name = "remembering"
    _scale: Any = PrivateAttr(None)

    def players(self) -> Sequence[Player]:
        self._scale = 1.0
        return super().players()

    def generate(self, nets: Networks, batch: Batch) -> Batch:
        return batch.replace(fake=nets.generator(batch.noise) * self._scale)


class Coded(Sound):
    """Has codes in its noise."""

    name = "coded"

    @property
    def codes(self) -> Sequence[Code]:
        return (Category("kind", 0, 1), Continuous("slant", 1), Category("shape", 2, 2))


class TwoOfAName(Coded):
    """Has two codes of one name."""

    name = "two-of-a-name"

    @property
    def codes(self) -> Sequence[Code]:
        return (Continuous("slant", 0), Continuous("slant", 1))


class Outside(Coded):
    """Has a code that begins where the noise ends."""

    name = "outside"

    @property
    def codes(self) -> Sequence[Code]:
        return (Continuous("slant", 4),)


class OneSided(Coded):
    """Has a code that is put otherwise than it is read, and as it should be only at the end of its range."""

    name = "one-sided"

    @property
    def codes(self) -> Sequence[Code]:
        class Squared(Continuous):
            def read(self, noise: Tensor) -> Tensor:
                return super().read(noise).square()

        return (Squared("slant", 0),)


class Overlapping(Coded):
    """Has two codes in one place."""

    name = "overlapping"

    @property
    def codes(self) -> Sequence[Code]:
        return (Category("kind", 0, 3), Continuous("slant", 2))
