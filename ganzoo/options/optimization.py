"""How learning goes on over a run: learning rates, gradients held short, a moving average of the weights."""

import math
from typing import Literal

from pydantic import Field

from ganzoo.config import Config


class OptimizationOptions(Config):
    """What is said of every player alike, whatever the GAN."""

    lr_schedule: Literal["constant", "linear", "cosine", "step"] = Field(
        "constant",
        description="of learning rates: linear falls to 0 over the second half of the run, cosine all along; step: "
        "a tenth in the second half",
    )
    clip_gradient: float | None = Field(
        None, gt=0, description="shorten the gradients of a player to this norm, all its weights taken together"
    )
    ema_images: int | None = Field(
        None,
        ge=0,
        description="half-life, in images, of an exponential moving average (EMA) of the weights that images are made "
        "with; 0: no average (default: the GAN's recipe's, else none)",
    )

    def lr_factor(self, done: float) -> float:
        """What learning rates are multiplied by.

        Args:
            done: the share of the run that is behind, from 0 to 1; a trial may go on beyond it.
        """
        done = min(done, 1.0)
        if self.lr_schedule == "linear":
            return min(1.0, 2 * (1 - done))
        if self.lr_schedule == "cosine":
            return (1 + math.cos(math.pi * done)) / 2
        if self.lr_schedule == "step" and done >= 0.5:
            return 0.1
        return 1.0
