"""A GAN with what exporters stumble over."""

import random
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import ganzoo
from ganzoo.contract.networks import Networks


class Odd(ganzoo.Generator):
    """Does what exporters stumble over, as its mode says."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode
        self.weight = nn.Parameter(torch.rand(3, 1, 4, 4))

    def forward(self, noise: Tensor) -> Tensor:
        weight = torch.nn.functional.avg_pool2d(self.weight, 2, stride=1, divisor_override=1)  # exported wrongly
        image = torch.nn.functional.conv_transpose2d(noise.view(-1, 3, 2, 2), weight).tanh()
        if self.mode == "normal":
            image = image * 0.5 + 0.1 * torch.randn_like(image).clamp(-1, 1)
        elif self.mode == "numpy":
            image = image * float(np.random.uniform(0.1, 0.9))
        elif self.mode == "python":
            image = image * random.uniform(0.1, 0.9)  # noqa: S311 - no secret
        elif self.mode == "uniform":
            image = image * torch.rand(image.shape[0], 1, 4, 4)
        elif self.mode == "permutation":
            image = image[torch.randperm(image.shape[0])]
        elif self.mode == "len":
            image = image.view(len(noise), -1, 4, 4)
        elif self.mode == "in place":
            image.mul_(0.5)
        elif self.mode == "wrong":
            image = torch.nn.functional.avg_pool2d(image, 3, stride=1, padding=1, divisor_override=5)
        return image


class OddGAN(ganzoo.Adversarial):
    """A stranger's GAN."""

    name = "odd"
    mode: str = "plain"

    def networks(self, data: ganzoo.DataSpec) -> Networks:
        return Networks(generator=Odd(self.mode), discriminator=nn.Linear(3, 1))


def odd(mode: str) -> ganzoo.TrainedGAN:
    gan = OddGAN(latent_dim=12, mode=mode)
    spec = ganzoo.DataSpec(dataset="x", shapes={"image": (1, 4, 4)})
    return ganzoo.TrainedGAN(Path(), gan, spec, gan.networks(spec).eval())
