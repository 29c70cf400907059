"""Image files: a single image, a folder, a ZIP or an array. Written incrementally, completely or not at all."""

import itertools
import os
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any, Literal, TypeAlias

import numpy as np
from PIL import Image
from torch import Tensor

from ganzoo import pictures
from ganzoo.base.io import atomic_write
from ganzoo.errors import OptionError
from ganzoo.runs.folder import RunFolder

Kind: TypeAlias = Literal["picture", "folder", "zip", "npz", "film"]
FILMS = frozenset({".gif", ".mp4", ".webp"})
"""Extensions of animation formats, in lower case."""
Put: TypeAlias = Callable[[PurePath, Image.Image], None]
"""Function that saves an image under a name."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""Modification time of all ZIP members, so that the same images give the same ZIP."""


def kind_of(out: Path, *, film: bool = False) -> Kind:
    """Return the kind of output for the extension of a path; without one, a folder.

    Args:
        out: output path.
        film: whether the images are frames of an animation.

    Raises:
        OptionError: if the format cannot be written.
    """
    ending = out.suffix.lower()
    if not ending or out.is_dir():
        check_folder(out)
        return "folder"
    if ending in (".zip", ".npz"):
        return "zip" if ending == ".zip" else "npz"
    if film and ending in FILMS:
        return "film"
    if ending == ".mp4":
        raise OptionError(f"'{out}' would be a film: add --interpolate 8 to walk through images, or try {_as_png(out)}")
    if ending not in Image.registered_extensions():
        other = f"film format; try {out.with_suffix('.mp4')}" if film else f"picture format; try {_as_png(out)}"
        raise OptionError(f"'{out}' ends in no {other}")
    if Image.registered_extensions()[ending] not in Image.SAVE:
        raise OptionError(
            f"'{out}' cannot be written: {ending} can only be read; give another --out, such as images.png"
        )
    return "picture"


def free_target(stem: str, ending: str = "") -> Path:
    """Return an unused path in the working directory: STEM.png, else STEM-2.png, and so on."""
    paths = (Path(f"{stem}{f'-{number}' if number > 1 else ''}{ending}") for number in itertools.count(1))
    return next(path for path in paths if not os.path.lexists(path))


def check_folder(out: Path) -> None:
    """Check that a path is not a file, and not a run folder.

    Raises:
        OptionError: if it is.
    """
    if RunFolder(out).config.is_file():
        raise OptionError(f"'{out}' is the folder of a run; give another --out, such as {out / 'images'}")
    if out.exists() and not out.is_dir():
        raise OptionError(f"'{out}' cannot be written: it is a file, not a folder; give another --out")


def is_zip(out: Path) -> bool:
    """Whether output goes into a ZIP file, not a folder."""
    return out.suffix.lower() == ".zip" and not out.is_dir()


def _as_png(out: Path) -> Path:
    return out.with_suffix(".png")


@contextmanager
def written(out: Path) -> Iterator[Path]:
    """Yield a draft path next to the output, or in its existing folder; on exit it becomes `out`.

    Existing files of a folder stay, except those with the same names. On an error, nothing written remains.

    Raises:
        OptionError: if it cannot be written.
    """
    folder = out if out.is_dir() else out.parent
    try:
        with atomic_write(folder / f".{os.getpid()}.{out.name}", out, _move) as draft:
            yield draft
    except OSError as error:
        reason = error.strerror or str(error).partition("\n")[0]
        other = f"such as images{out.suffix.lower()}"
        raise OptionError(f"'{out}' cannot be written: {reason}; give another --out, {other}") from error


def _move(draft: Path, out: Path) -> None:
    if not (draft.is_dir() and out.is_dir()):
        draft.replace(out)
        return
    places = {file: out / file.relative_to(draft) for file in sorted(draft.rglob("*"))}
    for file, place in places.items():  # check all before moving the first
        if os.path.lexists(place) and file.is_dir() != place.is_dir():
            kinds = ("file", "folder") if file.is_dir() else ("folder", "file")
            raise OptionError(
                f"'{out}' cannot be written: '{place}' is a {kinds[0]}, not a {kinds[1]}; give another --out"
            )
        if place.parent.is_dir() and not os.access(place.parent, os.W_OK | os.X_OK):
            raise OptionError(f"'{out}' cannot be written: Permission denied for '{place.parent}'; give another --out")
    for file, place in places.items():
        if file.is_dir():
            place.mkdir(exist_ok=True)
        else:
            file.replace(place)


@contextmanager
def files(out: Path) -> Iterator[Put]:
    """Yield a function that saves images as PNG in a folder or a .zip; files appear on exit.

    Raises:
        OptionError: if it cannot be written.
    """
    with written(out) as draft:
        if is_zip(out):
            with zipfile.ZipFile(draft, "x") as archive:
                yield lambda name, picture: _pack(archive, name, picture)
            return
        draft.mkdir()

        def put(name: PurePath, picture: Image.Image) -> None:
            file = draft / name
            file.parent.mkdir(parents=True, exist_ok=True)
            picture.save(file, "PNG")

        yield put


def _pack(archive: zipfile.ZipFile, name: PurePath, picture: Image.Image) -> None:
    with archive.open(zipfile.ZipInfo(name.as_posix(), EPOCH), "w") as stream:
        picture.save(stream, "PNG")  # already compressed: the ZIP only stores it


def write_files(out: Path, pictured: Iterable[Image.Image], count: int) -> None:
    """Write images as 00000.png, 00001.png, ... to a folder or a ZIP.

    Raises:
        OptionError: if it cannot be written.
    """
    digits = max(5, len(str(count - 1)))
    with files(out) as put:
        for number, picture in enumerate(pictured):
            put(PurePath(f"{number:0{digits}}.png"), picture)


def write_picture(out: Path, picture: Callable[[], Image.Image]) -> None:
    """Write one image, made after checking that the path is writable, in the format of its extension.

    Raises:
        OptionError: if it cannot be written.
    """
    with written(out) as draft, draft.open("w+b") as stream:
        made = picture()
        try:
            made.save(stream, Image.registered_extensions()[out.suffix.lower()])
        except (ValueError, struct.error) as error:  # size or mode that the format does not support
            raise OptionError(f"'{out}' cannot be written: {error}; try {_as_png(out)} as --out") from error


def write_arrays(out: Path, parts: Iterable[Tensor], count: int, others: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Write images as the array `images` of a NumPy archive, uint8, N x H x W x C, together with other arrays.

    Raises:
        OptionError: if it cannot be written.
    """
    with written(out) as draft, zipfile.ZipFile(draft, "x") as archive:
        with archive.open(zipfile.ZipInfo("images.npy", EPOCH), "w", force_zip64=True) as stream:
            for number, pixels in enumerate(map(pictures.to_pixels, parts)):
                if not number:
                    header = {"descr": "|u1", "fortran_order": False, "shape": (count, *pixels.shape[1:])}
                    np.lib.format.write_array_header_1_0(stream, header)
                stream.write(pixels.numpy().tobytes())
        for name, array in others.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy", EPOCH), "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)
