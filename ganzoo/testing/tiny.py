"""Tiny data of every kind that data sets read."""

import io
import tarfile
from pathlib import Path

from PIL import Image

COLOURS = {"green": (40, 160, 60), "red": (200, 40, 40)}
SIDE = 32
IMAGES = 4
"""Images of each color."""


def picture(colour: str, number: int) -> Image.Image:
    """Return a colored square on white, at a different place for each number."""
    image = Image.new("RGB", (SIDE, SIDE), "white")
    image.paste(COLOURS[colour], (4 * number, 4, 4 * number + 12, 24))
    return image


def write_images(folder: Path) -> Path:
    """Write the data of `folder:PATH` without classes: eight PNG files."""
    for colour in COLOURS:
        for number in range(IMAGES):
            picture(colour, number).save(folder / f"{colour}-{number}.png")
    return folder


def write_classes(folder: Path) -> Path:
    """Write the data of `folder:PATH` with two classes, a sub-folder for each."""
    for colour in COLOURS:
        (folder / colour).mkdir()
        for number in range(IMAGES):
            picture(colour, number).save(folder / colour / f"{number}.png")
    return folder


def write_pairs(folder: Path) -> Path:
    """Write the data of `pairs:PATH`: source and target side by side in one file, the source in gray."""
    for colour in COLOURS:
        for number in range(IMAGES):
            both, target = Image.new("RGB", (2 * SIDE, SIDE)), picture(colour, number)
            both.paste(target.convert("L").convert("RGB"), (0, 0))
            both.paste(target, (SIDE, 0))
            both.save(folder / f"{colour}-{number}.png")
    return folder


def write_shards(folder: Path) -> Path:
    """Write the data of `shards:PATH`: two tar archives of samples with an image, its class, a caption and a pair."""
    for shard, colour in enumerate(COLOURS):
        with tarfile.open(folder / f"data-{shard:03}.tar", "w") as archive:
            for number in range(IMAGES):
                image = picture(colour, number)
                files = {
                    "png": packed(image),
                    "cls": str(shard).encode(),
                    "txt": f"a {colour} square".encode(),
                    "source.png": packed(image.convert("L")),
                    "target.png": packed(image),
                }
                for kind, content in files.items():
                    member = tarfile.TarInfo(f"{colour}-{number}.{kind}")
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
    return folder


def packed(image: Image.Image) -> bytes:
    """Return a PNG file."""
    file = io.BytesIO()
    image.save(file, "png")
    return file.getvalue()
