"""Pix2Pix: image to image, learned from pairs (Isola et al., 2016, arXiv:1611.07004)."""

from typing import Literal

from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

import ganzoo
from ganzoo.blocks import PatchDiscriminator, PatchSize, UNetGenerator, jitter
from ganzoo.losses import PER_SAMPLE


class Pix2Pix(ganzoo.TwoPlayer):
    """Paired image to image: a U-Net against a patch discriminator.

    Given pairs, a network could simply minimize the mean absolute difference from the target, but where several answers
    are possible it would give their blurred mean. A discriminator that sees source and output together, patch by patch,
    rejects blurred outputs; the difference keeps the output near the target. The generator is a U-Net, whose skip
    connections pass features shared by source and target, such as edges, around its bottleneck.

    The recipe `chapter` has the textbook's networks, whose discriminator has patches of 94 pixels; `paper` has the
    paper's patches of 70, jitter, and dropout in three blocks of the decoder, which stays on in sampling as the only
    noise. Intended differences of `paper`: both networks omit InstanceNorm at the narrowest block, where a single value
    is left, and the last layer upsamples and convolves in place of a transposed convolution. `quick` has narrower
    networks, neither dropout nor jitter, a higher learning rate and an exponential moving average (EMA) of the weights.
    `gpu` is untested.
    """

    name = "pix2pix"
    dataset = "openmoji"
    needs = frozenset({"source", "target"})
    real = "target"
    provides = frozenset({PER_SAMPLE})
    recipes = {
        "quick": {
            "image_size": "128x128",
            "batch_size": 8,
            "epochs": 6,
            "width": 24,
            "optimizer": {"lr": 1e-3, "betas": (0.5, 0.999)},
            "lr_schedule": "linear",
            "ema_images": 1000,
        },
        "chapter": {
            "image_size": "256x256",
            "batch_size": 1,
            "width": 64,
            "levels": 8,
            "patch": 94,
            "dropout": 0.5,
        },
        "paper": {
            "image_size": "256x256",
            "batch_size": 1,
            "epochs": 200,
            "lr_schedule": "linear",
            "width": 64,
            "levels": 8,
            "patch": 70,
            "jitter": True,
            "dropout": 0.5,
            "dropout_in": "decoder",
            "keep_dropout": True,
        },
        "gpu": {
            "image_size": "256x256",
            "batch_size": 16,
            "epochs": 200,
            "lr_schedule": "linear",
            "ema_images": 5000,
            "width": 64,
            "levels": 6,
            "jitter": True,
            "patch": 70,
        },
    }

    optimizer: ganzoo.AnyOptimizer = ganzoo.Adam(lr=2e-4, betas=(0.5, 0.999))
    l1: float = Field(100.0, ge=0, description="weight of the mean absolute difference from the target")
    width: int | None = Field(
        None,
        gt=0,
        description="channels of the networks' first layers (default: a quarter of the image's side, at least 16)",
    )
    levels: int = Field(5, ge=4, le=8, description="largest number of times that the generator halves the image")
    patch: PatchSize | None = Field(
        None,
        description="side of the discriminator's patches in pixels (default: 34, or 70 from 128 pixels on)",
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout probability in the generator")
    dropout_in: Literal["widest", "decoder"] = Field(
        "widest", description="blocks with dropout: all the widest ones, or three of the decoder"
    )
    jitter: bool = Field(False, description="train on random crops of slightly enlarged, randomly mirrored images")
    keep_dropout: bool = Field(False, description="keep dropout on in sampling, as noise, as in the paper")

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        size = max(data.shape[1:])
        width = self.width or max(16, size // 4)
        generator = UNetGenerator(
            data.source_shape,
            data.shape[0],
            width=width,
            levels=self.levels,
            dropout=self.dropout,
            dropout_in=self.dropout_in,
            keep_dropout=self.keep_dropout,
        )
        discriminator = PatchDiscriminator(
            data.shape, data.source_shape, width=width, patch=self.patch or (70 if size >= 128 else 34)
        )
        return ganzoo.Networks(generator=generator, discriminator=discriminator)

    def sample(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> Tensor:
        return nets.generator(batch.source)

    def condition(self, batch: ganzoo.Batch) -> tuple[Tensor, ...]:
        return (batch.source,)

    def generate(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Batch:
        if self.jitter:
            source, target = jitter(batch.source, batch.target)
            batch = batch.replace(source=source, target=target)
        return batch.replace(fake=nets.generator(batch.source))

    def generator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        losses = super().generator_loss(nets, batch)
        return losses | {"l1": self.l1 * F.l1_loss(batch.fake, batch.target)}


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(Pix2Pix)
