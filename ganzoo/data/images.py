"""Reading image files: finding them, decoding them in threads, naming the one that is broken."""

import io
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from ganzoo.data.fit import blank
from ganzoo.errors import DataError
from ganzoo.machine import available_cores

EXTENSIONS = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
"""What image files are called, in lower case."""

Item = TypeVar("Item")


def existing_folder(path: Path) -> Path:
    """The folder, `~` replaced.

    Raises:
        DataError: there is none, or it is a file.
    """
    path = path.expanduser()
    if not path.exists():
        raise DataError(f"there is no folder '{path}'")
    if not path.is_dir():
        raise DataError(f"'{path}' is a file; give the folder that holds the images")
    return path


def find_images(folder: Path, *, deep: bool = True) -> list[Path]:
    """The images in a folder, and unless it should not be `deep` in those below, sorted; nothing hidden."""
    found = folder.rglob("*") if deep else folder.iterdir()
    return sorted(
        path
        for path in found
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
            return ImageOps.exif_transpose(image)
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


def decode(items: Sequence[Item], pixels: Callable[[Item], Tensor], shape: tuple[int, int, int]) -> Tensor:
    """`pixels` of each item (uint8, C x H x W), worked out in threads: uint8, N x C x H x W.

    Raises:
        DataError: what `pixels` raises, or there is not so much memory.
    """
    result = blank(len(items), shape)

    def fill(row: int) -> None:
        result[row] = pixels(items[row])

    # Pillow lets go of the interpreter while it decodes and scales. Its warnings are of no use to who trains a GAN, and
    # filters belong to the process, so they are set outside of the threads.
    with warnings.catch_warnings(), ThreadPoolExecutor(available_cores()) as pool:
        warnings.simplefilter("ignore")
        for _ in pool.map(fill, range(len(items))):
            pass
    return result
