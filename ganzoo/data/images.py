"""Reading image files: finding them, decoding them in threads, naming or leaving out the one that is broken."""

import io
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias, TypeVar

from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from ganzoo.data.fit import blank
from ganzoo.errors import DataError, typed
from ganzoo.files import expanded
from ganzoo.machine import available_cores

EXTENSIONS = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
"""What image files are called, in lower case."""

SEVERAL = "first of several"
"""The key of a picture's `info` under which `open_image` names the file it is only the first frame or page of."""

log = logging.getLogger(__name__)
Item = TypeVar("Item")
Opener: TypeAlias = Callable[[], Image.Image]
"""Decodes one picture; a DataError says why that cannot be done."""


def existing(path: Path) -> Path:
    """The path of a folder or a file that is there, `~` replaced.

    Raises:
        DataError: there is nothing.
    """
    path = expanded(path)
    try:
        path.stat()
    except (OSError, ValueError) as error:  # a name that cannot be one
        reason = "" if isinstance(error, FileNotFoundError | NotADirectoryError) else f": {error}"
        raise DataError(f"there is no folder {typed(path)}{reason}") from error
    return path


def find_images(folder: Path) -> list[Path]:
    """The images in a folder and in those below, sorted; nothing hidden."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in EXTENSIONS
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )


def open_image(file: Path | bytes, name: str = "") -> Image.Image:
    """A picture, decoded to its end and turned upright, from a file or from a file's bytes and its name.

    Raises:
        DataError: it is broken, cut short, too large, or no picture in colours or greys; it names the file.
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
    except Exception as error:  # Pillow's decoders raise whatever broken bytes make them trip over
        reason = "it is not an image" if isinstance(error, UnidentifiedImageError) else error
        raise DataError(f"'{name}' cannot be read: {reason}") from error


def check(image: Image.Image) -> None:
    """Refuses, before it is decoded, a picture that cannot be used.

    Raises:
        Image.DecompressionBombError: it has more pixels than Pillow's limit; Pillow itself refuses at twice that.
        ValueError: its pixels cannot be made colours or greys.
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
    """`pixels` of each item (uint8, C x H x W), worked out in threads: uint8, N x C x H x W.

    Args:
        items: what to decode.
        pixels: decodes one.
        shape: channels, height and width of each.
        left_out: is told of what is broken, in the order of the items; their rows are left as they are. None: the
            first that is broken is raised.

    Raises:
        DataError: what `pixels` raises, or there is not so much memory.
    """
    result = blank(len(items), shape)
    left_out = left_out or LeftOut(0)

    def fill(row: int) -> DataError | None:
        try:
            result[row] = pixels(items[row])
        except DataError as error:
            return error
        return None

    # Pillow lets go of the interpreter while it decodes and scales. Its warnings are of no use to who trains a GAN, and
    # filters belong to the process, so they are set outside of the threads.
    with warnings.catch_warnings(), ThreadPoolExecutor(available_cores()) as pool:
        warnings.simplefilter("ignore")
        for row, error in enumerate(pool.map(fill, range(len(items)))):
            if error is not None:
                left_out.add(row, error)
    return result


class LeftOut:
    """Rows with a broken image, of which so many are left out; each is named in the log."""

    def __init__(self, limit: int, advice: str = "") -> None:
        self.limit = limit
        self.advice = advice
        """What to type to have more left out."""
        self.rows: set[int] = set()

    def add(self, row: int, error: DataError) -> None:
        """Takes a row out, once.

        Raises:
            DataError: it is one too many.
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
    """Columns of pictures whose n-th ones belong together, and the numbers of the rows that are whole in all of them.

    Of an animation, the first frame is taken, and one line of the log says so.

    Args:
        columns: what opens the pictures of each column.
        fit: makes a picture uint8, C x H x W.
        shape: channels, height and width of each.
        skip: how many rows with a broken picture to leave out; each is named in the log.

    Raises:
        DataError: naming the picture that is one too many, or all are broken.
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
    # In place: there may be no room for a second table.
    for row, origin in enumerate(kept):
        if row != origin:
            table[row] = table[origin]
    return table[: len(kept)]
