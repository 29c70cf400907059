"""Resizing of images: scaling to cover the size, then a center crop.

Bilinear with antialiasing, for one image and for many at once. Bicubic and Lanczos are sharper, but overshoot at the
hard edges of line art and digits, and are clipped there; the reference chapter also scales bilinearly.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional as F

from ganzoo.base.system import lacks_memory
from ganzoo.errors import DataError
from ganzoo.pictures import MODES

CHUNK = 2048
"""Number of images to scale at once, to bound the additional memory."""


def resize_and_crop(image: Image.Image, size: tuple[int, int], channels: int) -> Tensor:
    """Convert an image of any mode to uint8, C x H x W: upright, on white if without opacity, 16 bits to 8.

    Raises:
        ValueError: pixels that are not colors, such as floating-point ones.
    """
    image = _eight_bits(ImageOps.exif_transpose(image))
    if channels < 4 and image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    height, width = size
    (covering_height, covering_width), (top, left) = cover((image.height, image.width), size)
    across, down = image.width / covering_width, image.height / covering_height
    box = (left * across, top * down, (left + width) * across, (top + height) * down)
    image = image.convert(MODES[channels]).resize((width, height), Image.Resampling.BILINEAR, box)
    pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return pixels.view(height, width, channels).permute(2, 0, 1).contiguous()


def fit_images(images: Tensor, size: tuple[int, int], channels: int) -> Tensor:
    """Convert uint8 images of one shape as `resize_and_crop` does, N x 1 or 3 x H x W."""
    if (channels, *size) == tuple(images.shape[1:]):
        return images.contiguous()
    (covering_height, covering_width), (top, left) = cover((images.shape[2], images.shape[3]), size)
    result = blank(len(images), (channels, *size))
    for chunk, place in zip(torch.split(images, CHUNK), torch.split(result, CHUNK), strict=True):
        with enough_memory(len(chunk), (channels, covering_height, covering_width)):
            colours = greyed(chunk) if channels == 1 else chunk
            # torch is faster without a dimension of length one: rows of gray images as channels of one image.
            flat = colours.flatten(0, 1)[None]
            scaled = F.interpolate(flat, (covering_height, covering_width), mode="bilinear", antialias=True)
            scaled = scaled[0, :, top : top + size[0], left : left + size[1]].view(*colours.shape[:2], *size)
            place[:, : min(channels, 3)] = scaled
            place[:, 3:] = 255
    return result


def cover(old: tuple[int, int], new: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the smallest size with the aspect ratio of `old` that covers `new`, and the crop offset: (y, x) each."""
    scale = max(new[0] / old[0], new[1] / old[1])
    height, width = (max(after, round(before * scale)) for before, after in zip(old, new, strict=True))
    return (height, width), ((height - new[0]) // 2, (width - new[1]) // 2)


def blank(count: int, shape: tuple[int, ...]) -> Tensor:
    """Allocate uint8 images, `count` x `shape`.

    Raises:
        DataError: not enough memory.
    """
    with enough_memory(count, shape):
        return torch.empty((count, *shape), dtype=torch.uint8)


@contextmanager
def enough_memory(count: int, shape: tuple[int, ...]) -> Iterator[None]:
    """Context that explains a lack of memory for images of this shape.

    Raises:
        DataError: not enough memory.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not lacks_memory(error):
            raise
        gibibytes = count * torch.Size(shape).numel() / 2**30
        raise DataError(
            f"{count} images of {' x '.join(map(str, shape))} need {gibibytes:.0f} GiB of memory, which is more than "
            "there is; give a smaller --image-size or a --limit"
        ) from error


def greyed(images: Tensor) -> Tensor:
    """Convert images, uint8, N x 1 or 3 x H x W, to one channel of gray."""
    if images.shape[1] == 1:
        return images
    red, green, blue = images.int().unbind(1)
    return ((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16).to(torch.uint8)[:, None]  # same as Pillow


def _eight_bits(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise ValueError("pixels of the kind F have no known range; save it as RGB")
    if not image.mode.startswith("I"):
        return image
    image = image.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")  # 65535 becomes 255
    image.info.pop("transparency", None)  # refers to the 16-bit value
    return image
