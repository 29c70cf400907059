"""Image files: search, decoding in threads, and handling of broken ones."""

import io
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias, TypeVar

from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from ganzoo.base.io import expanduser
from ganzoo.base.system import available_cores
from ganzoo.data.resize import blank
from ganzoo.errors import DataError, typed

EXTENSIONS = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
"""Suffixes of image files, in lower case."""

SEVERAL = "first of several"
"""Key in an image's `info` for the file of which `open_image` returned only the first frame or page."""

log = logging.getLogger(__name__)
Item = TypeVar("Item")
Opener: TypeAlias = Callable[[], Image.Image]
"""Function that decodes one image; raises DataError with the reason if it cannot."""


def existing(path: Path) -> Path:
    """Return the path of an existing folder or file, with `~` replaced.

    Raises:
        DataError: it does not exist.
    """
    path = expanduser(path)
    try:
        path.stat()
    except (OSError, ValueError) as error:  # ValueError: not a valid name
        reason = "" if isinstance(error, FileNotFoundError | NotADirectoryError) else f": {error}"
        raise DataError(f"there is no folder {typed(path)}{reason}") from error
    return path


def find_images(folder: Path) -> list[Path]:
    """Return the images in a folder and below it, sorted, without hidden ones."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in EXTENSIONS
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )


def open_image(file: Path | bytes, name: str = "") -> Image.Image:
    """Decode an image from a file, or from its bytes and name, completely, and turn it upright.

    Raises:
        DataError: the image is broken, truncated, too large, or neither color nor gray; the message names the file.
    """
    name = name or str(file)
    try:
        with Image.open(io.BytesIO(file) if isinstance(file, bytes) else file) as image:
            check(image)
            upright = ImageOps.exif_transpose(image)
            if getattr(image, "is_animated", False):
                upright.info[SEVERAL] = name
            return upright
    except Image.DecompressionBombError as error:
        raise DataError(f"'{name}' is too large: {error}; scale it down") from error
    except Exception as error:  # Pillow's decoders raise many kinds of errors on broken files
        reason = "it is not an image" if isinstance(error, UnidentifiedImageError) else error
        raise DataError(f"'{name}' cannot be read: {reason}") from error


def check(image: Image.Image) -> None:
    """Check, before decoding, that an image can be used.

    Raises:
        Image.DecompressionBombError: more pixels than Pillow's limit; Pillow itself raises at twice that.
        ValueError: its pixels are neither color nor gray.
    """
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and image.width * image.height > limit:
        raise Image.DecompressionBombError(f"{image.width} x {image.height} pixels are more than {limit}")
    if image.mode in ("F", "LAB"):
        raise ValueError(f"pixels of the kind {image.mode} are not supported; save it as RGB")


def decode(
    items: Sequence[Item],
    pixels: Callable[[Item], Tensor],
    shape: tuple[int, int, int],
    left_out: "LeftOut | None" = None,
) -> Tensor:
    """Compute `pixels` of each item (uint8, C x H x W) in threads: uint8, N x C x H x W.

    Args:
        items: items to decode.
        pixels: function that decodes one.
        shape: channels, height and width of each.
        left_out: collector of broken items, in order; their rows stay uninitialized (default: raise for the first).

    Raises:
        DataError: from `pixels`, or not enough memory.
    """
    result = blank(len(items), shape)
    left_out = left_out or LeftOut(0)

    def fill(row: int) -> DataError | None:
        try:
            result[row] = pixels(items[row])
        except DataError as error:
            return error
        return None

    # Pillow releases the GIL while it decodes and scales. Its warnings do not help here. Filters apply to the whole
    # process, so they are set outside of the threads.
    with warnings.catch_warnings(), ThreadPoolExecutor(available_cores()) as pool:
        warnings.simplefilter("ignore")
        for row, error in enumerate(pool.map(fill, range(len(items)))):
            if error is not None:
                left_out.add(row, error)
    return result


class LeftOut:
    """Rows with a broken image, up to a limit; each is logged."""

    def __init__(self, limit: int, advice: str = "") -> None:
        self.limit = limit
        self.advice = advice
        """Advice for raising the limit."""
        self.rows: set[int] = set()

    def add(self, row: int, error: DataError) -> None:
        """Leave a row out, once.

        Raises:
            DataError: the limit is exceeded.
        """
        if row in self.rows:
            return
        self.rows.add(row)
        if len(self.rows) <= self.limit:
            log.warning("left out: %s", error)
        elif self.advice:
            count = f", and {self.limit} more are broken" if self.limit else ""
            raise DataError(f"{error}{count}; {self.advice}") from error
        else:
            raise error


def read_columns(
    columns: Mapping[str, Sequence[Opener]],
    fit: Callable[[Image.Image], Tensor],
    shape: tuple[int, int, int],
    skip: int,
) -> tuple[dict[str, Tensor], list[int]]:
    """Read columns of corresponding images, and return them with the indices of the rows that are intact in all.

    Uses the first frame of an animation, with one line in the log.

    Args:
        columns: openers of the images of each column.
        fit: function that converts an image to uint8, C x H x W.
        shape: channels, height and width of each.
        skip: maximum number of rows with a broken image to leave out; each is logged.

    Raises:
        DataError: more broken images than `skip`, or all are broken.
    """
    several: set[str] = set()

    def pixels(opener: Opener) -> Tensor:
        image = opener()
        if SEVERAL in image.info:
            several.add(image.info[SEVERAL])
        return fit(image)

    left_out = LeftOut(skip, "--data.skip N leaves out up to N broken images")
    tables = {name: decode(openers, pixels, shape, left_out) for name, openers in columns.items()}
    if several:
        others = f", as have {len(several) - 1} others" if len(several) > 1 else ""
        log.warning("'%s' has several frames%s: only the first is used", min(several), others)
    count = max(map(len, columns.values()), default=0)
    kept = [row for row in range(count) if row not in left_out.rows]
    if count and not kept:
        raise DataError(f"all {count} images are broken; the log names each")
    return {name: _compact(table, kept) for name, table in tables.items()}, kept


def _compact(table: Tensor, kept: Sequence[int]) -> Tensor:
    # In place: a second table may not fit into memory.
    for row, origin in enumerate(kept):
        if row != origin:
            table[row] = table[origin]
    return table[: len(kept)]
