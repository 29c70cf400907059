"""The proof on pictures with captions of their own: can the caption's picture be found by what was made of it?"""

import shlex

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from benchmarks import figures
from benchmarks.proofs.proof import PART, Figures, Proof, captions, picture_of
from ganzoo import pictures
from ganzoo.options.run import RunOptions
from ganzoo.sampling.trained import TrainedGAN
from ganzoo.training.trainer import Trainer

SIDE = 8
"""Pixels that images are reduced to in order to be compared: colours and where they are, no more."""
MOST = 10
"""So many of the nearest are looked at."""
SHOWN = 16


class Retrieval(Proof):
    """Text to image: images made of captions whose pictures were not trained on, looked for among these pictures.

    A made image finds its group if the nearest real image is of its caption's group, and itself if its caption's own
    image is among the nearest ten.
    """

    name = "retrieval"
    options = {"data": "openmoji"}
    tiny = {"data": "openmoji", "image_size": 16, "batch_size": 32, "limit": 1600, "epochs": 4}
    headline = "own_of_10"
    factor = 1.3
    hold_out = 173

    @classmethod
    def applies(cls, run: RunOptions) -> bool:
        return "caption" in run.gan.needs & run.gan.inputs

    def fields(self) -> frozenset[str]:
        return frozenset({"image", "label", "caption"})

    def measure(self, trained: TrainedGAN) -> Figures:
        texts = captions(self.real.caption)
        return self.found(reduced(trained.generate(len(texts), self.run.seed, PART, text=texts)))

    def found(self, made: Tensor) -> Figures:
        """How often images, reduced, find what they should."""
        gallery, labels = reduced(self.real.image), self.real.label
        return {
            "group": figures.retrieved(made, gallery, labels[:, None] == labels),
            f"own_of_{MOST}": figures.retrieved(made, gallery, torch.eye(len(labels), dtype=torch.bool), MOST),
        }

    def beside(self, fresh: Trainer) -> dict[str, Figures]:
        """What images that know nothing of their caption would find, on average: any real image is as near."""
        labels = self.real.label
        alike = (labels[:, None] == labels).double().mean()
        return {"chance": {"group": float(alike), f"own_of_{MOST}": MOST / len(labels)}}

    def picture(self, trained: TrainedGAN) -> Image.Image:
        """What was made of a caption, and the picture that it belongs to."""
        rows = torch.arange(SHOWN) * len(self.real.image) // SHOWN
        made = trained.generate(SHOWN, self.run.seed, text=captions(self.real.caption[rows]))
        return picture_of(pictures.side_by_side([made, self.real.image[rows]]), 8, side=96)

    def example(self, name: str) -> str:
        return f"ganzoo generate {name} --text {shlex.quote(captions(self.real.caption[:1])[0])} -n 8 -o {name}.png"

    def protocol(self) -> dict[str, object]:
        images = len(self.real.image)
        return {**super().protocol(), "captions": images, "gallery": images, "extractor": f"{SIDE} x {SIDE} pixels"}


def reduced(images: Tensor) -> Tensor:
    """Images as vectors of few numbers."""
    return F.interpolate(images, (SIDE, SIDE), mode="area").flatten(1)
