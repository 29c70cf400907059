"""A GAN that keeps the contract, and others like it that have one thing wrong each."""

from collections.abc import Sequence
from typing import Any

import torch
from families import ToyDiscriminator, ToyGenerator
from pydantic import Field
from torch import Tensor, nn

import ganzoo
from ganzoo import Batch, DataSpec, Losses, Networks, Player


class Generator(ganzoo.Generator):
    """Noise to images of any shape, by one layer."""

    def __init__(self, latent: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.shape = shape
        self.layer = nn.Linear(latent, shape[0] * shape[1] * shape[2])

    def forward(self, noise: Tensor) -> Tensor:
        return self.layer(noise).tanh().view(-1, *self.shape)


class Discriminator(ganzoo.Discriminator):
    """Images to one logit, by one layer."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.layer = nn.Linear(shape[0] * shape[1] * shape[2], 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.layer(images.flatten(1))


class Sound(ganzoo.Adversarial):
    """Keeps the contract."""

    name = "sound"
    latent_dim: int = 4

    def networks(self, data: DataSpec) -> Networks:
        return Networks(generator=Generator(self.latent_dim, data.shape), discriminator=Discriminator(data.shape))


class Undocumented(Sound):
    name = "undocumented"


class NoDescription(Sound):
    """Has an option that nobody explains."""

    name = "no-description"
    width: int = 3


class NoDefault(Sound):
    """Has an option that must be given."""

    name = "no-default"
    width: int = Field(description="channels")


class WrongRecipe(Sound):
    """Has a recipe with an option that there is none of."""

    name = "wrong-recipe"
    recipes = {"paper": {"widht": 3}}


class Reserved(Sound):
    """Has an option of every run's."""

    name = "reserved"
    epochs: int = Field(3, description="passes")


class Unkept(Sound):
    """Has an option that no file can hold."""

    name = "unkept"
    activation: Any = Field(nn.ReLU, description="between layers")


class Infinite(Sound):
    """Takes a logarithm of 0."""

    name = "infinite"

    def generator_loss(self, nets: Networks, batch: Batch) -> Losses:
        return {"log": (0 * nets.discriminator(batch.fake)).log().mean()}


class NoSlope(Sound):
    """Takes the root of 0, whose value is finite and whose slope is not."""

    name = "no-slope"

    def generator_loss(self, nets: Networks, batch: Batch) -> Losses:
        return {"root": (batch.fake - batch.fake.detach()).square().sum().sqrt()}


class Idle(Sound):
    """Builds a layer and does not use it."""

    name = "idle"

    def networks(self, data: DataSpec) -> Networks:
        nets = super().networks(data)
        nets.generator.spare = nn.Linear(2, 2)
        return nets


class Meddling(Sound):
    """Moves a network that no player trains."""

    name = "meddling"

    def networks(self, data: DataSpec) -> Networks:
        return Networks(**dict(super().networks(data).named_children()), other=nn.Linear(2, 2))

    def generator_loss(self, nets: Networks, batch: Batch) -> Losses:
        with torch.no_grad():
            next(nets.other.parameters()).add_(1)
        return super().generator_loss(nets, batch)


class Still(Sound):
    """Has a player whose steps are of no length."""

    name = "still"

    def players(self) -> Sequence[Player]:
        generator, discriminator = super().players()
        return Player("generator", generator.loss, constrain=self.back), discriminator

    @staticmethod
    def back(nets: Networks) -> None:
        for weight in nets.generator.parameters():
            weight.fill_(0.5)

    def networks(self, data: DataSpec) -> Networks:
        nets = super().networks(data)
        with torch.no_grad():
            self.back(nets)
        return nets


class Waiting(Sound):
    """Reads a number in the middle of an iteration."""

    name = "waiting"

    def generator_loss(self, nets: Networks, batch: Batch) -> Losses:
        losses = super().generator_loss(nets, batch)
        return losses if losses["adversarial"].item() < 100 else {}


class OwnType(Sound):
    """Multiplies by a matrix of a type of its own, which autocast has no say in."""

    name = "own-type"

    def networks(self, data: DataSpec) -> Networks:
        class Typed(Discriminator):
            def forward(self, images: Tensor) -> Tensor:
                hidden = self.layer(images.flatten(1))
                return hidden.index_add(0, torch.zeros(1, dtype=torch.int64), torch.ones(1, 1))

        return Networks(generator=Generator(self.latent_dim, data.shape), discriminator=Typed(data.shape))


class Rounding(Sound):
    """Loses all it learns by in three digits."""

    name = "rounding"

    def networks(self, data: DataSpec) -> Networks:
        class Rounds(Discriminator):
            def forward(self, images: Tensor) -> Tensor:
                pixels = images.flatten(1).to(self.layer(images.flatten(1)).dtype)
                return self.layer((pixels + 1000 - 1000 + 1000 - 1000) * 1.0)

        return Networks(generator=Generator(self.latent_dim, data.shape), discriminator=Rounds(data.shape))


class Forgetful(Sound):
    """Counts in Python, so that a run that goes on begins to count anew."""

    name = "forgetful"

    def networks(self, data: DataSpec) -> Networks:
        class Counts(Discriminator):
            seen = 0

            def forward(self, images: Tensor) -> Tensor:
                if self.training and torch.is_grad_enabled():
                    self.seen += 1
                return self.layer(images.flatten(1)) + (1e-3 if self.seen > 9 else 0)

        return Networks(generator=Generator(self.latent_dim, data.shape), discriminator=Counts(data.shape))


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


class NotItsNetwork(Sound):
    """Has a player that moves what is not there."""

    name = "not-its-network"

    def players(self) -> Sequence[Player]:
        return (Player("painter", self.generator_loss),)
