"""MNIST, which ships with ganzoo, and Fashion-MNIST, which is downloaded on first use: 28 x 28, gray, ten classes."""

import gzip
import hashlib
import importlib.resources
import os
import zlib
from abc import abstractmethod
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO, ClassVar, cast

import torch
from filelock import FileLock
from torch import Tensor

import ganzoo
from ganzoo.data import encode
from ganzoo_data_mnist.classifier import Digits

CHECKSUMS = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
"""MD5 checksums of MNIST's unpacked files."""
CAPTION = 32
"""Bytes per caption; the longest has 29."""
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
CLOTHES = (
    "a T-shirt",
    "a pair of trousers",
    "a pullover",
    "a dress",
    "a coat",
    "a sandal",
    "a shirt",
    "a sneaker",
    "a bag",
    "an ankle boot",
)


class IdxDataset(ganzoo.Dataset):
    """Two IDX files per split, in torchvision's location: FOLDER/NAME/raw. Existing files are used."""

    provides = frozenset({"image", "label", "caption"})
    shapes = {"label": (), "caption": (CAPTION,)}
    channels = 1
    splits = frozenset({"train", "test"})
    home: ClassVar[str]
    """torchvision's name of the data set."""
    captions: ClassVar[tuple[tuple[str, ...], ...]]
    """Phrases that describe each class; a row has one of them, by its number."""

    def load(self, request: ganzoo.DataRequest) -> ganzoo.InMemoryData:
        from torchvision.datasets import mnist  # slow to import, and not needed for listing data sets

        raw = request.folder / self.home / "raw"
        prefix = "train" if request.split == "train" else "t10k"
        images = self.read(raw / f"{prefix}-images-idx3-ubyte", mnist.read_image_file, 3)
        labels = self.read(raw / f"{prefix}-labels-idx1-ubyte", mnist.read_label_file, 1)
        if len(images) != len(labels) or not len(labels) or labels.max() >= len(self.classes):
            raise ganzoo.DataError(
                f"the images and labels in '{raw}' do not belong together; delete them and run again"
            )
        rows = torch.tensor(request.rows(len(images)))
        columns = {"label": labels[rows]} if "label" in request.fields else {}
        if "caption" in request.fields:
            columns["caption"] = self.caption(labels[rows], rows)
        if "image" in request.fields:
            columns["image"] = request.fit_all(images[rows, None])
        return ganzoo.InMemoryData(columns, self.classes)

    def caption(self, labels: Tensor, rows: Tensor) -> Tensor:
        """Return captions for these row numbers and labels, uint8, N x CAPTION."""
        phrases = torch.stack([encode(said, CAPTION) for said in self.captions])
        return phrases[labels, rows % phrases.shape[1]]

    def read(self, file: Path, reader: Callable[[str], Tensor], dimensions: int) -> Tensor:
        """Return the numbers in a file, which is fetched first if it is missing.

        Raises:
            DataError: if it is damaged or not available.
        """
        try:
            if missing := not file.is_file():
                file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(file, error) from error
        if missing:
            self.fetch(file)
        try:
            return reader(str(file))
        except Exception as error:  # torchvision's readers raise various errors for damaged files
            raise ganzoo.DataError(f"'{file}' is damaged or no IDX file; delete it and run again") from error

    @abstractmethod
    def fetch(self, file: Path) -> None:
        """Put a missing file into its existing folder.

        Raises:
            DataError: if it is not available, or the folder cannot be written to.
        """


class MNIST(IdxDataset):
    """Handwritten digits: 60,000 training and 10,000 test images, 28 x 28."""

    name = "mnist"
    licence = "CC BY-SA 3.0 (Y. LeCun, C. Cortes, C. J. C. Burges)"
    home = "MNIST"
    extractor = "digits"
    classes = tuple("0123456789")
    captions = tuple(
        (
            f"{'an' if word == 'eight' else 'a'} {word}",
            f"the digit {word}",
            f"a handwritten {digit}",
            f"the number {digit}",
            word,
            f"{'an' if digit == 8 else 'a'} {digit} written by hand",
            f"a picture of the digit {digit}",
        )
        for digit, word in enumerate(DIGITS)
    )

    def fetch(self, file: Path) -> None:
        with (importlib.resources.files(__name__) / f"{file.name}.gz").open("rb") as packed:
            unpack(cast("BinaryIO", packed), file, CHECKSUMS[file.name])


class FashionMNIST(IdxDataset):
    """Pieces of clothing: 60,000 training and 10,000 test images, 28 x 28; 30 MB, downloaded on first use."""

    name = "fashion-mnist"
    licence = "MIT (Zalando SE)"
    home = "FashionMNIST"
    classes = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )
    captions = tuple(
        (name, f"a photo of {name}", name.partition(" ")[2], f"this is {name}", f"{name} in grey") for name in CLOTHES
    )

    def fetch(self, file: Path) -> None:
        try:
            with FileLock(file.parents[2] / f".{self.name}.lock"):  # other processes may be downloading, too
                if not file.is_file():
                    self._download(file)
        except (OSError, NotImplementedError) as error:  # the latter on file systems without locks
            raise unwritable(file, error) from error

    def _download(self, file: Path) -> None:
        from torchvision import datasets  # slow to import

        mirror, packed = datasets.FashionMNIST.mirrors[0], file.with_name(f"{file.name}.gz")
        checksum = dict(datasets.FashionMNIST.resources)[packed.name]
        try:
            datasets.utils.download_url(mirror + packed.name, file.parent, packed.name, checksum)
        except (OSError, RuntimeError, HTTPException) as error:
            if not os.access(file.parent, os.W_OK):
                raise unwritable(file, error) from error
            names = ", ".join(name for name, _ in datasets.FashionMNIST.resources)
            raise ganzoo.DataError(
                f"'{packed.name}' cannot be downloaded from {mirror}: {error}\n"
                f"put these files into '{file.parent}': {names}"
            ) from error
        with packed.open("rb") as stream:
            unpack(stream, file)


def unpack(packed: BinaryIO, file: Path, checksum: str = "") -> None:
    """Unpack gzip data into a file that appears only once it is complete.

    Raises:
        DataError: if the folder cannot be written to, or the MD5 checksum does not match.
    """
    try:
        content = gzip.decompress(packed.read())
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ganzoo.DataError(f"'{file.name}.gz' is damaged: {error}") from error
    if checksum and hashlib.md5(content, usedforsecurity=False).hexdigest() != checksum:
        raise ganzoo.DataError(f"the '{file.name}.gz' that came with ganzoo is damaged; install ganzoo again")
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")  # other processes may be unpacking, too
    try:
        unfinished.write_bytes(content)
        unfinished.replace(file)
    except OSError as error:
        raise unwritable(file, error) from error
    finally:
        unfinished.unlink(missing_ok=True)


def unwritable(file: Path, error: Exception) -> ganzoo.DataError:
    """Return the error for a file that cannot be written to the download directory."""
    return ganzoo.DataError(
        f"'{file}' cannot be written ({error}); choose a folder for data by --data-dir FOLDER or GANZOO_DATA"
    )


@ganzoo.hookimpl
def register_datasets(register: ganzoo.Register) -> None:
    register(MNIST)
    register(FashionMNIST)


@ganzoo.hookimpl
def register_extractors(register: ganzoo.Register) -> None:
    register(Digits)
