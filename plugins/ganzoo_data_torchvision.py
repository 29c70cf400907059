"""Data sets of torchvision: CIFAR-10, EMNIST, SVHN and STL-10 in memory, CelebA as a stream."""

import importlib.util
import os
import warnings
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from filelock import FileLock
from pydantic import Field
from torch import Tensor

import ganzoo
from ganzoo.data import open_image


class TorchvisionDataset(ganzoo.Dataset):
    """Data set of torchvision, in its own files. Existing files are used after their checksums are verified."""

    provides = frozenset({"image", "label"})
    splits = frozenset({"train", "test"})
    files: ClassVar[str]
    """Files to put into the folder if they cannot be downloaded."""
    inside: ClassVar[str] = ""
    """Folder of these files, within the download directory."""
    library: ClassVar[str] = ""
    """Library that torchvision needs for it, from an extra with the data set's name."""

    @abstractmethod
    def open(self, root: Path, split: str, *, download: bool) -> Any:
        """Open torchvision's data set."""

    def opened(self, request: ganzoo.DataRequest) -> Any:
        """Open torchvision's data set, and download it if it is missing.

        Raises:
            DataError: if it is not available; with the files or the package to install.
        """
        if self.library and importlib.util.find_spec(self.library) is None:
            raise ganzoo.DataError(
                f"'{self.name}' needs a library that is not there: pip install 'ganzoo[{self.name}]'"
            )
        with warnings.catch_warnings():  # from NumPy, about the age of the files, and from tarfile
            warnings.simplefilter("ignore")
            return self._opened(request, request.folder / self.inside)

    def _opened(self, request: ganzoo.DataRequest, folder: Path) -> Any:
        try:
            return self.open(request.folder, request.split, download=False)
        except Exception:  # noqa: S110 - torchvision's error for missing or damaged files
            pass
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with FileLock(request.folder / f".{self.name}.lock"):  # other processes may be downloading, too
                return self.open(request.folder, request.split, download=True)
        except Exception as error:  # its type depends on the server, the archive and the download library
            words = " ".join(str(error).split()) or type(error).__name__
            if not (folder.is_dir() and os.access(folder, os.W_OK)):
                raise ganzoo.DataError(
                    f"'{folder}' cannot be written to ({words}); choose a folder for data by --data-dir FOLDER or "
                    "GANZOO_DATA"
                ) from error
            raise ganzoo.DataError(
                f"'{self.name}' is not whole in '{folder}' and cannot be downloaded: {words.rstrip('.')}; put into "
                f"that folder: {self.files}"
            ) from error


class InMemory(TorchvisionDataset):
    """Data set whose images are held in memory."""

    @abstractmethod
    def images(self, found: Any) -> Tensor:
        """Return all images of torchvision's data set, uint8, N x 1 or 3 x H x W."""

    def labels(self, found: Any) -> Tensor:
        """Return their labels, starting from 0."""
        return torch.as_tensor(found.labels)

    def names(self) -> tuple[str, ...]:
        """Return the names of the labels."""
        return self.classes

    def load(self, request: ganzoo.DataRequest) -> ganzoo.InMemoryData:
        found = self.opened(request)
        images = self.images(found)
        rows = torch.tensor(request.rows(len(images)))
        columns = {"image": request.fit_all(images[rows])} if "image" in request.fields else {}
        if "label" in request.fields:
            columns["label"] = self.labels(found)[rows].long()
        return ganzoo.InMemoryData(columns, self.names())


class CIFAR10(InMemory):
    """Small photos of animals and vehicles: 50,000 training, 10,000 test images, 32 x 32; 170 MB, downloaded once."""

    name = "cifar10"
    licence = "none stated by its author (A. Krizhevsky)"
    files = "cifar-10-python.tar.gz"
    classes = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

    def open(self, root: Path, split: str, *, download: bool) -> Any:
        from torchvision.datasets import CIFAR10  # slow to import, here and below

        return CIFAR10(root, train=split == "train", download=download)

    def images(self, found: Any) -> Tensor:
        return torch.from_numpy(found.data).permute(0, 3, 1, 2)

    def labels(self, found: Any) -> Tensor:
        return torch.tensor(found.targets)


class EMNIST(InMemory):
    """Handwritten letters and digits, 28 x 28; 560 MB, downloaded once."""

    name = "emnist"
    licence = "none stated by its authors (G. Cohen et al.); made from NIST Special Database 19"
    files = "gzip.zip"
    inside = "EMNIST/raw"
    channels = 1

    part: Literal["balanced", "letters", "digits", "mnist", "byclass", "bymerge"] = Field(
        "balanced", description="set of characters: 47 balanced classes, 26 letters, ten digits, MNIST's, or all"
    )

    def open(self, root: Path, split: str, *, download: bool) -> Any:
        from torchvision.datasets import EMNIST

        return EMNIST(root, self.part, train=split == "train", download=download)

    def images(self, found: Any) -> Tensor:
        return found.data[:, None].transpose(2, 3)  # the files hold transposed images

    def labels(self, found: Any) -> Tensor:
        return found.targets - int(self.part == "letters")  # numbered from 1

    def names(self) -> tuple[str, ...]:
        from torchvision.datasets import EMNIST

        return tuple(name for name in EMNIST.classes_split_dict[self.part] if name != "N/A")


class SVHN(InMemory):
    """House numbers from street views: 73,257 training and 26,032 test images, 32 x 32; 250 MB, downloaded once."""

    name = "svhn"
    licence = "for non-commercial use only (Y. Netzer et al.)"
    files = "train_32x32.mat, test_32x32.mat"
    library = "scipy"
    classes = tuple("0123456789")

    def open(self, root: Path, split: str, *, download: bool) -> Any:
        from torchvision.datasets import SVHN

        return SVHN(root, split, download=download)

    def images(self, found: Any) -> Tensor:
        return torch.from_numpy(found.data)


class STL10(InMemory):
    """Photos of animals and vehicles: 5,000 training and 8,000 test images, 96 x 96; 2.6 GB, downloaded once."""

    name = "stl10"
    licence = "none stated by its authors (A. Coates et al.); the photos are from ImageNet"
    files = "stl10_binary.tar.gz"
    classes = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")

    unlabelled: bool = Field(False, description="train on the 100,000 images without labels instead")

    def open(self, root: Path, split: str, *, download: bool) -> Any:
        from torchvision.datasets import STL10

        return STL10(root, "unlabeled" if self.unlabelled and split == "train" else split, download=download)

    def load(self, request: ganzoo.DataRequest) -> ganzoo.InMemoryData:
        if self.unlabelled and "label" in request.fields:
            raise ganzoo.DataError("the GAN needs labels, and these images have none; leave --data.unlabelled out")
        return super().load(request)

    def images(self, found: Any) -> Tensor:
        return torch.from_numpy(found.data)


class CelebA(TorchvisionDataset):
    """Faces of celebrities: 162,770 training and 19,962 test images, 178 x 218, streamed; 1.4 GB."""

    name = "celeba"
    licence = "for non-commercial research only (Z. Liu et al., MMLAB)"
    files = (
        "img_align_celeba.zip, list_attr_celeba.txt, identity_CelebA.txt, list_bbox_celeba.txt, "
        "list_landmarks_align_celeba.txt, list_eval_partition.txt"
    )
    inside = "celeba"
    streamed = True

    attribute: str = Field("Smiling", description="attribute to use as the label: Smiling, Male, Eyeglasses, ...")

    def open(self, root: Path, split: str, *, download: bool) -> Any:
        from torchvision.datasets import CelebA

        return CelebA(root, split, download=download)

    def load(self, request: ganzoo.DataRequest) -> ganzoo.Stream:
        found = self.opened(request)
        labels: Tensor | None = None
        if "label" in request.fields:
            if self.attribute not in found.attr_names:
                names = ", ".join(sorted(filter(None, found.attr_names)))
                raise ganzoo.DataError(
                    f"no attribute of '{self.name}' is called '{self.attribute}'; there are: {names}"
                )
            labels = found.attr[:, found.attr_names.index(self.attribute)].clone()
        folder = request.folder / self.inside / "img_align_celeba"
        return Faces(request, folder, found.filename, labels, (f"not {self.attribute}", self.attribute))


class Faces(ganzoo.Stream):
    """Image files, shuffled in each pass, with labels if requested.

    A position is (pass, number of images taken from the share).
    """

    def __init__(
        self,
        request: ganzoo.DataRequest,
        folder: Path,
        files: Sequence[str],
        labels: Tensor | None,
        classes: tuple[str, str],
    ) -> None:
        self.request = request
        self.folder = folder
        self.files = files
        self.labels = labels
        self.classes = classes if labels is not None else ()

    def __len__(self) -> int:
        return len(self.files)

    def read(
        self, seed: int, part: int, parts: int, position: ganzoo.Position
    ) -> Iterator[tuple[ganzoo.Row, ganzoo.Position]]:
        if parts > len(self.files):
            raise ganzoo.DataError(
                f"there are fewer images ({len(self.files)}) than readers ({parts}); fewer --workers"
            )
        turn, taken = (*position, 0, 0)[:2]
        while True:
            order = torch.randperm(len(self.files), generator=ganzoo.seeded(seed, "faces", turn))[part::parts].tolist()
            for row in order[taken:]:
                taken += 1
                yield self._row(row), (turn, taken)
            turn, taken = turn + 1, 0

    def _row(self, row: int) -> ganzoo.Row:
        fields = {}
        if "image" in self.request.fields:
            fields["image"] = self.request.fit(open_image(self.folder / self.files[row]))
        if self.labels is not None:
            fields["label"] = self.labels[row].long()
        return fields


@ganzoo.hookimpl
def register_datasets(register: ganzoo.Register) -> None:
    for dataset in (CelebA, CIFAR10, EMNIST, STL10, SVHN):
        register(dataset)
