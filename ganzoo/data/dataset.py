"""What a data set is, and what a run asks of it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from PIL import Image
from pydantic import model_validator
from torch import Tensor

from ganzoo.config import Choice, NamedConfig
from ganzoo.data.resize import fit_images, resize_and_crop
from ganzoo.data.stream import Stream
from ganzoo.errors import DataError

Split: TypeAlias = Literal["train", "test"]
"""Splits that a data set may have."""
Part: TypeAlias = Literal["train", "test", "held-out"]
"""Splits that figures may be measured on: `--hold-out` takes rows of the train split away from training."""


def evenly(some: int, count: int) -> list[int]:
    """Choose some of `count` rows, at even distances."""
    return [index * count // some for index in range(some)]


@dataclass(frozen=True)
class DataRequest:
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
    hold_out: int = 0
    """Rows of the split, at even distances, that are not trained on."""
    held_out: bool = False
    """Whether these are asked for, rather than all others."""

    def rows(self, count: int) -> Sequence[int]:
        """Which of `count` rows to load: all, or `limit` of them at even distances, so that no kind is left out.

        Raises:
            DataError: more are to be held out than there are.
        """
        rows = self._part(count)
        if self.limit is None or self.limit >= len(rows):
            return rows
        return [rows[place] for place in evenly(self.limit, len(rows))]

    def _part(self, count: int) -> Sequence[int]:
        """All rows; where some are held out, these or the others."""
        if not self.hold_out:
            return range(count)
        if self.hold_out >= count:
            raise DataError(
                f"--hold-out {self.hold_out} leaves none of {count} images to train on; try --hold-out {count // 10}"
            )
        held = evenly(self.hold_out, count)
        return held if self.held_out else sorted(set(range(count)).difference(held))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the images."""
        return self.channels, *self.size

    def fit(self, image: Image.Image) -> Tensor:
        """One picture as uint8, C x H x W: turned upright, scaled to cover the size, the overhang cut off evenly.

        Raises:
            ValueError: pixels that have no meaning as colours, such as floating-point ones.
        """
        return resize_and_crop(image, self.size, self.channels)

    def fit_all(self, images: Tensor) -> Tensor:
        """The same for uint8 images of one shape at once, N x 1 or 3 x H x W: uint8, N x `shape`.

        Raises:
            DataError: there is not so much memory.
        """
        return fit_images(images, self.size, self.channels)


@dataclass(frozen=True)
class InMemoryData:
    """Rows of named fields, in memory.

    Columns by their kind: images uint8, N x C x H x W; labels int64, N; captions UTF-8 bytes in uint8, N x L, filled up
    with zeros. Several columns may be the same tensor. Columns have one length, but for what never was paired.
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
    classes: ClassVar[tuple[str, ...]] = ()
    """What the labels mean, by number, where that is known before loading."""
    shapes: ClassVar[Mapping[str, tuple[int, ...]]] = {"label": ()}
    """The shape of one row of each field that is not an image."""
    splits: ClassVar[frozenset[Split]] = frozenset({"train"})
    """Samples shown during training are made from the test split where there is one."""
    streamed: ClassVar[bool] = False
    """Whether `load` gives a Stream, whose rows come in one order only."""
    licence: ClassVar[str] = "unknown"
    """Under which licence its images are, and whose they are: what the card of a GAN trained on them says."""
    extractor: ClassVar[str] = "inception"
    """By which network its images are looked at where sets of them are compared, unless `--extractor` names another."""
    paired: ClassVar[bool] = True
    """Whether source and target of a row belong together, so that what is made of one can be held against the other."""
    may_change: ClassVar[frozenset[str]] = frozenset()
    """Which of its fields a run that is continued may be told anew: where the data lies, what is left out of it."""

    @classmethod
    def form(cls) -> str:
        return f"{cls.name}:PATH" if "path" in cls.model_fields else cls.name

    @classmethod
    def parse(cls, text: str) -> Mapping[str, object]:
        name, _, path = text.partition(":")
        return {"name": name} | ({"path": path} if path else {})

    @model_validator(mode="before")
    @classmethod
    def _needs_path(cls, values: Any) -> Any:
        path = cls.model_fields.get("path")
        if path and path.is_required() and isinstance(values, Mapping) and not values.get("path"):
            meaning = f", {path.description}" if path.description else ""
            raise DataError(f"'{cls.name}' needs to know where: write {cls.form()}{meaning}")
        return values

    @abstractmethod
    def load(self, request: DataRequest) -> InMemoryData | Stream:
        """The rows and fields asked for, images fitted by the request; each field at most once in memory.

        What does not fit into memory is a Stream, which is asked for all of its rows: it knows no `limit`. Warnings
        reach a run's log.txt if their logger is below ganzoo's: `logging.getLogger("ganzoo.data.NAME")`.

        Raises:
            DataError: naming the file or folder that is missing, broken or empty, and what to do about it.
        """


AnyDataset: TypeAlias = Annotated[Dataset, Choice(Dataset)]
"""A field that holds any registered data set."""
