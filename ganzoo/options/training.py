"""Options of training: what is trained, for how long, from which weights and random seed."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from ganzoo.config import Config
from ganzoo.contract.gan import AnyGAN


class GANOptions(Config):
    """The GAN and its recipe."""

    gan: AnyGAN
    recipe: str | None = Field(None, description="named set of values; other options win over it")


def _to_text(value: object) -> str:
    """Return a player's option as it would be typed."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


class TrainingOptions(Config):
    """Length of a run, random seed, initial weights, and options of single players."""

    epochs: int = Field(10, gt=0, description="passes through the data")
    seed: int = Field(0, ge=0, lt=2**63, description="random seed for weights, noise and data order")
    init_from: Path | None = Field(None, description="run folder, or pretrained GAN, with the initial weights")
    lr: float | None = Field(None, gt=0, description="learning rate of every player (default: the GAN's own)")
    player: dict[str, Annotated[str, BeforeValidator(_to_text)]] = Field(
        {}, description="option of one player, NAME.FIELD=VALUE: discriminator.lr=4e-4"
    )
