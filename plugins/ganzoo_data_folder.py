"""Your own images, in a folder or a ZIP: `folder:PATH`, sub-folders as classes, `pairs:PATH` for image translation."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

import torch
from PIL import Image
from pydantic import Field, field_serializer

import ganzoo
from ganzoo.data import EXTENSIONS, ImageFiles, Opener, images_at, read_columns

Side: TypeAlias = Literal["source", "target"]
SIDES: tuple[Side, Side] = ("source", "target")
PAIRS = (("a", "b"), ("source", "target"), ("traina", "trainb"))
"""Names of two folders of pairs, in lower case."""


class PathDataset(ganzoo.Dataset):
    """Images in a folder or ZIP of the user's."""

    licence = "unknown: data of whoever trained it"
    may_change = frozenset({"path", "skip"})

    path: Path = Field(description="folder of images, or a .zip of it")
    skip: int = Field(
        0, ge=0, description="number of broken images to skip, each named in the log, before training fails"
    )

    @field_serializer("path")
    def _portable(self, path: Path) -> str:
        return path.as_posix()


class Folder(PathDataset):
    """Images in a folder or ZIP, including sub-folders, which are classes if there are no images outside them."""

    name = "folder"
    provides = frozenset({"image", "label"})

    def load(self, request: ganzoo.DataRequest) -> ganzoo.InMemoryData:
        with images_at(self.path) as files:
            names = files.names()
            if not names:
                raise empty(files.path)
            parents = [name.parts[0] for name in names if len(name.parts) > 1]
            classes = tuple(sorted(set(parents))) if len(parents) == len(names) else ()
            if "label" in request.fields and not classes:
                raise ganzoo.DataError(
                    f"the images in '{files.path}' have no classes: put those of each class into a sub-folder of its "
                    "own"
                )
            rows = request.rows(len(names))
            wanted = {"image": [partial(files.open, names[row]) for row in rows]} if "image" in request.fields else {}
            columns, kept = read_columns(wanted, request.fit, request.shape, self.skip)
        if "label" in request.fields:
            labels = torch.tensor([classes.index(parents[row]) for row in rows])
            columns["label"] = labels[kept] if columns else labels
        return ganzoo.InMemoryData(columns, classes)


class Pairs(PathDataset):
    """Pairs of images: each file holds source | target side by side, or two folders (A, B) have files of one name."""

    name = "pairs"
    provides = frozenset({"source", "target", "image"})

    def load(self, request: ganzoo.DataRequest) -> ganzoo.InMemoryData:
        sides: dict[str, Side] = {"source": "source", "target": "target", "image": "target"}
        with images_at(self.path) as files:
            pairs = openers(files)
            rows = request.rows(len(pairs))
            asked = sorted({sides[field] for field in request.fields})
            wanted = {str(side): [pairs[row][side] for row in rows] for side in asked}
            loaded, _ = read_columns(wanted, request.fit, request.shape, self.skip)
        return ganzoo.InMemoryData({field: loaded[sides[field]] for field in request.fields})


def openers(files: ImageFiles) -> list[dict[Side, Opener]]:
    """Return functions that open source and target of each pair.

    Raises:
        DataError: if there are no pairs, or some files have no partner.
    """
    names = files.names()
    if folders := two_folders(files.folders()):
        return [
            {"source": partial(files.open, first), "target": partial(files.open, second)}
            for first, second in match(files.path, names, folders)
        ]
    beside = [name for name in names if len(name.parts) == 1]
    if not beside:
        raise ganzoo.DataError(
            f"'{files.path}' has no images, nor two folders of them called A and B, source and target, or trainA and "
            "trainB"
        )
    return [{side: partial(half, files, name, side) for side in SIDES} for name in beside]


def half(files: ImageFiles, name: PurePosixPath, side: Side) -> Image.Image:
    """Open half of an image: the left one is the source, the right one the target.

    Raises:
        DataError: if the file is broken, or its width is odd.
    """
    image = files.open(name)
    if image.width % 2:
        raise ganzoo.DataError(
            f"'{files.path / name}' is {image.width} pixels wide, which cannot be halved; "
            "expected source and target side by side"
        )
    middle = image.width // 2
    return image.crop((0, 0, middle, image.height) if side == "source" else (middle, 0, image.width, image.height))


def two_folders(folders: Iterable[str]) -> tuple[str, str] | None:
    """Return the folders of sources and targets, or None."""
    below = {name.lower(): name for name in folders}
    return next(((below[first], below[second]) for first, second in PAIRS if {first, second} <= below.keys()), None)


def match(
    place: Path, names: Iterable[PurePosixPath], folders: tuple[str, str]
) -> list[tuple[PurePosixPath, PurePosixPath]]:
    """Match files of the same name in two folders, whatever their formats.

    Raises:
        DataError: naming files without a partner.
    """
    names = list(names)
    left, right = (by_stem(place, names, folder) for folder in folders)
    if not left or not right:
        raise empty(place / folders[bool(left)])
    complaints = [
        f"only in '{place / folder}': {some(alone)}"
        for folder, alone in zip(folders, (left.keys() - right.keys(), right.keys() - left.keys()), strict=True)
        if alone
    ]
    if complaints:
        raise ganzoo.DataError("each image needs a partner of the same name; " + "; ".join(complaints))
    return [(left[stem], right[stem]) for stem in sorted(left)]


def by_stem(place: Path, names: Iterable[PurePosixPath], folder: str) -> dict[str, PurePosixPath]:
    """Return the images of a folder by their names without extension.

    Raises:
        DataError: if two have the same name.
    """
    files: dict[str, PurePosixPath] = {}
    for name in names:
        if len(name.parts) == 1 or name.parts[0] != folder:
            continue
        stem = name.relative_to(folder).with_suffix("").as_posix()
        if stem in files:
            raise ganzoo.DataError(f"'{place / files[stem]}' and '{place / name}' have the same name; which is meant?")
        files[stem] = name
    return files


def some(names: Iterable[str]) -> str:
    """Return the first three names, and the number of others."""
    names = sorted(names)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def empty(folder: Path) -> ganzoo.DataError:
    """Return the error for a folder without images."""
    return ganzoo.DataError(f"there are no images in '{folder}' (looked for {', '.join(sorted(EXTENSIONS))})")


@ganzoo.hookimpl
def register_datasets(register: ganzoo.Register) -> None:
    register(Folder)
    register(Pairs)
