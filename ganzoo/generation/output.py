"""Files of images: one picture, a folder, a ZIP or an array. Written as the images come, and whole or not at all."""

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
from ganzoo.engine.folder import RunFolder
from ganzoo.errors import OptionError
from ganzoo.files import drafted

Kind: TypeAlias = Literal["picture", "folder", "zip", "npz", "film"]
FILMS = frozenset({".gif", ".mp4", ".webp"})
"""What files of moving pictures are called, in lower case."""
Put: TypeAlias = Callable[[PurePath, Image.Image], None]
"""Writes a picture under a name."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""When all members of a ZIP were made, so that the same images are the same ZIP."""


def kind_of(out: Path, *, film: bool = False) -> Kind:
    """What is asked for by the ending of a path: without one, a folder.

    Args:
        out: where images are to go.
        film: whether they are the frames of one.

    Raises:
        OptionError: it is like a file's, but none that can be written.
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
    """A path in the working directory at which there is nothing: STEM.png, else STEM-2.png, and so on."""
    paths = (Path(f"{stem}{f'-{number}' if number > 1 else ''}{ending}") for number in itertools.count(1))
    return next(path for path in paths if not os.path.lexists(path))


def check_folder(out: Path) -> None:
    """Refuses a file in the place of a folder, and the folder of a run.

    Raises:
        OptionError: it is one.
    """
    if RunFolder(out).config.is_file():
        raise OptionError(f"'{out}' is the folder of a run; give another --out, such as {out / 'images'}")
    if out.exists() and not out.is_dir():
        raise OptionError(f"'{out}' cannot be written: it is a file, not a folder; give another --out")


def is_zip(out: Path) -> bool:
    """Whether files go into a ZIP of that name, not into a folder."""
    return out.suffix.lower() == ".zip" and not out.is_dir()


def _as_png(out: Path) -> Path:
    return out.with_suffix(".png")


@contextmanager
def written(out: Path) -> Iterator[Path]:
    """Gives a path beside that of a file, or in a folder that is there; what was written to it becomes `out`.

    What is in a folder already stays, unless it has the same name. After an error nothing is left of what was written.

    Raises:
        OptionError: it cannot be written.
    """
    folder = out if out.is_dir() else out.parent
    try:
        with drafted(folder / f".{os.getpid()}.{out.name}", out, _move) as draft:
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
    for file, place in places.items():  # each is looked at before the first is moved
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
    """Within, pictures can be put into a folder, or into a .zip, as PNG; they are there when it is left.

    Raises:
        OptionError: it cannot be written.
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
        picture.save(stream, "PNG")  # which is compressed: the ZIP need not try


def write_files(out: Path, pictured: Iterable[Image.Image], count: int) -> None:
    """So many pictures as 00000.png, 00001.png, ... in a folder or a ZIP.

    Raises:
        OptionError: it cannot be written.
    """
    digits = max(5, len(str(count - 1)))
    with files(out) as put:
        for number, picture in enumerate(pictured):
            put(PurePath(f"{number:0{digits}}.png"), picture)


def write_picture(out: Path, picture: Callable[[], Image.Image]) -> None:
    """One picture, made when it is known that it can be written, in the format of the path's ending.

    Raises:
        OptionError: it cannot be written.
    """
    with written(out) as draft, draft.open("w+b") as stream:
        made = picture()
        try:
            made.save(stream, Image.registered_extensions()[out.suffix.lower()])
        except (ValueError, struct.error) as error:  # what a format has no room or no colours for
            raise OptionError(f"'{out}' cannot be written: {error}; try {_as_png(out)} as --out") from error


def write_arrays(out: Path, parts: Iterable[Tensor], count: int, others: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """So many images as the array `images` of a NumPy archive, uint8, N x H x W x C, and others beside it.

    Raises:
        OptionError: it cannot be written.
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
