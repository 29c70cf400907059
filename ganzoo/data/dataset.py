"""Data sets, and the request of a run to its data set."""

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
"""Split of a data set."""
Part: TypeAlias = Literal["train", "test", "held-out"]
"""Split for evaluation: `--hold-out` excludes rows of the train split from training."""


def evenly(some: int, count: int) -> list[int]:
    """Return `some` evenly spaced indices of `count` rows."""
    return [index * count // some for index in range(some)]


@dataclass(frozen=True)
class DataRequest:
    """Request of a run to its data set: rows, fields, and shape of the images."""

    fields: frozenset[str]
    """Required fields; others need not be loaded."""
    size: tuple[int, int]
    """Height and width of the images, in pixels."""
    channels: int
    """1 gray, 3 RGB, 4 RGB and opacity."""
    split: Split = "train"
    limit: int | None = None
    """Maximum number of rows."""
    folder: Path = field(default_factory=Path)
    """Folder of downloads."""
    hold_out: int = 0
    """Number of rows of the split, evenly spaced, to exclude from training."""
    held_out: bool = False
    """Whether to load these rows instead of all others."""

    def rows(self, count: int) -> Sequence[int]:
        """Return the indices to load, of `count` rows: all, or `limit` of them, evenly spaced to include every kind.

        Raises:
            DataError: more rows are held out than exist.
        """
        rows = self._part(count)
        if self.limit is None or self.limit >= len(rows):
            return rows
        return [rows[place] for place in evenly(self.limit, len(rows))]

    def _part(self, count: int) -> Sequence[int]:
        """Return the indices of all rows; with held-out rows, those or the others."""
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
        """Convert an image to uint8, C x H x W: turned upright, scaled to cover the size, center-cropped.

        Raises:
            ValueError: pixels that are not colors, such as floating-point ones.
        """
        return resize_and_crop(image, self.size, self.channels)

    def fit_all(self, images: Tensor) -> Tensor:
        """Convert uint8 images of one shape as `fit` does, N x 1 or 3 x H x W: uint8, N x `shape`.

        Raises:
            DataError: not enough memory.
        """
        return fit_images(images, self.size, self.channels)


@dataclass(frozen=True)
class InMemoryData:
    """Rows of named fields, in memory.

    Columns by kind: images uint8, N x C x H x W; labels int64, N; captions UTF-8 bytes in uint8, N x L, padded with
    zeros. Several columns may be the same tensor. All columns have the same length, except those of unpaired data.
    """

    columns: Mapping[str, Tensor]
    classes: tuple[str, ...] = ()
    """Names of the classes, by label."""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


class Dataset(NamedConfig, ABC):
    """Source of images. Its fields are options: `--data.FIELD`; `--data NAME:PATH` sets the one called `path`."""

    noun: ClassVar[str] = "data set"
    key: ClassVar[str] = "name"
    name: ClassVar[str]
    """Name in `--data mnist` and in config.json."""
    provides: ClassVar[frozenset[str]]
    """Available fields: image, label, source, target, caption, ..."""
    channels: ClassVar[int] = 3
    """Default number of channels."""
    classes: ClassVar[tuple[str, ...]] = ()
    """Names of the classes, by label, if known before loading."""
    shapes: ClassVar[Mapping[str, tuple[int, ...]]] = {"label": ()}
    """Shape of one row of each field that is not an image."""
    splits: ClassVar[frozenset[Split]] = frozenset({"train"})
    """Available splits. Samples during training use the test split, if there is one."""
    streamed: ClassVar[bool] = False
    """Whether `load` returns a Stream, with rows in one order only."""
    licence: ClassVar[str] = "unknown"
    """License of its images, and their owner, for the model card of a GAN trained on them."""
    extractor: ClassVar[str] = "inception"
    """Default of `--extractor` for comparing sets of its images."""
    paired: ClassVar[bool] = True
    """Whether source and target of a row correspond, so that results can be compared with targets."""
    may_change: ClassVar[frozenset[str]] = frozenset()
    """Fields that a resumed run may change: the path of the data, the number of broken images to skip."""

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
            meaning = f" (PATH: {path.description})" if path.description else ""
            raise DataError(f"'{cls.name}' needs to know where: write {cls.form()}{meaning}")
        return values

    @abstractmethod
    def load(self, request: DataRequest) -> InMemoryData | Stream:
        """Return the requested rows and fields, with images fitted by the request; each field in memory once at most.

        Data too large for memory is a Stream, of all rows: it ignores `limit`. Warnings reach a run's log.txt if their
        logger is below ganzoo's: `logging.getLogger("ganzoo.data.NAME")`.

        Raises:
            DataError: a file or folder is missing, broken or empty; the message names it and the fix.
        """


AnyDataset: TypeAlias = Annotated[Dataset, Choice(Dataset)]
"""Field that holds any registered data set."""
