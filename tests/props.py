"""What the pages of the documentation speak of: folders of images, shards, data that was downloaded, trained runs."""

import io
import re
import struct
import tarfile
import zipfile
from pathlib import Path
from shutil import copy2, copytree

import numpy as np
from fences import blocks
from filelock import FileLock
from PIL import Image
from shared import run_command

from docs.building.links import ROOT

RUN = re.compile(r"\bruns/([a-z0-9-]+?)-(mnist|openmoji)-(\d{3})\b")
README_GAN = next(block.text for block in blocks((ROOT / "README.md").read_text("utf-8")) if block.title == "my_gan.py")
"""The file that the README calls a whole GAN."""
SMALL: dict[str, int | str] = {"image_size": 32, "limit": 8, "batch_size": 4, "epochs": 1, "precision": "fp32"}
"""What a training is cut to, whatever was asked."""


def typed(options: dict[str, int | str]) -> list[str]:
    """Options as they are typed."""
    return [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]


class Runs:
    """Tiny real runs, each trained when a page first speaks of it: GAN, data and seed follow from its name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, text: str, place: Path) -> None:
        """Puts the runs that a text names where it says that they are."""
        for gan, dataset, number in sorted(set(RUN.findall(text))):
            kept = self._trained(gan, dataset, int(number))
            copytree(kept, place / "runs" / kept.name, copy_function=_copied)

    def _trained(self, gan: str, dataset: str, number: int) -> Path:
        folder = self.folder / f"{gan}-{dataset}-{number:03}"
        with FileLock(folder.with_suffix(".lock")):
            if folder.exists():  # made for another page, maybe by another process
                return folder
            words = ["run", gan, "--data", dataset, "--seed", str(number - 1), *typed(SMALL), "--out", str(folder)]
            if dataset == "mnist":  # its extractor ships with it: so there is a best checkpoint
                words += ["--evaluate-every", "2", "--evaluate-samples", "70"]
            answer = run_command(*words)
            assert answer.status == 0, answer.err
        return folder


def _copied(source: str, target: str) -> None:
    """A file of its own, unless it is one that is only ever replaced, and large."""
    if source.endswith(".safetensors"):
        Path(target).hardlink_to(source)
    else:
        copy2(source, target)


def picture(number: int, size: int = 40) -> Image.Image:
    """A line across a coloured ground."""
    pixels = np.full((size, size, 3), (40 * number % 256, 200, 255 - 25 * number % 256), np.uint8)
    pixels[np.arange(size), np.arange(size)] = 0
    return Image.fromarray(pixels)


def furnish(place: Path, text: str) -> None:
    """Puts the images there that a page may speak of; shards, of which there are many, if it does."""
    for kind in ("tabby", "black"):
        (place / "cats" / kind).mkdir(parents=True)
        for number in range(6):
            picture(number).save(place / "cats" / kind / f"{number}.jpg")
    for half in "AB":
        (place / "sketches" / half).mkdir(parents=True)
        for number in range(4):
            picture(number).save(place / "sketches" / half / f"{number}.png")
    (place / "drawings").mkdir()
    with zipfile.ZipFile(place / "drawings.zip", "w") as archive:
        for number in range(2):
            picture(number).save(place / "drawings" / f"{number}.png")
            archive.write(place / "drawings" / f"{number}.png", f"{number}.png")
    for name, size in {"drawing.png": 40, "cat.png": 40, "photo.jpg": 40, "small.png": 8}.items():
        picture(1, size).save(place / name)
    if "my_gan.py" in text:
        (place / "my_gan.py").write_text(README_GAN, encoding="utf-8")
    if "cpu.json" in text:
        for name in ("cpu.json", "gpu.json"):
            copy2(ROOT / "benchmarks" / "results" / "epyc-2-cores-avx2.json", place / name)
        copy2(ROOT / "README.md", place)
    if "shards:" not in text:
        return
    for number in range(100):  # the page's `{000000..000099}`
        _shard(place / f"cats-{number:06}.tar", number)
    (place / "packed").mkdir()
    for number in range(2):
        _shard(place / "packed" / f"{number}.tar", number)


def _shard(file: Path, number: int) -> None:
    """An archive of four images."""
    with tarfile.open(file, "w") as archive:
        for row in range(4):
            content = io.BytesIO()
            picture(number + row).save(content, "jpeg")
            member = tarfile.TarInfo(f"{number:06}{row}.jpg")
            member.size = content.tell()
            content.seek(0)
            archive.addfile(member, content)


def download(folder: Path) -> None:
    """Puts a little of Fashion-MNIST where a download would have put all of it."""
    raw = folder / "FashionMNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for part in ("train", "t10k"):
        images, labels = np.arange(28 * 28 * 40) % 251, np.arange(40) % 10
        header = struct.pack(">4i", 0x803, 40, 28, 28), struct.pack(">2i", 0x801, 40)
        for name, head, values in zip(("images-idx3", "labels-idx1"), header, (images, labels), strict=True):
            (raw / f"{part}-{name}-ubyte").write_bytes(head + values.astype(np.uint8).tobytes())
