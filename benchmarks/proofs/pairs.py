"""Proofs on pairs of images, source and target: what a GAN makes of sources, beside what is trivial to make of them."""

from functools import cached_property

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from benchmarks import figures
from benchmarks.proofs.proof import PART, Figures, Proof, picture_of
from ganzoo import pictures
from ganzoo.metrics.colors import color_distance
from ganzoo.options.run import RunOptions
from ganzoo.sampling.trained import TrainedGAN
from ganzoo.training.trainer import Trainer

SHOWN = 8
"""Pairs in a picture, two in a row."""


def translates(run: RunOptions) -> bool:
    return "source" in run.gan.needs & run.gan.inputs


class Translation(Proof):
    """Image to image: how near is what it makes of sources to their targets, and in which colors?"""

    name = "translation"
    options = {"data": "openmoji"}
    tiny = {"data": "openmoji", "image_size": 32, "batch_size": 8, "limit": 400, "epochs": 1}
    headline = "l1"
    falls = True
    factor = 1.5
    hold_out = 173

    @classmethod
    def applies(cls, run: RunOptions) -> bool:
        return translates(run) and not (Enlargement.applies(run) or Filling.applies(run))

    def fields(self) -> frozenset[str]:
        return frozenset({"source", "target"})

    def made(self, trained: TrainedGAN) -> Tensor:
        """What it makes of the sources."""
        return trained.translate(self.real.source, self.run.seed, PART)

    def measure(self, trained: TrainedGAN) -> Figures:
        images = self.made(trained)
        return {**self.compared(images), **self.there_and_back(trained, images)}

    def compared(self, images: Tensor) -> Figures:
        """How near images are to the targets."""
        return {
            **figures.compared(images, self.real.target),
            "sharpness": figures.sharpness(images, self.real.target),
            "color": color_distance(self.real.target, images),
        }

    @torch.no_grad()
    def there_and_back(self, trained: TrainedGAN, images: Tensor) -> Figures:
        """Of a GAN that has a network `back_generator`: the mean absolute difference from the source it came from."""
        if "back_generator" not in trained.nets:
            return {}
        back = torch.cat([trained.nets.back_generator(part) for part in images.to(trained.device).split(PART)])
        return {"cycle_l1": figures.absolute(back.cpu(), self.real.source)}

    def beside(self, fresh: Trainer) -> dict[str, Figures]:
        """The source itself; the target's own mean color, which is the best of all even pictures."""
        even = self.real.target.mean((2, 3), keepdim=True).expand_as(self.real.target)
        return {"copy of the input": self.compared(self.enlarged), "mean color": self.compared(even)}

    @cached_property
    def enlarged(self) -> Tensor:
        """The sources in the form of the targets: bicubically, where they are smaller."""
        source, target = self.real.source, self.real.target
        if source.shape[1] != target.shape[1]:
            source = source.mean(1, keepdim=True).expand(-1, target.shape[1], -1, -1)
        if source.shape[2:] == target.shape[2:]:
            return source
        return F.interpolate(source, target.shape[2:], mode="bicubic").clamp(-1, 1)

    def picture(self, trained: TrainedGAN) -> Image.Image:
        """Source, what was made of it, target."""
        rows = torch.arange(SHOWN) * len(self.real.target) // SHOWN
        made = trained.translate(self.real.source[rows], self.run.seed)
        columns = [self.real.source[rows], made, self.real.target[rows]]
        return picture_of(pictures.side_by_side(columns), 2 * len(columns), side=128)

    def example(self, name: str) -> str:
        return f"ganzoo translate {name} drawing.png -o made.png"

    def protocol(self) -> dict[str, object]:
        return {**super().protocol(), "pairs": len(self.real.target)}


class Enlargement(Translation):
    """Super-resolution: nearer to the target than bicubic enlargement, and sharper?"""

    name = "super-resolution"
    tiny = {**Translation.tiny, "image_size": 64, "epochs": 3}
    factor = 1.1  # a network that enlarges bicubically and adds to it begins where it is hard to become better

    @classmethod
    def applies(cls, run: RunOptions) -> bool:
        return translates(run) and run.gan.scale_factor > 1

    def beside(self, fresh: Trainer) -> dict[str, Figures]:
        return {"bicubic": self.compared(self.enlarged)}

    def example(self, name: str) -> str:
        return f"ganzoo translate {name} small.png -o large.png"

    def protocol(self) -> dict[str, object]:
        return {**super().protocol(), "enlarged": f"{self.run.gan.scale_factor}x"}


class Filling(Translation):
    """Inpainting: how near is what it fills holes with to what was there? Only the holes count."""

    name = "inpainting"
    tiny = {**Translation.tiny, "epochs": 4}
    factor = 1.2

    @classmethod
    def applies(cls, run: RunOptions) -> bool:
        return translates(run) and run.as_.kind == "masked"

    @cached_property
    def holes(self) -> Tensor:
        """Where each picture has its hole, N x 1 x H x W: the rectangle in which source and target differ."""
        differ = (self.real.source != self.real.target).any(1, keepdim=True)
        rows, columns = differ.any(3, keepdim=True), differ.any(2, keepdim=True)
        return between(rows, 2) & between(columns, 3)

    def compared(self, images: Tensor) -> Figures:
        near = figures.compared_within(images, self.real.target, self.holes)
        return {**near, "seam": figures.seam(images, self.real.target, self.holes)}

    def beside(self, fresh: Trainer) -> dict[str, Figures]:
        """The mean color of what can be seen of each picture."""
        seen = ~self.holes
        mean = (self.real.source * seen).sum((2, 3), keepdim=True) / seen.sum((2, 3), keepdim=True)
        return {"mean fill": self.compared(mean.expand_as(self.real.target))}

    def example(self, name: str) -> str:
        return f"ganzoo translate {name} photo.jpg --adapt -o whole.png"


def between(marks: Tensor, dimension: int) -> Tensor:
    """True from the first to the last mark along a dimension."""
    return (marks.cumsum(dimension) > 0) & (marks.flip(dimension).cumsum(dimension).flip(dimension) > 0)
