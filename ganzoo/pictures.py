"""Pictures from tensors: grids, files, rows of inputs and outputs."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ganzoo.base.io import atomic_write
from ganzoo.base.system import free_memory
from ganzoo.errors import OptionError

__all__ = ["MODES", "columns_of", "grid", "grid_of", "save", "side_by_side", "to_picture", "to_pixels"]

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Pillow's mode by number of channels."""
PADDING = 2
"""Pixels between the images of a grid."""


def to_pixels(images: Tensor) -> Tensor:
    """Convert images, N x C x H x W in [-1, 1], to uint8, N x H x W x C."""
    return ((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def to_picture(image: Tensor) -> Image.Image:
    """Convert one image, C x H x W in [-1, 1] with 1, 3 or 4 channels, to a picture."""
    return _picture(to_pixels(image[None])[0])


def grid(images: Tensor, columns: int) -> Image.Image:
    """Arrange images, N x C x H x W in [-1, 1], row by row in one picture; in color, except for a single image.

    Raises:
        OptionError: not enough memory for the picture.
        ValueError: there are no images.
    """
    return grid_of([images], len(images), columns)


def grid_of(parts: Iterable[Tensor], count: int, columns: int, places: Iterable[int] | None = None) -> Image.Image:
    """Arrange `count` images in one picture as `grid` does, from an iterable of parts, to save memory.

    Args:
        parts: the images, N x C x H x W each.
        count: total number of images.
        columns: images in a row.
        places: positions of the images, row by row (default: in order).

    Raises:
        OptionError: not enough memory for the picture.
        ValueError: there are no images.
    """
    if not count:
        raise ValueError("there are no images")
    canvas, columns, numbers = None, min(columns, count), iter(range(count) if places is None else places)
    for pixels in map(to_pixels, parts):
        if count == 1:
            return _picture(pixels[0])
        high, wide = (side + PADDING for side in pixels.shape[1:3])
        if canvas is None:
            rows = -(-count // columns)
            canvas = _white(rows * high + PADDING, columns * wide + PADDING, max(3, pixels.shape[3]))
        for image in pixels:
            place = next(numbers)
            top, left = place // columns * high + PADDING, place % columns * wide + PADDING
            canvas[top : top + high - PADDING, left : left + wide - PADDING] = image
    return _picture(torch.empty(0) if canvas is None else canvas)


def _white(height: int, width: int, channels: int) -> Tensor:
    # Three copies: these pixels, those of the picture, and the bytes between them. Checked in advance, as Linux may
    # overcommit memory and kill the process later.
    room = free_memory()
    if room is not None and 3 * height * width * channels > room:
        raise OptionError(
            f"there is no memory for one picture of {width}x{height} pixels; give a folder, a .zip or a .npz as --out"
        )
    return torch.full((height, width, channels), 255, dtype=torch.uint8)


def _picture(pixels: Tensor) -> Image.Image:
    height, width, channels = pixels.shape
    return Image.frombytes(MODES[channels], (width, height), pixels.numpy().tobytes())


def columns_of(count: int, together: int = 1) -> int:
    """Return the number of columns that makes a grid of `count` images about square.

    Args:
        count: number of images.
        together: number of consecutive images that differ in text or class; each gets a column of its own.
    """
    together = max(together, 1)
    return together * max(1, round(count**0.5 / together))


def side_by_side(columns: Sequence[Tensor]) -> Tensor:
    """Interleave batches into rows of inputs and outputs; convert gray to color, and enlarge to a common size.

    `columns`: tensors N x C x H x W in [-1, 1]. Returns (N * columns) x C x H x W: the first image of each tensor, then
    the second of each, and so on.
    """
    channels = max(images.shape[1] for images in columns)
    height, width = (max(images.shape[side] for images in columns) for side in (2, 3))

    def fitted(images: Tensor) -> Tensor:
        if images.shape[1] == 1 < channels:
            images = images.expand(-1, min(channels, 3), -1, -1)
        if images.shape[1] < channels:
            images = torch.cat([images, torch.ones_like(images[:, :1])], 1)
        return torch.nn.functional.interpolate(images, (height, width), mode="nearest")

    return torch.stack([fitted(images) for images in columns], 1).flatten(0, 1)


def save(picture: Image.Image, file: Path) -> None:
    """Write a picture atomically in the format of the file's suffix, and create its folder.

    Raises:
        OSError: the file is not writable.
        ValueError: the suffix is unknown.
    """
    with atomic_write(file.with_name(f".{os.getpid()}.{file.name}"), file) as draft:
        picture.save(draft)
