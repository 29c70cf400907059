"""Adaptors: pairs for image translation from any images, `--as edges`; the target is the image, the source made of it.

They process uint8 images row by row: an image has the same source in memory, streamed or in a resumed run.
"""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar, Literal, Self, TypeAlias, cast

import torch
from pydantic import BeforeValidator, Field
from torch import Tensor
from torch.nn import functional as F

from ganzoo.config import Choice, NamedConfig
from ganzoo.contract.data_spec import whole_number
from ganzoo.data.resize import blank, enough_memory, greyed
from ganzoo.errors import DataError

HOLE = 127
"""Pixel value of the hole of `masked`, in every channel: in [-1, 1], HOLE / 127.5 - 1."""
CHUNK = 2**22
"""Number of values to process at once, to bound the additional memory."""
Factor: TypeAlias = Annotated[Literal[2, 4, 8], BeforeValidator(whole_number)]


class PairTransform(NamedConfig, ABC):
    """Transformation of an image to a source."""

    noun: ClassVar[str] = "adaptor"
    kind: ClassVar[str]
    makes_pairs: ClassVar[bool] = True
    """Whether it makes pairs; `none` does not."""

    @classmethod
    def choices(cls) -> Mapping[str, type[Self]]:
        kinds = (Identity, Edges, Grey, LowRes, Masked)
        return cast("Mapping[str, type[Self]]", {adaptor.kind: adaptor for adaptor in kinds})

    @abstractmethod
    def draw(self, images: Tensor) -> Tensor:
        """Return the sources of images, both uint8, N x C x H x W."""

    def sources(self, images: Tensor, scale_factor: int = 1) -> Tensor:
        """Return the sources of images, uint8, N x C x H x W, smaller by `scale_factor`."""
        return reduced(in_chunks(self.draw, images), scale_factor)

    def check(self, size: tuple[int, int], scale_factor: int = 1) -> None:
        """Check that the adaptor supports images of this height and width, and sources smaller by `scale_factor`.

        Raises:
            DataError: it does not; the message suggests options that work.
        """


class Identity(PairTransform):
    """No adaptor: the data set's own fields."""

    kind = "none"
    makes_pairs = False

    def draw(self, images: Tensor) -> Tensor:
        return images


class Edges(PairTransform):
    """Line drawing of the image: dark lines on white, where brightness changes (Sobel's operator, blurred)."""

    kind = "edges"

    threshold: float = Field(
        0.1, ge=0, le=1, description="gradient at which lines begin, relative to an edge from black to white"
    )
    softness: float = Field(0.2, ge=0, le=1, description="additional gradient at which lines are black; 0: no grays")

    def draw(self, images: Tensor) -> Tensor:
        grey = greyed(on_white(images)).float()
        binomial = torch.tensor([1.0, 2.0, 1.0]) / 4
        blurred = _filtered(grey, torch.outer(binomial, binomial))
        slope = torch.outer(binomial, torch.tensor([-1.0, 0.0, 1.0]))
        steepness = torch.hypot(_filtered(blurred, slope), _filtered(blurred, slope.T)) / 255
        steepness *= 4 / 3  # the blurred gradient of a step from black to white is 3/4
        darkness = ((steepness - self.threshold) / max(self.softness, 1e-6)).clamp(0, 1)
        lines = ((1 - darkness) * 255).round().to(torch.uint8)
        return _coloured(lines, images, opaque=True)


class Grey(PairTransform):
    """Image in grayscale, with as many channels."""

    kind = "grey"

    def draw(self, images: Tensor) -> Tensor:
        return _coloured(greyed(images[:, :3]), images)


class LowRes(PairTransform):
    """Low-resolution image: downsampled by area, and upsampled bicubically to the original size.

    For a GAN with sources smaller than its outputs, the downsampled image itself.
    """

    kind = "lowres"

    factor: Factor | None = Field(None, description="downsampling factor (default: the GAN's scale factor, or 4)")

    def draw(self, images: Tensor) -> Tensor:
        height, width = images.shape[2:]
        factor = self.factor or 4
        small = F.interpolate(images.float(), (max(1, height // factor), max(1, width // factor)), mode="area")
        back = F.interpolate(small, (height, width), mode="bicubic")
        return back.clamp(0, 255).round().to(torch.uint8)

    def sources(self, images: Tensor, scale_factor: int = 1) -> Tensor:
        return reduced(images, scale_factor) if scale_factor > 1 else super().sources(images)

    def check(self, size: tuple[int, int], scale_factor: int = 1) -> None:
        if scale_factor > 1 and self.factor not in (None, scale_factor):
            raise DataError(f"the GAN enlarges by {scale_factor}, not by {self.factor}; leave --as.factor out")


class Masked(PairTransform):
    """Image with a square gray hole, for a GAN to fill."""

    kind = "masked"

    place: Literal["centre", "random"] = Field(
        "centre", description="position of the hole; random: anywhere, but always the same for an image"
    )
    size: int | None = Field(
        None, gt=0, description="height and width of the hole in pixels (default: half of the image's)"
    )

    def draw(self, images: Tensor) -> Tensor:
        height, width = images.shape[2:]
        high, wide = (self.size or max(1, side // 2) for side in (height, width))
        # No other pixel may have the value of the hole.
        result = torch.where((images == HOLE).all(1, keepdim=True), HOLE + 1, images)
        for image in result:
            down, across = height - high, width - wide
            if self.place == "random":  # a hash of the image, independent of how it is read
                number = zlib.crc32(image.contiguous().numpy().tobytes())
                top, left = number % (down + 1), number // (down + 1) % (across + 1)
            else:
                top, left = down // 2, across // 2
            image[:, top : top + high, left : left + wide] = HOLE
        return result

    def check(self, size: tuple[int, int], scale_factor: int = 1) -> None:
        if self.size is not None and self.size > min(size):
            height, width = size
            raise DataError(
                f"a hole of {self.size} x {self.size} pixels does not fit into images of {height} x {width}; "
                f"try --as.size {max(1, min(size) // 2)}"
            )


AnyPairTransform: TypeAlias = Annotated[PairTransform, Choice(PairTransform)]
"""Field that holds any adaptor."""


def reduced(images: Tensor, scale_factor: int) -> Tensor:
    """Downsample images, uint8, N x C x H x W, by an integer factor, to the mean of each block of pixels."""
    if scale_factor == 1:
        return images

    def mean(chunk: Tensor) -> Tensor:
        return F.avg_pool2d(chunk.float(), scale_factor).round().to(torch.uint8)

    return in_chunks(mean, images)


def in_chunks(work: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Apply `work` to images in chunks."""
    rows = max(1, CHUNK // max(1, images[0].numel())) if len(images) else 1
    with enough_memory(min(rows, len(images)), tuple(images.shape[1:])):
        parts = (work(chunk) for chunk in torch.split(images, rows))
        first = next(parts)
        if len(images) <= rows:
            return first
    result, start = blank(len(images), tuple(first.shape[1:])), len(first)
    result[:start] = first
    for part in parts:
        result[start : start + len(part)] = part
        start += len(part)
    return result


def on_white(images: Tensor) -> Tensor:
    """Composite images with opacity onto white: uint8, N x 1 or 3 x H x W."""
    if images.shape[1] < 4:
        return images
    colours, opacity = images[:, :3].float(), images[:, 3:].float() / 255
    return (colours * opacity + 255 * (1 - opacity)).round().to(torch.uint8)


def _filtered(grey: Tensor, kernel: Tensor) -> Tensor:
    return F.conv2d(F.pad(grey, (1, 1, 1, 1), mode="replicate"), kernel[None, None])


def _coloured(grey: Tensor, images: Tensor, *, opaque: bool = False) -> Tensor:
    """Expand one channel to those of the images; opacity is kept, or full if `opaque`."""
    channels = images.shape[1]
    result = grey.expand(-1, channels, -1, -1).clone()
    if channels == 4:
        result[:, 3] = 255 if opaque else images[:, 3]
    return result
