"""SRGAN: enlarged images with added detail (Ledig et al., 2016, arXiv:1609.04802)."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field, field_validator
from torch.nn import functional as F

import ganzoo
from ganzoo.blocks import DeepStridedDiscriminator, SubpixelGenerator, VGGFeatures, VGGLayer, vgg_is_at_hand

log = logging.getLogger("ganzoo.srgan")


class SRGAN(ganzoo.TwoPlayer):
    """Super-resolution: images twice or four times as large, with perceptual losses.

    Many large images have the same small version, and the least squared error picks their blurred mean. So images are
    compared by the features of a network trained for recognition, and a discriminator tells enlargements from
    photographs. The results are sharp and look right, although their pixels are farther from the true ones.

    The generator minimizes a content loss and `adversarial` times the adversarial one (eq. 3). The content loss is the
    squared difference of VGG19's features (eq. 5), or, without its weights, that of pixels (eq. 4); the log says which.
    For the first `warm_up` iterations it trains alone, on pixels, as the paper does with SRResNet.

    Intended differences from the paper: the generator adds to a bicubic enlargement, where the paper's makes the whole
    image. Features are not divided by 12.75, which fits Caffe's weights: those of torchvision, on normalized images,
    already have the scale of pixels. Small images are compared by finer features (`layer`). Training uses whole images,
    without cropping. The recipe `paper` begins with a tenth of the paper's million iterations on pixels, then follows
    its schedule: about 100,000 iterations, and as many at a tenth of the learning rate.
    """

    name = "srgan"
    dataset = "openmoji"
    needs = frozenset({"source", "target"})
    real = "target"
    any_size = True
    recipes = {
        "quick": {
            "as_": "lowres",
            "batch_size": 8,
            "epochs": 20,
            "optimizer": {"lr": 1e-3, "betas": (0.9, 0.999)},
            "lr_schedule": "linear",
            "ema_images": 1000,
            "warm_up": 1500,
        },
        "paper": {
            "as_": "lowres",
            "image_size": "96x96",
            "batch_size": 16,
            "epochs": 2800,
            "lr_schedule": "step",
            "blocks": 16,
            "width": 64,
            "discriminator_width": 64,
            "warm_up": 100_000,
        },
    }

    optimizer: ganzoo.AnyOptimizer = ganzoo.Adam(lr=1e-4, betas=(0.9, 0.999))
    scale: Literal[2, 4] = Field(4, description="factor of the height and width")
    perceptual: Literal["auto", "vgg", "pixel"] = Field(
        "auto",
        validate_default=True,
        description="content loss: on VGG19's features, on pixels, or auto: on features if the weights are available",
    )
    layer: VGGLayer | None = Field(
        None,
        description="layer of VGG19, 2_2 for small details or 5_4 for larger ones (default: 5_4 from 96 pixels on)",
    )
    adversarial: float = Field(1e-3, ge=0, description="weight of the adversarial term, relative to the content loss")
    warm_up: int = Field(0, ge=0, description="initial iterations with the generator only, on pixels")
    width: int = Field(32, gt=0, description="channels of the generator's layers (64 in the paper)")
    discriminator_width: int = Field(16, gt=0, description="channels of its first layer (64 in the paper)")
    blocks: int = Field(4, gt=0, description="residual blocks of the generator (16 in the paper)")

    @field_validator("perceptual")
    @classmethod
    def _choose(cls, perceptual: str) -> str:
        """Resolve `auto` here, so that the run folder records the choice."""
        return perceptual if perceptual != "auto" else "vgg" if vgg_is_at_hand() else "pixel"

    @property
    def scale_factor(self) -> int:
        """Factor by which the source images are smaller than the targets."""
        return self.scale

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        channels, height, width = data.shape
        expected = (channels, height // self.scale, width // self.scale)
        if data.source_shape != expected or height % self.scale or width % self.scale:
            raise ganzoo.SizeError(
                f"images of {' x '.join(map(str, data.source_shape))} cannot become {channels} x {height} x {width} by "
                f"srgan at scale {self.scale}; try --as lowres, and sides that are multiples of {self.scale}"
            )
        log.info("the content loss compares %s", "VGG19's features" if self.perceptual == "vgg" else "pixels")
        features = {}
        if self.perceptual == "vgg":
            layer = self.layer or ("5_4" if min(height, width) >= 96 else "2_2")
            features["features"] = VGGFeatures(data.shape, layer, otherwise=", or train with --perceptual pixel")
        return ganzoo.Networks(
            generator=SubpixelGenerator(channels, self.scale, width=self.width, blocks=self.blocks),
            discriminator=DeepStridedDiscriminator(data.shape, width=self.discriminator_width),
            **features,
        )

    def players(self) -> Sequence[ganzoo.Player]:
        generator, discriminator = super().players()
        if not self.warm_up:
            return generator, discriminator
        alone = ganzoo.Player(
            "warm_up", self.pixel_loss, trains=("generator",), optimizer="generator", until=self.warm_up
        )
        return alone, replace(generator, after=self.warm_up), replace(discriminator, after=self.warm_up)

    def generate(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Batch:
        return batch.replace(fake=nets.generator(batch.source))

    def pixel_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        """Return the squared difference of pixels (eq. 4)."""
        return {"content": F.mse_loss(batch.fake, batch.target)}

    def generator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        losses = super().generator_loss(nets, batch)
        content = self.pixel_loss(nets, batch)
        if self.perceptual == "vgg":
            content["content"] = F.mse_loss(nets.features(batch.fake), nets.features(batch.target))
        return {"adversarial": self.adversarial * losses["adversarial"], **content}


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(SRGAN)
