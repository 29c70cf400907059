"""Context encoder: holes in images, filled from their surroundings (Pathak et al., 2016, arXiv:1604.07379)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

import ganzoo
from ganzoo.blocks import BottleneckGenerator, PatchDiscriminator, StridedDiscriminator, UNetGenerator, jitter
from ganzoo.data import HOLE

RIM = 32
"""Ratio of an image's side to the width of the rim around a hole: 128 to 4 pixels, as in the authors' code."""

QUICK: Mapping[str, object] = {
    "as_": {"kind": "masked", "place": "centre"},
    "batch_size": 16,
    "epochs": 30,
    "lr_schedule": "linear",
    "ema_images": 1000,
}


class ContextEncoder(ganzoo.TwoPlayer):
    """Fills holes in images: an encoder and a decoder with a narrow bottleneck that sees the whole image.

    To fill in missing parts, a network must understand the rest of the image. An encoder compresses the image around
    the hole into a narrow code, and a decoder generates the missing part from it. The squared error alone would give
    the blurred mean of all possible contents; an adversarial loss makes it choose one that looks real.

    The hole is where all channels of `source` have the value HOLE (paint it so in your own images); everywhere else the
    output equals the source. The generator minimizes `reconstruction` times the error and `adversarial` times the
    adversarial loss (eq. 3). As in the authors' code, its learning rate is ten times that of the discriminator, and
    errors in a rim of known pixels around the hole count as well, to avoid a visible seam.

    Intended differences from the paper: one more channel tells both networks where the hole is, and the discriminator
    sees whole images, as the hole has no fixed place here. The recipes `quick` and `random` have a U-Net in place of
    the bottleneck, which continues lines and colors into the hole, a patch discriminator, absolute errors (the paper
    tried both and found no difference; here they are sharper) and a larger adversarial weight. `paper` has the paper's
    networks and weights.
    """

    name = "context-encoder"
    dataset = "openmoji"
    needs = frozenset({"source", "target"})
    real = "target"
    recipes = {
        "quick": QUICK,
        "random": {**QUICK, "as_": {"kind": "masked", "place": "random"}},
        "paper": {
            "as_": {"kind": "masked", "place": "centre"},
            "image_size": "128x128",
            "batch_size": 64,
            "epochs": 500,
            "optimizer": {"lr": 2e-3, "betas": (0.5, 0.999)},
            "architecture": "paper",
            "distance": "l2",
            "adversarial": 0.001,
            "width": 64,
            "known": 0.0,
            "mirror": False,
        },
    }

    optimizer: ganzoo.AnyOptimizer = ganzoo.Adam(lr=1e-3, betas=(0.5, 0.999))
    architecture: Literal["unet", "paper"] = Field(
        "unet", description="networks: a U-Net and a patch discriminator, or the paper's with its bottleneck"
    )
    distance: Literal["l1", "l2"] = Field("l1", description="error: absolute (l1), or squared (l2) as in the paper")
    slower: float = Field(10.0, ge=1, description="ratio of the generator's learning rate to the discriminator's")
    reconstruction: float = Field(0.999, ge=0, description="weight of the error of missing pixels")
    rim: float = Field(2.5, ge=0, description="weight of the error around the hole, relative to missing pixels")
    known: float = Field(0.1, ge=0, description="weight of the error of all known pixels, relative to missing ones")
    adversarial: float = Field(0.02, ge=0, description="weight of the adversarial term")
    width: int = Field(24, gt=0, description="channels of the networks' first layers (64 in the paper)")
    mirror: bool = Field(True, description="train on randomly mirrored images")

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        if data.source_shape != data.shape:
            source, target = (" x ".join(map(str, shape)) for shape in (data.source_shape, data.shape))
            raise ganzoo.SizeError(f"images of {source} are no images of {target} with a hole in them; try --as masked")
        channels, height, width = data.shape
        shape = (channels + 1, height, width)  # with the hole
        if self.architecture == "paper":
            return ganzoo.Networks(
                generator=BottleneckGenerator(shape, channels, width=self.width),
                discriminator=StridedDiscriminator(shape, width=self.width, dropout=0.0),
            )
        return ganzoo.Networks(
            generator=UNetGenerator(shape, channels, width=self.width, levels=5, dropout=0.0),
            discriminator=PatchDiscriminator(shape, width=self.width, patch=34),
        )

    def players(self) -> Sequence[ganzoo.Player]:
        generator, discriminator = super().players()
        slow = self.optimizer.model_copy(update={"lr": self.optimizer.lr / self.slower})
        return generator, replace(discriminator, optimizer=slow)

    def discriminate(self, nets: ganzoo.Networks, images: Tensor, batch: ganzoo.Batch) -> Tensor:
        return nets.discriminator(torch.cat([images, hole(batch.source).to(images.dtype)], dim=1))

    def generate(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Batch:
        if self.mirror:
            source, target = jitter(batch.source, batch.target, enlarged=1)
            batch = batch.replace(source=source, target=target)
        return self.fill(nets, batch)

    def sample(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> Tensor:
        return self.fill(nets, batch).fake

    def fill(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Batch:
        """Add the generator's output, and the sources with their holes filled by it."""
        missing = hole(batch.source)
        made = nets.generator(torch.cat([batch.source, missing.to(batch.source.dtype)], dim=1))
        return batch.replace(made=made, fake=torch.where(missing, made, batch.source))

    def generator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        losses = super().generator_loss(nets, batch)
        missing = hole(batch.source).float()
        reach = max(1, min(missing.shape[2:]) // RIM)
        rim = F.max_pool2d(missing, 2 * reach + 1, stride=1, padding=reach) - missing
        error = batch.made - batch.target
        error = (error.abs() if self.distance == "l1" else error.square()).mean(1, keepdim=True)
        inside, around, outside = (
            (error * part).sum() / part.sum().clamp(min=1) for part in (missing, rim, 1 - missing)
        )
        return losses | {
            "adversarial": self.adversarial * losses["adversarial"],
            "reconstruction": self.reconstruction * inside,
            "rim": self.reconstruction * self.rim * around,
            "known": self.reconstruction * self.known * outside,
        }


def hole(source: Tensor) -> Tensor:
    """Return the mask of missing pixels, N x 1 x H x W; adjacent pixel values are 2/255 apart."""
    return ((source - (HOLE / 127.5 - 1)).abs() < 1e-3).all(dim=1, keepdim=True)


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(ContextEncoder)
