"""What a data set is, and what a run asks of it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeAlias

import torch
from PIL import Image, ImageOps
from torch import Tensor

from ganzoo.config import NamedConfig, OneOf

Split: TypeAlias = Literal["train", "test"]


@dataclass(frozen=True)
class Request:
    """What a run asks of a data set: which rows, which fields, and images of which shape."""

    fields: frozenset[str]
    """The fields that will be used; others need not be loaded."""
    size: tuple[int, int]
    """Height and width of the images, in pixels."""
    channels: int
    """1 grey, 3 RGB, 4 RGB and opacity."""
    split: Split = "train"
    limit: int | None = None
    """At most this many rows."""
    folder: Path = field(default_factory=Path)
    """Where downloads are kept and looked for."""

    def rows(self, count: int) -> Sequence[int]:
        """Which of `count` rows to load: all, or `limit` of them at even distances, so that no kind is left out."""
        if self.limit is None or self.limit >= count:
            return range(count)
        return [index * count // self.limit for index in range(self.limit)]

    def fit(self, image: Image.Image) -> Tensor:
        """One picture as uint8, C x H x W: turned upright, scaled to cover the size, the overhang cut off evenly."""
        mode = {1: "L", 3: "RGB", 4: "RGBA"}[self.channels]
        image = ImageOps.exif_transpose(image)
        if self.channels < 4 and image.has_transparency_data:
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
        height, width = self.size
        image = ImageOps.fit(image.convert(mode), (width, height), Image.Resampling.BILINEAR)
        pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
        return pixels.view(height, width, self.channels).permute(2, 0, 1).contiguous()

    def fit_all(self, images: Tensor) -> Tensor:
        """The same for uint8 images of one shape at once, N x 1 or 3 x H x W."""
        # Here, not above: torchvision is slow to import, and few data sets come as one tensor.
        from torchvision.transforms.v2 import functional as transforms

        height, width = self.size
        scale = max(height / images.shape[-2], width / images.shape[-1])
        covering = [max(height, round(images.shape[-2] * scale)), max(width, round(images.shape[-1] * scale))]
        images = transforms.center_crop(transforms.resize(images, covering, antialias=True), [height, width])
        if self.channels == 1 and images.shape[1] == 3:
            return transforms.rgb_to_grayscale(images)
        opaque = torch.full_like(images[:, :1], 255)
        colours = images.expand(-1, 3, -1, -1) if self.channels > 1 else images
        return torch.cat([colours, opaque], 1) if self.channels == 4 else colours.contiguous()


@dataclass(frozen=True)
class Table:
    """Rows of named fields, in memory.

    Columns by their kind: images uint8, N x C x H x W; labels int64, N; captions UTF-8 bytes in uint8, N x L, filled up
    with zeros. Several columns may be the same tensor.
    """

    columns: Mapping[str, Tensor]
    classes: tuple[str, ...] = ()
    """What the labels mean, by number."""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


class Dataset(NamedConfig, ABC):
    """Where images come from. Its fields are options: `--data.FIELD`; `--data NAME:PATH` sets the one called `path`."""

    noun: ClassVar[str] = "data set"
    key: ClassVar[str] = "name"
    name: ClassVar[str]
    """Its name in `--data mnist` and in config.json."""
    provides: ClassVar[frozenset[str]]
    """The fields that it can fill: image, label, source, target, caption, ..."""
    channels: ClassVar[int] = 3
    """Channels of its images unless `--channels` asks for others."""
    splits: ClassVar[frozenset[Split]] = frozenset({"train"})
    """Samples shown during training are made from the test split where there is one."""

    @classmethod
    def parse(cls, text: str) -> Mapping[str, object]:
        name, _, path = text.partition(":")
        return {"name": name} | ({"path": path} if path else {})

    @abstractmethod
    def load(self, request: Request) -> Table:
        """The rows and fields asked for, images fitted by the request; each field at most once in memory.

        Raises:
            DataError: naming the file or folder that is missing, broken or empty, and what to do about it.
        """


def _registered() -> Mapping[str, type[Dataset]]:
    from ganzoo.plugins import zoo  # plugins add data sets; those modules import this one

    return zoo().datasets


AnyDataset: TypeAlias = Annotated[Dataset, OneOf(Dataset, _registered)]
"""A field that holds any registered data set."""
