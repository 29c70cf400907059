"""The data sets of torchvision, from small files in their real formats.

Torchvision's own checks and readers run: only the checksums that it compares with are those of the small files.
"""

import gzip
import hashlib
import importlib.util
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision import datasets

import ganzoo
from ganzoo.config import validate
from ganzoo.data.dataset import DataRequest, Split
from ganzoo.data.load import DataOptions, load
from ganzoo.data.stream_loader import StreamLoader
from ganzoo.errors import DataError
from ganzoo.plugins import zoo
from ganzoo.testing import check_dataset

BOTH = frozenset({"image", "label"})


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def tar(file: Path, folder: str, files: Mapping[str, bytes]) -> str:
    """Writes a .tar.gz; its MD5."""
    with tarfile.open(file, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            archive.addfile(member, BytesIO(content))
    return md5(file.read_bytes())


def images(count: int, *shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)


def opened(data: object, folder: Path, size: tuple[int, int], split: Split = "train", channels: int = 3) -> Any:
    return validate(DataOptions, {"data": data}).data.load(DataRequest(BOTH, size, channels, split, folder=folder))


def same(found: Tensor, expected: np.ndarray[Any, Any]) -> None:
    assert found.dtype == torch.uint8
    np.testing.assert_array_equal(found.numpy(), expected)


def pack_cifar(folder: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray[Any, Any]:
    pixels = images(12, 3, 32, 32)
    names = [name for name, _ in [*datasets.CIFAR10.train_list, *datasets.CIFAR10.test_list]]
    files = {
        name: pickle.dumps({"data": pixels[2 * at : 2 * at + 2].reshape(2, -1), "labels": [at, 9]})
        for at, name in enumerate(names)
    }
    files["batches.meta"] = pickle.dumps({"label_names": ["x"] * 10})
    monkeypatch.setattr(datasets.CIFAR10, "train_list", [[name, md5(files[name])] for name in names[:5]])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", [[name, md5(files[name])] for name in names[5:]])
    monkeypatch.setattr(datasets.CIFAR10, "meta", {**datasets.CIFAR10.meta, "md5": md5(files["batches.meta"])})
    packed = tar(folder / datasets.CIFAR10.filename, datasets.CIFAR10.base_folder, files)
    monkeypatch.setattr(datasets.CIFAR10, "tgz_md5", packed)
    return pixels


def test_cifar10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = pack_cifar(tmp_path, monkeypatch)
    train, test = (opened("cifar10", tmp_path, (32, 32), split) for split in ("train", "test"))
    same(train.columns["image"], pixels[:10])
    same(test.columns["image"], pixels[10:])
    assert train.columns["label"].tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]
    assert train.classes[1] == "automobile"
    data = load(validate(DataOptions, {"data": "cifar10", "image_size": 16, "batch_size": 4}), BOTH, folder=tmp_path)
    assert data.streams[0]["image"].shape == (10, 3, 16, 16)
    check_dataset(zoo().datasets["cifar10"], tmp_path)


def test_files_with_another_checksum_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    pack_cifar(tmp_path, monkeypatch)
    opened("cifar10", tmp_path, (32, 32))
    (tmp_path / datasets.CIFAR10.filename).unlink()
    file = tmp_path / datasets.CIFAR10.base_folder / "data_batch_1"
    file.write_bytes(file.read_bytes() + b".")
    with pytest.raises(DataError, match=r"'cifar10' is not whole in .* put into that folder: cifar-10-python.tar.gz"):
        opened("cifar10", tmp_path, (32, 32))


def test_emnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw, pixels = tmp_path / "EMNIST" / "raw", images(4, 28, 28)
    raw.mkdir(parents=True)
    with zipfile.ZipFile(raw / "gzip.zip", "w") as archive:
        for part, split, labels in (("letters", "train", [1, 2, 26, 26]), ("digits", "test", [0, 9, 3, 3])):
            header = struct.pack(">4i", 0x803, 4, 28, 28)
            name = f"gzip/emnist-{part}-{split}"
            archive.writestr(f"{name}-images-idx3-ubyte.gz", gzip.compress(header + pixels.tobytes()))
            written = struct.pack(">2i", 0x801, 4) + bytes(labels)
            archive.writestr(f"{name}-labels-idx1-ubyte.gz", gzip.compress(written))
    monkeypatch.setattr(datasets.EMNIST, "md5", md5((raw / "gzip.zip").read_bytes()))
    letters = opened({"name": "emnist", "part": "letters"}, tmp_path, (28, 28), channels=1)
    same(letters.columns["image"], pixels[:, None].swapaxes(2, 3))
    assert [letters.classes[label] for label in letters.columns["label"]] == ["a", "b", "z", "z"]
    digits = opened({"name": "emnist", "part": "digits"}, tmp_path, (28, 28), "test", 1)
    assert digits.columns["label"].tolist() == [0, 9, 3, 3]
    assert digits.classes == tuple("0123456789")


def test_stl10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = images(6, 3, 96, 96)
    files = {
        "train_X.bin": pixels[:2].tobytes(),
        "train_y.bin": bytes([1, 10]),
        "unlabeled_X.bin": pixels[2:5].tobytes(),
        "test_X.bin": pixels[5:].tobytes(),
        "test_y.bin": bytes([3]),
    }
    for kind in ("train_list", "test_list"):
        listed = [[name, md5(files[name])] for name, _ in getattr(datasets.STL10, kind)]
        monkeypatch.setattr(datasets.STL10, kind, listed)
    monkeypatch.setattr(datasets.STL10, "tgz_md5", tar(tmp_path / "stl10_binary.tar.gz", "stl10_binary", files))
    train = opened("stl10", tmp_path, (96, 96))
    same(train.columns["image"], pixels[:2].swapaxes(2, 3))
    assert [train.classes[label] for label in train.columns["label"]] == ["airplane", "truck"]
    assert opened("stl10", tmp_path, (96, 96), "test").columns["label"].tolist() == [2]
    unlabelled = {"name": "stl10", "unlabelled": True}
    with pytest.raises(DataError, match=r"leave --data.unlabelled out"):
        opened(unlabelled, tmp_path, (96, 96))
    request = DataRequest(frozenset({"image"}), (96, 96), 3, folder=tmp_path)
    table = validate(DataOptions, {"data": unlabelled}).data.load(request)
    assert isinstance(table, ganzoo.InMemoryData)
    same(table.columns["image"], pixels[2:5].swapaxes(2, 3))
    check_dataset(zoo().datasets["stl10"], tmp_path)


@pytest.mark.skipif(importlib.util.find_spec("scipy") is None, reason="needs scipy")
def test_svhn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy.io import savemat

    pixels = images(3, 3, 32, 32)
    savemat(tmp_path / "train_32x32.mat", {"X": pixels.transpose(2, 3, 1, 0), "y": np.array([[1], [10], [9]])})
    address, name, _ = datasets.SVHN.split_list["train"]
    known = {"train": [address, name, md5((tmp_path / name).read_bytes())]}
    monkeypatch.setattr(datasets.SVHN, "split_list", known)
    table = opened("svhn", tmp_path, (32, 32))
    same(table.columns["image"], pixels)
    assert table.columns["label"].tolist() == [1, 0, 9]


def test_svhn_without_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install 'ganzoo\[svhn\]'$"):
        opened("svhn", tmp_path, (32, 32))


FACES = 20


@pytest.fixture
def faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """CelebA with twenty faces to train on, whose red is their number, and two for the test."""
    folder = tmp_path / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    names = [f"{number:06d}.jpg" for number in range(1, FACES + 3)]
    for number, name in enumerate(names):
        Image.new("RGB", (178, 218), (10 * number, 0, 0)).save(folder / "img_align_celeba" / name, quality=95)
    lists = {
        "list_eval_partition.txt": [f"{name} {2 * (at >= FACES)}" for at, name in enumerate(names)],
        "identity_CelebA.txt": [f"{name} 7" for name in names],
        "list_bbox_celeba.txt": ["22", "image_id x_1 y_1 width height", *(f"{name} 1 2 3 4" for name in names)],
        "list_landmarks_align_celeba.txt": ["22", "lefteye_x lefteye_y", *(f"{name} 1 2" for name in names)],
        "list_attr_celeba.txt": [
            "22",
            "Male Smiling ",
            *(f"{name} -1 {1 if at % 2 else -1}" for at, name in enumerate(names)),
        ],
    }
    known = []
    for name, lines in lists.items():
        content = "\n".join(lines).encode()
        (folder / name).write_bytes(content)
        known.append(("", md5(content), name))
    monkeypatch.setattr(datasets.CelebA, "file_list", known)
    return tmp_path


def celeba(folder: Path, **values: object) -> Any:
    options = validate(DataOptions, {"data": {"name": "celeba", **values}, "image_size": 8, "batch_size": 4})
    return load(options, BOTH, folder=folder)


def numbers(batches: StreamLoader, count: int) -> list[list[int]]:
    """Which faces each of the next batches holds."""
    drawn = [batches.draw(iteration) for iteration in range(batches.iteration, batches.iteration + count)]
    for batch in drawn:
        faces = batch.image[:, 0].float().mean((1, 2)).div(10).round().long()
        assert torch.equal(faces % 2, batch.label)
    return [batch.image[:, 0].float().mean((1, 2)).div(10).round().long().tolist() for batch in drawn]


def test_celeba_is_a_stream(faces: Path) -> None:
    data = celeba(faces)
    assert data.streams == ()
    assert (len(data.stream), len(data.preview["image"])) == (FACES, 2)
    assert data.spec.classes == ("not Smiling", "Smiling")
    assert data.spec.shapes == {"image": (3, 8, 8), "label": ()}
    check_dataset(zoo().datasets["celeba"], faces)
    first, second = numbers(StreamLoader(data.stream, 4), 5), numbers(StreamLoader(data.stream, 4, seed=1), 5)
    assert sorted(chain(*first)) == list(range(FACES))
    assert first != second
    assert sorted(chain(*second)) == list(range(FACES))


@pytest.mark.parametrize("workers", [0, 2])
def test_celeba_goes_on_where_it_stopped(faces: Path, workers: int) -> None:
    stream = celeba(faces).stream
    whole = StreamLoader(stream, 4, workers=workers)
    before = numbers(whole, 7)
    state = whole.state()
    after = numbers(whole, 5)
    whole.close()
    resumed = StreamLoader(stream, 4, workers=workers)
    resumed.load_state(state)
    assert numbers(resumed, 5) == after
    resumed.close()
    assert before[:5] != [*before[5:], *after[:3]]  # each pass has an order of its own


def test_celeba_trains(faces: Path) -> None:
    out = faces / "run"
    ganzoo.run("dcgan", data="celeba", image_size=16, batch_size=4, epochs=1, out=out, data_dir=faces, workers=0)
    assert (out / "config.json").is_file()


def test_celebas_attributes(faces: Path) -> None:
    assert set(celeba(faces, attribute="Male").preview["label"].tolist()) == {0}
    with pytest.raises(DataError, match=r"no attribute of 'celeba' is called 'Smile'; there are: Male, Smiling$"):
        celeba(faces, attribute="Smile")


def test_a_broken_face_is_named(faces: Path) -> None:
    (faces / "celeba" / "img_align_celeba" / "000003.jpg").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"000003.jpg' cannot be read"):
        numbers(StreamLoader(celeba(faces).stream, 4), 5)


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("cifar10", r"/new' .*: cifar-10-python.tar.gz$"),
        ("emnist", r"/new/EMNIST/raw' .*: gzip.zip$"),
        ("stl10", r"/new' .*: stl10_binary.tar.gz$"),
        ("celeba", r"/new/celeba' .*: img_align_celeba.zip, list_attr_celeba.txt, "),
    ],
)
def test_no_network_says_what_to_put_where(name: str, files: str, tmp_path: Path, no_network: None) -> None:
    with pytest.raises(DataError, match=files) as caught:
        opened(name, tmp_path / "new", (8, 8))
    assert "\n" not in str(caught.value)


def test_a_folder_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"--data-dir FOLDER or GANZOO_DATA"):
        opened("cifar10", tmp_path / "file", (8, 8))
