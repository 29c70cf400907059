"""SRGAN: small images made large, with the detail they lack (Ledig et al., 2016, arXiv:1609.04802)."""

import logging
from typing import Literal

import torch
from pydantic import Field, field_validator
from torch.nn import functional as F

import ganzoo
from ganzoo.blocks import DeepStridedDiscriminator, SubpixelGenerator, VGGFeatures, VGGLayer, vgg_is_at_hand

log = logging.getLogger("ganzoo.srgan")


class SRGAN(ganzoo.TwoPlayer):
    """Super-resolution: images twice or four times as large, judged by their look.

    A small image has many large ones that it could come from, and the least squared error picks their blurred mean. So
    images are compared by the features of a network that was trained to recognise things, and a discriminator tells
    enlargements from photographs. What comes out is sharp and looks right, though its pixels are further from the true
    ones.

    The generator minimises a content loss and `adversarial` times the adversarial one (eq. 3). The content loss is the
    squared difference of VGG19's features, over 12.75 each (eq. 5), or, without its weights, that of pixels (eq. 4);
    the log says which. It begins with the pixels alone (`warm_up`), as the paper does with SRResNet. Unlike the
    paper's, the generator adds to a bicubic enlargement.
    """

    name = "srgan"
    dataset = "openmoji"
    needs = frozenset({"source", "target"})
    real = "target"
    any_size = True
    recipes = {
        "quick": {"as_": "lowres", "batch_size": 16},
        "paper": {"as_": "lowres", "batch_size": 16, "image_size": "96x96", "blocks": 16, "width": 64, "lr": 1e-4},
    }

    optimizer: ganzoo.AnyOptimizer = ganzoo.Adam(lr=5e-4, betas=(0.9, 0.999))
    scale: Literal[2, 4] = Field(4, description="how many times higher and wider images become")
    perceptual: Literal["auto", "vgg", "pixel"] = Field(
        "auto",
        validate_default=True,
        description="the content loss: of VGG19's features, of pixels, or of those if their weights are at hand",
    )
    layer: VGGLayer = Field("5_4", description="VGG19's features: 2_2 of small details, 5_4 of larger ones")
    adversarial: float = Field(1e-3, ge=0, description="weight of the adversarial term beside the content's")
    warm_up: int = Field(200, ge=0, description="iterations on the difference of pixels alone, before all else")
    width: int = Field(32, gt=0, description="channels of the networks' first layers; the paper's have 64")
    blocks: int = Field(4, gt=0, description="residual blocks of the generator; the paper's has 16")

    @field_validator("perceptual")
    @classmethod
    def _choose(cls, perceptual: str) -> str:
        """Settled here, so that a run folder says what was chosen, wherever it is opened."""
        return perceptual if perceptual != "auto" else "vgg" if vgg_is_at_hand() else "pixel"

    @property
    def shrinks(self) -> int:
        """How many times smaller its source images are than the targets."""
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
            features["features"] = VGGFeatures(data.shape, self.layer, otherwise=", or train with --perceptual pixel")
        return ganzoo.Networks(
            generator=SubpixelGenerator(channels, self.scale, width=self.width, blocks=self.blocks),
            discriminator=DeepStridedDiscriminator(data.shape, width=self.width),
            **features,
        )

    def generate(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Batch:
        return batch.replace(fake=nets.generator(batch.source))

    def generator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        losses = super().generator_loss(nets, batch)
        warm = batch.step < self.warm_up
        content = pixels = F.mse_loss(batch.fake, batch.target)
        if self.perceptual == "vgg":
            content = F.mse_loss(nets.features(batch.fake), nets.features(batch.target)) / 12.75**2
        adversarial = torch.where(warm, 0.0, self.adversarial) * losses["adversarial"]
        return losses | {"adversarial": adversarial, "content": torch.where(warm, pixels, content)}


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(SRGAN)
