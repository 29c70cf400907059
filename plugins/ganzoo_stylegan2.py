"""StyleGAN2: noise to image with a style for each layer (Karras et al., 2019, arXiv:1912.04958)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import torch
from pydantic import Field
from torch import Tensor

import ganzoo
from ganzoo.blocks import EqualizedDiscriminator, MappingNetwork, RunningMean, StyleSynthesis, mix_styles


class StyleGAN2(ganzoo.Adversarial):
    """Styles control each layer of the synthesis; R1 and path length are regularized lazily.

    A mapping network first turns the noise into a style, and the style scales the weights of every convolution: coarse
    layers determine shape, fine ones texture. The first StyleGAN normalized feature maps, which caused blob artifacts;
    here the weights are normalized instead. A penalty on the path length makes steps of equal size in the style change
    the image by equal amounts.

    The recipe `paper` is the paper's configuration F, `cifar` the one of its authors for images of 32 pixels with
    adaptive augmentation (Karras et al., 2020, arXiv:2006.06676), both untested here. The default recipe has neither
    path length nor mixing, and a mapping of two layers with a higher learning rate: in a run of minutes, they cost more
    than they give. Intended differences: the weight of R1 is half of the authors', because `CrossEntropy` is the mean
    of its two terms and not their sum; Adam is not corrected for lazy regularization.
    """

    name = "stylegan2"
    may_change = frozenset({"truncation"})
    recipes = {
        "quick": {
            "image_size": "32x32",
            "epochs": 2,
            "batch_size": 16,
            "lr_schedule": "linear",
            "ema_images": 5000,
            "optimizer": {"lr": 5e-3, "betas": (0.0, 0.99)},
            "mapping_layers": 2,
            "mapping_rate": 0.1,
            "mixing": 0.0,
            "path_length": 0.0,
        },
        "paper": {
            "image_size": "256x256",
            "latent_dim": 512,
            "style_dim": 512,
            "capacity": 128,
            "max_capacity": 512,
            "batch_size": 32,
            "ema_images": 10_000,
        },
        "cifar": {
            "image_size": "32x32",
            "latent_dim": 512,
            "style_dim": 512,
            "mapping_layers": 2,
            "capacity": 512,
            "max_capacity": 512,
            "residual": False,
            "minibatch_group": 32,
            "mixing": 0.0,
            "path_length": 0.0,
            "r1": 0.005,
            "batch_size": 64,
            "optimizer": {"lr": 2.5e-3, "betas": (0.0, 0.99)},
            "ema_images": 500_000,
            "augment": "ada",
            "epochs": 200,
        },
    }

    optimizer: ganzoo.AnyOptimizer = ganzoo.Adam(lr=2e-3, betas=(0.0, 0.99))
    capacity: int = Field(16, gt=0, le=1024, description="feature maps at full size; doubled at each halving")
    max_capacity: int = Field(128, gt=0, le=4096, description="largest number of feature maps in a layer")
    style_dim: int = Field(64, gt=0, description="length of a style")
    mapping_layers: int = Field(8, gt=0, description="layers of the mapping network")
    mapping_rate: float = Field(0.01, gt=0, description="learning rate of the mapping, relative to the others'")
    mixing: float = Field(0.9, ge=0, le=1, description="probability of mixing two styles in a training image")
    residual: bool = Field(True, description="residual blocks in the discriminator; else StyleGAN's")
    minibatch_group: int = Field(
        4, gt=0, description="largest group of images for the discriminator's minibatch standard deviation"
    )
    r1: float | None = Field(  # type: ignore[assignment]  # None: the rule of `r1_weight`
        None,
        ge=0,
        description="weight of R1, the discriminator's squared gradient at real images "
        "(default: 0.0001 x pixels / batch size)",
    )
    r1_every: int = 16
    path_length: float = Field(2.0, ge=0, description="weight of the path-length regularization")
    path_length_every: int = Field(8, gt=0, description="iterations between two steps of path-length regularization")
    truncation: float = Field(1.0, description="truncation of sampled styles, from 1 (none) to 0 (mean style)")

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        widths = {"channels": self.capacity, "max_channels": self.max_capacity}
        return ganzoo.Networks(
            mapping=MappingNetwork(self.latent_dim, self.style_dim, self.mapping_layers, rate=self.mapping_rate),
            synthesis=StyleSynthesis(self.style_dim, data.shape, **widths),
            discriminator=EqualizedDiscriminator(
                data.shape, **widths, residual=self.residual, group=self.minibatch_group
            ),
            path_lengths=RunningMean(),
        )

    def noise_shape(self) -> tuple[int, ...]:
        return (2, self.latent_dim)  # two styles to mix

    def players(self) -> Sequence[ganzoo.Player]:
        generator, *others = super().players()
        makes_images = ("mapping", "synthesis")
        players = [replace(generator, trains=makes_images), *others]
        if self.path_length:
            players.append(
                # It shares the generator's optimizer, and so keeps its weight relative to the adversarial loss.
                ganzoo.Player("path_length", self.path_length_loss, makes_images, every=self.path_length_every)
            )
        return players

    def r1_weight(self, pixels: int, batch_size: int) -> float:
        """Return `r1` (default: half of the authors' rule of thumb, 0.0002 x pixels / batch size; see above)."""
        return 0.0001 * pixels / batch_size if self.r1 is None else self.r1

    def generate(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Batch:
        return batch.replace(fake=nets.synthesis(self.styles(nets, batch.noise)))

    def sample(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> Tensor:
        return nets.synthesis(nets.mapping(batch.noise[:, :1], self.truncation))

    def styles(self, nets: ganzoo.Networks, noise: Tensor) -> Tensor:
        """Return a style for each layer, N x layers x style_dim, from noise, N x 2 x latent_dim, mixed at random."""
        if not self.mixing:
            return nets.mapping(noise[:, :1]).expand(-1, cast("StyleSynthesis", nets.synthesis).style_count, -1)
        return mix_styles(nets.mapping(noise), cast("StyleSynthesis", nets.synthesis).style_count, self.mixing)

    def path_length_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        """Return (|J^T y| - a)^2 for random images y, a the running mean of |J^T y| (eq. 4), on half of the batch.

        J is the synthesis network's Jacobian with respect to the styles.
        """
        styles = self.styles(nets, batch.noise[: (len(batch.noise) + 1) // 2])
        fake = nets.synthesis(styles)
        direction = torch.randn_like(fake) / (fake[0, 0].numel() ** 0.5)
        slope = ganzoo.gradient(fake * direction, styles)
        lengths = (slope.square().sum(2).mean(1) + 1e-8).sqrt()
        penalty = (lengths - nets.path_lengths(lengths)).square().mean()
        return {"penalty": self.path_length * self.path_length_every * penalty}


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(StyleGAN2)
