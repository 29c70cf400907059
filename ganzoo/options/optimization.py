"""Optimization over a run: learning rate schedule, gradient clipping, exponential moving average of the weights."""

import math
from typing import Literal

from pydantic import Field

from ganzoo.config import Config


class OptimizationOptions(Config):
    """Optimization options, the same for every player of any GAN."""

    lr_schedule: Literal["constant", "linear", "cosine", "step"] = Field(
        "constant",
        description="learning rate schedule: linear falls to 0 over the second half of the run, cosine over all of "
        "it; step: a tenth in the second half",
    )
    clip_gradient: float | None = Field(
        None, gt=0, description="maximum gradient norm of a player, over all its weights"
    )
    ema_images: int | None = Field(
        None,
        ge=0,
        description="half-life, in images, of an exponential moving average (EMA) of the weights used for sampling; "
        "0: no average (default: that of the GAN's recipe, else none)",
    )

    def lr_factor(self, done: float) -> float:
        """Return the factor of the learning rates.

        Args:
            done: completed share of the run, from 0 to 1; larger values count as 1.
        """
        done = min(done, 1.0)
        if self.lr_schedule == "linear":
            return min(1.0, 2 * (1 - done))
        if self.lr_schedule == "cosine":
            return (1 + math.cos(math.pi * done)) / 2
        if self.lr_schedule == "step" and done >= 0.5:
            return 0.1
        return 1.0
