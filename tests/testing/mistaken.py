"""A GAN that keeps the contract, and others like it that have one thing wrong each in what they say of themselves."""

from typing import Any

from pydantic import Field, field_serializer
from torch import Tensor, nn

import ganzoo
from ganzoo import DataSpec, Networks


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


class WrongMayChange(Sound):
    """Says of an option that there is none of that it may change."""

    name = "wrong-may-change"
    may_change = frozenset({"widht"})


class WrongRecipePlayer(Sound):
    """Has a recipe for a player that there is none of."""

    name = "wrong-recipe-player"
    recipes = {"paper": {"player": {"critic.lr": "1e-4"}}}


class WrongRecipeNetworks(Sound):
    """Has a recipe whose networks cannot be built."""

    name = "wrong-recipe-networks"
    depth: int = Field(1, description="layers")
    recipes = {"deep": {"depth": 9, "image_size": 16}}

    def networks(self, data: DataSpec) -> Networks:
        if self.depth > 4:
            raise ganzoo.SizeError(f"images of {data.shape[1]} cannot be halved so often; try --image-size 512")
        return super().networks(data)


class Unregistered(ganzoo.LossScheme):
    """Is registered by nobody."""

    kind = "unregistered"

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return fake.mean() - real.mean()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return -fake.mean()


class NotInstalled(Sound):
    """Has a loss of its own, and no package that registers it."""

    name = "not-installed"
    loss: ganzoo.Loss = Unregistered()


class Written(Sound):
    """Is written in another way each time."""

    name = "written"
    width: int = Field(3, description="channels")

    @field_serializer("width")
    def number(self, width: int) -> str:
        return "3" if self.model_fields_set else "03"
