"""The way from one image to another: what a generator makes of the noise in between."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image

from ganzoo import TrainedGAN, pictures
from ganzoo_report.images import EncodedImage, shot

WALKS, STEPS = 4, 12
"""How many ways, and images of each."""
TILE = 192
"""Pixels of an image's longer side, at most."""


@dataclass(frozen=True)
class Walk:
    """Ways below each other, in one picture."""

    shot: EncodedImage
    rows: int
    steps: int
    tile: tuple[int, int]
    """Width and height of one image."""
    padding: int
    labels: list[str]
    """The caption or the class of each row, if the GAN takes such."""


def walk(trained: TrainedGAN, text: Sequence[str]) -> Walk:
    """Spherical interpolations between noise of seed 0: of its first two images, of the next two, and so on.

    For a GAN that makes images from noise alone or from noise and classes, or captions.

    Raises:
        UserError: the text cannot be captions, the GAN takes none, or its data names no classes.
    """
    names = list(text or (trained.data.classes if trained.takes_classes else ()))
    labels = [names[row % len(names)] for row in range(WALKS)] if names else []
    both_ends = [name for name in labels for _ in range(2)]
    asked: dict[str, Any] = {"text" if text else "classes": both_ends} if both_ends else {}
    frames = trained.interpolate(2, STEPS, count=WALKS, closed=False, **asked)
    images = torch.stack(list(frames), 1).flatten(0, 1)
    scale = min(1.0, TILE / max(images.shape[2:]))
    if scale < 1:
        size = [max(1, round(side * scale)) for side in images.shape[2:]]
        images = torch.nn.functional.interpolate(images, size, mode="bilinear", antialias=True)
    picture: Image.Image = pictures.grid(images, columns=STEPS)
    height, width = images.shape[2:]
    return Walk(shot(picture), WALKS, STEPS, (width, height), pictures.PADDING, labels)
