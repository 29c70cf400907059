"""A GAN and a data set that no plugin provides."""

import torch
from torch import nn

import ganzoo


class Noise(ganzoo.Dataset):
    """Random pixels, from no plugin."""

    name = "noise"
    provides = frozenset({"image"})
    channels = 1

    def load(self, request: ganzoo.DataRequest) -> ganzoo.InMemoryData:
        generator = torch.Generator().manual_seed(0)
        shape = (len(request.rows(8)), *request.shape)
        return ganzoo.InMemoryData({"image": torch.randint(256, shape, generator=generator, dtype=torch.uint8)})


class Line(ganzoo.Adversarial):
    """Two linear layers, from no plugin."""

    name = "line"
    dataset = "noise"
    latent_dim: int = 2

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        pixels = data.shape[0] * data.shape[1] * data.shape[2]
        return ganzoo.Networks(
            generator=nn.Sequential(nn.Linear(self.latent_dim, pixels), nn.Tanh(), nn.Unflatten(1, data.shape)),
            discriminator=nn.Sequential(nn.Flatten(), nn.Linear(pixels, 1)),
        )
