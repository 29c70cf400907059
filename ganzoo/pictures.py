"""Pictures of tensors: grids, files, rows of inputs beside outputs."""

import os
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ganzoo.data.fit import MODES
from ganzoo.errors import OptionError

PADDING = 2
"""Pixels between the images of a grid."""


def to_picture(image: Tensor) -> Image.Image:
    """One image, C x H x W in [-1, 1] with 1, 3 or 4 channels, as a picture."""
    pixels = ((image.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).contiguous()
    return Image.frombytes(MODES[image.shape[0]], (image.shape[2], image.shape[1]), pixels.numpy().tobytes())


def grid(images: Tensor, columns: int) -> Image.Image:
    """Images, N x C x H x W in [-1, 1], row by row in one picture."""
    from torchvision.utils import make_grid  # here, not above: slow to import

    return to_picture(make_grid(images, nrow=columns, padding=PADDING, pad_value=1.0))


def columns_of(count: int, together: int = 1) -> int:
    """How many images to put in a row, so that the grid of `count` is about square.

    Args:
        count: of all images.
        together: of so many neighbours each is another text or class: each then has a column.
    """
    together = max(together, 1)
    return together * max(1, round(count**0.5 / together))


def side_by_side(columns: Sequence[Tensor]) -> Tensor:
    """Rows of the n-th images of each tensor, in one batch; grey is made colour, small is made large."""
    channels = max(images.shape[1] for images in columns)
    height, width = (max(images.shape[side] for images in columns) for side in (2, 3))

    def fitted(images: Tensor) -> Tensor:
        if images.shape[1] == 1 < channels:
            images = images.expand(-1, min(channels, 3), -1, -1)
        if images.shape[1] < channels:
            images = torch.cat([images, torch.ones_like(images[:, :1])], 1)
        return torch.nn.functional.interpolate(images, (height, width), mode="nearest")

    return torch.stack([fitted(images) for images in columns], 1).flatten(0, 1)


def picture_file(path: Path) -> bool:
    """Whether a path names a picture rather than a folder.

    Raises:
        OptionError: it ends like a file, but not like one of a picture.
    """
    if not path.suffix or path.is_dir():
        return False
    if path.suffix.lower() not in Image.registered_extensions():
        raise OptionError(f"'{path}' ends in no picture format; try {path.with_suffix('.png')}")
    return True


def save(picture: Image.Image, file: Path) -> None:
    """Writes a picture in the format of the file's ending, creating its folder: whole, or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{os.getpid()}.{file.name}")
    try:
        picture.save(draft)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
