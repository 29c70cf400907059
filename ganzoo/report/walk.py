"""The way from one image to another: what a generator makes of the noise in between."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from ganzoo import pictures
from ganzoo.api import TrainedGAN
from ganzoo.data.batch import Batch
from ganzoo.engine.training import fixed_noise
from ganzoo.inputs import input_fields
from ganzoo.report.images import Shot, shot

WALKS, STEPS = 4, 12
"""How many ways, and images of each."""
TILE = 192
"""Pixels of an image's longer side, at most."""


@dataclass(frozen=True)
class Walk:
    """Ways below each other, in one picture."""

    shot: Shot
    rows: int
    steps: int
    tile: tuple[int, int]
    """Width and height of one image."""
    padding: int
    rows_of: list[str]
    """The caption or the class of each row, if the GAN takes such."""


def walk(trained: TrainedGAN, text: Sequence[str]) -> Walk:
    """Spherical interpolations between noise of seed 0: of its first two images, of the next two, and so on.

    For a GAN that makes images from noise alone or from noise and classes, or captions.

    Raises:
        UserError: the text cannot be captions, the GAN takes none, or its data names no classes.
    """
    fields = input_fields(trained.gan, trained.data, WALKS, text or None, None)
    noise = fixed_noise(2 * WALKS, trained.gan.noise_shape(), 0)["noise"]
    ways = torch.cat([slerp(start, end, STEPS) for start, end in zip(noise[::2], noise[1::2], strict=True)])
    fields = {name: rows.repeat_interleave(STEPS, 0) for name, rows in fields.items()}
    rows_of = [trained.data.classes[label] for label in fields["label"][::STEPS].tolist()] if "label" in fields else []
    rows_of = [text[row % len(text)] for row in range(WALKS)] if text else rows_of
    images = _made(trained, {"noise": ways, **fields})
    scale = min(1.0, TILE / max(images.shape[2:]))
    if scale < 1:
        size = [max(1, round(side * scale)) for side in images.shape[2:]]
        images = torch.nn.functional.interpolate(images, size, mode="bilinear", antialias=True)
    picture: Image.Image = pictures.grid(images, columns=STEPS)
    height, width = images.shape[2:]
    return Walk(shot(picture), WALKS, STEPS, (width, height), pictures.PADDING, rows_of)


def slerp(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Noise on the great circle from one draw to another (Shoemake, 1985), steps x the shape of a draw.

    Unlike the straight line between them, it stays as far from the origin as Gaussian noise lies.
    """
    shares = torch.linspace(0, 1, steps, dtype=start.dtype).reshape(-1, *[1] * start.ndim)
    cosine = torch.nn.functional.cosine_similarity(start.flatten(), end.flatten(), dim=0)
    angle = cosine.clamp(-1, 1).acos()
    if angle.sin() < 1e-4:  # one direction or opposite ones, between which there is no great circle of their own
        return torch.lerp(start[None], end[None], shares)
    return (((1 - shares) * angle).sin() * start + (shares * angle).sin() * end) / angle.sin()


def _made(trained: TrainedGAN, fields: dict[str, Tensor], batch_size: int = 16) -> Tensor:
    count = len(fields["noise"])
    devices = [trained.device] if trained.device.type == "cuda" else []
    step = torch.zeros((), dtype=torch.int64, device=trained.device)
    parts = []
    with torch.random.fork_rng(devices), torch.no_grad():
        torch.manual_seed(0)
        for first in range(0, count, batch_size):
            rows = {name: values[first : first + batch_size].to(trained.device) for name, values in fields.items()}
            parts.append(trained.gan.sample(trained.nets, Batch(**rows, step=step)).float().cpu())
    return torch.cat(parts)
