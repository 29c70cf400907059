"""A GAN that draws from every random generator there is."""

import random

import numpy as np
from torch import nn

import ganzoo
from ganzoo import Batch, DataSpec, Losses, Networks


class Drawing(ganzoo.Adversarial):
    """Draws from every random generator there is, and looks through a network that nobody trains."""

    name = "drawing"
    latent_dim: int = 4

    def networks(self, data: DataSpec) -> Networks:
        size = int(np.prod(data.shape))
        return Networks(
            generator=nn.Sequential(nn.Linear(4, size), nn.Dropout(0.5), nn.Tanh(), nn.Unflatten(1, data.shape)),
            discriminator=nn.Sequential(nn.Flatten(), nn.Linear(size, 1)),
            features=nn.Sequential(nn.Flatten(), nn.Linear(size, 2), nn.BatchNorm1d(2)),
        )

    def generator_loss(self, nets: Networks, batch: Batch) -> Losses:
        draw = random.random() + random.gauss(0, 1) + np.random.rand() + np.random.randn()  # noqa: S311
        return super().generator_loss(nets, batch) | {"draw": draw * nets.features(batch.fake).mean()}
