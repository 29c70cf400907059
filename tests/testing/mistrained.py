"""GANs that have one thing wrong each in how they train, and one that has nothing wrong."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from mistaken import Discriminator, Generator, Sound
from torch import Tensor, nn

from ganzoo import Batch, DataSpec, Losses, Networks, Player


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
                return self.layer(images.flatten(1)) + (1e-3 if self.seen > 4 else 0)

        return Networks(generator=Generator(self.latent_dim, data.shape), discriminator=Counts(data.shape))


class NotItsNetwork(Sound):
    """Has a player that moves what is not there."""

    name = "not-its-network"

    def players(self) -> Sequence[Player]:
        return (Player("painter", self.generator_loss),)


class Counting(Sound):
    """Shrinks weights by a number of Python's that grows; no loss shows it in the iteration that it happens in."""

    name = "counting"

    def players(self) -> Sequence[Player]:
        generator, discriminator = super().players()
        return replace(generator, constrain=self.shrink), discriminator

    @staticmethod
    def shrink(nets: Networks) -> None:
        moves = int(getattr(nets.generator, "moves", 0)) + 1
        vars(nets.generator)["moves"] = moves
        for weight in nets.generator.parameters():
            weight.mul_(0.9**moves)


class Frozen(Sound):
    """Keeps the contract, beside a network of half precision that nobody trains."""

    name = "frozen"

    def networks(self, data: DataSpec) -> Networks:
        other = nn.Linear(2, 2).half().requires_grad_(False)
        return Networks(**dict(super().networks(data).named_children()), other=other)


class Half(Sound):
    """Trains weights of half precision."""

    name = "half"

    def networks(self, data: DataSpec) -> Networks:
        class Halved(Generator):
            def forward(self, noise: Tensor) -> Tensor:
                return super().forward(noise.to(self.layer.weight.dtype)).float()

        return Networks(
            generator=Halved(self.latent_dim, data.shape).bfloat16(), discriminator=Discriminator(data.shape)
        )


class Exploding(Sound):
    """Has a weight that is no number any more after a step in bf16."""

    name = "exploding"

    def networks(self, data: DataSpec) -> Networks:
        class Looks(Generator):
            low = False

            def forward(self, noise: Tensor) -> Tensor:
                made = self.layer(noise)
                self.low = made.dtype == torch.bfloat16
                return made.tanh().view(-1, *self.shape)

        return Networks(generator=Looks(self.latent_dim, data.shape), discriminator=Discriminator(data.shape))

    def players(self) -> Sequence[Player]:
        generator, discriminator = super().players()
        return replace(generator, constrain=self.explode), discriminator

    @staticmethod
    def explode(nets: Networks) -> None:
        if nets.generator.low:
            *_, bias = nets.generator.parameters()
            bias[0] = torch.inf  # of which tanh makes 1
