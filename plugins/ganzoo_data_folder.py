"""Folders of your own images: `folder:PATH`, with sub-folders as classes, and `pairs:PATH` for image translation."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch
from PIL import Image
from pydantic import Field, field_serializer, model_validator
from torch import Tensor

import ganzoo
from ganzoo.data.images import EXTENSIONS, decode, existing_folder, find_images, open_image

Side: TypeAlias = Literal["source", "target"]
PAIRS = (("a", "b"), ("source", "target"), ("traina", "trainb"))
"""What two folders of pairs may be called, in lower case."""


class PathDataset(ganzoo.Dataset):
    """Images in a folder that the user names."""

    path: Path = Field(description="the folder with the images")

    @model_validator(mode="before")
    @classmethod
    def _needs_path(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and not values.get("path"):
            raise ganzoo.DataError(f"'{cls.name}' needs to know which folder: write {cls.name}:PATH")
        return values

    @field_serializer("path")
    def _portable(self, path: Path) -> str:
        return path.as_posix()


class Folder(PathDataset):
    """The images in a folder and below it; its sub-folders are classes if there are no images beside them."""

    name = "folder"
    provides = frozenset({"image", "label"})

    def load(self, request: ganzoo.Request) -> ganzoo.Table:
        folder = existing_folder(self.path)
        files = find_images(folder)
        if not files:
            raise empty(folder)
        names = [file.relative_to(folder).parts[0] for file in files if file.parent != folder]
        classes = tuple(sorted(set(names))) if len(names) == len(files) else ()
        if "label" in request.fields and not classes:
            raise ganzoo.DataError(
                f"the images in '{folder}' have no classes: put those of each class into a sub-folder of its own"
            )
        rows, columns = request.rows(len(files)), dict[str, Tensor]()
        if "image" in request.fields:
            columns["image"] = decode(
                [files[row] for row in rows], lambda file: request.fit(open_image(file)), request.shape
            )
        if "label" in request.fields:
            columns["label"] = torch.tensor([classes.index(names[row]) for row in rows])
        return ganzoo.Table(columns, classes)


class Pairs(PathDataset):
    """Pairs of images: each file holds source | target side by side, or two folders (A, B) hold files of one name."""

    name = "pairs"
    provides = frozenset({"source", "target", "image"})

    def load(self, request: ganzoo.Request) -> ganzoo.Table:
        folder = existing_folder(self.path)
        sides: dict[str, Side] = {"source": "source", "target": "target", "image": "target"}
        loaded: dict[Side, Tensor] = {}
        for side in sorted({sides[field] for field in request.fields}):
            loaded[side] = self._load_side(folder, side, request)
        return ganzoo.Table({field: loaded[sides[field]] for field in request.fields})

    def _load_side(self, folder: Path, side: Side, request: ganzoo.Request) -> Tensor:
        if folders := two_folders(folder):
            files = [pair[side == "target"] for pair in match(*folders)]
            chosen = [files[row] for row in request.rows(len(files))]
            return decode(chosen, lambda file: request.fit(open_image(file)), request.shape)
        files = find_images(folder, deep=False)
        if not files:
            raise ganzoo.DataError(
                f"'{folder}' has no images, nor two folders of them called A and B, source and target, or trainA and "
                "trainB"
            )
        chosen = [files[row] for row in request.rows(len(files))]
        return decode(chosen, lambda file: request.fit(half(file, side)), request.shape)


def half(file: Path, side: Side) -> Image.Image:
    """Half of a picture: the left one is the source, the right one the target.

    Raises:
        DataError: the file is broken, or there is no middle.
    """
    image = open_image(file)
    if image.width % 2:
        raise ganzoo.DataError(
            f"'{file}' is {image.width} pixels wide, which cannot be halved; expected source and target side by side"
        )
    middle = image.width // 2
    return image.crop((0, 0, middle, image.height) if side == "source" else (middle, 0, image.width, image.height))


def two_folders(folder: Path) -> tuple[Path, Path] | None:
    """The folders of sources and of targets, if there are such."""
    below = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_dir()}
    return next(((below[first], below[second]) for first, second in PAIRS if {first, second} <= below.keys()), None)


def match(first: Path, second: Path) -> list[tuple[Path, Path]]:
    """Files of the same name in two folders, whatever kind of image each is.

    Raises:
        DataError: naming files that have no partner.
    """
    left, right = by_stem(first), by_stem(second)
    if not left or not right:
        raise empty(second if left else first)
    complaints = [
        f"only in '{folder}': {some(names)}"
        for folder, names in ((first, left.keys() - right.keys()), (second, right.keys() - left.keys()))
        if names
    ]
    if complaints:
        raise ganzoo.DataError("each image needs a partner of the same name; " + "; ".join(complaints))
    return [(left[stem], right[stem]) for stem in sorted(left)]


def by_stem(folder: Path) -> dict[str, Path]:
    """The images of a folder by their names, without what kind of image they are.

    Raises:
        DataError: two have the same name.
    """
    files: dict[str, Path] = {}
    for file in find_images(folder):
        stem = file.relative_to(folder).with_suffix("").as_posix()
        if stem in files:
            raise ganzoo.DataError(f"'{files[stem]}' and '{file}' have the same name; which is meant?")
        files[stem] = file
    return files


def some(names: Iterable[str]) -> str:
    """The first three names, and how many more there are."""
    names = sorted(names)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def empty(folder: Path) -> ganzoo.DataError:
    """What to say of a folder without images."""
    return ganzoo.DataError(f"there are no images in '{folder}' (looked for {', '.join(sorted(EXTENSIONS))})")


@ganzoo.hookimpl
def register_datasets(register: ganzoo.Register) -> None:
    register(Folder)
    register(Pairs)
