"""The pictures of a report: sample grids and what is cut from them, small enough to be kept within a page."""

import base64
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from ganzoo import pictures
from ganzoo.data import open_image
from ganzoo.errors import DataError
from ganzoo.run_folders import inspect_run
from ganzoo_report.record import Record

GRIDS, BUDGET = 48, 6 * 2**20
"""Sample grids in the slider, and their bytes, at most."""
SIDE, LARGE = 1024, 2048
"""Pixels of a grid's longer side, at most: in the slider, and of the last one."""
LOSSLESS = 2**20
"""Bytes, and pixels, up to which a single picture is kept pixel by pixel."""


@dataclass(frozen=True)
class EncodedImage:
    """A picture as a part of the page."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True)
class Frame:
    """A sample grid and when it was made."""

    iteration: int
    shot: EncodedImage


@dataclass(frozen=True)
class Filmstrip:
    """The sample grids of a run."""

    frames: list[Frame]
    last: Frame | None
    """The last one, large."""
    notes: list[str]
    """What was left out or made smaller, in sentences."""

    def drawn(self, per_epoch: float | None) -> dict[str, Any]:
        """What the page's script shows it from."""
        return {"frames": [asdict(frame) for frame in self.frames], "per_epoch": per_epoch}


def film(record: Record) -> Filmstrip:
    """The sample grids of a run: all, or as many as a page bears."""
    files = record.folder.grids()
    frames, notes, scaled = [], [], False
    for file in thinned(files, GRIDS):
        try:
            picture = open_image(file)
        except DataError as error:
            notes.append(f"{error}.")
            continue
        small = _within(picture, SIDE)
        scaled = scaled or small is not picture
        frames.append((int(file.stem), small))
    encoded = _encoded(frames)
    if len(encoded) < len(files) - len(notes):
        notes.insert(0, f"{len(encoded)} of {len(files)} grids, evenly spaced; the folder has them all.")
    if scaled:
        notes.append(f"Scaled down to {SIDE} pixels.")
    return Filmstrip(encoded, last(record), notes)


def last(record: Record) -> Frame | None:
    """The last sample grid that can be read, large."""
    for iteration, file in reversed(_grids(record)):
        try:
            return Frame(iteration, shot(_within(open_image(file), LARGE)))
        except DataError:
            continue
    return None


def _grids(record: Record) -> list[tuple[int, Path]]:
    """The iteration and the file of each sample grid; an export has one alone."""
    if record.is_export and (own := record.folder.picture).is_file() and not own.is_symlink():
        return [(inspect_run(record.folder.path.resolve()).iteration, own)]
    return [(int(file.stem), file) for file in record.folder.grids()]


def thinned(files: Sequence[Path], most: int) -> list[Path]:
    """So many of them at most, evenly spaced, the first and the last among them."""
    if len(files) <= most:
        return list(files)
    return [files[round(place * (len(files) - 1) / (most - 1))] for place in range(most)]


def shot(picture: Image.Image, lossless: int = LOSSLESS) -> EncodedImage:
    """A picture as a part of the page; beyond so many bytes it loses what eyes do not see."""
    content = _webp(picture, lossless=True) if picture.width * picture.height <= LOSSLESS else b""  # slow to work out
    return _shot(picture, content if 0 < len(content) <= lossless else _webp(picture, lossless=False))


def neighbors(record: Record) -> EncodedImage | None:
    """The picture of samples beside their nearest training images, if `ganzoo evaluate --nearest` made one."""
    file = record.folder.nearest
    if not file.is_file() or file.is_symlink():
        return None
    try:
        return shot(_within(open_image(file), LARGE))
    except DataError:
        return None


@dataclass(frozen=True)
class Row:
    """One translation: what it was made from, what was made, and what was to be made if the grid shows it."""

    source: EncodedImage
    made: EncodedImage
    target: EncodedImage | None


def translations(record: Record) -> list[Row]:
    """The rows of the last sample grid of a translation; empty: there is none, or it is laid out in another way."""
    grids = _grids(record)
    if not (record.translates and record.data and grids):
        return []
    shapes = [record.data.shapes[name] for name in ("source", "target", "image") if name in record.data.shapes]
    height, width = max(shape[1] for shape in shapes), max(shape[2] for shape in shapes)
    try:
        picture = open_image(grids[-1][1])
    except DataError:
        return []
    kinds = 3 if "target" in record.data.shapes else 2
    down, across = height + pictures.PADDING, width + pictures.PADDING
    columns, rows = (picture.width - pictures.PADDING) // across, (picture.height - pictures.PADDING) // down
    fits = (columns * across + pictures.PADDING, rows * down + pictures.PADDING) == picture.size
    if not fits or columns % kinds:
        return []
    places = [(column * across, row * down) for row in range(rows) for column in range(columns)]
    corners = [(left + pictures.PADDING, top + pictures.PADDING) for left, top in places]
    tiles = [picture.crop((left, top, left + width, top + height)) for left, top in corners]
    cut = [tiles[start : start + kinds] for start in range(0, len(tiles), kinds)]
    while cut and all(map(_is_blank, cut[-1])):
        cut.pop()
    found = [[shot(_within(tile, 512), 48 * 2**10) for tile in row] for row in cut]
    return [Row(row[0], row[1], row[2] if kinds == 3 else None) for row in found]


def _encoded(frames: list[tuple[int, Image.Image]]) -> list[Frame]:
    """Pixel by pixel if that is little enough; else with loss, and if need be fewer."""
    lossless = bool(frames) and len(frames) * len(_webp(frames[-1][1], lossless=True)) <= BUDGET
    while frames:
        contents = [_webp(picture, lossless) for _, picture in frames]
        if sum(map(len, contents)) <= BUDGET or len(frames) == 1:
            pairs = zip(frames, contents, strict=True)
            return [Frame(iteration, _shot(picture, content)) for (iteration, picture), content in pairs]
        if lossless:
            lossless = False
        else:
            last = frames[-1:] if len(frames) % 2 == 0 else []
            frames = frames[::2][: -1 if last else None] + last
    return []


def _within(picture: Image.Image, side: int) -> Image.Image:
    if max(picture.size) <= side:
        return picture
    small = picture.convert(_mode(picture))
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return small


def _webp(picture: Image.Image, lossless: bool) -> bytes:
    stream = io.BytesIO()
    picture.convert(_mode(picture)).save(stream, "WEBP", lossless=lossless, quality=80 if lossless else 88, method=4)
    return stream.getvalue()


def _mode(picture: Image.Image) -> str:
    return "RGBA" if "A" in picture.getbands() or "transparency" in picture.info else "RGB"


def _shot(picture: Image.Image, content: bytes) -> EncodedImage:
    return EncodedImage(f"data:image/webp;base64,{base64.b64encode(content).decode()}", picture.width, picture.height)


def _is_blank(tile: Image.Image) -> bool:
    """Whether it may be a place of the grid that holds no image: these are filled with black or white."""
    return set(tile.convert("RGB").getextrema()) in ({(0, 0)}, {(255, 255)})
